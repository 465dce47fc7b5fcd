"""What all reports say in the same way: places, verdicts, what comes first; and whether results stop a build.

In: `Results` and text from pages. Out: text of one line that can be looked at without harm, and findings in order.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from etl.errors import BadData
from etl.printable import count, visible
from etl.report.results import FailOn, FindingResult, Results, RuleSummary, shown
from etl.validate.severity import UNREADABLE

LEFT_OUT = "PAG-001"
"""The rule about files that are no page of a release, not even one without a paper."""
SHOWN_NAMES = 5
_RANKS = {"failed": 0, "warned": 1, "noted": 2, "off": 3, "passed": 4}


def clipped(text: str) -> str:
    """Visible text, its end cut off where it is long."""
    return visible(shown(text))


def verdict(results: Results) -> str:
    """The verdict in a sentence."""
    words = {
        "failed": f"Failed, {_stopped(results)}.",
        "warned": f"No error, but {count(len(results.findings), 'warning')}.",
        "passed": "Passed, without a finding.",
    }
    return words[results.verdict]


def _stopped(results: Results) -> str:
    """What a run failed by."""
    errors = sum(finding.severity == "error" for finding in results.findings)
    warnings = count(len(results.findings) - errors, "warning")
    told = f"with {count(errors, 'error')} and {warnings}" if errors else f"with {warnings}"
    if results.fail_on == "warning" and len(results.findings) > errors:
        return f"{told}, and warnings stop this run (--fail-on warning)"
    return told if errors else "since none of the files could be read"


def left_out(results: Results) -> list[str]:
    """The files that cannot be read and that the rest is published without."""
    told = (finding for finding in results.findings if finding.rule_id == LEFT_OUT and finding.severity == "warning")
    return sorted({finding.source for finding in told if finding.source is not None})


def named(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are.

    >>> named(["a.txt", "b.txt"]), named("abcdefgh")
    ('a.txt, b.txt', 'a, b, c, d, e and 3 more')
    """
    few = names[: shorten(names, SHOWN_NAMES)]
    rest = len(names) - len(few)
    return ", ".join(map(clipped, few)) + (f" and {rest:,} more" if rest else "")


def more(rest: int, folder: Path | None) -> str:
    """That there are more findings than are shown, and where they are; `folder` is the one of the reports.

    >>> more(31, None), more(2, Path("report"))
    ('and 31 more; --report FOLDER writes them all', 'and 2 more; the reports in report have them all')
    """
    return f"and {rest:,} more; " + (
        f"the reports in {visible(str(folder))} have them all" if folder else "--report FOLDER writes them all"
    )


def drift(results: Results) -> str | None:
    """How the findings compare with the baseline, in a sentence; None where there is none."""
    if results.baseline is None:
        return None
    held = results.baseline
    return f"Against the baseline {held.new:,} new, {held.unchanged:,} unchanged, {held.gone:,} gone."


def lines(finding: FindingResult) -> str | None:
    """The lines of a finding, such as 4 or 12-17; None where no line shows it."""
    if finding.line_start is None:
        return None
    one = finding.line_end in {None, finding.line_start}
    return str(finding.line_start) if one else f"{finding.line_start}-{finding.line_end}"


def place(finding: FindingResult) -> str:
    """Where a finding is, as editors write it; its row where it is on no page."""
    if finding.source is None:
        return f"{finding.table}/{finding.row_key}"
    return ":".join(filter(None, (finding.source, lines(finding))))


def by_urgency(findings: Iterable[FindingResult]) -> list[FindingResult]:
    """Findings, new ones first, then errors: against a baseline only new ones can fail a run."""
    return sorted(findings, key=_urgency)


def by_failure(rules: Sequence[RuleSummary]) -> list[RuleSummary]:
    """Rules, those that failed first, then by how many broke them."""
    return sorted(rules, key=lambda rule: (_RANKS[rule.status], -rule.failed, rule.id))


def by_rule(findings: Iterable[FindingResult], rules: Sequence[RuleSummary]) -> list[list[FindingResult]]:
    """Findings in groups of one rule and state: those of new errors first, and otherwise the rules as in `by_failure`."""
    ranks = {rule.id: rank for rank, rule in enumerate(by_failure(rules))}
    ordered = sorted(by_urgency(findings), key=lambda finding: (_urgency(finding), ranks[finding.rule_id]))
    return [list(group) for _, group in groupby(ordered, key=lambda finding: (_urgency(finding), finding.rule_id))]


def picked(
    findings: Iterable[FindingResult], rules: Sequence[RuleSummary], most: int, warnings: int | None = None
) -> list[FindingResult]:
    """As many findings as can be shown, in the order of `by_rule`, so that no rule with many hides another.

    Errors are taken before all others, and of each rule the first before the second; `warnings` is how many are taken
    of a rule that is no error.
    """
    places = [
        (_urgency(finding), number, place, finding)
        for place, group in enumerate(by_rule(findings, rules))
        for number, finding in enumerate(group)
        if warnings is None or finding.severity == "error" or number < warnings
    ]
    first = sorted(places, key=lambda place: place[:3])[:most]
    return [finding for _, _, _, finding in sorted(first, key=lambda place: (place[2], place[1]))]


def shorten(items: Sequence[object], most: int) -> int:
    """How many items to show, at most so many: one more where a line would only say that one is left.

    >>> shorten("abcd", 3), shorten("abcde", 3)
    (4, 3)
    """
    return len(items) if len(items) <= most + 1 else most


def _urgency(finding: FindingResult) -> tuple[bool, bool]:
    return finding.state == "unchanged", finding.severity != "error"


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
