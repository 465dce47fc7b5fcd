"""How fast the site of a release answers: `python tests/benchmarks/site_speed.py [OUT] [RUNS]`.

OUT is an output folder of `paperledger build`; without it one of 100,000 varied invented papers is made first. Asks for the
pages in turn, so that a busy machine slows them all alike, and prints milliseconds and the server's peak memory.
"""

# ruff: noqa: S608  all SQL is made of words in this file

import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
_MOST = "SELECT author_id FROM paper_authors GROUP BY author_id ORDER BY count(*) DESC, author_id LIMIT 1"
_ACCENTED = "SELECT author_id, name FROM author_names WHERE name GLOB '*[áéïöü]*' ORDER BY name LIMIT 1 OFFSET 77"
_WORD = "SELECT substr(title, 1, instr(title, ' ') - 1) AS word FROM papers ORDER BY paper_id LIMIT 1"
_RULE = "SELECT rule_id, count(*) AS findings FROM findings GROUP BY rule_id ORDER BY findings DESC, rule_id LIMIT 1"
_CATEGORY = "SELECT category_id FROM papers GROUP BY category_id ORDER BY count(*) DESC, category_id LIMIT 1"
_CROWDED = "SELECT paper_id FROM paper_authors GROUP BY paper_id ORDER BY count(*) DESC, paper_id LIMIT 1"
QUESTIONS = {
    "search: a name with accents": f"SELECT '/-/search?q=' || name FROM ({_ACCENTED})",
    "search: a name without accents": f"SELECT '/-/search?q=' || replace(author_id, '-', ' ') FROM ({_ACCENTED})",
    "search: beginnings of a name": f"SELECT '/-/search?q=' || substr(author_id, 1, 3) FROM ({_MOST})",
    "search: a common word": f"SELECT '/-/search?q=' || word FROM ({_WORD})",
    "search: of a year and category": f"SELECT '/-/search?q=' || word || '&year=2020&category=cs.CL' FROM ({_WORD})",
    "search: nobody's name": f"SELECT '/-/search?q=' || replace(author_id, '-', 'q ') FROM ({_MOST})",
    "author with most papers": f"SELECT '/paperledger/authors/' || author_id FROM ({_MOST})",
    "author, second part": f"SELECT '/paperledger/authors/' || author_id || '?page=2' FROM ({_MOST})",
    "paper": "SELECT '/paperledger/papers/' || paper_id FROM papers ORDER BY paper_id LIMIT 1 OFFSET 77",
    "paper with most authors": f"SELECT '/paperledger/papers/' || paper_id FROM ({_CROWDED})",
    "cite: a paper": f"SELECT '/-/cite/papers/' || paper_id || '.bib' FROM ({_CROWDED})",
    "cite: an author, BibTeX": f"SELECT '/-/cite/authors/' || author_id || '.bib' FROM ({_MOST})",
    "cite: an author, CSL-JSON": f"SELECT '/-/cite/authors/' || author_id || '.json' FROM ({_MOST})",
    "cite: an author, RIS": f"SELECT '/-/cite/authors/' || author_id || '.ris' FROM ({_MOST})",
    "feed of an author": f"SELECT '/-/feed/authors/' || author_id || '.atom' FROM ({_MOST})",
    "feed of a category": f"SELECT '/-/feed/categories/' || category_id || '.atom' FROM ({_CATEGORY})",
    "feed of a search": f"SELECT '/-/feed/search.atom?q=' || word FROM ({_WORD})",
    "category": f"SELECT '/paperledger/categories/' || replace(category_id, '.', '~2E') FROM ({_CATEGORY})",
    "profile": "SELECT '/paperledger/profiles/' || profile_id FROM profiles ORDER BY profile_id LIMIT 1",
    "page as text": "SELECT '/-/pages/' || profile_id || '.txt' FROM profiles ORDER BY profile_id LIMIT 1",
    "rule with most findings": f"SELECT '/-/report/' || rule_id FROM ({_RULE})",
    "its last page": f"SELECT '/-/report/' || rule_id || '?page=' || (1 + (findings - 1) / 50) FROM ({_RULE})",
    "finding": "SELECT '/paperledger/findings/' || finding_id FROM findings WHERE line_start IS NOT NULL LIMIT 1",
    "quarantined lines": "SELECT '/paperledger/quarantine/' || profile_id || ',' || line_start FROM quarantine LIMIT 1",
    "question: search": f"SELECT '/paperledger/search_papers?q=' || word FROM ({_WORD})",
    "question: papers": f"SELECT '/paperledger/papers_of_author?author_id=' || author_id FROM ({_MOST})",
    "question: co-authors": f"SELECT '/paperledger/coauthors_of_author?author_id=' || author_id FROM ({_MOST})",
    "question: findings of a rule": f"SELECT '/paperledger/findings_with_lines?rule_id=' || rule_id FROM ({_RULE})",
    "table: search": f"SELECT '/paperledger/papers?_search=' || word FROM ({_WORD})",
}
"""SQL of addresses by what they are; an address that a release has no row for is left out."""
PAGES = {
    "home": "/",
    "changes": "/-/changes",
    "feed of all": "/-/feed.atom",
    "report": "/-/report",
    "charts": "/-/charts",
    "downloads": "/-/downloads",
    "question: papers of a year": "/paperledger/papers_by_category_and_year?year=2020&sort=title",
    "question: papers with code": "/paperledger/papers_with_code?sort=-url",
    "question: disagreements": "/paperledger/changed_papers?sort=-page_saved_on",
    "question: coverage": "/paperledger/coverage_by_profile?page=9",
    "question: findings": "/paperledger/findings_with_lines",
    "database": "/paperledger",
    "table: papers": "/paperledger/papers",
    "table: sorted": "/paperledger/papers?_sort_desc=published",
    "table: three facets": "/paperledger/papers?_facet=category_id&_facet=has_code&_facet_date=published",
    "table: of a category and year": "/paperledger/papers?category_id=cs.CL&published__startswith=2020",
    "table: a part of titles": "/paperledger/papers?title__contains=bo",
    "view: papers to read": "/paperledger/paper_list",
    "view: co-authors": "/paperledger/coauthors",
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
    with closing(sqlite3.connect(newest_release(out) / DATABASE_FILE)) as database:
        found = {name: database.execute(sql).fetchone() for name, sql in QUESTIONS.items()}
    return PAGES | {name: row[0] for name, row in found.items() if row}


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
    pages = addresses(out)
    with server(out) as (address, process), httpx.Client(base_url=address, timeout=60) as client:
        for run in range(runs + 1):
            for name, page in pages.items():
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
        invented_pages.write(pages, varied=True)
        build(Request([str(pages)], out), Progress(Console(quiet=True)))
        measure(out, runs)


if __name__ == "__main__":
    main()
