"""Files that are no profile page: each is one clear line and exit code 1, and the last release stays as it was."""

import json
from contextlib import chdir
from pathlib import Path

import helpers
import pytest
from click.testing import Result

HEADER = "Ann Bell\n\nCL\nh-index1\n{0}papers\n1citations\n\n{0} Papers\n\n"
BLOCK = "{}\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at every full hour.\n"
GOOD = HEADER.format(1) + BLOCK.format("CLMay 1, 2024")
NO_PAGES = {
    "HTML": (
        b"<!DOCTYPE html>\n<html><body><h1>Ann Bell</h1><p>76 papers</p></body></html>\n",
        "this seems to be HTML code, expected a researcher's profile page; open the profile page in a browser, select all,",
    ),
    "JSON": (b'{"name": "Ann Bell", "papers": []}\n', "this seems to be JSON"),
    "a letter": (b"Dear Eve,\n\nthe bells ring.\n\nYours,\nAnn Bell\n", "badges such as CLMar 14, 2025"),
    "BibTeX": (b"@article{bell,\n  title = {On Bells},\n  author = {Bell, Ann}\n}\n", "this seems to be BibTeX"),
    "Google Scholar": (
        b"Ann Bell\nTower College\nCited by\nAll\tSince 2020\nCitations\t12\t8\nh-index\t4\t3\ni10-index\t2\t1\n",
        "this seems to be a page of Google Scholar",
    ),
    "DBLP": (
        b"Ann Bell\n\n2024\n[c2]\nAnn Bell, Cy Dole:\nOn Bells. BELLS 2024: 1-10\nexport record\n",
        "this seems to be a page of DBLP",
    ),
    "UTF-16": (
        GOOD.encode("utf-16"),
        "found UTF-16 text, expected UTF-8; save the page again, with the encoding UTF-8",
    ),
    "header only": (
        HEADER.format(76).encode(),
        "no paper was found, though the page states 76; this seems to be a page saved before its papers had loaded",
    ),
    "lines joined": (
        (HEADER.format(76) + BLOCK.format("CLMar 14, 2025") * 3).replace("\n", " ").encode(),
        "this seems to be a page whose line breaks are lost, expected a researcher's profile page; select all of the page",
    ),
    "lines joined, without a space": (
        (HEADER.format(76) + BLOCK.format("cs.CLMay 14Code") * 3).replace("\n", "").encode(),
        "this seems to be a page whose line breaks are lost",
    ),
    "German dates": (
        (HEADER.format(1) + BLOCK.format("CL14. März 2025")).encode(),
        "dates are in another language (14. März), expected a researcher's profile page; set the site to English",
    ),
    "empty": (b"", "empty file, expected a saved page; save the page again"),
    "blank lines": (b"\n\n\n", "this seems to be a text of blank lines only"),
    "one bad block": (
        (HEADER.format(1) + BLOCK.format("CLFeb 30, 2024")).encode(),
        "no paper could be read, though the page states 1; the first is damaged, on line 10: the badge CLFeb 30, 2024 has a"
        " date that does not exist",
    ),
}


def run(folder: Path, *arguments: str) -> Result:
    with chdir(folder):
        return helpers.run(*arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good release of a good page."""
    place = tmp_path_factory.mktemp("pages")
    (place / "good.txt").write_text(GOOD, encoding="utf-8")
    assert run(place, "build", "good.txt").exit_code == 0
    return place


@pytest.mark.parametrize(("data", "words"), NO_PAGES.values(), ids=NO_PAGES)
def test_what_is_no_page_is_one_line_and_leaves_the_last_release(folder: Path, data: bytes, words: str) -> None:
    last = (folder / "build/current").readlink()
    (folder / "saved.txt").write_bytes(data)
    result = run(folder, "build", "saved.txt")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("paperledger: saved.txt: ")
    assert words in result.stderr
    assert (folder / "build/current").readlink() == last
    assert run(folder, "check", "saved.txt").exit_code == 1


def test_html_is_told_whatever_the_files_name(folder: Path) -> None:
    (folder / "saved.html").write_bytes(NO_PAGES["HTML"][0])
    result = run(folder, "check", "saved.html")
    assert (result.exit_code, "HTML code" in result.stderr) == (1, True)


def test_a_page_of_one_good_block_is_published(folder: Path) -> None:
    assert run(folder, "check", "good.txt", "--fail-on", "warning").exit_code == 0


def test_a_researcher_without_papers_is_no_error_beside_others_but_none_is_published_alone(folder: Path) -> None:
    (folder / "new.txt").write_text(HEADER.format(0).replace("1citations", "0citations"), encoding="utf-8")
    assert run(folder, "check", "new.txt", "good.txt").exit_code == 0
    alone = run(folder, "check", "new.txt")
    assert alone.exit_code == 1
    assert "none of these pages lists a paper" in alone.stderr


def test_one_page_that_is_none_stops_a_build_and_may_be_allowed(folder: Path) -> None:
    (folder / "saved.txt").write_bytes(NO_PAGES["HTML"][0])
    (folder / "empty.txt").touch()
    paths = ("good.txt", "saved.txt", "empty.txt")
    assert run(folder, "build", *paths, "--out", "other").exit_code == 1
    assert not (folder / "other").exists()
    allowed = run(folder, "build", *paths, "--out", "other", "--allow-unreadable")
    assert (allowed.exit_code, allowed.stderr) == (0, "")
    manifest = json.loads((folder / "other/current/manifest.json").read_text(encoding="utf-8"))
    assert manifest["skipped"] == ["empty.txt"]
    page = run(folder, "page", "saved.txt", "--out", "other")
    assert page.stdout_bytes == NO_PAGES["HTML"][0]


def test_nothing_at_all_is_never_published(folder: Path) -> None:
    (folder / "empty.txt").touch()
    result = run(folder, "build", "empty.txt", "--allow-unreadable", "--out", "none")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert not (folder / "none").exists()
