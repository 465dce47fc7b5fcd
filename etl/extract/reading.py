"""Read pages: the bytes of a file, of an archive's member or of a shard's row become a `Page`, and pages are parsed in portions.

In: pages as they were found. Out: parsed pages, and an error for each that cannot be read.
"""

import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any, Literal

import pyarrow as pa

from etl.errors import PageError
from etl.extract.page import Page, ParsedPage, byte_length, diagnose, parse_page
from schemas.limits import (
    COMPRESSED_PAGE,
    COMPRESSED_TIMES,
    LARGE_PAGE,
    LONGEST_PAGE,
    MOST_LINES,
    MOST_PIECES,
    UNREAD_LINE,
)

PAGE_ENDINGS = tuple(text + compressed for text in (".txt", ".text") for compressed in ("", ".gz", ".zst"))
"""Endings of files in a folder or an archive that are read as pages, in any letter case."""
NOT_WHOLE = "see whether the file is whole and may be read"
_CODECS: dict[str, Literal["gzip", "zstd"]] = {".gz": "gzip", ".tgz": "gzip", ".zst": "zstd"}
_DATE = re.compile(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/|(?:\.[^/]*)?)$")
_ODD_DATE = re.compile(
    r"@([0-9]{1,4}[-._][0-9]{1,2}[-._][0-9]{1,4}|[0-9]{4}[-._][0-9]{1,2}|[0-9]{1,2}[-._][0-9]{4}|[0-9]{8})(?:\.[^/]*)?$"
)
"""A date behind an @ in a file's name that is not written YYYY-MM-DD."""
_BOMS_OF_UTF16 = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
TOO_LARGE = (
    f"larger than {LONGEST_PAGE >> 20} MiB (byte {LONGEST_PAGE}), expected one saved page; split it or leave it out"
)


@dataclass(frozen=True)
class PageFile:
    """A file with a page, or with many; or a page in such an archive or shard, whose text is `data`.

    `source` is its name in the dataset. `names` may contain the day of saving, the nearest first: its own, and those of the
    folders and the archive that it is in; a folder's ends in /. `refused` is why it is not read, such as a link that leads
    out of its folder. `observed_on` is the day that a shard's row states.
    """

    path: str
    source: str
    names: tuple[str, ...] = ()
    size: int = field(default=0, compare=False)
    refused: str | None = None
    is_standard_input: bool = False
    data: bytes | None = None
    observed_on: date | None = None


def read_page(file: PageFile, observed_on: date | None = None) -> Page:
    """Read one page; `observed_on` takes precedence over the date in the file's name.

    Raises `PageError` for a file that is empty, cannot be read, is larger than a page may be, or is not UTF-8.
    """
    if file.refused:
        raise PageError(file.source, file.refused)
    data = read_bytes(file)
    if not data:
        raise PageError(file.source, "empty file, expected a saved page; save the page again")
    lines = data.count(b"\n") + 1
    if lines > MOST_LINES:
        problem = f"found {lines:,} lines, expected one saved page, of {MOST_LINES:,} at most"
        raise PageError(file.source, f"{problem}; split the file or leave it out", MOST_LINES + 1)
    text = _decode(file.source, data)
    saved, odd_date = (file.observed_on, None) if file.observed_on else saved_on(file.names)
    return Page(
        source=file.source,
        observed_on=observed_on or saved,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        text=text,
        odd_date=odd_date,
    )


def read_or_error(file: PageFile, observed_on: date | None) -> Page | PageError:
    """The page, or the error where it cannot be read."""
    try:
        return read_page(file, observed_on)
    except PageError as error:
        return error.with_traceback(None)  # its frames refer to the bytes


def saved_on(names: Sequence[str]) -> tuple[date | None, str | None]:
    """The day of saving in the first of these names that has one, and the first invalid date in them.

    An invalid date does not exist, or is behind an @ in another form than YYYY-MM-DD.

    >>> saved_on(["ann@2026-06-01.txt", "pages/"]), saved_on(["ann@1.6.2026.txt", "pages-2026-07-02/"])
    ((datetime.date(2026, 6, 1), None), (datetime.date(2026, 7, 2), '1.6.2026'))
    """
    written = [found[1] for name in names if (found := _DATE.search(name) or _ODD_DATE.search(name))]
    days = [(text, _date_of(text)) for text in written]
    return next((day for _, day in days if day), None), next((text for text, day in days if day is None), None)


def _date_of(text: str) -> date | None:
    """The day that a text such as 2026-06-01 names, or None where there is no such day.

    >>> _date_of("2026-06-01"), _date_of("2026-02-30")
    (datetime.date(2026, 6, 1), None)
    """
    try:
        return date.fromisoformat(text) if "-" in text[4:5] else None
    except ValueError:
        return None


def _decode(source: str, data: bytes) -> str:
    """The text of a page; raises `PageError` where it is not UTF-8."""
    encoding = _BOMS_OF_UTF16.get(data[:2]) or ("UTF-16" if _is_half_nul(data[:1000]) else None)
    if encoding:
        raise PageError(
            source, f"found {encoding} text, expected UTF-8; save the page again, with the encoding UTF-8", 1
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PageError(
            source,
            f"line {line}, byte {error.start}: found 0x{data[error.start]:02x}, expected UTF-8 text;"
            " save the page as text in UTF-8",
            line,
        ) from None


def _is_half_nul(data: bytes) -> bool:
    """Whether every second byte is a NUL, as in UTF-16 of plain letters without a mark at its beginning."""
    if 0 not in data:
        return False
    shares = [data[start::2].count(0) / max(1, len(data[start::2])) for start in (0, 1)]
    return len(data) > 3 and max(shares) > 0.9 and min(shares) < 0.1


def read_bytes(file: PageFile) -> bytes:
    """The bytes of a page, decompressed; raises `PageError` where the file cannot be read or is larger than a page."""
    if file.data is not None:
        return file.data
    try:
        if not file.is_standard_input:
            with open(file.path, "rb") as stream:  # noqa: PTH123  a Path takes as long as reading
                return decompressed(file.source, file.path, stream, _size_of(stream))
        if sys.stdin is None:
            raise PageError(file.source, "standard input is closed; give a saved page")
        return decompressed(file.source, file.path, sys.stdin.buffer, LONGEST_PAGE)
    except OSError as error:
        problem = error.strerror or str(error)
        raise PageError(file.source, f"cannot be read ({problem}); {NOT_WHOLE}") from error


def _size_of(stream: IO[bytes]) -> int:
    """The bytes of an open file; of a pipe, whose size is unknown, as many as a page may have."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else LONGEST_PAGE


def decompressed(source: str, name: str, stream: Any, size: int) -> bytes:
    """The bytes of a page in a stream of `size` bytes, decompressed by the ending of its name.

    Reads at most what a page may have. Raises `PageError` for a page that is too large, or a bomb, and `OSError` for a
    damaged one.
    """
    codec = codec_of(name)
    largest = min(LONGEST_PAGE, max(COMPRESSED_PAGE, COMPRESSED_TIMES * size)) if codec else LONGEST_PAGE
    if codec:
        data: bytes = pa.CompressedInputStream(stream, codec).read(largest + 1)
    else:
        data = stream.read(min(size, largest) + 1)  # reserves as much memory
        data += stream.read(largest + 1 - len(data)) if len(data) > size else b""
    if len(data) <= largest:
        return data
    if largest == LONGEST_PAGE:
        raise PageError(source, TOO_LARGE)
    found = f"found {size:,} bytes that unpack to more than {largest:,}, over {COMPRESSED_TIMES} times as many"
    raise PageError(source, f"{found}; expected one saved page, which unpacks to a few times its size; leave it out")


def is_page(path: str) -> bool:
    """Whether a file of this name in a folder or an archive is a page: neither it nor a folder of it is hidden.

    >>> is_page("sub/ann.TXT.gz"), is_page(".sub/ann.txt"), is_page("ann.md")
    (True, False, False)
    """
    return path.lower().endswith(PAGE_ENDINGS) and not any(part[:1] == "." and part != "." for part in path.split("/"))


def codec_of(name: str) -> Literal["gzip", "zstd"] | None:
    """How a file of this name is compressed.

    >>> codec_of("ann.txt.ZST"), codec_of("ann.txt")
    ('zstd', None)
    """
    return _CODECS.get(name[name.rfind(".") :].lower())


Portion = tuple[list[ParsedPage], list[PageError]]
_PORTION = 8 * LARGE_PAGE
"""Bytes of pages with which a portion is full: a hundred real ones."""


def parse_files(files: Iterable[PageFile | PageError], observed_on: date | None) -> Iterator[Portion]:
    """The parsed pages of the files in order, in portions; errors of finding them pass through.

    No page is referred to here after it is parsed, so that a large one is freed before the next file is read.
    """
    pages: list[ParsedPage] = []
    errors: list[PageError] = []
    size = 0
    for file in files:
        read = file if isinstance(file, PageError) else read_or_error(file, observed_on)
        parsed = _parsed(read) if isinstance(read, Page) else read
        if isinstance(parsed, PageError):
            errors.append(parsed)
        else:
            pages.append(parsed)
            size += parsed.page.size
        del file, read, parsed
        if size > _PORTION:
            yield pages, errors
            pages, errors, size = [], [], 0
    if pages or errors:
        yield pages, errors


def _parsed(page: Page) -> ParsedPage | PageError:
    """The parsed page, or the error where it is large and no page.

    Any text of a usual size is parsed; the rules check its content.
    """
    if page.size <= LARGE_PAGE:
        return _of_pieces(parse_page(page))
    long = _first_long_line(page.text)
    if long:
        problem = f"line {long}: found more than {UNREAD_LINE:,} bytes, expected text in lines"
        return PageError(page.source, f"{problem}; save the page again, or leave the file out", long)
    parsed = parse_page(page)
    if parsed.blocks:
        return _of_pieces(parsed)
    what, advice = diagnose(page.text, has_header=bool(parsed.header.values))
    problem = f"found {page.size:,} bytes without a paper, which seem to be {what}, expected a profile page"
    return PageError(page.source, f"{problem}; {advice}", 1)


def _of_pieces(parsed: ParsedPage) -> ParsedPage | PageError:
    """The page, or the error where it is in more pieces than any page."""
    pieces = len(parsed.blocks) + len(parsed.strays)
    if pieces <= MOST_PIECES:
        return parsed
    problem = f"found {pieces:,} papers and runs of other lines, expected one saved page, of {MOST_PIECES:,} at most"
    return PageError(parsed.page.source, f"{problem}; split the file or leave it out")


def _first_long_line(text: str) -> int | None:
    """The number of the first line that is too long to be parsed."""
    start, number = 0, 1
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        # A letter has four bytes at most.
        if end - start > UNREAD_LINE // 4 and byte_length(text[start:end]) > UNREAD_LINE:
            return number
        start, number = end + 1, number + 1
    return None
