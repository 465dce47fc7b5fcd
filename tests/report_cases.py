"""Results for the tests of reports: of invented pages, and with one hostile text in every field."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from helpers import parsed, tables_of

from etl.errors import PageError
from etl.report.results import BaselineResult, FindingResult, PageResult, Results, RuleSummary, summarize
from etl.resolve.overrides import Overrides
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.staging import combine, stage
from schemas import Frames
from schemas.rules import SEVERITY_OF

SOUND = "Ann Bell\n\nCL\n1paper\n\n1 Paper\n\nCLFeb 29, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at noon, and often."
ODD = SOUND.replace("1paper\n", "h-index3\n2papers\n").replace("Feb 29, 2024", "Feb 30, 2024")
HOSTILE = {
    "script": "</style></script><script>alert(1)</script><!--",
    "handler": '" onmouseover="alert(1)" x=\'<img src=x onerror=alert(1)>',
    "javascript": "javascript:alert(1) [a](javascript:alert(1)) <javascript:alert(1)>",
    "address": "https://example.org/a www.example.org ann@example.org //example.org",
    "formula": '=HYPERLINK("https://example.org")',
    "command": "::error file=a.txt::no\n::set-output name=a::b\r::stop-commands::c ##[error]no",
    "percent": "%0A::error::no %0D %25 %3A",
    "rich": "[/foo] [bold]no[/bold] {0} {{ 7 * 7 }} {% raw %}",
    "escape": "\x1b[31mred\x1b]8;;https://example.org\x07link\x9b0m",
    "nul": "a\x00b\ufffe\uffff\x7f\x08",
    "bidi": "a\u202eb\u2066c\u200f\ufeff\u200b",
    "separators": "a\u2028b\u2029c\x0bd\x0ce\x85f",
    "surrogate": "a\ud800b",
    "cdata": "]]> <![CDATA[ &amp; &#0; --> ?>",
    "ticks": "`a` ``b`` ```\n```\n~~~\n# c",
    "pipes": "a | b \\| c \\\\| d\n| --- |",
    "mention": "@ann/bell #1 GH-1 !a <b>c</b> **d** _e_ $f$ :bell:",
    "long": "x" * 10_000,
    "long_hidden": "\U000e0001" * 10_000,
    "blank": "",
    "space": " ",
}
"""Text that does harm where it is not taken for text."""


def results_of(*texts: str) -> Results:
    """The results of pages p0.txt, p1.txt, … with these texts."""
    return summarize(tables_of(*texts))


def validated(*texts: str, unreadable: Sequence[PageError] = (), **options: Any) -> Frames:
    """The checked tables of pages p0.txt, p1.txt, … with these texts, without notes on pages, under options of `validate`."""
    staged = combine([stage([parsed(text, f"p{number}.txt") for number, text in enumerate(texts)])])
    staged = replace(staged, unreadable=tuple(unreadable), notes=())
    return validate(
        resolve(
            staged.profiles, settle(list_papers(staged.profiles, staged.blocks, Overrides()), Overrides()), Overrides()
        ),
        staged,
        Overrides(),
        **options,
    )


def rule(rule_id: str, status: str = "warned", **values: object) -> RuleSummary:
    """A rule that one of three items breaks."""
    severity = SEVERITY_OF.get(status, "warning")
    words = {
        "table": "papers",
        "column": "title",
        "dimension": "accuracy",
        "title": f"Title of {rule_id}",
        "why": "Why.",
    }
    counts = {"checked": 3, "failed": int(status != "passed")}
    return msgspec.convert(
        {"id": rule_id, "status": status, "severity": severity, **words, **counts, **values}, RuleSummary
    )


def finding(number: int, rule_id: str, **values: object) -> FindingResult:
    """A finding on one line of a page."""
    place = {"source": "ann.txt", "profile_id": "0" * 16, "line_start": 7, "line_end": 7, "raw": ["On Bells"]}
    words = {"table": "papers", "row_key": f"row{number}", "value": "3", "message": f"message {number}"}
    return msgspec.convert(
        {"id": f"{number:016x}", "rule_id": rule_id, "severity": "warning", **place, **words, **values}, FindingResult
    )


def results(rules: list[RuleSummary], findings: list[FindingResult], **values: object) -> Results:
    """Results of these rules and findings, without pages."""
    verdict = "failed" if any(rule.status == "failed" for rule in rules) else "warned" if findings else "passed"
    kept = {"pages": [], "rows": {"papers": 3}, "verdict": verdict, **values}
    return Results(rules=rules, findings=findings, **kept)  # type: ignore[arg-type]


def baseline(**values: int) -> BaselineResult:
    """A baseline in which every count is 1."""
    return BaselineResult(**{"source": "old", "new": 1, "unchanged": 1, "gone": 1, "rows": {"papers": 1}, **values})  # type: ignore[arg-type]


def hostile(text: str) -> Results:
    """Results that hold a text in every field that is text: an error, a warning, and a page."""
    words = {"table": text, "column": text, "dimension": text, "title": text, "why": text}
    rules = [rule(f"{text}{status}", status, **words) for status in ("failed", "warned", "noted", "passed")]
    told = {"table": text, "row_key": text, "profile_id": text, "source": text, "value": text, "message": text}
    lines = {"line_start": 7, "line_end": 9, "raw": [text, text]}
    findings = [
        finding(1, f"{text}failed", severity="error", state="new", **told, **lines),
        finding(2, f"{text}warned", state="unchanged", **told, **lines),
    ]
    counts = {"stated_papers": 3, "listed_papers": 1, "lines": 9, "quarantined_lines": 2}
    page = PageResult(profile_id=text, source=text, name=text, observed_on=text, **counts)
    old = BaselineResult(source=text, new=1, unchanged=1, gone=0, rows={text: 1})
    return results(rules, findings, pages=[page], rows={text: 1, "papers": 2}, baseline=old)
