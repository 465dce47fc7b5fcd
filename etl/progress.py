"""Progress on a terminal; nothing elsewhere."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


class Progress:
    """Bars and spinners on the given console, if it is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def each(self, label: str, items: Iterable[Item], total: int | None = None) -> Iterator[Item]:
        """The items, with a bar that fills as they come, or one that moves where their number is unknown."""
        shown = self._console.is_terminal
        yield from track(items, label, total, console=self._console, transient=True, disable=not shown)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show a spinner during a step."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(label):
            yield
