"""What all reports say in the same way: places, verdicts, what comes first.

In: `Results` and text from pages. Out: text of one line that can be looked at without harm, and findings in order.
"""

from collections.abc import Iterable, Sequence

from etl.printable import count, visible
from etl.validate.results import FindingResult, Results, RuleResult, shown

_RANKS = {"failed": 0, "warned": 1, "noted": 2, "passed": 3}


def clipped(text: str) -> str:
    """Visible text, its end cut off where it is long."""
    return visible(shown(text))


def verdict(results: Results) -> str:
    """The verdict in a sentence."""
    errors = sum(finding.severity == "error" for finding in results.findings)
    told = f"{count(errors, 'error')} and {count(len(results.findings) - errors, 'warning')}"
    words = {
        "failed": f"Failed, with {told}.",
        "warned": f"No error, but {count(len(results.findings), 'warning')}.",
        "passed": "Passed, without a finding.",
    }
    return words[results.verdict]


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
    return sorted(findings, key=lambda finding: (finding.state == "unchanged", finding.severity != "error"))


def by_failure(rules: Sequence[RuleResult]) -> list[RuleResult]:
    """Rules, those that failed first, then by how many broke them."""
    return sorted(rules, key=lambda rule: (_RANKS[rule.status], -rule.failed, rule.id))
