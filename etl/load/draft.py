"""The draft of a release: its tables in a hidden folder, as Parquet files and as a database that is made of these.

In: tables, as soon as their rows are known. Out: the files. Many rows are written while the checks run: Parquet by a thread,
since Arrow works without the interpreter's lock, and the database by a process of its own. Nothing of a draft is published
unless it is finished.
"""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from threading import Event

import polars as pl

from etl.load.layout import DATABASE_FILE, PAPER_LIST_FILE
from etl.load.parquet import paper_list, read_batches, write_parquet
from etl.load.sqlite import Batches, begin_database, finish_database
from schemas import RESULT_TABLES, TABLES, Frames, PaperList, Table

MANY = 100_000
"""Rows that are written while the checks run: a process of its own starts in a second."""
_READ = 2_000
"""Rows that are read at a time."""
Write = Callable[[Path], None]
Beside = Callable[[Write], AbstractContextManager[Write]]
"""Takes a function, and runs it in a process of its own until the end of the block."""


class Draft:
    """The files of a release's tables in a folder, until the end of a stack, which ends what writes them.

    `beside` runs a function in a process of its own; without it all is written by `finish`.
    """

    def __init__(self, folder: Path, beside: Beside | None, stack: ExitStack) -> None:
        self.folder = folder
        self.rows: dict[str, int] = {}
        """The number of rows of each Parquet file by name."""
        self._beside = beside
        self._threads = stack.enter_context(ThreadPoolExecutor(max_workers=2))
        self._process = stack.enter_context(ExitStack())
        self._stopped = Event()
        stack.callback(self._stopped.set)  # Before the process ends, so that no further file is begun.
        self._begun: Future[None] | None = None

    def begin(self, tables: Frames) -> None:
        """Write the tables other than `RESULT_TABLES` from now on, if they are large; what goes wrong is raised by `finish`."""
        if self._beside and sum(frame.height for frame in tables.values()) > MANY:
            write = self._process.enter_context(self._beside(write_begun))
            self._begun = self._threads.submit(self._write, tables, write)

    def finish(self, tables: Frames) -> None:
        """Write all tables that are not begun, and wait for those that are."""
        listed = self._threads.submit(lambda: self._write_file(PAPER_LIST_FILE, PaperList, paper_list(tables)))
        if self._begun:
            self._begun.result()
            self._process.close()
        else:
            self._write({name: frame for name, frame in tables.items() if name not in RESULT_TABLES}, write_begun)
        listed.result()
        self._write_files({name: tables[name] for name in RESULT_TABLES})
        finish_database(self.folder / DATABASE_FILE, batches_of(self.folder, RESULT_TABLES))

    def _write(self, tables: Frames, write: Write) -> None:
        self._write_files(tables)
        write(self.folder)

    def _write_files(self, tables: Frames) -> None:
        for name, frame in tables.items():
            self._write_file(f"{name}.parquet", TABLES[name], frame)

    def _write_file(self, name: str, model: type[Table], frame: pl.DataFrame) -> None:
        if not self._stopped.is_set():  # An interrupt leaves little time.
            write_parquet(self.folder / name, model, frame)
            self.rows[name] = frame.height


def write_begun(folder: Path) -> None:
    """Make the database of a folder's Parquet files, without the `RESULT_TABLES`."""
    begin_database(folder / DATABASE_FILE, batches_of(folder, [name for name in TABLES if name not in RESULT_TABLES]))


def write_whole(folder: Path, application_id: int) -> None:
    """Make the database of a folder's Parquet files, with an application's number in its header."""
    write_begun(folder)
    finish_database(folder / DATABASE_FILE, batches_of(folder, RESULT_TABLES), application_id)


def batches_of(folder: Path, names: Collection[str]) -> Batches:
    """The rows of tables in a folder's Parquet files, which are read when they are asked for, few at a time."""
    return {name: read_batches(folder / f"{name}.parquet", _READ) for name in names}
