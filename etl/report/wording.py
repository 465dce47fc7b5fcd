"""Phrases and order that all reports share: places, verdicts, urgency; and whether results stop a build.

In: `Results` and text from pages. Out: safe text of one line, and findings in order.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from etl.errors import BadData
from etl.printable import count, visible
from etl.report.results import FailOn, FindingResult, Results, RuleSummary, shown
from etl.validate.severity import UNREADABLE, UNREADABLE_RULE

SHOWN_NAMES = 5
_RANKS = {"failed": 0, "warned": 1, "noted": 2, "off": 3, "passed": 4}


def clipped(text: str) -> str:
    r"""Visible text, cut where it is long.

    >>> clipped("Ann\u202eBell")
    'AnnU+202EBell'
    """
    return visible(shown(text))


def verdict(results: Results) -> str:
    """The verdict in a sentence.

    >>> verdict(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]))
    'Passed, without a finding.'
    """
    words = {
        "failed": f"Failed, {_stopped(results)}.",
        "warned": f"No error, but {count(len(results.findings), 'warning')}.",
        "passed": "Passed, without a finding.",
    }
    return words[results.verdict]


def _stopped(results: Results) -> str:
    """The reason for a failed run."""
    errors = sum(finding.severity == "error" for finding in results.findings)
    warnings = count(len(results.findings) - errors, "warning")
    counts = f"with {count(errors, 'error')} and {warnings}" if errors else f"with {warnings}"
    if results.fail_on == "warning" and len(results.findings) > errors:
        return f"{counts}, and warnings stop this run (--fail-on warning)"
    return counts if errors else "since none of the files could be read"


def matched(results: Results, name: Callable[[str], str] = visible) -> str | None:
    """How many papers match a record of the reference, in a sentence with its files by `name`; None without a reference.

    >>> matched(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])) is None
    True
    """
    if isinstance(results.reference, msgspec.UnsetType):
        return None
    files = ", ".join(
        f"{name(file.name)} ({count(file.records, 'record')}{f', {file.damaged:,} damaged' if file.damaged else ''})"
        for file in results.reference.files
    )
    papers = count(results.rows.get("papers", 0), "paper")
    completed = count(results.reference.completed, "cut byline")
    return f"{results.reference.matched:,} of {papers} found in {files}, which completes {completed}"


def left_out(results: Results) -> list[str]:
    """The unreadable files that a release is published without, sorted.

    >>> left_out(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]))
    []
    """
    warned = (UNREADABLE_RULE, "warning")
    warnings = (finding for finding in results.findings if (finding.rule_id, finding.severity) == warned)
    return sorted({finding.source for finding in warnings if finding.source is not None})


def named(names: Sequence[str]) -> str:
    """The first of some names, and the number of the others.

    >>> named(["a.txt", "b.txt"]), named("abcdefgh")
    ('a.txt, b.txt', 'a, b, c, d, e and 3 more')
    """
    few = names[: shorten(names, SHOWN_NAMES)]
    rest = len(names) - len(few)
    return ", ".join(map(clipped, few)) + (f" and {rest:,} more" if rest else "")


def more(rest: int, folder: Path | None) -> str:
    """The number of findings that are not shown, and where they are; `folder` is the folder of the reports.

    >>> more(31, None), more(2, Path("report"))
    ('and 31 more; --report FOLDER writes them all', 'and 2 more; the reports in report have them all')
    """
    return f"and {rest:,} more; " + (
        f"the reports in {visible(str(folder))} have them all" if folder else "--report FOLDER writes them all"
    )


def drift(results: Results) -> str | None:
    """The comparison with the baseline in a sentence; None without a baseline.

    >>> drift(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])) is None
    True
    """
    base = results.baseline
    if base is None:
        return None
    return f"Against the baseline {base.new:,} new, {base.unchanged:,} unchanged, {base.gone:,} gone."


def lines(finding: FindingResult) -> str | None:
    """The lines of a finding, such as 4 or 12-17; None where it is on no line.

    >>> lines(FindingResult(id="", rule_id="PAP-001", severity="warning", table="papers", row_key="a", profile_id=None,
    ...     source="bells.txt", line_start=4, line_end=7, value=None, message="no abstract", raw=[]))
    '4-7'
    """
    if finding.line_start is None:
        return None
    one = finding.line_end in {None, finding.line_start}
    return str(finding.line_start) if one else f"{finding.line_start}-{finding.line_end}"


def place(finding: FindingResult) -> str:
    """The place of a finding as source:lines, as in editors; table/row where it is on no page.

    >>> place(FindingResult(id="", rule_id="PAP-001", severity="warning", table="papers", row_key="a", profile_id=None,
    ...     source="bells.txt", line_start=4, line_end=7, value=None, message="no abstract", raw=[]))
    'bells.txt:4-7'
    """
    if finding.source is None:
        return f"{finding.table}/{finding.row_key}"
    return ":".join(filter(None, (finding.source, lines(finding))))


def by_urgency(findings: Iterable[FindingResult]) -> list[FindingResult]:
    """Findings by urgency: new before unchanged, which cannot fail a run, and errors first within each.

    >>> given = dict.fromkeys(("id", "row_key", "profile_id", "source", "line_start", "line_end", "value"), "1")
    >>> given |= {"severity": "warning", "table": "papers", "message": "", "raw": []}
    >>> found = [FindingResult(**given, rule_id="A", state=state) for state in ("unchanged", "new")]
    >>> [one.state for one in by_urgency(found)]
    ['new', 'unchanged']
    """
    return sorted(findings, key=_urgency)


def by_failure(rules: Sequence[RuleSummary]) -> list[RuleSummary]:
    """Rules by status, failed ones first, then by number of failures.

    >>> rule = RuleSummary(id="A", table="papers", column=None, severity="warning", dimension="validity", title="",
    ...     why="", checked=2, failed=1, status="warned")
    >>> [one.id for one in by_failure([rule, msgspec.structs.replace(rule, id="B", failed=2)])]
    ['B', 'A']
    """
    return sorted(rules, key=lambda rule: (_RANKS[rule.status], -rule.failed, rule.id))


def by_rule(findings: Iterable[FindingResult], rules: Sequence[RuleSummary]) -> list[list[FindingResult]]:
    """Findings grouped by rule and urgency: in the order of `by_urgency`, then of the rules in `by_failure`.

    >>> rule = RuleSummary(id="A", table="papers", column=None, severity="warning", dimension="validity", title="",
    ...     why="", checked=9, failed=2, status="warned")
    >>> rules = [rule, msgspec.structs.replace(rule, id="B", failed=1)]
    >>> given = dict.fromkeys(("id", "row_key", "profile_id", "source", "line_start", "line_end", "value"), "1")
    >>> given |= {"severity": "warning", "table": "papers", "message": "", "raw": []}
    >>> [[one.rule_id for one in group] for group in by_rule([FindingResult(**given, rule_id=name) for name in "BAA"], rules)]
    [['A', 'A'], ['B']]
    """
    ranks = {rule.id: rank for rank, rule in enumerate(by_failure(rules))}
    ordered = sorted(by_urgency(findings), key=lambda finding: (_urgency(finding), ranks[finding.rule_id]))
    return [list(group) for _, group in groupby(ordered, key=lambda finding: (_urgency(finding), finding.rule_id))]


def picked(
    findings: Iterable[FindingResult], rules: Sequence[RuleSummary], most: int, warnings: int | None = None
) -> list[FindingResult]:
    """At most `most` findings in the order of `by_rule`, chosen so that no rule with many findings hides another.

    The most urgent are chosen first, and of each rule the first before the second; `warnings` limits the number of
    findings of each rule that are no errors.

    >>> rule = RuleSummary(id="A", table="papers", column=None, severity="warning", dimension="validity", title="",
    ...     why="", checked=9, failed=2, status="warned")
    >>> rules = [rule, msgspec.structs.replace(rule, id="B", failed=1)]
    >>> given = dict.fromkeys(("id", "row_key", "profile_id", "source", "line_start", "line_end", "value"), "1")
    >>> given |= {"severity": "warning", "table": "papers", "message": "", "raw": []}
    >>> [one.rule_id for one in picked([FindingResult(**given, rule_id=name) for name in "BAA"], rules, most=2)]
    ['A', 'B']
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
    """The number of items to show: at most `most`, or one more, so that no line says that a single item is left out.

    >>> shorten("abcd", 3), shorten("abcde", 3)
    (4, 3)
    """
    return len(items) if len(items) <= most + 1 else most


def _urgency(finding: FindingResult) -> tuple[bool, bool]:
    return finding.state == "unchanged", finding.severity != "error"


SHOWN = 20
"""Findings in the message of an error; the others are counted."""


def judged(results: Results, fail_on: FailOn) -> Results:
    """The results with the verdict under `fail_on`: failed where `require_good` raises, as without any page.

    >>> judged(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]), "error").verdict
    'failed'
    """
    stopped = stopping_findings(results, fail_on) or not results.pages
    return msgspec.structs.replace(results, verdict="failed" if stopped else results.verdict, fail_on=fail_on)


def require_good(results: Results, fail_on: FailOn, report: Path | None = None) -> None:
    """Raise `BadData`, a line for each finding, where findings stop the build or no page could be read.

    `report` is the folder of the reports, which the message refers to.

    >>> require_good(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]), "error")
    Traceback (most recent call last):
    etl.errors.BadData: none of the files could be read, expected one page at least; nothing is published
    """
    stopping = stopping_findings(results, fail_on)
    if stopping:
        shown = picked(stopping, results.rules, shorten(stopping, SHOWN))
        messages, rest = [_message(finding) for finding in shown], len(stopping) - len(shown)
        raise BadData(*messages, *([more(rest, report)] if rest else []))
    if not results.pages:
        raise BadData("none of the files could be read, expected one page at least; nothing is published")


def stopping_findings(results: Results, fail_on: FailOn) -> list[FindingResult]:
    """The findings that stop a build, the most urgent first: new errors, and new warnings if `fail_on` is "warning".

    >>> stopping_findings(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]), "warning")
    []
    """
    severities = ("error",) if fail_on == "error" else ("error", "warning")
    stopping = (finding for finding in results.findings if finding.severity in severities)
    return by_urgency(finding for finding in stopping if finding.state != "unchanged")


def _message(finding: FindingResult) -> str:
    """A finding in the form of compilers' messages; for an unreadable page only its file and the message."""
    if finding.source is None or finding.rule_id in UNREADABLE:
        return visible(f"{finding.source or finding.rule_id}: {finding.message}")
    return visible(f"{place(finding)}: {finding.message} ({finding.rule_id})")
