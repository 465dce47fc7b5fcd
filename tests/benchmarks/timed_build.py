"""`paperledger ARGUMENTS`, with the times of its steps: `python timed_build.py LOG ARGUMENTS`; part of build_at_scale.py.

The command is the installed one. Its `Progress` is replaced by one that writes a line to LOG as a step ends: when it began
and ended by the system's monotonic clock, and its label.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import etl.progress
from etl.cli import main


class TimedProgress(etl.progress.Progress):
    """A progress that writes down when each step began and ended."""

    def each(self, label: str, *arguments: Any, **named: Any) -> Iterator[Any]:
        """The items; the step lasts until the last one is asked for."""
        with _timed(label):
            yield from super().each(label, *arguments, **named)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """A step."""
        with _timed(label), super().step(label):
            yield


@contextmanager
def _timed(label: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    with Path(sys.argv[0]).open("a", encoding="utf-8") as log:
        log.write(f"{begin}\t{time.monotonic()}\t{label}\n")


if __name__ == "__main__":
    etl.progress.Progress = TimedProgress  # type: ignore[misc]
    sys.argv.pop(0)  # The log takes the place of the program's name.
    main()
