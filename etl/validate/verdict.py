"""The verdict on a run: whether its results stop a build, and in which words. Against a baseline only what is new counts."""

from typing import Literal

from etl.errors import BadData
from etl.printable import visible
from etl.validate.reports.text import by_urgency, picked, shorten
from etl.validate.results import FindingResult, Results

FailOn = Literal["error", "warning"]
SHOWN = 20
"""How many findings an error tells before it only counts them."""


def require_good(results: Results, fail_on: FailOn) -> None:
    """Raise `BadData`, a line a finding, where the results are not good enough, or there is nothing at all."""
    stopping = stopping_findings(results, fail_on)
    if stopping:
        shown = picked(stopping, results.rules, shorten(stopping, SHOWN))
        told, rest = [_in_words(finding) for finding in shown], len(stopping) - len(shown)
        raise BadData("\n".join([*told, *([f"and {rest:,} more; --report FOLDER writes them all"] if rest else [])]))
    if not results.pages:
        raise BadData("none of the files could be read, expected one page at least; nothing is published")


def stopping_findings(results: Results, fail_on: FailOn) -> list[FindingResult]:
    """The findings that stop a build, the gravest first: errors, and warnings where those shall; of both only what is new."""
    severities = ("error",) if fail_on == "error" else ("error", "warning")
    stopping = (finding for finding in results.findings if finding.severity in severities)
    return by_urgency(finding for finding in stopping if finding.state != "unchanged")


def _in_words(finding: FindingResult) -> str:
    return visible(f"{finding.source or finding.rule_id}: {finding.message}")
