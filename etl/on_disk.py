"""Texts and frames in files on the local disk in place of memory: their values are read where they are looked at.

In: texts, one by one, or a frame. Out: a polars column, or an equal frame, of which few bytes are in memory at a time; so is
what is made of them without copying. The files have no names, so that nothing of them is left however the process ends.
"""

import mmap
import tempfile
import threading
import weakref
from array import array
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Self

import polars as pl
import pyarrow as pa

from etl.errors import SCRATCH_ADVICE, PublicationError, in_words

LEAST = 8 << 20
"""Bytes of the smallest frame that is worth a file."""
_SECONDS = 0.05
"""How long what was read may be in memory; to read it again from the system's cache takes 0.2 s for 350 MB."""


class TextFile:
    """Texts that are appended to a file, numbered from 0, until the end of a block.

    >>> with TextFile() as file:
    ...     numbers = [file.append(b"They ring."), file.append(b"")]
    ...     texts = file.column()
    >>> numbers, texts.to_list()
    ([0, 1], ['They ring.', ''])
    """

    def __init__(self) -> None:
        self._file = _new_file()
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

    def column(self) -> pl.Series:
        """All texts in order."""
        buffers = [None, pa.py_buffer(self._ends), _mapped(self._file, self._ends[-1])]
        texts = pa.Array.from_buffers(pa.large_string(), len(self._ends) - 1, buffers)
        return pl.Series(texts, dtype=pl.String)


def on_disk(frame: pl.DataFrame, apart: Collection[str] = ()) -> pl.DataFrame:
    """The frame with its columns in a file, but for those `apart`, which are there already; a small frame as it is.

    Raises `PublicationError` where the disk is full.

    >>> on_disk(pl.DataFrame({"title": ["On Bells"]}))["title"].to_list()
    ['On Bells']
    """
    rest = frame.drop(apart, strict=False)
    if rest.estimated_size() < LEAST:
        return frame
    with _new_file() as file:
        with _failures_reported():
            rest.write_ipc(file, compat_level=pl.CompatLevel.newest())
        table = pa.ipc.open_file(_mapped(file, file.tell())).read_all()
    mapped = pl.DataFrame(table)
    return mapped.with_columns(frame.select(pl.col(name) for name in frame.columns if name in apart)).select(
        frame.columns
    )


def _new_file() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="paperledger-")


@contextmanager
def _failures_reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublicationError(f"temporary file: cannot be written ({in_words(error)}); {SCRATCH_ADVICE}") from error


def _mapped(file: IO[bytes], size: int) -> pa.Buffer:
    """The bytes of a file, of which few are in memory at a time."""
    with _failures_reported():
        file.flush()
    if not size:
        return pa.py_buffer(b"")
    data = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
    _RETURNED.add(data)
    return pa.py_buffer(data)


class _Returned:
    """Mapped files whose pages are given back as long as there are any: the system does so only where memory is short."""

    def __init__(self) -> None:
        self._files: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._runs = False

    def add(self, file: mmap.mmap) -> None:
        with self._lock:
            self._files.add(file)
            if not self._runs:
                threading.Thread(target=self._give_back, daemon=True).start()
                self._runs = True

    def _give_back(self) -> None:
        pause = threading.Event()
        while not pause.wait(_SECONDS):
            with self._lock:
                for file in (files := list(self._files)):
                    file.madvise(mmap.MADV_DONTNEED)
                if not files:
                    self._runs = False
                    return
                del file, files


_RETURNED = _Returned()
