"""Dates: the year of badges that omit it, inferred from the day on which their page was saved."""

import calendar
from collections.abc import Sequence
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import polars as pl

AHEAD = timedelta(days=7)
"""How long after its page was saved a paper may be dated, because of arXiv's days, time zones and inaccurate clocks."""
_LEAP_YEARS_APART = 8
"""Years between two leap years at most, as around 1900."""


@lru_cache(maxsize=1 << 14)
def year_before(observed_on: date, month: int, day: int) -> int | None:
    """The year of a badge without one on a page saved on `observed_on`: of its latest day up to a week after that.

    >>> year_before(date(2026, 1, 4), 12, 28), year_before(date(2026, 1, 4), 1, 9), year_before(date(2026, 1, 4), 2, 29)
    (2025, 2026, 2024)
    """
    last = min(observed_on, date.max - AHEAD) + AHEAD
    years = range(last.year, max(0, last.year - _LEAP_YEARS_APART - 1), -1)
    days = ((year, day_in_year(year, month, day)) for year in years)
    return next((year for year, found in days if found and found <= last), None)


def page_year(badges: Sequence[tuple[int | None, int, int]]) -> int | None:
    """The year of badges (year, month, day) without one on a page saved on an unknown day, or None.

    It is the lowest year above every printed one in which all those days exist.

    >>> page_year([(2025, 3, 14), (None, 5, 16)]), page_year([(2025, 3, 14), (None, 2, 29)]), page_year([(None, 5, 16)])
    (2026, 2028, None)
    """
    printed = [year for year, _, _ in badges if year is not None]
    leap = any((month, day) == (2, 29) for year, month, day in badges if year is None)
    if not printed:
        return None
    years = range(max(printed) + 1, min(max(printed) + 9, MAXYEAR + 1))
    return next((year for year in years if calendar.isleap(year) or not leap), None)


def page_years(observed_on: date | None, badges: Sequence[tuple[int | None, int, int]]) -> list[int | None]:
    """The inferred year for each badge of a page.

    A site omits only the current year. So if another badge without a year is of the year of saving, a day early in January
    is of that year too, and not of next week.

    >>> page_years(date(2019, 12, 31), [(None, 1, 6)]), page_years(date(2019, 12, 31), [(None, 1, 6), (None, 8, 29)])
    ([2020], [2019, 2019])
    """
    if observed_on is None:
        return [page_year(badges)] * len(badges)
    years = [year_before(observed_on, month, day) for _, month, day in badges]
    current = any(
        printed is None and year == observed_on.year for (printed, *_), year in zip(badges, years, strict=True)
    )
    return [min(year, observed_on.year) if year and current else year for year in years]


def resolve_dates(blocks: pl.DataFrame) -> pl.DataFrame:
    """Date every block.

    In: profile_id, position, observed_on, year, month, day; all blocks of those pages.
    Out: profile_id, position, published (a date, or null if the year is unknown), year_inferred.

    >>> badge = {"profile_id": "ann", "position": 1, "observed_on": date(2026, 1, 4), "year": None, "month": 12, "day": 28}
    >>> resolve_dates(pl.DataFrame([badge])).row(0)
    ('ann', 1, datetime.date(2025, 12, 28), True)
    """
    rows = []
    columns = blocks.sort("profile_id").select("profile_id", "observed_on", "position", "year", "month", "day")
    for (profile_id, observed_on), page in groupby(columns.iter_rows(), key=itemgetter(0, 1)):
        positions, badges = zip(*((position, badge) for _, _, position, *badge in page), strict=True)
        years = page_years(observed_on, badges)
        for position, (year, month, day), inferred in zip(positions, badges, years, strict=True):
            published = day_in_year(year or inferred, month, day)
            rows.append((profile_id, position, published, year is None and published is not None))
    schema = {"profile_id": pl.String, "position": pl.Int64, "published": pl.Date, "year_inferred": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def day_in_year(year: int | None, month: int, day: int) -> date | None:
    """The day of a badge in a year; None without a year, and for February 29 in a year that has none.

    >>> day_in_year(2024, 2, 29), day_in_year(2023, 2, 29), day_in_year(None, 5, 1)
    (datetime.date(2024, 2, 29), None, None)
    """
    if year is None or ((month, day) == (2, 29) and not calendar.isleap(year)):
        return None
    return date(year, month, day)


def newest_pages(profiles: pl.DataFrame) -> pl.DataFrame:
    """The page of each owner that was saved last (of several the smallest id), and all pages without an owner, by id.

    In and out are rows of `profiles` with at least profile_id, author_id, observed_on and last_observed_on.

    >>> columns = ["profile_id", "author_id", "observed_on", "last_observed_on"]
    >>> pages = [("old", "ann-bell", date(2025, 1, 1), None), ("new", "ann-bell", date(2025, 6, 1), None)]
    >>> newest_pages(pl.DataFrame(pages, columns, orient="row"))["profile_id"].to_list()
    ['new']
    """
    saved = pl.coalesce("last_observed_on", "observed_on")
    owned = profiles.drop_nulls("author_id").sort(
        pl.col("author_id"), saved, "profile_id", descending=[False, True, False], nulls_last=True
    )
    newest = owned.unique("author_id", keep="first", maintain_order=True)
    return pl.concat([newest, profiles.filter(pl.col("author_id").is_null())]).sort("profile_id")
