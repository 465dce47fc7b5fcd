"""The byline under a title: the names of a paper's first authors.

    byline := name (", " name)* [" et al."] [" · " tag (", " tag)*]

Copies and sites write it in other ways, which are parsed where they are unambiguous: other separators, "and", "+5 more",
a colon behind a collaboration, "Bell, Ann; Dole, Cyrus". An ambiguous byline has no names, and its block goes to the
quarantine.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import compress
from typing import NamedTuple

from etl.extract.text import clean
from schemas.limits import BYLINE_LETTERS, NAME_LETTERS, NAME_WORDS, SENTENCE_END, TAG_LETTERS


class Byline(NamedTuple):
    """A parsed byline: the names in order, whether it is cut, its institutions, and items that cannot be names.

    `groups` are the names that a colon follows.
    """

    names: tuple[str, ...]
    truncated: bool
    tags: tuple[str, ...]
    odd: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


ET_AL = " et al."
TAG_MARK = " · "
GROUP_WORDS = frozenset([
    "alliance", "association", "center", "centre", "collaboration", "collaborations", "committee", "community",
    "company", "consortium", "corporation", "department", "experiment", "foundation", "gmbh", "group", "groups",
    "inc", "initiative", "institute", "lab", "laboratories", "laboratory", "labs", "network", "organization",
    "project", "projects", "society", "survey", "taskforce", "team", "teams", "university",
])  # fmt: skip
"""Words of groups' names, rare in those of people; one behind an initial ("C. Group") is a person's family name."""
PARTICLES = frozenset([
    "af", "al", "ben", "bin", "d", "da", "dal", "de", "degli", "del", "dell", "della", "den", "der", "des", "di",
    "do", "dos", "du", "e", "ei", "el", "et", "i", "ibn", "im", "la", "las", "le", "lo", "los", "mac", "of", "op",
    "san", "st", "t", "te", "ten", "ter", "thi", "tot", "van", "vom", "von", "y", "zu", "zum", "zur",
])  # fmt: skip
"""Words within a name that have no capital letter."""

_LABEL = re.compile(r"[-–•*>] |(?:written )?by (?=\S+ \S+)|(?:by|authors?|author\(s\)) ?: ?", re.IGNORECASE)
_ET_AL = re.compile(r"(?:^|[ ,;(\[])et\.? ?al(?:ii|ia)?(?!\w)\.?", re.IGNORECASE)
"""Only tags follow it, no names."""
_SEPARATORS = ",;:，；：、،|＆•∙●"
_ASCII_SEPARATORS = "".join(filter(str.isascii, _SEPARATORS))
_CUT = re.compile(
    r"(?:^|(?<=[ ,;·•.]))[(\[]?(?:(?:(?:and|&|\+) ?)?[0-9][0-9,]{0,6} ?(?:more|others?)(?: authors?)?"
    r"|(?:and|&|\+) ?[0-9][0-9,]{0,6}(?: authors?)?|and (?:[a-z-]{2,20} )?(?:others|more)(?: authors?)?)[)\]]?[.,;]?$"
    rf"|(?:…|\.\.\.|等)[ {_SEPARATORS}]*$",
    re.IGNORECASE,
)
_CUT_LETTERS = 40
"""Letters of a line's end in which "and 12 other authors" fits."""
_BEHIND_CUT = " .,;:()[]†‡*|/—–-·•"
_SHORT_TAG = 40
_PARTS_TAG = re.compile(r"[ .]*[,;:)\]†‡*|/—–·•(-]")
_EXPANDERS = frozenset({"show more", "show all", "show all authors", "more"})
_DOT = re.compile("[·•∙●]")
_SPACED_DOT = re.compile(r"(?:^|[ ,])Â?·(?: |$)")
"""The mark before tags, also where UTF-8 was read as Latin-1."""
_BULLET = re.compile(r" ?[•∙●] ?|(?<=[^\W\d_])·(?=[^\W\d_])|(?<=\.)·(?=[^\W\d_])")
_AMPERSAND = re.compile("(?<![A-Z])&|&(?![A-Z])")
_SEPARATOR = re.compile(f"[{_SEPARATORS}]|{_AMPERSAND.pattern}")
_AND = re.compile(r" (?:and|et) ", re.IGNORECASE)
_COLON = re.compile("[:：]")
_ENTITY = re.compile(r"&(#[0-9]{1,6}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_OPENED, _CLOSED = "\ue000", "\ue001"
"""Placeholders for the two signs of an HTML entity while a line is split at such signs."""
_EDGE_AND = re.compile(r"^and (?=\S)|(?<=\S) and$", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D)\.?")
_WIDE = re.compile(r"\t+| {2,}")
_DASHES = re.compile(r" (?:/|-|–|—|\+|⋅|‧|∣) |[⋅‧∣‚﹐｡]")
_NOTE_SIGNS = "0123456789¹²³⁴⁵⁶⁷⁸⁹⁰*†‡§¶#✓✉^"
_MARKED = re.compile(rf"^\s|\s$|[()\[\]{re.escape(_NOTE_SIGNS)}]")
"""What an item without notes and outer spaces lacks."""
_NOTE_BEHIND = re.compile(r"(?:\([0-9,* ]{1,9}\)|\[[0-9,* ]{1,9}\])$")
_NOTE_LETTERS = 11
"""Letters of the longest note in brackets behind a name."""
_NOTES_BEFORE = re.compile(r"^(?:[0-9]{1,3}[.)]?|[*†‡§¶#]) (?=\S+ \S)")
_IN_BRACKETS = re.compile(r" ?\([^()]*\)$")
_NO_NAMES_SIGN = re.compile(r"[\x00-\x1f\x7f-\x9f@<>\[\]|/+*#=%!?0-9✓†‡§¶_]|://")
"""Signs that no person's name contains: of 60,382 real ones nineteen have others than points, hyphens and apostrophes."""
_STOCK = frozenset({"unknown", "anonymous", "anonymous authors", "various", "various authors", "n/a", "none"})
GLANCE, _TEXT_WORDS = 200, 5
"""Letters of a line's start that show that it is an abstract, and words between its separators, more than a name has."""
_KNOWN_ITEMS = 1 << 14
"""Items of bylines whose reading is remembered: co-authors recur."""
_NO_JOIN = r"(?!(?i:and|by|et|etal.*|authors)$)"
_NAME_WORD = re.compile(
    rf"{_NO_JOIN}(?:[A-ZÀ-ÖØ-Þ](?:[A-Za-zÀ-ÖØ-öø-ɏ'’-]*|\.(?:-?[A-Z]\.)?)|{'|'.join(sorted(PARTICLES))})"
)
_TAG_WORD = re.compile(rf"{_NO_JOIN}[A-Za-z]+")
"""Words that are read as they are whatever is around them: no separator, no label and no cut contains them."""
_ASCII_WORDS = re.compile("[a-z0-9]+")
_STOP = re.compile(r"[^\W\d_]{3}\.$")


def parse_byline(line: str) -> Byline:
    """Parse a byline; a comma before Jr. and the like belongs to the name.

    >>> parse_byline("Ada Bell, Cy Dole, Jr., Eve Fox et al. · mila")
    Byline(names=('Ada Bell', 'Cy Dole, Jr.', 'Eve Fox'), truncated=True, tags=('mila',), odd=(), groups=())
    >>> parse_byline("The Tower Collaboration: Ada Bell and Cy Dole, Eve Fox +5 more").names
    ('The Tower Collaboration', 'Ada Bell', 'Cy Dole', 'Eve Fox')
    >>> parse_byline("They ring at every full hour.").names
    ()
    """
    if plain := _plain(line):
        return plain
    split = None if len(line) > BYLINE_LETTERS or _is_text(line) else _split(_readable(line))
    if split is None:
        return Byline((), truncated=False, tags=())
    people, truncated, tags = split
    items = [] if _ends_as_prose(people) else list(_items(people))
    if _has_small_words(items):
        items = []
    sound = [_may_be_name(item) for item in items]
    names = tuple(compress(items, sound))
    behind = [_ended(tag) for tag in _parts(tags)]
    odd = (
        *(item for item, is_sound in zip(items, sound, strict=True) if not is_sound),
        *(tag for tag in behind if len(tag) > TAG_LETTERS),
    )
    groups = tuple(filter(set(names).__contains__, _before_colons(people))) if names else ()
    return Byline(names, truncated, tuple(tag for tag in behind if len(tag) <= TAG_LETTERS), odd, groups)


def _plain(line: str) -> Byline | None:
    """The byline of a line of plain names and tags, as `render_byline` writes it; None for any other line.

    The rules below leave such items as they are, so that this is a short way to their result.
    """
    if len(line) > GLANCE:
        return None
    people, mark, behind = line.partition(TAG_MARK)
    names = people.removesuffix(ET_AL).split(", ")
    tags = behind.split(", ") if mark else []
    if not all(map(_is_plain_name, names)) or not all(map(_is_plain_tag, tags)):
        return None
    return Byline(tuple(names), people.endswith(ET_AL), tuple(tags))


@lru_cache(maxsize=_KNOWN_ITEMS)
def _is_plain_name(item: str) -> bool:
    """Whether an item is a name of several plain words; a single one may be a suffix."""
    words = item.split(" ")
    return 1 < len(words) <= NAME_WORDS and len(item) <= NAME_LETTERS and all(map(_NAME_WORD.fullmatch, words))


@lru_cache(maxsize=_KNOWN_ITEMS)
def _is_plain_tag(tag: str) -> bool:
    return len(tag) <= TAG_LETTERS and all(map(_TAG_WORD.fullmatch, tag.split(" ")))


def render_byline(byline: Byline) -> str:
    """Write a byline as pages print it.

    >>> render_byline(Byline(("Ada Bell", "Cy Dole"), True, ("mila",)))
    'Ada Bell, Cy Dole et al. · mila'
    """
    tags = TAG_MARK + ", ".join(byline.tags) if byline.tags else ""
    return f"{', '.join(byline.names)}{ET_AL if byline.truncated else ''}{tags}"


@lru_cache(maxsize=_KNOWN_ITEMS)
def _may_be_name(text: str) -> bool:
    """Whether an item of a byline can be a name: short, no sentence, and without signs that names lack.

    >>> list(map(_may_be_name, ("Ada Bell", "1984", "which rings the bells.", "ada@bell.org")))
    [True, False, False, False]
    """
    words = text.split()
    short = len(text) <= NAME_LETTERS and len(words) <= NAME_WORDS and any(map(str.isalpha, text))
    if not short or text.casefold() in _STOCK:
        return False
    return is_group(text) or not (
        (re.search(SENTENCE_END, text) and _is_small(words[-1])) or _NO_NAMES_SIGN.search(_ENTITY.sub("e", text))
    )


def is_name(text: str) -> bool:
    """Whether a line can be one person's name: a byline of that name alone, without a digit.

    >>> is_name("Ada Bell"), is_name("Ada Bell, Cy Dole et al."), is_name("Bells ring."), is_name("1984")
    (True, False, False, False)
    """
    return (
        len(text) <= NAME_LETTERS
        and not any(map(str.isdigit, text))
        and not re.search(SENTENCE_END, text)
        and parse_byline(text) == Byline((text,), truncated=False, tags=())
    )


@lru_cache(maxsize=4096)
def is_group(name: str) -> bool:
    """Whether an item names a group rather than a person: it contains one of `GROUP_WORDS`.

    >>> is_group("The Tower Collaboration"), is_group("C. Group"), is_group("Ada Bell")
    (True, False, False)
    """
    words = (word.rpartition("-")[2].strip(".,()") for word in name.casefold().split())
    return not GROUP_WORDS.isdisjoint(words) and len(name.split(maxsplit=1)[0].rstrip(".")) > 1


def is_suffix(word: str) -> bool:
    """Whether a word is a suffix that may follow a family name and a comma.

    >>> is_suffix("Jr."), is_suffix("III"), is_suffix("Bell")
    (True, True, False)
    """
    return _SUFFIX.fullmatch(word) is not None


def is_full_name(name: str) -> bool:
    """Whether an item has the form of most people's names: two to five words, all capitalised but particles.

    >>> is_full_name("Ada de la Bell"), is_full_name("Bells"), is_full_name("Show more"), is_full_name("A Study of Bells")
    (True, False, False, False)
    """
    words = name.split()
    return 2 <= len(words) <= 5 and not any(map(_is_small, words)) and words[0] not in {"A", "An", "The", "On"}


def is_same_person(name: str, other: str) -> bool:
    """Whether two spellings have the same last word and first letter, diacritics and punctuation aside.

    >>> is_same_person("Ada B. Bell", "A. Bell"), is_same_person("Ada Bell", "Cy Bell")
    (True, False)
    """
    ends = _ends(name)
    return bool(ends) and ends == _ends(other)


def _readable(line: str) -> str:
    """A line without its label, with placeholders for the signs of entities."""
    text = clean(_with_commas(line)).replace("&amp;", "&")
    text = _ENTITY.sub(rf"{_OPENED}\1{_CLOSED}", text) if "&" in text else text
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


def _with_commas(line: str) -> str:
    """A line whose names tabs or runs of spaces separate, with commas in their place."""
    if "," in line:
        return line
    pieces = [piece for piece in _WIDE.split(line.strip()) if piece.strip()]
    if len(pieces) < 2 or not all(_is_persons(clean(piece)) for piece in pieces[:-1]):
        return line
    return ", ".join(pieces)


def _ended(text: str) -> str:
    """Text with the signs of its entities in place of the placeholders."""
    return text if text.isascii() else text.replace(_OPENED, "&").replace(_CLOSED, ";")


def _split(text: str) -> tuple[str, bool, str] | None:
    """The part with the names, whether it is cut, and the part with the tags; None where that is ambiguous."""
    split = _split_tags(text)
    if split is None:
        return None
    people, tags = split
    cut = _ET_AL.search(people)
    if cut is None:
        return *_uncut(people), tags
    behind = people[cut.end() :].strip(_BEHIND_CUT)
    parted = _PARTS_TAG.match(people, cut.end()) or behind.casefold() in _EXPANDERS
    if behind and (not parted or len(behind) > _SHORT_TAG):
        return None  # A title or a sentence with a citation.
    tags = ", ".join(filter(None, (behind if behind and behind.casefold() not in _EXPANDERS else "", tags)))
    return people[: cut.start()].strip(" ,;([⟨"), True, tags


def _split_tags(text: str) -> tuple[str, str] | None:
    """The part with the names and the part with the tags, or None where that is ambiguous.

    A cut behind the mark shows that the mark separates names, as do full names around two marks.
    """
    if _DOT.search(text) is None:
        return text, ""
    parts = [part.strip() for part in _SPACED_DOT.split(text)]
    if len(parts) > 1 and (_is_cut(" ".join(parts[1:])) or (len(parts) > 2 and all(map(_is_persons, parts)))):
        text = ", ".join(filter(None, parts))
    dot = _SPACED_DOT.search(text)
    head, tags = (text[: dot.start()], text[dot.end() :]) if dot else (text, "")
    parts = _BULLET.split(head) if not _within_words(head) else [head]
    if len(parts) == 1:
        return head, tags
    if _is_cut(parts[0]) or ("," in parts[0] and all(_is_small(part) for part in parts[1:] if part)):
        return parts[0], ", ".join(filter(None, (*parts[1:], tags)))
    if all(is_full_name(name) and not is_group(name) for part in parts for name in _parts(_uncut(part)[0])):
        return ", ".join(parts), tags
    if is_full_name(parts[0]) and all(_is_small(part) for part in parts[1:] if part):
        return parts[0], ", ".join(filter(None, (*parts[1:], tags)))
    return None


def _is_cut(text: str) -> bool:
    return bool(_ET_AL.search(text) or _CUT.search(text[-_CUT_LETTERS:]))


def _is_persons(name: str) -> bool:
    """Whether a text is a whole name of a person; names in a script without capitals are one short word."""
    uncased = name.isalpha() and name.upper() == name.lower() and len(name) <= 5
    return (is_full_name(name) or uncased) and not is_group(name)


def _within_words(text: str) -> bool:
    """Whether all middle dots are within words, as in Catalan (Gal·la) and in names written in Chinese."""
    return "•" not in text and all(
        (before + after).casefold() == "ll" or unicodedata.east_asian_width(before) in "WF"
        for before, after in re.findall(r"(.)·(.)", text)
    )


def _uncut(people: str) -> tuple[str, bool]:
    """The names without "+5 more" and the like, and whether there was one."""
    end = len(people)
    while match := _CUT.search(people[max(0, end - _CUT_LETTERS) : end]):
        end = max(0, end - _CUT_LETTERS) + match.start()
        while end and people[end - 1] in " ,;":
            end -= 1
    return people[:end].strip(), end < len(people)


def _items(people: str, *, backwards: bool = False) -> Iterator[str]:
    """The items between the separators that have a letter, with the signs of their entities; perhaps the last one first."""
    step = -1 if backwards else 1
    for part in (_inverted(people) or _names(people))[::step]:
        yield from map(_ended, _people(part)[::step])


@lru_cache(maxsize=_KNOWN_ITEMS)
def _people(part: str) -> tuple[str, ...]:
    """The items with a letter of a part between separators."""
    pieces = (piece for item in _without_and(part) for piece in _pieces(item))
    return tuple(piece for piece in pieces if any(map(str.isalpha, piece)))


def _inverted(people: str) -> list[str]:
    """The names of "Bell, Ann; Dole, Cyrus" or "Bell, A. and Dole, C.", given names first; empty for other bylines.

    A semicolon shows that a comma is within a name; with another separator the family names must be single words, and
    the given ones single words or initials.
    """
    mark = next((mark for mark in (";", "|", "•", "&", " and ") if mark in people), None)
    segments = [segment.strip(" ,") for segment in people.split(mark)] if mark else []
    pairs = [[part.strip() for part in segment.split(",")] for segment in segments if segment]
    if len(pairs) < 2 or not all(len(pair) == 2 and all(pair) and not is_suffix(pair[1]) for pair in pairs):
        return []
    plain = all(len(family.split()) == 1 and _is_given(given) for family, given in pairs)
    return [f"{given} {family}" for family, given in pairs] if mark == ";" or plain else []


def _is_given(text: str) -> bool:
    """Whether a text is one given name, or initials."""
    return len(text.split()) == 1 or all(len(word.rstrip(".")) == 1 for word in text.split())


def _names(text: str) -> list[str]:
    """Pieces between separators, each suffix with its name."""
    names: list[list[str]] = []
    for part in _parts(text):
        if names and is_suffix(part):
            names[-1].append(part)
        else:
            names.append([part])
    return [", ".join(parts) for parts in names]


def _before_colons(people: str) -> Iterator[str]:
    """The names before a colon: all where it is an item of its own ("Bell Works, Tower Team, :"), else the last."""
    *heads, _ = _COLON.split(people) if ":" in people or "：" in people else [people]
    for head in heads:
        names = list(_items(head))
        yield from names if head.rstrip().endswith((",", ";")) else names[-1:]


def _without_stop(name: str) -> str:
    """The name without a full stop that ends no abbreviation."""
    capital = name.split() and (not _is_small(name.rsplit(maxsplit=1)[-1]) or is_group(name))
    return name[:-1] if capital and _STOP.search(name) and not is_suffix(name.rsplit(maxsplit=1)[-1]) else name


def _pieces(item: str) -> list[str]:
    """An item without footnote marks, split at signs of no name where full names are around them."""
    bare = _without_stop(_without_notes(item))
    if is_group(bare):
        return [bare]
    pieces = [_without_notes(piece) for piece in _DASHES.split(bare)]
    return pieces if len(pieces) > 1 and all(map(_is_persons, pieces)) else [bare]


def _without_notes(item: str) -> str:
    """An item without numbers, stars and brackets around the name, as footnotes and affiliations leave them."""
    if _MARKED.search(item) is None:
        return item
    bare = _NOTES_BEFORE.sub("", item)
    for shorten in (_without_notes_behind, partial(_IN_BRACKETS.sub, ""), _without_notes_behind):
        shorter = shorten(bare).strip()
        bare = shorter if _is_persons(shorter) else bare
    return bare


def _without_notes_behind(item: str) -> str:
    """An item without the marks of notes at its end, in one pass: a pattern would be slow on many of them.

    >>> _without_notes_behind("Ada Bell1,2* (3) [4]"), _without_notes_behind("Ada Bell,")
    ('Ada Bell', 'Ada Bell,')
    """
    end = len(item)
    while True:
        start = end
        while start and item[start - 1] in _NOTE_SIGNS:
            start -= 1
        if start == end:
            note = _NOTE_BEHIND.search(item, max(0, end - _NOTE_LETTERS), end)
            if note is None:
                return item[:end]
            start = note.start()
        while start and (item[start - 1] == "," or item[start - 1].isspace()):
            start -= 1
        end = start


def _without_and(item: str) -> list[str]:
    """An item, or the two that "and" joins; it stays within a group's name, as in Department of Bells and Towers."""
    bare = _EDGE_AND.sub("", item).strip()
    halves = _AND.split(bare)
    if len(halves) == 1 or not all(map(_may_be_name, halves)):
        return [bare]
    groups = [is_group(half) for half in halves]
    if len(halves) > 2 and sum(map(_is_persons, halves)) > 1:
        return halves
    if any(groups) and not all(groups) and not halves[-1].casefold().startswith("the "):
        return [bare]
    return halves


def _is_text(line: str) -> bool:
    """Whether a long line begins as an abstract does, seen at a glance."""
    return len(line) > GLANCE and reads_as_text(line[:GLANCE])


def reads_as_text(text: str) -> bool:
    """Whether a text of at least `GLANCE` letters reads as an abstract does: few capitals, and few separators for its words.

    >>> reads_as_text("The bells of the tower ring at noon. " * 6), reads_as_text("Ann Bell, Cy Dole, " * 12)
    (True, False)
    """
    words = text.split() if len(text) >= GLANCE and "·" not in text else []
    small = sum(map(str.islower, words))
    if not 4 * small > 3 * len(words):
        return False
    signs = _ASCII_SEPARATORS if text.isascii() else _SEPARATORS
    separators = sum(map(text.count, signs)) + (len(_AMPERSAND.findall(text)) if "&" in text else 0)
    return len(words) > _TEXT_WORDS * (1 + separators)


def _ends_as_prose(people: str) -> bool:
    """Whether a line ends as a sentence does, and in a small word that is no group's: prose, and no list of names."""
    if re.search(SENTENCE_END, people) is None:
        return False
    last = next((item for item in _items(people, backwards=True) if not is_group(item)), "")
    return bool(last) and _is_small(last.split()[-1])


def _has_small_words(items: Iterable[str]) -> bool:
    """Whether most words of the items are lower-case, as in prose."""
    persons = [item.split() for item in items if not is_group(item)]
    words = [word for item in persons for word in item]
    return 2 * sum(map(_is_small, words)) > len(words) and any(len(item) > 2 for item in persons)


def _is_small(text: str) -> bool:
    """Whether the first word of a text has no capital letter and is no particle of a name."""
    if text[:1].isupper():
        return False
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return word.islower() and word.strip(".,'’") not in PARTICLES


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _SEPARATOR.split(text) if part.strip()]


@lru_cache(maxsize=_KNOWN_ITEMS)
def _ends(name: str) -> tuple[str, str] | None:
    """The first letter and the last word of a name, without diacritics and punctuation; None where it has no word."""
    if name.isascii():
        words = _ASCII_WORDS.findall(name.casefold())
    else:
        letters = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
        words = "".join(letter if letter.isalnum() else " " for letter in letters).casefold().split()
    return (words[0][0], words[-1]) if words else None
