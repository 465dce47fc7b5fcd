"""Annotations: findings as the workflow commands that GitHub shows beside the lines of a change.

In: `Results`. Out: the lines to print, the gravest first. GitHub shows ten a step and drops the rest without a word, so
a rule with many findings has one annotation that says how many, and the tenth says what is left.
"""

from collections.abc import Mapping

from etl.printable import count, inert
from etl.report.results import FindingResult, Results
from etl.report.wording import by_rule, clipped, shorten

SHOWN = 9
"""Annotations before one that counts what is left; the tenth stands where it is the last."""
_FEW = (SHOWN + 1, 3, 1)
"""Findings of a rule that are annotated one by one, tried until all annotations are shown."""

_Note = tuple[FindingResult, int]
"""A finding, and how many of its rule it stands for."""


def render_annotations(results: Results, paths: Mapping[str, str] | None = None) -> str:
    """The annotations, a line each; `paths` leads from a page's source to its file, relative to the repository."""
    titles = {rule.id: f"{rule.id} {rule.title}" for rule in results.rules}
    notes = _notes(by_rule(results.findings, results.rules))
    shown = notes[: shorten(notes, SHOWN)]
    commands = [_command(note, titles[note[0].rule_id], paths or {}) for note in shown]
    left = len(results.findings) - sum(findings for _, findings in shown)
    if left:
        commands.append(f"::notice::{count(left, 'more finding')}; the report shows them")
    return "".join(f"{command}\n" for command in commands)


def _notes(groups: list[list[FindingResult]]) -> list[_Note]:
    """Findings one by one, or one for all of its rule where there would be too many."""
    notes: list[_Note] = []
    for few in _FEW:
        notes = [note for group in groups for note in _of_rule(group, few)]
        if len(notes) <= SHOWN + 1:
            break
    return notes


def _of_rule(group: list[FindingResult], few: int) -> list[_Note]:
    return [(finding, 1) for finding in group] if len(group) <= few else [(group[0], len(group))]


def _command(note: _Note, title: str, paths: Mapping[str, str]) -> str:
    finding, findings = note
    source = finding.source
    places = {
        "file": paths.get(source, source) if source is not None else None,
        "line": finding.line_start,
        "endLine": finding.line_end,
        "title": title,
    }
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
    words = finding.message if findings == 1 else f"{count(findings, 'finding')}, the first: {finding.message}"
    return f"::{finding.severity} {properties}::{_data(inert(clipped(words)))}"


def _data(text: str) -> str:
    """Text behind the second pair of colons; a line break would end the command and could begin another.

    >>> _data("100 %0A")
    '100 %250A'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(inert(clipped(text))).replace(":", "%3A").replace(",", "%2C")
