"""The ratchet: results held against earlier ones, so that only what is new, and drift past its limits, fails.

In: results and a baseline's. Out: results whose findings know whether they are new, with rules about drift.
Nothing of it goes into a release, which depends on no earlier one.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from etl.errors import UsageError
from etl.resolve.folding import digest
from etl.validate.results import RESULTS_FILE, BaselineResult, FindingResult, Results, RuleResult, read_results
from etl.validate.thresholds import Limit, Thresholds

DRIFT = Limit(share=0.05)
"""The share of rows, or of listed papers, that may be lost before it is an error, unless a threshold says otherwise."""
_ROWS, _COVERAGE = "DAT-001", "DAT-002"
_AUDIT = ("quarantine", "rules", "findings", "merge_candidates", "variants")


def read_baseline(path: Path) -> Results:
    """The results of a release (its folder), of an output folder's newest, or in a file.

    Raises `UsageError` where there are none.
    """
    places = [path / "current" / RESULTS_FILE, path / RESULTS_FILE] if path.is_dir() else [path]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise UsageError(f"{path}: no results here; expected a release, or the results.json of a run")
    try:
        return read_results(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise UsageError(f"{found}: not the results of a run ({error}); make them again with --report") from error


def hold_against(results: Results, baseline: Results, source: str, thresholds: Thresholds) -> Results:
    """The results with each finding new or unchanged, and with what drifted."""
    known = {finding.id for finding in baseline.findings}
    told = [
        msgspec.structs.replace(finding, state="unchanged" if finding.id in known else "new")
        for finding in results.findings
    ]
    drift = list(_drift(results, baseline, thresholds))
    new = sum(finding.state == "new" for finding in told)
    summary = BaselineResult(
        source=source,
        new=new,
        unchanged=len(told) - new,
        gone=len(known - {finding.id for finding in told}),
        rows=baseline.rows,
    )
    failed = any(finding.severity == "error" and finding.state == "new" for finding in (*told, *drift))
    return msgspec.structs.replace(
        results,
        findings=[*drift, *told],
        rules=[_with_drift(rule, drift, len(baseline.rows)) for rule in results.rules],
        baseline=summary,
        verdict="failed" if failed else "warned" if told or drift else "passed",
    )


def _drift(results: Results, baseline: Results, thresholds: Thresholds) -> Iterator[FindingResult]:
    for table, before in baseline.rows.items():
        now = results.rows.get(table, 0)
        if table not in _AUDIT and _lost(_ROWS, before, now, thresholds):
            yield _finding(
                _ROWS, table, f"{table} has {now:,} rows, {before:,} in the baseline; see whether pages are missing"
            )
    then, today = _share(baseline), _share(results)
    if then is not None and today is not None and _lost(_COVERAGE, then, today, thresholds):
        told = f"pages list {today}% of their papers, {then}% in the baseline; save them again whole"
        yield _finding(_COVERAGE, "profiles", told)


def _lost(rule_id: str, before: int, now: int, thresholds: Thresholds) -> bool:
    return thresholds.limits.get(rule_id, DRIFT).is_passed(before, before - now) and now < before


def _share(results: Results) -> int | None:
    """The share of the stated papers that pages list, in whole percent; None where no page states any."""
    stated = [page for page in results.pages if page.stated_papers]
    total = sum(page.stated_papers or 0 for page in stated)
    return round(100 * sum(page.listed_papers for page in stated) / total) if total else None


def _finding(rule_id: str, table: str, message: str) -> FindingResult:
    return FindingResult(
        id=digest(f"{rule_id}\n{table}", 16),
        rule_id=rule_id,
        severity="error",
        table=table,
        row_key=table,
        profile_id=None,
        source=None,
        line_start=None,
        line_end=None,
        value=None,
        message=message,
        raw=[],
        state="new",
    )


def _with_drift(rule: RuleResult, drift: list[FindingResult], tables: int) -> RuleResult:
    if rule.id not in (_ROWS, _COVERAGE):
        return rule
    failed = sum(finding.rule_id == rule.id for finding in drift)
    checked = tables if rule.id == _ROWS else 1
    return msgspec.structs.replace(rule, checked=checked, failed=failed, status="failed" if failed else "passed")
