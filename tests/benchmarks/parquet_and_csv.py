"""How fast Parquet comes beside CSV: `python tests/benchmarks/parquet_and_csv.py OUT [RUNS]`.

OUT is an output folder of `paperledger build`, best one of `invented_pages.py`'s 100,000 papers. Every pair is the same rows,
asked for in turn, so that a busy machine slows both alike. Prints the medians in milliseconds, and the server's peak memory.

SQL of one's own comes as CSV only up to a thousand rows, so its Parquet stands beside the CSV of the table that it reads.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table
from site_speed import peak_memory, server

RUNS = 5
CSV = "/paperledger/papers.csv?_stream=on&_size=max"
PAIRS = {
    "a whole table": ("/paperledger/papers.parquet", CSV),
    "a filter that all rows pass": ("/paperledger/papers.parquet?title__notblank=1", f"{CSV}&title__notblank=1"),
    "SQL": ("/paperledger.parquet?sql=select+*+from+papers", CSV),
}
WHOLE_CSV = ["--setting", "max_csv_mb", "0"]
"""Options of a server that does not cut CSV."""


def fetch(client: httpx.Client, path: str) -> tuple[float, int]:
    """The milliseconds that an answer takes, and its bytes; raises where it is none."""
    start = time.perf_counter()
    answer = client.get(path).raise_for_status()
    return (time.perf_counter() - start) * 1000, len(answer.content)


def measure(out: Path, runs: int) -> Table:
    """The table of one pair a line."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    with server(out, *WHOLE_CSV) as (address, process), httpx.Client(base_url=address, timeout=600) as client:
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
