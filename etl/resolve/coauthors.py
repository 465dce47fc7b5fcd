"""Evidence that two names are one person: a co-author whom they share. And its opposite: one byline that names both."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from etl.resolve.joins import Joins

LONGEST_BYLINE = 100
"""Names of the longest byline that is evidence: in a collaboration's everybody shares everybody."""


@dataclass(frozen=True)
class BylineEvidence:
    """The names that one listing prints, and the owner of its page, who wrote it too."""

    names: Sequence[str]
    owner: str | None


class Coauthors:
    """Who wrote with whom, kept only for the names that are asked about. Spellings that are equal are one person here.

    Groups are nobody's co-authors: whom a collaboration has in common says nothing.
    """

    def __init__(
        self,
        listings: Iterable[BylineEvidence],
        wanted: Collection[str],
        equal: Joins,
        groups: Collection[str] = (),
    ) -> None:
        self._of: dict[str, set[str]] = {}
        self._printed_in: dict[str, set[int]] = {}
        for number, listing in enumerate(listings):
            everybody = (*listing.names, *filter(None, [listing.owner]))
            present = {equal.root(name) for name in everybody if name in wanted}
            if not present:
                continue
            for name in present.intersection(map(equal.root, listing.names)):
                self._printed_in.setdefault(name, set()).add(number)
            if len(listing.names) <= LONGEST_BYLINE:
                people = {equal.root(name) for name in everybody if name not in groups}
                for name in present:
                    self._of.setdefault(name, set()).update(people - {name})

    def shared(self, name: str, other: str) -> str | None:
        """The co-author whom two people (by their root spelling) share, the first in order, or None."""
        return min(self._of.get(name, set()) & self._of.get(other, set()), default=None)

    def together(self, name: str, other: str) -> bool:
        """Whether one byline names both, so that they are two people; both are names that are asked about."""
        if name == other:
            return False
        return not self._printed_in.get(name, set()).isdisjoint(self._printed_in.get(other, ()))
