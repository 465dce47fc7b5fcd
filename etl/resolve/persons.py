"""Keys of names and the people that they belong to: how a key is read, and what a person of several keys is called.

A key is a name's spelling, with a mark where an override separates two people of one spelling by their papers, or where a name
of a paper is the owner of a page that lists it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from etl.resolve.folding import diacritics, fold, slug
from etl.resolve.names import Name, group_key, has_initials_only, read_group, read_name
from etl.resolve.overrides import Overrides, PersonOverride, merged_persons

PARTED, _OWNER = "\n", "="
"""Separator between the spelling and the mark of a key, and the prefix of a mark that is the key of an owner."""
_BRACKETS = re.compile(r"\s*\([^()]*\)$")


def parted_key(spelling: str, mark: str) -> str:
    """The key of a spelling that is the person of the override with this mark.

    >>> spelling_of(parted_key("Wei Li", "0a1b"))
    'Wei Li'
    """
    return f"{spelling}{PARTED}{mark}"


def owner_key(spelling: str, owner: str) -> str:
    """The key of a spelling that is the owner of its page; the same spelling elsewhere is not.

    >>> spelling_of(owner_key("A. Bell", "Ann Bell"))
    'A. Bell'
    """
    return f"{spelling}{PARTED}{_OWNER}{owner}"


def spelling_of(key: str) -> str:
    r"""The spelling of a key.

    >>> spelling_of("A. Bell\n=Ann Bell")
    'A. Bell'
    """
    return key.partition(PARTED)[0]


def mark_of(key: str) -> str | None:
    r"""The mark of a key, if it has one.

    >>> mark_of("Wei Li\n0a1b"), mark_of("A. Bell")
    ('0a1b', None)
    """
    _, parted, mark = key.partition(PARTED)
    return mark if parted else None


def owner_of(key: str) -> str | None:
    r"""The key of the owner whom a key refers to, if it does.

    >>> owner_of("A. Bell\n=Ann Bell"), owner_of("A. Bell")
    ('Ann Bell', None)
    """
    mark = mark_of(key)
    return mark.removeprefix(_OWNER) if mark and mark.startswith(_OWNER) else None


class Person(NamedTuple):
    """An author: the slug of the published name, this name, the key of the fullest spelling, and all keys."""

    slug: str
    name: Name
    fullest: str
    keys: tuple[str, ...]

    @property
    def published(self) -> tuple[str, str, str, str | None, str]:
        """The values of `authors.author_id` (where no other slug is equal), `name`, `kind`, `given` and `family`."""
        kind = "group" if self.name.is_group else "person"
        return self.slug, self.name.spelling, kind, self.name.given or None, self.name.family

    @property
    def spelling_count(self) -> int:
        """How many spellings the person has."""
        return len(set(map(spelling_of, self.keys)))


@dataclass(frozen=True)
class Persons:
    """What keys are read with: the known names of groups, and the overrides.

    >>> Persons(frozenset({"Tower Lab"})).read("TOWER LAB").is_group
    True
    """

    groups: frozenset[str] = frozenset()
    overrides: Overrides = field(default_factory=Overrides)

    def read(self, key: str) -> Name:
        """The name of a key; of a marked key, with the parts that the override gives."""
        mark = mark_of(key)
        if mark is None:
            return read_group(key) if self._is_group(key) else read_name(key)
        spelling = spelling_of(key)
        if owner_of(key) is not None:
            name = read_name(spelling)
            return Name(key, name.given, name.family)
        decided = self.overrides.person(mark)
        name = _read_new(decided.name_as or spelling)
        return Name(key, decided.given or name.given, decided.family or name.family)

    def person(self, names: Sequence[Name]) -> Person:
        """The person of some names, in the order of their keys.

        >>> persons = Persons()
        >>> persons.person([persons.read(key) for key in ("A. Bell", "Ann Bell")])[::2]
        ('ann-bell', 'Ann Bell')
        """
        fullest = _fullest(names)
        decided = self._decided(names)
        name = decided or self._shown(fullest[0])
        slugs = [slug(name.spelling)] if decided else [slug(self._shown(one).spelling) for one in fullest]
        return Person(min(slugs), name, fullest[0].spelling, tuple(one.spelling for one in names))

    def _is_group(self, spelling: str) -> bool:
        """Whether a spelling is equal to one of a known group."""
        return bool(self.groups) and (spelling in self.groups or group_key(spelling) in self._group_keys)

    @cached_property
    def _group_keys(self) -> frozenset[str]:
        return frozenset(map(group_key, self.groups))

    def _shown(self, name: Name) -> Name:
        """A name as published: for a marked key, the name that the override gives."""
        mark, spelling = mark_of(name.spelling), spelling_of(name.spelling)
        if mark is None:
            return name
        if owner_of(name.spelling) is not None:
            return Name(spelling, name.given, name.family)
        return Name(self.overrides.person(mark).name_as or spelling, name.given, name.family)

    @cached_property
    def _entries(self) -> list[PersonOverride]:
        """The entries of overrides for all papers of a person."""
        return [entry for entry in self.overrides.persons if not entry.papers]

    @cached_property
    def _by_name(self) -> dict[object, list[int]]:
        """The numbers of these entries, by spelling and by folded name."""
        found: defaultdict[object, list[int]] = defaultdict(list)
        for number, entry in enumerate(self._entries):
            for key in (entry.name, read_name(entry.name).equal_key):
                found[key].append(number)
        return dict(found)

    def _about(self, names: Iterable[object]) -> list[PersonOverride]:
        """The entries about a person of these spellings and keys, in order."""
        found = {number for name in names for number in self._by_name.get(name, ())}
        return [self._entries[number] for number in sorted(found)]

    def _decided(self, names: Sequence[Name]) -> Name | None:
        """The name that overrides give to a person in all papers, or None."""
        if not self._entries:
            return None
        free = [name for name in names if mark_of(name.spelling) is None]
        named = {name.spelling: name for name in free}
        equal = {name.equal_key: name for name in reversed(free)}
        about = self._about([*named, *equal])
        if not about:
            return None
        decided = merged_persons(about)
        return _renamed(named.get(decided.name) or equal[read_name(decided.name).equal_key], decided)


def _read_new(name: str) -> Name:
    """Read the name that an override gives; a note in brackets at its end distinguishes people and is no part of the name."""
    bare = read_name(_BRACKETS.sub("", name) or name)
    return Name(name, bare.given, bare.family)


def _renamed(name: Name, decided: PersonOverride) -> Name:
    base = _read_new(decided.name_as) if decided.name_as else name
    if name.is_group:
        return Name(base.spelling, decided.given or "", decided.family or base.spelling, is_group=True)
    return Name(base.spelling, decided.given or base.given, decided.family or base.family)


def _fullest(names: Sequence[Name]) -> list[Name]:
    """The names with the most letters, ignoring marks; those with most diacritics and words first.

    Names from overrides come before all others; initials of a page's owner count only if there is no other name.
    """
    if len(names) == 1:
        return list(names)

    def letters(name: Name) -> int:
        return len(fold(spelling_of(name.spelling)).replace(" ", ""))

    def is_owners(name: Name) -> bool:
        return owner_of(name.spelling) is not None

    parted = [name for name in names if mark_of(name.spelling) is not None and not is_owners(name)]
    calling = [name for name in names if not (is_owners(name) and has_initials_only(name))]
    own = parted or calling or list(names)
    most = max(map(letters, own))
    return sorted(
        (name for name in own if letters(name) == most),
        key=lambda name: (-diacritics(spelling_of(name.spelling)), -len(name.given_words), name.spelling),
    )
