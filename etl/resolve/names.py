"""Names taken apart: given names and family name, and the folded words by which names are compared."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from nameparser import HumanName
from nameparser.config.particles import PARTICLES

from etl.extract.byline import is_suffix
from etl.resolve.folding import fold


@dataclass(frozen=True)
class Name:
    """One spelling of a name.

    >>> name = read_name("Heitor R. Guimarães")
    >>> name.given, name.family, name.first, name.middles, name.family_key
    ('Heitor R.', 'Guimarães', 'heitor', ('r',), 'guimaraes')
    """

    spelling: str
    given: str
    family: str

    @cached_property
    def given_words(self) -> tuple[str, ...]:
        """The given names folded: initials apart, hyphened names as one word."""
        return tuple(word for written in self.given.split() for word in _words(written))

    @property
    def first(self) -> str:
        """The first given name, or nothing where there is none."""
        return self.given_words[0] if self.given_words else ""

    @property
    def middles(self) -> tuple[str, ...]:
        """The given names behind the first."""
        return self.given_words[1:]

    @cached_property
    def family_key(self) -> str:
        """The family name, folded."""
        return fold(self.family)

    @cached_property
    def folded(self) -> str:
        """The whole name, folded."""
        return fold(self.spelling)

    @property
    def equal_keys(self) -> tuple[tuple[object, ...], ...]:
        """Keys of which two names share one where they are equal after folding (rule R1).

        Spaces within given names do not count, but an initial is never a part of a word: E. D. is not Ed.
        """
        if not self.folded:
            return (("nothing left", self.spelling),)
        runs = groupby(self.given_words, key=is_initial)
        spaceless = [tuple(words) if initials else ("".join(words),) for initials, words in runs]
        return ("as written", fold(self.given), self.family_key), ("without spaces", *spaceless, self.family_key)


def read_name(spelling: str) -> Name:
    """Take a name apart at the border of its family name; particles and suffixes belong to it.

    >>> read_name("Ludwig van der Berg Jr.").family, read_name("Plato")
    ('van der Berg Jr.', Name(spelling='Plato', given='', family='Plato'))
    """
    words = spelling.split()
    border = _border(words) if _is_special(words) else len(words) - 1
    return Name(spelling, " ".join(words[:border]), " ".join(words[border:]))


def is_initial(word: str) -> bool:
    """Whether a folded word is one letter of a script that has capitals.

    >>> is_initial("r"), is_initial("伟")
    (True, False)
    """
    return len(word) == 1 and word.upper() != word


def compatible(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether the shorter list of middle names fits into the longer one, in order, initials standing for names.

    >>> compatible((), ("s",)), compatible(("s",), ("sara", "jane")), compatible(("s",), ("r",))
    (True, True, False)
    """
    shorter, longer = sorted((some, others), key=len)
    rest = iter(longer)
    return all(any(_same_word(word, other) for other in rest) for word in shorter)


def _same_word(word: str, other: str) -> bool:
    if is_initial(word) or is_initial(other):
        return word[0] == other[0]
    return word == other


def _words(written: str) -> list[str]:
    pieces = fold(written).split()
    return pieces if all(map(is_initial, pieces)) else ["".join(pieces)]


def _is_special(words: list[str]) -> bool:
    """Whether the name's border takes more than the last word: only then is nameparser asked, which is slow."""
    return len(words) > 2 and (any(word.lower() in PARTICLES for word in words[1:-1]) or is_suffix(words[-1]))


def _border(words: list[str]) -> int:
    """The index of the family name's first word, by nameparser; the last word's where it reads the name in another way."""
    last = HumanName(" ".join(words)).last.split()
    bare = [word.removesuffix(",") for word in words]
    for border in range(1, len(words)):
        if last and bare[border : border + len(last)] == last:
            return border
    return len(words) - 1
