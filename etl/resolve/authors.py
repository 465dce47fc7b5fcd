"""Authors: which spellings are one person, by evidence and in the open.

In: the bylines and owners of all pages, and the overrides. Out: `authors`, `author_names` and
`merge_candidates`. The rules (R1: equal after folding; R2: a fuller name, with a shared co-author) are the design's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from etl.resolve.alike import Alike, AlikeNames, form_of
from etl.resolve.coauthors import Coauthors, Printed
from etl.resolve.folding import digest, slug
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
    alike = AlikeNames(form_of(name, joins.root(name.spelling)) for name in names)
    asked = alike.roots
    coauthors = Coauthors(listings, {name.spelling for name in names if joins.root(name.spelling) in asked}, joins)
    pairs = alike.pairs(coauthors)
    for join in _safe_joins(pairs, coauthors):
        joins.join(join)
    people = _people(names, joins)
    return People(
        Authors.frame([person.row for person in people]),
        AuthorNames.frame([row for person in people for row in _name_rows(person, joins)]),
        _candidates(people, joins, pairs, coauthors),
    )


def _join_overridden(joins: Joins, overrides: Overrides, known: set[str]) -> None:
    for group in overrides.same:
        for name, other in pairwise(name for name in group if name in known):
            joins.join(Join(name, other, "override", f"{overrides.source} says that they are the same"))


def _join_equal(joins: Joins, names: Sequence[Name]) -> None:
    first_with: dict[tuple[object, ...], str] = {}
    for name in names:
        for key in name.equal_keys:
            first = first_with.setdefault(key, name.spelling)
            if first != name.spelling:
                joins.join(Join(first, name.spelling, "exact", f"equal to {first} after folding"))


def _safe_joins(pairs: Sequence[Alike], coauthors: Coauthors) -> list[Join]:
    """The joins that evidence allows, less those that together would make one person of two in one byline."""
    joins = [
        Join(pair.name, pair.other, pair.reason, f"{pair.name} and {pair.other} share the co-author {shared}")
        for pair in pairs
        if pair.reason in JOINING and (shared := coauthors.shared(pair.name, pair.other))
    ]
    trial = Joins()
    for join in joins:
        trial.join(join)
    clashing = {
        trial.root(name)
        for join in joins
        for name in (join.name, join.other)
        if any(coauthors.together(name, other) for other in trial.group(name))
    }
    return [join for join in joins if trial.root(join.name) not in clashing]


def _people(names: Sequence[Name], joins: Joins) -> list["_Person"]:
    groups: dict[str, list[Name]] = {}
    for name in names:
        groups.setdefault(joins.root(name.spelling), []).append(name)
    persons = [(_fullest(group), group) for group in groups.values()]
    slugs = [min(slug(name.spelling) for name in fullest) for fullest, _ in persons]
    standing = Counter(slugs)
    return [
        _Person(
            f"{author_id}-{digest(fullest[0].spelling, 8)}" if standing[author_id] > 1 else author_id,
            fullest[0],
            tuple(name.spelling for name in group),
        )
        for author_id, (fullest, group) in zip(slugs, persons, strict=True)
    ]


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
            -sum(not letter.isascii() for letter in name.spelling),
            -len(name.given_words),
            name.spelling,
        ),
    )


def _name_rows(person: _Person, joins: Joins) -> list[tuple[str, str, str, str | None]]:
    return [
        (spelling, person.author_id, join.matched_by if join else "exact", join.evidence if join else None)
        for spelling, join in joins.how_joined(person.name.spelling).items()
    ]


def _candidates(people: Sequence[_Person], joins: Joins, pairs: Sequence[Alike], coauthors: Coauthors) -> pl.DataFrame:
    """The pairs that stayed two people, by their identifiers; each once, the first reason in order counts."""
    person_of = {spelling: person for person in people for spelling in person.spellings}
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        some, other = sorted((person_of[pair.name], person_of[pair.other]), key=lambda person: person.author_id)
        if some is other or joins.kept_apart(pair.name, pair.other):
            continue
        shared = coauthors.shared(pair.name, pair.other)
        evidence = f"{pair.name} and {pair.other}" + (
            f" share the co-author {shared}" if shared else ", no co-author shared"
        )
        reason = "several_fuller_forms" if shared and pair.reason == "fuller_name" else pair.reason
        rows.setdefault((some.author_id, other.author_id), (reason, evidence))
    return MergeCandidates.frame([(*ids, *row) for ids, row in rows.items()])
