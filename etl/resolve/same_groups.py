"""Groups of spellings that are one person, and of papers that are one: joined two at a time, each join with its evidence."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple


class SameAs(NamedTuple):
    """Two spellings of one person, how they were matched (a value of `author_names.matched_by`) and the evidence."""

    name: str
    other: str
    matched_by: str
    evidence: str


class SameGroups:
    """Groups of spellings, joined two at a time; names of a set in `apart` are never joined.

    >>> joins = SameGroups(apart=[("A. Bell", "Ann Bell")])
    >>> joins.join(SameAs("A. Bell", "A B. Bell", "fuller_name", "")), joins.join(SameAs("A B. Bell", "Ann Bell", "exact", ""))
    (True, False)
    >>> joins.group("A B. Bell")
    ['A B. Bell', 'A. Bell']
    """

    def __init__(self, apart: Iterable[Sequence[str]] = ()) -> None:
        self.apart: defaultdict[str, set[int]] = defaultdict(set)
        """For each name the numbers of its sets; no two names of a set may be one person."""
        for number, names in enumerate(apart):
            for name in names:
                self.apart[name].add(number)
        self._groups: dict[str, list[str]] = {}
        """The group of each name that was joined with another, the smallest name first."""
        self._edges: dict[str, list[SameAs]] = {}

    def copy(self) -> "SameGroups":
        """An independent copy, to try joins on."""
        other = SameGroups()
        other.apart = self.apart
        whole = {id(members): list(members) for members in self._groups.values()}
        other._groups = {name: whole[id(members)] for name, members in self._groups.items()}
        other._edges = {name: list(edges) for name, edges in self._edges.items()}
        return other

    @property
    def joined(self) -> Collection[str]:
        """The names that were joined with another."""
        return self._groups.keys()

    def group(self, name: str) -> list[str]:
        """All spellings of the person with the spelling `name`, sorted."""
        return sorted(self._members(name))

    def root(self, name: str) -> str:
        """The identifier of a spelling's group: its smallest spelling."""
        return self._members(name)[0]

    def same(self, name: str, other: str) -> bool:
        """Whether two spellings are one person."""
        return self.root(name) == self.root(other)

    def is_separated(self, name: str, other: str) -> bool:
        """Whether the groups of two spellings contain a pair that must not be joined."""
        if not self.apart:
            return False
        numbers, others = (
            {number for member in self._members(one) for number in self.apart.get(member, ())} for one in (name, other)
        )
        return not numbers.isdisjoint(others)

    def join(self, join: SameAs) -> bool:
        """Join two groups unless they contain a pair that must not be; returns whether they are one now."""
        some, others = self._members(join.name), self._members(join.other)
        if some[0] != others[0]:
            if self.is_separated(join.name, join.other):
                return False
            larger, smaller = (some, others) if len(some) >= len(others) else (others, some)
            at = len(larger)
            self._groups.update((member, larger) for member in (larger[0], *smaller))
            larger.extend(smaller)
            if smaller[0] < larger[0]:
                larger[0], larger[at] = larger[at], larger[0]
            for name in (join.name, join.other):
                self._edges.setdefault(name, []).append(join)
        return True

    def how_joined(self, name: str) -> dict[str, SameAs | None]:
        """For every spelling of the group the last join on a path from `name` to it; None for `name` itself."""
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
        return self._groups.get(name) or [name]
