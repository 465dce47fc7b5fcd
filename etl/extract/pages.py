"""Find and read pages: files, folders, globs, compressed files and standard input become `Page`s.

In: paths as given. Out: pages one by one, each with the file it came from, relative to the folder given.
"""

import glob
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from etl.errors import PageError, UnreadablePages, UsageError
from etl.records import Page
from schemas.limits import LONGEST_PAGE

STANDARD_INPUT = "-"
ENDINGS = (".txt", ".txt.gz", ".txt.zst")
_DATE_IN_NAME = re.compile(r"@([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.|$)")


@dataclass(frozen=True)
class PageFile:
    """A file that holds a page, and the name under which the dataset knows it."""

    path: Path
    source: str


def find_pages(paths: Sequence[str]) -> list[PageFile]:
    """Every page that the paths name: files, folders (searched for .txt, .gz and .zst), globs, - for standard input.

    Raises `UsageError` for a path that does not exist and for a folder or glob without pages.
    """
    files = [file for path in paths for file in _expand(path)]
    return sorted(files, key=lambda file: (file.source, str(file.path)))


def read_pages(files: Iterable[PageFile], observed_on: date | None, batch_size: int) -> Iterator[list[Page]]:
    """Read pages, batch by batch.

    Raises `UnreadablePages` at the end, naming every page that could not be read, so that all are told at once.
    """
    errors: list[PageError] = []
    batch: list[Page] = []
    for file in files:
        try:
            batch.append(read_page(file, observed_on))
        except PageError as error:
            errors.append(error)
        if len(batch) == batch_size:
            yield batch
            batch = []
    if errors:
        raise UnreadablePages(errors)
    if batch:
        yield batch


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
        ) from None
    return Page(
        file.source, observed_on or date_in_name(file.source), hashlib.sha256(data).hexdigest(), len(data), text
    )


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
    if path == STANDARD_INPUT:
        yield PageFile(place, STANDARD_INPUT)
    elif place.is_dir():
        yield from _pages_in(place)
    elif place.exists():
        yield PageFile(place, place.name)
    else:
        yield from _matches(path)


def _pages_in(folder: Path) -> Iterator[PageFile]:
    files = [file for file in sorted(folder.rglob("*")) if file.name.endswith(ENDINGS) and file.is_file()]
    visible = [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
    if not visible:
        raise UsageError(f"{folder}: no pages in this folder, expected files ending in {', '.join(ENDINGS)}")
    yield from (PageFile(file, file.relative_to(folder).as_posix()) for file in visible)


def _matches(pattern: str) -> Iterator[PageFile]:
    matches = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []  # noqa: PTH207  keeps the path as given
    files = [Path(match) for match in matches if Path(match).is_file()]
    if not files:
        raise UsageError(
            f"{pattern}: no such file or folder; give a saved page, a folder of pages, or - for standard input"
        )
    yield from (PageFile(file, file.name) for file in files)


def _read_bytes(file: PageFile) -> bytes:
    try:
        if file.source == STANDARD_INPUT:
            return _limited(file.source, sys.stdin.buffer)
        with pa.input_stream(str(file.path), compression="detect") as stream:
            return _limited(file.source, stream)
    except OSError as error:
        problem = error.strerror or str(error)
        raise PageError(file.source, f"cannot be read ({problem}); check the file and its permissions") from error


def _limited(source: str, stream: BinaryIO | pa.NativeFile) -> bytes:
    data: bytes = stream.read(LONGEST_PAGE + 1)
    if len(data) > LONGEST_PAGE:
        raise PageError(
            source,
            f"larger than {LONGEST_PAGE >> 20} MiB (byte {LONGEST_PAGE}), expected one saved page; split it or leave it out",
        )
    return data
