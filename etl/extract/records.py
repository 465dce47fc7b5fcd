"""What the stages hand on before there are tables: a page, and what the grammar reads in it.

Lines are numbered from 1, as an editor shows them.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Page:
    """A saved page: where it came from and its text, still in one piece; `odd_date` is one in its name that does not exist."""

    source: str
    observed_on: date | None
    sha256: str
    size: int
    text: str
    odd_date: str | None = None

    @property
    def profile_id(self) -> str:
        """The first 16 hexadecimal digits of the page's hash."""
        return self.sha256[:16]


@dataclass(frozen=True)
class Value:
    """A value of the header, and the line it stands on."""

    text: str
    line: int

    @property
    def number(self) -> int:
        """The value as a number, without thousands separators."""
        return int(self.text.replace(",", "").replace(" ", ""))


@dataclass(frozen=True)
class Header:
    """The header: the lines it takes, each value that is known, and the lines that are not."""

    line_count: int
    values: dict[str, Value]
    unknown: tuple[int, ...]


@dataclass(frozen=True)
class Badge:
    """A badge taken apart: `CLMar 14, 2025Code` has code CL, month 3, day 14, year 2025 and the flag Code."""

    code: str
    month: int
    day: int
    year: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Byline:
    """A byline taken apart: the names in order, whether it is cut, its institutions, and items that can be no name.

    `groups` are those of the names behind which a colon stands.
    """

    names: tuple[str, ...]
    truncated: bool
    tags: tuple[str, ...]
    odd: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One paper as a page prints it: the lines it takes, and its parts as they stand there, without white space around.

    `owned` says whether the page's owner wrote it, which is not known behind a further header.
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


@dataclass(frozen=True)
class Note:
    """What only reading shows about a page, or about all where there is no `profile_id`: the rule that breaks, the place, words."""

    rule_id: str
    profile_id: str | None
    source: str | None
    line: int | None
    value: str | None
    message: str


@dataclass(frozen=True)
class Stray:
    """A run of lines that are neither header nor block, from its first line that is not empty to its last.

    `rule` and `reason` say what is wrong with them; `has_badge` whether they begin as a paper does.
    """

    line_start: int
    line_end: int
    rule: str
    reason: str
    has_badge: bool = False


@dataclass(frozen=True)
class ParsedPage:
    """A page read by the grammar: its lines, each of them empty or in exactly one of header, blocks and strays.

    `second_headers` are the lines on which further pages begin in the same file.
    """

    page: Page
    newline: str
    lines: tuple[str, ...]
    header: Header
    blocks: tuple[Block, ...]
    strays: tuple[Stray, ...]
    second_headers: tuple[int, ...] = ()

    def raw(self, line_start: int, line_end: int) -> str:
        """The lines from `line_start` to `line_end` as they are, joined by a line feed."""
        return "\n".join(self.lines[line_start - 1 : line_end])
