"""Which spellings are one person: joins that are remembered, and pairs that must stay apart."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class SameAs:
    """Two spellings of one person, how that is known (a value of `author_names.matched_by`) and why."""

    name: str
    other: str
    matched_by: str
    evidence: str


class SameGroups:
    """Groups of spellings, made by joining two at a time; a pair kept apart never comes into one group.

    >>> joins = SameGroups(apart=[("A. Bell", "Ann Bell")])
    >>> joins.join(SameAs("A. Bell", "A B. Bell", "fuller_name", "")), joins.join(SameAs("A B. Bell", "Ann Bell", "exact", ""))
    (True, False)
    >>> joins.group("A B. Bell")
    ['A B. Bell', 'A. Bell']
    """

    def __init__(self, apart: Iterable[Sequence[str]] = ()) -> None:
        self.apart: defaultdict[str, set[int]] = defaultdict(set)
        """For each name the numbers of the sets of which no two names may be one person."""
        for number, names in enumerate(apart):
            for name in names:
                self.apart[name].add(number)
        self._groups: dict[str, list[str]] = {}
        """Each name's group, the smallest name first."""
        self._edges: dict[str, list[SameAs]] = {}

    def copy(self) -> "SameGroups":
        """The same groups and pairs, to try joins on."""
        other = SameGroups()
        other.apart = self.apart
        whole = {id(members): list(members) for members in self._groups.values()}
        other._groups = {name: whole[id(members)] for name, members in self._groups.items()}
        other._edges = {name: list(edges) for name, edges in self._edges.items()}
        return other

    def group(self, name: str) -> list[str]:
        """All spellings of the person whom `name` is one of, in order."""
        return sorted(self._members(name))

    def root(self, name: str) -> str:
        """The spelling that stands for the group: its smallest."""
        return self._members(name)[0]

    def same(self, name: str, other: str) -> bool:
        """Whether two spellings are one person."""
        return self._members(name) is self._members(other)

    def kept_apart(self, name: str, other: str) -> bool:
        """Whether the groups of two spellings hold a pair that must stay apart."""
        if not self.apart:
            return False
        numbers, others = (
            {number for member in self._members(one) for number in self.apart.get(member, ())} for one in (name, other)
        )
        return not numbers.isdisjoint(others)

    def join(self, join: SameAs) -> bool:
        """Make two groups one, unless they hold a pair that is kept apart; tells whether they are one now."""
        some, others = self._members(join.name), self._members(join.other)
        if some is not others:
            if self.kept_apart(join.name, join.other):
                return False
            larger, smaller = (some, others) if len(some) >= len(others) else (others, some)
            at = len(larger)
            larger.extend(smaller)
            if smaller[0] < larger[0]:
                larger[0], larger[at] = larger[at], larger[0]
            self._groups.update((member, larger) for member in smaller)
            for name in (join.name, join.other):
                self._edges.setdefault(name, []).append(join)
        return True

    def how_joined(self, name: str) -> dict[str, SameAs | None]:
        """For every spelling of the group the join that leads to it from `name`; None for `name` itself."""
        found: dict[str, SameAs | None] = {name: None}
        waiting = deque([name])
        while waiting:
            at = waiting.popleft()
            for join in self._edges.get(at, ()):
                other = join.other if join.name == at else join.name
                if other not in found:
                    found[other] = join
                    waiting.append(other)
        return found

    def _members(self, name: str) -> list[str]:
        members = self._groups.setdefault(name, [])
        if not members:
            members.append(name)
        return members
