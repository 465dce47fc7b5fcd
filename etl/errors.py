"""The errors that a person meets: one clear line each, and the exit code of the command.

Each can be pickled, since a page may be read in another process than the one that tells of it.
"""

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
    """An error to be shown as one line: where, what was found, what was expected, what to do next."""

    exit_code = Exit.INTERNAL


class UsageError(PaperledgerError):
    """What was asked for cannot be done: a missing path, a folder without pages, an overrides file that is no TOML."""

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
        """How to make it again: an exception's own way gives the message for the source."""
        return type(self), (self.source, self.problem, self.line)


class BrokenTables(PaperledgerError):
    """Tables that are not what their models promise; nothing is published."""

    exit_code = Exit.BAD_DATA


class BadData(PaperledgerError):
    """Pages that break a rule in a way that stops the build; nothing is published."""

    exit_code = Exit.BAD_DATA


class DamagedRelease(PaperledgerError):
    """A release whose files are not those that were published, or that this version cannot read."""

    exit_code = Exit.BAD_DATA


class WorkerDied(PaperledgerError):
    """A process that read pages ended before it was done; nothing is published."""

    exit_code = Exit.BAD_DATA


class PublicationError(PaperledgerError):
    """A release that could not be written; the last one is untouched."""

    exit_code = Exit.PUBLICATION


class Interrupted(PaperledgerError):
    """Somebody pressed Ctrl-C."""

    exit_code = Exit.INTERRUPTED
