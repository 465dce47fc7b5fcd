"""The quality report in the site's frame: the rules, most severe first, coverage, and the findings of each rule.

In: the tables `rules` and `findings`, and the pages' coverage. Out: `/-/report`, and `/-/report/RULE?page=`, the findings in pages.
"""

import sqlite3
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from datasette import hookimpl
from datasette.utils import tilde_decode
from datasette.utils.asgi import NotFound, Request, Response

from etl.load.layout import DATABASE
from etl.printable import count, cut
from etl.release.lineage import ReleaseRows, Row
from etl.report import REPORT_FILE
from etl.site import REPORT
from etl.site.author_pages import part_number
from etl.site.files import DOWNLOADS
from etl.site.finding_pages import named_rows
from etl.site.row_pages import FirstRows, first_rows, query_in_thread
from etl.site.served import served
from schemas import RULES, TABLES
from schemas.questions import COVERAGE_BY_PROFILE
from schemas.rules import SEVERE, Status

if TYPE_CHECKING:
    from datasette.app import Datasette

SHOWN_FINDINGS = 50
"""Findings of a page."""
SHOWN_PAGES = 20
"""Pages that list the smallest shares of their papers; a link refers to the rest."""
_PAGE, _RULE_PAGE = "paperledger-report.html", "paperledger-rule.html"
_TABLES_READ = ("rules", "findings", "profiles", "quarantine", "papers", "authors")
_HEADINGS: dict[Status, str] = {"failed": "Errors", "warned": "Warnings", "noted": "Counted only"}
"""Titles of the lists of rules that were broken, the most severe first."""
_RULES = """
SELECT rules.*, (SELECT count(*) FROM findings WHERE findings.rule_id = rules.rule_id) AS findings
FROM rules ORDER BY failed DESC, rule_id
"""
_FINDINGS = "SELECT * FROM findings WHERE rule_id = ? ORDER BY source, line_start, finding_id LIMIT ? OFFSET ?"
_COVERAGE = (
    "SELECT sum(stated_papers) AS stated, sum(listed_papers) FILTER (WHERE stated_papers) AS listed FROM coverage"
)
_SHORT_PAGES = """
SELECT profile_id, name, stated_papers, listed_papers, share FROM coverage WHERE share < 1 ORDER BY share, profile_id
"""
_QUARANTINE = "SELECT count(DISTINCT profile_id) AS pages, sum(line_end - line_start + 1) AS lines FROM quarantine"


@dataclass(frozen=True)
class ReportPage:
    """The content of the report: rules by status, the most broken first; coverage; and lines in quarantine."""

    rules: dict[Status, list[Row]]
    coverage: Row
    short_pages: FirstRows
    quarantine: Row

    def findings(self, status: Status) -> int:
        """The number of findings of rules with a status."""
        return sum(rule["findings"] for rule in self.rules.get(status, ()))

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        errors, warnings = map(self.findings, reversed(SEVERE))
        if not errors + warnings:
            return "Passed, without a finding."
        return (
            f"{count(errors, 'error')} and {count(warnings, 'warning')}."
            if errors
            else f"No error, but {count(warnings, 'warning')}."
        )


@dataclass(frozen=True)
class RulePage:
    """A rule with one page of its findings; `findings` have what each is about."""

    rule: Row
    findings: list[Row]
    page: int
    pages: int


def report_page(database: sqlite3.Connection) -> ReportPage:
    """The content of the report."""
    release = ReleaseRows(database)
    rules = sorted(release.rows(_RULES), key=lambda rule: str(rule["status"]))
    return ReportPage(
        rules={status: list(map(_with_advice, group)) for status, group in groupby(rules, key=lambda r: r["status"])},
        coverage=next(release.rows(_COVERAGE)),
        short_pages=first_rows(release, SHOWN_PAGES, _SHORT_PAGES),
        quarantine=next(release.rows(_QUARANTINE)),
    )


def rule_page(database: sqlite3.Connection, rule_id: str, page: int) -> RulePage | None:
    """The content of a page of a rule's findings, counted from 1; None where there is no such rule."""
    release = ReleaseRows(database)
    rule = next((rule for rule in release.rows(_RULES) if rule["rule_id"] == rule_id), None)
    if rule is None:
        return None
    rows = list(release.rows(_FINDINGS, rule_id, SHOWN_FINDINGS, (page - 1) * SHOWN_FINDINGS))
    return RulePage(
        rule=_with_advice(rule),
        findings=[{**row, "about": named_rows(release, row["table_name"], row["row_key"])} for row in rows],
        page=page,
        pages=-(-rule["findings"] // SHOWN_FINDINGS),
    )


def _with_advice(rule: Row) -> Row:
    """The rule with what to do about it, None for a rule of another version of the tool, and whether the site has its table."""
    known = RULES.get(rule["rule_id"])
    return {**rule, "advice": known and known.advice, "has_table": rule["table_name"] in TABLES}


class QualityReport:
    """The routes of one release's report."""

    def __init__(self, datasette: "Datasette", manifest: dict[str, Any]) -> None:
        self._datasette, self._manifest = datasette, manifest

    async def page(self, request: Request) -> Response:
        """All rules, and coverage."""
        await self._require(request)
        return await self._answer(
            _PAGE,
            request,
            report=await query_in_thread(self._datasette, report_page),
            headings=_HEADINGS,
            file=f"{DOWNLOADS}/{REPORT_FILE}" if REPORT_FILE in self._manifest["files"] else None,
            is_part="where" in self._manifest.get("redacted", {}),
            question=COVERAGE_BY_PROFILE.name,
        )

    async def rule(self, request: Request) -> Response:
        """The findings of one rule; raises `NotFound` where there is no such rule."""
        await self._require(request)
        rule_id, page = tilde_decode(request.url_vars["rule"]), part_number(request.args.get("page"))
        found = await query_in_thread(self._datasette, partial(rule_page, rule_id=rule_id, page=max(1, page)))
        if found is None:
            raise NotFound(f"There is no rule {cut(rule_id, 50)}")
        return await self._answer(_RULE_PAGE, request, found=found, findings_a_page=SHOWN_FINDINGS)

    async def _answer(self, template: str, request: Request, **context: Any) -> Response:
        context |= {"database": DATABASE, "report_address": self._datasette.urls.path(REPORT), "count": count}
        return Response.html(await self._datasette.render_template(template, context, request=request))

    async def _require(self, request: Request) -> None:
        """Raise `Forbidden` where the request may not see a table that the report reads."""
        for table in _TABLES_READ:
            seen = [("view-table", (DATABASE, table)), ("view-database", DATABASE), "view-instance"]
            await self._datasette.ensure_permissions(request.actor, seen)


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of the report, where a release is served."""
    release = served(datasette)
    if release is None:
        return []
    report = QualityReport(datasette, release.manifest)
    return [(rf"^{REPORT}$", report.page), (rf"^{REPORT}/(?P<rule>[^/]+)$", report.rule)]
