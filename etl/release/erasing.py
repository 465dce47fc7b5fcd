"""Erase people's names from text: in any letter case, with or without diacritics, in slugs, addresses and file names.

In: the spellings of each name. Out: text with `[erased]` in place of each. A name is found as whole words: Ann Bell in
"bell, ANN" and "ann-bell", not in "Joann Bellamy". Another spelling of the person without a full given name, such as A. Bell, is
found only as a whole item of a list, since it is a part of many other names.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from etl.resolve.folding import fold, fold_long

ERASED = "[erased]"
ERASED_WORD = "erased"
"""The replacement of a name in text, and in identifiers, addresses and file names."""
_GAP = r"[\W_]{1,3}"
_GLUE = r"[\W_]{0,3}"
_BEFORE, _BEHIND = r"(?<![^\W\d_])", r"(?![^\W\d_])"
_ITEM_BEFORE = r"(?:^|(?<=[,;:(\[\n\"'/])|(?<=[,;:] )|(?<=and ))"
_ITEM_BEHIND = r"(?=\.?\s*(?:$|[,;:)\]\n\"'·]|\s(?:and|et)\b))"
_ADDRESS = re.compile(r"\S+(?:://|@)\S+")
Text = TypeVar("Text", str, str | None)


class _Spelling(NamedTuple):
    """The folded words of a spelling of the name at a place; `is_full` where it is sought everywhere in a text."""

    place: int
    words: tuple[str, ...]
    is_full: bool


class NameEraser:
    """Erases names, each given with its other spellings; `found` has the places of the names that were found."""

    def __init__(self, names: Sequence[tuple[str, Iterable[str]]]) -> None:
        spelled = {
            _Spelling(place, tuple(fold(one).split()), is_full=one == name or _is_full(fold(one).split()))
            for place, (name, others) in enumerate(names)
            for one in (name, *others)
        }
        # The longest first, so that "Ann B. Bell" is erased whole.
        ordered = sorted((one for one in spelled if one.words), key=lambda one: (-len(one.words), one))
        self._in_text = _pattern(ordered, _GAP)
        self._in_words = _pattern([one._replace(is_full=True) for one in ordered], _GAP)
        self._in_tokens = _pattern([one for one in ordered if one.is_full], _GLUE)
        self.found: set[int] = set()

    def text(self, text: Text) -> Text:
        """A text without the names, in its web and mail addresses too; None stays None.

        >>> eraser = NameEraser([("Ann Bell", ["A. Bell"]), ("Ève Fox", [])])
        >>> eraser.text("ann  BELL, Cy Dole, A. Bell et al.; Eve Fox's bells"), eraser.text("Joann Bellamy, M. A. Bell")
        ("[erased], Cy Dole, [erased] et al.; [erased]'s bells", 'Joann Bellamy, M. A. Bell')
        >>> eraser.text("See https://github.com/annbell/bells by Ann Bell")
        'See https://github.com/erased/bells by [erased]'
        >>> sorted(eraser.found)
        [0, 1]
        """
        if text and _ADDRESS.search(text):
            text = _ADDRESS.sub(lambda address: self.token(address.group()), text)
        return self._without(self._in_text, ERASED, text)

    def words(self, text: Text) -> Text:
        """A sentence of ours about names without them, spellings with initials too wherever they are.

        >>> NameEraser([("Ann Bell", ["A. Bell"])]).words("fuller form of A. Bell, who wrote with Cy Dole")
        'fuller form of [erased], who wrote with Cy Dole'
        """
        return self._without(self._in_words, ERASED, self.text(text))

    def token(self, text: Text) -> Text:
        """An identifier, an address or the name of a file without the names, where their words may be glued.

        >>> NameEraser([("Ann Bell", [])]).token("https://x.org/~AnnBell/bells")
        'https://x.org/~erased/bells'
        """
        return self._without(self._in_tokens, ERASED_WORD, text)

    def _without(self, pattern: re.Pattern[str], erased: str, text: Text) -> Text:
        if text is None:
            return text
        folded, places = _folded(text)
        pieces: list[str] = []
        at = 0
        for match in pattern.finditer(folded):
            self.found.add(int((match.lastgroup or "n0")[1:].partition("_")[0]))
            pieces += [text[at : places[match.start()]], erased]
            at = places[match.end()]
        return "".join([*pieces, text[at:]]) if pieces else text


def _pattern(spellings: Sequence[_Spelling], gap: str) -> re.Pattern[str]:
    """A pattern of folded text; each alternative is a group named by the name's place and its own number."""
    alternatives = [f"(?P<n{one.place}_{number}>{_alternative(one, gap)})" for number, one in enumerate(spellings)]
    return re.compile("|".join(alternatives) or r"(?!)", re.MULTILINE)


def _alternative(spelling: _Spelling, gap: str) -> str:
    """A name in its order, or with the family name first, of however many words: van Bell, Ann."""
    words = list(map(re.escape, spelling.words))
    ways = [gap.join(words[first:] + words[:first]) for first in range(len(words))]
    before, behind = (_BEFORE, _BEHIND) if spelling.is_full else (_ITEM_BEFORE, _ITEM_BEHIND)
    return f"{before}(?:{'|'.join(ways)}){behind}"


def _is_full(words: Sequence[str]) -> bool:
    """Whether a spelling has a given name that is no initial, or is one word of a script without spaces."""
    return any(len(word) > 1 for word in words[:-1]) or (len(words) == 1 and not words[0].isascii())


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """A text folded letter by letter, punctuation and spaces unchanged, and the place in the text of each letter of it."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        folded = _folded_letter(letter)
        letters.append(folded)
        places += [place] * len(folded)
    return "".join(letters), [*places, len(text)]


@lru_cache(maxsize=1 << 16)
def _folded_letter(letter: str) -> str:
    if unicodedata.combining(letter) or unicodedata.category(letter) == "Cf":
        return ""
    return fold_long(letter) if letter.isalnum() else letter
