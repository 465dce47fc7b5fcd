"""Dates: the year of badges that omit it, inferred from the day on which their page was saved."""

import calendar
from collections.abc import Callable, Sequence
from datetime import MAXYEAR, date, timedelta
from typing import Any

import polars as pl

AHEAD = timedelta(days=7)
"""How long after its page was saved a paper may be dated, because of arXiv's days, time zones and inaccurate clocks."""
_LEAP_YEARS_APART = 8
"""Years between two leap years at most, as around 1900."""


def year_before(observed_on: date | None, month: int, day: int) -> int | None:
    """The year of a badge without one on a page saved on `observed_on`: of its latest day up to a week after that.

    >>> year_before(date(2026, 1, 4), 12, 28), year_before(date(2026, 1, 4), 1, 9), year_before(date(2026, 1, 4), 2, 29)
    (2025, 2026, 2024)
    """
    if observed_on is None:
        return None
    last = min(observed_on, date.max - AHEAD) + AHEAD
    years = range(last.year, max(0, last.year - _LEAP_YEARS_APART - 1), -1)
    days = ((year, day_in_year(year, month, day)) for year in years)
    return next((year for year, found in days if found and found <= last), None)


def page_year(latest: int | None, leap: bool) -> int | None:
    """The year of badges without one on a page saved on an unknown day, or None.

    It is the lowest year above the latest printed one, and a leap year where such a badge prints February 29.

    >>> page_year(2025, False), page_year(2025, True), page_year(None, False)
    (2026, 2028, None)
    """
    if latest is None:
        return None
    years = range(latest + 1, min(latest + 9, MAXYEAR + 1))
    return next((year for year in years if calendar.isleap(year) or not leap), None)


def resolve_dates(blocks: pl.DataFrame) -> pl.DataFrame:
    """The blocks with `published` (a date, or null if the year is unknown) and `year_inferred`.

    In: profile_id, observed_on, year, month, day; all blocks of those pages. A site omits only the current year. So if
    another badge without a year is of the year of saving, a day early in January is of that year too, and not of next week.

    >>> badge = {"profile_id": "ann", "observed_on": date(2026, 1, 4), "year": None, "month": 12, "day": 28}
    >>> resolve_dates(pl.DataFrame([badge], {**{name: None for name in badge}, "year": pl.Int64})).row(0)[-2:]
    (datetime.date(2025, 12, 28), True)
    """
    is_undated, saved = pl.col("year").is_null(), pl.col("observed_on").dt.year()
    is_leap_day = (pl.col("month") == 2) & (pl.col("day") == 29)
    facts = blocks.select(
        *("profile_id", "observed_on", "year", "month", "day"),
        pl.col("year").max().over("profile_id").alias("latest"),
        (is_undated & is_leap_day).any().over("profile_id").alias("leap"),
    )
    facts = _mapped(facts, ["observed_on", "month", "day"], year_before, "before", pl.Int64)
    facts = _mapped(facts, ["latest", "leap"], page_year, "above", pl.Int64)
    is_current = (is_undated & (pl.col("before") == saved)).any().over("profile_id")
    before = pl.when(is_current).then(pl.col("before").clip(upper_bound=saved)).otherwise("before")
    inferred = pl.when(pl.col("observed_on").is_null()).then("above").otherwise(before)
    dated = _mapped(
        facts.with_columns(pl.coalesce("year", inferred)), ["year", "month", "day"], day_in_year, "published", pl.Date
    )
    return blocks.with_columns(
        dated["published"], year_inferred=blocks["year"].is_null() & dated["published"].is_not_null()
    )


def _mapped(
    frame: pl.DataFrame, columns: Sequence[str], function: Callable[..., Any], name: str, dtype: type[pl.DataType]
) -> pl.DataFrame:
    """The frame with the column `name` of what a function returns for the values of `columns`, called once for equal ones."""
    distinct = frame.select(columns).unique()
    found = pl.Series(name, [function(*values) for values in distinct.iter_rows()], dtype)
    return frame.join(distinct.with_columns(found), on=columns, how="left", nulls_equal=True, maintain_order="left")


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
