"""What one rule found: how many were looked at, and a row for each that broke it."""

from dataclasses import dataclass
from urllib.parse import quote_plus

import polars as pl

FAILED = pl.Schema(
    {
        "row_key": pl.String(),
        "profile_id": pl.String(),
        "source": pl.String(),
        "line_start": pl.Int64(),
        "line_end": pl.Int64(),
        "value": pl.String(),
        "message": pl.String(),
    }
)


@dataclass(frozen=True)
class Outcome:
    """The result of one rule: `failed` has the columns of `FAILED`, and so has `told`.

    `told` is what findings say in place of `failed`, where many rows would say the same.
    """

    rule_id: str
    checked: int
    failed: pl.DataFrame
    told: pl.DataFrame | None = None


def outcome(
    rule_id: str, checked: int, failed: pl.DataFrame, key: tuple[str, ...], *, value: str | pl.Expr, message: pl.Expr
) -> Outcome:
    """An outcome from the rows that broke a rule; `key` are the columns of their key, and a place that they lack is null."""
    shown = pl.col(value) if isinstance(value, str) else value
    keyed = failed.with_columns(row_key(key).alias("row_key"), shown.alias("value"), message.alias("message"))
    lacking = [pl.lit(None).alias(name) for name in FAILED if name not in keyed.columns]
    return Outcome(
        rule_id, checked, keyed.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in FAILED.items())
    )


def at_line(frame: pl.DataFrame, line: str | pl.Expr) -> pl.DataFrame:
    """The rows, shown on one line of their page."""
    place = pl.col(line) if isinstance(line, str) else line
    return frame.with_columns(place.alias("line_start"), place.alias("line_end"))


def row_key(columns: tuple[str, ...]) -> pl.Expr:
    """The key of a row as Datasette writes it in the row's address: parts escaped, joined by commas."""
    parts = [pl.col(column).cast(pl.String).map_elements(escape, return_dtype=pl.String) for column in columns]
    return pl.concat_str(parts, separator=",")


def escape(text: str) -> str:
    """Escape a part of a row's address as Datasette does.

    >>> escape("Ann B. Bell"), escape("a~b/c")
    ('Ann+B~2E+Bell', 'a~7Eb~2Fc')
    """
    return quote_plus(text).replace("~", "%7E").replace(".", "%2E").replace("%", "~")
