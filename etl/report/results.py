"""The results of a run in one record: what `results.json` holds, and all reports are rendered from.

In: the checked tables. Out: `Results`, which knows the raw lines of every finding, so that a report needs no page.
"""

from collections import defaultdict
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from etl import __version__
from etl.extract.page import split_lines
from etl.release.release import FIRST_VERSION, require_schema_version
from etl.report.charts import Chart
from etl.resolve.dates import newest_pages
from etl.resolve.rendering import rebuild_pages
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
"""A page, and its first and last line that show a finding."""


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, its severity in this run, how many items it looked at, how many broke it, and what that came to."""

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
    """A row that broke a rule, with the page's lines that show it; `state` only where there is a baseline."""

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
    """A page: how many papers it states and lists, and how many of its lines are in quarantine.

    `newest` where it is the one of its owner that was saved last; a page without an owner is.
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
    """What the run was held against: how many findings are new, unchanged and gone, and the rows of each table then."""

    source: str
    new: int
    unchanged: int
    gone: int
    rows: dict[str, int]


class _Kept(msgspec.Struct):
    """The charts in results of any version; those that an older tool wrote hold none."""

    charts: list[Chart] = []


class _Made(msgspec.Struct):
    """What results of any version say of what made them."""

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

    def rule(self, rule_id: str) -> RuleSummary:
        """The result of one rule."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def with_charts(self, charts: list[Chart]) -> "Results":
        """The same results with the charts of a release, which there is only after them."""
        return msgspec.structs.replace(self, charts=charts)


def summarize(tables: Frames) -> Results:
    """The results that the tables hold, findings in the order of file, line and rule; charts need a release."""
    rules = [_rule(row) for row in tables["rules"].iter_rows(named=True)]
    findings = tables["findings"].sort("source", "line_start", "rule_id", "finding_id", nulls_last=True)
    lines = _lines_of(tables, findings)
    severities = {rule.id: rule.severity for rule in rules}
    told = [_finding(row, severities, lines) for row in findings.iter_rows(named=True)]
    return Results(
        verdict="failed" if "error" in {finding.severity for finding in told} else "warned" if told else "passed",
        rows={name: frame.height for name, frame in tables.items()},
        pages=_pages(tables),
        rules=rules,
        findings=told,
    )


def write_results(results: Results) -> str:
    """The results as the text of a JSON file."""
    return msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n"


def read_results(text: str, place: object = RESULTS_FILE) -> Results:
    """Results from the text of the JSON file at `place`.

    Raises `msgspec.DecodeError` where it is none, `UsageError` where another version of the schema made it.
    """
    made = msgspec.json.decode(text, type=_Made)
    require_schema_version(place, made.schema_version, made.version)
    return msgspec.json.decode(text, type=Results)


def kept_charts(release: Path) -> list[Chart]:
    """The charts in the `results.json` of a release; none where it holds no such file."""
    path = release / RESULTS_FILE
    return msgspec.json.decode(path.read_bytes(), type=_Kept).charts if path.is_file() else []


def results_schema() -> str:
    """The JSON Schema of `results.json`, as the text of a JSON file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Results)}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def shown(line: str) -> str:
    """A raw line as reports show it, its end cut off where it is long.

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
    """The lines of every finding as reports show them, of pages rebuilt from the tables; none where those are broken."""
    if any(status == "failed" for status in tables["rules"].filter(pl.col("table_name") == "tables")["status"]):
        return {}
    places: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for profile, *place in findings.select("profile_id", "line_start", "line_end").drop_nulls().iter_rows():
        places[profile].add(tuple(place))
    profiles = tables["profiles"].filter(pl.col("profile_id").is_in(list(places)))
    found: dict[_Place, list[str]] = {}
    for profile, page in rebuild_pages({**tables, "profiles": profiles}):
        _, lines = split_lines(page.decode())
        for first, last in places[profile]:
            found[profile, first, last] = list(map(shown, lines[first - 1 : min(last, first - 1 + SHOWN_LINES)]))
    return found


def _pages(tables: Frames) -> list[PageResult]:
    kept = (pl.col("line_end") - pl.col("line_start") + 1).sum().alias("quarantined_lines")
    profiles = tables["profiles"].join(
        tables["quarantine"].group_by("profile_id").agg(kept), on="profile_id", how="left"
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
