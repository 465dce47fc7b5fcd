"""Text in a file on the local disk in place of memory: a column whose letters are read where they are looked at.

In: texts, one by one. Out: a polars column. The file has no name, so that nothing of it is left however the process ends.
"""

import mmap
import tempfile
import threading
import weakref
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import polars as pl
import pyarrow as pa

from etl.errors import SCRATCH_ADVICE, refusal

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
        self._file = tempfile.TemporaryFile(prefix="paperledger-")  # noqa: SIM115  closed at the end of the block
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
        """All texts in order; rows and columns made of them refer to the file too."""
        with _failures_reported():
            self._file.flush()
        size = self._ends[-1]
        data = _mapped(self._file.fileno(), size) if size else b""
        buffers = [None, pa.py_buffer(self._ends), pa.py_buffer(data)]
        texts = pa.Array.from_buffers(pa.large_string(), len(self._ends) - 1, buffers)
        return pl.Series(texts, dtype=pl.String)


@contextmanager
def _failures_reported() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise refusal(error, "cannot be written", SCRATCH_ADVICE, "temporary file") from error


def _mapped(file: int, size: int) -> mmap.mmap:
    """The bytes of a file, of which few are in memory at a time."""
    data = mmap.mmap(file, size, prot=mmap.PROT_READ)
    threading.Thread(target=_give_back, args=(weakref.ref(data),), daemon=True).start()
    return data


def _give_back(data: "weakref.ref[mmap.mmap]") -> None:
    """Give the memory of a file's pages back as long as it is mapped: the system does so only where memory is short."""
    pause = threading.Event()
    while mapped := data():
        mapped.madvise(mmap.MADV_DONTNEED)
        del mapped
        pause.wait(_SECONDS)
