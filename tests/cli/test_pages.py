"""The command `pages`: a page from arXiv's metadata reads back as its records say."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helpers import parsed, run, tables_of
from records import dated, lines, record

RECORDS = (
    record("2405.00001", "On Bells", abstract="  They ring at every\nfull hour.\n"),
    record("hep-th/9901001", "On\n  Ropes", categories="hep-th math.MP", **dated("Fri, 1 Jan 1999 10:00:00 GMT")),
    record("2405.00003", "On Towers", categories="cs.CV", authors_parsed=[["Béll", "Ann", ""]]),
    record("2405.00004", "On Ropes", categories="cs.SY math.OC", authors_parsed=[["Fox", "Eve", "Jr."]], abstract=None),
)
Made = Callable[..., tuple[Result, Path]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """What the command makes of these records and the text of identifiers, or with these options."""

    def pages(ids: str | None, *options: str, records: tuple[dict[str, Any], ...] = RECORDS) -> tuple[Result, Path]:
        (tmp_path / "arxiv.jsonl").write_bytes(lines(*records))
        if ids is not None:
            (tmp_path / "ids.txt").write_text(ids, encoding="utf-8")
            options = ("--ids", str(tmp_path / "ids.txt"), "--owner", "Ann Bell", *options)
        result = run("pages", "--reference", tmp_path / "arxiv.jsonl", "--out", tmp_path / "made", *options)
        return result, tmp_path / "made" / "ann-bell.txt"

    return pages


ALL = "\n".join(one["id"] for one in RECORDS)


def test_a_page_reads_back_as_its_records_newest_first(made: Made) -> None:
    result, path = made(ALL)
    assert (result.exit_code, result.stdout) == (0, f"{path}: 4 papers\n")
    page = parsed(path.read_text(encoding="utf-8"))
    assert page.header.values["name"].text == "Ann Bell"
    assert not page.strays
    whole = ("Ann Bell", "Cy Dole", "Eve Fox", "Gus Hill")
    assert [
        (block.badge, block.title, block.byline_parts.names, block.byline_parts.truncated) for block in page.blocks
    ] == [
        ("SYMay 1, 2024", "On Ropes", ("Eve Fox Jr.",), False),
        ("cs.CVMay 1, 2024", "On Towers", ("Ann Béll",), False),
        ("CLMay 1, 2024", "On Bells", whole, False),
        ("hep-thJan 1, 1999", "On Ropes", whole, False),
    ]
    assert [block.abstract for block in page.blocks[1:3]] == ["They ring.", "They ring at every full hour."]


def test_a_page_builds_with_the_categories_and_days_of_its_records(made: Made) -> None:
    _, path = made(ALL)
    tables = tables_of(path.read_text(encoding="utf-8"))
    found = (
        tables["papers"].select("title", "category_id", "published", "year_inferred").sort("published", "category_id")
    )
    assert found.rows() == [
        ("On Ropes", "hep-th", date(1999, 1, 1), False),
        ("On Bells", "cs.CL", date(2024, 5, 1), False),
        ("On Towers", "cs.CV", date(2024, 5, 1), False),
        ("On Ropes", "eess.SY", date(2024, 5, 1), False),
    ]
    profile = tables["profiles"].row(0, named=True)
    assert (profile["name"], profile["stated_papers"], profile["listed_papers"]) == ("Ann Bell", 4, 4)
    assert (profile["h_index"], profile["citations"], profile["field"]) == (None, None, None)


@pytest.mark.parametrize(
    "written",
    [
        "2405.00001v3",
        "arXiv:2405.00001",
        "arXiv: 2405.00001v1 [cs.CL]",
        "https://arxiv.org/abs/2405.00001",
        "http://export.arxiv.org/pdf/2405.00001v2.pdf",
        "https://doi.org/10.48550/arXiv.2405.00001",
        "\ufeff# Ann's papers\n\n  2405.00001,\n",
    ],
)
def test_an_identifier_is_known_in_every_form(made: Made, written: str) -> None:
    result, path = made(written)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [block.title for block in parsed(path.read_text(encoding="utf-8")).blocks] == ["On Bells"]


@pytest.mark.parametrize("written", ["hep-th/9901001", "HEP-TH/9901001v2", "https://arxiv.org/abs/hep-th/9901001"])
def test_an_identifier_of_old_style_is_known(made: Made, written: str) -> None:
    _, path = made(written)
    assert [block.badge for block in parsed(path.read_text(encoding="utf-8")).blocks] == ["hep-thJan 1, 1999"]


def test_what_is_not_found_is_told(made: Made) -> None:
    result, path = made("2405.00001\nOn Clocks\n2405.00099, 2405.00098\n10.1234/5678.91011\n")
    assert result.exit_code == 0
    assert result.stdout == f"{path}: 1 paper\n"
    assert result.stderr.splitlines() == [
        "2 lines without an arXiv identifier, the first is line 2: On Clocks",
        "2 identifiers not in the reference: 2405.00099, 2405.00098",
    ]


def test_a_record_that_a_page_cannot_show_is_left_out_and_told(made: Made) -> None:
    odd = (
        record("2405.00011", "CLMay 1, 2024"),
        record("2405.00012", "On Clocks", categories="no.XX"),
        record("2405.00013", "On Clocks", authors_parsed=[["ann@bell.org", "", ""], ["Bell", "Ann", ""]]),
    )
    result, path = made(f"{ALL}\n2405.00011 2405.00012 2405.00013", records=(*RECORDS, *odd))
    assert result.stdout == f"{path}: 4 papers\n"
    assert "3 papers left out: " in result.stderr
    assert "2405.00012 (it has no category of arXiv's taxonomy)" in result.stderr
    assert "2405.00013 (its authors would read otherwise)" in result.stderr


def test_damaged_records_are_told(made: Made) -> None:
    result, _ = made("2405.00001\n2405.00005", records=(*RECORDS, record("2405.00005", versions=[])))
    assert "1 damaged record skipped, the first is arxiv.jsonl, line 5: found no version" in result.stderr


@pytest.mark.parametrize(("name", "papers"), [("Ann Bell", 3), ("ANN BELL", 3), ("Eve Fox Jr.", 1), ("Gus  Hill", 2)])
def test_papers_by_a_name_are_on_a_page_without_an_owner(made: Made, tmp_path: Path, name: str, papers: int) -> None:
    result, _ = made(None, "--author", name)
    assert result.exit_code == 0
    (path,) = (tmp_path / "made").iterdir()
    page = parsed(path.read_text(encoding="utf-8"))
    assert "name" not in page.header.values
    assert len(page.blocks) == papers


def test_another_spelling_is_not_the_name(made: Made) -> None:
    result, path = made(None, "--author", "A. Bell")
    assert (result.exit_code, path.parent.exists()) == (2, False)
    assert result.stderr.startswith("paperledger: arxiv.jsonl: found no paper by A. Bell; check the spelling")


def test_another_file_is_replaced_only_on_request(made: Made) -> None:
    _, path = made(ALL)
    before = path.read_bytes()
    assert made(ALL)[0].exit_code == 0
    result, _ = made("2405.00001")
    assert (result.exit_code, path.read_bytes()) == (2, before)
    assert "another file of this name exists; give --replace, or another --out" in result.stderr
    assert made("2405.00001", "--replace")[0].exit_code == 0
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("ids", "options", "problem"),
    [
        ("", (), "empty file, expected arXiv identifiers"),
        ("On Bells\n", (), "line 1: found On Bells, expected arXiv identifiers"),
        ("2405.00099", (), "found none of the 1 identifier of ids.txt"),
        (None, (), "expected either --ids FILE with --owner NAME, or --author NAME"),
        (None, ("--owner", "Ann Bell"), "expected either --ids FILE with --owner NAME, or --author NAME"),
        (ALL, ("--author", "Ann Bell"), "expected either --ids FILE with --owner NAME, or --author NAME"),
        (None, ("--author", " "), "found an empty name"),
        (ALL, ("--owner", "17 Papers"), "17 Papers: expected a person's name"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_one_line(
    made: Made, ids: str | None, options: tuple[str, ...], problem: str
) -> None:
    result, path = made(ids, *options)
    assert (result.exit_code, path.parent.exists()) == (2, False)
    (line,) = result.stderr.splitlines()
    assert problem in line


def test_a_file_of_identifiers_that_is_no_text_is_one_line(made: Made, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"2405.00001 \xe9")
    for name, problem in (
        ("latin.txt", "byte 11: found no UTF-8"),
        ("none.txt", "none.txt: cannot be read (No such file or directory); give a file with an arXiv identifier"),
    ):
        result, _ = made(None, "--ids", str(tmp_path / name), "--owner", "Ann Bell")
        assert result.exit_code == 2
        assert problem in result.stderr


def test_where_no_page_can_show_any_paper_the_reason_is_told(made: Made) -> None:
    result, _ = made("2405.00011", records=(record("2405.00011", "CLMay 1, 2024"),))
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert "found no paper that a page can show" in first
    assert "left out 2405.00011, since its title" in second
