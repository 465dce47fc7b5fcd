"""The errors shown to users: one line for each problem, and the exit code of the command.

Each can be pickled, since pages are read in other processes than the one that reports.
"""

import errno
import sqlite3
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes of the command."""

    GOOD = 0
    BAD_DATA = 1
    USAGE = 2
    INTERNAL = 3
    PUBLICATION = 4
    INTERRUPTED = 130


class PaperledgerError(Exception):
    r"""An error, a line for each problem: where, what was found, what was expected, what to do next.

    >>> PaperledgerError("a\nb.txt: empty", "c.txt: empty").lines
    ('a\nb.txt: empty', 'c.txt: empty')
    """

    exit_code = Exit.INTERNAL

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each problem; a line break in one belongs to the name of a file."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        return "\n".join(self.lines)


class UsageError(PaperledgerError):
    """A request that cannot be carried out: a missing path, a folder without pages, an overrides file that is no TOML."""

    exit_code = Exit.USAGE


class PageError(PaperledgerError):
    """A page that cannot be read as text: empty, too large, or not UTF-8.

    >>> str(PageError("a.txt", "empty file, expected a saved page; save it again"))
    'a.txt: empty file, expected a saved page; save it again'
    """

    exit_code = Exit.BAD_DATA

    def __init__(self, source: str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem
        self.line = line

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the constructor's arguments; by default the message would be the source."""
        return type(self), (self.source, self.problem, self.line)


class BrokenTables(PaperledgerError):
    """Tables that violate their models; nothing is published."""

    exit_code = Exit.BAD_DATA


class BadData(PaperledgerError):
    """Pages that break a rule in a way that stops the build; nothing is published."""

    exit_code = Exit.BAD_DATA


class DamagedRelease(PaperledgerError):
    """A release whose files differ from the published ones, or that this version cannot read."""

    exit_code = Exit.BAD_DATA


class WorkerDied(PaperledgerError):
    """A process that read pages ended before it was done; nothing is published."""

    exit_code = Exit.BAD_DATA


class PublicationError(PaperledgerError):
    """A release that could not be written; the last one is untouched."""

    exit_code = Exit.PUBLICATION


class OutputError(PaperledgerError):
    """Standard output that cannot be written, as on a full disk; the output is incomplete."""

    exit_code = Exit.PUBLICATION


class Interrupted(PaperledgerError):
    """Ctrl-C was pressed."""

    exit_code = Exit.INTERRUPTED


SCRATCH_ADVICE = "check its permissions, and the space in the folder for temporary files (TMPDIR)"
_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OF_THE_PATH = frozenset(
    {None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO}
)
"""Errors about the path itself; None is that of a library that cannot read a file's content."""
_SQLITE_FULL = sqlite3.SQLITE_FULL
_SQLITE_REFUSALS = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def is_refusal(error: BaseException) -> bool:
    """Whether the system refused to read or write (no permission, a full disk), whatever the file contains.

    >>> is_refusal(PermissionError(13, "Permission denied")), is_refusal(FileNotFoundError(2, "No such file"))
    (True, False)
    """
    if isinstance(error, sqlite3.Error):
        return _sqlite_code(error) in _SQLITE_REFUSALS
    return isinstance(error, OSError) and error.errno not in _OF_THE_PATH


def refusal(error: OSError | sqlite3.Error, problem: str, advice: str, place: object = None) -> PaperledgerError:
    """The error in one line: the path, `problem` such as "cannot be read", the system's words, and what to do next.

    A full disk is a `PublicationError`, since another path would not help; anything else is a `UsageError`.

    >>> str(refusal(PermissionError(13, "Permission denied", "a"), "cannot be read", "check its permissions"))
    'a: cannot be read (Permission denied); check its permissions'
    """
    if isinstance(error, OSError):
        found, words = error.filename, error.strerror or str(error)
        is_full = error.errno in _FULL_DISK
    else:
        found, words, is_full = None, str(error), _sqlite_code(error) == _SQLITE_FULL
    where = found if place is None else place
    kind = PublicationError if is_full else UsageError
    return kind(f"{where}: {problem} ({words}); {advice}")


def in_words(error: Exception) -> str:
    r"""The system's words for an error, else the first line of its message.

    >>> in_words(FileNotFoundError(2, "No such file")), in_words(ValueError("not JSON\nat line 1"))
    ('No such file', 'not JSON')
    """
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]


def _sqlite_code(error: sqlite3.Error) -> int:
    """The primary error code; 0 where the error is not from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
