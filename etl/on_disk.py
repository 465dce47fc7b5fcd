"""Texts and frames in files on the local disk in place of memory: their values are read where they are looked at.

In: texts, one by one, or a frame. Out: a polars column, or an equal frame, of which few bytes are in memory at a time; so is
what is made of them without copying. The files have no names, so that nothing of them is left however the process ends.
"""

import mmap
import sys
import tempfile
import threading
import weakref
from array import array
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa

from etl.errors import SCRATCH_ADVICE, PublicationError, in_words

LEAST = 8 << 20
"""Bytes of the smallest frame, and of the shortest texts together, that are worth a file."""
_PREFIX = "paperledger-"
MOST = 192 << 20
"""Bytes of mapped files, libraries too, that may be in memory: to read 350 MB again from the system's cache takes 0.2 s."""
_SECONDS = 0.01
"""How often that is looked at."""
_TEXTS = 2_000
"""Texts that are read at once where each is anywhere in a file: 128 MB of mapped pages at most."""


class TextFile:
    """Texts that are appended to a file, numbered from 0, until the end of a block.

    >>> with TextFile() as file:
    ...     numbers = [file.append(b"They ring."), file.append(b"")]
    ...     texts = file.column()
    >>> numbers, texts.to_list()
    ([0, 1], ['They ring.', ''])
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(LEAST, prefix=_PREFIX)  # noqa: SIM115  closed at the end of the block
        self._ends = array("q", [0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; columns still refer to its pages."""
        with suppress(OSError):  # what could not be written is reported already
            self._file.close()

    def append(self, text: bytes) -> int:
        """Append a text in UTF-8; returns its number. Raises `PublicationError` where the disk is full."""
        with _failures_reported():
            self._file.write(text)
        self._ends.append(self._ends[-1] + len(text))
        return len(self._ends) - 2

    def extend(self, texts: pl.Series) -> None:
        """Append texts in order. Raises `PublicationError` where the disk is full."""
        with _failures_reported():
            self._file.write("".join(texts).encode())
        self._ends.extend((texts.str.len_bytes().cast(pl.Int64).cum_sum() + self._ends[-1]).to_list())

    def column(self) -> pl.Series:
        """All texts in order."""
        with _failures_reported():
            self._file.seek(0)
        is_small = self._ends[-1] <= LEAST
        data = pa.py_buffer(self._file.read()) if is_small else _mapped(self._file.fileno(), self._ends[-1])
        buffers = [None, pa.py_buffer(self._ends), data]
        texts = pa.Array.from_buffers(pa.large_string(), len(self._ends) - 1, buffers)
        return pl.Series(texts, dtype=pl.String)


def in_order(texts: pl.Series) -> pl.Series:
    """Texts from anywhere in a file, as a file of their own: to look at all of them reads it from start to end.

    In an order of their own each text maps 64 KB (the system reads ahead), so that a million are far more than the file.

    >>> in_order(pl.Series("abstract", ["They ring.", ""])).to_list()
    ['They ring.', '']
    """
    with TextFile() as file:
        for part in texts.to_frame().iter_slices(_TEXTS):
            file.extend(part.to_series())
            _RETURNED.give_back()
        return file.column().alias(texts.name)


def on_disk(frame: pl.DataFrame, apart: Collection[str] = (), *, in_pieces: bool = False) -> pl.DataFrame:
    """The frame with its columns in a file, but for those `apart`, which are there already; a small frame as it is.

    A frame `in_pieces` stays so: to join them takes as much memory as the frame. But wherever a column is added to one, it is
    joined. Raises `PublicationError` where the disk is full.

    >>> on_disk(pl.DataFrame({"title": ["On Bells"]}))["title"].to_list()
    ['On Bells']
    """
    rest = frame.drop(apart, strict=False)
    if rest.estimated_size() < LEAST:
        return frame
    with _failures_reported(), tempfile.TemporaryFile(prefix=_PREFIX) as file:
        rows = None if in_pieces else rest.height
        rest.write_ipc(file, compat_level=pl.CompatLevel.newest(), record_batch_size=rows)
        file.flush()
        table = pa.ipc.open_file(_mapped(file.fileno(), file.tell())).read_all()
    mapped = pl.DataFrame(pl.from_arrow(table, rechunk=False))
    return mapped.with_columns(frame.select(pl.col(name) for name in frame.columns if name in apart)).select(
        frame.columns
    )


@contextmanager
def _failures_reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublicationError(f"temporary file: cannot be written ({in_words(error)}); {SCRATCH_ADVICE}") from error


def _mapped(file: int, size: int) -> pa.Buffer:
    """The bytes of an open file, of which few are in memory at a time."""
    data = mmap.mmap(file, size, prot=mmap.PROT_READ)
    _RETURNED.add(data)
    return pa.py_buffer(data)


class _Returned:
    """Mapped files whose pages are given back where many are in memory: the system does so only where memory is short."""

    def __init__(self) -> None:
        self._files: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._runs = False

    def add(self, file: mmap.mmap) -> None:
        with self._lock:
            self._files.add(file)
            if not self._runs:
                threading.Thread(target=self._look, daemon=True).start()
                self._runs = True

    def give_back(self) -> None:
        """Give back the pages of all files that are mapped."""
        with self._lock:
            for file in self._files:
                file.madvise(mmap.MADV_DONTNEED)

    def _look(self) -> None:
        pause = threading.Event()
        while not pause.wait(_SECONDS):
            with self._lock:
                self._runs = len(self._files) > 0
                if not self._runs:
                    return
            if _resident() > MOST:
                self.give_back()


def _resident() -> int:
    """Bytes of mapped files that are in the memory of this process; more than any where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[2]) * mmap.PAGESIZE
    except OSError:
        return sys.maxsize


_RETURNED = _Returned()
