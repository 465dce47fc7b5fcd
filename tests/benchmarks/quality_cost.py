"""What validation and reports cost of a whole build: `python tests/benchmarks/quality_cost.py [PAPERS] [RUNS]`.

Builds clean invented pages in one process and prints CPU seconds (all threads): of the build, of what checks and reports,
and the share of the one in the other. Measured parts lie one in another where they are indented.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import click
import invented_pages
from rich.console import Console
from rich.table import Table

from etl.pipeline import Request, build
from etl.progress import Progress
from etl.report import write_reports

PARTS = {
    "Checking blocks": "etl.validate.staging._broken_rules",
    "Checking tables": "etl.pipeline.validate",
    "  values, keys, references": "etl.validate.findings.check_tables",
    "  every line, every page": "etl.validate.findings.check_pages",
    "  plausibility": "etl.validate.findings.find",
    "  rules and findings": "etl.validate.findings.audit",
    "Results": "etl.pipeline.summarize",
    "results.json": "etl.pipeline.write_results",
    "report.html": "etl.pipeline.render_html",
}
REPORTS = "All reports of --report"
WHOLE = "Whole build"


class Meter:
    """CPU seconds of named parts, all threads counted."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Add what the block computes to the part."""
        start = time.process_time()
        yield
        self.seconds[part] += time.process_time() - start

    def measured(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its result drained, so that a generator's work is its own."""

        def run(*args: Any, **named: Any) -> Any:
            with self.measure(part):
                result = function(*args, **named)
                return list(result) if isinstance(result, Iterator) else result

        return run


def run(pages: Path, out: Path) -> dict[str, float]:
    """The CPU seconds of each part of one build."""
    meter = Meter()
    with ExitStack() as stack:
        for part, name in PARTS.items():
            module, _, function = name.rpartition(".")
            original = getattr(sys.modules[module], function)
            stack.enter_context(patch(name, meter.measured(part, original)))
        reports = meter.measured(REPORTS, lambda checked: write_reports(checked.results, out / "report", checked.paths))
        with meter.measure(WHOLE):
            build(Request([str(pages)], out / "build"), Progress(Console(quiet=True)), reports)
    return meter.seconds


def quality(seconds: dict[str, float]) -> float:
    """What checks and reports came to, parts of parts counted once."""
    return sum(value for part, value in seconds.items() if part != WHOLE and not part.startswith(" "))


@click.command()
@click.argument("papers", type=click.IntRange(1), default=invented_pages.PAPERS)
@click.argument("runs", type=click.IntRange(1), default=1)
def main(papers: int, runs: int) -> None:
    """Build so many PAPERS, RUNS times, and print the table."""
    table = Table("part", *(f"run {number + 1}, s" for number in range(runs)), "median share")
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder) / "pages"
        invented_pages.write(pages, papers)
        seconds = [run(pages, Path(folder) / str(number)) for number in range(runs)]
    for part in (*PARTS, REPORTS, WHOLE):
        share = median(one[part] / one[WHOLE] for one in seconds)
        table.add_row(part, *(f"{one[part]:.2f}" for one in seconds), f"{share:.1%}")
    share = median(quality(one) / one[WHOLE] for one in seconds)
    table.add_section()
    table.add_row("Validation and reports", *(f"{quality(one):.2f}" for one in seconds), f"{share:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
