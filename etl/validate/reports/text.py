"""What all reports say in the same way: hostile characters made visible, places, counts, verdicts, what comes first.

In: `Results` and text from pages. Out: text of one line that can be looked at without harm, and findings in order.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from etl.validate.results import FindingResult, Results, RuleResult, shown

_RANKS = {"failed": 0, "warned": 1, "noted": 2, "passed": 3}


def visible(text: str) -> str:
    r"""Text of one line with every character in sight: controls, direction marks and zero widths by their number.

    >>> print(visible("a\x1bb\nc\u202ed"))
    a\x1bb\ncU+202Ed
    """
    return "".join(part for part, _ in parts(text))


def clipped(text: str) -> str:
    """Visible text, its end cut off where it is long."""
    return visible(shown(text))


def parts(text: str) -> Iterator[tuple[str, bool]]:
    r"""Text in parts, each with whether it stands for a character that could not be seen.

    >>> list(parts("ab\x00c"))
    [('ab', False), ('\\x00', True), ('c', False)]
    """
    if text.isprintable():
        yield text, False
        return
    for seen, run in groupby(text, key=_is_seen):
        if seen:
            yield "".join(run), False
        else:
            yield from ((_number(character), True) for character in run)


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "finding"), count(1200, "finding")
    ('1 finding', '1,200 findings')
    """
    return f"{number:,} {noun}" + "s" * (number != 1)


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


def _is_seen(character: str) -> bool:
    # Spaces of other widths, as between a number and its unit, are no reason to alarm anybody.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _number(character: str) -> str:
    number = ord(character)
    return character.encode("unicode_escape").decode() if number < 0xA0 else f"U+{number:04X}"
