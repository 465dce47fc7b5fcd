"""Authors: which spellings are one person or group, by evidence that is published.

In: the bylines and owners of all pages, and the overrides. Out: `authors`, `author_names` and `merge_candidates`.
Rule R1 joins names that are equal after folding. Rule R2 joins a fuller name, or one with other spaces, if the two share a
co-author. The owner of a page is the same person as the only compatible name of a byline on it.

Names come as keys: a spelling, with a mark (`parted_key`) where an override separates two people of one spelling.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import NamedTuple

import polars as pl

from etl.resolve.candidate_pairs import (
    LOST_SPACE,
    CandidatePair,
    CandidatePairs,
    Coauthors,
    Form,
    SameAs,
    SameGroups,
    compared_forms,
)
from etl.resolve.folding import diacritics, digest, fold, slug
from etl.resolve.names import Name, group_key, has_initials_only, read_group, read_name
from etl.resolve.overrides import Overrides, PersonOverride, merged_persons
from schemas import AuthorNames, Authors, MergeCandidates

JOINING = ("fuller_name", "moved_border")
"""Reasons for which a shared co-author joins a pair."""
UNCOMPARED = pl.Schema({"author_id": pl.String(), "name": pl.String(), "other": pl.String(), "names": pl.Int64()})
_PARTED, _OWNER = "\n", "="
"""Separator between the spelling and the mark of a key, and the prefix of a mark that is the key of an owner."""
Shared = Mapping[tuple[str, str], str]
"""The first co-author that a pair shares, by root spellings."""
_BRACKETS = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True)
class NameEvidence:
    """Facts about names beyond their spelling.

    `groups` are names of groups, not of people. `owned` maps a page's owner and the name of the owner in a byline to the
    evidence for it.
    """

    groups: frozenset[str] = frozenset()
    owned: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class People:
    """The tables of authors, and the author of each key.

    `uncompared` has a row for each set of names with too many candidate pairs to compare: the first author, two of the names,
    and the number of names.
    """

    authors: pl.DataFrame
    author_names: pl.DataFrame
    merge_candidates: pl.DataFrame
    author_of: dict[str, str]
    uncompared: pl.DataFrame


def parted_key(spelling: str, mark: str) -> str:
    """The key of a spelling that is the person of the override with this mark.

    >>> spelling_of(parted_key("Wei Li", "0a1b"))
    'Wei Li'
    """
    return f"{spelling}{_PARTED}{mark}"


def owner_key(spelling: str, owner: str) -> str:
    """The key of a spelling that is the owner of its page; the same spelling elsewhere is not.

    >>> spelling_of(owner_key("A. Bell", "Ann Bell"))
    'A. Bell'
    """
    return f"{spelling}{_PARTED}{_OWNER}{owner}"


def spelling_of(key: str) -> str:
    r"""The spelling of a key.

    >>> spelling_of("A. Bell\n=Ann Bell")
    'A. Bell'
    """
    return key.partition(_PARTED)[0]


def _with_owners(keys: Iterable[str]) -> set[str]:
    """The keys, with the keys of the owners that marked ones refer to."""
    found = set(keys)
    return found | {key.partition(_PARTED)[2].removeprefix(_OWNER) for key in found if _is_owners(key)}


def _is_owners(key: str) -> bool:
    """Whether a key refers to the owner of a page."""
    return key.partition(_PARTED)[2].startswith(_OWNER)


def resolve_authors(
    bylines: pl.DataFrame,
    keys: Iterable[str],
    overrides: Overrides,
    known: NameEvidence | None = None,
) -> People:
    """Assign an author to each of `keys`, by the evidence of `bylines`, as `Coauthors` takes them.

    >>> bylines = pl.DataFrame({"name_keys": [["Ann Bell", "Cy Dole"], ["Ann B. Bell", "Cy Dole"]], "owner_key": ["Eve Fox", None]})
    >>> people = resolve_authors(bylines, ["Ann Bell", "Ann B. Bell", "Cy Dole"], Overrides())
    >>> people.authors["author_id"].to_list()
    ['ann-b-bell', 'cy-dole']
    """
    known = known or NameEvidence()
    all_keys = sorted(_with_owners(keys))
    groups = _groups([key for key in all_keys if _PARTED not in key], known.groups)
    names = [_read(key, groups, overrides) for key in all_keys]
    free = [name for name in names if _PARTED not in name.spelling]
    joins = SameGroups(apart=overrides.different)
    _join_overridden(joins, overrides, {name.spelling for name in free})
    _join_parted(joins, [name.spelling for name in names if _PARTED in name.spelling])
    _join_equal(joins, free)
    roots = {name.spelling: joins.root(name.spelling) for name in names}
    candidates = CandidatePairs(compared_forms([name for name in free if not name.is_group], roots))
    coauthors = Coauthors(bylines, roots, groups)
    pairs = candidates.pairs(coauthors)
    shared = coauthors.shared([(pair.name, pair.other) for pair in pairs])
    _join_safely(joins, _owner_joins(known.owned, roots), candidates, coauthors, roots)
    _join_safely(joins, _evident_joins(pairs, shared, joins), candidates, coauthors, roots)
    people = _people(names, joins, overrides)
    author_of = {key: person.author_id for person in people for key in person.keys}
    return People(
        Authors.frame([person.row for person in people]),
        AuthorNames.frame([row for person in people for row in _name_rows(person, joins)]),
        MergeCandidates.frame(_candidates(people, joins, pairs, coauthors, shared, roots)),
        author_of,
        _uncompared(candidates.crowds, author_of),
    )


def _uncompared(crowds: Iterable[Sequence[Form]], author_of: Mapping[str, str]) -> pl.DataFrame:
    """The frame of `People.uncompared`."""
    roots = sorted(sorted({form.root for form in crowd}) for crowd in crowds)
    rows = [(author_of[found[0]], found[0], found[-1], len(found)) for found in roots]
    return pl.DataFrame(rows, schema=UNCOMPARED, orient="row")


def _groups(spellings: Sequence[str], known: Collection[str]) -> frozenset[str]:
    """The spellings that are equal to one of a known group."""
    keys = set(map(group_key, known))
    return frozenset(one for one in spellings if one in known or group_key(one) in keys)


def _read(key: str, groups: Collection[str], overrides: Overrides) -> Name:
    """The name of a key; of a marked key, with the parts that the override gives."""
    spelling, parted, mark = key.partition(_PARTED)
    if not parted:
        return read_group(spelling) if spelling in groups else read_name(spelling)
    if mark.startswith(_OWNER):
        name = read_name(spelling)
        return Name(key, name.given, name.family)
    decided = overrides.person(mark)
    name = _read_new(decided.name_as or spelling)
    return Name(key, decided.given or name.given, decided.family or name.family)


def _read_new(name: str) -> Name:
    """Read the name that an override gives; a note in brackets at its end distinguishes people and is no part of the name."""
    bare = read_name(_BRACKETS.sub("", name) or name)
    return Name(name, bare.given, bare.family)


def _join_overridden(joins: SameGroups, overrides: Overrides, printed: set[str]) -> None:
    """Join the names that the overrides declare the same, also if through a spelling that no page prints."""
    for group in [*overrides.groups(), *_called_alike(overrides)]:
        for name, other in pairwise(name for name in group if name in printed):
            joins.join(SameAs(name, other, "override", f"{overrides.source} says that they are the same"))


def _called_alike(overrides: Overrides) -> list[list[str]]:
    """The groups of names to which entries for all papers give one new name."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for decided in overrides.persons:
        if decided.name_as and not decided.papers:
            by_name[decided.name_as].append(decided.name)
    return [sorted(names) for names in by_name.values()]


def _join_parted(joins: SameGroups, keys: Sequence[str]) -> None:
    """Join the keys of one override (spellings of one person), and each key of a page's owner with the owner."""
    by_mark: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        spelling, _, mark = key.partition(_PARTED)
        if mark.startswith(_OWNER):
            owner = spelling_of(mark[1:])
            words = f"{spelling} in bylines of the page of {owner}, who is named there in no other way"
            joins.join(SameAs(mark[1:], key, "fuller_name", words))
        else:
            by_mark[mark].append(key)
    for same in by_mark.values():
        for key, other in pairwise(same):
            joins.join(SameAs(key, other, "override", "one entry of the overrides names both"))


def _join_equal(joins: SameGroups, names: Sequence[Name]) -> None:
    """Join each name with the first equal one; if an override separates the two, with the next."""
    keys = pl.DataFrame([name.equal_key for name in names], _EQUAL_KEY, orient="row")
    equal: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for place in keys.is_duplicated().arg_true():
        name = names[place]
        others = equal[name.equal_key]
        if not any(joins.join(SameAs(o, name.spelling, "exact", f"equal to {o} after folding")) for o in others):
            others.append(name.spelling)


_EQUAL_KEY = {"is_group": pl.Boolean, "given": pl.String, "family": pl.String}


def _owner_joins(owned: Mapping[tuple[str, str], str], roots: Mapping[str, str]) -> list[SameAs]:
    """The joins of owners of pages with their names in bylines of their pages."""
    return [
        SameAs(roots[owner], roots[name], "fuller_name", words)
        for (owner, name), words in sorted(owned.items())
        if owner in roots and name in roots
    ]


def _called(root: str, joins: SameGroups) -> str:
    """The spelling by which messages call a person: an unmarked one if there is one."""
    if _PARTED not in root:
        return root
    return min((name for name in joins.group(root) if _PARTED not in name), default=spelling_of(root))


def _evident_joins(pairs: Sequence[CandidatePair], shared: Shared, joins: SameGroups) -> list[SameAs]:
    """The joins for which a shared co-author is evidence."""
    return [
        SameAs(
            pair.name,
            pair.other,
            pair.reason,
            f"{_called(pair.name, joins)} and {_called(pair.other, joins)} share the co-author {_called(found, joins)}",
        )
        for pair in pairs
        if pair.reason in JOINING and (found := shared.get((pair.name, pair.other)))
    ]


def _join_safely(
    joins: SameGroups,
    wanted: Sequence[SameAs],
    candidates: CandidatePairs,
    coauthors: Coauthors,
    roots: Mapping[str, str],
) -> None:
    """Carry out the joins, except those that together would join two people who cannot be one.

    Two names of one byline, or with contradicting middle names, are not joined through a third name either.
    """
    trial = joins.copy()
    for join in wanted:
        trial.join(join)
    clashing = {
        root
        for root in {trial.root(join.name) for join in wanted}
        if _clash(root, joins, trial, candidates, coauthors, roots)
    }
    for join in wanted:
        if trial.root(join.name) not in clashing:
            joins.join(join)


def _clash(
    root: str,
    joins: SameGroups,
    trial: SameGroups,
    candidates: CandidatePairs,
    coauthors: Coauthors,
    roots: Mapping[str, str],
) -> bool:
    """Whether a group of the trial contains two spellings that cannot be one person and are not joined yet."""
    spellings = sorted({roots[name] for name in trial.group(root)})
    return any(
        (coauthors.together(name, other) or candidates.contradict(name, other)) and not joins.same(name, other)
        for name, other in combinations(spellings, 2)
    )


def _people(names: Sequence[Name], joins: SameGroups, overrides: Overrides) -> list["_Person"]:
    groups: defaultdict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[joins.root(name.spelling)].append(name)
    entries = [entry for entry in overrides.persons if not entry.papers]
    whole = _Whole(entries)
    people = []
    for group in groups.values():
        fullest = _fullest(group)
        decided = _decided(group, whole) if entries else None
        name = decided or _shown(fullest[0], overrides)
        slugs = [slug(name.spelling)] if decided else [slug(_shown(one, overrides).spelling) for one in fullest]
        people.append(_Person(min(slugs), name, fullest[0].spelling, tuple(one.spelling for one in group)))
    ids = _unique([person.author_id for person in people], [person.fullest for person in people])
    return [person._replace(author_id=author_id) for person, author_id in zip(people, ids, strict=True)]


def _shown(name: Name, overrides: Overrides) -> Name:
    """A name as published: for a marked key, the name that the override gives."""
    spelling, parted, mark = name.spelling.partition(_PARTED)
    if not parted:
        return name
    if mark.startswith(_OWNER):
        return Name(spelling, name.given, name.family)
    return Name(overrides.person(mark).name_as or spelling, name.given, name.family)


class _Whole:
    """The entries of overrides for all papers of a person, by spelling and by folded name."""

    def __init__(self, entries: Sequence[PersonOverride]) -> None:
        self._entries = entries
        self._by_name: defaultdict[object, list[int]] = defaultdict(list)
        for number, entry in enumerate(entries):
            for key in (entry.name, read_name(entry.name).equal_key):
                self._by_name[key].append(number)

    def about(self, names: Iterable[object]) -> list[PersonOverride]:
        """The entries about a person of these spellings and keys, in order."""
        found = {number for name in names for number in self._by_name.get(name, ())}
        return [self._entries[number] for number in sorted(found)]


def _decided(names: Sequence[Name], whole: _Whole) -> Name | None:
    """The name that overrides give to a person in all papers, or None."""
    free = [name for name in names if _PARTED not in name.spelling]
    named = {name.spelling: name for name in free}
    equal = {name.equal_key: name for name in reversed(free)}
    about = whole.about([*named, *equal])
    if not about:
        return None
    decided = merged_persons(about)
    return _renamed(named.get(decided.name) or equal[read_name(decided.name).equal_key], decided)


def _renamed(name: Name, decided: PersonOverride) -> Name:
    base = _read_new(decided.name_as) if decided.name_as else name
    if name.is_group:
        return Name(base.spelling, decided.given or "", decided.family or base.spelling, is_group=True)
    return Name(base.spelling, decided.given or base.given, decided.family or base.family)


def _unique(slugs: list[str], keys: Sequence[str]) -> list[str]:
    """Unique slugs: all that collide get a hash of their key as a suffix."""
    counts = Counter(slugs)
    if len(counts) == len(slugs):
        return slugs
    marked = [f"{one}-{digest(key, 8)}" if counts[one] > 1 else one for one, key in zip(slugs, keys, strict=True)]
    return _unique(marked, keys)


class _Person(NamedTuple):
    """An author: the published name, the key of the fullest spelling, and all keys."""

    author_id: str
    name: Name
    fullest: str
    keys: tuple[str, ...]

    @property
    def row(self) -> tuple[str, str, str, str | None, str, int]:
        kind = "group" if self.name.is_group else "person"
        spellings = len(set(map(spelling_of, self.keys)))
        return self.author_id, self.name.spelling, kind, self.name.given or None, self.name.family, spellings


def _fullest(names: Sequence[Name]) -> list[Name]:
    """The names with the most letters, ignoring marks; those with most diacritics and words first.

    Names from overrides come before all others; initials of a page's owner count only if there is no other name.
    """
    if len(names) == 1:
        return list(names)

    def letters(name: Name) -> int:
        return len(fold(spelling_of(name.spelling)).replace(" ", ""))

    parted = [name for name in names if _PARTED in name.spelling and not _is_owners(name.spelling)]
    calling = [name for name in names if not (_is_owners(name.spelling) and has_initials_only(name))]
    own = parted or calling or list(names)
    most = max(map(letters, own))
    return sorted(
        (name for name in own if letters(name) == most),
        key=lambda name: (-diacritics(spelling_of(name.spelling)), -len(name.given_words), name.spelling),
    )


def _name_rows(person: _Person, joins: SameGroups) -> list[tuple[str, str, str, str | None]]:
    how = joins.how_joined(person.fullest)
    rows: dict[str, tuple[str, str, str, str | None]] = {}
    for key in person.keys:
        join = how[key]
        parted = "override" if _PARTED in key and not _is_owners(key) else "exact"
        row = (join.matched_by, join.evidence) if join else (parted, None)
        rows.setdefault(spelling_of(key), (spelling_of(key), person.author_id, *row))
    return list(rows.values())


def _candidates(
    people: Sequence[_Person],
    joins: SameGroups,
    pairs: Sequence[CandidatePair],
    coauthors: Coauthors,
    shared: Shared,
    roots: Mapping[str, str],
) -> list[tuple[str, str, str, str]]:
    """The rows of the candidate pairs that were not joined, each pair of authors once, with the first reason in order."""
    person_of = {joins.root(person.fullest): person for person in people}
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        both = (person_of[joins.root(name)] for name in (pair.name, pair.other))
        some, other = sorted(both, key=lambda person: person.author_id)
        if some is other or joins.is_separated(pair.name, pair.other):
            continue
        if any(
            coauthors.together(name, another)
            for name in {roots[key] for key in some.keys}
            for another in {roots[key] for key in other.keys}
        ):
            continue
        found = shared.get((pair.name, pair.other))
        evidence = f"{spelling_of(pair.name)} and {spelling_of(pair.other)}" + (
            f" share the co-author {spelling_of(found)}" if found else ", no co-author shared"
        )
        reason = "several_fuller_forms" if found and pair.reason == "fuller_name" else pair.reason
        reason = "moved_border" if reason == LOST_SPACE else reason
        rows.setdefault((some.author_id, other.author_id), (reason, evidence))
    return [(*ids, *row) for ids, row in rows.items()]
