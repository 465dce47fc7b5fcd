"""Keys of names: the key by which the author of each name of a byline, and of each page's owner, is looked up.

A key is the name's spelling. It has a mark if an override separates two people of one spelling by their papers, or if a name
of a paper is the owner of a page that lists it, which is no evidence for that name in other papers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from etl.extract.byline import is_group
from etl.resolve.authors import NameEvidence
from etl.resolve.folding import fold
from etl.resolve.names import has_initials_only, may_be_one, read_name
from etl.resolve.overrides import Overrides
from etl.resolve.papers import paper_by_any_id
from etl.resolve.persons import owner_key, parted_key, spelling_of
from schemas.limits import ROWS_PER_BATCH

Parted = Mapping[str, list[tuple[tuple[object, ...], str]]]
"""For each paper the names (as compared) that overrides separate there, with the marks of the overrides."""


@dataclass(frozen=True)
class KeyedNames:
    """For each listing its `name_keys` and `owner_key`, the key of each page's owner, and the evidence about names."""

    listings: pl.DataFrame
    owner_keys: dict[str, str]
    known: NameEvidence

    @property
    def keys(self) -> pl.Series:
        """All keys, some of them twice."""
        return pl.concat(
            [_distinct(self.listings["name_keys"]), pl.Series(list(self.owner_keys.values()), dtype=pl.String)]
        )


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
    owned = named.drop("names", "groups", "owned").drop_nulls("owner").with_row_index("listing")
    is_named = pl.col("name_keys").list.contains(pl.col("owner"))
    alike = _alike_names(owned.filter(~is_named))
    found = _only_names(alike, groups)
    owner_keys |= _fuller_owners(found, owner_keys)
    pages = pl.col("profile_id").replace_strict(owner_keys, default=None, return_dtype=pl.String)
    equal = pl.concat([alike, _alike_names(owned.filter(is_named & (pages != pl.col("owner"))))]).filter(
        likeness="equal"
    )
    del owned  # As large as all names.
    claims = _claims(found, equal, owner_keys, frozenset(overrides.names))
    return KeyedNames(
        _with_claimed(named, claims).with_columns(pl.when("owned").then(pages).alias("owner_key")),
        owner_keys,
        NameEvidence(groups, _owned(found, owner_keys)),
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
    return frozenset(_distinct(listings["groups"])) | frozenset(filter(is_group, _distinct(listings["names"])))


def _distinct(lists: pl.Series) -> pl.Series:
    """The distinct texts in lists."""
    rows = _in_rows(lists.alias("name").to_frame())
    return pl.concat(part["name"].drop_nulls().unique() for part in rows).unique()


def _in_rows(listings: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The listings with a row for each text in the lists `name`, of so many listings at once that memory is bounded."""
    for part in (listings.clear(), *listings.iter_slices(ROWS_PER_BATCH)):
        yield part.explode("name")


def _alike_names(owned: pl.DataFrame) -> pl.DataFrame:
    """The names of bylines that may be another spelling of their page's owner, a row each, with their `likeness`."""
    named = owned.select("listing", "owner", pl.col("name_keys").alias("name"))
    pairs = pl.concat(part.select("owner", "name").unique() for part in _in_rows(named)).unique()
    words = _words(pl.concat([pairs["name"].unique(), pairs["owner"].unique()]).unique())
    sharing = pl.concat(_sharing(part, words) for part in (pairs.clear(), *pairs.iter_slices(ROWS_PER_BATCH)))
    likeness = pl.Series("likeness", [_likeness(owner, name) for owner, name in sharing.iter_rows()], pl.String)
    alike = sharing.with_columns(likeness).drop_nulls("likeness")
    facts = owned.select("listing", "paper_id", "profile_id", "source", "truncated")
    return pl.concat(part.join(alike, on=["owner", "name"]) for part in _in_rows(named)).join(facts, on="listing")


def _sharing(pairs: pl.DataFrame, words: pl.DataFrame) -> pl.DataFrame:
    """The pairs of an owner and a name that share a word."""
    of_owners = pairs.join(words, left_on="owner", right_on="name")
    return of_owners.join(words, on=["name", "word"], how="semi").select("owner", "name").unique()


def _words(names: pl.Series) -> pl.DataFrame:
    """The folded words of names, a row each, and of each name all its words sorted and joined."""
    folded = pl.Series("word", [fold(spelling_of(name)) for name in names], pl.String)
    words = pl.DataFrame([names, folded.str.split(" ")])
    letters = pl.lit("\n") + pl.col("word").list.unique().list.sort().list.join("")
    return words.with_columns(pl.concat_list("word", letters)).explode("word")


def _likeness(owner: str, name: str) -> str | None:
    """How a name is like the owner's: "equal" after folding, "alike", "turned" (in another order of words), or not at all.

    >>> [_likeness("Ann Bell", name) for name in ("ANN BELL", "A. Bell", "Bell Ann", "Eve Bell")]
    ['equal', 'alike', 'turned', None]
    """
    own, other = read_name(owner), read_name(name)
    if read_name(spelling_of(name)).equal_key == own.equal_key:
        return "equal"
    if not may_be_one(own, other):
        return None
    return "turned" if own.spaceless != other.spaceless and own.family_key != other.family_key else "alike"


class _Found(NamedTuple):
    """A byline of a page whose owner it does not name, but for the one `name` that is another spelling of the owner."""

    paper_id: str
    profile_id: str
    owner: str
    source: str
    name: str


def _only_names(alike: pl.DataFrame, groups: frozenset[str]) -> list[_Found]:
    """The bylines with one name that is like the owner's, and none that is equal.

    A cut byline may omit the owner, so there a name with another order of words does not count.
    """
    likeness, listing = pl.col("likeness"), "listing"
    people = alike.filter(~pl.col("name").is_in(list(groups)))
    counted = people.filter(
        ~(likeness == "equal").any().over(listing) & ~((likeness == "turned") & pl.col("truncated"))
    )
    only = counted.filter(pl.col("name").n_unique().over(listing) == 1).unique(listing, keep="any").sort(listing)
    return [_Found(*row) for row in only.select(_Found._fields).iter_rows()]


def _fuller_owners(found: Iterable[_Found], owner_keys: Mapping[str, str]) -> dict[str, str]:
    """The keys of owners with initials whose bylines contain one fuller name: a page of A. Bell that names Ann Bell is hers.

    The key does not apply to A. Bell on other pages.
    """
    fuller: defaultdict[str, set[str]] = defaultdict(set)
    for one in found:
        if _is_short(one.owner) and not _is_short(one.name) and owner_keys[one.profile_id] == one.owner:
            fuller[one.profile_id].add(one.name)
    return {
        page: owner_key(owner_keys[page], min(names))
        for page, names in fuller.items()
        if len({read_name(name).equal_key for name in names}) == 1
    }


def _claims(
    found: Iterable[_Found], equal: pl.DataFrame, owner_keys: Mapping[str, str], decided: frozenset[str]
) -> dict[tuple[str, str], set[str]]:
    """The keys of names, by paper and name, that are the owner of a page that lists the paper; names of `decided` are left out.

    `equal` are the names that equal the owner's; one that an override separates, and so is marked, is not claimed.
    """
    claims: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for paper, page, owner, name in equal.select("paper_id", "profile_id", "owner", "name").iter_rows():
        key = owner_keys[page]
        if key != owner and name == spelling_of(name):
            claims[paper, name].add(key if name == spelling_of(key) else owner_key(name, key))
    for one in found:
        if one.name not in decided and (_is_short(one.name) or not _is_short(one.owner)):
            claims[one.paper_id, one.name].add(owner_key(one.name, owner_keys[one.profile_id]))
    return dict(claims)


def _with_claimed(listings: pl.DataFrame, claims: Mapping[tuple[str, str], set[str]]) -> pl.DataFrame:
    """The listings; a name of a paper that exactly one owner of a page claims has that owner's key."""
    rows = [(paper, name, *keys) for (paper, name), keys in claims.items() if len(keys) == 1]
    claimed = pl.DataFrame(rows, {"paper_id": pl.String, "name_keys": pl.String, "claimed": pl.String}, orient="row")
    names = listings.select("paper_id", "name_keys")
    found = [_claimed_keys(part, claimed) for part in (names.clear(), *names.iter_slices(ROWS_PER_BATCH))]
    return listings.with_columns(pl.concat(found))


def _claimed_keys(names: pl.DataFrame, claimed: pl.DataFrame) -> pl.Series:
    """The `name_keys` of so many listings at once that memory is bounded."""
    numbered = names.with_row_index()
    some = numbered.join(claimed, on="paper_id", how="semi")
    keys = some.explode("name_keys").join(claimed, on=["paper_id", "name_keys"], how="left", maintain_order="left")
    found = keys.group_by("index").agg(pl.coalesce("claimed", "name_keys").alias("found"))
    every = numbered.join(found, on="index", how="left", maintain_order="left")
    return every.select(pl.coalesce("found", "name_keys").alias("name_keys")).to_series()


def _owned(found: Iterable[_Found], owner_keys: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The pairs of an owner and another full name of the owner, with the evidence."""
    owned: dict[tuple[str, str], str] = {}
    for one in found:
        if owner_keys[one.profile_id] == one.owner and not (_is_short(one.owner) or _is_short(one.name)):
            words = f"{one.owner} owns the page {one.source}, of whose bylines one names {one.name}"
            owned.setdefault((one.owner, one.name), words)
    return owned


def _is_short(name: str) -> bool:
    return has_initials_only(read_name(name))
