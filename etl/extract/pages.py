"""Find and read pages: files, folders, globs, compressed files and standard input become `Page`s.

In: paths as given. Out: pages one by one, each with the file it came from, relative to the folder given.
"""

import glob
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn

import pyarrow as pa

from etl.errors import PageError, UsageError
from etl.records import Page
from schemas.limits import LONGEST_PAGE

STANDARD_INPUT = "-"
ENDINGS = (".txt", ".txt.gz", ".txt.zst")
_CODECS: dict[str, Literal["gzip", "zstd"]] = {".gz": "gzip", ".zst": "zstd"}
_DATE_IN_NAME = re.compile(r"@([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.|$)")


@dataclass(frozen=True)
class PageFile:
    """A file that holds a page, and the name under which the dataset knows it."""

    path: Path
    source: str


def find_pages(paths: Sequence[str]) -> list[PageFile]:
    """Every page that the paths name: files, folders (searched for .txt, .txt.gz and .txt.zst), globs, - for standard input.

    Raises `UsageError` for a path that does not exist and for a folder or glob without pages.
    """
    try:
        files = {file for path in paths for file in _expand(path)}
    except OSError as error:
        raise UsageError(
            f"{error.filename}: no such file or folder ({error.strerror}); give a saved page or a folder"
        ) from error
    return sorted(files, key=lambda file: (file.source, str(file.path)))


def read_pages(files: Iterable[PageFile], observed_on: date | None) -> list[Page | PageError]:
    """Read pages; in the place of one that cannot be read stands its error."""
    return [_read_or_error(file, observed_on) for file in files]


def read_page(file: PageFile, observed_on: date | None = None) -> Page:
    """Read one page; `observed_on` is taken before the date in the file's name.

    Raises `PageError` for a file that is empty, cannot be read, is over 64 MiB or is not UTF-8.
    """
    data = _read_bytes(file)
    if not data:
        raise PageError(file.source, "empty file, expected a saved page; save the page again")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PageError(
            file.source,
            f"line {line}, byte {error.start}: found 0x{data[error.start]:02x}, expected UTF-8 text;"
            " save the page as text in UTF-8",
            line,
        ) from None
    return Page(
        file.source, observed_on or date_in_name(file.source), hashlib.sha256(data).hexdigest(), len(data), text
    )


def _read_or_error(file: PageFile, observed_on: date | None) -> Page | PageError:
    try:
        return read_page(file, observed_on)
    except PageError as error:
        return error


def date_in_name(source: str) -> date | None:
    """The day in a file's name on which its page was saved.

    >>> date_in_name("ada@2026-06-01.txt.gz")
    datetime.date(2026, 6, 1)
    >>> date_in_name("ada@2026-02-30.txt") is None
    True
    """
    match = _DATE_IN_NAME.search(Path(source).name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _expand(path: str) -> Iterator[PageFile]:
    place = Path(path)
    if not path:
        raise UsageError("an empty path; give a saved page, a folder of pages, or - for standard input")
    if path == STANDARD_INPUT:
        yield PageFile(place, STANDARD_INPUT)
    elif place.is_dir():
        yield from _pages_in(place)
    elif place.exists():
        yield PageFile(place, _shown(place.name))
    else:
        yield from _matches(path)


def _pages_in(folder: Path) -> Iterator[PageFile]:
    files = sorted(_files_below(folder))
    if not files:
        raise UsageError(f"{folder}: no pages in this folder, expected files ending in {', '.join(ENDINGS)}")
    yield from (PageFile(file, _shown(file.relative_to(folder).as_posix())) for file in files)


def _files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders that may be pages; hidden ones are left out."""

    def stop(error: OSError) -> NoReturn:
        raise error

    for place, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        pages = (Path(place, name) for name in names if name.endswith(ENDINGS) and not name.startswith("."))
        yield from (page for page in pages if page.is_file())


def _matches(pattern: str) -> Iterator[PageFile]:
    matches = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []  # noqa: PTH207  keeps the path as given
    files = [Path(match) for match in matches if Path(match).is_file()]
    if not files:
        raise UsageError(
            f"{pattern}: no such file or folder; give a saved page, a folder of pages, or - for standard input"
        )
    yield from (PageFile(file, _shown(file.name)) for file in files)


def _shown(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 are written as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _read_bytes(file: PageFile) -> bytes:
    try:
        if file.source == STANDARD_INPUT:
            if sys.stdin is None:
                raise PageError(file.source, "standard input is closed; give a saved page")
            return _limited(file.source, sys.stdin.buffer)
        with file.path.open("rb") as stream:
            codec = _CODECS.get(file.path.suffix)
            return _limited(file.source, pa.CompressedInputStream(stream, codec) if codec else stream)
    except OSError as error:
        problem = error.strerror or str(error)
        raise PageError(
            file.source, f"cannot be read ({problem}); see whether the file is whole and may be read"
        ) from error


def _limited(source: str, stream: BinaryIO | pa.NativeFile) -> bytes:
    data: bytes = stream.read(LONGEST_PAGE + 1)
    if len(data) > LONGEST_PAGE:
        raise PageError(
            source,
            f"larger than {LONGEST_PAGE >> 20} MiB (byte {LONGEST_PAGE}), expected one saved page; split it or leave it out",
        )
    return data
