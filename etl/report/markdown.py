"""Markdown: a summary for the page of a CI run.

In: `Results`. Out: Markdown of at most 1 MiB, GitHub's limit. Text from pages is always code, so that it cannot be
markup, a link, a mention or HTML.
"""

import re
from collections.abc import Sequence
from itertools import islice

from etl.printable import count
from etl.report.results import FindingResult, PageResult, Results, RuleSummary
from etl.report.wording import (
    SHOWN_NAMES,
    by_failure,
    clipped,
    drift,
    left_out,
    matched,
    picked,
    place,
    shorten,
    verdict,
)

SHOWN_FINDINGS = 50
SHOWN_RULES = 100
SHOWN_PAGES = 20
SHOWN_LINES = 3
SHOWN_LETTERS = 500
"""Limits that bring the largest summary below 1 MiB; the escape of an invisible character has up to eight letters."""
_PLAIN = re.compile(r"(?!.*-[0-9])[A-Za-z0-9 ,'-]{1,200}")
"""A rule's title that needs no code marks: no sign has a meaning in Markdown or at GitHub, where GH-1 is a link."""


def render_markdown(results: Results) -> str:
    """The results as Markdown.

    >>> print(render_markdown(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])).splitlines()[0])
    # paperledger: Passed, without a finding.
    """
    sections = [
        f"# paperledger: {verdict(results)}",
        drift(results),
        _totals(results),
        _matched(results),
        _left_out(results),
    ]
    sections += [_rules(results), _findings(results), _pages(results.pages)]
    return "\n\n".join(filter(None, sections)) + "\n"


def _totals(results: Results) -> str:
    quarantined = sum(page.quarantined_lines for page in results.pages)
    papers, authors = (count(results.rows.get(name, 0), name.removesuffix("s")) for name in ("papers", "authors"))
    return f"{count(len(results.pages), 'page')}, {papers}, {authors}; {count(quarantined, 'line')} in quarantine."


def _matched(results: Results) -> str | None:
    words = matched(results, code)
    return words and f"{words}."


def _left_out(results: Results) -> str | None:
    files = left_out(results)
    few = files[: shorten(files, SHOWN_NAMES)]
    rest = f" and {len(files) - len(few):,} more" if len(files) > len(few) else ""
    return (
        f"Left out {count(len(files), 'file')} that cannot be read: {', '.join(map(code, few))}{rest}."
        if files
        else None
    )


def _rules(results: Results) -> str:
    broken = [rule for rule in by_failure(results.rules) if rule.status not in {"passed", "off"}]
    off = [rule for rule in results.rules if rule.status == "off"]
    head = ["| Rule | What must hold | Result | Broke it | Looked at |", "| --- | --- | --- | ---: | ---: |"]
    rows = [_rule(rule) for rule in broken[:SHOWN_RULES]]
    passed = f"{count(len(results.rules) - len(broken) - len(off), 'rule')} passed."
    if off:
        passed += f" Not looked at, since a rules file turns them off: {', '.join(code(rule.id) for rule in off)}."
    return "\n".join(["## Rules", "", *(head if rows else []), *rows, *_more(broken, SHOWN_RULES), "", passed])


def _rule(rule: RuleSummary) -> str:
    return (
        f"| {_cell(rule.id)} | {_words(rule.title)} | {rule.status} ({rule.severity})"
        f" | {rule.failed:,} | {rule.checked:,} |"
    )


def _findings(results: Results) -> str | None:
    if not results.findings:
        return None
    entries = [_finding(finding) for finding in picked(results.findings, results.rules, SHOWN_FINDINGS)]
    return "\n".join(["## Findings", "", *entries, *_more(results.findings, SHOWN_FINDINGS)])


def _finding(finding: FindingResult) -> str:
    state = f"{finding.state} " if finding.state else ""
    item = f"- {state}{finding.severity} {code(finding.rule_id)} {code(place(finding))}: {code(finding.message)}"
    return "\n".join([item, *_block(finding)])


def _block(finding: FindingResult) -> list[str]:
    """The raw lines as a fenced block in a list item; the fence has more backticks than any line has in a row."""
    if not finding.raw:
        return []
    numbered = enumerate(islice(finding.raw, SHOWN_LINES), finding.line_start or 1)
    rows = [f"{number:>5}  {short(line)}" for number, line in numbered]
    fence = "`" * max(3, _longest_run("".join(rows)) + 1)
    return [f"  {row}" for row in (f"{fence}text", *rows, fence)]


def _pages(pages: Sequence[PageResult]) -> str | None:
    odd = [page for page in pages if page.quarantined_lines or page.listed_papers != page.stated_papers]
    if not odd:
        return None
    head = ["## Pages that list another number of papers than they state, or have lines in quarantine", ""]
    head += ["| Page | Listed | Stated | Lines in quarantine |", "| --- | ---: | ---: | ---: |"]
    return "\n".join([*head, *map(_page, odd[:SHOWN_PAGES]), *_more(odd, SHOWN_PAGES)])


def _page(page: PageResult) -> str:
    stated = "unknown" if page.stated_papers is None else f"{page.stated_papers:,}"
    return (
        f"| {_cell(page.source)} | {page.listed_papers:,} | {stated} | {page.quarantined_lines:,} of {page.lines:,} |"
    )


def code(text: str) -> str:
    """Text as inline code, between more backticks than it contains in a row.

    >>> code("a `b` @c"), code("`b`")
    ('``a `b` @c``', '`` `b` ``')
    """
    seen = short(text) or " "
    ticks = "`" * (_longest_run(seen) + 1)
    # Markdown removes one space from each end, unless the text is all spaces.
    bare = seen[0] != "`" != seen[-1] and (not seen.strip() or not seen[0] == seen[-1] == " ")
    padding = "" if bare else " "
    return f"{ticks}{padding}{seen}{padding}{ticks}"


def short(text: str) -> str:
    r"""Visible text, cut to `SHOWN_LETTERS`.

    >>> len(short("\u202e" * 100))
    501
    """
    seen = clipped(text)
    return seen if len(seen) <= SHOWN_LETTERS else f"{seen[:SHOWN_LETTERS]}…"


def _more(items: Sequence[object], shown_items: int) -> list[str]:
    rest = len(items) - shown_items
    return ["", f"{rest:,} more in `results.json`."] if rest > 0 else []


def _cell(text: str) -> str:
    # A pipe ends a cell even in code, and dialects of Markdown differ on escaped pipes.
    return code(text.replace("|", "¦"))


def _words(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _cell(text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
