"""The last word before anything is published: check the tables whole, and tell what every rule found.

In: what was resolved, the quarantine, the pages that cannot be read. Out: every published table, `rules` and
`findings` among them. Whether that may be published is for the results to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from etl.errors import BrokenTables, PageError
from etl.extract.records import Note
from etl.resolve.overrides import Overrides
from etl.resolve.tables import Resolved
from etl.validate.audit import audit, error_results, quarantine_results
from etl.validate.integrity import check_pages, check_tables
from etl.validate.rule_results import RuleContext, RuleResult
from etl.validate.rules import find
from etl.validate.severity import Thresholds
from schemas import TABLES, Frames

AUDIT_TABLES = ("rules", "findings")


def validate(  # noqa: PLR0913 - what a run is given, each by its name
    resolved: Resolved,
    quarantine: pl.DataFrame,
    overrides: Overrides,
    thresholds: Thresholds | None = None,
    unreadable: Sequence[PageError] = (),
    *,
    notes: Sequence[Note] = (),
    allow_unreadable: bool = False,
) -> Frames:
    """All published tables, in the order of their foreign keys, checked.

    With `allow_unreadable` pages of which nothing could be read are warnings and no errors.

    Raises `BrokenTables` where the audit tables themselves are not what their models promise.
    """
    tables = resolved.tables | {"quarantine": quarantine}
    context = RuleContext(tables, resolved.listings, overrides, tuple(notes), resolved.uncompared)
    rule_results = _rule_results(context, unreadable)
    settings = replace(thresholds or Thresholds(), allow_unreadable=allow_unreadable)
    tables |= audit(rule_results, settings)
    broken = [failure.message for failure in check_tables(tables, AUDIT_TABLES)]
    if broken:
        raise BrokenTables(*broken)
    return {name: tables[name] for name in TABLES}


def _rule_results(context: RuleContext, unreadable: Sequence[PageError]) -> Iterator[RuleResult]:
    """What every rule found; where keys or values are broken, nothing else can be looked at."""
    failures = list(check_tables(context.tables))
    if not failures:
        failures = list(check_pages(context.tables))
        yield from find(context)
        yield from quarantine_results(context.tables)
    yield from error_results(context.tables, failures, unreadable)
