"""The audit tables: every rule with this build's results, and what broke the rules of severity warning or error.

In: outcomes and the quarantine. Out: the frames of `rules` and `findings`.
"""

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from etl.errors import PageError
from etl.resolve.folding import digest
from etl.validate.keys import TableFailure
from etl.validate.outcomes import FAILED, Outcome, escape, outcome
from etl.validate.thresholds import Thresholds
from schemas import RULES, Findings, Frames, Quarantine, Rules

UNREADABLE_RULE = "PAG-001"
DRIFT_TABLE = "dataset"
"""The table that rules about drift name: they look at reports, never at a release."""


def quarantine_outcomes(tables: Frames) -> list[Outcome]:
    """For each rule that sends lines to the quarantine what it sent there."""
    quarantine = tables["quarantine"].join(
        tables["profiles"].select("profile_id", "source"), on="profile_id", how="left"
    )
    exploded = quarantine.with_columns(pl.col("rule_ids").str.json_decode(pl.List(pl.String))).explode("rule_ids")
    blocks = tables["listings"].height + quarantine.height
    key = Quarantine.definition().primary_key
    return [
        outcome(
            rule.id,
            blocks,
            exploded.filter(pl.col("rule_ids") == rule.id),
            key,
            value=pl.col("raw_text").str.split("\n").list.first(),
            message=pl.format("in quarantine: {}", "reason"),
        )
        for rule in RULES.values()
        if rule.table == Quarantine.definition().name
    ]


def error_outcomes(
    tables: Frames, failures: Sequence[TableFailure], unreadable: Sequence[PageError]
) -> Iterator[Outcome]:
    """For each rule that stops a build what broke it: failures of tables, and pages that cannot be read."""
    pages = tables["profiles"].height
    rows = sum(frame.height for frame in tables.values())
    checked = {"PAG-001": pages + len(unreadable), "PAG-002": pages, "PAG-003": pages}
    broken = [
        *((failure.rule_id, failure.row_key, None, failure.line, failure.message) for failure in failures),
        *((UNREADABLE_RULE, escape(error.source), error.source, error.line, error.problem) for error in unreadable),
    ]
    for rule in RULES.values():
        if rule.severity == "error" and rule.table != DRIFT_TABLE:
            yield Outcome(rule.id, checked.get(rule.id, rows), _failed([row for row in broken if row[0] == rule.id]))


def unchecked(rule_ids: Iterable[str]) -> Iterator[Outcome]:
    """The outcomes of rules that were not looked at."""
    for rule_id in rule_ids:
        yield Outcome(rule_id, 0, pl.DataFrame(schema=FAILED))


def audit(outcomes: Iterable[Outcome], thresholds: Thresholds) -> Frames:
    """The frames of `rules` and `findings`; rules without an outcome were not looked at."""
    results = {result.rule_id: result for result in outcomes}
    results |= {result.rule_id: result for result in unchecked(RULES.keys() - results.keys())}
    return {
        "rules": Rules.sorted(Rules.frame([_rule_row(results[rule_id], thresholds) for rule_id in RULES])),
        "findings": Findings.sorted(pl.concat([_findings(result) for result in results.values()])),
    }


def _failed(broken: Sequence[tuple[str, str, str | None, int | None, str]]) -> pl.DataFrame:
    rows = [
        {"row_key": row_key, "source": source, "line_start": line, "line_end": line, "message": message}
        for _, row_key, source, line, message in broken
    ]
    return pl.DataFrame(rows, schema=FAILED)


def _rule_row(result: Outcome, thresholds: Thresholds) -> dict[str, object]:
    rule = RULES[result.rule_id]
    failed = result.failed.height
    return {
        **vars(rule),
        "rule_id": rule.id,
        "table_name": rule.table,
        "column_name": rule.column,
        "checked": result.checked,
        "failed": failed,
        "status": thresholds.status(rule, result.checked, failed),
    }


def _findings(result: Outcome) -> pl.DataFrame:
    """The rows that broke a rule, each under a hash of rule and row; a row that broke it several times is numbered."""
    rule = RULES[result.rule_id]
    told = result.failed if rule.severity != "info" else result.failed.clear()
    ordered = told.sort("row_key", "value", "profile_id", "line_start", nulls_last=True)
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
