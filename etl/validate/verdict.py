"""The verdict on a run: whether its results stop a build, and in which words.

Against a baseline only what is new counts, but for what no threshold can allow.
"""

from typing import Literal

from etl.errors import BadData
from etl.validate.results import FindingResult, Results
from etl.validate.thresholds import FIXED

FailOn = Literal["error", "warning"]
SHOWN = 10
"""How many findings an error tells before it only counts them."""


def require_good(results: Results, fail_on: FailOn) -> None:
    """Raise `BadData`, a line a finding, where the results are not good enough."""
    stopping = stopping_findings(results, fail_on)
    if stopping:
        told = [_in_words(finding) for finding in stopping[:SHOWN]]
        rest = len(stopping) - SHOWN
        raise BadData("\n".join([*told, *([f"and {rest} more"] if rest > 0 else [])]))


def stopping_findings(results: Results, fail_on: FailOn) -> list[FindingResult]:
    """The findings that stop a build: errors, and warnings where those shall; of both only what is new."""
    severities = ("error",) if fail_on == "error" else ("error", "warning")
    return [
        finding
        for finding in results.findings
        if finding.severity in severities and (finding.state != "unchanged" or finding.rule_id in FIXED)
    ]


def _in_words(finding: FindingResult) -> str:
    if finding.source is None:
        return f"{finding.rule_id}: {finding.message}"
    return f"{finding.source}: {finding.message}"
