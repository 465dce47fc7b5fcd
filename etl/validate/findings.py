"""Check all tables and pages by every rule, before anything is published.

In: the resolved tables, and the staged pages that they were resolved from. Out: every published table, with the audit
tables: `rules`, each with this build's results, and `findings`, what broke the rules of severity warning or error. The
report's results decide whether that is published.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
from datasette.utils import tilde_encode

from etl.errors import BrokenTables, PageError
from etl.resolve.folding import digest
from etl.resolve.overrides import Overrides
from etl.resolve.tables import Resolved
from etl.validate.integrity import TableFailure, check_pages, check_tables
from etl.validate.rule_results import FAILED, RuleContext, RuleResult, rule_result
from etl.validate.rules import apply_rules
from etl.validate.severity import FIXED, UNREADABLE_RULE, Thresholds
from etl.validate.staging import StagedBatch
from schemas import RESULT_TABLES, RULES, TABLES, Findings, Frames, Quarantine, Rules
from schemas.limits import SHOWN_LETTERS
from schemas.rules import SEVERE, Status

MOST_RUNS = 5
"""Runs of lines of one page in quarantine under one rule that are reported one by one; more are one finding."""


def _quarantine_results(tables: Frames) -> list[RuleResult]:
    """The results of the rules that send lines to the quarantine."""
    quarantine = tables["quarantine"].join(
        tables["profiles"].select("profile_id", "source"), on="profile_id", how="left"
    )
    shown = pl.col("raw_text").str.head(SHOWN_LETTERS).str.split("\n").list.first()
    rules = pl.col("rule_ids").str.json_decode(pl.List(pl.String))
    exploded = quarantine.with_columns(shown.alias("value"), rules).drop("raw_text").explode("rule_ids")
    blocks = tables["listings"].height + quarantine.height
    key = Quarantine.definition().primary_key
    return [
        _reported_once(
            rule_result(
                rule.id,
                blocks,
                exploded.filter(pl.col("rule_ids") == rule.id),
                key,
                value="value",
                message=pl.format("in quarantine: {}", "reason"),
            )
        )
        for rule in RULES.values()
        if rule.table == Quarantine.definition().name
    ]


def _reported_once(result: RuleResult) -> RuleResult:
    """The result, reported by the first run of lines alone for each page that has many."""
    ordered = result.failed.sort("profile_id", "line_start")
    runs = pl.len().over("profile_id")
    is_first = pl.int_range(pl.len()).over("profile_id") == 0
    many = pl.format(
        "{} runs of lines of this page are in quarantine, the first on line {}: {}",
        runs,
        "line_start",
        pl.col("message").str.strip_prefix("in quarantine: "),
    )
    message = pl.when(runs > MOST_RUNS).then(many).otherwise("message").alias("message")
    return replace(result, reported=ordered.with_columns(message).filter((runs <= MOST_RUNS) | is_first))


def error_results(
    tables: Frames, failures: Sequence[TableFailure], unreadable: Sequence[PageError]
) -> Iterator[RuleResult]:
    """The results of the rules that cannot be lowered: failures of tables, and pages that cannot be read.

    >>> results = error_results({"profiles": pl.DataFrame()}, [], [PageError("ann.txt", "empty file")])
    >>> {result.rule_id: result.failed["message"].to_list() for result in results}["PAG-001"]
    ['empty file']
    """
    pages = tables["profiles"].height
    rows = sum(frame.height for frame in tables.values())
    checked = {UNREADABLE_RULE: pages + len(unreadable), "PAG-002": pages, "PAG-003": pages}
    broken = [
        *((failure.rule_id, failure.row_key, None, failure.line, failure.message) for failure in failures),
        *(
            (UNREADABLE_RULE, tilde_encode(error.source), error.source, error.line, error.problem)
            for error in unreadable
        ),
    ]
    for rule_id in FIXED:
        yield RuleResult(rule_id, checked.get(rule_id, rows), _failed([row for row in broken if row[0] == rule_id]))


def _unchecked(rule_ids: Iterable[str]) -> dict[str, RuleResult]:
    return {rule_id: RuleResult(rule_id, 0, pl.DataFrame(schema=FAILED)) for rule_id in rule_ids}


def audit(rule_results: Iterable[RuleResult], thresholds: Thresholds) -> Frames:
    """The frames of `rules` and `findings`; rules without a result were not checked.

    >>> audit([], Thresholds())["rules"]["checked"].sum()
    0
    """
    results = _unchecked(RULES) | {result.rule_id: result for result in rule_results}
    statuses = {
        rule.id: thresholds.status(rule, results[rule.id].checked, results[rule.id].failed.height)
        for rule in RULES.values()
    }
    results |= _unchecked(name for name in RULES if statuses[name] == "off")
    rows = [_rule_row(results[rule_id], status, thresholds) for rule_id, status in statuses.items()]
    findings = [_findings(results[rule_id]) for rule_id, status in statuses.items() if status in SEVERE]
    return {
        "rules": Rules.sorted(Rules.frame(rows)),
        "findings": Findings.sorted(pl.concat([Findings.frame([]), *findings])),
    }


def _failed(broken: Sequence[tuple[str, str, str | None, int | None, str]]) -> pl.DataFrame:
    rows = [
        {"row_key": row_key, "source": source, "line_start": line, "line_end": line, "message": message}
        for _, row_key, source, line, message in broken
    ]
    return pl.DataFrame(rows, schema=FAILED)


def _rule_row(result: RuleResult, status: Status, thresholds: Thresholds) -> dict[str, object]:
    rule = RULES[result.rule_id]
    return {
        **vars(rule),
        "rule_id": rule.id,
        "table_name": rule.table,
        "column_name": rule.column,
        "severity": thresholds.level(rule, status),
        "checked": result.checked,
        "failed": result.failed.height,
        "status": status,
    }


def _findings(result: RuleResult) -> pl.DataFrame:
    """The rows that broke a rule, each under a hash of rule and row; a row that broke it several times is numbered."""
    rule = RULES[result.rule_id]
    reported = result.failed if result.reported is None else result.reported
    ordered = reported.sort("row_key", "value", "profile_id", "line_start", nulls_last=True, maintain_order=True)
    times = ordered.select(pl.int_range(pl.len()).over("row_key")).to_series()
    ids = [
        digest(f"{rule.id}\n{key}" + f"\n{n}" * (n > 0), 16) for key, n in zip(ordered["row_key"], times, strict=True)
    ]
    return Findings.select(
        ordered.with_columns(
            pl.Series("finding_id", ids, dtype=pl.String),
            pl.lit(rule.id).alias("rule_id"),
            pl.lit(rule.table).alias("table_name"),
        )
    )


def validate(
    resolved: Resolved,
    staged: StagedBatch,
    overrides: Overrides,
    thresholds: Thresholds | None = None,
    *,
    allow_unreadable: bool = False,
) -> Frames:
    """All published tables, in the order of their foreign keys, checked.

    With `allow_unreadable` pages of which nothing could be read are warnings and no errors.

    Raises `BrokenTables` where the audit tables themselves violate their models.
    """
    tables = resolved.tables | {"quarantine": staged.quarantine}
    rule_results = _rule_results(RuleContext(tables, resolved, staged, overrides))
    settings = replace(thresholds or Thresholds(), allow_unreadable=allow_unreadable)
    tables |= audit(rule_results, settings)
    broken = [failure.message for failure in check_tables(tables, RESULT_TABLES)]
    if broken:
        raise BrokenTables(*broken)
    return {name: tables[name] for name in TABLES}


def _rule_results(context: RuleContext) -> Iterator[RuleResult]:
    """The results of every rule; where keys or values are broken, no other rule can be checked."""
    failures = list(check_tables(context.tables))
    if not failures:
        with ThreadPoolExecutor(max_workers=1) as beside:  # Most rules work without the interpreter's lock.
            pages = beside.submit(lambda: list(check_pages(context.tables)))
            yield from apply_rules(context)
            yield from _quarantine_results(context.tables)
            failures = pages.result()
    yield from error_results(context.tables, failures, context.staged.unreadable)
