"""The header of a page: its owner's name and field, and the figures that the site states.

    header := name "" field? stat* "" COUNT " Papers"
    stat   := "h-index" N | N "papers" | N "citations" | "Novelty" N "%" | "AI Score" N

Values may be absent, in another order, or on a line beside their word. Lines of a menu may stand before the name.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from etl.extract.byline import is_name, is_same_person
from etl.extract.text import clean
from etl.records import Header, Value
from etl.taxonomy import field_codes

LONGEST_FIELD = 20
"""Letters of the longest word under the name that is taken for the owner's field."""
LONGEST_STAT = 60
"""Letters of the longest line that may hold a figure."""
_DIGITS = r"(?P<value>[0-9]{1,3}(?: [0-9]{3}){1,6}|[0-9][0-9,]{0,20})"
_STATS = {
    "h_index": re.compile(rf"h-index ?{_DIGITS}"),
    "stated_papers": re.compile(rf"{_DIGITS} ?papers?"),
    "citations": re.compile(rf"{_DIGITS} ?citations?"),
    "novelty_pct": re.compile(rf"Novelty ?{_DIGITS} ?%"),
    "ai_score": re.compile(rf"AI Score ?{_DIGITS}"),
    "section_count": re.compile(rf"{_DIGITS} Papers?"),
}
_WORDS = frozenset(
    {"h-index", "paper", "papers", "citation", "citations", "Novelty", "AI Score", "Paper", "Papers", "%"}
)
_NUMBER = re.compile(r"[0-9][0-9, ]{0,20} ?%?")
_LARGEST = 2**63 - 1
"""The largest number that a column of whole numbers can hold."""


def parse_stat(line: str) -> tuple[str, str] | None:
    """Read a line of the header's figures: which one it is, and its digits as printed.

    >>> parse_stat("17,521citations")
    ('citations', '17,521')
    >>> parse_stat("2.1k stars") is None
    True
    """
    text = clean(line) if len(line) <= LONGEST_STAT else ""
    for name, pattern in _STATS.items():
        match = pattern.fullmatch(text)
        if match and int(re.sub("[, ]", "", match["value"])) <= _LARGEST:
            return name, match["value"]
    return None


def parse_header(lines: Sequence[str], authors: Collection[str] = (), *, has_blocks: bool) -> Header:
    """Read the header in `lines`, the page's first: through "N Papers", or the last line that is known.

    The owner is the last line before field and figures that can be a name; where one of several stands among `authors`,
    the names in the page's bylines, it is that. A name counts only where something else on the page is known.

    >>> header = parse_header(["Home", "", "Ada Bell", "", "CL", "h-index4"], has_blocks=True)
    >>> header.values["name"], header.unknown
    (Value(text='Ada Bell', line=3), (1,))
    """
    entries = list(_entries(lines))
    values = _figures(entries)
    words = [entry for entry in entries if entry.stat is None]
    first = min((value.line for value in values.values()), default=len(lines) + 1)
    values |= _name_and_field(words, first, authors)
    if not has_blocks and set(values) <= {"name"}:
        return Header(0, {}, ())
    known = {value.line for value in values.values()}
    end = max((entry.last for entry in entries if entry.line in known), default=0)
    return Header(end, values, tuple(entry.line for entry in entries if entry.line not in known and entry.line <= end))


def find_headers(lines: Sequence[str], start: int) -> list[int]:
    """The indices from `start` on at which a further header begins: two figures under each other, a name above them.

    >>> find_headers(["They ring.", "", "Eve Fox", "", "LG", "h-index4", "3papers"], 0)
    [2]
    """
    filled = [index for index in range(start, len(lines)) if clean(lines[index][:LONGEST_STAT])]
    stats = {place for place, index in enumerate(filled) if parse_stat(lines[index])}
    pairs = [place for place in sorted(stats) if place + 1 in stats and place - 1 not in stats]
    return [filled[_top(lines, filled, place)] for place in pairs]


@dataclass(frozen=True)
class _Entry:
    """A line of the header that is not blank, or two lines that hold one figure."""

    line: int
    last: int
    text: str
    stat: tuple[str, str] | None


def _entries(lines: Sequence[str]) -> Iterator[_Entry]:
    """The header's lines one by one, through "N Papers"."""
    filled = [(number, text) for number, text in enumerate(map(_short, lines), start=1) if text]
    place = 0
    while place < len(filled):
        count, stat = _stat_at([text for _, text in filled[place : place + 3]])
        number, text = filled[place]
        yield _Entry(number, filled[place + count - 1][0], text, stat)
        if stat and stat[0] == "section_count":
            return
        place += count


def _short(line: str) -> str:
    """A line to look at; one far too long for anything in a header is no figure and no name."""
    return clean(line) if len(line) <= 1000 else line


def _stat_at(texts: Sequence[str]) -> tuple[int, tuple[str, str] | None]:
    """The figure that begins in the first of the texts, over how many of them; or None, over one."""
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
    """The first of each figure."""
    values: dict[str, Value] = {}
    for entry in entries:
        if entry.stat:
            values.setdefault(entry.stat[0], Value(entry.stat[1], entry.line))
    return values


def _name_and_field(words: Sequence[_Entry], first_figure: int, authors: Collection[str]) -> dict[str, Value]:
    """The owner and the field among the lines that are no figure."""
    coded = next((entry for entry in words if entry.text in field_codes()), None)
    above = [entry for entry in words if entry.line < min(first_figure, coded.line if coded else first_figure)]
    name, field = _owner(above, authors, has_field=coded is not None), coded
    if field is None and name is not None:
        field = next((entry for entry in above if entry.line > name.line and _field_shape(entry.text)), None)
    found = {"name": name, "field": field}
    return {key: Value(entry.text, entry.line) for key, entry in found.items() if entry}


def _owner(above: Sequence[_Entry], authors: Collection[str], *, has_field: bool) -> _Entry | None:
    """The owner among the lines above field and figures."""
    names = [entry for entry in above if is_name(entry.text)]
    written = [entry for entry in names if entry.text in authors]
    written = written or [entry for entry in names if any(is_same_person(entry.text, author) for author in authors)]
    if written:
        return written[-1]
    full = [entry for entry in names if " " in entry.text or not entry.text.isascii()]
    if full:
        return full[-1]
    if len(names) < len(above) or not names:
        return None
    # Without a code of arXiv's the last of several single words may be the field.
    return names[-1] if has_field else names[0]


def _field_shape(text: str) -> bool:
    return len(text) <= LONGEST_FIELD and text.isascii() and text.replace("-", "").replace(".", "").isalpha()


def _top(lines: Sequence[str], filled: Sequence[int], place: int) -> int:
    """The place of a header's first line, given that of its first figure."""
    above = place - 1
    if above >= 0 and clean(lines[filled[above]]) in field_codes():
        above -= 1
    named = above >= 0 and is_name(clean(lines[filled[above]]))
    return above if named else min(place, above + 1)
