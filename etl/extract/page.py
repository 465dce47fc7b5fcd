"""The grammar of a page: lines in; header, blocks and stray lines out, none of them lost.

    page   := name "" field? stat* "" COUNT " Papers" "" block ("" block)*
    block  := badge title "" byline "" abstract

Reading is lenient where the meaning is plain (blank lines doubled or missing, figures in another
order) and strict where it is not: what has no block's shape stays a stray, and reading goes on at
the next line that has a badge's shape and a block's shape behind it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, islice, takewhile

from etl.extract.blocks import BlockReader
from etl.extract.header import parse_header
from etl.extract.records import Block, Header, Page, ParsedPage, Stray
from etl.extract.text import is_blank
from schemas.limits import HEADER_LETTERS, LONGEST_RUN, MOST_RETURNS

Lines = Sequence[str]


def parse_page(page: Page) -> ParsedPage:
    r"""Read a page.

    >>> text = "Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell\n\nThey ring."
    >>> parsed = parse_page(Page("ada.txt", None, "", 0, text))
    >>> parsed.header.line_count, parsed.blocks[0].title, parsed.strays
    (6, 'On Bells', ())
    """
    newline, lines = split_lines(page.text)
    reader = BlockReader(lines)
    above = lines[: _header_limit(lines, reader)]
    authors = Counter(name for block in reader.read(None)[0] for name in block.byline_parts.names)
    header = parse_header(above, authors, has_blocks=bool(authors))
    blocks, shifted = reader.read(header.values["name"].text if "name" in header.values else None)
    strays = list(_strays(lines, header, blocks, reader, shifted))
    second = tuple(index + 1 for index in reader.headers)
    return ParsedPage(page, newline, tuple(lines), header, tuple(blocks), tuple(strays), second)


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
    """SameAs lines again as `split_lines` found them."""
    return {"CRLF": "\r\n", "LF": "\n"}[newline].join(lines)


def byte_length(line: str) -> int:
    """Bytes of a line in UTF-8."""
    return len(line) if line.isascii() else len(line.encode())


def in_rows(lines: Lines, line_start: int = 1) -> Iterator[tuple[int, str]]:
    r"""Lines in texts that a row of the quarantine may hold, each with the number of its first line.

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
    r"""The number of the last line behind `line_end` of those that hold only a carriage return, empty ones between them.

    Such lines are blank, but must come back when the page is rebuilt, so what stands before them keeps them.

    >>> last_bare_return(["They ring.\r", "\r", "", "\r", "CLMay 1"], 1)
    4
    """
    last = line_end
    for number in range(line_end + 1, min(line_end + MOST_RETURNS, len(lines)) + 1):
        if lines[number - 1] not in {"", "\r"}:
            break
        last = number if lines[number - 1] else last
    return last


def _header_limit(lines: Lines, reader: BlockReader) -> int:
    """The header lies before the first badge, be it a damaged block's, and is no longer than a header may be."""
    end = min(reader.badges, default=len(lines))
    letters = accumulate(len(line) + 1 for line in islice(lines, end))
    return sum(1 for _ in takewhile(HEADER_LETTERS.__ge__, letters))


def _strays(
    lines: Lines, header: Header, blocks: Sequence[Block], reader: BlockReader, shifted: Collection[int]
) -> Iterator[Stray]:
    """The runs of lines outside header and blocks, parted at each badge and further header, without the empty lines around them."""
    ends = [last_bare_return(lines, header.line_count), *(last_bare_return(lines, block.line_end) for block in blocks)]
    starts = [*(block.line_start for block in blocks), len(lines) + 1]
    for before, after in zip(ends, starts, strict=True):
        for first, last in _runs(lines, range(before + 1, after), reader):
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
    """The rule that a run of lines breaks, and why, for somebody who never saw the grammar."""
    if all(map(is_blank, run)):
        return "PAG-016", "white space between blocks, expected an empty line; nothing is lost"
    if at in reader.headers:
        return "PAG-012", "another header; one file holds one page, so split the file above this line"
    if at in shifted:
        return "BLK-005", (
            "title, names and abstract do not stand in this order; see whether a line was doubled,"
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
