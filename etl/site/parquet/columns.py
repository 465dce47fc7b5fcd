"""Which Arrow type a column of SQL's answer gets: the declared one where its values fit, else the narrowest that holds them.

In: a column's values, batch by batch. Out: its field, and its values as an Arrow array. A column that holds nothing is
text where nothing is declared; one that mixes numbers and text is text; one with a blob in it is binary.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from etl.site.parquet.origins import Origin

_EXACT = 1 << 53
"""The integer up to which a float holds every integer."""
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INFERRED = (pa.int64(), pa.float64(), pa.date32(), pa.string(), pa.binary())
"""The types that are tried, the narrowest first."""


class Column:
    """One column, and the types that its values so far allow."""

    def __init__(self, name: str, origin: Origin) -> None:
        self.name = name
        self._words = origin.words
        self._types: tuple[pa.DataType, ...] = (origin.type, *_INFERRED) if origin.type else _INFERRED
        self._empty: pa.DataType | None = origin.type or pa.string()

    def look(self, values: Sequence[Any]) -> None:
        """Drop the types that do not hold these values."""
        there = [value for value in values if value is not None]
        if there:
            self._empty = None
            kinds = frozenset(map(type, there))
            self._types = tuple(kind for kind in self._types if _HOLDS[kind](there, kinds))

    @property
    def type(self) -> pa.DataType:
        """The type that all values allow."""
        return self._empty or self._types[0]

    @property
    def field(self) -> "pa.Field[Any]":
        """The column in the file's schema."""
        return pa.field(self.name, self.type, metadata=dict(self._words))

    def array(self, values: Sequence[Any]) -> "pa.Array[Any]":
        """Values of this column in its type."""
        convert = _CONVERT.get(self.type)
        if convert:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, self.type)


def distinct(names: Sequence[str]) -> list[str]:
    """Names that no two columns share.

    >>> distinct(["a", "a", "a_2", "a"])
    ['a', 'a_3', 'a_2', 'a_4']
    """
    given: dict[str, None] = {}
    for name in names:
        new, count = name, 1
        while new in given or (count > 1 and new in names):
            count += 1
            new = f"{name}_{count}"
        given[new] = None
    return list(given)


_Holds = Callable[[Sequence[Any], frozenset[type]], bool]


def _date(text: str) -> date:
    """The day that a text is; raises `ValueError` for other ways of writing one, which Python reads too."""
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _are_dates(values: Sequence[str]) -> bool:
    try:
        return all(map(_date, values))
    except ValueError:
        return False


_HOLDS: dict[pa.DataType, _Holds] = {
    pa.bool_(): lambda values, kinds: kinds == {int} and set(values) <= {0, 1},
    pa.int64(): lambda _, kinds: kinds == {int},
    pa.float64(): lambda values, kinds: (
        kinds <= {int, float} and all(-_EXACT <= value <= _EXACT for value in values if type(value) is int)
    ),
    pa.date32(): lambda values, kinds: kinds == {str} and _are_dates(values),
    pa.string(): lambda _, kinds: bytes not in kinds,
    pa.binary(): lambda *_: True,
}
_CONVERT: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.bool_(): bool,
    pa.date32(): date.fromisoformat,
    pa.string(): str,
    pa.binary(): lambda value: value if isinstance(value, bytes) else str(value).encode(),
}
