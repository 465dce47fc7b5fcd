"""Categories: which category of arXiv's taxonomy a badge's code denotes, and how that was decided.

In: listings with code, title, abstract and date. Out: for each the category, one of unique, alias, evidence and
unresolved, and the confidence where evidence was weighed.

Fifteen codes denote several categories: CV is cs.CV or math.CV. For those the posterior probability decides: the archives
of the page's unambiguous badges (half a count added to each), times the words of title and abstract (naive Bayes over counts
of real papers; absent words count too); it is zero for a category whose first paper is later than the badge's day.
"""

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

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
_LETTERS = bytes(code if 97 <= code <= 122 else 32 for code in range(256))
"""Every byte but a to z becomes a space: a word is a run of these letters."""


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
    found = _known_words(code, text)
    return [
        Vote(one, badges.get(_archive(one), 0), _relative_weights(code, one, found), confidence)
        for one, confidence in _confidences(code, badges, word_weights(code, text), published)
    ]


def _confidences(
    code: str, badges: Mapping[str, int], words: Sequence[int], published: date | None
) -> list[tuple[str, float]]:
    """The candidates of a code with their posterior probabilities, the most probable first; `words` are their weights."""
    sums = [
        (one, _log_weight(code, one, badges, weight, published))
        for one, weight in zip(candidates(code)[0], words, strict=True)
    ]
    highest = max((value for _, value in sums if value is not None), default=None)
    shares = [
        (one, 0.0 if value is None or highest is None else math.exp((value - highest) / (100 * _MILLI)))
        for one, value in sums
    ]
    total = math.fsum(share for _, share in shares) or 1.0
    return sorted(((one, round(share / total, 3)) for one, share in shares), key=lambda one: (-one[1], one[0]))


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
    best, confidence = _confidences(code, badges, word_weights(code, text), published)[0]
    return (best, "evidence", confidence) if confidence >= SURE else (None, "unresolved", confidence)


_RESOLVED = {"category_id": pl.String, "category_resolution": pl.String, "category_confidence": pl.Float64}


def resolve_categories(listings: pl.DataFrame) -> pl.DataFrame:
    """The listings with the categories of their badges: category_id, category_resolution, category_confidence.

    In: columns profile_id, code, title, abstract, published; all listings of those pages.

    >>> columns = ["profile_id", "code", "title", "abstract", "published"]
    >>> resolve_categories(pl.DataFrame([("ann", "CL", "On Bells", "They ring.", None)], columns, orient="row")).row(0)[-3:]
    ('cs.CL', 'unique', None)
    """
    badges = _sure_badges(listings)
    rows = listings.select("profile_id", "code", "title", "abstract", "published").with_row_index("row")
    is_ambiguous = listings["code"].is_in([code for code in listings["code"].unique() if len(candidates(code)[0]) > 1])
    # By title, so that equal texts follow one another, and the words of each are weighed once.
    weighed = [
        (row, *resolve_code(code, badges[profile_id], f"{title}\n{abstract}", published))
        for row, profile_id, code, title, abstract, published in rows.filter(is_ambiguous).sort("title").iter_rows()
    ]
    sure = rows.filter(~is_ambiguous).select("row", "code")
    by_code = [(code, *resolve_code(code, {})) for code in sure["code"].unique()]
    resolved = sure.join(pl.DataFrame(by_code, {"code": pl.String, **_RESOLVED}, orient="row"), on="code")
    every = pl.concat([resolved.drop("code"), pl.DataFrame(weighed, {"row": pl.UInt32, **_RESOLVED}, orient="row")])
    return listings.hstack(every.sort("row").drop("row"))


def resolve_fields(profiles: pl.DataFrame, listings: pl.DataFrame) -> dict[str, str | None]:
    """The category of each page's field by the page's id, resolved by the page's badges alone.

    >>> badges = pl.DataFrame({"profile_id": ["ann"] * 9, "code": ["CL"] * 9})
    >>> resolve_fields(pl.DataFrame({"profile_id": ["ann"], "field": ["CV"]}), badges)
    {'ann': 'cs.CV'}
    """
    badges = _sure_badges(listings)
    return {
        profile_id: resolve_code(field, badges[profile_id])[0]
        for profile_id, field in profiles.drop_nulls("field").select("profile_id", "field").iter_rows()
    }


def _sure_badges(listings: pl.DataFrame) -> Mapping[str, Counter[str]]:
    """The number of unambiguous badges by page and archive."""
    archives = {code: _sure_archive(code) for code in listings["code"].unique()}
    archive = pl.col("code").replace_strict(archives, return_dtype=pl.String).alias("archive")
    badges: defaultdict[str, Counter[str]] = defaultdict(Counter)
    counted = listings.select("profile_id", archive).drop_nulls().group_by("profile_id", "archive").len()
    for profile_id, found, count in counted.iter_rows():
        badges[profile_id][found] = count
    return badges


def _sure_archive(code: str) -> str | None:
    """The archive of an unambiguous code, else None."""
    found, _ = candidates(code)
    return _archive(found[0]) if len(found) == 1 else None


def archives_of(codes: Iterable[tuple[str, int]]) -> Counter[str]:
    """The number of unambiguous codes by archive; codes are given with their counts.

    >>> archives_of([("CL", 3), ("CV", 1), ("AS", 2)])
    Counter({'cs': 3, 'eess': 2})
    """
    archives: Counter[str] = Counter()
    for code, count in codes:
        if archive := _sure_archive(code):
            archives[archive] += count
    return archives


def _archive(category_id: str) -> str:
    return taxonomy()[category_id].archive


def _log_weight(
    code: str, category_id: str, badges: Mapping[str, int], words: int, published: date | None
) -> int | None:
    """The logarithm of a candidate's weight, in hundred-thousandths of a nat; None for weight zero."""
    first = _evidence(code).first_papers.get(category_id)
    if published and first and published < first:
        return None
    return 100 * _milli(badges.get(_archive(category_id), 0) + 0.5) + WORDS_WEIGHT * words


@lru_cache(maxsize=1 << 8)
def word_weights(code: str, text: str | None) -> tuple[int, ...]:
    """For each candidate of a code the sum of the weights of a text's words, in thousandths of a nat; 0 without a text.

    >>> word_weights("CV", "Holomorphic functions"), word_weights("CV", None)
    ((-64757, -17648), (0, 0))
    """
    facts = _evidence(code)
    if text is None or not facts.words:
        return (0,) * len(candidates(code)[0])
    found = _known_words(code, text)
    return tuple(facts.absent[one] + sum(map(facts.present[one].__getitem__, found)) for one in candidates(code)[0])


def _known_words(code: str, text: str | None) -> frozenset[str]:
    """The words of a text that are evidence for a candidate of a code."""
    return _evidence(code).words.intersection((text or "").lower().encode().translate(_LETTERS).decode().split())


def _relative_weights(code: str, category_id: str, found: Iterable[str]) -> dict[str, int]:
    """The weights of words for this candidate, relative to the mean of all, the largest first."""
    facts = _evidence(code)
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


@lru_cache(maxsize=1 << 16)
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
