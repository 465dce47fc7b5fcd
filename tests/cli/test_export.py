"""The command `export`: what it writes, and what it says of a request that it cannot carry out."""

from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import Result
from helpers import run
from rich.console import Console

from etl.export import FORMATS
from etl.pipeline import Request, build
from etl.progress import Progress

OWNER = "mehdi-rezagholizadeh"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a release of the bundled page and an invented one."""
    folder = tmp_path_factory.mktemp("export") / "build"
    build(Request([str(files("etl").joinpath("sample")), str(DATA)], folder), Progress(Console(quiet=True)))
    return folder


def export(out: Path, form: str, *options: str | Path) -> Result:
    return run("export", form, out, *options)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_has_the_bytes_of_standard_output_each_time(out: Path, form: str, tmp_path: Path) -> None:
    made = [export(out, form) for _ in range(2)]
    assert [result.exit_code for result in made] == [0, 0]
    assert made[0].stdout_bytes == made[1].stdout_bytes
    assert export(out, form, "-o", tmp_path / "a").exit_code == 0
    assert (tmp_path / "a").read_bytes() == made[0].stdout_bytes


def test_an_author_a_category_a_search_and_a_condition_select(out: Path) -> None:
    counts = {
        options: export(out, "bibtex", *options).stdout.count("@misc{")
        for options in (
            ("--author", OWNER),
            ("--author", "ann-b-bell"),
            ("--search", "bells counts"),
            ("--category", "cs.CV"),
        )
    }
    assert counts[("--author", OWNER)] == 50
    assert counts[("--author", "ann-b-bell")] == 6
    assert counts[("--search", "bells counts")] >= 1
    assert 0 < counts[("--category", "cs.CV")] < 56
    where = export(out, "bibtex", "--author", OWNER, "--where", "published >= '2026'").stdout
    assert 0 < where.count("@misc{") < 50


def test_a_former_id_of_an_author_leads_to_the_new(out: Path) -> None:
    assert (
        export(out, "bibtex", "--author", "ann-bell").stdout == export(out, "bibtex", "--author", "ann-b-bell").stdout
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--author", "mehdi-rezagholizade"), f"perhaps {OWNER}"),
        (("--category", "cs.CX"), "perhaps cs.C"),
        (("--where", "publishd > 1"), "no such column: publishd; expected one condition"),
        (("--where", "1); DROP TABLE papers"), "--where 1); DROP TABLE papers: "),
        (("--where", "title = ?"), "expected one condition"),
        (("--where", ""), "expected one condition"),
        (("--where", "json(title) = 1"), "malformed JSON"),
    ],
)
def test_what_cannot_be_selected_is_one_line(out: Path, options: tuple[str, ...], said: str) -> None:
    result = export(out, "ris", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--author", "--category", "--search", "--where"])
def test_bytes_that_are_no_text_are_a_usage_error(out: Path, option: str) -> None:
    result = export(out, "atom", option, "\udcff")
    assert result.exit_code == 2
    assert "expected a text in UTF-8" in result.stderr


def test_any_search_is_safe_and_an_empty_result_is_said(out: Path) -> None:
    result = export(out, "csl-json", "--search", '" OR NEAR( * -- ')
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert "no paper meets the conditions" in result.stderr


def test_a_file_that_cannot_be_written_is_one_line(out: Path, tmp_path: Path) -> None:
    result = export(out, "bibtex", "-o", tmp_path / "missing" / "a.bib")
    assert result.exit_code == 2
    assert "cannot be written (No such file or directory)" in result.stderr
