"""Pack pages into shards: Parquet files with `source`, `text` and `observed_on` in each row, read like the pages themselves.

In: pages, as `build` takes them. Out: a new folder of shards, all of them or none. Equal pages give equal bytes. Pages are read
one by one, so that few megabytes of them are in memory.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import BadData, PageError, UsageError, refusal
from etl.extract.archives import batches, names_in, read_parts
from etl.extract.page import Page
from etl.extract.reading import PageFile, read_or_error, saved_on
from etl.extract.sources import find_pages
from etl.printable import path_text
from etl.progress import Progress
from schemas.limits import COMPRESSED_ARCHIVE, ROW_BYTES, SOURCE_LETTERS

SHARD_BYTES = COMPRESSED_ARCHIVE // 2
"""Bytes of pages in a shard, but for a larger page: so many are read, however well they are compressed."""
GROUP_BYTES = 4 << 20
"""Bytes of pages that are in memory and written at once, but for a larger page."""
_TYPES: dict[str, pa.DataType] = {"source": pa.string(), "text": pa.string(), "observed_on": pa.date32()}
_SCHEMA = pa.schema(_TYPES)
_SHOWN_ERRORS = 20


@dataclass(frozen=True)
class Packed:
    """What was packed: pages, shards, the bytes of both, and a line for each file that was left out."""

    pages: int
    shards: int
    page_bytes: int
    shard_bytes: int
    left_out: Sequence[str]


def pack(paths: Sequence[str], out: Path, progress: Progress, *, allow_unreadable: bool = False) -> Packed:
    """Pack the pages of files, folders, patterns, archives and shards into a new folder.

    Raises `BadData`, a line for each, for pages that cannot be read, unless they may be left out; `UsageError` for paths without
    pages and for a folder that exists or cannot be written.
    """
    _require_new(out)
    files = chain.from_iterable(map(read_parts, progress.each("Packing pages", batches(find_pages(paths)))))
    errors: list[str] = []
    pages = size = 0
    with _new_folder(out) as draft:
        for page in _write(_placed(_readable(files, errors)), draft):
            pages, size = pages + 1, size + page.size
        _require_good(errors, pages, allow_unreadable=allow_unreadable)
        written = [shard.stat().st_size for shard in draft.iterdir()]
    return Packed(pages, len(written), size, sum(written), errors)


def _require_new(out: Path) -> None:
    shown = path_text(str(out))
    if os.path.lexists(out):
        raise UsageError(f"{shown}: found a file or folder, expected a new folder; give another with -o")
    if saved_on([f"{out.name}/"])[0]:
        raise UsageError(
            f"{shown}: found a date in the folder's name, which would be the day of saving of pages without one;"
            " give another folder with -o"
        )


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder that becomes `out` at the end of the block; after an error nothing is left."""
    try:
        existing = next(folder for folder in out.absolute().parents if folder.is_dir())
        with TemporaryDirectory(prefix=".pack-", dir=existing) as hidden:
            draft = Path(hidden) / "shards"
            draft.mkdir()
            yield draft
            out.parent.mkdir(parents=True, exist_ok=True)
            draft.rename(out)
    except OSError as error:
        raise refusal(error, "cannot be written", "give another folder with -o", path_text(str(out))) from error


def _readable(files: Iterable[PageFile | PageError], errors: list[str]) -> Iterator[Page]:
    """The pages that can be read; the errors of the others are added to `errors`."""
    for file in files:
        page = file if isinstance(file, PageError) else read_or_error(file, None)
        if isinstance(page, Page) and len(page.source) > SOURCE_LETTERS:
            found = f"found a name of {len(page.source):,} letters, expected {SOURCE_LETTERS:,} at most; rename it"
            page = PageError(page.source, found)
        if isinstance(page, PageError):
            errors.append(str(page))
        else:
            yield page


@dataclass(frozen=True)
class _Place:
    """Where a page goes: the shard and the group of rows in it, by number. A large page is alone in its shard."""

    shard: int
    group: int
    is_large: bool


def _placed(pages: Iterable[Page]) -> Iterator[tuple[_Place, Page]]:
    """The pages in order, each with its place."""
    shard = filled = 0
    for page in pages:
        size = ROW_BYTES + len(page.source.encode()) + page.size
        if filled and filled + size > SHARD_BYTES:
            shard, filled = shard + 1, 0
        yield _Place(shard, filled // GROUP_BYTES, size > SHARD_BYTES), page
        filled += size


def _write(placed: Iterable[tuple[_Place, Page]], folder: Path) -> Iterator[Page]:
    """Write pages into shards, and pass them on once they are written."""
    for (number, is_large), shard in groupby(placed, key=lambda row: (row[0].shard, row[0].is_large)):
        path = folder / f"pages-{number:05}.parquet"
        codec: Literal["none", "zstd"] = (
            "none" if is_large else "zstd"
        )  # a large page that compresses well would be taken for a bomb
        with pq.ParquetWriter(path, _SCHEMA, compression=codec, use_dictionary=False, write_statistics=False) as file:
            for _, group in groupby(shard, key=lambda row: row[0].group):
                pages = [page for _, page in group]
                file.write_table(_table(pages))
                yield from pages


def _table(pages: Sequence[Page]) -> pa.Table:
    values: dict[str, list[Any]] = {
        "source": [page.source for page in pages],
        "text": [page.text for page in pages],
        "observed_on": [_stated_day(page) for page in pages],
    }
    return pa.table({field.name: pa.array(values[field.name], field.type) for field in _SCHEMA})


def _stated_day(page: Page) -> date | None:
    """The day in a page's row: none where its name has a date that is invalid, which a row with a day would not report.

    >>> from dataclasses import replace
    >>> page = Page("ann@2026-06-01.txt", date(2026, 6, 1), "", 8, "Ann Bell")
    >>> _stated_day(page), _stated_day(replace(page, source="ann@1.6.2026.txt", observed_on=None, odd_date="1.6.2026"))
    (datetime.date(2026, 6, 1), None)
    """
    by_name = saved_on(names_in(page.source)) == (page.observed_on, page.odd_date)
    return None if page.odd_date and by_name else page.observed_on


def _require_good(errors: Sequence[str], pages: int, *, allow_unreadable: bool) -> None:
    if errors and not allow_unreadable:
        rest = len(errors) - _SHOWN_ERRORS
        raise BadData(*errors[:_SHOWN_ERRORS], *([f"and {rest:,} more that cannot be read"] if rest > 0 else []))
    if not pages:
        raise BadData(
            *errors[:_SHOWN_ERRORS], "none of the files could be read, expected one page at least; nothing is written"
        )
