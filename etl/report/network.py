"""The part of the network of co-authors that a picture shows: people of the largest connected group, all of them connected.

In: the database of a release. Out: their identifiers, and the sizes of what is left out. The same rows give the same people.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONGEST_BYLINE = 50
"""Authors of the longest byline whose pairs are counted: a collaboration would pair each member with all others."""
PEOPLE_IN_NETWORK, PAIRS_IN_NETWORK = 40, 80
"""People and pairs that have room in a picture."""
_SHORT = f"SELECT paper_id FROM paper_authors GROUP BY paper_id HAVING count(*) BETWEEN 2 AND {LONGEST_BYLINE}"  # noqa: S608 - a number of ours
_NAMES = f"SELECT paper_id, author_id FROM paper_authors WHERE paper_id IN ({_SHORT})"  # noqa: S608 - SQL of ours
_PAIRS = f"""\
SELECT one.author_id
FROM paper_authors AS one JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id > one.author_id
WHERE one.paper_id IN ({_SHORT})
GROUP BY one.author_id, two.author_id
ORDER BY count(*) DESC, one.author_id, two.author_id"""  # noqa: S608 - SQL of ours
_BESIDE = f"""\
SELECT two.author_id, count(*), (SELECT count(*) FROM paper_authors WHERE author_id = two.author_id)
FROM paper_authors AS one JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id <> one.author_id
WHERE one.author_id = ? AND (SELECT count(*) FROM paper_authors WHERE paper_id = one.paper_id) <= {LONGEST_BYLINE}
GROUP BY two.author_id"""  # noqa: S608 - a number of ours


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
class Tie:
    """A co-author of a person: the papers that name both, and all papers that name the co-author."""

    other: str
    papers: int
    all_papers: int


def network_part(database: sqlite3.Connection) -> NetworkPart | None:
    """The part of a release's network to draw; None where nobody has a co-author."""
    roots = connected_groups(database.execute(_NAMES))
    if not roots:
        return None
    sizes = Counter(roots.values())
    largest = min(sizes, key=lambda root: (-sizes[root], root))
    pairs = [one for (one,) in database.execute(_PAIRS) if roots[one] == largest]

    def ties(person: str) -> list[Tie]:
        return [Tie(*row) for row in database.execute(_BESIDE, [person])]

    people, shown_pairs = strongest_tied(pairs[0], ties)
    return NetworkPart(
        people=people,
        pairs=shown_pairs,
        group_people=sizes[largest],
        group_pairs=len(pairs),
        others=len(roots) - sizes[largest],
        other_groups=len(sizes) - 1,
    )


def connected_groups(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each author of rows of paper and author, with the smallest identifier of those connected by papers.

    >>> connected_groups([("1", "cy"), ("1", "ann"), ("2", "eve"), ("2", "ida"), ("3", "ida"), ("3", "lew")])
    {'cy': 'ann', 'ann': 'ann', 'eve': 'eve', 'ida': 'eve', 'lew': 'eve'}
    """
    above: dict[str, str] = {}
    first: dict[str, str] = {}

    def root(author: str) -> str:
        while (parent := above.setdefault(author, author)) != author:
            above[author] = above[parent]  # shorten the way for the next
            author = parent
        return author

    for paper, author in names:
        low, high = sorted((root(first.setdefault(paper, author)), root(author)))
        above[high] = low
    return {author: root(author) for author in above}


def strongest_tied(start: str, ties: Callable[[str], Iterable[Tie]]) -> tuple[list[str], int]:
    """At most `PEOPLE_IN_NETWORK` connected people, with the number of pairs among them, at most `PAIRS_IN_NETWORK`.

    Beginning with `start`, the one with the most papers in common with anybody chosen comes next; of equals the one with
    the most papers, then the smallest identifier.

    >>> together = {"ann": [Tie("cy", 3, 3), Tie("eve", 1, 5)], "cy": [Tie("ann", 3, 4)], "eve": [Tie("ann", 1, 4)]}
    >>> strongest_tied("ann", together.__getitem__)
    (['ann', 'cy', 'eve'], 2)
    """
    people, pairs = [start], 0
    strongest: dict[str, Tie] = {}
    linked: Counter[str] = Counter()
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
