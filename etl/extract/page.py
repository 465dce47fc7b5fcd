"""The grammar of a page: lines in; header, blocks and stray lines out, none of them lost.

    page   := name "" field? stat* "" COUNT " Papers" "" block ("" block)*
    block  := badge title "" byline "" abstract

Reading is lenient where the meaning is plain (blank lines doubled or missing, figures in another
order) and strict where it is not: what has no block's shape stays a stray, and reading goes on at
the next line that has a badge's shape and a block's shape behind it.
"""

from collections.abc import Sequence

from etl.extract.fields import BOM, is_name, parse_badge, parse_stat
from etl.records import Block, Header, Page, ParsedPage, Stray, Value
from schemas.limits import LONGEST_LINE

Lines = Sequence[str]

LONGEST_FIELD = 20
"""Letters of the longest word under the name that is taken for the owner's field."""


def parse_page(page: Page, field_codes: frozenset[str]) -> ParsedPage:
    r"""Read a page; `field_codes` are the codes that a header's field may have anywhere.

    >>> from datetime import date
    >>> text = "Ada Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAda Bell\n\nThey ring."
    >>> parsed = parse_page(Page("ada.txt", None, "", 0, text), frozenset({"CL"}))
    >>> parsed.header.line_count, parsed.blocks[0].title, parsed.strays
    (6, 'On Bells', ())
    """
    newline, lines = split_lines(page.text)
    blocks = find_blocks(lines)
    header = parse_header(lines[: _header_limit(lines, blocks)], field_codes, has_blocks=bool(blocks))
    return ParsedPage(page, newline, tuple(lines), header, tuple(blocks), tuple(find_strays(lines, header, blocks)))


def split_lines(text: str) -> tuple[str, list[str]]:
    r"""Split a page at its line breaks, CRLF only if every line has it; else a carriage return is text.

    >>> split_lines("a\r\nb")
    ('CRLF', ['a', 'b'])
    >>> split_lines("a\r\nb\n")
    ('LF', ['a\r', 'b', ''])
    """
    breaks = text.count("\n")
    if breaks and text.count("\r\n") == breaks:
        return "CRLF", text.split("\r\n")
    return "LF", text.split("\n")


def join_lines(newline: str, lines: Lines) -> str:
    """Join lines again as `split_lines` found them."""
    return {"CRLF": "\r\n", "LF": "\n"}[newline].join(lines)


def find_blocks(lines: Lines) -> list[Block]:
    """Every block of a page, in order; a line that starts none is passed over."""
    blocks = []
    at = 0
    while at < len(lines):
        block = read_block(lines, at)
        if block:
            blocks.append(block)
        at = block.line_end if block else at + 1
    return blocks


def read_block(lines: Lines, at: int) -> Block | None:
    """Read the block whose badge stands at index `at`, or None where none does.

    The gaps around the byline must be equal. Where instead the next block or the page's end comes behind
    the byline, or just the gap that an empty line in its place leaves, the abstract is empty.
    """
    if not _starts_block(lines, at):
        return None
    title = at + 1
    byline = _next_text(lines, title + 1)
    if _starts_block(lines, byline):
        return None
    gap = byline - title
    first = _next_text(lines, byline + 1)
    # An empty line in the abstract's place has a gap on either side of it; without gaps it would look like one.
    empty_line = gap > 1 and first - byline == 2 * gap
    if first == len(lines) or _starts_block(lines, first) or empty_line:
        return _block(lines, at, byline, None, byline)
    if first - byline == gap:
        return _block(lines, at, byline, first, _abstract_end(lines, first))
    return None


def byte_length(line: str) -> int:
    """Bytes of a line in UTF-8."""
    return len(line) if line.isascii() else len(line.encode())


def render_block(badge: str, title: str, byline: str, abstract: str, line_count: int) -> list[str]:
    """Write a block over `line_count` lines, its gaps equal; fewer lines than its parts need leave no gap.

    >>> render_block("CLMay 1", "On Bells", "Ada Bell", "They ring.", 6)
    ['CLMay 1', 'On Bells', '', 'Ada Bell', '', 'They ring.']
    """
    tail = abstract.split("\n") if abstract else []
    blank = line_count - 3 - len(tail)
    gap = [""] * (blank // 2 if tail else blank)
    return [badge, title, *gap, byline, *(gap if tail else []), *tail]


def parse_header(lines: Lines, field_codes: frozenset[str], *, has_blocks: bool) -> Header:
    """Read the header in `lines`, the page's first: through "N Papers", or the last line that is known.

    A name counts only where something else on the page is known: a line of any other text is no page.
    """
    values: dict[str, Value] = {}
    unknown: list[int] = []
    expect_field = False
    for number, line in enumerate(lines, start=1):
        text = line.removeprefix(BOM).strip() if number == 1 else line.strip()
        if not text:
            continue
        name, value = _header_value(text, field_codes, first=not values and not unknown, expect_field=expect_field)
        expect_field = name == "name"
        if name in values or name is None:
            unknown.append(number)
        else:
            values[name] = Value(value, number)
        if name == "section_count":
            break
    if not has_blocks and set(values) <= {"name"}:
        return Header(0, {}, ())
    end = max((value.line for value in values.values()), default=0)
    return Header(end, values, tuple(number for number in unknown if number <= end))


def find_strays(lines: Lines, header: Header, blocks: Sequence[Block]) -> list[Stray]:
    """The runs of lines outside header and blocks, parted at each badge, without the empty lines around them."""
    ends = [header.line_count, *(block.line_end for block in blocks)]
    starts = [*(block.line_start for block in blocks), len(lines) + 1]
    strays: list[Stray] = []
    for before, after in zip(ends, starts, strict=True):
        filled = [number for number in range(before + 1, after) if lines[number - 1]]
        for index, number in enumerate(filled):
            if index == 0 or parse_badge(lines[number - 1]):
                strays.append(Stray(number, number))
            else:
                strays[-1] = Stray(strays[-1].line_start, number)
    return strays


def _header_value(text: str, field_codes: frozenset[str], *, first: bool, expect_field: bool) -> tuple[str | None, str]:
    stat = parse_stat(text)
    if stat:
        return stat
    if text in field_codes or (expect_field and _field_shape(text)):
        return "field", text
    return ("name" if first and is_name(text) else None), text


def _field_shape(text: str) -> bool:
    return len(text) <= LONGEST_FIELD and text.isascii() and text.replace("-", "").replace(".", "").isalpha()


def _header_limit(lines: Lines, blocks: Sequence[Block]) -> int:
    """The header lies before the first badge, be it a damaged block's, and before any line too long for a row."""
    end = blocks[0].line_start - 1 if blocks else len(lines)
    return next((at for at in range(end) if parse_badge(lines[at]) or byte_length(lines[at]) > LONGEST_LINE), end)


def _starts_block(lines: Lines, at: int) -> bool:
    """Whether a badge stands at `at`, a title under it and any text behind that."""
    return (
        at + 2 < len(lines)
        and lines[at + 1].strip() != ""
        and parse_badge(lines[at]) is not None
        and _next_text(lines, at + 2) < len(lines)
    )


def _next_text(lines: Lines, at: int) -> int:
    """The index of the next line from `at` on that is not blank, or the number of lines."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _abstract_end(lines: Lines, first: int) -> int:
    """The index of the abstract's last line: before the first blank line, or the next line that starts a block."""
    at = first + 1
    while at < len(lines) and lines[at].strip() and not _starts_block(lines, at):
        at += 1
    return at - 1


def _block(lines: Lines, at: int, byline: int, first: int | None, last: int) -> Block:
    return Block(
        line_start=at + 1,
        line_end=last + 1,
        badge=lines[at],
        title=lines[at + 1],
        byline=lines[byline],
        byline_line=byline + 1,
        abstract="" if first is None else "\n".join(lines[first : last + 1]),
        abstract_line=None if first is None else first + 1,
    )
