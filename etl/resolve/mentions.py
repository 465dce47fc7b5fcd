"""Mentions: which key each name of a byline, and each page's owner, is looked up by.

A key is the name's spelling. It is marked where an override parts two people of one spelling by their papers, and where a
bare initial in a byline stands for the owner of that page, but for nobody else elsewhere.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from etl.extract.byline import is_group
from etl.resolve.authors import NameEvidence, owner_key, parted_key
from etl.resolve.folding import fold
from etl.resolve.names import Name, has_initials_only, may_be_one, read_name
from etl.resolve.overrides import Overrides

Parted = Mapping[str, list[tuple[tuple[object, ...], int]]]
"""For each paper the names, as compared, that overrides part there, and the number of the override."""


@dataclass(frozen=True)
class Mentions:
    """The listings with `name_keys` and `owner_key`, the owner's key of each page, and what is known of the names."""

    listings: pl.DataFrame
    owner_keys: dict[str, str]
    known: NameEvidence

    @property
    def keys(self) -> set[str]:
        """All keys."""
        names = self.listings["name_keys"].explode().drop_nulls()
        return {*names, *self.owner_keys.values()}


def find_mentions(listings: pl.DataFrame, profiles: pl.DataFrame, overrides: Overrides) -> Mentions:
    """Give a key to every name of `listings` (names, groups, owner, paper_id, alias_id) and to every page's owner."""
    parted = _parted(overrides)
    named = [
        _parted_names(names, paper, alias, parted)
        for names, paper, alias in listings.select("names", "paper_id", "alias_id").iter_rows()
    ]
    owner_keys = _owner_keys(listings, profiles, parted)
    groups = frozenset(listings["groups"].explode().drop_nulls()) | _group_names(listings)
    owned: dict[tuple[str, str], str] = {}
    keys: list[list[str]] = []
    columns = listings.select("profile_id", "owner", "source").iter_rows()
    fuller: defaultdict[str, set[str]] = defaultdict(set)
    for written, (profile_id, owner, source) in zip(named, columns, strict=True):
        found = _owner_in(owner, written, groups) if owner and owner_keys[profile_id] == owner else None
        if found and _is_short(owner) and not _is_short(found):
            fuller[profile_id].add(found)
            found = None
        keys.append(_with_owner(written, owner, found, source, owned))
    # A page of A. Bell whose bylines name Ann Bell is hers, though another A. Bell need not be.
    owner_keys |= {one: owner_key(owner_keys[one], *names) for one, names in fuller.items() if len(names) == 1}
    pages = pl.col("profile_id").replace_strict(owner_keys, default=None, return_dtype=pl.String)
    return Mentions(
        listings.with_columns(
            pl.Series("name_keys", keys, dtype=pl.List(pl.String)), pl.when("owned").then(pages).alias("owner_key")
        ),
        owner_keys,
        NameEvidence(groups, owned),
    )


def _parted(overrides: Overrides) -> Parted:
    found: defaultdict[str, list[tuple[tuple[object, ...], int]]] = defaultdict(list)
    first: dict[str, int] = {}
    for number, decided in enumerate(overrides.persons):
        # Entries that give one name are about one person.
        same = first.setdefault(decided.name_as, number) if decided.name_as else number
        for paper in decided.papers:
            found[paper].append((read_name(decided.name).equal_key, same))
    return dict(found)


def _parted_names(names: list[str], paper_id: str, alias_id: str | None, parted: Parted) -> list[str]:
    here = [*parted.get(paper_id, ()), *parted.get(alias_id or "", ())] if parted else []
    return [_key(name, here) for name in names] if here else names


def _key(name: str, parted: list[tuple[tuple[object, ...], int]]) -> str:
    equal = read_name(name).equal_key
    number = next((number for wanted, number in parted if wanted == equal), None)
    return name if number is None else parted_key(name, number)


def _owner_keys(listings: pl.DataFrame, profiles: pl.DataFrame, parted: Parted) -> dict[str, str]:
    """The key of each page's owner: parted where an override gives a paper of the page to one of the owner's name."""
    owners = dict(profiles.drop_nulls("name").select("profile_id", "name").iter_rows())
    if not parted:
        return owners
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for profile_id, paper_id, alias_id in (
        listings.filter("owned").select("profile_id", "paper_id", "alias_id").iter_rows()
    ):
        if profile_id in owners:
            (key,) = _parted_names([owners[profile_id]], paper_id, alias_id, parted)
            votes[profile_id][key] += key != owners[profile_id]
    chosen = {one: min(found.items(), key=lambda item: (-item[1], item[0])) for one, found in votes.items()}
    return {one: chosen[one][0] if one in chosen and chosen[one][1] else name for one, name in owners.items()}


def _group_names(listings: pl.DataFrame) -> frozenset[str]:
    return frozenset(filter(is_group, listings["names"].explode().drop_nulls().unique()))


def _owner_in(owner: str, names: list[str], groups: frozenset[str]) -> str | None:
    """The one name of a byline that may be the owner under another spelling; None where the owner is named, or none or several may."""
    if owner in names:
        return None
    own = _name(owner)
    found = [name for name in names if name not in groups and _share_a_word(owner, name)]
    if any(_name(name).equal_key == own.equal_key for name in found):
        return None
    alike = [name for name in found if may_be_one(own, _name(name))]
    return alike[0] if len(set(alike)) == 1 else None


def _share_a_word(name: str, other: str) -> bool:
    words, others = set(fold(name).split()), set(fold(other).split())
    return not words.isdisjoint(others) or "".join(sorted(words)) == "".join(sorted(others))


def _with_owner(
    keys: list[str], owner: str, found: str | None, source: str, owned: dict[tuple[str, str], str]
) -> list[str]:
    """The keys of a byline in which one name stands for the owner; a pair of whole names is noted in `owned`."""
    if found is None:
        return keys
    if _is_short(found) and not _is_short(owner):
        return [owner_key(key, owner) if key == found else key for key in keys]
    owned.setdefault((owner, found), f"{owner} owns the page {source}, of whose bylines one names {found}")
    return keys


def _is_short(name: str) -> bool:
    return has_initials_only(_name(name))


@lru_cache(maxsize=1 << 17)
def _name(spelling: str) -> Name:
    return read_name(spelling)
