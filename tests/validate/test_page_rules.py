"""Rules about pages: what is missing, damaged, doubled or dated wrongly is told once, with the line and what to do."""

from datetime import date
from pathlib import Path

import pytest
from helpers import tables_of

from etl.extract.page import Page, parse_page
from etl.extract.reading import read_or_error
from etl.extract.sources import find_pages
from etl.resolve.overrides import Overrides
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.staging import combine, stage
from schemas import Frames

BLOCK = "\n\nCLMay {0}, 2024\nOn Bells {0}\n\nAnn Bell, Cy Dole et al.\n\nThey ring {0} times at every full hour."
BROKEN = "\n\nCLMay {0}, 2024\nOn Ropes {0}\n\nThey hang {0} feet at every full hour."


def page(good: int, broken: int = 0, stated: int | None = None, head: str = "Ann Bell\n\nCL\nh-index1\n") -> str:
    blocks = [BLOCK.format(number) for number in range(1, good + 1)]
    blocks += [BROKEN.format(number) for number in range(1, broken + 1)]
    count = good + broken if stated is None else stated
    return f"{head}{count}papers\n9citations\n\n{count} Papers{''.join(blocks)}\n"


def findings(tables: Frames, rule_id: str) -> list[tuple[str | None, int | None, str]]:
    found = tables["findings"].filter(rule_id=rule_id).sort("source", "line_start")
    return list(found.select("source", "line_start", "message").iter_rows())


def counted(tables: Frames, rule_id: str) -> tuple[int, str]:
    rule = tables["rules"].filter(rule_id=rule_id)
    return rule["failed"].item(), rule["status"].item()


def files_of(folder: Path, files: dict[str, str], observed_on: date | None = None) -> Frames:
    """The tables of pages in files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    read = [read_or_error(file, observed_on) for file in find_pages([str(folder)])]
    staged = combine([stage([parse_page(one)]) for one in read if isinstance(one, Page)])
    decided = Overrides()
    return validate(
        resolve(staged.profiles, settle(list_papers(staged.profiles, staged.blocks, decided), decided), decided),
        staged,
        decided,
    )


def test_the_sites_limit_is_only_counted() -> None:
    tables = tables_of(page(50, stated=76))
    assert (findings(tables, "PAG-006"), counted(tables, "PAG-015")) == ([], (1, "noted"))


def test_fewer_papers_than_the_site_shows_is_told() -> None:
    tables = tables_of(page(20, stated=76))
    ((source, line, message),) = findings(tables, "PAG-006")
    assert (source, line) == ("p0.txt", 5)
    assert (
        message
        == "the page lists 20 of 76 papers, fewer than the 50 that the site shows; save it again once all have loaded"
    )


def test_papers_in_quarantine_are_not_missing_from_the_page() -> None:
    assert findings(tables_of(page(8, broken=2)), "PAG-006") == []


def test_a_page_of_which_half_is_damaged_is_told_once() -> None:
    tables = tables_of(page(6, broken=8))
    ((_, line, message),) = findings(tables, "PAG-009")
    assert line == 52
    assert message.startswith("8 of about 14 papers of this page could not be read; ")
    assert len(tables["findings"]) == 2
    assert findings(tables_of(page(6, broken=2)), "PAG-009") == []


def test_unknown_lines_of_a_header_are_told_once() -> None:
    tables = tables_of("Home\nPapers\nSign in to follow.\n" + page(2))
    ((_, line, message),) = findings(tables, "PAG-005")
    assert (line, message.startswith("3 line(s) of the header are unknown, such as Home; Papers; Sign in")) == (1, True)
    assert tables["profiles"]["name"].to_list() == ["Ann Bell"]


def test_a_second_header_is_told_with_the_line_to_split_at() -> None:
    second = page(3, head="Gil Hart\n\nLG\nh-index2\n").replace("Bells", "Towers")
    tables = tables_of(page(2) + "\n" + second)
    ((_, line, message),) = findings(tables, "PAG-012")
    assert line == tables["quarantine"]["line_start"].item()
    assert message.startswith("another page begins on this line, with Gil Hart; one file holds one page")
    owners = tables["paper_authors"].filter(author_id="ann-bell")
    towers = tables["papers"].filter(tables["papers"]["title"].str.contains("Towers"))["paper_id"]
    assert owners.filter(owners["paper_id"].is_in(towers.implode()))["position"].null_count() == 0
    assert "Gil Hart" not in tables["authors"]["name"].to_list()


def test_a_page_that_was_pasted_twice_is_one_finding_that_asks_to_remove_the_copy() -> None:
    tables = tables_of(page(2) + "\n\n" + page(2))
    ((_, line, message),) = findings(tables, "PAG-012")
    assert line == tables["quarantine"]["line_start"].item()
    assert message.startswith("the page is here again, from this line on, with Ann Bell; remove this copy")
    assert findings(tables, "PAP-015") == []


def test_a_paper_of_two_pages_in_one_file_is_not_listed_twice_by_a_page() -> None:
    second = page(2, head="Gil Hart\n\nLG\nh-index2\n")
    tables = tables_of(page(2) + "\n" + second)
    assert (tables["papers"].height, tables["listings"].height) == (2, 4)
    assert findings(tables, "PAP-015") == []


def test_a_date_that_does_not_exist_is_told(tmp_path: Path) -> None:
    tables = files_of(tmp_path, {"pages-2026-07-02/ann@2026-02-30.txt": page(2)})
    ((source, _, message),) = findings(tables, "PAG-013")
    assert source == "pages-2026-07-02/ann@2026-02-30.txt"
    assert message.startswith(
        "found the date 2026-02-30 in the name of the file or its folder, expected a day that exists"
    )
    assert tables["profiles"]["observed_on"].to_list() == [date(2026, 7, 2)]


def test_a_page_given_twice_names_the_file_that_was_dropped(tmp_path: Path) -> None:
    tables = files_of(tmp_path, {"a.txt": page(2), "b/c.txt": page(2)})
    assert tables["profiles"]["source"].to_list() == ["a.txt"]
    ((source, _, message),) = findings(tables, "PAG-014")
    assert source == "b/c.txt"
    assert message == "b/c.txt has the same bytes as a.txt, so that it was not counted; remove one of the two files"


def test_the_same_bytes_saved_again_are_one_page_with_its_first_and_last_day(tmp_path: Path) -> None:
    days = ["2026-06-01", "2026-07-01", "2026-08-01"]
    tables = files_of(tmp_path, {f"ann@{day}.txt": page(2) for day in days})
    profile = tables["profiles"].row(0, named=True)
    assert (profile["observed_on"], profile["last_observed_on"]) == (date(2026, 6, 1), date(2026, 8, 1))
    assert findings(tables, "PAG-014") == []


def test_white_space_between_blocks_is_kept_and_only_counted() -> None:
    tables = tables_of(page(2).replace("\n\nCLMay 2", "\n \nCLMay 2"))
    assert tables["quarantine"]["rule_ids"].to_list() == ['["PAG-016"]']
    assert (counted(tables, "PAG-016"), tables["findings"].height) == ((1, "noted"), 0)


@pytest.mark.parametrize("text", ["<html></html>", "Dear Eve,\n\nthe bells ring.", "Ann Bell\n\n3 Papers"])
def test_a_page_without_a_paper_keeps_its_lines_and_is_told_by_one_finding(text: str) -> None:
    tables = tables_of(text)
    assert set(tables["findings"]["rule_id"]) == {"PAG-010"}
    kept = "\n".join(tables["quarantine"]["raw_text"])
    assert [line for line in text.split("\n") if line and line not in kept] == (
        [] if tables["quarantine"].height else ["Ann Bell", "3 Papers"]
    )


def test_blocks_in_another_order_say_so() -> None:
    tables = tables_of(
        page(3).replace("On Bells 2\n\nAnn Bell, Cy Dole et al.", "Ann Bell, Cy Dole et al.\n\nOn Bells 2")
    )
    assert tables["quarantine"]["rule_ids"].to_list() == ['["BLK-005"]']
    ((_, line, message),) = findings(tables, "BLK-005")
    assert (line, "are not in this order" in message) == (17, True)
