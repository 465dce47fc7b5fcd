"""Pairs of names that may be one person (rule R2 and its neighbours), each with the reason why it may.

Names are compared only within blocks: one first and family name, one whole name, one family name for initials.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations

from etl.resolve.coauthors import Coauthors
from etl.resolve.names import Name, compatible, is_initial

Block = list["Form"]

REASONS = ("several_fuller_forms", "fuller_name", "moved_border", "initial")
"""Why two people may be one; where several forms of theirs are alike in several ways, the first of these counts."""


@dataclass(frozen=True, order=True)
class Form:
    """A name's first, middle and family names as compared, and the root spelling of the equal names that have it."""

    first: str
    middles: tuple[str, ...]
    family: str
    folded: str
    root: str

    def is_fuller_than(self, other: "Form") -> bool:
        """Whether this form says more than the other and does not contradict it."""
        return compatible(self.middles, other.middles) and self.extent > other.extent

    @property
    def extent(self) -> tuple[int, int, tuple[str, ...]]:
        """How much the middle names say: their number, then their letters; between equals their order decides."""
        return len(self.middles), sum(map(len, self.middles)), self.middles


@dataclass(frozen=True, order=True)
class Alike:
    """Two people, by their root spellings, who may be one; the reason is one of `merge_candidates.matched_by`."""

    name: str
    other: str
    reason: str


def form_of(name: Name, root: str) -> Form:
    """The form of a name.

    >>> from etl.resolve.names import read_name
    >>> form_of(read_name("Ann B. Bell"), "Ann B. Bell")
    Form(first='ann', middles=('b',), family='bell', folded='ann b bell', root='Ann B. Bell')
    """
    return Form(name.first, name.middles, name.family_key, name.folded, root)


class AlikeNames:
    """The forms that may be one person with another, in blocks; `pairs` finds them once co-authors are known."""

    def __init__(self, forms: Iterable[Form]) -> None:
        forms = sorted({form for form in forms if form.folded})
        self._forms_of = _grouped(forms, lambda form: form.root)
        self._by_first_name = _blocks(forms, lambda form: (form.first, form.family))
        self._by_whole_name = _blocks(forms, lambda form: form.folded)
        by_initial = _blocks(forms, lambda form: (form.first[:1], form.family))
        self._by_initial = [block for block in by_initial if any(is_initial(form.first) for form in block)]

    @property
    def roots(self) -> set[str]:
        """The people whose co-authors will be asked for."""
        return {
            form.root for block in (*self._by_first_name, *self._by_whole_name, *self._by_initial) for form in block
        }

    def pairs(self, coauthors: Coauthors) -> list[Alike]:
        """Every pair that may be one person, in order; none that one byline names both."""
        found: dict[tuple[str, str], str] = {}
        for name, other, reason in self._pairs(coauthors):
            pair = (min(name, other), max(name, other))
            if name != other and not coauthors.together(name, other):
                found[pair] = min(found.get(pair, reason), reason, key=REASONS.index)
        return sorted(Alike(*pair, reason) for pair, reason in found.items())

    def contradict(self, name: str, other: str) -> bool:
        """Whether two people of one first and family name have middle names of which none fit together."""
        pairs = [
            compatible(form.middles, another.middles)
            for form in self._forms_of[name]
            for another in self._forms_of[other]
            if (form.first, form.family) == (another.first, another.family)
        ]
        return bool(pairs) and not any(pairs)

    def _pairs(self, coauthors: Coauthors) -> Iterator[tuple[str, str, str]]:
        for block in self._by_first_name:
            yield from _fuller_names(block, coauthors)
        for block in self._by_whole_name:
            for form, other in combinations(block, 2):
                yield form.root, other.root, "moved_border"
        for block in self._by_initial:
            yield from _initials(block)


class ByMiddles:
    """The forms of a block by their middle names, so that a thousand of one first and family name are not all compared.

    >>> from etl.resolve.names import read_name
    >>> forms = [form_of(read_name(name), name) for name in ("Ann Bell", "Ann B. Bell", "Ann Beth Bell", "Ann C. Bell")]
    >>> sorted(form.root for form in ByMiddles(forms).near(forms[2]))
    ['Ann B. Bell', 'Ann Bell', 'Ann Beth Bell']
    """

    def __init__(self, block: Block) -> None:
        self._all = block
        self._without = [form for form in block if not form.middles]
        self._with: defaultdict[str, list[Form]] = defaultdict(list)
        for form in block:
            for word in form.middles:
                self._with[word].append(form)
                if not is_initial(word):
                    self._with[f"{word[0]}…"].append(form)

    def near(self, form: Form) -> Iterable[Form]:
        """All forms whose middle names may be compatible with this one's: they share one, or there are none."""
        if not form.middles:
            return self._all
        words = [near for word in form.middles for near in (word, f"{word}…" if is_initial(word) else word[0])]
        return dict.fromkeys(chain(self._without, *(self._with.get(word, ()) for word in words)))


def _fuller_names(block: Block, coauthors: Coauthors) -> Iterator[tuple[str, str, str]]:
    """Each form with those fuller than it: one person only where all those may be one."""
    by_middles = ByMiddles(block)
    for form in block:
        fuller = [other for other in by_middles.near(form) if other.is_fuller_than(form)]
        one = all(
            compatible(some.middles, other.middles) and not coauthors.together(some.root, other.root)
            for some, other in combinations(fuller, 2)
        )
        for other in fuller:
            yield form.root, other.root, "fuller_name" if one else "several_fuller_forms"


def _initials(block: Block) -> Iterator[tuple[str, str, str]]:
    short = [form for form in block if is_initial(form.first)]
    full = ByMiddles([form for form in block if len(form.first) > 1])
    for form in short:
        for other in full.near(form):
            if compatible(form.middles, other.middles):
                yield form.root, other.root, "initial"


def _blocks(forms: Iterable[Form], key: Callable[[Form], Hashable]) -> list[Block]:
    return [block for block in _grouped(forms, key).values() if len({form.root for form in block}) > 1]


def _grouped(forms: Iterable[Form], key: Callable[[Form], Hashable]) -> dict[Hashable, Block]:
    groups: defaultdict[Hashable, Block] = defaultdict(list)
    for form in forms:
        groups[key(form)].append(form)
    return groups
