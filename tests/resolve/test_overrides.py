"""What an overrides file says always wins, and it is told where it cannot."""

from datetime import date
from pathlib import Path
from string import ascii_letters

import polars as pl
import pytest
from helpers import cpu_limit, tables_of
from invented import block, candidates, listed, page, people_of, who

from etl.report.results import summarize
from etl.resolve.authors import resolve_authors
from etl.resolve.overrides import Overrides, PersonOverride, read_overrides


def decided(same: tuple[tuple[str, ...], ...] = (), different: tuple[tuple[str, ...], ...] = ()) -> Overrides:
    return Overrides(same, different, "people.toml", "0" * 64)


@pytest.mark.parametrize(
    ("bylines", "name", "other"),
    [
        pytest.param(["A. Bell", "Ann Bell"], "A. Bell", "Ann Bell", id="an initial"),
        pytest.param(["Ann B. Bell", "Ann Bell"], "Ann B. Bell", "Ann Bell", id="no evidence"),
        pytest.param(["Ann B. Bell", "Eve Fox"], "Ann B. Bell", "Eve Fox", id="other names"),
        pytest.param(["Ann B. Bell, Ann Bell"], "Ann B. Bell", "Ann Bell", id="one byline"),
        pytest.param(["Ann B. Bell, Cy Dole", "Ann Bell, Cy Dole"], "Ann B. Bell", "Ann Bell", id="evidence too"),
    ],
)
def test_same_makes_one_author_of_any_spellings(bylines: list[str], name: str, other: str) -> None:
    people = people_of(*bylines, overrides=decided(same=((name, other),)))
    assert who(people)[name] == who(people)[other]
    assert candidates(people) == []
    rows = people.author_names.filter(matched_by="override")
    assert rows["evidence"].to_list() == ["people.toml says that they are the same"]


@pytest.mark.parametrize(
    ("name", "other"),
    [("Ann B. Bell", "Ann Bell"), ("ANN BELL", "Ann Bell"), ("Ann-Bell", "Ann Bell"), ("A. Bell", "Ann Bell")],
)
def test_different_parts_any_two_spellings_and_leaves_no_candidate(name: str, other: str) -> None:
    bylines = (f"{name}, Cy Dole", f"{other}, Cy Dole")
    people = people_of(*bylines, overrides=decided(different=((name, other),)))
    assert len({*who(people).values()}) == 3
    assert candidates(people) == []


def test_different_parts_two_spellings_through_a_third() -> None:
    bylines = [f"{name}, Cy Dole" for name in ("Ann Bell", "Ann B. Bell", "Ann Beth Bell")]
    people = people_of(*bylines, overrides=decided(different=(("Ann B. Bell", "Ann Beth Bell"),)))
    assert who(people)["Ann B. Bell"] != who(people)["Ann Beth Bell"]


def test_same_joins_whole_people() -> None:
    bylines = ("Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole", "ANNE BELL", "Anne Bell")
    people = people_of(*bylines, overrides=decided(same=(("Ann Bell", "Anne Bell"),)))
    assert {*who(people).values()} == {"ann-b-bell", "cy-dole"}


def test_same_does_not_keep_evidence_from_joining() -> None:
    bylines = ("Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole", "A. Bell")
    people = people_of(*bylines, overrides=decided(same=(("Ann Bell", "A. Bell"),)))
    assert {*who(people).values()} == {"ann-b-bell", "cy-dole"}


def test_same_joins_through_a_spelling_that_no_page_prints() -> None:
    same = (("Ann Bell", "Ann B. Bell"), ("Ann B. Bell", "A. Bell"))
    assert len({*who(people_of("Ann Bell", "A. Bell", overrides=decided(same=same))).values()}) == 1


def test_evidence_names_spellings_that_pages_print() -> None:
    same = (("Ann Bell", "A Bell"), ("Cy Dole", "C Dole"))
    people = people_of("Ann Bell, Cy Dole", "Ann B. Bell, Cy Dole", overrides=decided(same=same))
    evidence = people.author_names.filter(name="Ann Bell")["evidence"].to_list()
    assert evidence == ["Ann B. Bell and Ann Bell share the co-author Cy Dole"]


def test_same_wins_over_names_that_are_equal() -> None:
    given = decided(same=(("Ann Bell", "Ann B. Bell"),), different=(("ANN BELL", "Ann B. Bell"),))
    ids = who(people_of("ANN BELL", "Ann Bell", "Ann B. Bell", overrides=given))
    assert ids["Ann Bell"] == ids["Ann B. Bell"] != ids["ANN BELL"]


def test_a_join_that_the_file_asks_for_is_told_as_the_files() -> None:
    people = people_of("ANN BELL", "Ann Bell", overrides=decided(same=(("Ann Bell", "ANN BELL"),)))
    assert sorted(people.author_names["matched_by"]) == ["exact", "override"]


def test_same_skips_a_spelling_that_no_page_prints() -> None:
    same = (("Ann Bell", "Ann B. Bell", "A. Bell"),)
    assert len({*who(people_of("Ann Bell", "A. Bell", overrides=decided(same=same))).values()}) == 1


def test_equal_names_that_both_differ_from_a_third_are_one_author() -> None:
    different = (("ANN BELL", "Ann Bell"), ("ANN BELL", "ann bell"))
    ids = who(people_of("ANN BELL", "Ann Bell", "ann bell", overrides=decided(different=different)))
    assert ids["Ann Bell"] == ids["ann bell"] != ids["ANN BELL"]


def told(*bylines: str, given: Overrides) -> list[tuple[str, str, str]]:
    """What the build says of overrides: value, source and the problem."""
    blocks = (block(byline, title=f"On Bells {number}") for number, byline in enumerate(bylines))
    tables = tables_of(page("Ann Bell", *blocks), overrides=given)
    findings = tables["findings"].filter(pl.col("rule_id") == "AUT-005")
    return sorted((row["value"], row["source"], row["message"]) for row in findings.iter_rows(named=True))


def test_overrides_that_take_effect_are_not_told() -> None:
    given = decided(same=(("Ann Bell", "A. Bell"),), different=(("Ann Bell", "Ann B. Bell"),))
    assert told("Ann Bell", "A. Bell", "Ann B. Bell", given=given) == []


def test_spellings_that_no_page_prints_are_told() -> None:
    given = decided(same=(("Ann Bell", "Anne Bell"),), different=(("ann bell", "Ann Bell"),))
    problem = "the override of {} has no effect: no page prints this spelling; copy it from the table author_names"
    assert told("Ann Bell", given=given) == [
        (name, "people.toml", problem.format(name)) for name in ("Anne Bell", "ann bell")
    ]


def test_a_spelling_that_an_older_byline_prints_is_known() -> None:
    texts = [page("Ann Bell", block(byline)) for byline in ("Ann Bell, Cy Dole", "Ann Bell et al.")]
    given = decided(different=(("Ann Bell", "Cy Dole"),))
    tables = tables_of(*texts, observed_on=(date(2026, 1, 1), date(2026, 6, 1)), overrides=given)
    assert tables["findings"].filter(pl.col("rule_id") == "AUT-005").height == 0


def test_two_people_of_one_spelling_cannot_be_parted_by_different_and_that_is_told() -> None:
    problem = "the override of Ann Bell has no effect: a spelling cannot differ from itself; part two people of one spelling by [[person]] with papers"
    assert told("Ann Bell", given=decided(different=(("Ann Bell", "Ann Bell"),))) == [
        ("Ann Bell", "people.toml", problem)
    ]


FILE = """same = [["Ann Bell", "A. Bell"],
  ["Ann Bell",
   "Anne Bell"]]

[[person]]
name = "Wei Li"
as = "Wei Li (Tower Lab)"
papers = ["{wei}", "{other}",
  "nothing"]

[[paper]]
id = "nothing"
published = 2019-05-01
"""


def test_each_entry_of_a_file_that_cannot_be_carried_out_is_told_by_its_line(tmp_path: Path) -> None:
    text = page("Ann Bell", block("Ann Bell, Wei Li"), block("Ann Bell, A. Bell", title="On Ropes"))
    ids = dict(tables_of(text)["papers"].select("title", "paper_id").iter_rows())
    path = tmp_path / "people.toml"
    path.write_text(FILE.format(wei=ids["On Bells"], other=ids["On Ropes"]), encoding="utf-8")
    tables = tables_of(text, overrides=read_overrides(path))
    found = tables["findings"].filter(rule_id="AUT-005").sort("line_start", "value")
    assert set(found["source"]) == {"people.toml"}
    assert found["profile_id"].null_count() == found.height
    assert found.select("line_start", "line_end", "value").rows() == [
        (3, 3, "Anne Bell"),
        *sorted([(5, 5, ids["On Ropes"]), (5, 5, "nothing")]),
        (11, 11, "nothing"),
    ]
    assert summarize(tables).rule("AUT-005").failed == 4


def test_a_file_that_is_carried_out_whole_is_not_told(tmp_path: Path) -> None:
    text = page("Ann Bell", block("Ann Bell, Wei Li"), block("Ann Bell, Wei Li", title="On Ropes"))
    ids = tables_of(text)["papers"]["paper_id"].to_list()
    path = tmp_path / "people.toml"
    parted = f'[[person]]\nname = "Wei Li"\nas = "Wei Li (Tower Lab)"\npapers = ["{ids[0]}"]\n'
    corrected = f'[[paper]]\nid = "{ids[0]}"\ncategory_id = "math.CO"\n[[paper]]\nsame = ["{ids[0]}", "{ids[1]}"]\n'
    for content in (parted, corrected):
        path.write_text(content, encoding="utf-8")
        tables = tables_of(text, overrides=read_overrides(path))
        assert tables["findings"].filter(rule_id="AUT-005").height == 0


def test_thousands_of_entries_about_people_take_time_for_each_and_not_for_each_author() -> None:
    names = [f"Ann {first}{second} Bell" for first in ascii_letters for second in ascii_letters]
    persons = tuple(PersonOverride(name, line, given="Anna") for line, name in enumerate(names, start=1))
    with cpu_limit(4):
        people = resolve_authors(listed(), pl.Series(names), Overrides(persons=persons))
    assert set(people.authors["given"]) == {"Anna"}
