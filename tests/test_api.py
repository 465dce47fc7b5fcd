"""The interface for programs: `from etl import build, check, open_release`."""

import doctest
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import regenerate
from mypy import api as mypy
from two_pages import ANN

import etl
from etl import OpenRelease, api, build, check, open_release
from etl.api import Options
from etl.errors import BadData, DamagedRelease, UsageError
from schemas import TABLES, PaperList

HEAVY = ("polars", "pyarrow", "pandera", "datasette", "pandas", "rich", "click")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "ann@2026-06-01.txt"
    path.write_text(ANN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def release(page: Path, tmp_path_factory: pytest.TempPathFactory) -> OpenRelease:
    return build(page, tmp_path_factory.mktemp("out"))


def test_every_example_of_the_docs_gives_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (regenerate.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    examples = doctest.DocTestParser().get_doctest(blocks, {}, "python.md", None, 0)
    assert len(examples.examples) > 10
    assert doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF).run(examples).failed == 0


def test_importing_etl_imports_no_library() -> None:
    program = "import etl, sys; etl.__version__; print([name for name in sys.argv[1:] if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_strict_type_checker_sees_the_types_and_a_misspelt_name(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from etl import biuld, build\nreveal_type(build('pages').papers)\nbuild(observed='2026-06-01')\n", "utf-8"
    )
    words, _, _ = mypy.run(
        ["--strict", "--no-error-summary", f"--config-file={regenerate.ROOT}/pyproject.toml", str(program)]
    )
    assert 'Module "etl" has no attribute "biuld"' in words
    assert 'Revealed type is "polars.dataframe.frame.DataFrame"' in words
    assert 'Unexpected keyword argument "observed"' in words
    assert len(words.splitlines()) == 4  # and a note on the name that was meant


def test_types_are_shipped() -> None:
    assert all((regenerate.ROOT / package / "py.typed").is_file() for package in ("etl", "schemas"))


def test_etl_lists_what_it_offers_and_has_nothing_else() -> None:
    assert {"build", "check", "open_release"} <= set(dir(etl))
    with pytest.raises(AttributeError, match="'etl' has no attribute 'biuld'"):
        etl.biuld  # type: ignore[attr-defined]  # noqa: B018


def test_every_table_is_a_frame_of_its_types(release: OpenRelease) -> None:
    for name, model in {**TABLES, "paper_list": PaperList}.items():
        assert getattr(release, name).schema == model.definition().schema
        assert name in dir(release)
    assert set(release.papers["title"]) == {"Naïve Chimes", "On Bells"}
    assert release.table("papers", ["title"]).columns == ["title"]


def test_a_name_that_is_no_table_is_an_error_that_lists_them(release: OpenRelease) -> None:
    with pytest.raises(AttributeError, match="no attribute or table 'paper'; tables are categories, "):
        release.paper  # noqa: B018


def test_a_table_or_column_that_is_not_there_is_an_error_that_lists_those_that_are(release: OpenRelease) -> None:
    with pytest.raises(UsageError, match=r"^paper: no such table; expected one of categories, "):
        release.table("paper")
    with pytest.raises(UsageError, match=r"^titel: no such column of papers; expected one of paper_id, title, "):
        release.table("papers", ["paper_id", "titel"])
    with pytest.raises(UsageError, match=r"^found 'title', expected a list of columns such as \['title'\]"):
        release.table("papers", "title")


def test_a_release_is_shown_by_its_folder(release: OpenRelease) -> None:
    assert repr(release) == f"OpenRelease('{release.path}')"


def test_what_was_checked_is_shown_by_its_verdict_and_its_rows(page: Path) -> None:
    assert repr(check(page)).startswith("Checked(verdict='warned', rows={'categories': ")


def test_sql_gives_a_frame(release: OpenRelease) -> None:
    found = release.sql("SELECT name, position FROM paper_authors WHERE author_id = ? ORDER BY position", ["ann-bell"])
    assert found.schema == {"name": pl.String, "position": pl.Int64}
    assert release.sql("SELECT 1 AS a WHERE 0").shape == (0, 1)
    assert release.sql("SELECT NULL AS a UNION ALL SELECT 1 UNION ALL SELECT 2.5")["a"].to_list() == [None, 1.0, 2.5]
    assert release.sql("SELECT title FROM papers_fts WHERE papers_fts MATCH 'bells'").height == 1


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT title FROM paper", "no such table: paper; see `paperledger schema`"),
        ("SELECT 1 AS a, 2 AS a", "found several columns named a, expected different names"),
        ("DELETE FROM papers", "attempt to write a readonly database"),
        ("SELECT :missing", "Incorrect number of bindings supplied"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
    ],
)
def test_a_wrong_query_is_a_usage_error(release: OpenRelease, query: str, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        release.sql(query)


def test_a_page_comes_back_and_a_row_is_explained(release: OpenRelease) -> None:
    assert release.page("ann@2026-06-01.txt").decode() == ANN
    assert release.why("authors", "ann-bell").row["name"] == "Ann Bell"
    with pytest.raises(UsageError, match="no such profile"):
        release.page("eve.txt")
    with pytest.raises(UsageError, match="found 3, expected a profile"):
        release.page(3)  # type: ignore[arg-type]


def test_checking_publishes_nothing_and_bad_data_is_an_error_of_lines(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check([page]).tables["papers"].height == 2
    (tmp_path / "empty.txt").touch()
    for run in (check, build):
        with pytest.raises(BadData) as caught:
            run("empty.txt")
        assert caught.value.lines[0].startswith("empty.txt: empty file, expected a saved page")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.txt"]


def test_an_unknown_option_is_an_error_that_lists_the_known_ones(page: Path) -> None:
    with pytest.raises(UsageError, match=r"^observed: no such option; expected one of observed_on, overrides, "):
        check(page, observed="2026-06-01")  # type: ignore[call-arg]


def test_the_known_options_are_those_of_the_types_and_of_the_help() -> None:
    options = list(Options.__annotations__)
    assert list(api._READ) == options  # noqa: SLF001
    assert re.findall(r"^ +(\w+): ", Options.__doc__ or "", re.MULTILINE) == options
    assert f"{', '.join(options[:-1])} and {options[-1]}" in " ".join((build.__doc__ or "").split())


def test_an_empty_list_of_pages_is_an_error_instead_of_the_bundled_page() -> None:
    for run in (check, build):
        with pytest.raises(UsageError, match="found an empty list of pages"):
            run([])


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ({"observed_on": "June 1"}, "observed_on: found 'June 1', expected a day such as date(2026, 7, 2)"),
        ({"observed_on": datetime(2026, 6, 1)}, "expected a day such as date(2026, 7, 2)"),
        ({"fail_on": "never"}, "fail_on: found 'never', expected 'error' or 'warning'"),
        ({"workers": 0}, "workers: found 0, expected a number of processes, at least 1"),
        ({"workers": "2"}, "workers: found '2', expected a number"),
        ({"allow_unreadable": "no"}, "allow_unreadable: found 'no', expected True or False"),
        ({"overrides": 3}, "overrides: found 3, expected a path"),
        ({"reference": 3}, "reference: found 3, expected a path"),
        ({"reference": [3]}, "reference: found 3, expected a path"),
    ],
)
def test_an_option_of_another_value_is_a_usage_error(page: Path, option: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)):
        check(page, **option)


@pytest.mark.parametrize("pages", [42, [42], b"ann.txt", [b"ann.txt"]])
def test_pages_that_are_no_paths_are_a_usage_error(pages: Any) -> None:
    with pytest.raises(UsageError, match=r"^pages: found (42|b'ann.txt'), expected a path"):
        check(pages)


def test_a_folder_that_is_no_path_is_a_usage_error(page: Path) -> None:
    with pytest.raises(UsageError, match=r"^out: found 5, expected a path"):
        build(page, out=5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^folder: found 5, expected a path"):
        open_release(5)  # type: ignore[arg-type]


def test_pages_may_be_any_iterable_of_paths(page: Path) -> None:
    assert check(page.parent.glob(page.name)).tables["papers"].height == 2


def test_a_damaged_database_is_not_read(page: Path, tmp_path: Path) -> None:
    release = open_release(build(page, tmp_path).path)
    with (release.path / "paperledger.db").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DamagedRelease, match=r"paperledger.db: found \d+ bytes"):
        release.sql("SELECT 1")
