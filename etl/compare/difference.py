"""What a comparison tells: plain records, which `paperledger diff --format json` writes as they are.

A row is named by its key as Datasette writes it in the row's address, which `paperledger why` takes too.
"""

from dataclasses import dataclass
from typing import Literal, get_args

FORMAT = 1
AUDIT_TABLES = ("quarantine", "rules", "findings", "merge_candidates", "paper_candidates")
"""Tables that tell of the others: told apart, since a row more of them is seldom good news."""

Tier = Literal["worse", "schema", "changed", "more"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""How grave a difference is, the gravest first."""
Value = str | int | float | bool | list[str] | None
SchemaKind = Literal[
    "table_added", "table_removed", "column_added", "column_removed", "type_changed", "primary_key_changed"
]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that one release lacks; `label` is what people call it, where its table has such a column."""

    key: str
    label: str | None


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """A column's value before and after; dates are ISO text."""

    column: str
    old: Value
    new: Value


@dataclass(frozen=True, kw_only=True)
class ChangedRow:
    """A row of both releases whose values differ."""

    key: str
    label: str | None
    values: list[ValueChange]


@dataclass(frozen=True, kw_only=True)
class TableDifference:
    """What differs in the rows of one table; `lost` counts the rows removed that no page saved again replaces."""

    table: str
    old_rows: int
    new_rows: int
    lost: int
    removed: list[Row]
    added: list[Row]
    changed: list[ChangedRow]

    @property
    def is_empty(self) -> bool:
        """Whether both releases hold the same rows."""
        return not (self.removed or self.added or self.changed)


@dataclass(frozen=True, kw_only=True)
class SchemaChange:
    """A table, column, type or key that the releases do not share."""

    kind: SchemaKind
    table: str
    column: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, kw_only=True)
class RuleCount:
    """How many items broke a rule before and after; None where a release does not know the rule."""

    rule_id: str
    severity: str
    title: str
    old: int | None
    new: int | None


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many papers pages list, of those that they state; pages that state none are left out."""

    pages: int
    stated_papers: int
    listed_papers: int

    @property
    def share(self) -> float | None:
        """The one divided by the other; None where no page states any.

        >>> Coverage(pages=1, stated_papers=4, listed_papers=3).share
        0.75
        """
        return self.listed_papers / self.stated_papers if self.stated_papers else None


@dataclass(frozen=True, kw_only=True)
class PageChange:
    """A page that was saved again, or that lists or states another number of papers than before."""

    name: str | None
    source: str
    old_id: str
    new_id: str
    old: Coverage
    new: Coverage


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """A release: the path that was given, the tool's version and the hash that names it."""

    path: str
    version: str | None
    logical_hash: str | None


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One difference in a sentence, and how grave it is."""

    tier: Tier
    words: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All that differs between two releases, format 1; everything is in a stable order."""

    format: int = FORMAT
    old: ReleaseFacts
    new: ReleaseFacts
    reasons: list[Reason]
    schema: list[SchemaChange]
    tables: list[TableDifference]
    audit: list[TableDifference]
    rules: list[RuleCount]
    pages: list[PageChange]
    old_coverage: Coverage
    new_coverage: Coverage

    @property
    def is_empty(self) -> bool:
        """Whether the releases hold the same tables."""
        return not (self.schema or self.tables or self.audit)

    @property
    def is_worse(self) -> bool:
        """Whether the new release lost something, or breaks rules that the old one kept."""
        return any(reason.tier == "worse" for reason in self.reasons)
