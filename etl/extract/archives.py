"""Pages in archives and shards: a tar's members, the lines of JSON Lines and the rows of Parquet are read as streams.

In: files as they were found. Out: batches of pages, bounded in number and bytes. Those of a tar and of JSON Lines bring their
text; of Parquet, a batch names the row groups that a worker then reads (`read_parts`). Nothing is extracted to disk. A row has
`source` and `text`, and perhaps `observed_on`.
"""

import io
import os
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from typing import Annotated, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import PageError, UsageError
from etl.extract.reading import (
    NOT_WHOLE,
    PAGE_ENDINGS,
    TOO_LARGE,
    PageFile,
    codec_of,
    decompressed,
    is_page,
    read_bytes,
)
from etl.printable import cut, path_text
from schemas.limits import (
    BATCH_BYTES,
    BATCH_PAGES,
    COMPRESSED_ARCHIVE,
    COMPRESSED_TIMES,
    LONGEST_JSON,
    LONGEST_PAGE,
    ROW_BYTES,
    SOURCE_LETTERS,
)


@dataclass(frozen=True)
class ShardPart:
    """Row groups of a Parquet shard, from `start` until `end`, one of its `parts`.

    `row` rows are before them; they have `compressed` bytes in the file, and unpack to about `size`.
    """

    file: PageFile
    start: int
    end: int
    row: int
    size: int = 0
    compressed: int = 0
    parts: int = 1

    @property
    def largest(self) -> int:
        """The bytes to which they may unpack: all parts together to about as many as another archive."""
        return max(COMPRESSED_ARCHIVE // self.parts, COMPRESSED_TIMES * self.compressed)


Page = PageFile | PageError
Found = PageFile | PageError | ShardPart
_LARGE_PART = 2 * BATCH_BYTES
"""Bytes of a row group beyond which its rows are batched as they are read: a worker would return them all at once."""
_NEEDED = ["source", "text"]
_PIECE = 1 << 20
_SHOWN = 80
_ROWS = 8
"""Rows of Parquet decompressed at once: few, since all may repeat one long value."""
_SHAPE = 'expected {"source": "ann@2026-06-01.txt", "text": "Ann Bell…"}, perhaps with "observed_on": "2026-06-01"'
_NO_PAGE = f"found no page in it, expected rows, or files ending in {', '.join(PAGE_ENDINGS)}; leave it out"


class _Row(msgspec.Struct):
    """A row of a shard; its text apart, which may be bytes."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=SOURCE_LETTERS, pattern=r"^[^\x00]*$")]
    observed_on: date | None = None


class _Line(_Row, kw_only=True):
    """A line of JSON Lines."""

    text: str


def batches(files: Iterable[PageFile]) -> Iterator[list[Found]]:
    """The files, with the pages in archives and shards in place of these, in batches for one worker each.

    >>> pages = [PageFile("ann.txt", "ann.txt"), PageFile("cy.txt", "cy.txt", size=BATCH_BYTES), PageFile("x", "x")]
    >>> [len(batch) for batch in batches(pages)]
    [2, 1]
    """
    batch: list[Found] = []
    size = 0
    for found in chain.from_iterable(map(_found_in, files)):
        batch.append(found)
        size += 0 if isinstance(found, PageError) else found.size
        if size >= BATCH_BYTES or len(batch) == BATCH_PAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def named_only(batches: Iterable[list[Found]]) -> Iterator[list[Found]]:
    """The batches, with the whole paths of their files; raises `UsageError` at a page that brings its text.

    >>> [[file]] = named_only([[PageFile("ann.txt", "ann.txt")]])
    >>> isinstance(file, PageFile) and os.path.isabs(file.path)
    True
    """
    for batch in batches:
        yield [_named(found) for found in batch]


def _named(found: Found) -> Found:
    if isinstance(found, PageError):
        return found
    if isinstance(found, ShardPart):
        return replace(found, file=replace(found.file, path=os.path.abspath(found.file.path)))  # noqa: PTH100  not UTF-8
    if found.data is not None:
        raise UsageError(
            f"{found.path}: found a page in a large row group, an archive, JSON Lines or standard input, expected files that"
            " each worker can read for itself; pack the pages into shards, with paperledger pack"
        )
    return replace(found, path=os.path.abspath(found.path))  # noqa: PTH100  as above


def require_there(batch: Iterable[Found]) -> None:
    """Raise `FileNotFoundError` for a file that was listed on another machine and is not on this one.

    >>> require_there([PageFile("no/ann.txt", "ann.txt")])
    Traceback (most recent call last):
    FileNotFoundError: no/ann.txt: not found by a worker; the driver and all workers must have the pages at the same path
    """
    for found in batch:
        if not isinstance(found, PageError):
            path = found.file.path if isinstance(found, ShardPart) else found.path
            if not os.path.lexists(path):
                raise FileNotFoundError(
                    f"{path}: not found by a worker; the driver and all workers must have the pages at the same path"
                )


def read_parts(batch: Iterable[Found]) -> Iterator[Page]:
    """The pages of a batch, those of row groups read now; an error where these are damaged.

    >>> [file.source for file in read_parts([PageFile("ann.txt", "ann.txt")])]
    ['ann.txt']
    """
    for found in batch:
        if isinstance(found, ShardPart):
            yield from _rows(found)
        else:
            yield found


def is_other_table(path: str) -> bool:
    """Whether a file is JSON Lines or Parquet without `text`, by its first line or schema; no damaged file is."""
    reader = _reader_of(path)
    try:
        if reader is _lines:
            with _decompressing(PageFile(path, path)) as stream:
                return "text" not in msgspec.json.decode(stream.readline(LONGEST_JSON), type=dict[str, msgspec.Raw])
        if reader is _parts:
            with open(path, "rb") as file:  # noqa: PTH123  a name that is not UTF-8 too
                return "text" not in pq.read_schema(file).names
    except (PageError, pa.ArrowException, OSError, ValueError, RecursionError):
        return False
    return False


def _found_in(file: PageFile) -> Iterator[Found]:
    """The file itself where it is one page; else the pages in it, and an error where it is damaged or has none."""
    reader = _reader_of(file.path)
    try:
        if file.is_standard_input:  # a worker has another
            yield PageFile(file.path, file.source, data=read_bytes(file))
        elif reader is None or file.refused:
            yield file
        else:
            pages = reader(file)
            yield next(pages, None) or PageError(file.source, _NO_PAGE)
            yield from pages
    except PageError as error:
        yield error.with_traceback(None)


def _page_in(file: PageFile, name: str, source: str, data: bytes, observed_on: date | None = None) -> Page:
    """A page of this name in an archive or a shard."""
    if len(data) > LONGEST_PAGE:
        return PageError(source, TOO_LARGE)
    names = (*names_in(name), *file.names)
    return PageFile(f"{file.path}/{name}", source, names, len(data), data=data, observed_on=observed_on)


def names_in(path: str) -> tuple[str, str]:
    """The names in a path that may contain the day of saving, as `PageFile.names` has them: the file's and its folder's.

    >>> names_in("2026/pages/ann.txt"), names_in("ann.txt")
    (('ann.txt', 'pages/'), ('ann.txt', '/'))
    """
    folder, _, name = path.rpartition("/")
    return name, f"{folder.rpartition('/')[2]}/"


class _Decompressed(io.RawIOBase):
    """The bytes of a file as they are decompressed; raises `PageError` at more than a file of its size has."""

    def __init__(self, file: PageFile, stream: Any, largest: int) -> None:
        self._file, self._stream, self._largest = file, stream, largest
        self._position = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        read: int = self._stream.readinto(buffer)
        self._position += read
        _require_size(self._file, self._position, self._largest)
        return read


class _Stream(io.BufferedReader):
    """A stream that seeks forward only, and reads no more at once than a page may have; `last` is what it read last."""

    last = b""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= LONGEST_PAGE + tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"found a size of {size} bytes")
        self.last = super().read(size)
        return self.last

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self.tell():
            raise tarfile.ReadError("found a size below 0")
        while (left := offset - self.tell()) and self.read(min(left, _PIECE)):
            pass
        return self.tell()


@contextmanager
def _decompressing(file: PageFile) -> Iterator[_Stream]:
    """The decompressed stream of a file; errors in the block become a `PageError` with the place that was reached."""
    place = ""
    try:
        with open(file.path, "rb", buffering=0) as compressed:  # noqa: PTH123  a name that is not UTF-8 too
            codec = codec_of(file.path)
            plain = pa.CompressedInputStream(compressed, codec) if codec else compressed
            largest = _largest(os.fstat(compressed.fileno()).st_size) if codec else sys.maxsize
            stream = _Stream(_Decompressed(file, plain, largest), _PIECE)
            try:
                yield stream
            finally:
                place = f"byte {stream.tell():,}: "
    except (tarfile.TarError, OSError, ValueError, LookupError, OverflowError, RecursionError) as error:
        raise _damaged(file, error, place) from None


def _largest(compressed: int) -> int:
    return max(COMPRESSED_ARCHIVE, COMPRESSED_TIMES * compressed)


def _require_size(file: PageFile, size: int, largest: int) -> None:
    if size > largest:
        found = f"unpacks to more than {largest:,} bytes, over {COMPRESSED_TIMES} times as many as it has"
        raise PageError(
            file.source, f"{found}; expected saved pages, which unpack to a few times their size; leave it out"
        )


def _damaged(file: PageFile, error: Exception, place: str) -> PageError:
    words = (isinstance(error, OSError) and error.strerror) or str(error)
    return PageError(file.source, f"{place}cannot be read ({words}); {NOT_WHOLE}")


def _members(file: PageFile) -> Iterator[Found]:
    """The members of a tar that are named as the pages of a folder are, and an error for each that is no plain file in it."""
    with _decompressing(file) as stream, tarfile.TarFile(fileobj=stream, encoding="utf-8") as tar:
        while member := tar.next():
            tar.members.clear()  # type: ignore[attr-defined]  # or all are in memory
            if refused := _why_refused(member):
                yield PageError(f"{file.source}/{path_text(member.name)[:SOURCE_LETTERS]}", refused)
            elif member.isreg() and is_page(member.name):
                yield _member(file, member, stream)
        if stream.last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("found no member or end of an archive")
        while rest := stream.read(_PIECE):
            if rest.strip(b"\0"):
                raise tarfile.ReadError("found more behind the end of the archive")


def _why_refused(member: tarfile.TarInfo) -> str | None:
    """Why a member is not read: it is not extracted, so that no harm is done, but no tool for saved pages writes such."""
    if not (member.isreg() or member.isdir()) or member.issparse():
        found = "a link" if member.issym() or member.islnk() else "a device, a pipe or a file with holes"
        return f"found {found}, expected a saved page; pack the archive again without it"
    if member.name.startswith("/") or ".." in member.name.split("/"):
        return "found a path that leads out of the archive; pack the archive again, with paths within one folder"
    if len(member.name) > SOURCE_LETTERS:
        return f"found a path of {len(member.name):,} letters, expected {SOURCE_LETTERS:,} at most; rename it"
    return None


def _member(file: PageFile, member: tarfile.TarInfo, stream: _Stream) -> Page:
    name = "/".join(part for part in path_text(member.name).split("/") if part not in {"", "."})
    source = f"{file.source}/{name}"
    if member.size > LONGEST_PAGE:
        return PageError(source, TOO_LARGE)
    data = stream.read(member.size)
    if len(data) < member.size:
        raise tarfile.ReadError("unexpected end of data")
    try:
        return _page_in(file, name, source, decompressed(source, name, io.BytesIO(data), len(data)))
    except PageError as error:
        return error.with_traceback(None)
    except OSError as error:
        return _damaged(PageFile(name, source), error, "")


def _lines(file: PageFile) -> Iterator[Found]:
    """The pages in the lines of JSON Lines."""
    with _decompressing(file) as stream:
        for number, line in enumerate(iter(partial(stream.readline, LONGEST_JSON + 1), b""), 1):
            if not line.isspace():
                row = _line(file, number, line)
                yield _page_in(file, row.source, row.source, row.text.encode(), row.observed_on)


def _line(file: PageFile, number: int, line: bytes) -> _Line:
    try:
        if len(line) <= LONGEST_JSON:
            return msgspec.json.decode(line, type=_Line)
        found = f"more than {LONGEST_JSON:,} bytes"
    except (ValueError, RecursionError) as error:
        found = f"{cut(line[: 4 * _SHOWN].decode(errors='replace').strip(), _SHOWN)} ({error})"
    raise PageError(
        file.source,
        f"line {number:,}: found {found}, {_SHAPE}; correct the line, since those behind it are not read",
        number,
    )


def _parts(file: PageFile) -> Iterator[Found]:
    """The row groups of Parquet, together where they are small; the pages of those that are large."""
    with _reading(file) as shard:
        _columns(file, shard)
        groups = [shard.metadata.row_group(number) for number in range(shard.num_row_groups)]
        largest = _largest(os.stat(file.path).st_size)  # noqa: PTH116  as above
        _require_size(file, sum(group.total_byte_size for group in groups), largest)
        parts = list(_grouped(file, groups))
    for part in parts:
        bounded = replace(part, parts=len(parts))
        if part.size > _LARGE_PART:
            yield from _rows(bounded)
        else:
            yield bounded


def _grouped(file: PageFile, groups: Sequence[pq.RowGroupMetaData]) -> Iterator[ShardPart]:
    """Parts with the bytes of a batch, or of one row group."""
    part, rows = ShardPart(file, 0, 0, 0), 0
    for number, group in enumerate(groups):
        size = group.total_byte_size + ROW_BYTES * group.num_rows
        if part.size and part.size + size > BATCH_BYTES:
            yield part
            part = ShardPart(file, number, number, rows)
        compressed = sum(group.column(place).total_compressed_size for place in range(group.num_columns))
        part = replace(part, end=number + 1, size=part.size + size, compressed=part.compressed + compressed)
        rows += group.num_rows
    if rows > part.row:
        yield part


def _rows(part: ShardPart) -> Iterator[Page]:
    """The pages in row groups of Parquet, and an error where they are damaged."""
    number, size = part.row, 0
    try:
        with _reading(part.file, lambda: f"behind row {number:,}: ") as shard:
            columns, groups = _columns(part.file, shard), list(range(part.start, part.end))
            for batch in shard.iter_batches(_ROWS, groups, columns, use_threads=False):
                for source, text, day in zip(*_values(batch), strict=True):
                    number += 1
                    size += ROW_BYTES + len(text or b"")
                    _require_size(part.file, size, part.largest)
                    yield _row(part.file, number, source, text, day)
    except PageError as error:
        yield error.with_traceback(None)


@contextmanager
def _reading(file: PageFile, place: Callable[[], str] = lambda: "behind row 0: ") -> Iterator[pq.ParquetFile]:
    """An open shard; errors in the block become a `PageError` with the `place` that was reached."""
    try:
        with (
            open(file.path, "rb") as stream,  # noqa: PTH123  a name that is not UTF-8 too
            pq.ParquetFile(stream, buffer_size=_PIECE, pre_buffer=False) as shard,
        ):
            yield shard
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _damaged(file, error, place()) from None


def _columns(file: PageFile, shard: pq.ParquetFile) -> list[str]:
    """The columns that are read; raises `PageError` where there is no source or text."""
    found = shard.schema_arrow
    if sorted(field.name for field in found if _is_text(field.type) and field.name in _NEEDED) != _NEEDED:
        columns = ", ".join(f"{field.name} ({field.type})" for field in found)
        raise PageError(
            file.source,
            f"found the columns {columns}; expected one source and one text (string), and perhaps an observed_on (date32)",
        )
    return [*_NEEDED, *(name for name in ("observed_on",) if found.names.count(name) == 1)]


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _values(batch: pa.RecordBatch) -> tuple[list[Any], list[Any], list[Any]]:
    """Sources, texts as bytes, and days of a batch of rows."""
    days = batch["observed_on"] if "observed_on" in batch.schema.names else pa.nulls(len(batch))
    if pa.types.is_temporal(days.type):
        days = days.cast(pa.date32())
    return batch["source"].to_pylist(), batch["text"].cast(pa.large_binary()).to_pylist(), days.to_pylist()


def _row(file: PageFile, number: int, source: str | None, text: bytes | None, day: Any) -> Page:
    try:
        row = msgspec.convert({"source": source, "observed_on": day}, _Row)
    except msgspec.ValidationError as error:
        raise PageError(
            file.source,
            f"row {number:,}: found no row of a page ({error}), {_SHAPE}; correct the row, since those behind it are not read",
        ) from None
    if text is None:
        raise PageError(
            file.source,
            f"row {number:,}: found no text for {source}, {_SHAPE}; correct the row, since those behind it are not read",
        )
    return _page_in(file, row.source, row.source, text, row.observed_on)


_READERS: dict[str, Callable[[PageFile], Iterator[Found]]] = {
    **{f".{ending}": _members for ending in ("tar", "tar.gz", "tgz", "tar.zst")},
    **{f".jsonl{compressed}": _lines for compressed in ("", ".gz", ".zst")},
    ".parquet": _parts,
}
ARCHIVE_ENDINGS = tuple(_READERS)
"""Endings of archives and shards, in any letter case."""


def _reader_of(name: str) -> Callable[[PageFile], Iterator[Found]] | None:
    found = (reader for ending, reader in _READERS.items() if name.lower().endswith(ending))
    return next(found, None)
