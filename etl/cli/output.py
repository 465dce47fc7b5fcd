"""What the command prints: no terminal and no CI server obeys what a page, a file's name or an option says.

In: what a command prints. Out: text for whoever reads it, or for nobody: a reader such as head may leave at any moment,
and what was asked for is done all the same. Raises `OutputError` where standard output takes no more.
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
    """A console that goes on without a reader, and whose lines are inert."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print what rich can render."""
        with _going_on(self.file):
            # What is written by its number is longer than what was laid out; nothing of it is cut off.
            super().print(_Inert(objects), crop=False, **options)

    def on_broken_pipe(self) -> None:
        """Print to nobody from now on."""
        _print_to_nobody(self.file)


def say(*lines: str) -> None:
    """Print lines on standard error, if it takes them."""
    with suppress(OutputError):
        Output(stderr=True).print(*(Text(inert(line)) for line in lines), soft_wrap=True)


def write(text: str) -> None:
    """Write lines of text as they are, but inert."""
    write_exactly("\n".join(map(inert, text.split("\n"))))


def write_exactly(text: str | bytes) -> None:
    """Write commands to a CI server as they are, or bytes for a file."""
    with _going_on(sys.stdout):
        click.echo(text, nl=False)


def print_no_more() -> None:
    """What waits to be printed goes to nobody, since a full disk would make it an error of its own."""
    with suppress(OSError):
        if sys.stdout is not None:
            _print_to_nobody(sys.stdout)


def is_terminal() -> bool:
    """Whether somebody looks at standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


@contextmanager
def stopped_commands() -> Iterator[None]:
    """GitHub takes nothing that the block prints for a command; no page can guess the word that ends this."""
    token = secrets.token_hex(16)
    write_exactly(f"::stop-commands::{token}\n")
    try:
        yield
    finally:
        write_exactly(f"::{token}::\n")


class _Inert:
    """Renderables whose lines, once laid out, are inert; a line that was not loses its style."""

    def __init__(self, renderables: Iterable[Any]) -> None:
        self._renderables = Group(*renderables)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in Segment.split_lines(console.render(self._renderables, options)):
            text = "".join(segment.text for segment in line if not segment.control)
            shown = inert(text)
            yield from line if shown == text else [Segment(shown)]
            yield Segment.line()


@contextmanager
def _going_on(stream: IO[str]) -> Iterator[None]:
    """A reader that leaves stops nothing; raises `OutputError` where the stream takes no more."""
    try:
        yield
    except BrokenPipeError:
        _print_to_nobody(stream)
    except OSError as error:
        _print_to_nobody(stream)
        name = "standard error" if stream is sys.stderr else "standard output"
        raise OutputError(
            f"{name}: cannot be written ({error.strerror}); what was printed is cut short, give it another place"
        ) from error


def _print_to_nobody(stream: IO[str]) -> None:
    """Let go to nowhere what waits to be written, too."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, stream.fileno())
    os.close(nobody)
