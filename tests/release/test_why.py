"""Every row of every table leads to the lines it came from, the joins that made it and the rules that looked at it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from etl.errors import BrokenTables, UsageError
from etl.load.layout import DATABASE_FILE
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.lineage import Reasons, tilde_key
from etl.release.why import render_text, why
from schemas import TABLES

ANN = """Ann Bell

CL
h-index87
3papers
9citations

3 Papers

CVMar 14, 2025Code
On Bells

Ann Bell, Cy Dole et al. · mila, Tower Lab

Bells ring in the tower of the town. See https://github.com/a/b and http://x.org/.

Advertisement
of a tower

CLApr 2
Naïve Chimes

Ève Fox, C. Dole, Ann B. Bell

"They" chime, 'softly', at the end of the
"""
EVE = """Eve Fox

CVMar 14, 2025
On Bells!

Ann Bell, Cy Dole, Eve Fox

Bells rang.

CLMay 1, 2024
On Ropes

Cy Dole et al.

Ropes hold the bells that ring the hours, \x1b[31m[/foo] and \u202enone falls.
"""
OVERRIDES = 'same = [["Cy Dole", "C. Dole"]]\n'


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of two pages and an overrides file, which fill every table."""
    folder = tmp_path_factory.mktemp("why")
    pages = folder / "pages"
    pages.mkdir()
    (pages / "ann@2026-06-01.txt").write_text(ANN, encoding="utf-8")
    (pages / "eve.txt").write_text(EVE, encoding="utf-8")
    (pages / "al.txt").write_text(
        "A. Bell\n\nCLMay 9, 2024\nOn Clappers\n\nA. Bell\n\nClappers clap in a bell.\n\n"
        "CLMay 10, 2024\nOn Clappers\n\nA. Bell\n\nClappers clap again.",
        encoding="utf-8",
    )
    (folder / "overrides.toml").write_text(OVERRIDES, encoding="utf-8")
    request = Request([str(pages)], folder / "build", overrides=folder / "overrides.toml")
    return build(request, Progress(Console(quiet=True))).release.path


@pytest.fixture
def database(release: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{(release / DATABASE_FILE).as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def keys(database: sqlite3.Connection, table: str, condition: str = "TRUE") -> list[tuple[str, str]]:
    """The rows' keys, escaped and plain."""
    columns = TABLES[table].definition().primary_key
    rows = database.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}").fetchall()  # noqa: S608
    plain = [dict(zip(columns, row, strict=True)) for row in rows]
    return [(tilde_key(row, columns), ",".join(map(str, row.values()))) for row in plain]


def key(database: sqlite3.Connection, table: str, condition: str) -> str:
    return keys(database, table, condition)[0][0]


def shown(reasons: Reasons) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(render_text(reasons))
    return capture.get()


def raw(reasons: Reasons) -> list[str]:
    return [line for place in reasons.spans for line in place.lines]


def words(reasons: Reasons, table: str) -> list[str]:
    return [join.words for join in reasons.related if join.table == table]


@pytest.mark.parametrize("table", TABLES)
def test_every_row_leads_to_lines_of_a_page(database: sqlite3.Connection, table: str) -> None:
    pages = {"ann@2026-06-01.txt": ANN.split("\n"), "eve.txt": EVE.split("\n")}
    found = keys(database, table)
    assert found or table == "paper_identifiers"
    for escaped, plain in found:
        reasons = why(database, table, escaped)
        assert reasons.key == escaped
        assert why(database, table, plain) == reasons
        assert reasons.spans or table == "rules"
        for place in reasons.spans:
            if place.source in pages:
                assert list(place.lines) == pages[place.source][place.line_start - 1 : place.line_end]
        assert escaped in shown(reasons).partition("\n")[0]


@pytest.mark.parametrize("table", TABLES)
def test_every_row_that_a_join_names_can_be_asked_about(database: sqlite3.Connection, table: str) -> None:
    for escaped, _ in keys(database, table):
        for join in why(database, table, escaped).related:
            if join.key:
                assert why(database, join.table, join.key).key == join.key


def test_a_paper_tells_its_winner_and_the_listings_merged_into_it(database: sqlite3.Connection) -> None:
    reasons = why(database, "papers", key(database, "papers", "title = 'On Bells'"))
    assert [place.source for place in reasons.spans] == ["ann@2026-06-01.txt", "eve.txt"]
    assert "the page saved last" in reasons.spans[0].words
    assert "merged into" in reasons.spans[1].words
    assert raw(reasons)[0] == "CVMar 14, 2025Code"
    assert "this listing's title is On Bells!" in words(reasons, "variants")
    assert any("category by" in told and "year is printed" in told for told in words(reasons, "listings"))
    assert {join.table for join in reasons.related} >= {"paper_authors", "paper_institutions", "links", "variants"}


def test_a_paper_without_a_printed_year_tells_where_the_year_is_from(database: sqlite3.Connection) -> None:
    reasons = why(database, "papers", key(database, "papers", "year_inferred"))
    assert any("no year is printed; the page was saved on 2026-06-01" in told for told in words(reasons, "listings"))


def test_a_rule_that_the_row_breaks_stands_first(database: sqlite3.Connection) -> None:
    reasons = why(database, "papers", key(database, "papers", "title = 'Naïve Chimes'"))
    assert reasons.rules[0].rule_id == "PAP-002"
    assert reasons.rules[0].words == "broken"
    assert "in the middle of a sentence" in reasons.rules[0].messages[0]
    assert {look.words for look in reasons.rules if look.rule_id == "PAP-001"} == {"holds"}


def test_a_rule_that_only_counts_says_so(database: sqlite3.Connection) -> None:
    (look,) = [
        look for look in why(database, "papers", key(database, "papers", "TRUE")).rules if look.rule_id == "PAP-003"
    ]
    assert look.words.startswith("only counted: 1 of ")


def test_a_spelling_tells_what_joined_it(database: sqlite3.Connection) -> None:
    override = why(database, "author_names", "C. Dole")
    assert any("(override)" in told and "overrides.toml" in told for told in words(override, "author_names"))
    folded = why(database, "author_names", "Eve Fox")
    assert next(place.lines for place in folded.spans) == ("Eve Fox",)
    assert all("Ève" not in line for line in raw(folded))


def test_an_author_stands_under_all_spellings(database: sqlite3.Connection) -> None:
    author = key(database, "authors", "name LIKE '%Fox'")
    reasons = why(database, "authors", author)
    assert any("Ève Fox, place 1" in place.words for place in reasons.spans)
    assert any("the page's owner" in place.words for place in reasons.spans)
    assert len(words(reasons, "author_names")) == 2
    assert words(reasons, "profiles") == ["eve.txt, a page that the person owns"]


def test_an_owner_behind_et_al_leads_to_the_head_of_the_page(database: sqlite3.Connection) -> None:
    reasons = why(database, "paper_authors", key(database, "paper_authors", "position IS NULL"))
    assert raw(reasons) == ["Eve Fox"]
    assert reasons.spans[0].line_start == 1


def test_a_pair_that_was_not_joined_tells_why(database: sqlite3.Connection) -> None:
    pair = key(database, "merge_candidates", "matched_by = 'initial'")
    reasons = why(database, "merge_candidates", pair)
    assert "an overrides file decides" in words(reasons, "merge_candidates")[0]
    assert {place.source for place in reasons.spans} >= {"al.txt", "ann@2026-06-01.txt"}


def test_quarantine_tells_its_rules_and_its_lines(database: sqlite3.Connection) -> None:
    reasons = why(database, "quarantine", key(database, "quarantine", "TRUE"))
    assert raw(reasons) == ["Advertisement", "of a tower"]
    assert [join.key for join in reasons.related if join.table == "rules"] == ["PAG-004"]
    assert [look.rule_id for look in reasons.rules if look.messages] == ["PAG-004"]


def test_a_finding_leads_to_its_row_and_its_line(database: sqlite3.Connection) -> None:
    reasons = why(database, "findings", key(database, "findings", "rule_id = 'PRO-001'"))
    assert raw(reasons) == ["h-index87"]
    assert {join.table for join in reasons.related} == {"rules", "profiles"}


def test_a_rule_leads_to_all_that_breaks_it(database: sqlite3.Connection) -> None:
    reasons = why(database, "rules", "PAP-002")
    assert raw(reasons) == ["\"They\" chime, 'softly', at the end of the"]
    assert "only counted" in words(why(database, "rules", "PAP-003"), "papers")[0]


def test_a_variant_leads_to_the_line_that_says_it(database: sqlite3.Connection) -> None:
    said = {
        "title": "On Bells!",
        "byline": "Ann Bell, Cy Dole, Eve Fox",
        "abstract": "Bells rang.",
    }
    for field, line in said.items():
        assert raw(why(database, "variants", key(database, "variants", f"field = '{field}'"))) == [line]


def test_a_link_may_be_given_plain_or_escaped(database: sqlite3.Connection) -> None:
    paper = key(database, "papers", "title = 'On Bells'")
    reasons = why(database, "links", f"{paper},https://github.com/a/b")
    assert reasons == why(database, "links", f"{paper},https~3A~2F~2Fgithub~2Ecom~2Fa~2Fb")
    assert raw(reasons)[0].startswith("Bells ring in the tower")


def test_a_paper_has_its_citation_key_and_a_page_its_source_as_keys_too(database: sqlite3.Connection) -> None:
    citekey, paper = database.execute("SELECT citekey, paper_id FROM papers WHERE title = 'On Bells'").fetchone()
    assert why(database, "papers", citekey) == why(database, "papers", paper)
    page = key(database, "profiles", "source = 'eve.txt'")
    assert why(database, "profiles", "eve.txt") == why(database, "profiles", page)


def test_a_category_tells_its_badges_and_fields(database: sqlite3.Connection) -> None:
    reasons = why(database, "categories", "cs.CL")
    assert raw(reasons)[0] == "CL"
    assert {"CLApr 2", "CLMay 1, 2024"} <= set(raw(reasons))


def test_an_institution_leads_to_the_bylines_with_its_tag(database: sqlite3.Connection) -> None:
    assert raw(why(database, "institutions", "mila")) == ["Ann Bell, Cy Dole et al. · mila, Tower Lab"]


def test_no_terminal_obeys_what_a_page_says(database: sqlite3.Connection) -> None:
    text = shown(why(database, "papers", key(database, "papers", "title = 'On Ropes'")))
    assert "\\x1b[31m[/foo] and U+202Enone falls" in text
    assert "\x1b[31m" not in text


@pytest.mark.parametrize(
    ("table", "wanted", "said"),
    [
        ("paper", "x", "paper: no such table; expected one of author_names, authors,"),
        ("authors", "ann-bel", "perhaps ann-b-bell"),
        ("author_names", "eve fox", "perhaps Eve+Fox"),
        ("categories", "cs.CX", "perhaps cs~2E"),
        ("listings", "x,y", " serve shows the table listings"),
        ("papers", "", "no such row in papers"),
        ("papers", "a,b\x00\x1b[0m", "a,b\\x00\\x1b[0m: no such row"),
        ("listings", "9" * 400, "no such row in listings"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    database: sqlite3.Connection, table: str, wanted: str, said: str
) -> None:
    with pytest.raises(UsageError) as error:
        why(database, table, wanted)
    assert said in str(error.value)
    assert str(error.value).isprintable()


def test_a_page_that_does_not_rebuild_is_an_error(database: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(":memory:")) as damaged:
        database.backup(damaged)
        damaged.execute("UPDATE papers SET title = 'On Nothing' WHERE title = 'On Bells'")
        with pytest.raises(BrokenTables, match="the rebuilt page is not the page that was read"):
            why(damaged, "papers", keys(damaged, "papers", "title = 'On Nothing'")[0][0])


def test_long_answers_are_cut_and_say_so(database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.release.why.MOST_SPANS", 2)
    monkeypatch.setattr("etl.release.why.SHOWN_SPANS", 1)
    reasons = why(database, "authors", "ann-b-bell")
    assert (len(reasons.spans), reasons.more_spans) == (2, True)
    assert "and at least 1 more place" in shown(reasons)
