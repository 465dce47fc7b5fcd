"""How fast Parquet comes beside CSV: `python tests/benchmarks/parquet_and_csv.py OUT [RUNS]`.

OUT is an output folder of `paperledger build`, best one of `invented_pages.py`'s 100,000 papers. Every pair is the same rows,
asked for in turn, so that a busy machine slows both alike. Prints the medians in milliseconds, and the server's peak memory.

SQL of one's own comes as CSV only up to a thousand rows, so its Parquet stands beside the CSV of the table that it reads.
"""

import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table
from serving import COMMAND, peak_memory

RUNS = 5
CSV = "/paperledger/papers.csv?_stream=on&_size=max"
PAIRS = {
    "a whole table": ("/paperledger/papers.parquet", CSV),
    "a filter that all rows pass": ("/paperledger/papers.parquet?title__notblank=1", f"{CSV}&title__notblank=1"),
    "SQL": ("/paperledger.parquet?sql=select+*+from+papers", CSV),
}
WHOLE_CSV = ["--", "--setting", "max_csv_mb", "0"]


@contextmanager
def server(out: Path) -> Iterator[tuple[str, int]]:
    """The address and process id of a server that does not cut CSV, while the block runs."""
    command = [COMMAND, "serve", "--out", out, "--port", "0", *WHOLE_CSV]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        try:
            yield address, process.pid
        finally:
            process.terminate()


def fetch(client: httpx.Client, path: str) -> tuple[float, int]:
    """The milliseconds that an answer takes, and its bytes; raises where it is none."""
    start = time.perf_counter()
    answer = client.get(path).raise_for_status()
    return (time.perf_counter() - start) * 1000, len(answer.content)


def measure(out: Path, runs: int) -> Table:
    """The table of one pair a line."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    with server(out) as (address, process), httpx.Client(base_url=address, timeout=600) as client:
        fetch(client, "/")
        for _ in range(runs):
            for path in [path for pair in PAIRS.values() for path in pair]:
                milliseconds, sizes[path] = fetch(client, path)
                taken[path].append(milliseconds)
        memory = peak_memory(process)
    title = f"medians of {runs}, peak {memory} MB"
    table = Table("papers as", "Parquet, ms", "MB", "CSV, ms", "MB", "times as fast", title=title)
    for name, (parquet, csv) in PAIRS.items():
        fast, slow = median(taken[parquet]), median(taken[csv])
        megabytes = [f"{sizes[path] / 1e6:.0f}" for path in (parquet, csv)]
        table.add_row(name, f"{fast:.0f}", megabytes[0], f"{slow:.0f}", megabytes[1], f"{slow / fast:.1f}")
    return table


def main() -> None:
    """Measure, and print the table."""
    Console().print(measure(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else RUNS))


if __name__ == "__main__":
    main()
