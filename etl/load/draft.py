"""The draft of a release: its tables in a hidden folder, as Parquet files and as a database that is made of these.

In: tables, as soon as their rows are known. Out: the files. Many rows are written while people are resolved and the checks run:
Parquet by a thread, since Arrow works without the interpreter's lock, and the database by a process of its own. Nothing of a
draft is published unless it is finished.
"""

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from threading import Event
from typing import NamedTuple

import polars as pl

from etl.load.layout import DATABASE_FILE, PAPER_LIST_FILE
from etl.load.parquet import paper_list, read_batches, write_parquet, write_words
from etl.load.sqlite import Batches, add_search, add_tables, begin_database, finish_database, searched_columns
from schemas import RESULT_TABLES, TABLES, Frames, PaperList, Table

MANY = 30_000
"""Listings that are worth a process of their own, which starts in a second."""
FIRST = ("listings", "quarantine")
"""The tables whose rows are known before those of people, in the order in which the database gets them."""
_SEARCHED = "papers"
"""The table whose search is known before its rows."""
_WORDS = ".words.parquet"
_READ = 2_000
"""Rows that are read at a time."""


class Part(NamedTuple):
    """What is added to the database in a folder: tables of Parquet files there, or the search of papers from a file's words."""

    folder: Path
    tables: tuple[str, ...] = ()
    words: str | None = None


Write = Callable[[Part], None]
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
        self._lister = stack.enter_context(ThreadPoolExecutor(max_workers=1))
        self._writer = stack.enter_context(ThreadPoolExecutor(max_workers=1))  # One part after another.
        self._process = stack.enter_context(ExitStack())
        self._stopped = Event()
        stack.callback(self._stopped.set)  # Before the process ends, so that no further file is begun.
        self._begun: list[Future[None]] = []
        self._write: Write = write_part

    def begin(self, tables: Frames, papers: pl.DataFrame) -> None:
        """Write the tables of `FIRST` and the search of papers from now on, if they are many; errors are raised by `finish`."""
        if self._beside and sum(frame.height for frame in tables.values()) > MANY:
            self._write = self._process.enter_context(self._beside(write_part))
            self._begun.append(
                self._writer.submit(self._write_first, tables, papers.select(searched_columns(_SEARCHED)))
            )

    def go_on(self, tables: Frames) -> None:
        """Write the other tables than those of `FIRST` and the `RESULT_TABLES` from now on, if a draft is begun."""
        if self._begun:
            self._begun.append(self._writer.submit(self._write_tables, tables, _rest(tables)))

    def finish(self, tables: Frames) -> None:
        """Write all tables that are not begun, and wait for those that are."""
        listed = self._lister.submit(lambda: self._write_file(PAPER_LIST_FILE, PaperList, paper_list(tables)))
        if not self._begun:
            self._write_files(tables, (*FIRST, *_rest(tables)))
            write_unchecked(self.folder)
        for part in self._begun:
            part.result()
        self._process.close()
        listed.result()
        self._write_files(tables, RESULT_TABLES)
        finish_database(self.folder / DATABASE_FILE, batches_of(self.folder, RESULT_TABLES))

    def _write_first(self, tables: Frames, searched: pl.DataFrame) -> None:
        words = self.folder / _WORDS
        if not self._stopped.is_set():
            write_words(words, searched)
        self._write(Part(self.folder, words=_WORDS))
        words.unlink(missing_ok=True)
        self._write_tables(tables, FIRST)

    def _write_tables(self, tables: Frames, names: tuple[str, ...]) -> None:
        self._write_files(tables, names)
        self._write(Part(self.folder, names))

    def _write_files(self, tables: Frames, names: Collection[str]) -> None:
        for name in names:
            self._write_file(f"{name}.parquet", TABLES[name], tables[name])

    def _write_file(self, name: str, model: type[Table], frame: pl.DataFrame) -> None:
        if not self._stopped.is_set():  # An interrupt leaves little time.
            write_parquet(self.folder / name, model, frame)
            self.rows[name] = frame.height


def _rest(tables: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in TABLES if name in tables and name not in (*FIRST, *RESULT_TABLES))


def write_part(part: Part) -> None:
    """Add a part to the database of a folder, or begin the database with the search of papers."""
    database = part.folder / DATABASE_FILE
    if part.words:
        begin_database(database)
        add_search(database, _SEARCHED, read_batches(part.folder / part.words, _READ))
    add_tables(database, batches_of(part.folder, part.tables))


def write_unchecked(folder: Path) -> None:
    """Make the database of a folder's Parquet files, without the `RESULT_TABLES`."""
    write_part(Part(folder, words=f"{_SEARCHED}.parquet"))
    write_part(Part(folder, FIRST))
    write_part(Part(folder, _rest(TABLES)))


def write_whole(folder: Path, application_id: int) -> None:
    """Make the database of a folder's Parquet files, with an application's number in its header."""
    write_unchecked(folder)
    finish_database(folder / DATABASE_FILE, batches_of(folder, RESULT_TABLES), application_id)


def batches_of(folder: Path, names: Collection[str]) -> Batches:
    """The rows of tables in a folder's Parquet files, which are read when they are asked for, few at a time."""
    return {name: read_batches(folder / f"{name}.parquet", _READ) for name in names}
