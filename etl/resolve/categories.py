"""Categories: which category of arXiv's taxonomy a badge's code denotes, and how that was decided.

In: listings with code, title, abstract and date. Out: for each the category, one of unique, alias, evidence and
unresolved, and the confidence where evidence was weighed.

Fifteen codes denote several categories: CV is cs.CV or math.CV. For those the posterior probability decides: the archives
of the page's unambiguous badges (half a count added to each), times the words of title and abstract (naive Bayes over counts
of real papers; absent words count too); it is zero for a category whose first paper is later than the badge's day.
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
"""The least confidence, rounded to three digits, for which a category is accepted.

Measured on 3,000 rendered pages outside the training data: 96.2 % of ambiguous listings right and 0.8 % wrong.
"""
RANKS = {how: rank for rank, how in enumerate(("override", "reference", "unique", "alias", "evidence", "unresolved"))}
"""The ways of resolving, the surest first."""
WORDS_WEIGHT = 35
"""Hundredths of the words' log-likelihood that count: words of one text are not independent of each other."""
_MILLI = 1000
"""Logarithms are integers, in thousandths of a nat, so that a sum does not depend on order or machine."""
_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True)
class Vote:
    """The evidence for one candidate: unambiguous badges of its archive on the page, and words with their weights.

    `confidence` is the candidate's posterior probability. Weights are relative to the mean of all candidates, in thousandths
    of a nat; positive ones favour this candidate.
    """

    category_id: str
    badges: int
    words: dict[str, int]
    confidence: float


@cache
def candidates(code: str) -> tuple[tuple[str, ...], bool]:
    """The categories that a code may denote, with aliases dropped or resolved, and whether there were any aliases.

    >>> candidates("CV"), candidates("TH"), candidates("EC"), candidates("cs.CV")
    ((('cs.CV', 'math.CV'), False), (('econ.TH',), True), (('econ.GN',), True), (('cs.CV',), False))
    """
    named = [category for category in taxonomy().values() if code in (category.badge_code, category.category_id)]
    primary = [category.category_id for category in named if not category.alias_of]
    aliases = [category.alias_of for category in named if category.alias_of]
    return tuple(sorted(primary or set(aliases))), bool(aliases)


def votes(code: str, badges: Mapping[str, int], text: str | None, published: date | None) -> list[Vote]:
    """The evidence for each candidate of a code, the most probable first.

    `badges` are the page's unambiguous badges by archive, `text` is title and abstract; without a text only badges count.

    >>> [(vote.category_id, vote.confidence) for vote in votes("CV", {"math": 3}, "Holomorphic functions", None)]
    [('math.CV', 1.0), ('cs.CV', 0.0)]
    """
    present = _words(text)
    return [
        Vote(one, badges.get(_archive(one), 0), _word_weights(code, one, present), confidence)
        for one, confidence in _confidences(code, badges, present, published)
    ]


def _confidences(
    code: str, badges: Mapping[str, int], present: set[str] | None, published: date | None
) -> list[tuple[str, float]]:
    """The candidates of a code with their posterior probabilities, the most probable first."""
    sums = {one: _log_weight(code, one, badges, present, published) for one in candidates(code)[0]}
    highest = max((value for value in sums.values() if value is not None), default=None)
    shares = {
        one: 0.0 if value is None or highest is None else math.exp((value - highest) / (100 * _MILLI))
        for one, value in sums.items()
    }
    total = math.fsum(shares.values()) or 1.0
    found = ((one, round(share / total, 3)) for one, share in shares.items())
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _words(text: str | None) -> set[str] | None:
    return None if text is None else set(_WORD.findall(text.lower()))


def resolve_code(
    code: str, badges: Mapping[str, int], text: str | None = None, published: date | None = None
) -> tuple[str | None, str, float | None]:
    """The category of a code, how it was resolved, and the confidence if evidence was weighed; arguments as for `votes`.

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
    best, confidence = _confidences(code, badges, _words(text), published)[0]
    return (best, "evidence", confidence) if confidence >= SURE else (None, "unresolved", confidence)


_RESOLVED = {"category_id": pl.String, "category_resolution": pl.String, "category_confidence": pl.Float64}


def resolve_categories(listings: pl.DataFrame) -> pl.DataFrame:
    """Resolve the badges of all listings of whole pages.

    In: columns profile_id, position, code, title, abstract, published.
    Out: profile_id, position, category_id, category_resolution, category_confidence.

    >>> columns = ["profile_id", "position", "code", "title", "abstract", "published"]
    >>> resolve_categories(pl.DataFrame([("ann", 1, "CL", "On Bells", "They ring.", None)], columns, orient="row")).row(0)
    ('ann', 1, 'cs.CL', 'unique', None)
    """
    badges = _sure_badges(listings)
    alone = {code: resolve_code(code, {}) for code in listings["code"].unique() if len(candidates(code)[0]) < 2}
    is_ambiguous = ~pl.col("code").is_in(list(alone))
    columns = listings.filter(is_ambiguous).select("profile_id", "position", "code", "title", "abstract", "published")
    weighed = [
        (
            profile_id,
            position,
            *resolve_code(code, badges.get(profile_id, Counter()), f"{title}\n{abstract}", published),
        )
        for profile_id, position, code, title, abstract, published in columns.iter_rows()
    ]
    by_code = [(code, *found) for code, found in alone.items()]
    resolved = pl.DataFrame(by_code, {"code": pl.String, **_RESOLVED}, orient="row")
    sure = (
        listings.filter(~is_ambiguous).select("profile_id", "position", "code").join(resolved, on="code").drop("code")
    )
    return pl.concat([sure, pl.DataFrame(weighed, sure.schema, orient="row")])


def resolve_fields(profiles: pl.DataFrame, listings: pl.DataFrame) -> dict[str, str | None]:
    """The category of each page's field by the page's id, resolved by the page's badges alone.

    >>> badges = pl.DataFrame({"profile_id": ["ann"] * 9, "code": ["CL"] * 9})
    >>> resolve_fields(pl.DataFrame({"profile_id": ["ann"], "field": ["CV"]}), badges)
    {'ann': 'cs.CV'}
    """
    badges = _sure_badges(listings)
    return {
        profile_id: resolve_code(field, badges.get(profile_id, Counter()))[0]
        for profile_id, field in profiles.drop_nulls("field").select("profile_id", "field").iter_rows()
    }


def _sure_badges(listings: pl.DataFrame) -> dict[str, Counter[str]]:
    """The number of unambiguous badges by page and archive."""
    counted = listings.group_by("profile_id", "code").len().sort("profile_id", "code")
    return {
        profile_id: archives_of((code, count) for _, code, count in rows)
        for profile_id, rows in groupby(counted.iter_rows(), key=lambda row: row[0])
    }


def archives_of(codes: Iterable[tuple[str, int]]) -> Counter[str]:
    """The number of unambiguous codes by archive; codes are given with their counts.

    >>> archives_of([("CL", 3), ("CV", 1), ("AS", 2)])
    Counter({'cs': 3, 'eess': 2})
    """
    archives: Counter[str] = Counter()
    for code, count in codes:
        found, _ = candidates(code)
        if len(found) == 1:
            archives[_archive(found[0])] += count
    return archives


def _archive(category_id: str) -> str:
    return taxonomy()[category_id].archive


def _log_weight(
    code: str, category_id: str, badges: Mapping[str, int], present: set[str] | None, published: date | None
) -> int | None:
    """The logarithm of a candidate's weight, in hundred-thousandths of a nat; None for weight zero."""
    facts = _evidence(code)
    first = facts.first_papers.get(category_id)
    if published and first and published < first:
        return None
    page = round(_MILLI * math.log(badges.get(_archive(category_id), 0) + 0.5))
    if present is None or not facts.words:
        return 100 * page
    words = facts.absent[category_id] + sum(facts.present[category_id][word] for word in present & facts.words)
    return 100 * page + WORDS_WEIGHT * words


def _word_weights(code: str, category_id: str, present: set[str] | None) -> dict[str, int]:
    """The weights of a text's words for this candidate, relative to the mean of all, the largest first."""
    facts = _evidence(code)
    found = (present or set()) & facts.words
    weights = {
        word: facts.present[category_id][word] - sum(one[word] for one in facts.present.values()) // len(facts.present)
        for word in found
    }
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True)
class _Evidence:
    """Statistics of a code's candidates: the day of the first paper of each, and the weight of each word.

    `absent` is the sum if no word occurs, `present` what each word that occurs adds to it; in thousandths of a nat.
    """

    first_papers: dict[str, date]
    words: frozenset[str]
    absent: dict[str, int]
    present: dict[str, dict[str, int]]


@cache
def _evidence(code: str) -> _Evidence:
    counts = _papers()
    known = [one for one in candidates(code)[0] if one in counts]
    # A badge may print a full identifier, which has only one candidate.
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
    """The number of papers in which words were counted, and the day of arXiv's first paper, by category."""
    return {row["category_id"]: (int(row["papers"]), date.fromisoformat(row["first_paper"])) for row in _read("papers")}


@cache
def _word_counts() -> dict[str, dict[str, dict[str, int]]]:
    """The number of those papers in which a word occurs, by code, category and word."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for row in _read("words"):
        counts.setdefault(row["badge_code"], {}).setdefault(row["category_id"], {})[row["word"]] = int(row["papers"])
    return counts


def _read(name: str) -> Iterable[dict[str, str]]:
    text = files("etl").joinpath(f"data/category_{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
