"""The audit tables: every rule with this build's results, and what broke the rules of severity warning or error.

In: outcomes and the quarantine. Out: the frames of `rules` and `findings`.
"""

from collections.abc import Iterable

import polars as pl

from etl.resolve.folding import digest
from etl.validate.outcomes import FAILED, Outcome, outcome
from schemas import RULES, Findings, Frames, Quarantine, Rules

_STATUS = {"info": "noted", "warning": "warned", "error": "failed"}


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


def passed(tables: Frames) -> list[Outcome]:
    """The outcomes of the rules that stop a build: a release exists only where none is broken."""
    rows = sum(frame.height for frame in tables.values())
    checked = {"profiles": tables["profiles"].height, "tables": rows}
    nothing = pl.DataFrame(schema=FAILED)
    return [Outcome(rule.id, checked[rule.table], nothing) for rule in RULES.values() if rule.severity == "error"]


def audit(outcomes: Iterable[Outcome]) -> Frames:
    """The frames of `rules` and `findings`."""
    results = {result.rule_id: result for result in outcomes}
    return {
        "rules": Rules.sorted(Rules.frame([_rule_row(results[rule_id]) for rule_id in RULES])),
        "findings": Findings.sorted(pl.concat([_findings(result) for result in results.values()])),
    }


def _rule_row(result: Outcome) -> dict[str, object]:
    rule = RULES[result.rule_id]
    failed = result.failed.height
    return {
        **vars(rule),
        "rule_id": rule.id,
        "table_name": rule.table,
        "column_name": rule.column,
        "checked": result.checked,
        "failed": failed,
        "status": _STATUS[rule.severity] if failed else "passed",
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
