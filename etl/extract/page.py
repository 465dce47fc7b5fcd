"""The grammar of a page: parses lines into header, blocks and stray lines, and loses none.

    page   := name "" field? stat* "" COUNT " Papers" "" block ("" block)*
    block  := badge title "" byline "" abstract

Parsing is lenient where the meaning is unambiguous (blank lines doubled or missing, figures in another
order) and strict elsewhere: lines without a block's shape become a stray, and parsing resumes at the
next line with a badge's shape and a block's shape behind it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from itertools import accumulate, islice, takewhile

from etl.extract.blocks import Block, BlockReader
from etl.extract.header import Header, parse_header
from etl.extract.text import is_blank
from schemas.limits import HEADER_LETTERS, LONGEST_RUN, MOST_RETURNS


@dataclass(frozen=True)
class Page:
    """A saved page: its source and its text; `odd_date` is a date in its name that does not exist."""

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
class Stray:
    """A run of lines outside header and blocks, from its first line that is not empty to its last.

    `rule` is the rule that it breaks, `reason` why; `has_badge` is whether it begins with a badge.
    """

    line_start: int
    line_end: int
    rule: str
    reason: str
    has_badge: bool = False


@dataclass(frozen=True)
class ParsedPage:
    """A parsed page: each of its lines is empty or in exactly one of header, blocks and strays.

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
        """The unchanged lines from `line_start` to `line_end`, joined by a line feed."""
        return "\n".join(self.lines[line_start - 1 : line_end])


Lines = Sequence[str]


def parse_page(page: Page) -> ParsedPage:
    r"""Parse a page.

    >>> text = "Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell\n\nThey ring."
    >>> parsed = parse_page(Page("ada.txt", None, "", 0, text))
    >>> parsed.header.line_count, parsed.blocks[0].title, parsed.strays
    (6, 'On Bells', ())
    """
    newline, lines = split_lines(page.text)
    reader = BlockReader(lines)
    above = lines[: _header_limit(lines, reader)]
    header = parse_header(above, cache(partial(_authors, reader)))
    blocks, shifted = reader.read(header.values["name"].text if "name" in header.values else None)
    strays = list(_strays(lines, header, blocks, reader, shifted))
    second = tuple(index + 1 for index in reader.headers)
    return ParsedPage(page, newline, tuple(lines), header, tuple(blocks), tuple(strays), second)


def _authors(reader: BlockReader) -> Counter[str]:
    """The names in the page's bylines, as far as they can be read without the owner's, with their numbers."""
    return Counter(name for block in reader.read(None)[0] for name in block.byline_parts.names)


def split_lines(text: str) -> tuple[str, list[str]]:
    r"""Split a page at its line breaks, CRLF only if every line has it; else a carriage return is text.

    >>> split_lines("a\r\nb")
    ('CRLF', ['a', 'b'])
    >>> split_lines("a\r\nb\n")
    ('LF', ['a\r', 'b', ''])
    """
    is_crlf = "\r" in text and 0 < text.count("\n") == text.count("\r\n")
    return ("CRLF", text.split("\r\n")) if is_crlf else ("LF", text.split("\n"))


def join_lines(newline: str, lines: Lines) -> str:
    r"""Join the lines that `split_lines` returned.

    >>> join_lines("CRLF", ["a", "b"])
    'a\r\nb'
    """
    return {"CRLF": "\r\n", "LF": "\n"}[newline].join(lines)


def byte_length(line: str) -> int:
    """Bytes of a line in UTF-8.

    >>> byte_length("Béll")
    5
    """
    return len(line) if line.isascii() else len(line.encode())


def in_rows(lines: Lines, line_start: int = 1) -> Iterator[tuple[int, str]]:
    r"""Split lines into texts that fit into a row of the quarantine, each with the number of its first line.

    >>> list(in_rows(["CLMay 1", "", "On Bells"], 7))
    [(7, 'CLMay 1\n\nOn Bells')]
    """
    start, size = 0, 0
    for at, line in enumerate(lines):
        length = byte_length(line) + 1
        if at > start and size + length > LONGEST_RUN:
            yield line_start + start, "\n".join(lines[start:at])
            start, size = at, 0
        size += length
    yield line_start + start, "\n".join(lines[start:])


def render_block(badge: str, title: str, byline: str, abstract: str, line_count: int) -> list[str]:
    """Write a block over `line_count` lines, its gaps equal; fewer lines than its parts need leave no gap.

    >>> render_block("CLMay 1", "On Bells", "Ada Bell", "They ring.", 6)
    ['CLMay 1', 'On Bells', '', 'Ada Bell', '', 'They ring.']
    """
    head, tail = badge.split("\n"), abstract.split("\n") if abstract else []
    blank = line_count - len(head) - 2 - len(tail)
    gap = [""] * (blank // 2 if tail else blank)
    return [*head, title, *gap, byline, *(gap if tail else []), *tail]


def last_bare_return(lines: Lines, line_end: int) -> int:
    r"""The last line that is a bare carriage return among the blank lines behind `line_end`, else `line_end`.

    Such lines show nothing, but rebuilding the page needs them, so the row of the lines before contains them.

    >>> last_bare_return(["They ring.\r", "\r", "", "\r", "CLMay 1"], 1)
    4
    """
    last = line_end
    for at in range(line_end, min(line_end + MOST_RETURNS, len(lines))):
        if lines[at] == "\r":
            last = at + 1
        elif lines[at]:
            break
    return last


def _header_limit(lines: Lines, reader: BlockReader) -> int:
    """How many lines the header can have: those before the first badge, up to `HEADER_LETTERS`."""
    end = min(reader.badges, default=len(lines))
    letters = accumulate(len(line) + 1 for line in islice(lines, end))
    return sum(1 for _ in takewhile(HEADER_LETTERS.__ge__, letters))


def _strays(
    lines: Lines, header: Header, blocks: Sequence[Block], reader: BlockReader, shifted: Collection[int]
) -> Iterator[Stray]:
    """The runs of lines outside header and blocks, split at each badge and further header, without the empty lines around them."""
    ends = [header.line_count, *(block.line_end for block in blocks)]
    starts = [*(block.line_start for block in blocks), len(lines) + 1]
    for end, start in zip(ends, starts, strict=True):
        if not any(lines[end : start - 1]):
            continue
        for first, last in _runs(lines, range(last_bare_return(lines, end) + 1, start), reader):
            fault = _fault(lines[first - 1 : last], first - 1, reader, shifted)
            yield Stray(first, last, *fault, has_badge=first - 1 in reader.badges or first - 1 in reader.glued)


def _runs(lines: Lines, numbers: range, reader: BlockReader) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    size, headers = 0, frozenset(reader.headers)
    for number in numbers:
        length = byte_length(lines[number - 1]) + 1
        size += length
        if length == 1:
            continue
        if not runs or number - 1 in reader.badges or number - 1 in headers or size > LONGEST_RUN:
            runs.append((number, number))
            size = length
        else:
            runs[-1] = (runs[-1][0], number)
    return runs


def _fault(run: Lines, at: int, reader: BlockReader, shifted: Collection[int]) -> tuple[str, str]:
    """The rule that a run of lines breaks, and why."""
    if all(map(is_blank, run)):
        return "PAG-016", "white space between blocks, expected an empty line; nothing is lost"
    if at in reader.headers:
        return "PAG-012", "another header; one file holds one page, so split the file above this line"
    if at in shifted:
        return "BLK-005", (
            "title, names and abstract are not in this order; see whether a line was doubled,"
            " lost or copied along with a button, and save the page again"
        )
    if at in reader.badges:
        return "PAG-004", "a badge without its paper; expected under it a title, then names, then an abstract"
    if at in reader.glued:
        return "PAG-004", "a badge with more text on its line; expected the title on a line of its own"
    return "PAG-004", (
        "text that belongs to no paper; expected above it a badge such as CLMar 14, 2025,"
        " or an empty line less within an abstract"
    )


SAVE_AS_TEXT = "open the profile page in a browser, select all, copy, and paste into a text file"
SHOWN_OF_DATE = 40
_HEAD_LETTERS = 4000
_MONTHS = (
    "januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|mär|okt|dez"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|févr|avr|juil|déc"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|ene|abr|dic"
    "|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|gen|mag|giu|lug|ago|set|ott"
    "|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|fev|mar|out"
    "|januari|februari|maart|mei|augustus|mrt|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września"
    "|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря|янв|фев|апр|июн|июл|авг|сен|окт|ноя|дек"
)
_OTHER_DATE = re.compile(
    rf"(?:[0-9]{{1,2}}\.? ?(?:de )?(?:{_MONTHS})\b\.?|(?:{_MONTHS})\.? [0-9]{{1,2}}\b|[0-9]{{4}} ?[年년] ?[0-9]{{1,2}} ?[月월])",
    re.IGNORECASE,
)
_BADGE_INSIDE = r"[A-Z]{2}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} [0-9]{1,2}(?![0-9])"
_KEEP_LINES = "select all of the page in a browser, copy, and paste it into an editor that keeps line breaks"
_KINDS = (
    ("HTML code", r"(?is)\A\s*<(?:!doctype|html|head|body|\?xml|!--|div|script|meta)", SAVE_AS_TEXT),
    ("a web archive (MHTML)", r"(?is)\A(?:From: <Saved|MIME-Version:)", SAVE_AS_TEXT),
    ("JSON", r"(?s)\A\s*[\[{]\s*[\"\[{\]}]", SAVE_AS_TEXT),
    ("BibTeX", r"(?m)^\s*@[A-Za-z]+\s*\{", SAVE_AS_TEXT),
    ("a list of references (RIS)", r"(?m)^TY {1,2}- ", SAVE_AS_TEXT),
    ("a rich text file (RTF)", r"\A\{\\rtf", SAVE_AS_TEXT),
    ("a page whose line breaks are lost", rf"(?m)^(?=.{{160}}).+?{_BADGE_INSIDE}", _KEEP_LINES),
    ("a page of Google Scholar", r"i10-index|(?s:Cited by.*Since [0-9]{4})|scholar\.google", ""),
    ("a page of Semantic Scholar", r"Semantic Scholar|Highly Influential Citations", ""),
    ("a page of DBLP", r"(?i)\bdblp\b|export record", ""),
    ("a page of ResearchGate", r"ResearchGate", ""),
    ("a page of ORCID", r"(?i)\borcid\b", ""),
    ("a page of OpenReview", r"OpenReview", ""),
    ("a page of arXiv", r"(?i)arxiv:[0-9]{4}\.[0-9]{4,5}|(?m:^(?:Comments|Subjects): )", ""),
)
_OTHER_SITE = (
    f"paperledger reads the profile pages whose papers are under badges such as CLMar 14, 2025; {SAVE_AS_TEXT}"
)


def diagnose(text: str, *, has_header: bool) -> tuple[str, str]:
    r"""What a text without a paper seems to be, and what to do next.

    >>> diagnose("<!DOCTYPE html><p>Bells", has_header=False)[0]
    'HTML code'
    >>> diagnose("Ada Bell\n\n3 Papers\n\nCL14. März 2025", has_header=True)[0]
    'a page whose dates are in another language (14. März)'
    """
    head = text[:_HEAD_LETTERS].removeprefix("\ufeff")
    for kind, pattern, advice in _KINDS:
        if re.search(pattern, head):
            return kind, advice or _OTHER_SITE
    date = _OTHER_DATE.search(head)
    if date:
        found = date[0][:SHOWN_OF_DATE]
        return (
            f"a page whose dates are in another language ({found})",
            "set the site to English, and save the page again",
        )
    if has_header:
        return "a page saved before its papers had loaded", "wait until the papers are shown, and save the page again"
    if not head.strip():
        return "a text of blank lines only", SAVE_AS_TEXT
    return "a text of another kind", _OTHER_SITE
