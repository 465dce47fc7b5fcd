"""Categories: which category of arXiv's taxonomy a badge's code stands for, and how that was decided.

In: listings with code, title, abstract and date. Out: for each the category, one of unique, alias, evidence and
unresolved, and the confidence where evidence was weighed.

Fifteen codes stand for several categories: CV is cs.CV or math.CV. For those one posterior decides: the archives of the
page's sure badges (half a count added to each), times the words of title and abstract (naive Bayes over counts of real
papers; absent words count too), and nothing for a category that had no paper yet on the badge's day.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import groupby

import polars as pl

from etl.extract.taxonomy import taxonomy

SURE = 0.9
"""The least confidence, rounded to three digits, with which a category is taken.

Measured on 3,000 rendered pages that were kept apart: 96.2 % of ambiguous listings right and 0.8 % wrong.
"""
RANKS = {how: rank for rank, how in enumerate(("override", "reference", "unique", "alias", "evidence", "unresolved"))}
"""The ways of resolving, the surest first."""
WORDS_WEIGHT = 35
"""Hundredths of the words' log-likelihood that count: words of one text are not independent of each other."""
_MILLI = 1000
"""Logarithms are whole thousandths of a nat, so that a sum is the same in any order and on any machine."""
_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True)
class Vote:
    """What speaks for one candidate: sure badges of its archive on the page, and words with their weights.

    `confidence` is the share of all candidates' weight; a positive weight of a word speaks for this candidate rather than
    for the others on average, in thousandths of a nat.
    """

    category_id: str
    badges: int
    words: dict[str, int]
    confidence: float


@cache
def candidates(code: str) -> tuple[tuple[str, ...], bool]:
    """The categories that a code may stand for once aliases are dropped or followed, and whether any was.

    >>> candidates("CV"), candidates("TH"), candidates("EC"), candidates("cs.CV")
    ((('cs.CV', 'math.CV'), False), (('econ.TH',), True), (('econ.GN',), True), (('cs.CV',), False))
    """
    named = [category for category in taxonomy().values() if code in (category.badge_code, category.category_id)]
    primary = [category.category_id for category in named if not category.alias_of]
    aliases = [category.alias_of for category in named if category.alias_of]
    return tuple(sorted(primary or set(aliases))), bool(aliases)


def votes(code: str, badges: Mapping[str, int], text: str | None, published: date | None) -> list[Vote]:
    """What speaks for each candidate of a code, the surest first.

    `badges` are the page's sure ones by archive, `text` is title and abstract; without a text only the badges count.

    >>> [(vote.category_id, vote.confidence) for vote in votes("CV", {"math": 3}, "Holomorphic functions", None)]
    [('math.CV', 1.0), ('cs.CV', 0.0)]
    """
    found, _ = candidates(code)
    present = None if text is None else set(_WORD.findall(text.lower()))
    sums = {one: _log_weight(code, one, badges, present, published) for one in found}
    highest = max((value for value in sums.values() if value is not None), default=None)
    shares = {
        one: 0.0 if value is None or highest is None else math.exp((value - highest) / (100 * _MILLI))
        for one, value in sums.items()
    }
    total = math.fsum(shares.values()) or 1.0
    told = [
        Vote(one, badges.get(_archive(one), 0), _telling(code, one, present), round(shares[one] / total, 3))
        for one in found
    ]
    return sorted(told, key=lambda vote: (-vote.confidence, vote.category_id))


def resolve_code(
    code: str, badges: Mapping[str, int], text: str | None = None, published: date | None = None
) -> tuple[str | None, str, float | None]:
    """The category of a code, how it was found, and the confidence where evidence was weighed, as for `votes`.

    >>> resolve_code("CL", {}), resolve_code("SY", {}), resolve_code("CV", {"cs": 9})
    (('cs.CL', 'unique', None), ('eess.SY', 'alias', None), ('cs.CV', 'evidence', 0.95))
    >>> resolve_code("ST", {}), resolve_code("XX", {})
    ((None, 'unresolved', 0.5), (None, 'unresolved', None))
    """
    found, through_alias = candidates(code)
    if not found:
        return None, "unresolved", None
    if len(found) == 1:
        return found[0], "alias" if through_alias else "unique", None
    best = votes(code, badges, text, published)[0]
    if best.confidence >= SURE:
        return best.category_id, "evidence", best.confidence
    return None, "unresolved", best.confidence


def resolve_categories(listings: pl.DataFrame) -> pl.DataFrame:
    """Resolve the badges of all listings, given whole pages.

    In: columns profile_id, position, code, title, abstract, published.
    Out: profile_id, position, category_id, category_resolution, category_confidence.
    """
    badges = sure_badges(listings)
    rows = [
        (profile_id, position, *_resolve(code, badges.get(profile_id, Counter()), title, abstract, published))
        for profile_id, position, code, title, abstract, published in listings.select(
            "profile_id", "position", "code", "title", "abstract", "published"
        ).iter_rows()
    ]
    schema = {
        "profile_id": pl.String,
        "position": pl.Int64,
        "category_id": pl.String,
        "category_resolution": pl.String,
        "category_confidence": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def resolve_fields(profiles: pl.DataFrame, listings: pl.DataFrame) -> dict[str, str | None]:
    """The category of each page's field, by the page's id: words tell nothing there, but the page's badges do."""
    badges = sure_badges(listings)
    return {
        profile_id: resolve_code(field, badges.get(profile_id, Counter()))[0]
        for profile_id, field in profiles.drop_nulls("field").select("profile_id", "field").iter_rows()
    }


def sure_badges(listings: pl.DataFrame) -> dict[str, Counter[str]]:
    """How many badges of each archive stand on each page, counting the codes that name one category."""
    counted = listings.group_by("profile_id", "code").len().sort("profile_id", "code")
    return {
        profile_id: archives_of((code, count) for _, code, count in rows)
        for profile_id, rows in groupby(counted.iter_rows(), key=lambda row: row[0])
    }


def archives_of(codes: Iterable[tuple[str, int]]) -> Counter[str]:
    """How often each archive stands in codes with their counts, by those that name one category.

    >>> archives_of([("CL", 3), ("CV", 1), ("AS", 2)])
    Counter({'cs': 3, 'eess': 2})
    """
    archives: Counter[str] = Counter()
    for code, count in codes:
        found, _ = candidates(code)
        if len(found) == 1:
            archives[_archive(found[0])] += count
    return archives


def _resolve(
    code: str, badges: Counter[str], title: str, abstract: str, published: date | None
) -> tuple[str | None, str, float | None]:
    return resolve_code(code, badges, f"{title}\n{abstract}", published)


def _archive(category_id: str) -> str:
    return taxonomy()[category_id].archive


def _log_weight(
    code: str, category_id: str, badges: Mapping[str, int], present: set[str] | None, published: date | None
) -> int | None:
    """The logarithm of a candidate's weight, in hundred-thousandths of a nat; None where it is nothing."""
    facts = _evidence(code)
    first = facts.first_papers.get(category_id)
    if published and first and published < first:
        return None
    page = round(_MILLI * math.log(badges.get(_archive(category_id), 0) + 0.5))
    if present is None or not facts.words:
        return 100 * page
    words = facts.absent[category_id] + sum(facts.present[category_id][word] for word in present & facts.words)
    return 100 * page + WORDS_WEIGHT * words


def _telling(code: str, category_id: str, present: set[str] | None) -> dict[str, int]:
    """The words of a text with what they add for this candidate beyond the average of all, the most telling first."""
    facts = _evidence(code)
    found = (present or set()) & facts.words
    weights = {
        word: facts.present[category_id][word] - sum(one[word] for one in facts.present.values()) // len(facts.present)
        for word in found
    }
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class _Evidence:
    """What is known of a code's candidates: the day of the first paper of each, and the weight of each word.

    `absent` is the sum where no word occurs, `present` what a word that occurs adds to it; thousandths of a nat.
    """

    first_papers: dict[str, date]
    words: frozenset[str]
    absent: dict[str, int]
    present: dict[str, dict[str, int]]


@cache
def _evidence(code: str) -> _Evidence:
    counts = _papers()
    known = [one for one in candidates(code)[0] if one in counts]
    # A badge may print the whole identifier, of which there is but one candidate.
    table = _word_counts().get(code, {})
    words = frozenset(word for one in known for word in table.get(one, {}))
    shares = {one: {word: (table[one].get(word, 0) + 1) / (counts[one][0] + 2) for word in words} for one in known}
    without = {one: {word: _milli(1 - share) for word, share in shares[one].items()} for one in known}
    return _Evidence(
        first_papers={one: counts[one][1] for one in known},
        words=words,
        absent={one: sum(without[one].values()) for one in known},
        present={
            one: {word: _milli(share) - without[one][word] for word, share in shares[one].items()} for one in known
        },
    )


def _milli(share: float) -> int:
    return round(_MILLI * math.log(share))


@cache
def _papers() -> dict[str, tuple[int, date]]:
    """How many real papers of each category the words were counted in, and the day of arXiv's first."""
    return {row["category_id"]: (int(row["papers"]), date.fromisoformat(row["first_paper"])) for row in _read("papers")}


@cache
def _word_counts() -> dict[str, dict[str, dict[str, int]]]:
    """In how many of those papers each word occurs, by code and category."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in _read("words"):
        counts.setdefault(row["badge_code"], {}).setdefault(row["category_id"], {})[row["word"]] = int(row["papers"])
    return counts


def _read(name: str) -> Iterable[dict[str, str]]:
    text = files("etl").joinpath(f"data/category_{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
