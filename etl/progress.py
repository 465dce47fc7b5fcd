"""Progress on a terminal; nothing elsewhere, or without a console."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


class Progress:
    """Bars and spinners on the given console, if it is a terminal; nothing without one."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console if console and console.is_terminal else None

    def each(self, label: str, items: Iterable[Item], total: int | None = None) -> Iterator[Item]:
        """The items, with a bar that fills as they come, or one that moves where their number is unknown."""
        if self._console is None:
            yield from items
            return
        yield from track(items, label, total, console=self._console, transient=True)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a spinner during a step."""
        if self._console is None:
            yield
            return
        with self._console.status(label):
            yield
