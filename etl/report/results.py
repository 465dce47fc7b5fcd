"""The results of a run: the content of `results.json`, from which all reports are rendered.

In: the checked tables. Out: `Results`, which includes the raw lines of every finding, so that reports read no pages.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from etl.extract.page import split_lines
from etl.extract.records import ReferenceFile
from etl.release.release import FIRST_VERSION, require_schema_version
from etl.report.charts import Chart
from etl.resolve.dates import newest_pages
from etl.resolve.rendering import rebuild_pages
from etl.version import __version__
from schemas import SCHEMA_VERSION, Frames
from schemas.limits import SHOWN_LETTERS
from schemas.rules import Level, Status

FORMAT = 1
RESULTS_FILE = "results.json"
SHOWN_LINES = 12
"""Raw lines of a finding that a report shows; the rest is in the page."""

State = Literal["new", "unchanged"]
FailOn = Literal["error", "warning"]
"""The least severe finding that stops a run."""


_Place = tuple[str, object, object]
"""The page, first line and last line of a finding."""


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its severity and status in this run, and the numbers of items checked and failed."""

    id: str
    table: str
    column: str | None
    severity: Level
    dimension: str
    title: str
    why: str
    checked: int
    failed: int
    status: Status


class FindingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A row that broke a rule, with the page's raw lines; `state` is None without a baseline."""

    id: str
    rule_id: str
    severity: Literal["error", "warning"]
    table: str
    row_key: str
    profile_id: str | None
    source: str | None
    line_start: int | None
    line_end: int | None
    value: str | None
    message: str
    raw: list[str]
    state: State | None = None


class PageResult(msgspec.Struct, frozen=True, kw_only=True):
    """A page: the papers that it states and lists, and the number of its lines in quarantine.

    `newest` is true for the page of its owner that was saved last, and for a page without an owner.
    """

    profile_id: str
    source: str
    name: str | None
    observed_on: str | None
    stated_papers: int | None
    listed_papers: int
    lines: int
    quarantined_lines: int
    author_id: str | None = None
    newest: bool = True


class BaselineResult(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison with a baseline: findings that are new, unchanged and gone, and the baseline's rows per table."""

    source: str
    new: int
    unchanged: int
    gone: int
    rows: dict[str, int]


class ReferenceFileResult(msgspec.Struct, frozen=True, kw_only=True):
    """A file of records, with the numbers of sound and damaged ones."""

    name: str
    records: int
    damaged: int


class ReferenceResult(msgspec.Struct, frozen=True, kw_only=True):
    """The files of the reference, the papers that match a record of them, and how many cut bylines these complete."""

    files: list[ReferenceFileResult]
    matched: int
    completed: int


class _StoredCharts(msgspec.Struct):
    """The charts in results of any version; results of older versions have none."""

    charts: list[Chart] = []


class _Origin(msgspec.Struct):
    """The versions of the tool and of the schema in results of any version."""

    version: str
    schema_version: int = FIRST_VERSION


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a run of paperledger, format 1."""

    format: int = FORMAT
    tool: str = "paperledger"
    version: str = __version__
    schema_version: int = SCHEMA_VERSION
    verdict: Literal["passed", "warned", "failed"]
    rows: dict[str, int]
    pages: list[PageResult]
    rules: list[RuleSummary]
    findings: list[FindingResult]
    baseline: BaselineResult | None = None
    charts: list[Chart] = []
    fail_on: FailOn = "error"
    reference: ReferenceResult | msgspec.UnsetType = msgspec.UNSET
    """Absent in a run without a reference."""

    def rule(self, rule_id: str) -> RuleSummary:
        """The result of one rule."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def with_charts(self, charts: list[Chart]) -> "Results":
        """The same results with the charts of a release, which is built after the results."""
        return msgspec.structs.replace(self, charts=charts)


def summarize(tables: Frames, reference: Sequence[ReferenceFile] = ()) -> Results:
    """The results of a run from its tables, findings ordered by file, line and rule; charts need a release.

    >>> from schemas import TABLES
    >>> results = summarize({name: model.frame() for name, model in TABLES.items()})
    >>> results.verdict, results.rows["papers"]
    ('passed', 0)
    """
    rules = [_rule(row) for row in tables["rules"].iter_rows(named=True)]
    findings = tables["findings"].sort("source", "line_start", "rule_id", "finding_id", nulls_last=True)
    lines = _lines_of(tables, findings)
    severities = {rule.id: rule.severity for rule in rules}
    reported = [_finding(row, severities, lines) for row in findings.iter_rows(named=True)]
    return Results(
        verdict="failed"
        if any(finding.severity == "error" for finding in reported)
        else "warned"
        if reported
        else "passed",
        rows={name: frame.height for name, frame in tables.items()},
        pages=_pages(tables),
        rules=rules,
        findings=reported,
        reference=_reference(tables, reference) if reference else msgspec.UNSET,
    )


def _reference(tables: Frames, files: Sequence[ReferenceFile]) -> ReferenceResult:
    return ReferenceResult(
        files=[ReferenceFileResult(name=file.name, records=file.records, damaged=file.damaged) for file in files],
        matched=tables["paper_identifiers"]["paper_id"].n_unique(),
        completed=tables["papers"].filter("authors_truncated", pl.col("author_count").is_not_null()).height,
    )


def write_results(results: Results) -> str:
    """The results as the text of a JSON file.

    >>> write_results(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])).splitlines()[:3]
    ['{', '  "format": 1,', '  "tool": "paperledger",']
    """
    return msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n"


def read_results(text: str, place: object = RESULTS_FILE) -> Results:
    """Results from the text of the JSON file at `place`, which errors name.

    Raises `msgspec.DecodeError` where the text is no results, `UsageError` where they have another schema version.

    >>> results = Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])
    >>> read_results(write_results(results)) == results
    True
    """
    origin = msgspec.json.decode(text, type=_Origin)
    require_schema_version(place, origin.schema_version, origin.version)
    return msgspec.json.decode(text, type=Results)


def stored_charts(release: Path) -> list[Chart]:
    """The charts in the `results.json` of a release; none where the file is missing."""
    path = release / RESULTS_FILE
    return msgspec.json.decode(path.read_bytes(), type=_StoredCharts).charts if path.is_file() else []


def results_schema() -> str:
    """The JSON Schema of `results.json`, as the text of a JSON file.

    >>> '"$ref": "#/$defs/Results"' in results_schema()
    True
    """
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Results)}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def shown(line: str) -> str:
    """A raw line as reports show it, cut to `SHOWN_LETTERS`.

    >>> len(shown("a" * 1000))
    401
    """
    return line if len(line) <= SHOWN_LETTERS else line[:SHOWN_LETTERS] + "…"


def _rule(row: dict[str, object]) -> RuleSummary:
    renamed = {"rule_id": "id", "table_name": "table", "column_name": "column"}
    return msgspec.convert({renamed.get(name, name): value for name, value in row.items()}, RuleSummary)


def _finding(row: dict[str, object], severities: dict[str, Level], lines: dict[_Place, list[str]]) -> FindingResult:
    place = (str(row["profile_id"]), row["line_start"], row["line_end"])
    return msgspec.convert(
        {
            **row,
            "id": row["finding_id"],
            "table": row["table_name"],
            "severity": severities[str(row["rule_id"])],
            "raw": lines.get(place, []),
        },
        FindingResult,
    )


def _lines_of(tables: Frames, findings: pl.DataFrame) -> dict[_Place, list[str]]:
    """The raw lines of every finding, from pages rebuilt from the tables; none where the tables are broken."""
    if any(status == "failed" for status in tables["rules"].filter(pl.col("table_name") == "tables")["status"]):
        return {}
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for profile, *place in findings.select("profile_id", "line_start", "line_end").drop_nulls().iter_rows():
        places[profile].add(tuple(place))
    profiles, listings = (
        tables[name].filter(pl.col("profile_id").is_in(list(places))) for name in ("profiles", "listings")
    )
    papers = tables["papers"].join(listings, on="paper_id", how="semi")
    found: dict[_Place, list[str]] = {}
    for profile, page in rebuild_pages({**tables, "profiles": profiles, "listings": listings, "papers": papers}):
        _, lines = split_lines(page.decode())
        for first, last in places[profile]:
            found[profile, first, last] = list(map(shown, lines[first - 1 : min(last, first - 1 + SHOWN_LINES)]))
    return found


def _pages(tables: Frames) -> list[PageResult]:
    quarantined = (pl.col("line_end") - pl.col("line_start") + 1).sum().alias("quarantined_lines")
    profiles = tables["profiles"].join(
        tables["quarantine"].group_by("profile_id").agg(quarantined), on="profile_id", how="left"
    )
    newest = newest_pages(tables["profiles"])["profile_id"].implode()
    rows = profiles.with_columns(
        pl.col("quarantined_lines").fill_null(0),
        pl.col("observed_on").cast(pl.String),
        pl.col("profile_id").is_in(newest).alias("newest"),
    )
    names = PageResult.__struct_fields__
    return [
        msgspec.convert(row, PageResult)
        for row in rows.select(names).sort("source", "profile_id").iter_rows(named=True)
    ]
