"""Names in blocks: those of one last name, and those of one whole name, so that workers compare them and none sees all names.

Each function takes and returns frames, in which the order of rows means nothing, and looks at the rows of each `block` apart
from all others. A `Shuffle` runs it where all rows of a block are.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import polars as pl

from etl.resolve.candidate_pairs import FAMILY, WHOLE, CandidatePairs, form_of
from etl.resolve.coauthors import Together
from etl.resolve.names import Name, has_initials_only, read_name
from etl.resolve.persons import Person, Persons, mark_of

InFrames = Callable[[pl.DataFrame], pl.DataFrame]
READ = pl.Schema(
    {
        "key": pl.String(),
        "is_group": pl.Boolean(),
        "author_id": pl.String(),
        "name": pl.String(),
        "kind": pl.String(),
        "given": pl.String(),
        "family": pl.String(),
        "family_block": pl.String(),
        "whole_block": pl.String(),
        "equal": pl.String(),
        "first": pl.String(),
        "is_short": pl.Boolean(),
    }
)
"""A key and the person that it would be alone; then its blocks and what is compared there, where it is compared.

`equal` is the same for names that are equal after folding, `first` the first given name, `is_short` tells initials only.
"""
ALIKE = pl.Schema({"key": pl.String(), "block": pl.String(), "equal": pl.String(), "is_alike": pl.Boolean()})
"""A name that is equal to another one (then `equal` tells to which), or that shares what names are compared by."""
ROOTED = pl.Schema({"key": pl.String(), "block": pl.String(), "root": pl.String(), "listings": pl.List(pl.UInt32())})
"""A name to be compared, with its root spelling and the listings that name a person of this root."""
COMPARED = pl.Schema(
    {"name": pl.String(), "other": pl.String(), "reason": pl.String(), "uncompared": pl.List(pl.String())}
)
"""A pair of roots and why they may be one; or all roots of a set that is not compared, in order."""
_WHOLE = "whole\n"
_READ_ROWS, _ALIKE_ROWS, _COMPARED_ROWS = 50_000, 1_000_000, 25_000
"""Rows that take about a second: as many are worth a place of their own."""


class Shuffle(Protocol):
    """Runs a function over frames in which all rows with one value of a column are together; returns all its rows."""

    def __call__(self, function: InFrames, rows: pl.DataFrame, key: str, parts: int, schema: pl.Schema) -> pl.DataFrame:
        """The function's rows, of the schema and in any order; `parts` is how many places may be used."""


def in_one_place(
    function: InFrames,
    rows: pl.DataFrame,
    key: str,  # noqa: ARG001  not needed in one place
    parts: int,  # noqa: ARG001
    schema: pl.Schema,
) -> pl.DataFrame:
    """The `Shuffle` of one process.

    >>> in_one_place(lambda frame: frame, pl.DataFrame({"block": ["bell"]}), "block", 1, pl.Schema({"block": pl.String})).height
    1
    """
    return function(rows).match_to_schema(schema)


def read_names(keys: pl.DataFrame, persons: Persons, shuffle: Shuffle = in_one_place) -> pl.DataFrame:
    r"""The frame of `READ` of the `key` of each row, sorted by key.

    >>> read_names(pl.DataFrame({"key": ["Ann B. Bell"]}), Persons()).select("author_id", "family_block", "equal").row(0)
    ('ann-b-bell', 'person\nbell', 'ann b\nbell')
    """
    return shuffle(partial(_read, persons), keys, "key", _parts(keys, _READ_ROWS), READ).sort("key")


def alike_names(read: pl.DataFrame, shuffle: Shuffle = in_one_place) -> pl.DataFrame:
    r"""The frame of `ALIKE` of names as in `READ`.

    Of names with one initial and family name there must be some with initials only, and some with a full first name.

    >>> keys = pl.DataFrame({"key": ["Ann Bell", "A. Bell", "Cy Dole", "Cyd Dole"]})
    >>> alike_names(read_names(keys, Persons())).sort("key").rows()
    [('A. Bell', 'person\nbell', None, True), ('Ann Bell', 'person\nbell', None, True)]
    """
    names = _in_blocks(read)
    return shuffle(_alike, names, "block", _parts(names, _ALIKE_ROWS), ALIKE)


def compare_names(names: pl.DataFrame, shuffle: Shuffle = in_one_place) -> pl.DataFrame:
    r"""The frame of `COMPARED` of names as in `ROOTED`.

    >>> rows = [(name, "person\nbell", name, [number]) for number, name in enumerate(("Ann Bell", "Ann B. Bell"))]
    >>> compare_names(pl.DataFrame(rows, ROOTED, orient="row")).rows()
    [('Ann B. Bell', 'Ann Bell', 'fuller_name', None)]
    """
    return shuffle(_compare, names, "block", _parts(names, _COMPARED_ROWS), COMPARED)


def _parts(rows: pl.DataFrame, size: int) -> int:
    return -(-rows.height // size)


def _read(persons: Persons, keys: pl.DataFrame) -> pl.DataFrame:
    names = [persons.read(key) for key in keys["key"]]
    return pl.DataFrame([_row(name, persons.person([name])) for name in names], READ, orient="row")


def _row(name: Name, person: Person) -> tuple[str | bool | None, ...]:
    key, kind = name.spelling, "group" if name.is_group else "person"
    if mark_of(key) is not None:
        return (key, False, *person.published, None, None, None, None, None)
    _, given, family = name.equal_key
    equal = (f"{kind}\n{name.family_key}", f"{given}\n{family}")
    if name.is_group or not name.spaceless:
        return (key, name.is_group, *person.published, equal[0], None, equal[1], None, None)
    whole = _WHOLE + " ".join(name.spaceless)
    return (key, False, *person.published, equal[0], whole, equal[1], name.first, has_initials_only(name))


def _in_blocks(read: pl.DataFrame) -> pl.DataFrame:
    """A row for each block of each name of `READ`."""
    block = pl.col("block")
    of_family = read.select("key", pl.col("family_block").alias("block"), "equal", "first", "is_short")
    of_whole = read.select("key", pl.col("whole_block").alias("block"))
    return pl.concat([of_family.filter(block.is_not_null()), of_whole.filter(block.is_not_null())], how="diagonal")


def _alike(names: pl.DataFrame) -> pl.DataFrame:
    first, initial = pl.col("first"), pl.col("first").str.head(1).alias("initial")

    def several(*key: pl.Expr | str) -> pl.Expr:
        return pl.len().over("block", *key) > 1

    is_whole = pl.col("block").str.starts_with(_WHOLE)
    is_equal = pl.col("equal").is_not_null() & several("equal")
    has_both = pl.col("is_short").any() & (first.str.len_chars() > 1).any()
    is_near = several("first") | (several(initial) & has_both.over("block", initial))
    found = names.select(
        "key",
        "block",
        pl.when(is_equal).then("equal").alias("equal"),
        pl.when(is_whole).then(several()).otherwise(first.is_not_null() & is_near).alias("is_alike"),
    )
    return found.filter(pl.col("equal").is_not_null() | pl.col("is_alike"))


def _compare(names: pl.DataFrame) -> pl.DataFrame:
    together = Together(names.select("root", "listings").unique("root"))
    rows = names.select("block", "key", "root").sort("block", "key").iter_rows()
    found = (row for block, some in groupby(rows, itemgetter(0)) for row in _compared(block, some, together))
    return pl.DataFrame(list(found), COMPARED, orient="row")


def _compared(
    block: str, names: Iterable[tuple[str, str, str]], together: Together
) -> Iterator[tuple[str | None, str | None, str | None, list[str] | None]]:
    """The rows of one block."""
    by = WHOLE if block.startswith(_WHOLE) else FAMILY
    candidates = CandidatePairs((form_of(read_name(key), root) for _, key, root in names), (by,))
    for pair in candidates.pairs(together):
        yield (*pair, None)
    for crowd in candidates.crowds:
        yield None, None, None, sorted({form.root for form in crowd})
