"""Find and read pages: files, folders, globs, compressed files and standard input become `Page`s.

In: paths as given. Out: pages one by one, each with the file it came from, relative to the folder given.
"""

import fnmatch
import glob
import hashlib
import os
import re
import stat
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Literal

import pyarrow as pa

from etl.errors import PageError, UsageError, is_refusal, refusal
from etl.extract.page import Page, ParsedPage, byte_length, diagnose, parse_page
from etl.printable import path_text
from schemas.limits import LARGE_PAGE, LONGEST_PAGE, MOST_LINES, MOST_PIECES, PACKED_PAGE, PACKED_TIMES, UNREAD_LINE

STANDARD_INPUT = "-"
ENDINGS = tuple(text + packed for text in (".txt", ".text") for packed in ("", ".gz", ".zst"))
"""Endings of files in a folder that are read as pages, in any letter case."""
OTHER_ENDINGS = (".md", ".html", ".htm", ".mhtml", ".pdf", ".rtf", ".doc", ".docx", ".odt", ".json")
"""Endings of files that may be saved pages too, but are read only where a path names them."""
_CODECS: dict[str, Literal["gzip", "zstd"]] = {".gz": "gzip", ".zst": "zstd"}
_DATE = r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})"
_DATE_OF_FILE, _DATE_OF_FOLDER = re.compile(rf"{_DATE}(?:\.|$)"), re.compile(rf"{_DATE}$")
_BOMS_OF_UTF16 = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_ODD_DATE_OF_FILE = re.compile(
    r"@([0-9]{1,4}[-._][0-9]{1,2}[-._][0-9]{1,4}|[0-9]{4}[-._][0-9]{1,2}|[0-9]{1,2}[-._][0-9]{4}|[0-9]{8})(?:\.|$)"
)
"""A date behind an @ that is not written YYYY-MM-DD."""
_SHOWN_OTHERS = 3


@dataclass(frozen=True)
class PageFile:
    """A file with a page, and its name in the dataset.

    `refused` is why it is not read, such as a link that leads out of its folder.
    """

    path: Path
    source: str
    refused: str | None = None
    is_standard_input: bool = False


def find_pages(paths: Sequence[str]) -> list[PageFile]:
    """Every page that the paths name: files, folders (searched for text files, packed or not), globs, - for standard input.

    Different files of one name have as many of their folders before it as make the names differ.

    Raises `UsageError` for a path that does not exist and for a folder or glob without pages.
    """
    try:
        files = {file for path in paths for file in _expand(path)}
    except RecursionError as error:
        raise UsageError(f"{', '.join(paths)}: folders are nested too deep to be read; move the pages up") from error
    except OSError as error:
        problem = "cannot be read" if is_refusal(error) else "no such file or folder"
        raise refusal(error, problem, "give a saved page or a folder that may be read") from error
    return sorted(_with_distinct_names(files), key=lambda file: (file.source, str(file.path)))


def _with_distinct_names(files: Iterable[PageFile]) -> Iterator[PageFile]:
    """The files, each with as many folders before its name as make it differ from all others."""
    names = {file: file.source for file in files if not file.is_standard_input}
    above: dict[PageFile, list[str]] = {}
    while same := [file for file in _of_one_name(names) if above.setdefault(file, _folders_above(file))]:
        for file in same:
            names[file] = f"{above[file].pop()}/{names[file]}"
    yield from (replace(file, source=names.get(file, file.source)) for file in files)


def _of_one_name(names: Mapping[PageFile, str]) -> list[PageFile]:
    """The files that share a name with another file; several paths to a file are one file."""
    groups: defaultdict[str, list[PageFile]] = defaultdict(list)
    for file, name in names.items():
        groups[name].append(file)
    shared = (group for group in groups.values() if len(group) > 1)
    return [file for group in shared if len({os.path.realpath(file.path) for file in group}) > 1 for file in group]


def _folders_above(file: PageFile) -> list[str]:
    """The names of the folder that the file's source is relative to and of those above it, the nearest last."""
    given = file.path.parents[file.source.count("/")]
    return [path_text(part) for part in given.resolve().parts[1:]]


def read_page(file: PageFile, observed_on: date | None = None) -> Page:
    """Read one page; `observed_on` takes precedence over the date in the file's name.

    Raises `PageError` for a file that is empty, cannot be read, is larger than a page may be, or is not UTF-8.
    """
    if file.refused:
        raise PageError(file.source, file.refused)
    data = _read_bytes(file)
    if not data:
        raise PageError(file.source, "empty file, expected a saved page; save the page again")
    lines = data.count(b"\n") + 1
    if lines > MOST_LINES:
        problem = f"found {lines:,} lines, expected one saved page, of {MOST_LINES:,} at most"
        raise PageError(file.source, f"{problem}; split the file or leave it out", MOST_LINES + 1)
    text = _decode(file.source, data)
    saved, odd_date = saved_on(file)
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


def saved_on(file: PageFile) -> tuple[date | None, str | None]:
    """The day of saving in the file's name, else in its folder's; and the first invalid date there.

    An invalid date does not exist, or is behind an @ in another form than YYYY-MM-DD.

    >>> [saved_on(PageFile(Path(name), name)) for name in ("pages/ann@2026-06-01.txt", "pages/ann@1.6.2026.txt")]
    [(datetime.date(2026, 6, 1), None), (None, '1.6.2026')]
    """
    if file.is_standard_input:
        return None, None
    of_file = _DATE_OF_FILE.search(file.path.name) or _ODD_DATE_OF_FILE.search(file.path.name)
    of_folder = _DATE_OF_FOLDER.search(file.path.parent.resolve().name)
    written = [found[1] for found in (of_file, of_folder) if found]
    days = [(text, _date_of(text) if _DATE_OF_FOLDER.fullmatch(text) else None) for text in written]
    return next((day for _, day in days if day), None), next((text for text, day in days if day is None), None)


def _date_of(text: str) -> date | None:
    """The day that a text such as 2026-06-01 names, or None where there is no such day.

    >>> _date_of("2026-06-01"), _date_of("2026-02-30")
    (datetime.date(2026, 6, 1), None)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def find_others(paths: Sequence[str]) -> list[str]:
    """What may be pages in the folders among the paths but is not read: files such as notes.md, linked folders such as far/."""
    others: set[str] = set()
    for folder in (Path(path) for path in paths if path and Path(path).is_dir()):
        others |= {path_text(file.relative_to(folder).as_posix()) for file in _below(folder, OTHER_ENDINGS)}
        others |= {path_text(link.relative_to(folder).as_posix()) + "/" for link in _folders_linked_outside(folder)}
    return sorted(others)


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
    shares = [data[start::2].count(0) / max(1, len(data[start::2])) for start in (0, 1)]
    return len(data) > 3 and max(shares) > 0.9 and min(shares) < 0.1


def _expand(path: str) -> Iterator[PageFile]:
    place = Path(path)
    if not path:
        raise UsageError("an empty path; give a saved page, a folder of pages, or - for standard input")
    if path == STANDARD_INPUT:
        yield PageFile(place, STANDARD_INPUT, is_standard_input=True)
    elif place.is_dir():
        yield from _pages_in(place)
    elif place.exists():
        yield PageFile(place, path_text(place.name))
    else:
        yield from _matches(path)


def _pages_in(folder: Path) -> Iterator[PageFile]:
    files = sorted(_below(folder, ENDINGS))
    if not files:
        others = find_others([str(folder)])[:_SHOWN_OTHERS]
        only = (
            "is read only where it is named itself"
            if len(others) == 1
            else "are read only where they are named themselves"
        )
        found = f"; found {', '.join(others)}, which {only}" if others else ""
        raise UsageError(f"{folder}: no pages in this folder, expected files ending in {', '.join(ENDINGS)}{found}")
    yield from (
        PageFile(file, path_text(file.relative_to(folder).as_posix()), _why_refused(file, folder)) for file in files
    )


def _why_refused(file: Path, folder: Path) -> str | None:
    """Why a file of a folder is not read: a link out of it would publish a file that nobody named, a pipe would never end."""
    if _leads_out(file, folder):
        return "found a link that leads out of the folder, which is not followed; name the file itself, or copy it here"
    if not file.is_file():
        found = "a link to nothing" if file.is_symlink() else "a pipe, socket or device"
        return f"found {found}, expected a saved page; remove it"
    return None


def _leads_out(path: Path, folder: Path) -> bool:
    # Not Path.resolve, which raises where links lead in a circle.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _below(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """The files of a folder and its subfolders whose names end so; hidden ones are left out."""
    for place, _, names in _walk(folder):
        yield from (place / name for name in names if name.lower().endswith(endings) and not name.startswith("."))


def _folders_linked_outside(folder: Path) -> Iterator[Path]:
    """The links in a folder and its subfolders that lead to folders outside of it."""
    for place, folders, _ in _walk(folder):
        yield from (place / name for name in folders if _leads_out(place / name, folder))


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """A folder and its subfolders, with the names of folders and files in each; hidden folders are left out.

    Not by `os.walk`, which is recursive and skips what cannot be read.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with os.scandir(place) as entries:
            found = sorted((entry.name, _is_folder(entry), entry.is_symlink()) for entry in entries)
        folders = [name for name, is_folder, _ in found if is_folder and not name.startswith(".")]
        yield place, folders, [name for name, is_folder, _ in found if not is_folder]
        links = {name for name, _, is_link in found if is_link}
        waiting += [place / name for name in reversed(folders) if name not in links]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    # A link may lead in a circle, which `DirEntry.is_dir` raises for.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112


def _matches(pattern: str) -> Iterator[PageFile]:
    """The files that match a pattern; links out of the folder that it names are refused."""
    folder = _folder_of(pattern)
    files = [file for file in _found(pattern, folder) if not file.is_dir()] if glob.has_magic(pattern) else []
    if not files:
        raise UsageError(
            f"{pattern}: no such file or folder; give a saved page, a folder of pages, or - for standard input"
        )
    yield from (PageFile(file, path_text(file.name), _why_refused(file, folder)) for file in files)


def _found(pattern: str, folder: Path) -> list[Path]:
    """The files and folders that match a pattern, without hidden ones; raises `OSError` for a folder that cannot be read.

    Not by `glob`, which skips such a folder, and follows circular links: two of them make 2 ** 40 paths.
    """
    parts = Path(pattern).relative_to(folder).parts
    return sorted(set(_matching(folder, (*parts, "*") if parts[-1] == "**" else parts)))


def _matching(place: Path, parts: Sequence[str]) -> Iterator[Path]:
    """The paths below a folder whose names match the parts one by one; ** is any number of folders."""
    head, *rest = parts
    if head == "**":
        for below, _, _ in _walk(place):
            yield from _matching(below, rest)
        return
    names = sorted(os.listdir(place)) if glob.has_magic(head) else [head]  # noqa: PTH208  names that are not UTF-8 too
    for name in names:
        is_meant = name == head or (not name.startswith(".") and fnmatch.fnmatch(name, head))
        if is_meant and os.path.lexists(place / name):  # a link to nothing is reported
            if not rest:
                yield place / name
            elif (place / name).is_dir():
                yield from _matching(place / name, rest)


def _folder_of(pattern: str) -> Path:
    """The folder that a pattern names before its first part with a sign such as *.

    >>> _folder_of("../pages/2026-*/*.txt").as_posix(), _folder_of("*.txt").as_posix()
    ('../pages', '.')
    """
    return Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))


def _read_bytes(file: PageFile) -> bytes:
    try:
        if file.is_standard_input:
            if sys.stdin is None:
                raise PageError(file.source, "standard input is closed; give a saved page")
            return _limited(file.source, sys.stdin.buffer)
        with file.path.open("rb") as stream:
            codec = _CODECS.get(file.path.suffix.lower())
            if codec is None:
                return _limited(file.source, stream)
            packed = _size_of(stream)
            return _limited(file.source, pa.CompressedInputStream(stream, codec), packed)
    except OSError as error:
        problem = error.strerror or str(error)
        raise PageError(
            file.source, f"cannot be read ({problem}); see whether the file is whole and may be read"
        ) from error


def _size_of(stream: BinaryIO) -> int:
    """The bytes of an open file; of a pipe, whose size is unknown, as many as a page may have."""
    status = os.fstat(stream.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else LONGEST_PAGE


def _limited(source: str, stream: BinaryIO | pa.NativeFile, packed: int = LONGEST_PAGE) -> bytes:
    """The bytes of a page, of whose file `packed` bytes were unpacked; no more is read than a page may have."""
    largest = min(LONGEST_PAGE, max(PACKED_PAGE, PACKED_TIMES * packed))
    data: bytes = stream.read(largest + 1)
    if len(data) <= largest:
        return data
    if largest == LONGEST_PAGE:
        found = f"larger than {LONGEST_PAGE >> 20} MiB (byte {LONGEST_PAGE})"
        raise PageError(source, f"{found}, expected one saved page; split it or leave it out")
    found = f"found {packed:,} bytes that unpack to more than {largest:,}, over {PACKED_TIMES} times as many"
    raise PageError(source, f"{found}; expected one saved page, which unpacks to a few times its size; leave it out")


Portion = tuple[list[ParsedPage], list[PageError]]
_PORTION = 8 * LARGE_PAGE
"""Bytes of pages with which a portion is full: a hundred real ones."""


def parse_files(files: Iterable[PageFile], observed_on: date | None) -> Iterator[Portion]:
    """The parsed pages of the files in order, in portions.

    No page is referred to here after it is parsed, so that a large one is freed before the next file is read.
    """
    pages: list[ParsedPage] = []
    errors: list[PageError] = []
    size = 0
    for file in files:
        read = read_or_error(file, observed_on)
        parsed = _parsed(read) if isinstance(read, Page) else read
        if isinstance(parsed, PageError):
            errors.append(parsed)
        else:
            pages.append(parsed)
            size += parsed.page.size
        del read, parsed
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
