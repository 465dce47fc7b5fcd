"""Output of the commands, without control characters or CI commands from pages, file names and options.

In: text or renderables. Out: text on standard output or standard error. If the reader (such as head) closes the pipe, the
command goes on without output. Raises `OutputError` if standard output cannot be written.
"""

import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

import click
from rich.console import Console, ConsoleOptions, Group
from rich.segment import Segment
from rich.text import Text

from etl.errors import OutputError
from etl.printable import inert


class Output(Console):
    """A console that continues after a closed pipe, and whose lines are inert."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print renderables of rich."""
        with _ignoring_closed_pipe(self.file):
            # Escaped characters are longer than the layout; crop=False prints them whole.
            super().print(_Inert(objects), crop=False, **options)

    def on_broken_pipe(self) -> None:
        """Discard all further output."""
        _discard(self.file)


def say(*lines: str) -> None:
    """Print lines on standard error, if it can be written."""
    with suppress(OutputError):
        Output(stderr=True).print(*(Text(inert(line)) for line in lines), soft_wrap=True)


def write(text: str) -> None:
    """Write lines of text without layout, but inert."""
    write_exactly("\n".join(map(inert, text.split("\n"))))


def write_exactly(text: str | bytes) -> None:
    """Write commands to a CI server, or bytes for a file, unchanged."""
    with _ignoring_closed_pipe(sys.stdout):
        click.echo(text, nl=False)


def discard_output() -> None:
    """Discard buffered and further output, since flushing it to a full disk would be another error."""
    with suppress(OSError):
        if sys.stdout is not None:
            _discard(sys.stdout)


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def is_one_place() -> bool:
    """Whether standard output and standard error are one place, such as a terminal or a file with both."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # one of the two is closed, or no file
        return False


@contextmanager
def stopped_commands() -> Iterator[None]:
    """Make GitHub ignore commands in the output of the block, until a random token."""
    token = secrets.token_hex(16)
    write_exactly(f"::stop-commands::{token}\n")
    try:
        yield
    finally:
        write_exactly(f"::{token}::\n")


class _Inert:
    """Renderables whose lines are made inert after layout; a line that is changed loses its style."""

    def __init__(self, renderables: Iterable[Any]) -> None:
        self._renderables = Group(*renderables)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in Segment.split_lines(console.render(self._renderables, options)):
            text = "".join(segment.text for segment in line if not segment.control)
            shown = inert(text)
            yield from line if shown == text else [Segment(shown)]
            yield Segment.line()


@contextmanager
def _ignoring_closed_pipe(stream: IO[str]) -> Iterator[None]:
    """Ignore a closed pipe in the block; raises `OutputError` if the stream cannot be written."""
    try:
        yield
    except BrokenPipeError:
        _discard(stream)
    except OSError as error:
        _discard(stream)
        name = "standard error" if stream is sys.stderr else "standard output"
        raise OutputError(
            f"{name}: cannot be written ({error.strerror}); what was printed is cut short, give it another place"
        ) from error


def _discard(stream: IO[str]) -> None:
    """Redirect a stream to the null device, with what is in its buffer."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
