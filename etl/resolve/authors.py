"""Authors: which spellings are one person, by evidence and in the open.

In: the bylines and owners of all pages, and the overrides. Out: `authors`, `author_names` and
`merge_candidates`. The rules (R1: equal after folding; R2: a fuller name, with a shared co-author) are the design's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import polars as pl

from etl.resolve.alike import Alike, AlikeNames, form_of
from etl.resolve.coauthors import Coauthors, Printed
from etl.resolve.folding import diacritics, digest, slug
from etl.resolve.joins import Join, Joins
from etl.resolve.names import Name, read_name
from etl.resolve.overrides import Overrides
from schemas import AuthorNames, Authors, MergeCandidates

JOINING = ("fuller_name", "moved_border")
"""Reasons that evidence turns into a join."""


@dataclass(frozen=True)
class People:
    """The tables of people."""

    authors: pl.DataFrame
    author_names: pl.DataFrame
    merge_candidates: pl.DataFrame


def resolve_authors(listings: Sequence[Printed], spellings: Iterable[str], overrides: Overrides) -> People:
    """Tell who is who among all `spellings`; `listings` hold the evidence.

    >>> bylines = [Printed(["Ann Bell", "Cy Dole"], None), Printed(["Ann B. Bell", "Cy Dole"], None)]
    >>> people = resolve_authors(bylines, ["Ann Bell", "Ann B. Bell", "Cy Dole"], Overrides())
    >>> people.authors["author_id"].to_list()
    ['ann-b-bell', 'cy-dole']
    """
    names = [read_name(spelling) for spelling in sorted(set(spellings))]
    joins = Joins(apart=overrides.different)
    _join_overridden(joins, overrides, {name.spelling for name in names})
    _join_equal(joins, names)
    roots = {name.spelling: joins.root(name.spelling) for name in names}
    alike = AlikeNames(form_of(name, roots[name.spelling]) for name in names)
    asked = alike.roots
    coauthors = Coauthors(listings, {spelling for spelling, root in roots.items() if root in asked}, joins)
    pairs = alike.pairs(coauthors)
    for join in _safe_joins(pairs, alike, coauthors, overrides):
        joins.join(join)
    people = _people(names, joins)
    return People(
        Authors.frame([person.row for person in people]),
        AuthorNames.frame([row for person in people for row in _name_rows(person, joins)]),
        MergeCandidates.frame(_candidates(people, joins, pairs, coauthors, roots)),
    )


def _join_overridden(joins: Joins, overrides: Overrides, printed: set[str]) -> None:
    """Join what the file calls the same, be it through a spelling that no page prints."""
    for group in overrides.groups():
        for name, other in pairwise(name for name in group if name in printed):
            joins.join(Join(name, other, "override", f"{overrides.source} says that they are the same"))


def _join_equal(joins: Joins, names: Sequence[Name]) -> None:
    """Join each name with the first that is equal; where an override keeps the two apart, with the next."""
    equal: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for name in names:
        for key in name.equal_keys:
            others = equal[key]
            if not any(joins.join(Join(o, name.spelling, "exact", f"equal to {o} after folding")) for o in others):
                others.append(name.spelling)


def _safe_joins(pairs: Sequence[Alike], alike: AlikeNames, coauthors: Coauthors, overrides: Overrides) -> list[Join]:
    """The joins that evidence allows, less those that together would make one person of two who cannot be.

    Two who stand in one byline, or whose middle names contradict, are not to be joined through a third either.
    """
    joins = [
        Join(pair.name, pair.other, pair.reason, f"{pair.name} and {pair.other} share the co-author {shared}")
        for pair in pairs
        if pair.reason in JOINING and (shared := coauthors.shared(pair.name, pair.other))
    ]
    trial = Joins(overrides.different)
    for join in joins:
        trial.join(join)
    groups = {trial.root(join.name): trial.group(join.name) for join in joins}
    clashing = {
        root
        for root, group in groups.items()
        if any(coauthors.together(*pair) or alike.contradict(*pair) for pair in combinations(group, 2))
    }
    return [join for join in joins if trial.root(join.name) not in clashing]


def _people(names: Sequence[Name], joins: Joins) -> list["_Person"]:
    groups: defaultdict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[joins.root(name.spelling)].append(name)
    fullest = [_fullest(group) for group in groups.values()]
    ids = _unique(
        [min(slug(name.spelling) for name in best) for best in fullest], [best[0].spelling for best in fullest]
    )
    return [
        _Person(author_id, best[0], tuple(name.spelling for name in group))
        for author_id, best, group in zip(ids, fullest, groups.values(), strict=True)
    ]


def _unique(slugs: list[str], spellings: Sequence[str]) -> list[str]:
    """Slugs of which no two are equal: all that collide are marked by a hash of their spelling."""
    standing = Counter(slugs)
    if len(standing) == len(slugs):
        return slugs
    marked = [
        f"{one}-{digest(spelling, 8)}" if standing[one] > 1 else one
        for one, spelling in zip(slugs, spellings, strict=True)
    ]
    return _unique(marked, spellings)


@dataclass(frozen=True)
class _Person:
    author_id: str
    name: Name
    spellings: tuple[str, ...]

    @property
    def row(self) -> tuple[str, str, str | None, str, int]:
        return self.author_id, self.name.spelling, self.name.given or None, self.name.family, len(self.spellings)


def _fullest(names: Sequence[Name]) -> list[Name]:
    """The names with the most letters, ignoring marks; those with most diacritics and words first."""

    def letters(name: Name) -> int:
        return len(name.folded.replace(" ", ""))

    most = max(map(letters, names))
    return sorted(
        (name for name in names if letters(name) == most),
        key=lambda name: (
            -diacritics(name.spelling),
            -len(name.given_words),
            name.spelling,
        ),
    )


def _name_rows(person: _Person, joins: Joins) -> list[tuple[str, str, str, str | None]]:
    how = joins.how_joined(person.name.spelling)
    return [
        (spelling, person.author_id, join.matched_by if join else "exact", join.evidence if join else None)
        for spelling, join in ((spelling, how[spelling]) for spelling in person.spellings)
    ]


def _candidates(
    people: Sequence[_Person], joins: Joins, pairs: Sequence[Alike], coauthors: Coauthors, roots: dict[str, str]
) -> list[tuple[str, str, str, str]]:
    """The pairs that stayed two people, by their identifiers; each once, the first reason in order counts."""
    person_of = {joins.root(person.name.spelling): person for person in people}
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        found = (person_of[joins.root(name)] for name in (pair.name, pair.other))
        some, other = sorted(found, key=lambda person: person.author_id)
        if some is other or joins.kept_apart(pair.name, pair.other) or _together(some, other, coauthors, roots):
            continue
        shared = coauthors.shared(pair.name, pair.other)
        evidence = f"{pair.name} and {pair.other}" + (
            f" share the co-author {shared}" if shared else ", no co-author shared"
        )
        reason = "several_fuller_forms" if shared and pair.reason == "fuller_name" else pair.reason
        rows.setdefault((some.author_id, other.author_id), (reason, evidence))
    return [(*ids, *row) for ids, row in rows.items()]


def _together(some: _Person, other: _Person, coauthors: Coauthors, roots: dict[str, str]) -> bool:
    """Whether one byline names both people, under any of their spellings."""
    return any(
        coauthors.together(roots[name], roots[another]) for name in some.spellings for another in other.spellings
    )
