"""Results held against earlier ones, so that only what is new fails: findings, pages and rows that were lost.

In: results and a baseline's. Out: results whose findings know whether they are new, with rules about what was lost.
Nothing of it goes into a release, which depends on no earlier one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from etl.errors import UsageError
from etl.invocation import command
from etl.printable import count
from etl.resolve.folding import digest
from etl.validate.results import (
    RESULTS_FILE,
    BaselineResult,
    FindingResult,
    PageResult,
    Results,
    RuleResult,
    State,
    read_results,
)
from etl.validate.thresholds import UNREADABLE, Limit, Setting, Thresholds
from schemas import RULES
from schemas.limits import PAPERS_A_PAGE
from schemas.rules import SEVERE, SEVERITY_OF, STATUSES, Status

ALLOWED = Limit(share=0.05)
"""The share of pages, of rows or of listed papers that may be lost before it is an error, unless a rules file says otherwise."""
SHOWN_PAGES = 20
"""Missing pages that are told one by one; the rest is counted."""
LOST = _DATA, _COVERAGE = "DAT-001", "DAT-002"
"""The rules about what was lost."""
_AUDIT = ("quarantine", "rules", "findings", "merge_candidates", "variants", "paper_candidates")
_ALLOW = f"allow the loss with [{_DATA}] in a rules file"
_GIVE = f"give {{}} again, or {_ALLOW}"
_SAVED_ON = re.compile(r"[@_ .-]?[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_ENDINGS = re.compile(r"(?:\.(?:gz|zst|txt|text|md))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Loss:
    """What a rule about losses came to: a message for each loss that is told, by the table and key that it is about."""

    rule_id: str
    checked: int
    failed: int
    status: Status
    told: Sequence[tuple[str, str, str]] = ()


def read_baseline(path: Path) -> Results:
    """The results of a release (its folder), of an output folder's newest, or in a file.

    Raises `UsageError` where there are none, or where another version of the schema made them.
    """
    places = [path / "current" / RESULTS_FILE, path / RESULTS_FILE] if path.is_dir() else [path]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise UsageError(f"{path}: no results here; expected a release, or the results.json of a run")
    try:
        return read_results(found.read_text(encoding="utf-8"), found)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise UsageError(f"{found}: not the results of a run ({error}); make them again with --report") from error


def hold_against(results: Results, baseline: Results, source: str, thresholds: Thresholds) -> Results:
    """The results with each finding new or unchanged, and with what was lost."""
    known = {finding.id for finding in baseline.findings if finding.rule_id not in LOST}
    losses = (_lost_data(results, baseline, thresholds), _lost_coverage(results, baseline, thresholds))
    findings = [
        *(_finding(loss, *told) for loss in losses for told in loss.told),
        *(msgspec.structs.replace(finding, state=_state(finding, known)) for finding in results.findings),
    ]
    new = [finding for finding in findings if finding.state == "new"]
    summary = BaselineResult(
        source=source,
        new=len(new),
        unchanged=len(findings) - len(new),
        gone=len(_looked_for(results, baseline) & known - {finding.id for finding in findings}),
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


def _looked_for(results: Results, baseline: Results) -> set[str]:
    """The baseline's findings of rules that would tell them now: those of a rule that is off are not gone."""
    silent = {rule.id for rule in results.rules if rule.status in {"off", "noted"}}
    return {finding.id for finding in baseline.findings if finding.rule_id not in silent}


def _state(finding: FindingResult, known: set[str]) -> State:
    """Whether a finding is new; a page that cannot be read is each time, since no baseline excuses it."""
    excused = finding.severity != "error" or finding.rule_id not in UNREADABLE
    return "unchanged" if finding.id in known and excused else "new"


def _lost_data(results: Results, baseline: Results, thresholds: Thresholds) -> Loss:
    """The pages that are missing; the tables that lost rows only where every page is there and can be read."""
    unread = _unread(results)
    there = {page.profile_id for page in results.pages} | {undated(page.source) for page in results.pages}
    gone = [page for page in baseline.pages if not {page.profile_id, undated(page.source)} & there]
    missing = [page for page in gone if undated(page.source) not in unread]
    if missing:
        return _lost_pages(missing, len(baseline.pages), thresholds.of(RULES[_DATA]))
    if any(undated(page.source) in unread for page in baseline.pages):
        return Loss(_DATA, len(baseline.rows), 0, _passed(thresholds, _DATA))
    return _lost_rows(results, baseline, thresholds)


def _unread(results: Results) -> set[str]:
    """The names of pages of which nothing could be read, which is told already."""
    return {undated(finding.source) for finding in results.findings if finding.rule_id in UNREADABLE and finding.source}


def undated(source: str) -> str:
    """A page's source without the day of saving, and without the endings of text: what the page is called each time.

    >>> undated("bells@2026-01-31.txt"), undated("pages-2026-01-31/bells.txt.gz")
    ('bells', 'pages/bells')
    """
    *folders, name = PurePosixPath(source).parts or ("",)
    return "/".join(_SAVED_ON.sub("", part) for part in (*folders, _ENDINGS.sub("", name)))


def _lost_pages(missing: Sequence[PageResult], pages: int, setting: Setting) -> Loss:
    """A message for each missing page, those of most papers first."""
    status = setting.status(pages, len(missing), error_default=ALLOWED)
    ordered = sorted(missing, key=lambda page: (-page.listed_papers, page.source, page.profile_id))
    told = [("profiles", page.profile_id, _missing_words(page)) for page in ordered[:SHOWN_PAGES]]
    rest = ordered[SHOWN_PAGES:]
    if rest:
        papers = count(sum(page.listed_papers for page in rest), "paper")
        are, them = ("is", "it") if len(rest) == 1 else ("are", "them")
        words = f"{count(len(rest), 'more page')} of the baseline {are} not among these pages: {papers}; "
        told.append(("profiles", "", words + _GIVE.format(them)))
    return Loss(_DATA, pages, len(missing), status, told if status in SEVERE else [])


def _missing_words(page: PageResult) -> str:
    papers = count(page.listed_papers, "paper")
    return f"{page.source} was read in the baseline and is not among these pages: {papers}; {_GIVE.format('it')}"


def _lost_rows(results: Results, baseline: Results, thresholds: Thresholds) -> Loss:
    """A message for each table that lost rows past the limit."""
    lost = {table: (results.rows.get(table, 0), rows) for table, rows in baseline.rows.items() if table not in _AUDIT}
    statuses = {table: _status(thresholds, _DATA, before, before - now) for table, (now, before) in lost.items()}
    past = [table for table, status in statuses.items() if status not in {"passed", "off"}]
    status = max((statuses[table] for table in past), key=STATUSES.index, default=_passed(thresholds, _DATA))
    hint = _fewer_words(results, baseline)
    told = [
        (table, table, f"{table} has {lost[table][0]:,} rows, {lost[table][1]:,} in the baseline, {hint}")
        for table in past
        if statuses[table] in SEVERE
    ]
    return Loss(_DATA, len(lost), len(past), status, told)


def _fewer_words(results: Results, baseline: Results) -> str:
    fewer = [(then, now) for then, now in _pairs(results, baseline) if now.listed_papers < then.listed_papers]
    if not fewer:
        return f"though no page is missing; see with {command('diff')} what went, or {_ALLOW}"
    then, now = max(fewer, key=lambda pair: (pair[0].listed_papers - pair[1].listed_papers, pair[0].source))
    listed = f"{now.source} lists {count(now.listed_papers, 'paper')}, {then.listed_papers:,} before"
    return f"though no page is missing; {listed}; save it again once all have loaded, or {_ALLOW}"


def _lost_coverage(results: Results, baseline: Results, thresholds: Thresholds) -> Loss:
    """Whether the newest pages of the people that both have list a smaller share of the papers that they could."""
    pairs = [(then, now) for then, now in _newest_pairs(results, baseline) if _could(then) and _could(now)]
    if not pairs:
        return Loss(_COVERAGE, 0, 0, _passed(thresholds, _COVERAGE))
    before, after = _share([then for then, _ in pairs]), _share([now for _, now in pairs])
    status = _status(thresholds, _COVERAGE, before, before - after)
    told = [("profiles", "coverage", _coverage_words(pairs, before, after))] if status in SEVERE else []
    return Loss(_COVERAGE, int(status != "off"), int(status not in {"passed", "off"}), status, told)


def _coverage_words(pairs: Sequence[tuple[PageResult, PageResult]], before: int, after: int) -> str:
    then, now = max(pairs, key=lambda pair: (_share([pair[0]]) - _share([pair[1]]), pair[0].source))
    return (
        f"of the papers that pages state, at most {PAPERS_A_PAGE} a page, these pages list {after}%, in the baseline {before}%; "
        f"the greatest loss is {now.source}: {now.listed_papers:,} of {now.stated_papers:,} papers, "
        f"before {then.listed_papers:,} of {then.stated_papers:,}; open it, wait until all papers have loaded, and save it again"
    )


def _pairs(results: Results, baseline: Results) -> list[tuple[PageResult, PageResult]]:
    """Each of the baseline's pages with what is the same page now, but for pages of which nothing could be read."""
    unread = _unread(results)
    read = [page for page in results.pages if undated(page.source) not in unread]
    found = {undated(page.source): page for page in read} | {page.profile_id: page for page in read}
    pairs = ((page, found.get(page.profile_id) or found.get(undated(page.source))) for page in baseline.pages)
    return [(then, now) for then, now in pairs if now]


def _newest_pairs(results: Results, baseline: Results) -> list[tuple[PageResult, PageResult]]:
    """The newest page of each person in the baseline with the newest of that person now; without an owner the same page."""
    unread = _unread(results)
    newest = [page for page in results.pages if page.newest and undated(page.source) not in unread]
    found = {mark: page for page in newest for mark in reversed(_marks(page))}
    pairs = ((page, next(filter(None, map(found.get, _marks(page))), None)) for page in baseline.pages if page.newest)
    return [(then, now) for then, now in pairs if now]


def _marks(page: PageResult) -> list[tuple[str, str | None]]:
    """What tells whose page it is, the surest first."""
    owner = [("author", page.author_id)] if page.author_id else []
    return [*owner, ("page", page.profile_id), ("source", undated(page.source))]


def _could(page: PageResult) -> int:
    """How many papers a page can list: as many as it states, up to the site's limit."""
    return min(page.stated_papers or 0, PAPERS_A_PAGE)


def _share(pages: Sequence[PageResult]) -> int:
    """The share of papers that pages list of those that they could, in whole percent."""
    return round(100 * sum(min(page.listed_papers, _could(page)) for page in pages) / sum(map(_could, pages)))


def _status(thresholds: Thresholds, rule_id: str, before: int, lost: int) -> Status:
    """What a loss comes to; one within the usual limit is none."""
    status = thresholds.of(RULES[rule_id]).status(before, lost, ALLOWED, ALLOWED)
    return "passed" if status == "noted" and not ALLOWED.is_passed(before, lost) else status


def _passed(thresholds: Thresholds, rule_id: str) -> Status:
    return thresholds.of(RULES[rule_id]).status(0, 0)


def _finding(loss: Loss, table: str, key: str, message: str) -> FindingResult:
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


def _with_loss(rule: RuleResult, losses: Sequence[Loss]) -> RuleResult:
    """A rule with what was lost; other rules as they are."""
    loss = next((loss for loss in losses if loss.rule_id == rule.id), None)
    if loss is None:
        return rule
    severity = SEVERITY_OF.get(loss.status, rule.severity)
    return msgspec.structs.replace(
        rule, checked=loss.checked, failed=loss.failed, status=loss.status, severity=severity
    )
