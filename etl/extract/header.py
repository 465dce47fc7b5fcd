"""The header of a page: its owner's name and field, and the figures that the site states.

    header := name "" field? stat* "" COUNT " Papers"
    stat   := "h-index" N | N "papers" | N "citations" | "Novelty" N "%" | "AI Score" N

Values may be absent, in another order, or on another line than their word. Lines of a menu may precede the name.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from etl.extract.badge import known_code
from etl.extract.byline import is_group, is_name, is_same_person, parse_byline
from etl.extract.taxonomy import field_codes
from etl.extract.text import clean, is_blank, with_plain_hyphens


@dataclass(frozen=True)
class Value:
    """A value of the header, and its line."""

    text: str
    line: int

    @property
    def number(self) -> int:
        """The value as a number, without thousands separators."""
        return _number(self.text)


@dataclass(frozen=True)
class Header:
    """The header: its number of lines, its known values by name, and its unknown lines."""

    line_count: int
    values: dict[str, Value]
    unknown: tuple[int, ...]


LONGEST_FIELD = 20
"""Letters of the longest word under the name that may be the owner's field."""
LONGEST_MENU = 60
"""Lines above field and figures that are searched for the owner."""
LONGEST_STAT = 60
"""Letters of the longest line that may be a figure."""
_DIGITS = "[0-9]{1,3}(?: [0-9]{3}){1,6}|[0-9][0-9,]{0,20}"
_STAT = re.compile(
    rf"(?i:h-index):? ?(?P<h_index>{_DIGITS})|(?P<stated_papers>{_DIGITS}) ?papers?|(?P<citations>{_DIGITS}) ?(?i:citations?)"
    rf"|(?i:novelty):? ?(?P<novelty_pct>{_DIGITS}) ?%|(?i:ai score):? ?(?P<ai_score>{_DIGITS})|(?P<section_count>{_DIGITS}) Papers?"
)
MENU_WORDS = frozenset([
    "about", "account", "browse", "contact", "dashboard", "edit", "explore", "follow", "following", "followers",
    "help", "home", "login", "logout", "menu", "network", "notifications", "papers", "profile", "profiles",
    "search", "settings", "share", "sign", "topics",
])  # fmt: skip
"""Words of menus and buttons that a copy has above the owner's name; no name contains them."""
_WORDS = frozenset(
    {"h-index", "paper", "papers", "citation", "citations", "Novelty", "AI Score", "Paper", "Papers", "%"}
)
_FIGURE = re.compile("[0-9]")
_NUMBER = re.compile(r"[0-9][0-9, ]{0,20} ?%?")
_BEGINS_FIGURE = re.compile(f"{_STAT.pattern}|{_NUMBER.pattern}|{'|'.join(map(re.escape, sorted(_WORDS)))}")
_LARGEST = 2**63 - 1
"""The largest number that a column of whole numbers can hold."""


def _number(digits: str) -> int:
    return int(digits.replace(",", "").replace(" ", ""))


def parse_stat(line: str) -> tuple[str, str] | None:
    """Parse a line of the header's figures: its name, and its digits as printed; None for any other line.

    >>> parse_stat("17,521citations")
    ('citations', '17,521')
    >>> parse_stat("2.1k stars") is None
    True
    """
    if len(line) > LONGEST_STAT or not _FIGURE.search(line):
        return None
    match = _STAT.fullmatch(clean(line))
    if match is None or match.lastgroup is None:
        return None
    stat = match.lastgroup, match[match.lastgroup]
    return stat if _number(stat[1]) <= _LARGEST else None


def parse_header(lines: Sequence[str], authors: Callable[[], Mapping[str, int]] = dict) -> Header:
    """Parse the header in `lines`, the page's first: through "N Papers", or the last line that is known.

    The owner is the last line before field and figures that can be a name; of several, the one in most of the page's
    bylines. `authors` returns the names of the bylines with their numbers, and is called only where the header alone does
    not decide. A name alone is no header on a page without authors.

    >>> header = parse_header(["Home", "", "Ada Bell", "", "CL", "h-index4"])
    >>> header.values["name"], header.unknown
    (Value(text='Ada Bell', line=3), (1,))
    """
    entries = list(_entries(lines))
    values = _figures(entries)
    words = [entry for entry in entries if entry.stat is None]
    first = min((value.line for value in values.values()), default=len(lines) + 1)
    values |= _name_and_field(words, first, authors)
    if set(values) <= {"name"} and not authors():
        return Header(0, {}, ())
    known = {value.line for value in values.values()}
    end = max((entry.last for entry in entries if entry.line in known), default=0)
    return Header(end, values, tuple(entry.line for entry in entries if entry.line not in known and entry.line <= end))


def find_headers(lines: Sequence[str], start: int) -> list[int]:
    """The indices from `start` on at which a further header begins: two figures under each other, a name above them.

    >>> find_headers(["They ring.", "", "Eve Fox", "", "LG", "h-index4", "3papers"], 0)
    [2]
    """
    if not any(map(_may_begin_figure, islice(lines, start, None))):
        return []
    filled = [index for index in range(start, len(lines)) if lines[index] and not is_blank(lines[index][:LONGEST_STAT])]
    texts = [clean(lines[index]) if len(lines[index]) <= LONGEST_STAT else "" for index in filled]
    found: list[int] = []
    place = 0
    while place < len(filled):
        figures, behind = _run_of_figures(texts, place)
        if figures:
            top = _top(texts, place)
            if figures > 1 or (top < place and texts[place - 1] != texts[top]):
                found.append(filled[top])
        place = behind if figures else place + 1
    return found


def _may_begin_figure(line: str) -> bool:
    """Whether a line is a figure, or a number or word of one; of a page's lines behind its header hardly any is."""
    return 0 < len(line) <= LONGEST_STAT and _BEGINS_FIGURE.fullmatch(clean(line)) is not None


@dataclass(frozen=True)
class _Entry:
    """A line of the header that is not blank, or several lines of one figure."""

    line: int
    last: int
    text: str
    stat: tuple[str, str] | None


def _entries(lines: Sequence[str]) -> Iterator[_Entry]:
    """The header's lines one by one, through "N Papers"."""
    filled = [(number, text) for number, text in enumerate(map(_short, lines), start=1) if text]
    place, open_word = 0, False
    while place < len(filled):
        count, stat = _stat_at([text for _, text in filled[place : place + 3]])
        number, text = filled[place]
        if count > 1 and open_word:
            count, stat = 1, None  # Words above words, and numbers above numbers: which belong together is ambiguous.
        open_word = stat is None and text in _WORDS
        yield _Entry(number, filled[place + count - 1][0], text, stat)
        if stat and stat[0] == "section_count":
            return
        place += count


def _short(line: str) -> str:
    """The cleaned line; one too long for a header, which is neither figure nor name, is unchanged."""
    return clean(line) if len(line) <= 1000 else line


def _stat_at(texts: Sequence[str]) -> tuple[int, tuple[str, str] | None]:
    """How many texts the figure at their start takes, and the figure; one and None where there is none."""
    stat = parse_stat(texts[0])
    if stat:
        return 1, stat
    parted = texts[0] in _WORDS or _NUMBER.fullmatch(texts[0])
    for count in (2, 3) if parted else ():
        part = texts[:count]
        if len(part) == count and all(text in _WORDS or _NUMBER.fullmatch(text) for text in part):
            stat = parse_stat(" ".join(part)) or (parse_stat(" ".join(reversed(part))) if count == 2 else None)
            if stat:
                return count, stat
    return 1, None


def _figures(entries: Sequence[_Entry]) -> dict[str, Value]:
    """The first value of each figure."""
    values: dict[str, Value] = {}
    for entry in entries:
        if entry.stat:
            values.setdefault(entry.stat[0], Value(entry.stat[1], entry.line))
    return values


def _name_and_field(
    words: Sequence[_Entry], first_figure: int, authors: Callable[[], Mapping[str, int]]
) -> dict[str, Value]:
    """The owner and the field among the lines without a figure."""
    coded = next((entry for entry in words if known_code(entry.text) in field_codes()), None)
    above = [entry for entry in words if entry.line < min(first_figure, coded.line if coded else first_figure)]
    above = above[-LONGEST_MENU:]
    name, field = _owner(above, authors, has_field=coded is not None), coded
    if field is None and name is not None:
        field = next((entry for entry in above if entry.line > name.line and _field_shape(entry.text)), None)
    found = {"name": (name, name and _name_in(name.text)), "field": (field, field and with_plain_hyphens(field.text))}
    return {key: Value(text, entry.line) for key, (entry, text) in found.items() if entry and text}


def _name_in(text: str) -> str | None:
    """The one name on a line, without marks around it; None where it is no name, or a menu's words."""
    names = parse_byline(text)
    if len(names.names) != 1 or names.truncated or names.tags or names.odd:
        return None
    (name,) = names.names
    return name if is_name(name) and MENU_WORDS.isdisjoint(name.casefold().split()) else None


def _owner(above: Sequence[_Entry], authors: Callable[[], Mapping[str, int]], *, has_field: bool) -> _Entry | None:
    """The owner among the lines above field and figures."""
    one_name = [entry for entry in above if _name_in(entry.text)]
    names = [entry for entry in one_name if not (is_group(entry.text) and " " in entry.text)]  # Such as Research Group.
    if not names:
        return next((entry for entry in one_name if authors().get(_name_in(entry.text) or "")), None)
    full = [entry for entry in names if " " in entry.text or not entry.text.isascii()]
    if names == full[:1]:
        return names[0]
    known = authors()
    times = {entry: known.get(_name_in(entry.text) or "", 0) for entry in names}
    times = times if any(times.values()) else {entry: _times(entry.text, known) for entry in names}
    if any(times.values()):
        return max(reversed(names), key=lambda entry: times[entry])
    if full:
        return full[-1]
    if len(names) < len(above):
        return None
    # Without a code of arXiv's the last of several single words may be the field.
    return names[-1] if has_field else names[0]


def _times(text: str, authors: Mapping[str, int]) -> int:
    """How many bylines may contain a name in another spelling."""
    return sum(times for author, times in authors.items() if is_same_person(text, author))


def _field_shape(text: str) -> bool:
    return len(text) <= LONGEST_FIELD and text.isascii() and text.replace("-", "").replace(".", "").isalpha()


def _run_of_figures(texts: Sequence[str], place: int) -> tuple[int, int]:
    """How many figures follow each other from a place on, on one line each or on two, and the place behind them."""
    figures = 0
    while place < len(texts):
        count, stat = _stat_at(texts[place : place + 3])
        if stat is None:
            break
        figures, place = figures + 1, place + count
    return figures, place


def _top(texts: Sequence[str], place: int) -> int:
    """The place of a header's first line, given that of its first figure."""
    above = place - 1
    if above >= 0 and known_code(texts[above]) in field_codes():
        above -= 1
    named = above >= 0 and is_name(texts[above])
    return above if named else min(place, above + 1)
