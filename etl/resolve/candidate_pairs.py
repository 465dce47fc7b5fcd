"""Which spellings may be one person (rule R2 and similar): candidate pairs with reasons.

Names are compared only within sets of forms that share a key: first and family name, whole name, or family name and
initial. A set in which each name is similar to too many others is not compared at all, so that the time and the number of
pairs grow linearly with the number of names. Two names of one byline are no pair.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from itertools import chain, combinations
from typing import NamedTuple

from etl.resolve.coauthors import Together
from etl.resolve.names import Name, compatible, has_initials_only, is_initial

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


FAMILY, WHOLE = "family", "whole"
"""By what names are compared: by first and family name and by initial and family name, or by the whole name."""


class CandidatePairs:
    """Sets of forms that share a key; `pairs` returns the pairs that may be one person."""

    def __init__(self, forms: Iterable[Form], by: Collection[str] = (FAMILY, WHOLE)) -> None:
        forms = sorted({form for form in forms if form.spaceless})
        self.crowds: list[Forms] = []
        """The sets that are not compared because of `MOST_COMPARED`."""
        of_family, whole = (forms if kind in by else [] for kind in (FAMILY, WHOLE))
        by_first_name = _several(of_family, lambda form: (form.first, form.family))
        self._by_first_name = self._less_crowds((one, _comparisons(one, one)) for one in by_first_name)
        by_whole_name = _several(whole, lambda form: form.spaceless)
        self._by_whole_name = self._less_crowds((one, len(one) * (len(one) - 1) // 2) for one in by_whole_name)
        by_initial = _several(of_family, lambda form: (form.first[:1], form.family))
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

    def pairs(self, together: Together) -> list[CandidatePair]:
        """Every pair that may be one person, sorted, without pairs that share a byline."""
        found = (
            CandidatePair(min(name, other), max(name, other), reason)
            for name, other, reason in self._pairs(together)
            if name != other and not together(name, other)
        )
        return first_reasons(found)

    def _pairs(self, together: Together) -> Iterator[tuple[str, str, str]]:
        for sharing in self._by_first_name:
            yield from _fuller_names(sharing, together)
        for sharing in self._by_whole_name:
            for form, other in combinations(sharing, 2):
                yield form.root, other.root, _spacing(form, other)
        for sharing in self._by_initial:
            yield from _initials(sharing)


def first_reasons(pairs: Iterable[CandidatePair]) -> list[CandidatePair]:
    """Each pair once, sorted, with the first of its reasons.

    >>> first_reasons([CandidatePair("A", "B", reason) for reason in ("initial", "fuller_name")])
    [CandidatePair(name='A', other='B', reason='fuller_name')]
    """
    found: dict[tuple[str, str], str] = {}
    for name, other, reason in pairs:
        found[name, other] = min(found.get((name, other), reason), reason, key=REASONS.index)
    return sorted(CandidatePair(*pair, reason) for pair, reason in found.items())


def contradict(forms: Iterable[Form], others: Collection[Form]) -> bool:
    """Whether the forms of two people of one first and family name have no pair of compatible middle names.

    >>> from etl.resolve.names import read_name
    >>> ann, with_b, with_c = ([form_of(read_name(name), name)] for name in ("Ann Bell", "Ann B. Bell", "Ann C. Bell"))
    >>> contradict(ann, with_b), contradict(with_b, with_c)
    (False, True)
    """
    pairs = [
        compatible(form.middles, other.middles)
        for form in forms
        for other in others
        if (form.first, form.family) == (other.first, other.family)
    ]
    return bool(pairs) and not any(pairs)


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


def _fuller_names(forms: Forms, together: Together) -> Iterator[tuple[str, str, str]]:
    """Each form with each fuller one; `fuller_name` only if all the fuller ones may be one person."""
    by_middles = MiddleNameIndex(forms)
    for form in forms:
        fuller = [other for other in by_middles.near(form) if other.is_fuller_than(form)]
        one = len(fuller) <= MOST_COMPARED and all(
            compatible(some.middles, other.middles) and not together(some.root, other.root)
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
