"""HTML: the whole report in one file without scripts or external resources.

In: `Results`. Out: a page whose Content-Security-Policy allows only its own style sheet. The template's `finalize`
passes every value through `_seen`, which makes invisible characters visible.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from etl import printable
from etl.report import wording
from etl.report.pictures import draw_all
from etl.report.pictures import style as picture_style
from etl.report.results import FindingResult, PageResult, Results, shown
from schemas.views import coverage_share

PACKAGE = "etl.report"
SHOWN_FINDINGS = 1000
SHOWN_PAGES = 500
"""Findings and pages in the report; the rest is in `results.json`."""


@dataclass(frozen=True)
class _FileFindings:
    """The findings of one file, errors first; `source` is None for findings on no page."""

    source: str | None
    findings: Sequence[FindingResult]

    @property
    def has_error(self) -> bool:
        """Whether any of them is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def render_html(results: Results) -> str:
    """The results as one HTML page.

    >>> render_html(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])).splitlines()[0]
    '<!DOCTYPE html>'
    """
    style = files(PACKAGE).joinpath("report.css").read_text(encoding="utf-8") + picture_style()
    pages = sorted(results.pages, key=_by_coverage)
    rules = wording.by_failure(results.rules)
    anchors = {rule.id: f"rule-{number}" for number, rule in enumerate(results.rules)}
    return _template().render(
        results=results,
        style=Markup(style),  # noqa: S704 - a file of ours
        style_hash=_hash(style),
        broken=[rule for rule in rules if rule.status not in {"passed", "off"}],
        off=[rule for rule in rules if rule.status == "off"],
        passed=[rule for rule in rules if rule.status == "passed"],
        titles={rule.id: rule.title for rule in results.rules},
        anchors=anchors,
        anchor_of=lambda cells: f"#{anchors[cells['rule_id']]}" if cells.get("rule_id") in anchors else None,
        groups=_groups(wording.picked(results.findings, results.rules, SHOWN_FINDINGS)),
        charts=draw_all(results.charts),
        findings_left=max(0, len(results.findings) - SHOWN_FINDINGS),
        pages=pages[:SHOWN_PAGES],
        pages_left=max(0, len(pages) - SHOWN_PAGES),
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader(PACKAGE, "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        count=printable.count,
        verdict=wording.verdict,
        drift=wording.drift,
        matched=wording.matched,
        unmarked=str,
        lines=wording.lines,
        share=_share,
        width=_width,
    )
    return environment.get_template("report.html.j2")


def _seen(value: object) -> object:
    """A value as the page shows it: long text is cut, and invisible characters are replaced by marked escapes."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return Markup().join(
        Markup("<mark>{}</mark>").format(part) if hidden else part for part, hidden in printable.parts(shown(value))
    )


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _groups(findings: Iterable[FindingResult]) -> list[_FileFindings]:
    """Findings grouped by file: files with an error first, findings on no page last within each half."""
    ordered = sorted(findings, key=_by_line)
    groups = [
        _FileFindings(source, list(group)) for source, group in groupby(ordered, key=lambda finding: finding.source)
    ]
    return sorted(groups, key=lambda group: not group.has_error)


def _by_line(finding: FindingResult) -> tuple[bool, str, bool, int, str, str]:
    place = (finding.source is None, finding.source or "", finding.severity != "error", finding.line_start or 0)
    return *place, finding.rule_id, finding.id


def _by_coverage(page: PageResult) -> tuple[float, str, str]:
    """Sort key: pages without a stated number first, then by the share of stated papers that they list."""
    return _share(page.listed_papers, page.stated_papers) or 0, page.source, page.profile_id


def _share(part: int, whole: int | None) -> float | None:
    """A share between 0 and 1; None where the whole is unknown or 0.

    >>> _share(50, 76), _share(3, 2), _share(3, None)
    (0.6578947368421053, 1.0, None)
    """
    share = coverage_share(part, whole)
    return None if share is None else min(1.0, share)


def _width(share: float) -> float:
    """A bar's width in percent; a share above 0 has at least a visible width.

    >>> _width(0.0), _width(0.00001), _width(0.5)
    (0.0, 1.5, 50.0)
    """
    return round(max(share * 100, 1.5 if share else 0.0), 1)
