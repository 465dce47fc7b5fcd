"""The blocks of a page: badge, title, byline and abstract of one paper each.

    block := badge title "" byline "" abstract

Two shapes come first. Even gaps: the title under its badge, and equal gaps of any size before and behind the byline.
Else exactly three lines with text between two badges, of which the second reads as names. A block of any shape is
accepted only if its lines are in order: a title or abstract that reads as the byline shows that they are not.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from etl.extract.badge import Badge, is_glued, may_be_badge, parse_badge, read_badge
from etl.extract.byline import GLANCE, Byline, is_full_name, is_same_person, parse_byline, reads_as_text
from etl.extract.header import find_headers, parse_stat
from etl.extract.text import clean, is_blank, trimmed
from schemas.limits import ABSTRACT_LETTERS, BYLINE_LETTERS, NAME_LETTERS


class Block(NamedTuple):
    """One paper as a page prints it: its range of lines, and its parts without white space around them.

    `owned` is whether the page's owner wrote it, which is unknown behind a further header.
    """

    line_start: int
    line_end: int
    badge: str
    title: str
    title_line: int
    byline: str
    byline_line: int
    abstract: str
    abstract_line: int | None
    badge_parts: Badge
    byline_parts: Byline
    owned: bool = True


FURNITURE = 3
"""How often a short line must occur on a page to be part of the page's frame and of no paper."""
_NO_BYLINE = Byline((), truncated=False, tags=())
_SHORT = 30
_ENDS = (".", "!", "?")
_LONG_TITLE = 200
_ABOVE = 40
"""Lines above the first badge that are searched for a paper."""
BUTTONS = frozenset(
    {"show more", "show less", "read more", "read less", "see more", "see less", "more", "less", "…", "abstract"}
)
"""Words of buttons and labels that a copy of a page may contain."""


class _Shape(NamedTuple):
    """Indices of a block's lines; `first` and `last` are the abstract's, and `first` is None where there is none.

    `title_end` is the title's last line where it has several.
    """

    title: int
    byline: int
    first: int | None
    last: int
    title_end: int | None = None


class BlockReader:
    """The lines of a page, with every badge among them and every header behind the first badge, by index.

    `badges` maps an index to the badge and the index behind it; `glued` are lines with a badge and more text.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._next = _next_filled(lines)
        self._furniture = _Furniture(lines)
        self._bylines: dict[str, Byline] = {}
        filled = (at for at in range(len(lines)) if self._next[at] == at)
        found = {at: read_badge(lines, at) for at in filled if may_be_badge(lines[at])}
        self.badges: dict[int, tuple[Badge, int]] = {at: badge for at, badge in found.items() if badge}
        self.glued = frozenset(at for at in found if at not in self.badges and is_glued(lines[at]))
        self.headers = find_headers(lines, min(self.badges) + 1) if self.badges else []

    def read(self, owner: str | None) -> tuple[list[Block], list[int]]:
        """The blocks in order, and the indices of badges whose lines are in the wrong order."""
        if self._are_badges_below(owner):
            return [], sorted(self.badges)
        blocks: list[Block] = []
        shifted: list[int] = []
        end, second = 0, min(self.headers, default=len(self._lines))
        for at in sorted(self.badges):
            if at < end or (shape := self._shape(at, owner if at < second else None)) is None:
                continue
            block = self._block(at, shape, owned=at < second)
            if self._is_shifted(block, shape, owner if at < second else None):
                shifted.append(at)
            else:
                blocks.append(block)
                end = block.line_end
        return blocks, shifted

    def _shape(self, at: int, owner: str | None) -> _Shape | None:
        title = self.badges[at][1]
        even = self._even(title)
        if even is None or (even.first is not None and even.title in self.badges and self._is_good(even.title)):
            even = None
        return (
            even
            or self._three(title)
            or self._two(title, owner)
            or self._wrapped(title, owner)
            or self._last(title, owner)
        )

    def _even(self, title: int) -> _Shape | None:
        """A block with the title right under its badge, and equal gaps on both sides of the byline."""
        byline = self._text(title + 1)
        if self._text(title) != title or self._is_edge(byline):
            return None
        gap, first = byline - title, self._text(byline + 1)
        if self._is_edge(first):
            return _Shape(title, byline, None, byline)
        return _Shape(title, byline, first, self._abstract_end(first)) if first - byline == gap else None

    def _three(self, title: int) -> _Shape | None:
        """A block of three lines with text up to the next badge, however large the gaps."""
        places = [self._text(title)]
        for _ in range(3):
            places.append(self._text(places[-1] + 1))
        *parts, behind = places
        if not self._is_mark(behind) or any(map(self._is_mark, parts)):
            return None
        return _Shape(parts[0], parts[1], parts[2], parts[2]) if self._names(parts[1]).names else None

    def _two(self, title: int, owner: str | None) -> _Shape | None:
        """A block without an abstract: an empty line in its place, or nothing but the byline up to the next badge."""
        title = self._text(title)
        byline = self._text(title + 1)
        first = self._text(byline + 1)
        if self._is_mark(title) or self._is_mark(byline) or not _is_sure(self._names(byline), owner):
            return None
        empty_line = first - byline == 2 * (byline - title) > 2
        return _Shape(title, byline, None, byline) if empty_line or self._is_mark(first) else None

    def _wrapped(self, title: int, owner: str | None) -> _Shape | None:
        """A block with a title of two or three lines, up to a gap and a sure byline."""
        end = title
        while end < title + 3 and self._text(end) == end < len(self._lines):
            end += 1
        byline = self._text(end)
        first = self._text(byline + 1)
        fits = 1 < end - title <= 3 and byline > end and first - byline == byline - end + 1 and not self._is_mark(first)
        parts = {clean(line).casefold() for line in self._lines[title:end]}
        odd = len(parts) < end - title or any(self._is_button(at) or self._is_mark(at) for at in range(title, end))
        if not fits or odd or not _is_sure(self._names(byline), owner):
            return None
        return _Shape(title, byline, first, self._abstract_end(first), title_end=end - 1)

    def _last(self, title: int, owner: str | None) -> _Shape | None:
        """The page's last block, whose byline is sure, with a footer behind it."""
        places = [self._text(title)]
        for _ in range(2):
            places.append(self._text(places[-1] + 1))
        behind = self._text(places[-1] + 1)
        marked = any(map(self._is_mark, places)) or any(at > title for at in (*self.badges, *self.glued, *self.headers))
        if marked or behind >= len(self._lines) or not _is_sure(self._names(places[1]), owner):
            return None
        return _Shape(places[0], places[1], places[2], places[2])

    def _are_badges_below(self, owner: str | None) -> bool:
        """Whether badges are below their papers: text of a paper before the first, and nothing behind the last."""
        if not self.badges or self.headers:
            return False
        first, (_, behind) = min(self.badges), self.badges[max(self.badges)]
        above = [at for at in range(max(0, first - _ABOVE), first) if self._next[at] == at]
        figures = max((place for place, at in enumerate(above) if parse_stat(self._lines[at])), default=-1)
        bylines = above[figures + 2 : -1]
        return self._text(behind) >= len(self._lines) and any(_is_sure(self._names(at), owner) for at in bylines)

    def _is_good(self, at: int) -> bool:
        """Whether the badge in a title's place has a sound block of its own."""
        title = self.badges[at][1]
        shape = self._even(title) or self._three(title)
        return shape is not None and title not in self.badges and bool(self._names(shape.byline).names)

    def _is_shifted(self, block: Block, shape: _Shape, owner: str | None) -> bool:
        """Whether title, byline or abstract is in another's place."""
        lead, *more = block.abstract.split("\n")
        if len(block.title) > ABSTRACT_LETTERS or len(block.byline) > BYLINE_LETTERS or len(lead) > ABSTRACT_LETTERS:
            return False  # Rule BLK-004 reports such a block.
        lead = "" if _is_surely_text(lead, block) else clean(lead)
        if self._has_odd_parts(block, lead, shape) or any(_is_certain(self._parsed(line), owner) for line in more):
            return True
        return self._is_byline_elsewhere(block, lead, shape, owner)

    def _has_odd_parts(self, block: Block, lead: str, shape: _Shape) -> bool:
        """Whether two parts are equal, a part is a button, or the abstract is part of the page's frame or a badge."""
        parts = [part.casefold() for part in (*map(clean, (block.badge, block.title, block.byline)), lead) if part]
        if len(set(parts)) < len(parts) or not BUTTONS.isdisjoint(parts):
            return True
        framed = self._furniture.count(lead) and not self._is_mark(self._text(shape.last + 1))
        return bool(framed) or parse_badge(lead) is not None

    def _is_byline_elsewhere(self, block: Block, lead: str, shape: _Shape, owner: str | None) -> bool:
        """Whether title, abstract or a line behind the block reads as the byline, or the title as the abstract."""
        byline = block.byline_parts
        abstract = _NO_BYLINE if not lead or reads_as_text(lead) else self._parsed(lead)
        sure = _is_sure(byline, owner)
        behind = self._text(shape.last + 1)
        goes_on = not self._is_mark(behind)
        if _reads_as_byline(abstract, owner) or (abstract.truncated and not abstract.names and len(lead) <= _SHORT):
            return True
        if goes_on and len(abstract.names) == 1 and is_full_name(lead):
            return True
        if not sure and goes_on and self._has_certain_byline(behind, owner):
            return True
        if len(block.title) > max(len(block.abstract), _LONG_TITLE) and ". " in block.title:
            return True
        if sure:
            return False
        full = all(map(is_full_name, byline.names))
        return (
            (not block.abstract and bool(byline.names) and not full)
            or _is_sure(title := self._parsed(block.title), owner)
            or (_reads_as_byline(title, owner) and not full)
        )

    def _has_certain_byline(self, at: int, owner: str | None) -> bool:
        """Whether a line from an index up to the next badge is a byline beyond doubt."""
        while not self._is_mark(at):
            if _is_certain(self._names(at), owner):
                return True
            at = self._text(at + 1)
        return False

    def _is_mark(self, at: int) -> bool:
        """Whether a badge or a header begins at an index, or the page ends there."""
        return at >= len(self._lines) or at in self.badges or at in self.glued or at in self.headers

    def _is_edge(self, at: int) -> bool:
        """Whether the block before must end at an index: another one starts there, or the page ends."""
        if at not in self.badges:
            return self._is_mark(at)
        title = self.badges[at][1]
        under = self._text(title) == title and self._text(title + 1) < len(self._lines)
        return under or self._three(title) is not None

    def _abstract_end(self, first: int) -> int:
        """The index of the abstract's last line: before the first blank line, the next block or a button."""
        at = first + 1
        while self._text(at) == at < len(self._lines) and not self._is_edge(at) and not self._is_button(at):
            at += 1
        return at - 1

    def _is_button(self, at: int) -> bool:
        text = clean(self._lines[at]) if len(self._lines[at]) <= _SHORT else ""
        ended = clean(self._lines[at - 1][-_SHORT:]).endswith(_ENDS)
        return text.casefold() in BUTTONS or (ended and bool(self._furniture.count(text)))

    def _text(self, at: int) -> int:
        """The index of the next line from `at` on that is not blank, or the number of lines."""
        return self._next[at]

    def _names(self, at: int) -> Byline:
        return self._parsed(self._lines[at])

    def _parsed(self, line: str) -> Byline:
        if line not in self._bylines:
            self._bylines[line] = parse_byline(line)
        return self._bylines[line]

    def _trimmed(self, start: int, end: int) -> Iterable[str]:
        return map(trimmed, self._lines[start:end])

    def _block(self, at: int, shape: _Shape, *, owned: bool) -> Block:
        badge, behind = self.badges[at]
        return Block(
            line_start=at + 1,
            line_end=shape.last + 1,
            badge="\n".join(filter(None, self._trimmed(at, behind))),
            title=" ".join(self._trimmed(shape.title, (shape.title_end or shape.title) + 1)),
            title_line=shape.title + 1,
            byline=trimmed(self._lines[shape.byline]),
            byline_line=shape.byline + 1,
            abstract="" if shape.first is None else "\n".join(self._trimmed(shape.first, shape.last + 1)),
            abstract_line=None if shape.first is None else shape.first + 1,
            badge_parts=badge,
            byline_parts=self._names(shape.byline),
            owned=owned,
        )


def _is_surely_text(lead: str, block: Block) -> bool:
    """Whether an abstract's first line can be no other part of a block: it begins as text, and all other parts are shorter."""
    start = clean(lead[: GLANCE + 1].rstrip())[:GLANCE]
    parts = (block.badge, block.title, block.byline)
    return len(start) == GLANCE and reads_as_text(start) and max(map(len, map(str.casefold, parts))) < GLANCE


class _Furniture:
    """Short lines that recur on a page and belong to no paper, such as "PDF" or "Cited by 12"."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    @cached_property
    def _times(self) -> Counter[str]:
        texts = (clean(line) for line in self._lines if 0 < len(line) <= _SHORT)
        return Counter(_without_figures(text) for text in texts if text)

    def count(self, text: str) -> int:
        """How often a line occurs on the page; 0 where that is less than `FURNITURE`, and for sentences and names."""
        if len(text) > _SHORT or not text:
            return 0
        times = self._times[_without_figures(text)]
        return times if times >= FURNITURE and not text.endswith(_ENDS) and not parse_byline(text).names else 0


def _without_figures(text: str) -> str:
    return re.sub("[0-9]+", "0", text).casefold()


def _cut_or_several(byline: Byline) -> bool:
    return byline.truncated or len(byline.names) > 1


def _is_certain(byline: Byline, owner: str | None) -> bool:
    """Whether a line is nothing but a byline: a sure one, of whole names."""
    return _is_sure(byline, owner) and all(map(is_full_name, byline.names)) and _cut_or_several(byline)


def _is_sure(byline: Byline, owner: str | None) -> bool:
    """Whether a line is a byline beyond doubt: it is cut, or names the page's owner."""
    if byline.truncated or owner is None:
        return byline.truncated and bool(byline.names)
    return any(is_same_person(owner, name) for name in byline.names)


def _reads_as_byline(byline: Byline, owner: str | None) -> bool:
    """Whether a line may be a byline: a sure one, or several full names, and not terms that a sentence lists."""
    listed = len(byline.names) > 1 and all(map(is_full_name, byline.names))
    return _is_sure(byline, owner) or (listed and all(len(item) <= NAME_LETTERS for item in byline.odd))


def _next_filled(lines: Sequence[str]) -> list[int]:
    """For each index, and the two behind the last, the next index of a line with text, or the number of lines."""
    found = [len(lines)] * (len(lines) + 2)
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        is_filled = "!" <= line < "\x7f" or (line and not is_blank(line))  # Most begin with a visible ASCII sign.
        found[at] = at if is_filled else found[at + 1]
    return found
