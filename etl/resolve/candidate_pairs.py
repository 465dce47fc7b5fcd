"""Which spellings may be one person (rule R2 and similar): candidate pairs with reasons, their evidence, and groups.

Names are compared only within sets of forms that share a key: first and family name, whole name, or family name and
initial. A set in which each name is similar to too many others is not compared at all, so that the time and the number of
pairs grow linearly with the number of names. Evidence for a pair is a shared co-author; evidence against it is one byline
with both names.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

import polars as pl

from etl.resolve.names import Name, compatible, has_initials_only, is_initial


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


LONGEST_EVIDENCE = 100
"""Names of the longest byline that is evidence: all members of a collaboration share all co-authors."""


class Coauthors:
    """Who is named beside whom, for people by their root spellings.

    In: `bylines`, a row a listing, with `name_keys` and `owner_key`, the owner of its page, who is an author too (or null);
    `roots`, the root of each name; `groups`, names of no co-authors, since sharing a collaboration is no evidence.

    >>> bylines = pl.DataFrame({"name_keys": [["Ann Bell", "Cy Dole"], ["A. Bell"]], "owner_key": [None, "Cy Dole"]})
    >>> coauthors = Coauthors(bylines, {name: name for name in ("Ann Bell", "A. Bell", "Cy Dole")})
    >>> coauthors.shared([("A. Bell", "Ann Bell")])
    {('A. Bell', 'Ann Bell'): 'Cy Dole'}
    >>> coauthors.together("Ann Bell", "Cy Dole"), coauthors.together("A. Bell", "Cy Dole")
    (True, False)
    """

    def __init__(self, bylines: pl.DataFrame, roots: Mapping[str, str], groups: Collection[str] = ()) -> None:
        self._people = sorted(set(roots.values()))
        self._code = {name: code for code, name in enumerate(self._people)}
        known = pl.DataFrame(
            [(name, self._code[root], name in groups) for name, root in roots.items()],
            {"name": pl.String, "person": pl.UInt32, "is_group": pl.Boolean},
            orient="row",
        )
        is_evidence = pl.col("name_keys").list.len() <= LONGEST_EVIDENCE
        listings = bylines.select("name_keys", "owner_key", is_evidence.alias("is_evidence")).with_row_index("listing")
        printed = listings.drop("owner_key").explode("name_keys").join(known, left_on="name_keys", right_on="name")
        owners = listings.drop("name_keys").join(known, left_on="owner_key", right_on="name")
        columns = ("listing", "person", "is_group")
        self._beside = pl.concat([one.filter("is_evidence").select(columns) for one in (printed, owners)])
        people = pl.DataFrame({"person": range(len(self._people))}, {"person": pl.UInt32})
        named = people.join(printed.group_by("person").agg("listing"), on="person", how="left", maintain_order="left")
        self._printed_in = named["listing"]
        self._listings = lru_cache(maxsize=1 << 14)(self._read_listings)

    def shared(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The first co-author, in order, that two people share, for each pair that shares one."""
        coded = pl.DataFrame([tuple(map(self._code.__getitem__, pair)) for pair in pairs], _PAIR, orient="row")
        found = [self._shared(some) for some in coded.iter_slices(_PAIRS)]
        return {
            (self._people[one], self._people[other]): self._people[shared]
            for one, other, shared in chain.from_iterable(frame.iter_rows() for frame in found)
        }

    def _shared(self, pairs: pl.DataFrame) -> pl.DataFrame:
        compared = pl.concat([pairs["one"], pairs["other"]]).implode()
        others = self._beside.filter(~pl.col("is_group")).select("listing", pl.col("person").alias("shared"))
        beside = (
            self._beside.filter(pl.col("person").is_in(compared))
            .join(others, on="listing")
            .filter(pl.col("person") != pl.col("shared"))
            .select("person", "shared")
            .unique()
        )
        ones = pairs.join(beside, left_on="one", right_on="person")
        both = ones.join(beside, left_on=["other", "shared"], right_on=["person", "shared"])
        return both.group_by("one", "other").agg(pl.col("shared").min())

    def together(self, name: str, other: str) -> bool:
        """Whether one byline contains both people, so that they are two."""
        return name != other and not self._listings(name).isdisjoint(self._listings(other))

    def _read_listings(self, name: str) -> frozenset[int]:
        listings = self._printed_in[self._code[name]]
        return frozenset(() if listings is None else listings)


_PAIR = {"one": pl.UInt32, "other": pl.UInt32}
_PAIRS = 20_000
"""Pairs whose co-authors are looked up at once, so that memory is bounded."""


Forms = list["Form"]

LOST_SPACE = "lost_space"
"""The reason for De Smet and DeSmet: a space in the family name is no variation of spelling, so evidence joins none."""
REASONS = ("several_fuller_forms", "fuller_name", "moved_border", LOST_SPACE, "initial")
"""Why two people may be one; if several reasons apply to a pair, the first of these counts."""


MOST_COMPARED = 50
"""Mean number of comparisons per form of a set; a set that would need more is not compared.

In 60,000 names of real papers the mean is 7.4 at most for initials (J. Zhang, 107 forms), and 12 for whole first names.
"""


class Form(NamedTuple):
    """A name as compared: folded first, middle and family names, and the root spelling of its group of equal names.

    `spaceless` is the whole name without spaces, so that it does not depend on where the family name begins.
    """

    first: str
    middles: tuple[str, ...]
    family: str
    folded: str
    spaceless: tuple[str, ...]
    initials_only: bool
    root: str

    def is_fuller_than(self, other: "Form") -> bool:
        """Whether this form has more middle names or letters than the other and does not contradict it."""
        return compatible(self.middles, other.middles) and self.extent > other.extent

    @property
    def extent(self) -> tuple[int, int, tuple[str, ...]]:
        """The sort key of fullness: number of middle names, then of their letters, then the names."""
        return len(self.middles), sum(map(len, self.middles)), self.middles


class CandidatePair(NamedTuple):
    """Two root spellings that may be one person, and why (one of `REASONS`)."""

    name: str
    other: str
    reason: str


def form_of(name: Name, root: str) -> Form:
    """The form of a name.

    >>> from etl.resolve.names import read_name
    >>> form_of(read_name("Ann B. Bell"), "Ann B. Bell")
    Form(first='ann', middles=('b',), family='bell', folded='ann b bell', spaceless=('ann', 'b', 'bell'), initials_only=False, root='Ann B. Bell')
    """
    return Form(name.first, name.middles, name.family_key, name.folded, name.spaceless, has_initials_only(name), root)


def compared_forms(names: Sequence[Name], roots: Mapping[str, str]) -> list[Form]:
    """The forms of the names that share a key with another root: first and family name, whole name, or initial and family name.

    Of names with one initial and family name there must be some with initials only, and some with a full first name.

    >>> from etl.resolve.names import read_name
    >>> names = [read_name(name) for name in ("Ann Bell", "A. Bell", "Cy Dole", "Cyd Dole")]
    >>> [form.root for form in compared_forms(names, {name.spelling: name.spelling for name in names})]
    ['Ann Bell', 'A. Bell']
    """
    keys = pl.DataFrame(
        [
            (roots[name.spelling], name.first, name.family_key, " ".join(name.spaceless), has_initials_only(name))
            for name in names
        ],
        {"root": pl.String, "first": pl.String, "family": pl.String, "whole": pl.String, "short": pl.Boolean},
        orient="row",
    )
    initial, full = pl.col("first").str.head(1), pl.col("first").str.len_chars() > 1
    root = pl.col("root")

    def several(*key: pl.Expr | str) -> pl.Expr:
        return root.min().over(*key) != root.max().over(*key)

    by_initial = (initial, "family")
    is_compared = (
        several("first", "family")
        | several("whole")
        | (several(*by_initial) & pl.col("short").any().over(*by_initial) & full.any().over(*by_initial))
    )
    places = keys.select(is_compared.arg_true()).to_series()
    return [form_of(names[place], roots[names[place].spelling]) for place in places]


class CandidatePairs:
    """Sets of forms that share a key; `pairs` returns the pairs that may be one person, given the co-authors."""

    def __init__(self, forms: Iterable[Form]) -> None:
        forms = sorted({form for form in forms if form.spaceless})
        self._forms_of = _grouped(forms, lambda form: form.root)
        self.crowds: list[Forms] = []
        """The sets that are not compared because of `MOST_COMPARED`."""
        by_first_name = _several(forms, lambda form: (form.first, form.family))
        self._by_first_name = self._less_crowds((one, _comparisons(one, one)) for one in by_first_name)
        by_whole_name = _several(forms, lambda form: form.spaceless)
        self._by_whole_name = self._less_crowds((one, len(one) * (len(one) - 1) // 2) for one in by_whole_name)
        by_initial = _several(forms, lambda form: (form.first[:1], form.family))
        self._by_initial = self._less_crowds((one, _comparisons(*_short_and_full(one))) for one in by_initial)

    def _less_crowds(self, sets: Iterable[tuple[Forms, int]]) -> list[Forms]:
        """The sets to compare, of those given with their number of comparisons; too large ones go to `crowds`."""
        compared = []
        for sharing, comparisons in sets:
            if comparisons > MOST_COMPARED * len(sharing):
                self.crowds.append(sharing)
            elif comparisons:
                compared.append(sharing)
        return compared

    def pairs(self, coauthors: Coauthors) -> list[CandidatePair]:
        """Every pair that may be one person, sorted, without pairs that share a byline."""
        found: dict[tuple[str, str], str] = {}
        for name, other, reason in self._pairs(coauthors):
            pair = (min(name, other), max(name, other))
            if name != other and not coauthors.together(name, other):
                found[pair] = min(found.get(pair, reason), reason, key=REASONS.index)
        return sorted(CandidatePair(*pair, reason) for pair, reason in found.items())

    def contradict(self, name: str, other: str) -> bool:
        """Whether two people of one first and family name have no pair of compatible middle names."""
        pairs = [
            compatible(form.middles, another.middles)
            for form in self._forms_of[name]
            for another in self._forms_of[other]
            if (form.first, form.family) == (another.first, another.family)
        ]
        return bool(pairs) and not any(pairs)

    def _pairs(self, coauthors: Coauthors) -> Iterator[tuple[str, str, str]]:
        for sharing in self._by_first_name:
            yield from _fuller_names(sharing, coauthors)
        for sharing in self._by_whole_name:
            for form, other in combinations(sharing, 2):
                yield form.root, other.root, _spacing(form, other)
        for sharing in self._by_initial:
            yield from _initials(sharing)


class MiddleNameIndex:
    """An index of forms by middle name, so that not all forms of one first and family name are compared.

    >>> from etl.resolve.names import read_name
    >>> forms = [form_of(read_name(name), name) for name in ("Ann Bell", "Ann B. Bell", "Ann Beth Bell", "Ann C. Bell")]
    >>> sorted(form.root for form in MiddleNameIndex(forms).near(forms[2]))
    ['Ann B. Bell', 'Ann Bell', 'Ann Beth Bell']
    """

    def __init__(self, forms: Forms) -> None:
        self._all = forms
        self._without = [form for form in forms if not form.middles]
        self._with: defaultdict[str, list[Form]] = defaultdict(list)
        for form in forms:
            for word in set(form.middles):
                self._with[word].append(form)
            for initial in {word[0] for word in form.middles if not is_initial(word)}:
                self._with[f"{initial}…"].append(form)

    def near(self, form: Form) -> Iterable[Form]:
        """All forms whose middle names may be compatible with this form's: one is shared, or one form has none."""
        if not form.middles:
            return self._all
        return dict.fromkeys(chain(self._without, *(self._with.get(word, ()) for word in self._words(form))))

    def count_near(self, form: Form) -> int:
        """How many forms `near` examines."""
        if not form.middles:
            return len(self._all)
        return len(self._without) + sum(len(self._with.get(word, ())) for word in self._words(form))

    @staticmethod
    def _words(form: Form) -> list[str]:
        """The index keys of the middle names that match one of this form's."""
        return [near for word in set(form.middles) for near in (word, f"{word}…" if is_initial(word) else word[0])]


def _spacing(form: Form, other: Form) -> str:
    """How two names with equal `spaceless` differ: in given names, in the border of the family name, or within it."""
    if form.family == other.family:
        return "fuller_name"
    return "moved_border" if form.folded == other.folded else LOST_SPACE


def _fuller_names(forms: Forms, coauthors: Coauthors) -> Iterator[tuple[str, str, str]]:
    """Each form with each fuller one; `fuller_name` only if all the fuller ones may be one person."""
    by_middles = MiddleNameIndex(forms)
    for form in forms:
        fuller = [other for other in by_middles.near(form) if other.is_fuller_than(form)]
        one = len(fuller) <= MOST_COMPARED and all(
            compatible(some.middles, other.middles) and not coauthors.together(some.root, other.root)
            for some, other in combinations(fuller, 2)
        )
        for other in fuller:
            yield form.root, other.root, "fuller_name" if one else "several_fuller_forms"


def _initials(forms: Forms) -> Iterator[tuple[str, str, str]]:
    short, full = _short_and_full(forms)
    by_middles = MiddleNameIndex(full)
    for form in short:
        for other in by_middles.near(form):
            if compatible(form.middles, other.middles):
                yield form.root, other.root, "initial"


def _short_and_full(forms: Forms) -> tuple[Forms, Forms]:
    """The forms with initials only, and the forms with a full first name."""
    return [form for form in forms if form.initials_only], [form for form in forms if len(form.first) > 1]


def _comparisons(forms: Forms, others: Forms) -> int:
    """How many comparisons of `forms` with near ones of `others` are needed."""
    by_middles = MiddleNameIndex(others)
    return sum(map(by_middles.count_near, forms))


def _several(forms: Iterable[Form], key: Callable[[Form], Hashable]) -> list[Forms]:
    return [sharing for sharing in _grouped(forms, key).values() if len({form.root for form in sharing}) > 1]


def _grouped(forms: Iterable[Form], key: Callable[[Form], Hashable]) -> dict[Hashable, Forms]:
    groups: defaultdict[Hashable, Forms] = defaultdict(list)
    for form in forms:
        groups[key(form)].append(form)
    return groups
