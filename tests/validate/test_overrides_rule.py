"""Every entry of an overrides file that cannot be carried out is told with the file and its line."""

from datetime import date

import polars as pl
import pytest

from etl.extract.records import Reference
from etl.resolve.overrides import NameGroup, Overrides, PaperOverride, PersonOverride
from etl.resolve.reference import Completed
from etl.resolve.tables import Resolved
from etl.validate.rule_results import RuleContext
from etl.validate.rules.overrides import overrides_take_effect
from etl.validate.staging import stage
from schemas import TABLES, Frames

BELLS, ROPES = "bellsbellsbells2", "ropesropesropes2"
OLD_BELLS = "bellsbellsbells3"
UNPRINTED = "no page prints this spelling; copy it from the table author_names"
UNKNOWN = "there is no such paper; copy its id from the table papers"
NO_AUTHOR = "this paper has no author of that name; look at the table paper_authors"


def rows(table: str, *facts: dict[str, object]) -> pl.DataFrame:
    """Rows of a table of which only some columns matter."""
    schema = TABLES[table].definition().schema
    return pl.DataFrame([dict.fromkeys(schema) | fact for fact in facts], schema=schema)


@pytest.fixture(scope="module")
def tables() -> Frames:
    """Two papers: On Bells by Ann Bell (Wei Li owns the page), also under an older id; On Ropes by Cy Dole."""
    return {
        "papers": rows("papers", {"paper_id": BELLS}, {"paper_id": ROPES}),
        "profiles": rows("profiles", {"profile_id": "p", "name": "Wei Li"}, {"profile_id": "q", "name": None}),
        "listings": rows(
            "listings",
            {"profile_id": "p", "position": 1, "paper_id": BELLS, "alias_id": OLD_BELLS},
            {"profile_id": "q", "position": 1, "paper_id": ROPES},
        ),
        "author_names": rows(
            "author_names",
            *(
                {"name": name, "author_id": author}
                for name, author in [("Ann Bell", "b"), ("Ann Bell", "a"), ("Cy Dole", "c"), ("Wei Li", "w")]
            ),
        ),
        "paper_authors": rows(
            "paper_authors",
            {"paper_id": BELLS, "author_id": "a", "name": "Ann Bell", "source": "byline"},
            {"paper_id": ROPES, "author_id": "c", "name": "Cy Dole", "source": "byline"},
        ),
        "paper_identifiers": rows(
            "paper_identifiers",
            {"paper_id": BELLS, "scheme": "arxiv", "value": "2401.00001"},
            {"paper_id": ROPES, "scheme": "doi", "value": "10.1/ropes"},
        ),
    }


LISTINGS = pl.DataFrame({"paper_id": [BELLS, ROPES], "names": [["Ann Bell", "A. Bell"], ["Cy Dole"]]})


def context(tables: Frames, overrides: Overrides) -> RuleContext:
    """The tables with their two listings, as rules look at them."""
    return RuleContext(
        tables, Resolved(tables, LISTINGS, pl.DataFrame(), Reference(), Completed(LISTINGS)), stage([]), overrides
    )


def told(tables: Frames, overrides: Overrides) -> list[tuple[int | None, str, str]]:
    """Line, value and message of what cannot be carried out; each in the file, and of no page."""
    found = overrides_take_effect(context(tables, overrides)).failed
    assert found["line_start"].to_list() == found["line_end"].to_list()
    assert set(found["source"]) <= {overrides.source}
    assert found["profile_id"].null_count() == found.height
    return found.select("line_start", "value", "message").rows()


def decided(
    *groups: NameGroup, persons: tuple[PersonOverride, ...] = (), papers: tuple[PaperOverride, ...] = ()
) -> Overrides:
    return Overrides(source="people.toml", groups_read=groups, persons=persons, papers=papers)


def no_effect(what: str, problem: str) -> str:
    return f"the override of {what} has no effect: {problem}"


def test_spellings_that_no_page_prints_are_told_by_their_own_lines(tables: Frames) -> None:
    given = decided(
        NameGroup("same", ("Ann Bell", "Anne Bell"), (2, 3)),
        NameGroup("different", ("ann bell", "Cy Dole", "Anne Bell"), (7, 7, 8)),
    )
    assert told(tables, given) == [
        (3, "Anne Bell", no_effect("Anne Bell", UNPRINTED)),
        (7, "ann bell", no_effect("ann bell", UNPRINTED)),
        (8, "Anne Bell", no_effect("Anne Bell", UNPRINTED)),
    ]


def test_a_spelling_that_only_an_older_byline_prints_is_known(tables: Frames) -> None:
    assert told(tables, decided(NameGroup("same", ("Ann Bell", "A. Bell"), (1, 1)))) == []


def test_one_spelling_that_differs_from_itself_is_told_with_the_way_that_parts_it(tables: Frames) -> None:
    problem = "a spelling cannot differ from itself; part two people of one spelling by [[person]] with papers"
    given = decided(NameGroup("different", ("Ann Bell", "Cy Dole", "Ann Bell"), (1, 2, 3)))
    assert told(tables, given) == [(3, "Ann Bell", no_effect("Ann Bell", problem))]
    unprinted = decided(NameGroup("different", ("Eve Fox", "Eve Fox"), (4, 4)))
    assert told(tables, unprinted) == [(4, "Eve Fox", no_effect("Eve Fox", UNPRINTED))]


def test_one_spelling_that_is_the_same_as_itself_is_not_told(tables: Frames) -> None:
    assert told(tables, decided(NameGroup("same", ("Ann Bell", "Ann Bell"), (1, 1)))) == []


def test_overrides_of_no_file_are_told_without_a_line(tables: Frames) -> None:
    given = Overrides(same=(("Ann Bell", "Eve Fox"),), different=(("Eve Fox", "Cy Dole"),), source="people.toml")
    assert told(tables, given) == [(None, "Eve Fox", no_effect("Eve Fox", UNPRINTED))]


@pytest.mark.parametrize(
    ("name", "papers"),
    [
        pytest.param("Ann Bell", (), id="all papers"),
        pytest.param("Ann Bell", (BELLS,), id="by its id"),
        pytest.param("Ann Bell", (OLD_BELLS,), id="by the id that a listing had"),
        pytest.param("Ann Bell", ("2401.00001",), id="by arXiv's id"),
        pytest.param("A. Bell", (BELLS,), id="an older byline's spelling"),
        pytest.param("Wei Li", (BELLS,), id="a page's owner"),
        pytest.param("ANN BELL", (BELLS,), id="an equal spelling"),
        pytest.param("ANN BELL", (), id="an equal spelling of all papers"),
    ],
)
def test_a_person_whose_papers_are_there_is_not_told(tables: Frames, name: str, papers: tuple[str, ...]) -> None:
    assert told(tables, decided(persons=(PersonOverride(name, 3, "New Name", papers=papers),))) == []


def test_a_person_of_a_spelling_that_no_page_prints_is_told_once(tables: Frames) -> None:
    given = decided(persons=(PersonOverride("Eve Fox", 5, "E. Fox", papers=(BELLS, "nothing")),))
    assert told(tables, given) == [(5, "Eve Fox", no_effect("Eve Fox", UNPRINTED))]


@pytest.mark.parametrize(
    ("papers", "problems"),
    [
        pytest.param((ROPES,), [(ROPES, NO_AUTHOR)], id="another's paper"),
        pytest.param(("nothing", BELLS), [("nothing", UNKNOWN)], id="no paper"),
        pytest.param(("10.1/ropes",), [("10.1/ropes", UNKNOWN)], id="a doi"),
        pytest.param(
            ("nothing", ROPES, "nil"), [("nothing", UNKNOWN), (ROPES, NO_AUTHOR), ("nil", UNKNOWN)], id="each"
        ),
    ],
)
def test_papers_that_a_person_cannot_have_are_told(
    tables: Frames, papers: tuple[str, ...], problems: list[tuple[str, str]]
) -> None:
    given = decided(persons=(PersonOverride("Ann Bell", 9, "Ann Bell (Tower)", papers=papers),))
    assert told(tables, given) == [
        (9, paper, f"the override of Ann Bell has no effect on {paper}: {problem}") for paper, problem in problems
    ]


def test_one_paper_under_two_ids_that_goes_to_two_people_is_told(tables: Frames) -> None:
    persons = (
        PersonOverride("Ann Bell", 2, "Ann Bell (A)", papers=(BELLS,)),
        PersonOverride("Ann Bell", 6, "Ann Bell (B)", papers=(OLD_BELLS,)),
        PersonOverride("Ann Bell", 9, "Ann Bell (A)", papers=("2401.00001",)),
    )
    problem = "line 2 gives this paper to another person of that name; keep one of the two"
    message = f"the override of Ann Bell has no effect on {OLD_BELLS}: {problem}"
    assert told(tables, decided(persons=persons)) == [(6, OLD_BELLS, message)]


def test_one_paper_that_goes_to_two_people_of_equal_names_is_told(tables: Frames) -> None:
    persons = tuple(
        PersonOverride(name, line, name, papers=(BELLS,)) for line, name in enumerate(("Ann Bell", "ANN BELL"), 1)
    )
    assert [(line, value) for line, value, _ in told(tables, decided(persons=persons))] == [(2, BELLS)]


def test_papers_that_are_there_are_not_told(tables: Frames) -> None:
    papers = (
        PaperOverride(1, same=(BELLS, ROPES, OLD_BELLS, "2401.00001")),
        PaperOverride(4, paper_id=OLD_BELLS, published=date(2019, 5, 1)),
        PaperOverride(7, paper_id=BELLS, published=date(2019, 5, 1), category_id="math.CO"),
    )
    assert told(tables, decided(papers=papers)) == []


def test_papers_that_are_not_there_are_told(tables: Frames) -> None:
    papers = (
        PaperOverride(1, same=(BELLS, "nothing", "nil")),
        PaperOverride(4, paper_id="nought", published=date(2019, 5, 1), category_id="math.CO"),
    )
    assert told(tables, decided(papers=papers)) == [
        (line, paper, no_effect(f"the paper {paper}", UNKNOWN))
        for line, paper in [(1, "nothing"), (1, "nil"), (4, "nought")]
    ]


def test_one_paper_under_two_ids_that_is_corrected_in_two_ways_is_told(tables: Frames) -> None:
    papers = (
        PaperOverride(1, paper_id=BELLS, category_id="math.CO"),
        PaperOverride(4, paper_id=OLD_BELLS, category_id="cs.DM", published=date(2019, 5, 1)),
    )
    problem = "line 1 corrects category_id of this paper in another way; keep one of the two"
    assert told(tables, decided(papers=papers)) == [(4, OLD_BELLS, no_effect(f"the paper {OLD_BELLS}", problem))]


def test_tables_without_identifiers_are_enough(tables: Frames) -> None:
    fewer = {name: frame for name, frame in tables.items() if name != "paper_identifiers"}
    given = decided(papers=(PaperOverride(1, same=(BELLS, "2401.00001")),))
    assert [value for _, value, _ in told(fewer, given)] == ["2401.00001"]


def test_rows_have_the_key_of_an_authors_spelling(tables: Frames) -> None:
    given = decided(
        NameGroup("different", ("Ann Bell", "Ann Bell"), (1, 1)), NameGroup("same", ("Cy Dole", "Eve Fox"), (2, 2))
    )
    keys = overrides_take_effect(context(tables, given)).failed["row_key"].to_list()
    assert keys == ["Ann+Bell,a", "Eve+Fox,"]


def test_it_is_counted_what_the_entries_name(tables: Frames) -> None:
    given = decided(
        NameGroup("same", ("Ann Bell", "A. Bell", "Cy Dole"), (1, 1, 1)),
        persons=(PersonOverride("Ann Bell", 3, "A", papers=(BELLS, ROPES)), PersonOverride("Cy Dole", 4, "C")),
        papers=(PaperOverride(5, same=(BELLS, ROPES)), PaperOverride(6, paper_id=BELLS, category_id="cs.DM")),
    )
    assert overrides_take_effect(context(tables, given)).checked == 3 + 3 + 1 + 2 + 1


def test_without_overrides_nothing_is_looked_at(tables: Frames) -> None:
    result = overrides_take_effect(context(tables, Overrides()))
    assert (result.checked, result.failed.height) == (0, 0)
