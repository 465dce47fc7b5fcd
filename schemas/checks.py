"""Checks that compare columns of one row, registered so that a field can name them as a keyword.

In: the frame that pandera validates. Out: one boolean a row, which is what lets a failure
be traced to its row. Their statistics travel with the schema, so that the SQL is made from them too.
"""

import polars as pl
from pandera import extensions
from pandera.polars import PolarsData

DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@extensions.register_check_method(statistics=["other"])
def at_least(data: PolarsData, *, other: str) -> pl.LazyFrame:
    """The value is at least as large as that of the column `other` in its row."""
    return data.lazyframe.select(pl.col(data.key) >= pl.col(other))


@extensions.register_check_method(statistics=["month", "year"])
def day_exists(data: PolarsData, *, month: str, year: str) -> pl.LazyFrame:
    """The day exists in its row's month; a missing year allows 29 February, the year 0 nothing."""
    days = pl.col(month).replace_strict(dict(enumerate(DAYS_IN_MONTH, start=1)), default=0)
    years = pl.col(year)
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    last = days - ((pl.col(month) == 2) & ~leap.fill_null(value=True)).cast(pl.Int64)
    return data.lazyframe.select(pl.col(data.key).is_between(1, last) & years.ne(0).fill_null(value=True))


@extensions.register_check_method(statistics=["letters", "words", "unlike"])
def reads_like_names(data: PolarsData, *, letters: int, words: int, unlike: str) -> pl.LazyFrame:
    """The list has an entry, and each has at most so many letters and words, a letter at least, and does not match `unlike`."""
    entry = pl.element()
    short = (entry.str.len_chars() <= letters) & (entry.str.count_matches(r"\s+") < words)
    names = pl.col(data.key)
    worded = entry.str.contains(r"\p{L}") & ~entry.str.contains(unlike)
    alike = names.list.eval(short & worded).list.all()
    return data.lazyframe.select((names.list.len() > 0) & alike)


@extensions.register_check_method(statistics=["spaces"])
def says_something(data: PolarsData, *, spaces: str) -> pl.LazyFrame:
    """The text holds more than the characters in `spaces`."""
    return data.lazyframe.select(pl.col(data.key).str.strip_chars(spaces) != "")
