"""Names split into given and family names, and the folded words by which names are compared."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from nameparser import HumanName
from nameparser.config.particles import PARTICLES

from etl.extract.byline import is_suffix
from etl.resolve.folding import fold


@dataclass(frozen=True, slots=True)
class Name:
    """One spelling of a name. What is folded is computed on demand, by functions that remember it: there are many names.

    >>> name = read_name("Heitor R. Guimarães")
    >>> name.given, name.family, name.first, name.middles, name.family_key
    ('Heitor R.', 'Guimarães', 'heitor', ('r',), 'guimaraes')
    """

    spelling: str
    given: str
    family: str
    is_group: bool = False

    @property
    def given_words(self) -> tuple[str, ...]:
        """The given names folded: each initial a word, each hyphenated name one word."""
        return _given_words(self.given)

    @property
    def first(self) -> str:
        """The first given name, or an empty text."""
        return self.given_words[0] if self.given_words else ""

    @property
    def middles(self) -> tuple[str, ...]:
        """The given names after the first."""
        return self.given_words[1:]

    @property
    def family_key(self) -> str:
        """The family name, folded; for a group the whole name without the article."""
        return group_key(self.family) if self.is_group else fold(self.family)

    @property
    def folded(self) -> str:
        """The whole name, folded; of its parts, which recur more often."""
        return f"{fold(self.given)} {fold(self.family)}".strip()

    @property
    def equal_key(self) -> tuple[object, ...]:
        """A key that is the same for names that are equal after folding (rule R1); a space in given names equals a hyphen.

        >>> read_name("Min-Soo Kim").equal_key == read_name("Min Soo Kim").equal_key, read_name("Minsoo Kim").equal_key
        (True, (False, 'minsoo', 'kim'))
        """
        given, family = fold(self.given), self.family_key
        return (self.is_group, given, family) if given or family else (self.is_group, "nothing left", self.spelling)

    @property
    def spaceless(self) -> tuple[str, ...]:
        """The words of the whole name joined without spaces; initials remain separate.

        >>> read_name("Jan De Smet").spaceless == read_name("Jan DeSmet").spaceless, read_name("E. D. Bell").spaceless
        (True, ('e', 'd', 'bell'))
        """
        words = self.folded.split()
        if words and min(map(len, words)) > 1:
            return ("".join(words),)
        runs = groupby(words, key=is_initial)
        return tuple(part for initials, words in runs for part in (words if initials else ("".join(words),)))


@lru_cache(maxsize=1 << 16)
def read_name(spelling: str) -> Name:
    """Split a name before its family name, which includes particles and suffixes.

    >>> read_name("Ludwig van der Berg Jr.").family, read_name("Plato")
    ('van der Berg Jr.', Name(spelling='Plato', given='', family='Plato', is_group=False))
    """
    words = spelling.split()
    border = _border(words) if _is_special(words) else len(words) - 1
    return Name(spelling, " ".join(words[:border]), " ".join(words[border:]))


def read_group(spelling: str) -> Name:
    """A group's name, which is not split.

    >>> read_group("The Tower Collaboration").family_key
    'tower collaboration'
    """
    return Name(spelling, "", spelling, is_group=True)


def group_key(spelling: str) -> str:
    """A group's name, folded, without the article.

    >>> group_key("The Tower Collaboration")
    'tower collaboration'
    """
    return fold(spelling).removeprefix("the ")


def may_be_one(name: Name, other: Name) -> bool:
    """Whether two spellings may be one person: the same family name and compatible given names.

    The order of words and the spaces between them do not count; an initial matches any name that begins with it.

    >>> ann = read_name("Ann B. Bell")
    >>> [may_be_one(ann, read_name(name)) for name in ("A. Bell", "Bell Ann B.", "Ann C. Bell", "Eve Bell")]
    [True, True, False, False]
    """
    if name.spaceless == other.spaceless or sorted(name.folded.split()) == sorted(other.folded.split()):
        return True
    if name.family_key != other.family_key or not (name.first and other.first):
        return False
    return _same_word(name.first, other.first) and compatible(name.middles, other.middles)


def has_initials_only(name: Name) -> bool:
    """Whether there are given names and all of them are initials.

    >>> [has_initials_only(read_name(name)) for name in ("A. B. Bell", "A. Beth Bell", "Bell")]
    [True, False, False]
    """
    return bool(name.given_words) and all(map(is_initial, name.given_words))


def is_initial(word: str) -> bool:
    """Whether a folded word is one letter of a script that has capitals.

    >>> is_initial("r"), is_initial("伟")
    (True, False)
    """
    return len(word) == 1 and word.upper() != word


def compatible(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether the shorter list of middle names is a subsequence of the longer one; initials match names.

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


@lru_cache(maxsize=1 << 16)
def _given_words(given: str) -> tuple[str, ...]:
    return tuple(word for written in given.split() for word in _words(written))


def forget_names() -> None:
    """Empty the caches of names once all people are known: they take 70 MB, and hardly a name is read again.

    >>> forget_names()
    >>> read_name.cache_info().currsize
    0
    """
    for cached in (fold, read_name, _given_words):
        cached.cache_clear()


def _words(written: str) -> list[str]:
    pieces = fold(written).split()
    return pieces if all(map(is_initial, pieces)) else ["".join(pieces)]


def _is_special(words: list[str]) -> bool:
    """Whether the family name may be more than the last word; only then is nameparser used, which is slow."""
    return len(words) > 2 and (any(word.lower() in PARTICLES for word in words[1:-1]) or is_suffix(words[-1]))


def _border(words: list[str]) -> int:
    """The index of the family name's first word by nameparser; of the last word if nameparser reorders the name."""
    last = HumanName(" ".join(words)).last.split()
    bare = [word.removesuffix(",") for word in words]
    for border in range(1, len(words)):
        if last and bare[border : border + len(last)] == last:
            return border
    return len(words) - 1
