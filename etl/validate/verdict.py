"""The verdict on a run: whether its results stop a build, and in which words. Against a baseline only what is new counts."""

from pathlib import Path

import msgspec

from etl.errors import BadData
from etl.printable import visible
from etl.validate.reports.text import by_urgency, more, picked, place, shorten
from etl.validate.results import FailOn, FindingResult, Results
from etl.validate.thresholds import UNREADABLE

SHOWN = 20
"""How many findings an error tells before it only counts them."""


def judged(results: Results, fail_on: FailOn) -> Results:
    """The results with the verdict of a run that such findings stop: failed where `require_good` raises."""
    stopped = stopping_findings(results, fail_on) or not results.pages
    return msgspec.structs.replace(results, verdict="failed" if stopped else results.verdict, fail_on=fail_on)


def require_good(results: Results, fail_on: FailOn, report: Path | None = None) -> None:
    """Raise `BadData`, a line a finding, where the results are not good enough, or there is nothing at all.

    `report` is the folder in which reports tell all findings.
    """
    stopping = stopping_findings(results, fail_on)
    if stopping:
        shown = picked(stopping, results.rules, shorten(stopping, SHOWN))
        told, rest = [_in_words(finding) for finding in shown], len(stopping) - len(shown)
        raise BadData(*told, *([more(rest, report)] if rest else []))
    if not results.pages:
        raise BadData("none of the files could be read, expected one page at least; nothing is published")


def stopping_findings(results: Results, fail_on: FailOn) -> list[FindingResult]:
    """The findings that stop a build, the gravest first: errors, and warnings where those shall; of both only what is new."""
    severities = ("error",) if fail_on == "error" else ("error", "warning")
    stopping = (finding for finding in results.findings if finding.severity in severities)
    return by_urgency(finding for finding in stopping if finding.state != "unchanged")


def _in_words(finding: FindingResult) -> str:
    """A finding as compilers write it; a page of which nothing could be read is told by its file alone."""
    if finding.source is None or finding.rule_id in UNREADABLE:
        return visible(f"{finding.source or finding.rule_id}: {finding.message}")
    return visible(f"{place(finding)}: {finding.message} ({finding.rule_id})")
