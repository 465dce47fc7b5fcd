"""Checks of a row that pandera does not bring: each an expression of one boolean a row, which blames the row itself.

`row_check` makes a model's check of one. (pandera's own registry of checks wants pandas, which nothing else here needs.)
The check's name and facts travel with the schema, so that SQL is made from them too.
"""

from collections.abc import Callable
from typing import Any

import pandera.polars as pa
import polars as pl

DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def row_check(expression: Callable[..., pl.Expr], column: str, **facts: Any) -> Any:
    """The check of a model's `column` by an expression, to be assigned in the model's body."""

    def passes(_: type, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(expression(data.key, **facts))

    return pa.check(column, name=expression.__name__, statistics=facts)(passes)


def at_least(column: str, *, other: str) -> pl.Expr:
    """The value is at least as large as that of the column `other` in its row."""
    return pl.col(column) >= pl.col(other)


def day_exists(column: str, *, month: str, year: str) -> pl.Expr:
    """The day exists in its row's month; a missing year allows 29 February, the year 0 nothing."""
    days = pl.col(month).replace_strict(dict(enumerate(DAYS_IN_MONTH, start=1)), default=0)
    years = pl.col(year)
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    last = days - ((pl.col(month) == 2) & ~leap.fill_null(value=True)).cast(pl.Int64)
    return pl.col(column).is_between(1, last) & years.ne(0).fill_null(value=True)


def reads_like_names(column: str, *, letters: int, words: int, unlike: str) -> pl.Expr:
    """The list has an entry, and each has at most so many letters and words, a letter at least, and is not `unlike`."""
    entry = pl.element()
    short = (entry.str.len_chars() <= letters) & (entry.str.count_matches(r"\s+") < words)
    worded = entry.str.contains(r"\p{L}") & ~entry.str.contains(unlike)
    names = pl.col(column)
    return (names.list.len() > 0) & names.list.eval(short & worded).list.all()


def says_something(column: str, *, by: str) -> pl.Expr:
    """The text holds one of the characters that the class `by` names."""
    return pl.col(column).str.contains(by)
