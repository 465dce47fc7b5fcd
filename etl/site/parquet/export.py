"""Run SQL and write its whole answer to a Parquet file, in memory that does not grow with the answer.

In: a way to connect, what is asked, limits, a sign to stop. Out: an open file without a name, which nobody has to remove.
Types are known only when all rows were seen, so rows go to a file first (`Spool`) and from there to Parquet.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from io import BufferedRandom
from tempfile import TemporaryFile
from threading import Event
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from datasette.database import QueryInterrupted

from etl.site.parquet.asked import Asked
from etl.site.parquet.columns import Column, distinct
from etl.site.parquet.limits import BUSY, Limits, Refused
from etl.site.parquet.origins import Origin, columns_read, origins
from etl.site.safety.clock import WATCH, Connection
from etl.site.safety.database import Busy, reason

Connect = Callable[[], Connection]
_ROWS = 20_000
_LETTERS = 4 << 20
"""Rows and letters (or bytes of blobs) of a batch, which is one row group of the file."""
_NO_MEMORY = (
    "sorting or grouping this takes more memory than the site gives; ask for fewer rows or columns,"
    " or take the release's own files, which DuckDB sorts"
)
_LARGEST_ROW = 16 << 20
"""Letters of one row: it is in memory several times until it is written."""


@dataclass(frozen=True)
class Export:
    """One export: what to run, where, within which limits, and what to say of it in the file."""

    connect: Connect
    asked: Asked
    limits: Limits
    words: Mapping[Any, Any]

    def __call__(self, stop: Event) -> BufferedRandom:
        """The Parquet file; raises `Refused` where there is none to be had, `Stopped` after the sign to stop."""
        with TemporaryFile() as spool:
            try:
                columns, lengths = self._spool(spool, stop)
            except OverflowError as error:  # a number in the address that SQLite cannot hold
                raise Refused(400, f"SQLite says: {error}") from error
            except MemoryError as error:
                raise Refused(413, _NO_MEMORY) from error
            spool.seek(0)
            return _write(columns, (spool.read(length) for length in lengths), self.words, stop)

    def _spool(self, spool: BufferedRandom, stop: Event) -> tuple[list[Column], list[int]]:
        """Write the answer's rows to a file, batch by batch; its columns, and the length of each batch."""
        with closing(self.connect()) as connection:
            reads = columns_read(connection, self.asked.sql, self.asked.parameters)
        with closing(self.connect()) as connection:
            try:
                with WATCH.watching(connection, self.limits.seconds, stop, is_costly=True):
                    cursor = connection.execute(self.asked.sql, self.asked.parameters)
                    known = origins(reads, self.asked.page)
                    names = [name for name, *_ in cursor.description]
                    columns = [
                        Column(new, known.get(name, Origin())) for name, new in zip(names, distinct(names), strict=True)
                    ]
                    return columns, [_keep(batch, columns, spool) for batch in self._batches(cursor, spool)]
            except sqlite3.Error as error:
                raise _refusal(reason(connection, error), self.limits, stop) from error

    def _batches(self, cursor: sqlite3.Cursor, spool: BufferedRandom) -> Iterator[list[Any]]:
        """The rows in batches that fit in memory; raises `Refused` where there are more than the limits allow."""
        rows: list[Any] = []
        count = letters = 0
        for row in cursor:
            size = sum(len(value) for value in row if isinstance(value, str | bytes))
            if size > _LARGEST_ROW:
                del row, rows  # else the error would keep them
                raise Refused(413, f"a row of more than {_LARGEST_ROW >> 20} MiB; ask for fewer columns")
            rows.append(row)
            letters += size
            if len(rows) == _ROWS or letters > _LETTERS:
                count += len(rows)
                yield rows
                self._require_little(count, spool.tell())
                rows, letters = [], 0
        if rows:
            yield rows
            self._require_little(count + len(rows), spool.tell())

    def _require_little(self, rows: int, size: int) -> None:
        if rows > self.limits.rows:
            raise Refused(413, f"more than {self.limits.rows:,} rows; ask for fewer, or take the release's own files")
        if size > self.limits.megabytes << 20:
            raise Refused(
                413, f"more than {self.limits.megabytes:,} MiB; ask for less, or take the release's own files"
            )


class Stopped(Exception):
    """Nobody waits for the file any more."""


def _keep(rows: list[Any], columns: list[Column], spool: BufferedRandom) -> int:
    """Look at a batch, and write it to the file; its length there."""
    values = list(zip(*rows, strict=True))
    for column, cells in zip(columns, values, strict=True):
        column.look(cells)
    return spool.write(msgspec.msgpack.encode(values))


def _write(columns: list[Column], batches: Iterator[bytes], words: Mapping[Any, Any], stop: Event) -> BufferedRandom:
    schema = pa.schema([column.field for column in columns], metadata=dict(words))
    with ExitStack() as closed_on_error:
        file = closed_on_error.enter_context(TemporaryFile())
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                if stop.is_set():
                    raise Stopped
                values = msgspec.msgpack.decode(batch)
                arrays = [column.array(cells) for column, cells in zip(columns, values, strict=True)]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
        file.flush()
        closed_on_error.pop_all()
    return file


def _refusal(error: Exception, limits: Limits, stop: Event) -> Exception:
    if stop.is_set():
        return Stopped()
    if isinstance(error, Busy):
        return Refused(BUSY, "the site needs its memory for pages; try again in a few seconds")
    if isinstance(error, QueryInterrupted):
        return Refused(400, f"the query took more than {limits.seconds:g} seconds; ask for less")
    return Refused(400, f"SQLite says: {error}")
