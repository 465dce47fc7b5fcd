"""Annotations: findings as the workflow commands that GitHub shows beside the lines of a change.

In: `Results`. Out: the lines to print. GitHub shows ten a step and drops the rest without a word, so the tenth says
how many there are.
"""

from collections.abc import Mapping

from etl.printable import count
from etl.validate.reports.text import by_urgency, clipped
from etl.validate.results import FindingResult, Results

SHOWN = 9


def render_annotations(results: Results, paths: Mapping[str, str] | None = None) -> str:
    """The annotations, a line each; `paths` leads from a page's source to its file, relative to the repository."""
    titles = {rule.id: f"{rule.id} {rule.title}" for rule in results.rules}
    told = by_urgency(results.findings)
    commands = [_command(finding, titles[finding.rule_id], paths or {}) for finding in told[:SHOWN]]
    if len(told) > SHOWN:
        commands.append(f"::notice::{count(len(told) - SHOWN, 'more finding')}; the report shows them")
    return "".join(f"{command}\n" for command in commands)


def _command(finding: FindingResult, title: str, paths: Mapping[str, str]) -> str:
    source = finding.source
    places = {
        "file": paths.get(source, source) if source is not None else None,
        "line": finding.line_start,
        "endLine": finding.line_end,
        "title": title,
    }
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
    return f"::{finding.severity} {properties}::{_data(clipped(finding.message))}"


def _data(text: str) -> str:
    """Text behind the second pair of colons; a line break would end the command and could begin another.

    >>> _data("100 %0A")
    '100 %250A'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(clipped(text)).replace(":", "%3A").replace(",", "%2C")
