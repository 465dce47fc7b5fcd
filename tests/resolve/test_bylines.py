"""Who wrote a paper: the byline in its order, then the owners of all pages that list it; and where they work."""

from datetime import date

import polars as pl
import pytest
from helpers import rebuilt, tables_of
from invented import block, page, resolved_of

from etl.resolve.folding import digest
from schemas import Frames

OLD, NEW = date(2026, 1, 1), date(2026, 6, 1)


def written_by(tables: Frames) -> list[tuple[str, int | None, str]]:
    rows = (
        tables["paper_authors"].select("author_id", "position", "name").sort("position", "author_id", nulls_last=True)
    )
    return list(rows.iter_rows())


def told(tables: Frames, rule_id: str) -> list[tuple[str, int, str]]:
    findings = tables["findings"].filter(pl.col("rule_id") == rule_id)
    return sorted(findings.select("source", "line_start", "value").iter_rows())


def test_a_byline_keeps_its_order() -> None:
    assert written_by(resolved_of(page("Ann Bell", block("Eve Fox, Ann Bell, Cy Dole")))) == [
        ("eve-fox", 1, "Eve Fox"),
        ("ann-bell", 2, "Ann Bell"),
        ("cy-dole", 3, "Cy Dole"),
    ]


@pytest.mark.parametrize("byline", ["Cy Dole et al.", "Cy Dole"])
def test_an_owner_who_is_not_in_the_byline_is_an_author_at_an_unknown_position(byline: str) -> None:
    tables = resolved_of(page("Ann Bell", block(byline)))
    assert written_by(tables) == [("cy-dole", 1, "Cy Dole"), ("ann-bell", None, "Ann Bell")]
    assert tables["papers"]["listed_author_count"].to_list() == [1]


def test_an_owner_in_the_byline_keeps_the_place_and_the_spelling_there() -> None:
    tables = resolved_of(page("Ann Bell", block("Cy Dole, Ann B. Bell et al.")))
    assert written_by(tables) == [("cy-dole", 1, "Cy Dole"), ("ann-b-bell", 2, "Ann B. Bell")]
    assert tables["profiles"]["author_id"].to_list() == ["ann-b-bell"]


def test_the_owners_of_all_pages_are_authors() -> None:
    texts = [page(owner, block("Ida Karr et al.")) for owner in ("Ann Bell", "Eve Fox")]
    assert written_by(resolved_of(*texts, observed_on=(OLD, NEW))) == [
        ("ida-karr", 1, "Ida Karr"),
        ("ann-bell", None, "Ann Bell"),
        ("eve-fox", None, "Eve Fox"),
    ]


def test_an_owner_under_two_spellings_is_one_author() -> None:
    texts = [page(owner, block("Cy Dole et al.")) for owner in ("Inês Böll", "Ines Boll")]
    assert written_by(resolved_of(*texts)) == [("cy-dole", 1, "Cy Dole"), ("ines-boll", None, "Ines Boll")]


def test_a_page_without_an_owner_adds_nobody() -> None:
    tables = resolved_of(page("Ann Bell", block("Cy Dole et al.")).removeprefix("Ann Bell"))
    assert tables["profiles"].select("name", "author_id").rows() == [(None, None)]
    assert written_by(tables) == [("cy-dole", 1, "Cy Dole")]


def test_an_owner_who_misses_from_an_uncut_byline_is_told() -> None:
    cut, uncut, own = (
        block("Cy Dole et al."),
        block("Cy Dole, Eve Fox", title="On Ropes"),
        block("A, Ann Bell", title="X"),
    )
    assert told(tables_of(page("Ann Bell", cut, uncut, own)), "AUT-004") == [("p0.txt", 17, "Ann Bell")]


def test_an_owner_under_a_joined_spelling_does_not_miss() -> None:
    assert told(tables_of(page("Ann Bell", block("Ann B. Bell, Cy Dole"))), "AUT-004") == []


def test_each_page_whose_owner_misses_is_told() -> None:
    texts = [
        page(owner, block("Cy Dole", abstract=text)) for owner, text in (("Ann Bell", ""), ("Ann Bell", "They ring."))
    ]
    assert told(tables_of(*texts), "AUT-004") == [("p0.txt", 10, "Ann Bell"), ("p1.txt", 10, "Ann Bell")]


def test_an_owner_who_misses_from_an_older_uncut_byline_is_told() -> None:
    texts = [page("Ann Bell", block(byline)) for byline in ("Cy Dole", "C. Dole et al.")]
    assert told(tables_of(*texts, observed_on=(OLD, NEW)), "AUT-004") == [("p0.txt", 10, "Ann Bell")]


@pytest.mark.parametrize("again", ["Ann Bell", "ANN BELL"])
def test_a_name_that_stands_twice_keeps_its_first_position_and_is_told(again: str) -> None:
    text = page("Ann Bell", block(f"Ann Bell, {again}, Cy Dole"))
    tables = tables_of(text)
    assert written_by(tables) == [("ann-bell", 1, "Ann Bell"), ("cy-dole", 3, "Cy Dole")]
    assert tables["papers"]["listed_author_count"].to_list() == [2]
    assert told(tables, "AUT-003") == [("p0.txt", 10, "Ann Bell")]
    assert tables["variants"].select("field", "value").rows() == [("byline", f"Ann Bell, {again}, Cy Dole")]
    assert rebuilt(tables) == {"p0.txt": text.encode()}


LOST = [page("Ann Bell", block(byline)) for byline in ("Ann Bell, Cy Dole, Eve Fox", "Ann Bell et al.")]


def test_an_older_byline_that_names_each_person_once_is_not_told() -> None:
    assert told(tables_of(*LOST, observed_on=(OLD, NEW)), "AUT-003") == []


def test_who_stands_only_in_a_byline_that_lost_is_no_author_but_in_the_variants() -> None:
    tables = resolved_of(*LOST, observed_on=(OLD, NEW))
    assert tables["author_names"]["name"].to_list() == ["Ann Bell"]
    assert tables["variants"].select("field", "value").rows() == [("byline", "Ann Bell, Cy Dole, Eve Fox")]


def test_the_authors_of_a_paper_are_those_of_the_newest_byline() -> None:
    tables = resolved_of(*LOST, observed_on=(OLD, NEW))
    assert written_by(tables) == [("ann-bell", 1, "Ann Bell")]
    assert tables["papers"].select("authors_truncated", "listed_author_count").rows() == [(True, 1)]


def test_institutions_are_the_tags_of_the_newest_byline_each_once() -> None:
    tags = ("mila, Acme Labs, MILA", "old lab")
    texts = [
        page("Ann Bell", block(f"Ann Bell · {tag}", title=title)) for title in ("On Bells", "On Ropes") for tag in tags
    ]
    tables = resolved_of(*texts, observed_on=(NEW, OLD, OLD, NEW))
    assert tables["institutions"].rows() == [
        ("acme-labs", "Acme Labs"),
        ("mila", "MILA"),
        ("old-lab", "old lab"),
    ]
    titles = tables["papers"].select("paper_id", "title")
    tagged = tables["paper_institutions"].join(titles, on="paper_id").select("title", "institution_id")
    assert sorted(tagged.rows()) == [("On Bells", "acme-labs"), ("On Bells", "mila"), ("On Ropes", "old-lab")]


def test_institutions_of_another_script_are_told_apart() -> None:
    tables = resolved_of(page("Ann Bell", block("Ann Bell · 北大, 清华")))
    ids = {f"x-{digest(name, 8)}": name for name in ("北大", "清华")}
    assert dict(tables["institutions"].iter_rows()) == ids


@pytest.mark.parametrize("name", ["Team Works\x00=Ada Bell", "Tower\x00abc Team", "Team\x00Eve Fox"])
def test_no_name_of_a_page_stands_for_the_owner_of_another(name: str) -> None:
    mine = page("Ada Bell", block("Ada Bell, Cy Dole"))
    tables = resolved_of(mine, page("Eve Fox", block(f"{name}, Cy Dole", "CLMay 2, 2024", "On Ropes")))
    authors = dict(tables["author_names"].select("name", "author_id").iter_rows())
    assert authors["Ada Bell"] == "ada-bell"
    assert authors.get(name) not in {"ada-bell", "team-works"}
