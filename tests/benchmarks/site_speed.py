"""How fast the site of a release answers: `python tests/benchmarks/site_speed.py [OUT] [RUNS]`.

OUT is an output folder of `paperledger build`; without it one of 100,000 clean invented papers is made first. Asks for the
pages in turn, so that a busy machine slows them all alike, and prints milliseconds and the server's peak memory.
"""

import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import click
import httpx
import invented_pages
from rich.console import Console
from rich.table import Table

from etl.load.layout import DATABASE_FILE
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.release import newest_release

COMMAND = Path(sys.executable).with_name("paperledger")
RUNS = 20
QUESTIONS = {
    "a paper": "SELECT '/paperledger/papers/' || paper_id FROM papers ORDER BY paper_id LIMIT 1 OFFSET 77",
    "an author": "SELECT '/paperledger/authors/' || author_id FROM profiles WHERE author_id IS NOT NULL ORDER BY author_id LIMIT 1 OFFSET 7",
    "a page": "SELECT '/paperledger/profiles/' || profile_id FROM profiles ORDER BY profile_id LIMIT 1",
    "search": "SELECT '/paperledger/papers?_search=' || substr(title, 1, instr(title, ' ') - 1) FROM papers LIMIT 1",
    "search, ranked": "SELECT '/paperledger/search_papers?q=' || substr(title, 1, instr(title, ' ') - 1) FROM papers LIMIT 1",
    "search for a person": "SELECT '/-/search?q=' || family || '+' || given FROM authors WHERE given IS NOT NULL LIMIT 1 OFFSET 77",
    "search for a paper": "SELECT '/-/search?q=' || substr(title, 1, instr(title, ' ') - 1) FROM papers LIMIT 1",
    "co-authors": "SELECT '/paperledger/coauthors_of_author?author_id=' || author_id FROM profiles WHERE author_id IS NOT NULL LIMIT 1 OFFSET 7",
}
PAGES = {
    "papers of a year": "/paperledger/papers_by_category_and_year?year=2020&sort=title",
    "papers with code": "/paperledger/papers_with_code?sort=-url",
    "disagreements": "/paperledger/changed_papers?sort=-page_saved_on",
    "findings": "/paperledger/findings_with_lines",
    "home": "/",
    "database": "/paperledger",
    "papers": "/paperledger/papers",
    "papers, two facets": "/paperledger/papers?_facet=category_id&_facet=has_code",
    "papers to read": "/paperledger/paper_list",
    "charts": "/-/charts",
    "downloads": "/-/downloads",
}


@contextmanager
def server(out: Path, *options: str) -> Iterator[tuple[str, int]]:
    """A server's address and process id, while the block runs; the options are Datasette's."""
    command = [COMMAND, "serve", "--out", out, "--port", "0", "--", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        try:
            yield address, process.pid
        finally:
            process.terminate()


def addresses(out: Path) -> dict[str, str]:
    """What is asked for, by its name."""
    database = sqlite3.connect(newest_release(out) / DATABASE_FILE)
    return PAGES | {name: database.execute(sql).fetchone()[0] for name, sql in QUESTIONS.items()}


def milliseconds(client: httpx.Client, address: str) -> float:
    """How long one answer takes; raises where it is none."""
    start = time.perf_counter()
    client.get(address).raise_for_status()
    return (time.perf_counter() - start) * 1000


def peak_memory(process: int) -> int:
    """The most memory that the process ever held, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure(out: Path, runs: int) -> None:
    """Ask, and print the table."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    with server(out) as (address, process), httpx.Client(base_url=address, timeout=60) as client:
        for run in range(runs + 1):
            for name, page in addresses(out).items():
                one = milliseconds(client, page)
                if run:
                    taken[name].append(one)
        memory = peak_memory(process)
    table = Table("page, ms", "min", "median", "max", title=f"{runs} answers each after one, peak {memory} MB")
    for name, values in taken.items():
        table.add_row(name, *(f"{figure:.0f}" for figure in (min(values), median(values), max(values))))
    Console().print(table)


@click.command()
@click.argument("out", type=click.Path(exists=True, path_type=Path), required=False)
@click.argument("runs", type=click.IntRange(1), default=RUNS)
def main(out: Path | None, runs: int) -> None:
    """Measure the site of the newest release in OUT; without it, of one made for it."""
    if out:
        measure(out, runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        pages, out = Path(folder) / "pages", Path(folder) / "build"
        invented_pages.write(pages)
        build(Request([str(pages)], out), Progress(Console(quiet=True)))
        measure(out, runs)


if __name__ == "__main__":
    main()
