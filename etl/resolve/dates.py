"""Dates: the year of badges that leave it out. Such a badge is of the year in which its page was saved."""

import calendar
from collections.abc import Sequence
from datetime import MAXYEAR, date

import polars as pl


def page_year(observed_on: date | None, badges: Sequence[tuple[int | None, int, int]]) -> int | None:
    """The year that badges (year, month, day) without a year belong to, or None where nothing tells.

    Where no date of saving is known it is the lowest year above every printed one in which all such days exist.

    >>> page_year(None, [(2025, 3, 14), (None, 5, 16)]), page_year(None, [(2025, 3, 14), (None, 2, 29)])
    (2026, 2028)
    >>> page_year(date(2027, 1, 2), [(None, 5, 16)]), page_year(None, [(None, 5, 16)])
    (2027, None)
    """
    if observed_on:
        return observed_on.year
    printed = [year for year, _, _ in badges if year is not None]
    leap = any((month, day) == (2, 29) for year, month, day in badges if year is None)
    if not printed:
        return None
    years = range(max(printed) + 1, min(max(printed) + 9, MAXYEAR + 1))
    return next((year for year in years if calendar.isleap(year) or not leap), None)


def resolve_dates(blocks: pl.DataFrame) -> pl.DataFrame:
    """Date every block.

    In: profile_id, position, observed_on, year, month, day; all blocks of those pages.
    Out: profile_id, position, published (a date, or null where the year is unknown), year_inferred.
    """
    rows = []
    for (profile_id,), page in blocks.sort("profile_id", "position").group_by("profile_id", maintain_order=True):
        badges = list(page.select("year", "month", "day").iter_rows())
        inferred = page_year(page["observed_on"][0], badges)
        for position, (year, month, day) in zip(page["position"], badges, strict=True):
            published = _date(year or inferred, month, day)
            rows.append((profile_id, position, published, year is None and published is not None))
    schema = {"profile_id": pl.String, "position": pl.Int64, "published": pl.Date, "year_inferred": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _date(year: int | None, month: int, day: int) -> date | None:
    if year is None or ((month, day) == (2, 29) and not calendar.isleap(year)):
        return None
    return date(year, month, day)
