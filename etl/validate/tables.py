"""The last word before anything is published: audit the tables, check them whole, and raise what must not pass.

In: what was resolved, and the quarantine. Out: every published table, checked.
"""

from itertools import chain

import polars as pl

from etl.errors import BrokenTables
from etl.resolve.overrides import Overrides
from etl.resolve.tables import Resolved
from etl.validate.audit import audit, passed, quarantine_outcomes
from etl.validate.keys import check_tables
from etl.validate.pages import check_pages
from etl.validate.rules import find
from etl.validate.subject import Subject
from schemas import TABLES, Frames

SHOWN_FAILURES = 10
"""How many failures an error tells before it only counts them."""


def validate(resolved: Resolved, quarantine: pl.DataFrame, overrides: Overrides) -> Frames:
    """All published tables, in the order of their foreign keys.

    Raises `BrokenTables` where one breaks a rule of severity error: a value, a key, a lost line, a page that
    cannot be rebuilt.
    """
    tables = resolved.tables | {"quarantine": quarantine}
    outcomes = chain(find(Subject(tables, resolved.listings, overrides)), quarantine_outcomes(tables), passed(tables))
    tables |= audit(outcomes)
    failures = list(check_tables(tables)) or list(check_pages(tables))
    if failures:
        shown = [f"{failure.rule_id}: {failure.message}" for failure in failures[:SHOWN_FAILURES]]
        rest = [f"and {len(failures) - SHOWN_FAILURES} more"] if len(failures) > SHOWN_FAILURES else []
        raise BrokenTables("\n".join(shown + rest))
    return {name: tables[name] for name in TABLES}
