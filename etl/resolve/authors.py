"""Authors: which spellings are one person or group, by evidence and in the open.

In: the bylines and owners of all pages, and the overrides. Out: `authors`, `author_names` and `merge_candidates`.
The rules are the design's. R1: equal after folding. R2: a fuller name, or other spaces, with a shared co-author.
The owner of a page is one with the one compatible name of a byline on it.

Names come as keys: a spelling, or one that `parted_key` marks where an override parts two people of one spelling.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import polars as pl

from etl.resolve.candidate_pairs import (
    LOST_SPACE,
    BylineEvidence,
    CandidatePair,
    CandidatePairs,
    Coauthors,
    Form,
    SameAs,
    SameGroups,
    form_of,
)
from etl.resolve.folding import diacritics, digest, fold, slug
from etl.resolve.names import Name, has_initials_only, read_group, read_name
from etl.resolve.overrides import Overrides, PersonOverride, merged_persons
from schemas import AuthorNames, Authors, MergeCandidates

JOINING = ("fuller_name", "moved_border")
"""Reasons that evidence turns into a join."""
UNCOMPARED = pl.Schema({"author_id": pl.String(), "name": pl.String(), "other": pl.String(), "names": pl.Int64()})
_PARTED, _OWNER = "\n", "="
"""What stands behind the spelling of a key that is marked, and behind that where the rest of the key is an owner."""
_BRACKETS = re.compile(r"\s*\([^()]*\)$")


@dataclass(frozen=True)
class NameEvidence:
    """What is known of names beyond their spelling.

    `groups` are names that pages show to be no person's. `owned` are pairs of a page's owner and the name that stands for
    the owner in a byline, each with the words that say so.
    """

    groups: frozenset[str] = frozenset()
    owned: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class People:
    """The tables of authors, and the author of each key.

    `uncompared` has a row for each set of names that are candidates in too many ways to be compared: the first author, two of the
    names, and their number.
    """

    authors: pl.DataFrame
    author_names: pl.DataFrame
    merge_candidates: pl.DataFrame
    author_of: dict[str, str]
    uncompared: pl.DataFrame


def parted_key(spelling: str, mark: str) -> str:
    """The key of a spelling where it is the person of the override with this mark.

    >>> spelling_of(parted_key("Wei Li", "0a1b"))
    'Wei Li'
    """
    return f"{spelling}{_PARTED}{mark}"


def owner_key(spelling: str, owner: str) -> str:
    """The key of a spelling that stands for the owner of its page, and for nobody else elsewhere.

    >>> spelling_of(owner_key("A. Bell", "Ann Bell"))
    'A. Bell'
    """
    return f"{spelling}{_PARTED}{_OWNER}{owner}"


def spelling_of(key: str) -> str:
    """The spelling that a key is of."""
    return key.partition(_PARTED)[0]


def _with_owners(keys: Iterable[str]) -> set[str]:
    """The keys, and those of the owners that marked ones stand for."""
    every = set(keys)
    return every | {key.partition(_PARTED)[2].removeprefix(_OWNER) for key in every if _is_owners(key)}


def _is_owners(key: str) -> bool:
    """Whether a key stands for the owner of a page."""
    return key.partition(_PARTED)[2].startswith(_OWNER)


def resolve_authors(
    listings: Sequence[BylineEvidence],
    keys: Iterable[str],
    overrides: Overrides,
    known: NameEvidence | None = None,
) -> People:
    """Find out who is who among all `keys`; `listings` hold the evidence.

    >>> bylines = [BylineEvidence(["Ann Bell", "Cy Dole"], None), BylineEvidence(["Ann B. Bell", "Cy Dole"], None)]
    >>> people = resolve_authors(bylines, ["Ann Bell", "Ann B. Bell", "Cy Dole"], Overrides())
    >>> people.authors["author_id"].to_list()
    ['ann-b-bell', 'cy-dole']
    """
    known = known or NameEvidence()
    every = sorted(_with_owners(keys))
    groups = _groups([key for key in every if _PARTED not in key], known.groups)
    names = [_read(key, groups, overrides) for key in every]
    free = [name for name in names if _PARTED not in name.spelling]
    joins = SameGroups(apart=overrides.different)
    _join_overridden(joins, overrides, {name.spelling for name in free})
    _join_parted(joins, [name.spelling for name in names if _PARTED in name.spelling])
    _join_equal(joins, free)
    roots = {name.spelling: joins.root(name.spelling) for name in names}
    candidates = CandidatePairs(form_of(name, roots[name.spelling]) for name in free if not name.is_group)
    asked = candidates.roots.union(roots[name] for pair in known.owned for name in pair if name in roots)
    wanted = {name for name, root in roots.items() if root in asked}
    coauthors = Coauthors(listings, wanted, joins, groups)
    pairs = candidates.pairs(coauthors)
    _join_safely(joins, _owner_joins(known.owned, roots), candidates, coauthors, roots)
    _join_safely(joins, _evident_joins(pairs, coauthors, joins), candidates, coauthors, roots)
    people = _people(names, joins, overrides)
    author_of = {key: person.author_id for person in people for key in person.keys}
    return People(
        Authors.frame([person.row for person in people]),
        AuthorNames.frame([row for person in people for row in _name_rows(person, joins)]),
        MergeCandidates.frame(_candidates(people, joins, pairs, coauthors, roots)),
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
    keys = {read_group(spelling).family_key for spelling in known}
    return frozenset(one for one in spellings if one in known or read_group(one).family_key in keys)


def _read(key: str, groups: Collection[str], overrides: Overrides) -> Name:
    """A key's name; that of a parted one as the override has it, still under the key."""
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
    """The name that an override gives; what it has in brackets behind tells people apart and is no part of it."""
    bare = read_name(_BRACKETS.sub("", name) or name)
    return Name(name, bare.given, bare.family)


def _join_overridden(joins: SameGroups, overrides: Overrides, printed: set[str]) -> None:
    """SameAs what the file calls the same, be it through a spelling that no page prints."""
    for group in [*overrides.groups(), *_called_alike(overrides)]:
        for name, other in pairwise(name for name in group if name in printed):
            joins.join(SameAs(name, other, "override", f"{overrides.source} says that they are the same"))


def _called_alike(overrides: Overrides) -> list[list[str]]:
    """The names that entries for all papers give one name: they are one person."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for decided in overrides.persons:
        if decided.name_as and not decided.papers:
            by_name[decided.name_as].append(decided.name)
    return [sorted(names) for names in by_name.values()]


def _join_parted(joins: SameGroups, keys: Sequence[str]) -> None:
    """SameAs the keys of one override, several spellings of one person; and the keys that stand for a page's owner."""
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
    """SameAs each name with the first that is equal; where an override keeps the two apart, with the next."""
    equal: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for name in names:
        others = equal[name.equal_key]
        if not any(joins.join(SameAs(o, name.spelling, "exact", f"equal to {o} after folding")) for o in others):
            others.append(name.spelling)


def _owner_joins(owned: Mapping[tuple[str, str], str], roots: Mapping[str, str]) -> list[SameAs]:
    """The joins of owners of pages with the names that stand for them in their pages' bylines, in all papers."""
    return [
        SameAs(roots[owner], roots[name], "fuller_name", words)
        for (owner, name), words in sorted(owned.items())
        if owner in roots and name in roots
    ]


def _called(root: str, joins: SameGroups) -> str:
    """The spelling by which messages call a person: no marked one where there is another."""
    return (
        root
        if _PARTED not in root
        else min((name for name in joins.group(root) if _PARTED not in name), default=spelling_of(root))
    )


def _evident_joins(pairs: Sequence[CandidatePair], coauthors: Coauthors, joins: SameGroups) -> list[SameAs]:
    """The joins that a shared co-author is evidence for."""
    return [
        SameAs(
            pair.name,
            pair.other,
            pair.reason,
            f"{_called(pair.name, joins)} and {_called(pair.other, joins)} share the co-author {_called(shared, joins)}",
        )
        for pair in pairs
        if pair.reason in JOINING and (shared := coauthors.shared(pair.name, pair.other))
    ]


def _join_safely(
    joins: SameGroups,
    wanted: Sequence[SameAs],
    candidates: CandidatePairs,
    coauthors: Coauthors,
    roots: Mapping[str, str],
) -> None:
    """Carry out the joins, less those that together would make one person of two who cannot be.

    Two who stand in one byline, or whose middle names contradict, are not to be joined through a third either.
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
    """Whether a group of the trial holds two who cannot be one, other than such as are one already."""
    spellings = sorted({roots[name] for name in trial.group(root)})
    return any(
        (coauthors.together(name, other) or candidates.contradict(name, other)) and not joins.same(name, other)
        for name, other in combinations(spellings, 2)
    )


def _people(names: Sequence[Name], joins: SameGroups, overrides: Overrides) -> list["_Person"]:
    groups: defaultdict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[joins.root(name.spelling)].append(name)
    whole = _Whole([entry for entry in overrides.persons if not entry.papers])
    named = {root: _decided(group, whole) for root, group in groups.items()}
    fullest = {root: _fullest(group) for root, group in groups.items()}
    shown = [named[root] or _shown(fullest[root][0], overrides) for root in groups]
    slugs = [
        slug(name.spelling) if named[root] else min(slug(_shown(one, overrides).spelling) for one in fullest[root])
        for root, name in zip(groups, shown, strict=True)
    ]
    ids = _unique(slugs, [fullest[root][0].spelling for root in groups])
    return [
        _Person(author_id, name, fullest[root][0].spelling, tuple(one.spelling for one in groups[root]))
        for author_id, name, root in zip(ids, shown, groups, strict=True)
    ]


def _shown(name: Name, overrides: Overrides) -> Name:
    """A name as it is shown: that of a parted person as the override calls it."""
    spelling, parted, mark = name.spelling.partition(_PARTED)
    if not parted:
        return name
    if mark.startswith(_OWNER):
        return Name(spelling, name.given, name.family)
    return Name(overrides.person(mark).name_as or spelling, name.given, name.family)


class _Whole:
    """The entries of overrides for all papers of a person, by their spelling and by that as names are compared."""

    def __init__(self, entries: Sequence[PersonOverride]) -> None:
        self._entries = entries
        self._by_name: defaultdict[object, list[int]] = defaultdict(list)
        for number, entry in enumerate(entries):
            for key in (entry.name, read_name(entry.name).equal_key):
                self._by_name[key].append(number)

    def about(self, names: Iterable[object]) -> list[PersonOverride]:
        """The entries about a person of these spellings and keys, in order."""
        found = {number for name in names for number in self._by_name.get(name, ())} if self._entries else ()
        return [self._entries[number] for number in sorted(found)]


def _decided(names: Sequence[Name], whole: _Whole) -> Name | None:
    """The name that overrides give to all papers of a person, of whom they name a spelling; None where there is none."""
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
    """Slugs of which no two are equal: all that collide are marked by a hash of their key, which is a spelling mostly."""
    standing = Counter(slugs)
    if len(standing) == len(slugs):
        return slugs
    marked = [f"{one}-{digest(key, 8)}" if standing[one] > 1 else one for one, key in zip(slugs, keys, strict=True)]
    return _unique(marked, keys)


@dataclass(frozen=True)
class _Person:
    """An author: the name as it is shown, the key of the fullest spelling, and all keys."""

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

    A person of an override is called by its key; initials that stand for a page's owner there alone call nobody.
    """

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
    roots: Mapping[str, str],
) -> list[tuple[str, str, str, str]]:
    """The pairs that stayed two people, by their identifiers; each once, the first reason in order counts."""
    person_of = {joins.root(person.fullest): person for person in people}
    roots_of = {person.author_id: {roots[key] for key in person.keys} for person in people}
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        found = (person_of[joins.root(name)] for name in (pair.name, pair.other))
        some, other = sorted(found, key=lambda person: person.author_id)
        if some is other or joins.kept_apart(pair.name, pair.other):
            continue
        if any(
            coauthors.together(name, another)
            for name in roots_of[some.author_id]
            for another in roots_of[other.author_id]
        ):
            continue
        shared = coauthors.shared(pair.name, pair.other)
        evidence = f"{spelling_of(pair.name)} and {spelling_of(pair.other)}" + (
            f" share the co-author {spelling_of(shared)}" if shared else ", no co-author shared"
        )
        reason = "several_fuller_forms" if shared and pair.reason == "fuller_name" else pair.reason
        reason = "moved_border" if reason == LOST_SPACE else reason
        rows.setdefault((some.author_id, other.author_id), (reason, evidence))
    return [(*ids, *row) for ids, row in rows.items()]
