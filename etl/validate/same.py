"""What two runs have in common: the pages that are the same, and the findings that say the same.

In: pages and findings of two runs. Out: pairs.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from etl.validate.results import FindingResult, PageResult

_SAVED_ON = re.compile(r"[@_ .-]?[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_ENDINGS = re.compile(r"(?:\.(?:gz|zst|txt|text|md))+$", re.IGNORECASE)

Pair = tuple[PageResult, PageResult | None]
"""A page of the baseline, and what it is now."""
_Words = tuple[str, str, str | None, str]
"""What a finding says: rule, name of the page, value and message."""


def undated(source: str) -> str:
    """A page's source without the day of saving, and without the endings of text: what the page is called each time.

    >>> undated("bells@2026-01-31.txt"), undated("pages-2026-01-31/bells.txt.gz")
    ('bells', 'pages/bells')
    """
    *folders, name = PurePosixPath(source).parts or ("",)
    return "/".join(_SAVED_ON.sub("", part) for part in (*folders, _ENDINGS.sub("", name)))


_SAME: tuple[Callable[[PageResult], str], ...] = (
    lambda page: page.profile_id,
    lambda page: page.source,
    lambda page: undated(page.source),
)
"""What makes two pages the same, the surest first."""


def pair_pages(before: Sequence[PageResult], pages: Sequence[PageResult]) -> list[Pair]:
    """Each of the baseline's pages with what is the same page now, if any: by its bytes, its source, or its name."""
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


def same_findings(before: Sequence[FindingResult], findings: Sequence[FindingResult]) -> dict[str, str]:
    """The ids of findings that the baseline has, each with that of the baseline's.

    A page that was saved again is another row, so that of findings of other ids those are the same that say the same of
    a page of the same name; each of the baseline's stands for one.
    """
    same = {finding.id for finding in before} & {finding.id for finding in findings}
    gone: defaultdict[_Words, list[str]] = defaultdict(list)
    for finding in before:
        if finding.id not in same and finding.source is not None:
            gone[_words_of(finding)].append(finding.id)
    pairs = {name: name for name in same}
    for finding in findings:
        if finding.id not in same and finding.source is not None and gone[_words_of(finding)]:
            pairs[finding.id] = gone[_words_of(finding)].pop(0)
    return pairs


def _words_of(finding: FindingResult) -> _Words:
    return finding.rule_id, undated(finding.source or ""), finding.value, finding.message
