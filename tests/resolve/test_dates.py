"""The year of a badge that leaves it out is that of the page, as far as the page or its name tells."""

import calendar
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers import tables_of
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page, resolved_of

from etl.extract.reading import read_page
from etl.extract.sources import find_pages
from etl.resolve.dates import resolve_dates, year_before
from schemas import Frames

Badge = tuple[int | None, int, int]
SAVED = date(2027, 1, 2)


def years_of(observed_on: date | None, badges: Sequence[Badge]) -> list[int | None]:
    """The years of the badges of one page."""
    blocks = pl.DataFrame(
        [("ann", observed_on, *badge) for badge in badges],
        {"profile_id": pl.String, "observed_on": pl.Date, "year": pl.Int64, "month": pl.Int64, "day": pl.Int64},
        orient="row",
    )
    return resolve_dates(blocks)["published"].dt.year().to_list()


@pytest.mark.parametrize(
    ("observed_on", "month", "day", "year"),
    [
        pytest.param(date(2026, 1, 4), 12, 28, 2025, id="last year's"),
        pytest.param(date(2026, 1, 4), 1, 4, 2026, id="the day itself"),
        pytest.param(date(2026, 6, 1), 6, 8, 2026, id="a week later"),
        pytest.param(date(2026, 6, 1), 6, 9, 2025, id="more than a week later"),
        pytest.param(date(2025, 12, 30), 1, 3, 2026, id="next week's, in another year"),
        pytest.param(date(2026, 6, 1), 2, 29, 2024, id="the latest leap day"),
        pytest.param(date(1903, 6, 1), 2, 29, 1896, id="the latest leap day, eight years ago"),
        pytest.param(date(9999, 12, 31), 12, 31, 9999, id="the last day"),
        pytest.param(date(1, 1, 1), 1, 9, None, id="no year is left"),
        pytest.param(date(1, 1, 1), 2, 29, None, id="no leap year is left"),
    ],
)
def test_a_badge_is_of_its_latest_day_up_to_a_week_after_saving(
    observed_on: date, month: int, day: int, year: int | None
) -> None:
    assert year_before(observed_on, month, day) == year


def test_next_weeks_day_is_of_last_january_where_another_badge_shows_which_year_is_left_out() -> None:
    saved = date(2019, 12, 31)
    assert years_of(saved, [(None, 1, 3), (2018, 8, 29)]) == [2020, 2018]
    assert years_of(saved, [(None, 1, 3), (None, 8, 29)]) == [2019, 2019]


@pytest.mark.parametrize(
    ("badges", "year"),
    [
        pytest.param([(2025, 3, 14), (2019, 1, 1), (None, 5, 16)], 2026, id="above every printed year"),
        pytest.param([(2025, 3, 14), (None, 2, 29)], 2028, id="a leap day needs a leap year"),
        pytest.param([(2024, 2, 29), (None, 5, 16)], 2025, id="a printed leap day needs nothing"),
        pytest.param([(2027, 3, 14), (None, 2, 29)], 2028, id="the next year is a leap year"),
        pytest.param([(1896, 3, 14), (None, 2, 29)], 1904, id="eight years between leap years"),
        pytest.param([(2099, 3, 14), (None, 2, 29)], 2104, id="a century is no leap year"),
        pytest.param([(1999, 3, 14), (None, 2, 29)], 2000, id="but every fourth is"),
        pytest.param([(None, 5, 16)], None, id="nothing is printed"),
        pytest.param([(9999, 1, 1), (None, 5, 16)], None, id="no year is left"),
        pytest.param([(9995, 1, 1), (None, 2, 29)], 9996, id="the last leap year"),
        pytest.param([(9996, 1, 1), (None, 2, 29)], None, id="no leap year is left"),
    ],
)
def test_the_year_of_a_page_saved_nobody_knows_when(badges: list[Badge], year: int | None) -> None:
    assert [one for one, (printed, *_) in zip(years_of(None, badges), badges, strict=True) if printed is None] == [year]


@settings(deadline=None, derandomize=True, database=None)
@given(printed=st.lists(st.integers(1900, 2100), min_size=1), leap_day=st.booleans())
def test_the_pages_year_is_the_lowest_that_can_be(printed: list[int], *, leap_day: bool) -> None:
    badges: list[Badge] = [(None, 2, 29 if leap_day else 28), *((year, 1, 1) for year in printed)]
    year = years_of(None, badges)[0]
    assert year is not None
    possible = [later for later in range(max(printed) + 1, year + 1) if calendar.isleap(later) or not leap_day]
    assert possible == [year]


@pytest.mark.parametrize(
    ("name", "option", "observed_on"),
    [
        ("ann@2026-06-01.txt", None, date(2026, 6, 1)),
        ("ann@2026-06-01.txt", SAVED, SAVED),
        ("ann.txt", SAVED, SAVED),
        ("ann.txt", None, None),
        ("ann@2026-02-30.txt", None, None),
        ("ann-2026-06-01.txt", None, date(2026, 6, 1)),
        ("ann@2026-06-01-old.txt", None, None),
    ],
)
def test_the_option_dates_a_page_before_its_name(
    tmp_path: Path, name: str, option: date | None, observed_on: date | None
) -> None:
    path = tmp_path / name
    path.write_text("Ann Bell")
    assert read_page(*find_pages([str(path)]), option).observed_on == observed_on


@pytest.mark.parametrize(
    ("folder", "name", "observed_on"),
    [
        ("pages-2026-07-02", "ann.txt", date(2026, 7, 2)),
        ("pages-2026-07-02", "ann@2026-06-01.txt", date(2026, 6, 1)),
        ("pages-2026-07-02", "ann@2026-02-30.txt", date(2026, 7, 2)),
        ("pages-2026-07-02/more", "ann.txt", None),
        ("pages-2026-07-02.d", "ann.txt", None),
        ("2026-07-02-pages", "ann.txt", None),
    ],
)
def test_the_folder_that_directly_holds_a_page_dates_it_after_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, name: str, observed_on: date | None
) -> None:
    path = tmp_path / folder / name
    path.parent.mkdir(parents=True)
    path.write_text("Ann Bell")
    assert read_page(*find_pages([str(path)])).observed_on == observed_on
    monkeypatch.chdir(path.parent)
    assert read_page(*find_pages([name])).observed_on == observed_on


def test_a_date_that_does_not_exist_is_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "ann@2026-02-30.txt"
    path.write_text("Ann Bell")
    assert read_page(*find_pages([str(path)])).odd_date == "2026-02-30"


def dated(tables: Frames) -> list[tuple[str, date | None, bool]]:
    return tables["papers"].select("title", "published", "year_inferred").sort("title").rows()


def test_a_page_without_a_known_day_dates_badges_above_its_printed_years() -> None:
    text = page("Ann Bell", block("Ann Bell", "CLMay 1", "A"), block("Ann Bell", "CLMay 2, 2024", "B"))
    assert dated(resolved_of(text)) == [("A", date(2025, 5, 1), True), ("B", date(2024, 5, 2), False)]


def test_a_known_day_dates_badges_and_says_that_the_year_is_inferred() -> None:
    text = page("Ann Bell", block("Ann Bell", "CLMay 1", "A"), block("Ann Bell", "CLMay 2, 2024", "B"))
    assert dated(resolved_of(text, observed_on=[SAVED])) == [
        ("A", date(2026, 5, 1), True),
        ("B", date(2024, 5, 2), False),
    ]


def test_one_page_does_not_date_the_badges_of_another() -> None:
    undated = page("Ann Bell", block("Ann Bell", "CLMay 1", "A"))
    other = page("Cy Dole", block("Cy Dole", "CLMay 2, 2024", "B"))
    assert dated(resolved_of(undated, other)) == [("A", None, False), ("B", date(2024, 5, 2), False)]


def test_a_page_that_prints_no_year_leaves_the_day_open_and_names_the_option() -> None:
    tables = tables_of(page("Ann Bell", block("Ann Bell", "CLMay 1", "A")))
    assert dated(tables) == [("A", None, False)]
    (finding,) = tables["findings"].filter(pl.col("rule_id") == "PAP-004").iter_rows(named=True)
    assert "--observed-on" in finding["message"]
    assert (finding["source"], finding["line_start"], finding["row_key"]) == ("p0.txt", 7, tables["papers"].item(0, 0))


@pytest.mark.parametrize("badge", ["CLMay 1, 2024", "CLMay 1"])
def test_another_page_dates_a_paper_that_its_own_leaves_open(badge: str) -> None:
    undated = page("Ann Bell", block("Ann Bell", "CLMay 1", "A"))
    dating = page("Cy Dole", block("Ann Bell", badge, "A"), block("Ann Bell", "CLMay 2, 2023", "B"))
    tables = tables_of(undated, dating)
    assert dated(tables)[0] == ("A", date(2024, 5, 1), badge == "CLMay 1")
    assert "PAP-004" not in tables["findings"]["rule_id"].to_list()


def test_a_leap_day_is_the_latest_before_the_page_was_saved() -> None:
    tables = tables_of(page("Ann Bell", block("Ann Bell", "CLFeb 29", "A")), observed_on=SAVED)
    assert dated(tables) == [("A", date(2024, 2, 29), True)]
