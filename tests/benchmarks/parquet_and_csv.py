"""How fast Parquet and CSV come: `python tests/benchmarks/parquet_and_csv.py OUT [RUNS]`.

OUT is an output folder of `paperledger build`, best one of `invented_pages.py`'s 100,000 papers. Every pair is the same rows,
asked for in turn, so that a busy machine slows both alike. Prints the medians in milliseconds, the server's peak memory, and how
long a small export waits behind twenty of CSV whose clients have disconnected.
"""

import socket
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
PAIRS = {
    "papers, the release's file": ("/paperledger/papers.parquet", "/paperledger/papers.csv?_stream=1"),
    "papers, filtered": ("/paperledger/papers.parquet?title__notblank=1", "/paperledger/papers.csv?title__notblank=1"),
    "papers by SQL": ("/paperledger.parquet?sql=select+*+from+papers", "/paperledger.csv?sql=select+*+from+papers"),
    "authors of papers": (
        "/paperledger/paper_authors.parquet?name__notblank=1",
        "/paperledger/paper_authors.csv?name__notblank=1&_labels=on",
    ),
    "coauthors, a view": ("/paperledger/coauthors.parquet", "/paperledger/coauthors.csv?_stream=1"),
}
ABANDONED = 20


def fetch(client: httpx.Client, path: str) -> tuple[float, int]:
    """The milliseconds that an answer takes, and its bytes; raises where it is none."""
    start = time.perf_counter()
    answer = client.get(path).raise_for_status()
    return (time.perf_counter() - start) * 1000, len(answer.content)


def wait_behind_abandoned(address: str) -> float:
    """The milliseconds of a small export after many of CSV whose clients disconnected while their SQL ran."""
    url = httpx.URL(address)
    clients = [socket.create_connection((url.host, url.port or 80)) for _ in range(ABANDONED)]
    for client in clients:
        client.sendall(b"GET /paperledger/coauthors.csv?_stream=1 HTTP/1.1\r\nHost: here\r\n\r\n")
    time.sleep(1)
    for client in clients:
        client.close()
    with httpx.Client(base_url=address, timeout=600) as client:
        return fetch(client, "/paperledger/categories.csv")[0]


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
        waited = wait_behind_abandoned(address)
        memory = peak_memory(process)
    title = f"medians of {runs}, peak {memory} MB; {waited:.0f} ms behind {ABANDONED} abandoned exports"
    table = Table("rows", "Parquet, ms", "MB", "CSV, ms", "MB", "CSV / Parquet", title=title)
    for name, (parquet, csv) in PAIRS.items():
        of_parquet, of_csv = median(taken[parquet]), median(taken[csv])
        megabytes = [f"{sizes[path] / 1e6:.0f}" for path in (parquet, csv)]
        table.add_row(
            name, f"{of_parquet:.0f}", megabytes[0], f"{of_csv:.0f}", megabytes[1], f"{of_csv / of_parquet:.1f}"
        )
    return table


def main() -> None:
    """Measure, and print the table."""
    Console().print(measure(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else RUNS))


if __name__ == "__main__":
    main()
