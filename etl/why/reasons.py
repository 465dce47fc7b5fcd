"""What `why` tells: plain records. Keys are escaped as in Datasette's address of the row, so that each can be asked about."""

from collections.abc import Iterable
from dataclasses import dataclass

Value = str | int | None


@dataclass(frozen=True)
class Place:
    """Lines of a page, from 1, as they stand there, and what they have to do with the row."""

    profile_id: str
    source: str
    line_start: int
    line_end: int
    words: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Join:
    """Another row that had a part in this one, and which; an empty key stands for several rows of the table."""

    table: str
    key: str
    words: str


@dataclass(frozen=True)
class Look:
    """A rule that looked at the row, and what it found there: no message where the rule holds."""

    rule_id: str
    severity: str
    title: str
    words: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Reasons:
    """All that is known about why a row is what it is; `more_places` where further lines say the same."""

    table: str
    key: str
    row: dict[str, Value]
    places: tuple[Place, ...]
    more_places: bool
    joins: tuple[Join, ...]
    rules: tuple[Look, ...]


@dataclass(frozen=True)
class Told:
    """Where a row came from, place by place as they are asked for, and what made it."""

    places: Iterable[Place]
    joins: Iterable[Join]
