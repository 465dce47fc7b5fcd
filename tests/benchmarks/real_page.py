"""Time a build of one page beyond imports: `python tests/benchmarks/real_page.py [PAGE] [RUNS]`.

Prints for each stage the minimum, median and maximum over the runs, in milliseconds.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from etl.pipeline import Request, build
from etl.progress import Progress

RUNS = 10


class Stopwatch(Progress):
    """A progress that notes how long each step takes."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[label] = time.perf_counter() - start


def run(page: str) -> dict[str, float]:
    """The seconds of each step of one build, and of all of it."""
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        build(Request([page], Path(folder) / "build"), watch)
        whole = time.perf_counter() - start
    return {"Reading and checking blocks": whole - sum(watch.seconds.values()), **watch.seconds, "All": whole}


def main() -> None:
    """Run, and print the table."""
    page = sys.argv[1] if len(sys.argv) > 1 else str(files("etl").joinpath("sample"))
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    run(page)
    times: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        for label, seconds in run(page).items():
            times[label].append(seconds * 1000)
    table = Table(
        "step", *(f"{name} ms" for name in ("min", "median", "max")), title=f"{runs} builds, after one warm-up"
    )
    for label, values in times.items():
        table.add_row(label, *(f"{figure:.0f}" for figure in (min(values), median(values), max(values))))
    Console().print(table)


if __name__ == "__main__":
    main()
