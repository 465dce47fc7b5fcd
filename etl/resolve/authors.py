"""Authors: which spellings are one person or group, by evidence that is published.

In: the bylines and owners of all pages, and the overrides. Out: `authors`, `author_names` and `merge_candidates`.
Rule R1 joins names that are equal after folding. Rule R2 joins a fuller name, or one with other spaces, if the two share a
co-author. The owner of a page is the same person as the only compatible name of a byline on it.

Names come as keys (`etl.resolve.persons`). They are read and compared by workers, in blocks; in one place are columns of names,
and what is joined.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, pairwise

import polars as pl

from etl.on_disk import on_disk
from etl.resolve.candidate_pairs import LOST_SPACE, CandidatePair, Form, contradict, first_reasons, form_of
from etl.resolve.coauthors import Coauthors, Together
from etl.resolve.folding import digest
from etl.resolve.name_blocks import (
    ROOTED,
    Shuffle,
    alike_names,
    compare_names,
    in_one_place,
    read_names,
)
from etl.resolve.overrides import Overrides
from etl.resolve.persons import PARTED, Person, Persons, mark_of, owner_of, spelling_of
from etl.resolve.same_groups import SameAs, SameGroups
from schemas import AuthorNames, Authors, MergeCandidates

JOINING = ("fuller_name", "moved_border")
"""Reasons for which a shared co-author joins a pair."""
UNCOMPARED = pl.Schema({"author_id": pl.String(), "name": pl.String(), "other": pl.String(), "names": pl.Int64()})
Shared = Mapping[tuple[str, str], str]
"""The first co-author that a pair shares, by root spellings."""


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
    """The tables of authors, and the author of each key, as columns `key` and `author_id`.

    `uncompared` has a row for each set of names with too many candidate pairs to compare: the first author, two of the names,
    and the number of names.
    """

    authors: pl.DataFrame
    author_names: pl.DataFrame
    merge_candidates: pl.DataFrame
    author_of: pl.DataFrame
    uncompared: pl.DataFrame


def resolve_authors(
    bylines: pl.DataFrame,
    keys: pl.Series,
    overrides: Overrides,
    known: NameEvidence | None = None,
    shuffle: Shuffle = in_one_place,
) -> People:
    """Assign an author to each of `keys`, by the evidence of `bylines`, as `Coauthors` takes them.

    >>> bylines = pl.DataFrame({"name_keys": [["Ann Bell", "Cy Dole"], ["Ann B. Bell", "Cy Dole"]], "owner_key": ["Eve Fox", None]})
    >>> people = resolve_authors(bylines, pl.Series(["Ann Bell", "Ann B. Bell", "Cy Dole"]), Overrides())
    >>> sorted(people.authors["author_id"])
    ['ann-b-bell', 'cy-dole']
    """
    known = known or NameEvidence()
    persons = Persons(known.groups, overrides)
    read = on_disk(read_names(_with_owners(keys), persons, shuffle))
    alike = alike_names(read, shuffle)
    joins = SameGroups(apart=overrides.different)
    _join_overridden(joins, overrides, read.drop_nulls("family_block")["key"])
    _join_parted(joins, _marked(read["key"]))
    _join_equal(joins, alike)
    roots = _Roots(joins, persons)
    coauthors = Coauthors(bylines, _with_roots(read.select("key", "is_group"), roots))
    compared = compare_names(_to_compare(alike, roots, coauthors), shuffle)
    pairs = first_reasons(
        CandidatePair(*row) for row in compared.drop_nulls("reason").select(CandidatePair._fields).iter_rows()
    )
    shared = coauthors.shared([(pair.name, pair.other) for pair in pairs])
    owners = _owner_joins(known.owned, roots, read["key"])
    together = Together(coauthors.printed(_in_question([*pairs, *owners])))
    _join_safely(joins, owners, roots, together)
    _join_safely(joins, _evident_joins(pairs, shared, joins), roots, together)
    several = [persons.person(list(map(persons.read, group))) for group in _several(joins, read)]
    alone = _alone(read, several)
    authors, author_of = _named(alone, several)
    return People(
        Authors.select(authors),
        _author_names(alone, several, author_of, joins),
        MergeCandidates.frame(_candidates(pairs, joins, author_of, roots, together, shared)),
        author_of,
        _uncompared(compared, author_of),
    )


def _with_owners(keys: pl.Series) -> pl.DataFrame:
    """The keys, with the keys of the owners that marked ones refer to, as the column `key`."""
    owners = pl.Series([owner for key in _marked(keys) if (owner := owner_of(key))], dtype=pl.String)
    return pl.concat([keys, owners]).unique().alias("key").to_frame()


def _marked(keys: pl.Series) -> list[str]:
    """The keys with a mark, in order."""
    return keys.filter(keys.str.contains(PARTED, literal=True)).sort().to_list()


def _join_overridden(joins: SameGroups, overrides: Overrides, keys: pl.Series) -> None:
    """Join the names that the overrides declare the same, also if through a spelling that no page prints; `keys` have no mark."""
    groups = [*overrides.groups(), *_called_alike(overrides)]
    printed = set(_among(keys, chain.from_iterable(groups)))
    for group in groups:
        for name, other in pairwise(name for name in group if name in printed):
            joins.join(SameAs(name, other, "override", f"{overrides.source} says that they are the same"))


def _called_alike(overrides: Overrides) -> list[list[str]]:
    """The groups of names to which entries for all papers give one new name."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for decided in overrides.persons:
        if decided.name_as and not decided.papers:
            by_name[decided.name_as].append(decided.name)
    return [sorted(names) for names in by_name.values()]


def _among(keys: pl.Series, wanted: Iterable[str]) -> pl.Series:
    """The keys that are wanted."""
    return keys.filter(keys.is_in(list(wanted)))


def _join_parted(joins: SameGroups, keys: Sequence[str]) -> None:
    """Join the keys of one override (spellings of one person), and each key of a page's owner with the owner."""
    by_mark: defaultdict[str | None, list[str]] = defaultdict(list)
    for key in keys:
        owner = owner_of(key)
        if owner is None:
            by_mark[mark_of(key)].append(key)
        else:
            words = (
                f"{spelling_of(key)} in bylines of the page of {spelling_of(owner)}, who is named there in no other way"
            )
            joins.join(SameAs(owner, key, "fuller_name", words))
    for same in by_mark.values():
        for key, other in pairwise(same):
            joins.join(SameAs(key, other, "override", "one entry of the overrides names both"))


def _join_equal(joins: SameGroups, alike: pl.DataFrame) -> None:
    """Join each name of `ALIKE` with the first equal one; if an override separates the two, with the next."""
    first: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name, *equal in alike.drop_nulls("equal").sort("key").select("key", "block", "equal").iter_rows():
        others = first[tuple(equal)]
        if not any(joins.join(SameAs(one, name, "exact", f"equal to {one} after folding")) for one in others):
            others.append(name)


class _Roots:
    """The root spellings of people before evidence joins them, and their names.

    In: what is joined by overrides, and since it is equal after folding.
    """

    def __init__(self, joins: SameGroups, persons: Persons) -> None:
        self.of_joined = {name: joins.root(name) for name in joins.joined}
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        for name, root in self.of_joined.items():
            self._names[root].append(name)
        self._persons = persons

    def of(self, name: str) -> str:
        """The root spelling of a name."""
        return self.of_joined.get(name, name)

    def forms(self, root: str) -> list[Form]:
        """The forms of the names of a root that are compared."""
        names = map(self._persons.read, self._names.get(root, [root]))
        return [form_of(name, root) for name in names if mark_of(name.spelling) is None and not name.is_group]


def _with_roots(names: pl.DataFrame, roots: _Roots) -> pl.DataFrame:
    """The names with their `root`."""
    joined = pl.DataFrame(list(roots.of_joined.items()), {"key": pl.String, "root": pl.String}, orient="row")
    return names.join(joined, on="key", how="left").with_columns(pl.coalesce("root", "key").alias("root"))


def _to_compare(alike: pl.DataFrame, roots: _Roots, coauthors: Coauthors) -> pl.DataFrame:
    """The frame of `ROOTED` of the names that are to be compared."""
    names = _with_roots(alike.filter("is_alike").select("key", "block"), roots)
    several = names.filter(pl.col("root").min().over("block") != pl.col("root").max().over("block"))
    printed = coauthors.printed(several["root"].unique())
    return several.join(printed, on="root", how="left").select(list(ROOTED))


def _in_question(pairs: Iterable[CandidatePair | SameAs]) -> pl.Series:
    """The roots of pairs."""
    return pl.Series(sorted({root for pair in pairs for root in (pair.name, pair.other)}), dtype=pl.String)


def _owner_joins(owned: Mapping[tuple[str, str], str], roots: _Roots, keys: pl.Series) -> list[SameAs]:
    """The joins of owners of pages with their names in bylines of their pages."""
    known = set(_among(keys, chain.from_iterable(owned)))
    return [
        SameAs(roots.of(owner), roots.of(name), "fuller_name", words)
        for (owner, name), words in sorted(owned.items())
        if owner in known and name in known
    ]


def _called(root: str, joins: SameGroups) -> str:
    """The spelling by which messages call a person: an unmarked one if there is one."""
    if mark_of(root) is None:
        return root
    return min((name for name in joins.group(root) if mark_of(name) is None), default=spelling_of(root))


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


def _join_safely(joins: SameGroups, wanted: Sequence[SameAs], roots: _Roots, together: Together) -> None:
    """Carry out the joins, except those that together would join two people who cannot be one.

    Two names of one byline, or with contradicting middle names, are not joined through a third name either.
    """
    trial = joins.copy()
    for join in wanted:
        trial.join(join)
    groups = {trial.root(join.name) for join in wanted}
    clashing = {root for root in groups if _clash(trial.group(root), joins, roots, together)}
    for join in wanted:
        if trial.root(join.name) not in clashing:
            joins.join(join)


def _clash(names: Sequence[str], joins: SameGroups, roots: _Roots, together: Together) -> bool:
    """Whether names contain two that cannot be one person and are not joined yet."""
    forms = {root: roots.forms(root) for root in sorted(set(map(roots.of, names)))}
    return any(
        (together(name, other) or contradict(forms[name], forms[other])) and not joins.same(name, other)
        for name, other in combinations(forms, 2)
    )


def _several(joins: SameGroups, read: pl.DataFrame) -> list[list[str]]:
    """The keys of each person of several names, and each marked key of a person of one."""
    groups = [joins.group(root) for root in sorted(set(map(joins.root, joins.joined)))]
    return groups + [[key] for key in _marked(read["key"]) if key not in joins.joined]


def _named(alone: pl.DataFrame, several: Sequence[Person]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The frame of authors with unique ids, and the author of each key."""
    rows = [(*person.published, person.spelling_count, person.fullest) for person in several]
    single = alone.with_columns(pl.lit(1, pl.Int64).alias("spelling_count"), pl.col("key").alias("fullest"))
    every = single.select(list(_PERSON)).vstack(pl.DataFrame(rows, _PERSON, orient="row"))
    authors = _with_unique_ids(every)
    keys = pl.DataFrame(
        [(key, person.fullest) for person in several for key in person.keys],
        {"key": pl.String, "fullest": pl.String},
        orient="row",
    )
    own = pl.concat([keys, single.select("key", "fullest")])
    return authors, own.join(authors, on="fullest").select("key", "author_id")


_PERSON = pl.Schema(
    {
        "author_id": pl.String(),
        "name": pl.String(),
        "kind": pl.String(),
        "given": pl.String(),
        "family": pl.String(),
        "spelling_count": pl.Int64(),
        "fullest": pl.String(),
    }
)


def _alone(read: pl.DataFrame, several: Sequence[Person]) -> pl.DataFrame:
    """The names that are all of a person."""
    others = pl.Series("key", [key for person in several for key in person.keys], pl.String)
    return read.join(others.to_frame(), on="key", how="anti")


def _with_unique_ids(authors: pl.DataFrame) -> pl.DataFrame:
    """The authors with unique ids: all slugs that collide get a hash of their key as a suffix."""
    while (collides := authors["author_id"].is_duplicated()).any():
        rows = authors.filter(collides).select("author_id", "fullest").iter_rows()
        marked = [f"{one}-{digest(key, 8)}" for one, key in rows]
        authors = authors.with_columns(authors["author_id"].scatter(collides.arg_true(), marked))
    return authors


def _author_names(
    alone: pl.DataFrame, several: Sequence[Person], author_of: pl.DataFrame, joins: SameGroups
) -> pl.DataFrame:
    exact = (
        alone.select("key")
        .join(author_of, on="key")
        .select(pl.col("key").alias("name"), "author_id", pl.lit("exact").alias("matched_by"))
    )
    rows = [row for person in several for row in _name_rows(person, joins)]
    named = pl.DataFrame(rows, {"key": pl.String, **_JOINED}, orient="row").join(author_of, on="key")
    return AuthorNames.select(pl.concat([exact, named.drop("key")], how="diagonal"))


_JOINED = {"name": pl.String, "matched_by": pl.String, "evidence": pl.String}


def _name_rows(person: Person, joins: SameGroups) -> Iterator[tuple[str, str, str, str | None]]:
    """A key of each spelling, the spelling, how it was joined, and the evidence."""
    how = joins.how_joined(person.fullest)
    for spelling, key in {spelling_of(key): key for key in reversed(person.keys)}.items():
        join = how[key]
        own = "exact" if mark_of(key) is None or owner_of(key) is not None else "override"
        yield (key, spelling, *((join.matched_by, join.evidence) if join else (own, None)))


def _candidates(
    pairs: Sequence[CandidatePair],
    joins: SameGroups,
    author_of: pl.DataFrame,
    roots: _Roots,
    together: Together,
    shared: Shared,
) -> list[tuple[str, str, str, str]]:
    """The rows of the candidate pairs that were not joined, each pair of authors once, with the first reason in order."""
    ids = _ids(_in_question(pairs), author_of)
    rows: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in pairs:
        if joins.same(pair.name, pair.other) or joins.is_separated(pair.name, pair.other):
            continue
        some, others = ({roots.of(key) for key in joins.group(name)} for name in (pair.name, pair.other))
        if any(together(name, other) for name in some for other in others):
            continue
        found = shared.get((pair.name, pair.other))
        evidence = f"{spelling_of(pair.name)} and {spelling_of(pair.other)}" + (
            f" share the co-author {spelling_of(found)}" if found else ", no co-author shared"
        )
        reason = "several_fuller_forms" if found and pair.reason == "fuller_name" else pair.reason
        reason = "moved_border" if reason == LOST_SPACE else reason
        one, other = sorted((ids[pair.name], ids[pair.other]))
        rows.setdefault((one, other), (reason, evidence))
    return [(*both, *row) for both, row in rows.items()]


def _ids(keys: pl.Series, author_of: pl.DataFrame) -> dict[str, str]:
    """The authors of a few keys."""
    return dict(author_of.filter(pl.col("key").is_in(keys.implode())).select("key", "author_id").iter_rows())


def _uncompared(compared: pl.DataFrame, author_of: pl.DataFrame) -> pl.DataFrame:
    """The frame of `People.uncompared`."""
    crowds = sorted(compared["uncompared"].drop_nulls().to_list())
    ids = _ids(pl.Series([roots[0] for roots in crowds], dtype=pl.String), author_of)
    return pl.DataFrame(
        [(ids[roots[0]], roots[0], roots[-1], len(roots)) for roots in crowds], UNCOMPARED, orient="row"
    )
