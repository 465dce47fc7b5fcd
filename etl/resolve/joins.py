"""Which spellings are one person: joins that are remembered, and pairs that must stay apart."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Join:
    """Two spellings of one person, how that is known (a value of `author_names.matched_by`) and why."""

    name: str
    other: str
    matched_by: str
    evidence: str


class Joins:
    """Groups of spellings, made by joining two at a time; a pair kept apart never comes into one group.

    >>> joins = Joins(apart=[("A. Bell", "Ann Bell")])
    >>> joins.join(Join("A. Bell", "A B. Bell", "fuller_name", "")), joins.join(Join("A B. Bell", "Ann Bell", "exact", ""))
    (True, False)
    >>> joins.group("A B. Bell")
    ['A B. Bell', 'A. Bell']
    """

    def __init__(self, apart: Iterable[tuple[str, str]] = ()) -> None:
        self.apart: defaultdict[str, set[str]] = defaultdict(set)
        for name, other in apart:
            self.apart[name].add(other)
            self.apart[other].add(name)
        self._groups: dict[str, list[str]] = {}
        """Each name's group, the smallest name first."""
        self._edges: dict[str, list[Join]] = {}

    def copy(self) -> "Joins":
        """The same groups and pairs, to try joins on."""
        other = Joins()
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
        others = self._members(other)
        return bool(self.apart) and any(
            not self.apart[some].isdisjoint(others) for some in self._members(name) if some in self.apart
        )

    def join(self, join: Join) -> bool:
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

    def how_joined(self, name: str) -> dict[str, Join | None]:
        """For every spelling of the group the join that leads to it from `name`; None for `name` itself."""
        found: dict[str, Join | None] = {name: None}
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
