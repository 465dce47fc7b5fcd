"""The release before another: which one it is, which papers are new, and what a build says of them."""

from pathlib import Path

import pytest
from helpers import run

from etl.release.diff import papers_only_in, release_before
from etl.release.release import newest_release, open_release

PAGE = "Ann Bell\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold.\n"
LATER = "\nCLJun 1, 2025\nOn Bells\n\nAnn Bell\n\nBells ring.\n"


def built(page: Path, text: str, out: Path) -> tuple[Path, str]:
    """The release of a page, and what the build printed."""
    page.write_text(text, encoding="utf-8")
    printed = run("build", page, "--out", out)
    assert printed.exit_code == 0, printed.output
    return newest_release(out), printed.stdout


def test_a_build_tells_how_many_papers_are_new_and_the_command_that_shows_them(tmp_path: Path) -> None:
    page, out = tmp_path / "ann.txt", tmp_path / "out"
    first, before = built(page, PAGE, out)
    second, after = built(page, PAGE + LATER, out)
    assert "New " not in before
    (line,) = (line for line in after.splitlines() if line.startswith("New "))
    assert line == f"New     1 paper since {first.name}: paperledger diff {first} {second}"
    assert run("diff", first, second).exit_code == 1


def test_a_build_after_a_release_that_cannot_be_read_says_nothing_of_it(tmp_path: Path) -> None:
    page, out = tmp_path / "ann.txt", tmp_path / "out"
    first, _ = built(page, PAGE, out)
    (first / "papers.parquet").write_bytes(b"no table")
    _, after = built(page, PAGE + LATER, out)
    assert "New " not in after


def test_the_release_before_is_the_one_published_before(tmp_path: Path) -> None:
    page, out = tmp_path / "ann.txt", tmp_path / "out"
    first, _ = built(page, PAGE, out)
    second, _ = built(page, PAGE + LATER, out)
    assert (release_before(second), release_before(first)) == (first, None)
    again, _ = built(page, PAGE, out)
    assert (again, release_before(first), release_before(second)) == (first, second, None)


@pytest.mark.parametrize("place", ["elsewhere/0123456789abcdef", "releases/0123456789abcdef"])
def test_a_folder_that_is_no_release_of_an_output_folder_has_none_before(tmp_path: Path, place: str) -> None:
    (tmp_path / "releases").mkdir()
    assert release_before(tmp_path / place) is None


def test_new_papers_come_newest_first(tmp_path: Path) -> None:
    page, out = tmp_path / "ann.txt", tmp_path / "out"
    first, _ = built(page, PAGE, out)
    second, _ = built(page, PAGE.replace("Ropes", "Knots") + LATER, out)
    new = papers_only_in(open_release(second), open_release(first))
    assert new["title"].to_list() == ["On Bells", "On Knots"]
