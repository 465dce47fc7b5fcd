"""The input of rules, and the result of one: the number of rows that were checked, and a row for each that broke it."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl
from datasette.utils import tilde_encode

from etl.resolve.overrides import Overrides
from etl.resolve.tables import Resolved
from etl.validate.staging import StagedBatch
from schemas import Frames

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

_ROWS_AT_ONCE = 10_000
"""Rows whose texts are looked at together: some 10 MB of abstracts."""


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule: `failed` has the columns of `FAILED`, and so has `reported`.

    `reported` becomes findings in place of `failed`, where many rows would have equal messages.
    """

    rule_id: str
    checked: int
    failed: pl.DataFrame
    reported: pl.DataFrame | None = None


def rule_result(
    rule_id: str, checked: int, failed: pl.DataFrame, key: tuple[str, ...], *, value: str | pl.Expr, message: pl.Expr
) -> RuleResult:
    """The result for the rows that broke a rule; `key` are their key columns, and columns of the place that they lack are null.

    >>> short = pl.DataFrame({"paper_id": ["a"], "title": ["On"]})
    >>> rule_result("PAP-009", 7, short, PAPER_KEY, value="title", message=pl.lit("short")).failed["row_key"].item()
    'a'
    """
    shown = pl.col(value) if isinstance(value, str) else value
    keyed = failed.with_columns(row_key(key).alias("row_key"), shown.alias("value"), message.alias("message"))
    lacking = [pl.lit(None).alias(name) for name in FAILED if name not in keyed.columns]
    return RuleResult(
        rule_id, checked, keyed.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in FAILED.items())
    )


def rows_where(frame: pl.DataFrame, condition: pl.Expr) -> pl.DataFrame:
    """The rows for which a condition is true, found in slices, so that the texts that it makes are few at once.

    >>> rows_where(pl.DataFrame({"title": ["On Bells", "On"]}), pl.col("title").str.len_chars() < 3)["title"].to_list()
    ['On']
    """
    return pl.concat([frame.clear(), *(part.filter(condition) for part in frame.iter_slices(_ROWS_AT_ONCE))])


def at_line(frame: pl.DataFrame, line: str | pl.Expr) -> pl.DataFrame:
    """The rows, shown on one line of their page.

    >>> at_line(pl.DataFrame({"title_line": [7]}), "title_line")["line_end"].item()
    7
    """
    place = pl.col(line) if isinstance(line, str) else line
    return frame.with_columns(place.alias("line_start"), place.alias("line_end"))


def row_key(columns: tuple[str, ...]) -> pl.Expr:
    """The key of a row as Datasette writes it in the row's address: parts escaped, joined by commas.

    >>> pl.DataFrame({"name": ["Ann Bell"], "position": [1]}).select(row_key(("name", "position"))).item()
    'Ann+Bell,1'
    """
    parts = [pl.col(column).cast(pl.String).map_batches(_encoded, return_dtype=pl.String) for column in columns]
    return pl.concat_str(parts, separator=",")


def _encoded(parts: pl.Series) -> pl.Series:
    """Parts of keys, escaped; most are identifiers of letters and digits, which need no escapes."""
    if not parts.str.contains("[^a-zA-Z0-9_-]").any():
        return parts
    return parts.map_elements(tilde_encode, return_dtype=pl.String)


PROFILE_KEY = ("profile_id",)
PAPER_KEY = ("paper_id",)
LISTING_KEY = ("profile_id", "position")
_PLACE = ("profile_id", "source", "line_start", "line_end")


@dataclass(frozen=True)
class RuleContext:
    """The tables, what they were resolved from (a paper's winner is one of its listings), and the overrides."""

    tables: Frames
    resolved: Resolved
    staged: StagedBatch
    overrides: Overrides

    @property
    def listings(self) -> pl.DataFrame:
        """The listings with all their parts."""
        return self.resolved.listings

    def winners(self, *columns: str) -> pl.DataFrame:
        """These columns of the listings of which papers' rows were made."""
        return self.listings.lazy().filter("is_winner").select(columns).collect()

    @cached_property
    def profiles(self) -> pl.DataFrame:
        """The profiles, with the lines of their headers' values."""
        return self.tables["profiles"].join(self.staged.headers, on="profile_id", how="left", maintain_order="left")

    @cached_property
    def papers(self) -> pl.DataFrame:
        """The papers, each with the place and code of its winning listing."""
        winners = self.winners("paper_id", *_PLACE, "code", "work")
        return self.tables["papers"].join(winners, on="paper_id", how="left")

    def names_in(self, listings: pl.DataFrame) -> pl.DataFrame:
        """One row for each name in the bylines of some listings, with the author; null for one that is in no table."""
        named = listings.select(
            *_PLACE,
            "position",
            "paper_id",
            "byline_line",
            pl.col("names").alias("name"),
            pl.col("author_ids").alias("author_id"),
        ).explode("name", "author_id")
        known = self.tables["authors"]["author_id"]
        return named.with_columns(
            pl.when(pl.col("author_id").is_in(known.implode())).then("author_id").alias("author_id")
        )
