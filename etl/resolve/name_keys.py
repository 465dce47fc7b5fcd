"""Keys of names: the key by which the author of each name of a byline, and of each page's owner, is looked up.

A key is the name's spelling. It has a mark if an override separates two people of one spelling by their papers, or if a name
of a paper is the owner of a page that lists it, which is no evidence for that name in other papers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from etl.extract.byline import is_group
from etl.resolve.authors import NameEvidence, owner_key, parted_key, spelling_of
from etl.resolve.folding import fold
from etl.resolve.names import Name, has_initials_only, may_be_one, read_name
from etl.resolve.overrides import Overrides
from etl.resolve.papers import paper_by_any_id

Parted = Mapping[str, list[tuple[tuple[object, ...], str]]]
"""For each paper the names (as compared) that overrides separate there, with the marks of the overrides."""


@dataclass(frozen=True)
class KeyedNames:
    """For each listing its `name_keys` and `owner_key`, the key of each page's owner, and the evidence about names."""

    listings: pl.DataFrame
    owner_keys: dict[str, str]
    known: NameEvidence

    @property
    def keys(self) -> set[str]:
        """All keys."""
        names = self.listings["name_keys"].explode().drop_nulls()
        return {*names, *self.owner_keys.values()}


def key_names(listings: pl.DataFrame, profiles: pl.DataFrame, overrides: Overrides) -> KeyedNames:
    r"""Assign a key to every name of `listings` and to the owner of every page.

    In: listings with paper_id, alias_id, profile_id, source, names, groups, owner, owned, truncated.

    >>> listing = {"paper_id": "bells", "profile_id": "ann", "source": "ann.txt", "owner": "Ann Bell", "owned": True}
    >>> listings = pl.DataFrame([{**listing, "names": ["A. Bell", "Cy Dole"], "groups": [""], "truncated": False}])
    >>> key_names(listings, pl.DataFrame({"profile_id": ["ann"], "name": ["Ann Bell"]}), Overrides()).listings["name_keys"][0].to_list()
    ['A. Bell\n=Ann Bell', 'Cy Dole']
    """
    parted = _parted(overrides, listings)
    listings = listings.select("paper_id", "profile_id", "source", "names", "groups", "owner", "owned", "truncated")
    named = listings.with_columns(_with_parted(listings, parted).alias("name_keys"))
    owner_keys = _owner_keys(listings, profiles, parted)
    owners = {read_name(owner).equal_key for owner in profiles["name"].drop_nulls()}
    groups = frozenset(
        name for name in _group_names(listings) if is_group(name) or read_name(name).equal_key not in owners
    )
    is_named = pl.col("name_keys").list.contains(pl.col("owner"))
    owned = named.drop_nulls("owner")
    bylines = _owned_bylines(owned.filter(~is_named), groups)
    owner_keys |= _fuller_owners(bylines, owner_keys)
    pages = pl.col("profile_id").replace_strict(owner_keys, default=None, return_dtype=pl.String)
    others = _owned_bylines(owned.filter(is_named & (pages != pl.col("owner"))), groups)
    claims = _claims([*bylines, *others], owner_keys, frozenset(overrides.names))
    return KeyedNames(
        _with_claimed(named, claims).with_columns(pl.when("owned").then(pages).alias("owner_key")),
        owner_keys,
        NameEvidence(groups, _owned(bylines, owner_keys)),
    )


def _parted(overrides: Overrides, listings: pl.DataFrame) -> Parted:
    found: defaultdict[str, list[tuple[tuple[object, ...], str]]] = defaultdict(list)
    if any(decided.papers for decided in overrides.persons):
        meant = paper_by_any_id(listings)
        for decided in overrides.persons:
            for paper in decided.papers:
                found[meant.get(paper, paper)].append((read_name(decided.name).equal_key, decided.mark))
    return dict(found)


def _with_parted(listings: pl.DataFrame, parted: Parted) -> pl.Series:
    """The names of the listings, with the marks of those that overrides separate."""
    if not parted:
        return listings["names"]
    rows = listings.select("names", "paper_id").iter_rows()
    names = [_parted_names(names, parted.get(paper, [])) for names, paper in rows]
    return pl.Series(names, dtype=pl.List(pl.String))


def _parted_names(names: list[str], here: list[tuple[tuple[object, ...], str]]) -> list[str]:
    return [_key(name, here) for name in names] if here else names


def _key(name: str, here: list[tuple[tuple[object, ...], str]]) -> str:
    equal = read_name(name).equal_key
    mark = next((mark for wanted, mark in here if wanted == equal), None)
    return name if mark is None else parted_key(name, mark)


def _owner_keys(listings: pl.DataFrame, profiles: pl.DataFrame, parted: Parted) -> dict[str, str]:
    """The key of each page's owner, with a mark if an override assigns a paper of the page to a person of that name."""
    owners = dict(profiles.drop_nulls("name").select("profile_id", "name").iter_rows())
    if not parted:
        return owners
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for profile_id, paper_id in listings.filter("owned").select("profile_id", "paper_id").iter_rows():
        if profile_id in owners:
            (key,) = _parted_names([owners[profile_id]], parted.get(paper_id, []))
            votes[profile_id][key] += key != owners[profile_id]
    chosen = {one: min(found.items(), key=lambda item: (-item[1], item[0])) for one, found in votes.items()}
    return {one: chosen[one][0] if one in chosen and chosen[one][1] else name for one, name in owners.items()}


def _group_names(listings: pl.DataFrame) -> frozenset[str]:
    printed = listings["names"].explode().drop_nulls().unique()
    return frozenset(listings["groups"].explode().drop_nulls()) | frozenset(filter(is_group, printed))


@dataclass(frozen=True)
class _OwnedByline:
    """A byline, as keys, of a page with an owner; `found` is the only name that is another spelling of the owner."""

    names: tuple[str, ...]
    paper_id: str
    profile_id: str
    owner: str
    source: str
    found: str | None


def _owned_bylines(owned: pl.DataFrame, groups: frozenset[str]) -> list[_OwnedByline]:
    rows = owned.select("name_keys", "paper_id", "profile_id", "owner", "source", "truncated").iter_rows()
    return [
        _OwnedByline(tuple(names), paper, page, owner, source, _owner_in(owner, names, groups, cut=cut))
        for names, paper, page, owner, source, cut in rows
    ]


def _owner_in(owner: str, names: Sequence[str], groups: frozenset[str], *, cut: bool) -> str | None:
    """The only name of a byline that may be another spelling of the owner; None if the owner is named, or several names may be.

    A cut byline may omit the owner, so there a name with another order of words does not count.
    """
    if owner in names:
        return None
    own = read_name(owner)
    found = [name for name in names if name not in groups and _share_a_word(owner, spelling_of(name))]
    if any(read_name(spelling_of(name)).equal_key == own.equal_key for name in found):
        return None
    alike = [
        name for name in found if may_be_one(own, read_name(name)) and not (cut and _is_turned(own, read_name(name)))
    ]
    return alike[0] if len(set(alike)) == 1 else None


def _is_turned(name: Name, other: Name) -> bool:
    return name.spaceless != other.spaceless and name.family_key != other.family_key


def _share_a_word(name: str, other: str) -> bool:
    (words, letters), (others, other_letters) = _words(name), _words(other)
    return not words.isdisjoint(others) or letters == other_letters


@lru_cache(maxsize=1 << 20)
def _words(name: str) -> tuple[frozenset[str], str]:
    """The folded words of a name, and the same sorted and joined."""
    words = frozenset(fold(name).split())
    return words, "".join(sorted(words))


def _fuller_owners(bylines: Iterable[_OwnedByline], owner_keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of owners with initials whose bylines contain one fuller name: a page of A. Bell that names Ann Bell is hers.

    The key does not apply to A. Bell on other pages.
    """
    fuller: defaultdict[str, set[str]] = defaultdict(set)
    for byline in bylines:
        whole = byline.found and _is_short(byline.owner) and not _is_short(byline.found)
        if byline.found and whole and owner_keys[byline.profile_id] == byline.owner:
            fuller[byline.profile_id].add(byline.found)
    return {
        page: owner_key(owner_keys[page], min(names))
        for page, names in fuller.items()
        if len({read_name(name).equal_key for name in names}) == 1
    }


def _claims(
    bylines: Iterable[_OwnedByline], owner_keys: Mapping[str, str], decided: frozenset[str]
) -> dict[tuple[str, str], set[str]]:
    """The keys of names, by paper and name, that are the owner of a page that lists the paper; names of `decided` are left out."""
    claims: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for byline in bylines:
        key = owner_keys[byline.profile_id]
        for name in _equal_names(byline) if key != byline.owner else ():
            claims[byline.paper_id, name].add(key if name == spelling_of(key) else owner_key(name, key))
        found = byline.found
        if found is None or found in decided or (_is_short(byline.owner) and not _is_short(found)):
            continue
        claims[byline.paper_id, found].add(owner_key(found, key))
    return dict(claims)


def _equal_names(byline: _OwnedByline) -> list[str]:
    """The names of a byline that equal the owner's, except those that an override separates."""
    equal = read_name(byline.owner).equal_key
    return [name for name in byline.names if name == spelling_of(name) and read_name(name).equal_key == equal]


def _with_claimed(listings: pl.DataFrame, claims: Mapping[tuple[str, str], set[str]]) -> pl.DataFrame:
    """The listings; a name of a paper that exactly one owner of a page claims has that owner's key."""
    rows = [(paper, name, *keys) for (paper, name), keys in claims.items() if len(keys) == 1]
    claimed = pl.DataFrame(rows, {"paper_id": pl.String, "name_keys": pl.String, "claimed": pl.String}, orient="row")
    names = listings.select("paper_id", "name_keys").with_row_index().explode("name_keys")
    keys = names.join(claimed, on=["paper_id", "name_keys"], how="left", maintain_order="left")
    found = keys.group_by("index", maintain_order=True).agg(pl.coalesce("claimed", "name_keys").alias("name_keys"))
    return listings.with_columns(found["name_keys"])


def _owned(bylines: Iterable[_OwnedByline], owner_keys: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The pairs of an owner and another full name of the owner, with the evidence."""
    owned: dict[tuple[str, str], str] = {}
    for byline in bylines:
        if byline.found is None or _is_short(byline.owner) or _is_short(byline.found):
            continue
        if owner_keys[byline.profile_id] == byline.owner:
            words = f"{byline.owner} owns the page {byline.source}, of whose bylines one names {byline.found}"
            owned.setdefault((byline.owner, byline.found), words)
    return owned


def _is_short(name: str) -> bool:
    return has_initials_only(read_name(name))
