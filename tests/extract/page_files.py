"""Files that hold pages: written, compressed, found and read."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa

from etl.errors import PageError
from etl.extract.page import Page
from etl.extract.reading import PageFile, read_or_error, read_page
from etl.extract.sources import find_pages

TEXT = "Ann Bell\n\nCL\n\n李伟"
DATA = TEXT.encode()


def zst(data: bytes) -> bytes:
    """The data compressed as Zstandard."""
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def write(path: Path, data: bytes = DATA) -> Path:
    """A file of this data, with the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def sources(*paths: Path | str) -> list[str]:
    """The names under which the pages of these paths are known."""
    return [file.source for file in find_pages([str(path) for path in paths])]


def read(path: Path) -> Page:
    """The one page that the path leads to."""
    (file,) = find_pages([str(path)])
    return read_page(file)


def read_pages(files: Iterable[PageFile], observed_on: date | None = None) -> list[Page | PageError]:
    """What each file holds, in turn: a page or an error."""
    return [read_or_error(file, observed_on) for file in files]
