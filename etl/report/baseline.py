"""Comparison with a baseline, so that only new findings, and the loss of pages and rows, fail a run.

In: the results of this run and of an earlier one. Out: results whose findings have a state, new or unchanged, with
findings about lost data. Releases contain none of it: a release does not depend on an earlier one.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePosixPath

import msgspec

from etl.errors import UsageError, refusal
from etl.printable import command, count, path_text
from etl.report.results import (
    RESULTS_FILE,
    BaselineResult,
    FindingResult,
    PageResult,
    Results,
    RuleSummary,
    State,
    read_results,
)
from etl.resolve.folding import digest
from etl.validate.severity import UNREADABLE, Limit, Setting, Thresholds
from schemas import JUDGING_TABLES, RULES
from schemas.limits import LOST_OF, PAPERS_A_PAGE
from schemas.rules import SEVERE, SEVERITY_OF, STATUSES, Status

_SAVED_ON = re.compile(r"[@_ .-]?[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_ENDINGS = re.compile(r"(?:\.(?:gz|zst|tar|tgz|txt|text|md))+$", re.IGNORECASE)

_Pair = tuple[PageResult, PageResult | None]
"""A page of the baseline, and the same page in this run; None where it is missing."""
_Content = tuple[str, str, str | None, str]
"""The content of a finding: rule, undated source, value and message."""


def undated(source: str) -> str:
    """A page's source without days of saving and endings of text files and archives, to compare pages of different days.

    >>> undated("bells@2026-01-31.txt"), undated("pages-2026-01-31/bells.txt.gz"), undated("pages-2026-01-31.tar/bells.txt")
    ('bells', 'pages/bells', 'pages/bells')
    """
    return "/".join(_SAVED_ON.sub("", _ENDINGS.sub("", part)) for part in PurePosixPath(source).parts)


_SAME: tuple[Callable[[PageResult], str], ...] = (
    lambda page: page.profile_id,
    lambda page: page.source,
    lambda page: undated(page.source),
)
"""Keys by which two pages are the same, the strongest evidence first."""


def _pair_pages(before: Sequence[PageResult], pages: Sequence[PageResult]) -> list[_Pair]:
    """Each of the baseline's pages with the same page in this run, if any: by its bytes, source, or undated source."""
    pairs: dict[str, PageResult] = {}
    left = list(pages)
    for key in _SAME:
        free: defaultdict[str, list[PageResult]] = defaultdict(list)
        for page in left:
            free[key(page)].append(page)
        for then in before:
            if then.profile_id not in pairs and free[key(then)]:
                pairs[then.profile_id] = free[key(then)].pop(0)
        left = [page for group in free.values() for page in group]
    return [(then, pairs.get(then.profile_id)) for then in before]


def _same_findings(before: Sequence[FindingResult], findings: Sequence[FindingResult]) -> dict[str, str]:
    """The ids of findings that are in the baseline too, each mapped to the baseline's id.

    A page that was saved again has other ids: then findings with equal rule, undated source, value and message are the
    same, and each of the baseline's matches one.
    """
    same = {finding.id for finding in before} & {finding.id for finding in findings}
    gone: defaultdict[_Content, list[str]] = defaultdict(list)
    for finding in before:
        if finding.id not in same and finding.source is not None:
            gone[_content(finding)].append(finding.id)
    pairs = {name: name for name in same}
    for finding in findings:
        if finding.id not in same and finding.source is not None and gone[_content(finding)]:
            pairs[finding.id] = gone[_content(finding)].pop(0)
    return pairs


def _content(finding: FindingResult) -> _Content:
    return finding.rule_id, undated(finding.source or ""), finding.value, finding.message


ALLOWED = Limit(share=Fraction(1, LOST_OF))
"""The share of pages, rows or listed papers above which a loss is an error, unless a rules file sets another."""
SHOWN_PAGES = 20
"""Missing pages that have a finding each; the others are counted in one."""
LOST = _DATA, _COVERAGE = "DAT-001", "DAT-002"
"""The rules about lost data."""
_NO_LOSS = (*JUDGING_TABLES, "variants")
"""Tables whose rows are not counted as lost."""
_ALLOW = f"allow the loss with [{_DATA}] in a rules file"
_GIVE = f"give {{}} again, or {_ALLOW}"
_MISSING, _UNREAD = "is not among these pages", "cannot be read now"
_NO_PAPER = "holds no paper that can be read now"
"""What happened to a page of the baseline, in messages."""


@dataclass(frozen=True)
class _Loss:
    """The result of a rule about lost data; `reported` has the table, row key and message of each finding."""

    rule_id: str
    checked: int
    failed: int
    status: Status
    reported: Sequence[tuple[str, str, str]] = ()


def read_baseline(path: Path) -> Results:
    """Read the results of a release, given as its folder, an output folder with releases, or a results file.

    Raises `UsageError` where there are none, or where they have another version of the schema.
    """
    try:
        places = [path / "current" / RESULTS_FILE, path / RESULTS_FILE] if path.is_dir() else [path]
        found = next((place for place in places if place.is_file()), None)
        text = found.read_text(encoding="utf-8") if found else ""
    except OSError as error:
        raise refusal(error, "cannot be read", "check it and its permissions", path) from error
    except UnicodeDecodeError as error:
        raise _no_results(found, error) from error
    if found is None:
        raise UsageError(f"{path}: no results here; expected a release, or the results.json of a run")
    try:
        return read_results(text, found)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_results(found, error) from error


def _no_results(path: Path | None, error: Exception) -> UsageError:
    return UsageError(f"{path}: not the results of a run ({error}); make them again with --report")


def compare_with_baseline(results: Results, baseline: Results, source: str, thresholds: Thresholds) -> Results:
    """The results with each finding marked new or unchanged, and with findings about lost data.

    >>> none = Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])
    >>> compare_with_baseline(none, none, "build", Thresholds()).baseline
    BaselineResult(source='build', new=0, unchanged=0, gone=0, rows={})
    """
    before = [finding for finding in baseline.findings if finding.rule_id not in LOST]
    pairs = _pair_pages(baseline.pages, results.pages)
    losses = (_lost_data(results, baseline, pairs, thresholds), _lost_coverage(results, pairs, thresholds))
    same = _same_findings(before, results.findings)
    findings = [
        *(_finding(loss, *reported) for loss in losses for reported in loss.reported),
        *(msgspec.structs.replace(finding, state=_state(finding, same)) for finding in results.findings),
    ]
    new = [finding for finding in findings if finding.state == "new"]
    summary = BaselineResult(
        source=path_text(source),
        new=len(new),
        unchanged=len(findings) - len(new),
        gone=len(_still_checked(results, before) - set(same.values())),
        rows=baseline.rows,
    )
    failed = any(finding.severity == "error" for finding in new)
    return msgspec.structs.replace(
        results,
        findings=findings,
        rules=[_with_loss(rule, losses) for rule in results.rules],
        baseline=summary,
        verdict="failed" if failed else "warned" if findings else "passed",
    )


def _still_checked(results: Results, before: Sequence[FindingResult]) -> set[str]:
    """The ids of the baseline's findings whose rules report findings in this run: others are not gone."""
    silent = {rule.id for rule in results.rules if rule.status in {"off", "noted"}}
    return {finding.id for finding in before if finding.rule_id not in silent}


def _state(finding: FindingResult, known: Collection[str]) -> State:
    """Whether a finding is new; an error about an unreadable page is new each time: no baseline excuses it."""
    excused = finding.severity != "error" or finding.rule_id not in UNREADABLE
    return "unchanged" if finding.id in known and excused else "new"


def _lost_data(results: Results, baseline: Results, pairs: Sequence[_Pair], thresholds: Thresholds) -> _Loss:
    """The pages that were lost; or, where every page is present and readable, the tables that lost rows."""
    unread, errors = _unread(results), _unread(results, "error")
    lost = {then.profile_id: what for then, now in pairs if (what := _loss(then, now, unread, errors))}
    if lost:
        return _lost_pages(lost, baseline, thresholds.of(RULES[_DATA]))
    if any(undated(page.source) in unread for page in baseline.pages):
        return _Loss(_DATA, len(baseline.rows), 0, _passed(thresholds, _DATA))
    return _lost_rows(results, baseline, pairs, thresholds)


def _loss(then: PageResult, now: PageResult | None, unread: Mapping[str, str], errors: Collection[str]) -> str | None:
    """What happened to a lost page of the baseline; None for one that is not lost, or that has an error of its own."""
    if undated((now or then).source) in errors:
        return None
    if now is not None:
        return _NO_PAPER + _renamed(then, now.source) if then.listed_papers and not now.listed_papers else None
    file = unread.get(undated(then.source))
    if file is None:
        return _MISSING
    return _UNREAD + _renamed(then, file) if then.listed_papers else None


def _renamed(then: PageResult, source: str) -> str:
    return "" if source == then.source else f" ({source})"


def _unread(results: Results, severity: str | None = None) -> dict[str, str]:
    """The sources of unreadable pages by undated source: all, or only those reported with this severity."""
    findings = [finding for finding in results.findings if finding.rule_id in UNREADABLE]
    sources = [finding.source for finding in findings if finding.source and severity in {None, finding.severity}]
    return {undated(source): source for source in sources}


def _lost_pages(lost: Mapping[str, str], baseline: Results, setting: Setting) -> _Loss:
    """A finding for each lost page, most papers first; `lost` maps a page's id to what happened to it."""
    pages = [page for page in baseline.pages if page.profile_id in lost]
    status = setting.status(len(baseline.pages), len(pages), error_default=ALLOWED)
    ordered = sorted(pages, key=lambda page: (-page.listed_papers, page.source, page.profile_id))
    reported = [
        ("profiles", page.profile_id, _lost_message(page, lost[page.profile_id])) for page in ordered[:SHOWN_PAGES]
    ]
    rest = ordered[SHOWN_PAGES:]
    if rest:
        papers = count(sum(page.listed_papers for page in rest), "paper")
        are, them = ("is", "it") if len(rest) == 1 else ("are", "them")
        gone = "" if all(lost[page.profile_id] == _MISSING for page in rest) else " or cannot be read"
        message = f"{count(len(rest), 'more page')} of the baseline {are} not among these pages{gone}: {papers}; "
        reported.append(("profiles", "", message + _GIVE.format(them)))
    return _Loss(_DATA, len(baseline.pages), len(pages), status, reported if status in SEVERE else [])


def _lost_message(page: PageResult, what: str) -> str:
    advice = _GIVE.format("it") if what == _MISSING else f"save it again, or {_ALLOW}"
    return f"{page.source} was read in the baseline and {what}: {count(page.listed_papers, 'paper')}; {advice}"


def _lost_rows(results: Results, baseline: Results, pairs: Sequence[_Pair], thresholds: Thresholds) -> _Loss:
    """A finding for each table that lost more rows than the limit."""
    lost = {table: (results.rows.get(table, 0), rows) for table, rows in baseline.rows.items() if table not in _NO_LOSS}
    statuses = {table: _status(thresholds, _DATA, before, before - now) for table, (now, before) in lost.items()}
    past = [table for table, status in statuses.items() if status not in {"passed", "off"}]
    status = max((statuses[table] for table in past), key=STATUSES.index, default=_passed(thresholds, _DATA))
    hint = _fewer_papers_hint(_read_pairs(results, pairs))
    reported = [
        (table, table, f"{table} has {lost[table][0]:,} rows, {lost[table][1]:,} in the baseline, {hint}")
        for table in past
        if statuses[table] in SEVERE
    ]
    return _Loss(_DATA, len(lost), len(past), status, reported)


def _fewer_papers_hint(pairs: Sequence[tuple[PageResult, PageResult]]) -> str:
    fewer = [(then, now) for then, now in pairs if now.listed_papers < then.listed_papers]
    if not fewer:
        return f"though no page is missing; see with {command('diff')} what went, or {_ALLOW}"
    then, now = max(fewer, key=lambda pair: (pair[0].listed_papers - pair[1].listed_papers, pair[0].source))
    listed = f"{now.source} lists {count(now.listed_papers, 'paper')}, {then.listed_papers:,} before"
    return f"though no page is missing; {listed}; save it again once all have loaded, or {_ALLOW}"


def _lost_coverage(results: Results, every: Sequence[_Pair], thresholds: Thresholds) -> _Loss:
    """Whether the newest pages of people in both results list a smaller share of the papers that they can list."""
    pairs = [(then, now) for then, now in _newest_pairs(results, every) if _capacity(then) and _capacity(now)]
    if not pairs:
        return _Loss(_COVERAGE, 0, 0, _passed(thresholds, _COVERAGE))
    before, after = _share([then for then, _ in pairs]), _share([now for _, now in pairs])
    status = _status(thresholds, _COVERAGE, before, before - after)
    reported = [("profiles", "coverage", _coverage_message(pairs, before, after))] if status in SEVERE else []
    return _Loss(_COVERAGE, int(status != "off"), int(status not in {"passed", "off"}), status, reported)


def _coverage_message(pairs: Sequence[tuple[PageResult, PageResult]], before: int, after: int) -> str:
    then, now = max(pairs, key=lambda pair: (_share([pair[0]]) - _share([pair[1]]), pair[0].source))
    return (
        f"of the papers that pages state, at most {PAPERS_A_PAGE} a page, these pages list {after}%, in the baseline {before}%; "
        f"the greatest loss is {now.source}: {now.listed_papers:,} of {now.stated_papers:,} papers, "
        f"before {then.listed_papers:,} of {then.stated_papers:,}; open it, wait until all papers have loaded, and save it again"
    )


def _read_pairs(results: Results, pairs: Sequence[_Pair]) -> list[tuple[PageResult, PageResult]]:
    """The pages that are in both results and readable in this run."""
    unread = set(_unread(results).values())
    read = [(then, now) for then, now in pairs if now and now.source not in unread]
    return [(then, now) for then, now in read if now.listed_papers or not then.listed_papers]


def _newest_pairs(results: Results, pairs: Sequence[_Pair]) -> list[tuple[PageResult, PageResult]]:
    """The newest page of each person in the baseline and in this run; of a page without an owner, the same page."""
    newest: dict[str | None, PageResult | None] = {page.author_id: page for page in results.pages if page.newest}
    return _read_pairs(
        results,
        [(then, newest.get(then.author_id, now) if then.author_id else now) for then, now in pairs if then.newest],
    )


def _capacity(page: PageResult) -> int:
    """How many papers a page can list: as many as it states, up to the site's limit."""
    return min(page.stated_papers or 0, PAPERS_A_PAGE)


def _share(pages: Sequence[PageResult]) -> int:
    """The share of the papers that pages can list which they do list, in whole percent."""
    return round(100 * sum(min(page.listed_papers, _capacity(page)) for page in pages) / sum(map(_capacity, pages)))


def _status(thresholds: Thresholds, rule_id: str, before: int, lost: int) -> Status:
    """The status of a loss; one within the default limit passes."""
    status = thresholds.of(RULES[rule_id]).status(before, lost, ALLOWED, ALLOWED)
    return "passed" if status == "noted" and not ALLOWED.is_passed(before, lost) else status


def _passed(thresholds: Thresholds, rule_id: str) -> Status:
    return thresholds.of(RULES[rule_id]).status(0, 0)


def _finding(loss: _Loss, table: str, key: str, message: str) -> FindingResult:
    return FindingResult(
        id=digest(f"{loss.rule_id}\n{key}", 16),
        rule_id=loss.rule_id,
        severity="error" if loss.status == "failed" else "warning",
        table=table,
        row_key=key,
        profile_id=None,
        source=None,
        line_start=None,
        line_end=None,
        value=None,
        message=message,
        raw=[],
        state="new",
    )


def _with_loss(rule: RuleSummary, losses: Sequence[_Loss]) -> RuleSummary:
    """A rule about lost data with its result; any other rule unchanged."""
    loss = next((loss for loss in losses if loss.rule_id == rule.id), None)
    if loss is None:
        return rule
    severity = SEVERITY_OF.get(loss.status, rule.severity)
    return msgspec.structs.replace(
        rule, checked=loss.checked, failed=loss.failed, status=loss.status, severity=severity
    )
