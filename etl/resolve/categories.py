"""Categories: which category of arXiv's taxonomy a badge's code stands for, and how that was decided.

In: codes a page. Out: for each the category and one of alias, unique, page, prior, unresolved.
"""

from collections import Counter
from functools import cache

import polars as pl

from etl.taxonomy import taxonomy

PRIOR_ARCHIVE = "cs"
"""The archive that is likeliest where nothing else tells."""
RANKS = {how: rank for rank, how in enumerate(("unique", "alias", "page", "prior", "unresolved"))}
"""The ways of resolving, the surest first."""


@cache
def candidates(code: str) -> tuple[tuple[str, ...], bool]:
    """The categories that a code may stand for once aliases are dropped or followed, and whether any was.

    >>> candidates("CV"), candidates("TH"), candidates("EC")
    ((('cs.CV', 'math.CV'), False), (('econ.TH',), True), (('econ.GN',), True))
    """
    named = [category for category in taxonomy().values() if code in (category.badge_code, category.category_id)]
    primary = [category.category_id for category in named if not category.alias_of]
    aliases = [category.alias_of for category in named if category.alias_of]
    return tuple(sorted(primary or set(aliases))), bool(aliases)


def resolve_code(code: str, page_archives: Counter[str]) -> tuple[str | None, str]:
    """The category of a code on a page whose sure badges belong to `page_archives`, and how it was found.

    >>> resolve_code("CL", Counter()), resolve_code("CV", Counter(math=2, cs=1)), resolve_code("ST", Counter())
    (('cs.CL', 'unique'), ('math.CV', 'page'), (None, 'unresolved'))
    """
    found, through_alias = candidates(code)
    if len(found) == 1:
        return found[0], "alias" if through_alias else "unique"
    by_archive = {taxonomy()[category].archive: category for category in found}
    most = max((page_archives[archive] for archive in by_archive), default=0)
    frequent = [archive for archive in by_archive if most and page_archives[archive] == most]
    if len(frequent) == 1 or PRIOR_ARCHIVE in frequent:
        return by_archive[PRIOR_ARCHIVE if PRIOR_ARCHIVE in frequent else frequent[0]], "page"
    if PRIOR_ARCHIVE in by_archive:
        return by_archive[PRIOR_ARCHIVE], "prior"
    return None, "unresolved"


def resolve_categories(codes: pl.DataFrame) -> pl.DataFrame:
    """Resolve each distinct (`profile_id`, `code`) of the badges, given all badges of those pages.

    In: columns profile_id, code, and `weight` (1 for a badge; 0 for a code that only wants an answer).
    Out: profile_id, code, category_id, category_resolution.
    """
    counted = codes.group_by("profile_id", "code").agg(pl.col("weight").sum()).sort("profile_id", "code")
    rows = []
    for (profile_id,), page in counted.group_by("profile_id", maintain_order=True):
        weights = dict(zip(page["code"], page["weight"], strict=True))
        archives = page_archives(weights)
        rows += [(profile_id, code, *resolve_code(code, archives)) for code in weights]
    return pl.DataFrame(
        rows,
        schema=dict.fromkeys(("profile_id", "code", "category_id", "category_resolution"), pl.String),
        orient="row",
    )


def page_archives(weights: dict[str, int]) -> Counter[str]:
    """How often each archive stands on a page, by the badges whose code names one category.

    >>> page_archives({"CL": 3, "CV": 1, "AS": 2})
    Counter({'cs': 3, 'eess': 2})
    """
    archives: Counter[str] = Counter()
    for code, weight in weights.items():
        found, _ = candidates(code)
        if len(found) == 1:
            archives[taxonomy()[found[0]].archive] += weight
    return archives
