"""Listings become one paper by title, first author and day, and what the paper does not say for one is kept."""

import re
from datetime import date

import polars as pl
import pytest
from helpers import parsed, rebuilt, tables_of
from invented import block, page, resolved_of

from etl.resolve.papers import paper_id, work_key
from schemas import Frames
from schemas.limits import PAPER_ID

OLD, NEW = date(2026, 1, 1), date(2026, 6, 1)


def variants(tables: Frames) -> list[tuple[str, int, str, str]]:
    """What listings say that their paper does not, by page."""
    sources = tables["profiles"].select("profile_id", "source")
    joined = tables["variants"].join(sources, on="profile_id")
    return sorted(joined.select("source", "position", "field", "value").iter_rows())


def rules(tables: Frames) -> list[str]:
    return sorted(set(tables["findings"]["rule_id"]))


BASE = block("Ann Bell, Cy Dole", "CLMay 1, 2024", "On Bells: a study")
SAME_PAPER = [
    pytest.param(BASE.replace(", 2024", ""), id="year left out"),
    pytest.param(BASE.replace("On Bells: a study", "ON BELLS -- A Study."), id="punctuation and case"),
    pytest.param(BASE.replace("Bells", "Be\u0301lls"), id="diacritics"),
    pytest.param(BASE.replace("Ann Bell", "A. B. Béll"), id="first author's given names"),
    pytest.param(BASE.replace("Cy Dole", "Eve Fox et al. · mila"), id="rest of the byline"),
    pytest.param(BASE.replace("CLMay", "LGMay").replace("2024", "2024Code"), id="code and flags"),
    pytest.param(BASE.replace("They ring.", "They rang."), id="abstract"),
]
OTHER_PAPER = [
    pytest.param(BASE.replace("2024", "2023"), id="another printed year"),
    pytest.param(BASE.replace("Ann Bell", "Eve Bell"), id="first author's initial"),
    pytest.param(BASE.replace("Ann Bell", "Ann Fox"), id="first author"),
    pytest.param(BASE.replace("Ann Bell, Cy Dole", "Cy Dole, Ann Bell"), id="order of authors"),
    pytest.param(BASE.replace("a study", "two studies"), id="title"),
    pytest.param(BASE.replace("On Bells", "OnBells"), id="a space in the title"),
    pytest.param(BASE.replace("May 1", "May 2"), id="day"),
    pytest.param(BASE.replace("May 1", "Jun 1"), id="month"),
    pytest.param(BASE.replace("On Bells: a study", "钟声"), id="title in another script"),
]


@pytest.mark.parametrize("other", SAME_PAPER)
def test_listings_that_differ_in_this_are_one_paper(other: str) -> None:
    forth, back = resolved_of(page("Ann Bell", BASE, other)), resolved_of(page("Ann Bell", other, BASE))
    assert forth["listings"]["paper_id"].n_unique() == 1
    assert forth["papers"]["paper_id"].to_list() == back["papers"]["paper_id"].to_list()


@pytest.mark.parametrize("other", OTHER_PAPER)
def test_listings_that_differ_in_this_are_two_papers(other: str) -> None:
    assert resolved_of(page("Ann Bell", BASE, other))["papers"].height == 2


@pytest.mark.parametrize("badge", ["CLMay 2, 2024", "CLJun 1, 2024", "CLMay 2"])
def test_the_same_title_and_first_author_on_another_day_is_told(badge: str) -> None:
    tables = tables_of(page("Ann Bell", BASE, BASE.replace("CLMay 1, 2024", badge)))
    told = tables["findings"].filter(pl.col("rule_id") == "PAP-008")
    assert told["row_key"].to_list() == [",".join(tables["papers"]["paper_id"])]
    assert tables["paper_candidates"]["matched_by"].to_list() == ["other_date"]


def test_titles_without_letters_are_told_apart_by_their_signs() -> None:
    assert work_key("???", "Ann Bell") != work_key("!!!", "Ann Bell")
    assert work_key("On Bells", "?") != work_key("On Bells", "!")


def test_a_papers_identity_does_not_change_between_releases() -> None:
    identity = paper_id(work_key("钟声 und Glocken", "李伟"), 2, 29)
    assert identity == "kf3btv6fzdxaku6s"
    assert re.match(PAPER_ID, identity)


def test_the_merged_row_comes_from_the_newest_page() -> None:
    old = page("Ann Bell", block("Ann Bell, Cy Dole", title="On bells", abstract="They ring and ring."))
    new = page("Ann Bell", block("Ann Bell et al. · mila", "CLMay 1, 2024Code", "On Bells", "They ring."))
    for pages, dates in (((old, new), (OLD, NEW)), ((new, old), (NEW, OLD)), ((new, old), (NEW, None))):
        tables = resolved_of(*pages, observed_on=dates)
        shown = tables["papers"].select("title", "abstract", "authors_truncated", "has_code", "listed_author_count")
        assert shown.rows() == [("On Bells", "They ring.", True, True, 1)]
        assert tables["institutions"]["name"].to_list() == ["mila"]


def test_of_pages_of_one_day_the_longest_abstract_counts() -> None:
    texts = [page("Ann Bell", block("Ann Bell", abstract=text)) for text in ("They ring.", "They ring!!", "They.")]
    for day in (None, OLD):
        assert resolved_of(*texts, observed_on=[day] * 3)["papers"]["abstract"].to_list() == ["They ring!!"]


def test_an_abstracts_length_is_counted_in_letters() -> None:
    texts = [page("Ann Bell", block("Ann Bell", abstract=text)) for text in ("éééé.", "eeeeee.")]
    assert resolved_of(*texts)["papers"]["abstract"].to_list() == ["eeeeee."]


def test_of_equal_pages_the_smallest_identifier_counts() -> None:
    texts = [page("Ann Bell", block("Ann Bell", title=title)) for title in ("On Bells", "On bells", "ON Bells")]
    smallest = min(texts, key=lambda text: parsed(text).page.profile_id)
    assert resolved_of(*texts)["papers"]["title"].to_list() == [parsed(smallest).blocks[0].title]


def test_of_two_listings_on_one_page_the_first_counts() -> None:
    tables = resolved_of(page("Ann Bell", block("Ann Bell", title="On bells"), block("Ann Bell", title="On Bells")))
    assert tables["papers"]["title"].to_list() == ["On bells"]
    assert variants(tables) == [("p0.txt", 2, "title", "On Bells")]


def test_the_same_page_twice_is_one_profile() -> None:
    tables = resolved_of(page("Ann Bell", BASE), page("Ann Bell", BASE), observed_on=(NEW, OLD))
    assert tables["profiles"].select("source", "observed_on", "listed_papers").rows() == [("p0.txt", OLD, 1)]
    assert tables["listings"].height == 1


@pytest.mark.parametrize(
    ("old", "new", "published", "inferred"),
    [
        pytest.param("CLMay 1, 2024", "CLMay 1", date(2024, 5, 1), False, id="printed before inferred"),
        pytest.param("CLMay 1", "CLMay 1", date(2026, 5, 1), True, id="the newest of inferred years"),
    ],
)
def test_a_printed_year_beats_an_inferred_one(old: str, new: str, published: date, *, inferred: bool) -> None:
    texts = [page("Ann Bell", block("Ann Bell", badge)) for badge in (old, new + "Code")]
    tables = resolved_of(*texts, observed_on=(OLD, NEW))
    assert tables["papers"].select("published", "year_inferred").rows() == [(published, inferred)]


def test_any_year_beats_none() -> None:
    open_, dated = (
        page("Ann Bell", block("Ann Bell", "CLMay 1", abstract="Long.")),
        page("Cy Dole", block("Ann Bell", "CLMay 1")),
    )
    tables = resolved_of(open_, dated, observed_on=(None, OLD))
    assert tables["papers"].select("published", "year_inferred").rows() == [(date(2025, 5, 1), True)]


def test_printed_years_that_differ_are_two_papers_under_one_other_identifier() -> None:
    texts = [page("Ann Bell", block("Ann Bell", f"CLMay 1, {year}")) for year in (2023, 2024)]
    undated = page("Cy Dole", block("Ann Bell, Cy Dole", "CLMay 1"))
    tables = tables_of(*texts, undated, observed_on=(OLD, NEW, date(2024, 9, 1)))
    assert tables["papers"]["published"].sort().to_list() == [date(2023, 5, 1), date(2024, 5, 1)]
    (alias,) = tables["listings"]["alias_id"].unique().to_list()
    assert alias == paper_id(work_key("On Bells", "Ann Bell"), 5, 1)
    assert tables["listings"].group_by("paper_id").len()["len"].sort().to_list() == [1, 2]
    assert [row["matched_by"] for row in tables["paper_candidates"].iter_rows(named=True)] == ["other_date"]


def test_an_inferred_year_that_disagrees_is_no_variant() -> None:
    texts = [page("Ann Bell", block("Ann Bell", badge)) for badge in ("CLMay 1, 2024", "CLMay 1")]
    tables = tables_of(*texts, observed_on=(OLD, NEW))
    assert variants(tables) == []
    assert "PAP-008" not in rules(tables)


def test_the_best_resolved_category_counts_and_the_other_is_a_variant() -> None:
    sure = page("Ann Bell", block("Ann Bell", "CLMay 1, 2024"))
    other = page("Cy Dole", block("Ann Bell, Cy Dole", "SYMay 1, 2024"))
    tables = resolved_of(sure, other, observed_on=(OLD, NEW))
    assert tables["papers"]["category_id"].to_list() == ["cs.CL"]
    assert variants(tables)[-1] == ("p1.txt", 1, "category_id", "eess.SY")


def test_any_category_beats_none_and_none_is_no_variant() -> None:
    by_page = page("Ann Bell", block("Ann Bell", "STMay 1, 2024"), block("Ann Bell", "AGMay 2, 2024"))
    unresolved = page("Cy Dole", block("Ann Bell", "STMay 1, 2024"))
    tables = tables_of(by_page, unresolved, observed_on=(OLD, NEW))
    assert tables["papers"]["category_id"].sort().to_list() == ["math.AG", "math.ST"]
    assert variants(tables) == []
    assert "PAP-006" not in rules(tables)


def test_of_categories_resolved_alike_the_newest_counts() -> None:
    texts = [page("Ann Bell", block("Ann Bell", f"{code}May 1, 2024")) for code in ("CL", "LG")]
    tables = resolved_of(*texts, observed_on=(OLD, NEW))
    assert tables["papers"]["category_id"].to_list() == ["cs.LG"]
    assert variants(tables) == [("p0.txt", 1, "category_id", "cs.CL")]


DIFFERING = [
    pytest.param(BASE.replace("On Bells", "ON BELLS"), "title", "ON BELLS: a study", id="title"),
    pytest.param(BASE.replace("Cy Dole", "Eve Fox"), "byline", "Ann Bell, Eve Fox", id="names"),
    pytest.param(BASE.replace("Cy Dole", "Cy Dole et al."), "byline", "Ann Bell, Cy Dole et al.", id="cut"),
    pytest.param(BASE.replace(", Cy", ",  Cy"), "byline", "Ann Bell,  Cy Dole", id="spaces"),
    pytest.param(BASE.replace("Dole", "Dole · mila"), "byline", "Ann Bell, Cy Dole · mila", id="tag"),
    pytest.param(BASE.replace("They ring.", "They ring"), "abstract", "They ring", id="abstract"),
    pytest.param(BASE.replace("They ring.", "They\nring"), "abstract", "They\nring", id="abstract over lines"),
]


def test_pages_are_rebuilt_in_parts_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.resolve.rendering._PAGES", 1)
    monkeypatch.setattr("etl.resolve.rendering._PAPERS", 1)
    texts = [page("Ann Bell", BASE, block("Ann Bell, Eve Fox", title="On Towers")), page("Cy Dole", BASE)]
    assert rebuilt(resolved_of(*texts)) == {"p0.txt": texts[0].encode(), "p1.txt": texts[1].encode()}


@pytest.mark.parametrize(("other", "field", "value"), DIFFERING)
def test_two_differing_pages_are_both_rebuilt(other: str, field: str, value: str) -> None:
    texts = [page("Ann Bell", BASE), page("Cy Dole", other)]
    for days in ((NEW, OLD), (OLD, NEW)):
        tables = resolved_of(*texts, observed_on=days)
        assert tables["papers"].height == 1
        assert rebuilt(tables) == {"p0.txt": texts[0].encode(), "p1.txt": texts[1].encode()}
        assert days == (OLD, NEW) or variants(tables) == [("p1.txt", 1, field, value)]


def test_the_winner_itself_has_a_variant_where_its_row_does_not_give_it_back() -> None:
    text = page("Ann Bell", block("Ann Bell,Cy Dole · mila,acme", title="On Bells"))
    tables = resolved_of(text)
    assert variants(tables) == [("p0.txt", 1, "byline", "Ann Bell,Cy Dole · mila,acme")]
    assert rebuilt(tables) == {"p0.txt": text.encode()}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BASE.replace("\n\n", "\n"), id="no gaps"),
        pytest.param(BASE.replace("\n\n", "\n\n\n"), id="wide gaps"),
        pytest.param(BASE.removesuffix("They ring.").rstrip(), id="no abstract"),
        pytest.param(BASE.replace("They ring.", "They\nring."), id="an abstract over two lines"),
    ],
)
def test_equal_gaps_need_no_variant(text: str) -> None:
    tables = resolved_of(page("Ann Bell", text, block("Ann Bell", title="On Ropes")))
    assert variants(tables) == []


def test_a_gap_that_is_not_empty_is_kept_with_the_raw_lines() -> None:
    text = page("Ann Bell", block("Ann Bell").replace("\n\nThey", "\n \nThey"))
    tables = resolved_of(text)
    assert variants(tables) == [("p0.txt", 1, "block", "CLMay 1, 2024\nOn Bells\n\nAnn Bell\n \nThey ring.")]
    assert rebuilt(tables) == {"p0.txt": text.encode()}
