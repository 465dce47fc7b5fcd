"""The base of all models, and the definition from which SQL, Arrow, Datasette metadata and documentation are made.

Row checks that pandera lacks are expressions of one boolean a row, so that a failure names its row; `row_check` makes a
check of one. (pandera's own registry of checks requires pandas, which nothing else here does.) A check's name and facts
are part of the schema, so that SQL is made from them too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import pandera.polars as pa
import polars as pl
import pyarrow

SCHEMA_VERSION = 2
"""The version in every release: in its database (`PRAGMA user_version`), Parquet files, manifest and results.

Raise it by one with any change after which a program written for earlier releases would misread a new one: a table, view
or column that is removed, renamed or redefined, another key, another type, another way of making an identifier. A new
table or column, or another description, is no reason where nothing here needs it. Releases without a version are version 1.
"""


@dataclass(frozen=True)
class ColumnType:
    """The names of a model's type in SQL, in Arrow, in a Data Package, in Croissant, and in a word for people.

    SQL has no lists: they are in Parquet files alone.
    """

    sql: str | None
    arrow: pyarrow.DataType
    package: str
    croissant: str
    word: str


COLUMN_TYPES: dict[pl.DataType, ColumnType] = {
    pl.Int64(): ColumnType("INTEGER", pyarrow.int64(), "integer", "sc:Integer", "integer"),
    pl.Float64(): ColumnType("REAL", pyarrow.float64(), "number", "sc:Float", "number"),
    pl.Boolean(): ColumnType("INTEGER", pyarrow.bool_(), "boolean", "sc:Boolean", "boolean"),
    pl.String(): ColumnType("TEXT", pyarrow.string(), "string", "sc:Text", "text"),
    pl.Date(): ColumnType("TEXT", pyarrow.date32(), "date", "sc:Date", "date"),
    pl.List(pl.String): ColumnType(None, pyarrow.list_(pyarrow.string()), "array", "sc:Text", "list"),
}
"""Every type that a column may have."""


@dataclass(frozen=True)
class Rights:
    """The licence and source of a table's rows, and a caveat; addresses are of existing pages."""

    licence: str
    licence_url: str
    source: str
    source_url: str | None
    about: str


PAGES = Rights(
    licence="No licence is granted: what a page says remains its authors' and its site's",
    licence_url="http://rightsstatements.org/vocab/InC/1.0/",
    source="Researchers' profile pages, saved by people",
    source_url=None,
    about="A program read the pages and joined names and papers; it can be wrong, and the audit tables show how it decided",
)
"""Rows taken from pages: facts, which nobody owns, and texts, which are their authors'."""

TAXONOMY = Rights(
    licence=PAGES.licence,
    licence_url=PAGES.licence_url,
    source="arXiv's category taxonomy",
    source_url="https://arxiv.org/category_taxonomy",
    about="Only those categories that a page of this dataset uses",
)
"""Rows of arXiv's list of categories."""

TOOL = Rights(
    licence="MIT licence",
    licence_url="https://opensource.org/license/mit",
    source="paperledger, the program that made this dataset",
    source_url=None,
    about="The rules' words are the program's own; the counts are this build's",
)
"""Rows that the program itself wrote."""


DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def row_check(expression: Callable[..., pl.Expr], column: str, **facts: Any) -> Any:
    """The check of a model's `column` by an expression, to be assigned in the model's body.

    >>> from schemas import Listings
    >>> {column.name: column.checks for column in Listings.definition().columns}["line_end"]
    (('at_least', {'other': 'line_start'}),)
    """

    def passes(_: type, data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(expression(data.key, **facts))

    return pa.check(column, name=expression.__name__, statistics=facts)(passes)


def at_least(column: str, *, other: str) -> pl.Expr:
    """The value is at least as large as that of the column `other` in its row.

    >>> pl.DataFrame({"first": [1, 9], "last": [2, 8]}).select(at_least("last", other="first"))["last"].to_list()
    [True, False]
    """
    return pl.col(column) >= pl.col(other)


def day_exists(column: str, *, month: str, year: str) -> pl.Expr:
    """The day exists in its row's month; a missing year allows 29 February, the year 0 nothing.

    >>> days = pl.DataFrame({"year": [2024, 2023, None], "month": 2, "day": 29})
    >>> days.select(day_exists("day", month="month", year="year"))["day"].to_list()
    [True, False, True]
    """
    days = pl.col(month).replace_strict(dict(enumerate(DAYS_IN_MONTH, start=1)), default=0)
    years = pl.col(year)
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    last = days - ((pl.col(month) == 2) & ~leap.fill_null(value=True)).cast(pl.Int64)
    return pl.col(column).is_between(1, last) & years.ne(0).fill_null(value=True)


def reads_like_names(column: str, *, letters: int, words: int, unlike: str) -> pl.Expr:
    r"""The list has an entry, and each has at most so many letters and words, at least one letter, and does not match `unlike`.

    >>> bylines = pl.DataFrame({"names": [["Ann Bell", "Cy Dole"], ["They ring."], []]})
    >>> bylines.select(reads_like_names("names", letters=100, words=12, unlike=r"ring\.$"))["names"].to_list()
    [True, False, False]
    """
    entry = pl.element()
    short = (entry.str.len_chars() <= letters) & (entry.str.count_matches(r"\s+") < words)
    worded = entry.str.contains(r"\p{L}") & ~entry.str.contains(unlike)
    names = pl.col(column)
    return (names.list.len() > 0) & names.list.eval(short & worded).list.all()


def says_something(column: str, *, by: str) -> pl.Expr:
    r"""The text contains a character of the class `by`.

    >>> pl.DataFrame({"title": ["On Bells", "* * *"]}).select(says_something("title", by=r"\p{L}"))["title"].to_list()
    [True, False]
    """
    return pl.col(column).str.contains(by)


Frames = dict[str, pl.DataFrame]
"""Tables by name."""
Group = Literal["data", "audit"]
"""What a table is for: the dataset itself, or how it came about and what is wrong with it."""
STORED_AS: dict[Any, Any] = {pl.Date(): pl.String(), pl.Boolean(): pl.Int64()}
"""The types that SQLite lacks, and those that it stores instead."""


@dataclass(frozen=True)
class Column:
    """One column: its type, title and description, and its checks."""

    name: str
    dtype: pl.DataType
    nullable: bool
    title: str
    description: str
    unit: str | None
    unique: bool
    facet: bool
    sortable: bool
    rule: str | None
    checks: tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` refer to the columns `targets` of `table`."""

    columns: tuple[str, ...]
    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """Full-text search of a table: the tokenizer, and the columns of the index with their sources.

    A column is made of a column of the table, or of `table.column`: all values of it in another table's rows that refer to
    the row, a line each.
    """

    tokenizer: str
    columns: tuple[tuple[str, str], ...]

    @property
    def is_own(self) -> bool:
        """Whether all that is searched is in the table itself."""
        return not any("." in source for _, source in self.columns)


@dataclass(frozen=True)
class Definition:
    """All that a model defines of its table, in the order of its columns."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    references: tuple[Reference, ...]
    short_rows: bool
    label: str | None
    sort: str | None
    page_size: int | None
    orders: tuple[tuple[str, ...], ...]
    search: Search | None
    group: Group
    rights: Rights

    @property
    def schema(self) -> pl.Schema:
        """The polars schema, in the order of the columns."""
        return pl.Schema({column.name: column.dtype for column in self.columns})


class Table(pa.DataFrameModel):
    """Base of the models: columns are exact, and the table's own facts are in `Config.metadata`.

    `primary_key` (a list of columns), `references` (column, or columns joined by a comma, to table),
    `short_rows` (WITHOUT ROWID pays), `label`, `sort` (a leading - means descending) and `page_size` (for Datasette),
    `orders` (columns joined by a comma, by which questions sort the rows),
    `search` (FTS5's tokenizer by the name `tokenizer`; all else columns of the index and their sources),
    `group` (data by default, or audit) and `rights` (the pages' by default).
    """

    class Config:
        strict = True
        ordered = True
        metadata: ClassVar[dict[str, Any]] = {}

    @classmethod
    @cache
    def definition(cls) -> Definition:
        """The model's `Definition`.

        >>> from schemas import Categories
        >>> Categories.definition().primary_key
        ('category_id',)
        """
        schema = cls.to_schema()
        # to_schema() loses the table's own metadata; get_metadata() keeps it.
        facts = cls.get_metadata()[schema.name]["dataframe"] or {}
        return Definition(
            name=schema.name,
            title=schema.title,
            description=" ".join(schema.description.split()),
            columns=tuple(_column(name, column) for name, column in schema.columns.items()),
            primary_key=tuple(facts.get("primary_key", ())),
            references=tuple(_reference(key, table) for key, table in facts.get("references", {}).items()),
            short_rows=facts.get("short_rows", False),
            label=facts.get("label"),
            sort=facts.get("sort"),
            page_size=facts.get("page_size"),
            orders=tuple(tuple(columns.split(",")) for columns in facts.get("orders", ())),
            search=_search(facts.get("search")),
            group=facts.get("group", "data"),
            rights=facts.get("rights", PAGES),
        )

    @classmethod
    def frame(cls, rows: Any = ()) -> pl.DataFrame:
        """Rows (dicts or tuples), or columns by name, as a frame of the model's columns and types; other columns are left out."""
        schema = cls.definition().schema
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            rows = {name: [row.get(name) for row in rows] for name in schema}
        if isinstance(rows, dict):
            return pl.DataFrame([_series(name, dtype, rows[name]) for name, dtype in schema.items()])
        return pl.DataFrame(rows, schema=schema, orient="row")

    @classmethod
    def read(cls, rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
        """Rows of SQLite (dates as text, booleans as 0 and 1) as a frame of the model's types."""
        schema = cls.definition().schema
        stored = {name: STORED_AS.get(dtype, dtype) for name, dtype in schema.items()}
        frame = pl.DataFrame(rows, schema=stored, orient="row")
        return frame.select(
            pl.col(name).str.to_date("%Y-%m-%d") if dtype == pl.Date else pl.col(name).cast(dtype)
            for name, dtype in schema.items()
        )

    @classmethod
    def select(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """The model's columns of a wider frame, in order and cast to their types."""
        schema = cls.definition().schema
        return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())

    @classmethod
    def sorted(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """The model's columns, rows in the order of the primary key."""
        rows, key = cls.select(frame), cls.definition().primary_key
        return rows if _is_sorted(rows, key) else rows.sort(key)  # To sort a table is to have it twice for a while.


def _is_sorted(rows: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """Whether no row has a smaller key, without nulls, than the row before it.

    >>> _is_sorted(pl.DataFrame({"page": ["a", "a", "b"], "position": [1, 2, 1]}), ("page", "position"))
    True
    """
    in_order = pl.lit(value=True)
    for name in reversed(key):
        own, following = pl.col(name), pl.col(name).shift(-1)
        in_order = (own < following) | ((own == following) & in_order)
    return bool(rows.select(in_order.fill_null(value=True).all()).item())


def _series(name: str, dtype: pl.DataType, values: list[Any]) -> pl.Series:
    """A column of values; one of lists by way of Arrow, since polars makes a Series of each list."""
    if dtype == pl.List(pl.String):
        return pl.Series(name, pyarrow.array(values, COLUMN_TYPES[dtype].arrow))
    return pl.Series(name, values, dtype=dtype)


def _column(name: str, column: Any) -> Column:
    facts = column.metadata or {}
    return Column(
        name=name,
        dtype=column.dtype.type,
        nullable=column.nullable,
        title=column.title,
        description=column.description,
        unit=facts.get("unit"),
        unique=facts.get("unique", False),
        facet=facts.get("facet", False),
        sortable=facts.get("sortable", True),
        rule=facts.get("rule"),
        checks=tuple((check.name, dict(check.statistics or {})) for check in column.checks),
    )


def _search(facts: dict[str, str] | None) -> Search | None:
    """`{"tokenizer": "unicode61", "title": "title"}`."""
    if facts is None:
        return None
    return Search(facts["tokenizer"], tuple((name, source) for name, source in facts.items() if name != "tokenizer"))


def _reference(key: str, target: str) -> Reference:
    """`{"a,b": "tables"}`, with the target's own column names given as `tables(a,b)` where they differ."""
    columns = tuple(key.split(","))
    table, _, targets = target.rstrip(")").partition("(")
    return Reference(columns, table, tuple(targets.split(",")) if targets else columns)
