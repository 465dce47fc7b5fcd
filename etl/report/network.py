"""The part of the network of co-authors that a picture shows: people of the largest connected group, all of them connected.

In: who wrote which paper. Out: their identifiers, and the sizes of what is left out. The same rows give the same people.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import polars as pl

Key = TypeVar("Key", str, int)
"""Identifiers of papers or authors, or numbers in their places."""
LONGEST_BYLINE = 50
"""Authors of the longest byline whose pairs are counted: a collaboration would pair each member with all others."""
PEOPLE_IN_NETWORK, PAIRS_IN_NETWORK = 40, 80
"""People and pairs that have room in a picture."""


@dataclass(frozen=True)
class NetworkPart:
    """The people of a picture in order of choice; the people and pairs of their group; and the other groups and their people."""

    people: list[str]
    pairs: int
    group_people: int
    group_pairs: int
    others: int
    other_groups: int

    @property
    def words(self) -> str:
        """A sentence on what is left out; empty where nothing is."""
        if len(self.people) < self.group_people:
            shown = (
                f"Shown are {len(self.people):,} of the {self.group_people:,} people of the largest connected group,"
                f" those with the strongest ties, and {self.pairs:,} of its {self.group_pairs:,} pairs"
            )
        else:
            shown = f"Shown is the largest connected group of {self.group_people:,} people" if self.others else ""
        groups = f"{self.other_groups:,} other group" + "s" * (self.other_groups != 1)
        left = f"; {self.others:,} people in {groups} are not shown" if self.others else ""
        return f"{shown}{left}." if shown else ""


@dataclass(frozen=True)
class Tie(Generic[Key]):
    """A co-author of a person: the papers that name both, and all papers that name the co-author."""

    other: Key
    papers: int
    all_papers: int


class Coauthors:
    """Who wrote with whom, by `names` (paper_id, author_id); papers of more than `LONGEST_BYLINE` authors count as none.

    >>> found = Coauthors(pl.DataFrame({"paper_id": ["1", "1", "2", "2"], "author_id": ["ann", "cy", "ann", "eve"]}))
    >>> found.counted().rows()
    [('ann', 2), ('cy', 1), ('eve', 1)]
    """

    def __init__(self, names: pl.DataFrame) -> None:
        self._names = names
        short = names.filter(pl.len().over("paper_id").is_between(2, LONGEST_BYLINE))
        self._authors = short["author_id"].unique().sort()
        # Numbers in the order of the identifiers: pairs are many.
        numbered = short.select(
            pl.col("paper_id").cast(pl.Categorical), pl.col("author_id").cast(pl.Enum(self._authors))
        )
        self._numbered = numbered.select(pl.all().to_physical())
        self._pairs = _pairs(self._numbered)

    def counted(self) -> pl.DataFrame:
        """The authors with co-authors (author_id) and the number of these (coauthors), the most first."""
        both = pl.concat([self._pairs["author_id"], self._pairs["other"]]).value_counts(name="coauthors")
        ordered = both.sort("coauthors", "author_id", descending=[True, False])
        return ordered.with_columns(self._authors.gather(ordered["author_id"]))

    def network_part(self) -> NetworkPart | None:
        """The part to draw of the network; None where nobody has a co-author."""
        if self._pairs.is_empty():
            return None
        roots = connected_groups(self._numbered.iter_rows())
        sizes = Counter(roots.values())
        largest = min(sizes, key=lambda root: (-sizes[root], root))
        pairs = self._pairs.filter(pl.col("author_id").replace_strict(roots) == largest)
        start = pairs.sort("papers", "author_id", "other", descending=[True, False, False])["author_id"][0]
        papers_of = dict(self._names.group_by("author_id").len().iter_rows())

        def ties(person: int) -> list[Tie[int]]:
            beside = pairs.filter((pl.col("author_id") == person) | (pl.col("other") == person))
            others = beside.select(pl.col("author_id") + pl.col("other") - person, "papers").iter_rows()
            return [Tie(other, papers, papers_of[self._authors[other]]) for other, papers in others]

        people, shown_pairs = strongest_tied(start, ties)
        return NetworkPart(
            people=[self._authors[person] for person in people],
            pairs=shown_pairs,
            group_people=sizes[largest],
            group_pairs=pairs.height,
            others=len(roots) - sizes[largest],
            other_groups=len(sizes) - 1,
        )


def _pairs(names: pl.DataFrame) -> pl.DataFrame:
    """Each pair of an author and an `other`, who comes later, of the same papers, and the number of these `papers`."""
    together = names.join(names.rename({"author_id": "other"}), on="paper_id")
    return together.filter(pl.col("author_id") < pl.col("other")).group_by("author_id", "other").agg(papers=pl.len())


def connected_groups(names: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """Each author of rows of paper and author, with the smallest identifier of those connected by papers.

    >>> connected_groups([("1", "cy"), ("1", "ann"), ("2", "eve"), ("2", "ida"), ("3", "ida"), ("3", "lew")])
    {'cy': 'ann', 'ann': 'ann', 'eve': 'eve', 'ida': 'eve', 'lew': 'eve'}
    """
    above: dict[Key, Key] = {}
    first: dict[Key, Key] = {}

    def root(author: Key) -> Key:
        while (parent := above.setdefault(author, author)) != author:
            above[author] = above[parent]  # shorten the way for the next
            author = parent
        return author

    for paper, author in names:
        one, other = root(first.setdefault(paper, author)), root(author)
        above[max(one, other)] = min(one, other)
    return {author: root(author) for author in above}


def strongest_tied(start: Key, ties: Callable[[Key], Iterable[Tie[Key]]]) -> tuple[list[Key], int]:
    """At most `PEOPLE_IN_NETWORK` connected people, with the number of pairs among them, at most `PAIRS_IN_NETWORK`.

    Beginning with `start`, the one with the most papers in common with anybody chosen comes next; of equals the one with
    the most papers, then the smallest identifier.

    >>> together = {"ann": [Tie("cy", 3, 3), Tie("eve", 1, 5)], "cy": [Tie("ann", 3, 4)], "eve": [Tie("ann", 1, 4)]}
    >>> strongest_tied("ann", together.__getitem__)
    (['ann', 'cy', 'eve'], 2)
    """
    people, pairs = [start], 0
    strongest: dict[Key, Tie[Key]] = {}
    linked: Counter[Key] = Counter()
    while len(people) < PEOPLE_IN_NETWORK:
        for tie in ties(people[-1]):
            linked[tie.other] += 1
            strongest[tie.other] = max(strongest.get(tie.other, tie), tie, key=lambda one: one.papers)
        fitting = [
            tie
            for tie in strongest.values()
            if tie.other not in people and pairs + linked[tie.other] <= PAIRS_IN_NETWORK
        ]
        if not fitting:
            break
        chosen = min(fitting, key=lambda tie: (-tie.papers, -tie.all_papers, tie.other))
        pairs += linked[chosen.other]
        people.append(chosen.other)
    return people, pairs
