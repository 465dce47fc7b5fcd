"""Make the generated parts of the documentation anew: `python tests/regenerate.py`.

The parts of the README and of docs/ between `<!-- NAME -->` and `<!-- /NAME -->`, datasette-metadata.json, and the schema of
results.json. A test makes them again and compares, so that the documentation cannot grow old. Programs of the cookbook run.
"""

import io
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import click
from rich.console import Console
from tabulate import tabulate

from etl.cli import main
from etl.load.descriptors import as_markdown, render_metadata
from etl.load.layout import DATABASE_FILE
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.report.results import results_schema
from schemas import RULES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = (README, *(ROOT / "docs" / f"{name}.md" for name in ("commands", "cookbook", "dictionary", "rules")))
METADATA = ROOT / "datasette-metadata.json"
RESULTS_SCHEMA = ROOT / "schemas" / "results.schema.json"
SAMPLE = ROOT / "etl" / "sample" / "mehdi-rezagholizadeh.txt"
REFERENCE = SAMPLE.with_name("arxiv.jsonl")
SHOWN_LINES = (4, 5, 180, 181, 182, 183, 184, 185)
SHOWN_LETTERS = 100

ROWS = {
    "profiles": "SELECT name, h_index, stated_papers, listed_papers, category_id FROM profiles",
    "papers": (
        "SELECT paper_id, published, category_id, has_code, authors_truncated, citekey FROM papers"
        " JOIN listings USING (paper_id) WHERE line_start = 180"
    ),
    "paper_authors": (
        "SELECT paper_authors.position, name, author_id FROM paper_authors JOIN listings USING (paper_id)"
        " WHERE line_start = 180 ORDER BY 1 NULLS LAST, 3"
    ),
    "listings": "SELECT position, badge, category_resolution, line_start, line_end FROM listings WHERE line_start = 180",
    "findings": "SELECT rule_id, line_start, message FROM findings WHERE rule_id = 'PRO-001'",
}
QUERIES = {
    "Who wrote most often with the owner of a page?": """
SELECT other, papers
FROM coauthors
WHERE author_id = 'mehdi-rezagholizadeh'
ORDER BY papers DESC, other
LIMIT 5;
""",
    "Which papers mention distillation, the best match first?": """
SELECT papers.citekey, papers.published, papers.category_id
FROM papers_fts JOIN papers ON papers.rowid = papers_fts.rowid
WHERE papers_fts MATCH 'distillation'
ORDER BY bm25(papers_fts, 5.0, 1.0), papers.citekey
LIMIT 5;
""",
    "What did the rules find, and on which line?": """
SELECT rule_id, source, lines, message
FROM finding_list
ORDER BY source, rule_id;
""",
}


AUTHORS = """
SELECT position, name, source FROM paper_authors JOIN papers USING (paper_id)
WHERE citekey = 'edalati2022krona' ORDER BY position NULLS LAST
"""
PROGRAMS = {
    "DuckDB: papers a year": """
import duckdb

papers = duckdb.read_parquet("build/current/paper_list.parquet")
counts = "year(published) AS year, count(*) AS papers, count(*) FILTER (has_code) AS with_code"
print(papers.aggregate(counts).order("year"))
""",
    "polars: the authors with most papers": """
import polars as pl

papers = pl.read_parquet("build/current/paper_list.parquet")
counted = papers.explode("author_names").group_by("author_names").len()
print(counted.sort("len", "author_names", descending=[True, False]).head(5))
""",
    "pandas: pairs of authors and their papers": """
import pandas as pd

authors = pd.read_parquet("build/current/paper_authors.parquet")
pairs = authors.merge(authors, on="paper_id")
pairs = pairs[pairs.author_id_x < pairs.author_id_y]
print(pairs.groupby(["author_id_x", "author_id_y"]).size().sort_values(ascending=False, kind="stable").head(3))
""",
}


def documents() -> dict[Path, str]:
    """The README and the pages of docs/ with their generated parts made anew."""
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    with sample_database() as database, sample_database(REFERENCE) as completed:
        parts: dict[str, Callable[[], str]] = {
            "help": help_text,
            "lines": raw_lines,
            "rows": lambda: "\n\n".join(_titled(name, database, sql) for name, sql in ROWS.items()),
            "before": lambda: _table(database, AUTHORS),
            "after": lambda: _table(completed, AUTHORS),
            "queries": lambda: "\n\n".join(_query(title, database, sql) for title, sql in QUERIES.items()),
            "programs": lambda: "\n\n".join(_program(title, database, code) for title, code in PROGRAMS.items()),
            "dictionary": as_markdown,
            "rules": rules,
        }
        for name, part in parts.items():
            (path,) = (path for path, text in texts.items() if f"<!-- {name} -->" in text)
            texts[path] = _replace(texts[path], name, part())
    return texts


def help_text() -> str:
    """The help of the command and of each of its commands, as a person sees it."""
    settings = main.context_settings | {"terminal_width": 100, "max_content_width": 100}
    context = click.Context(main, info_name="paperledger", **settings)
    pages = [main.get_help(context)]
    for name, command in main.commands.items():
        pages.append(command.get_help(click.Context(command, parent=context, info_name=name, **settings)))
    return "```text\n" + "\n\n".join(pages) + "\n```"


def raw_lines() -> str:
    """Some lines of the sample page with their numbers, long ones shortened."""
    lines = SAMPLE.read_text(encoding="utf-8").split("\n")
    shown = [(number, lines[number - 1]) for number in SHOWN_LINES]
    cut = [(number, line if len(line) <= SHOWN_LETTERS else f"{line[:SHOWN_LETTERS]}…") for number, line in shown]
    return "```text\n" + "\n".join(f"{number:>4}  {line}".rstrip() for number, line in cut) + "\n```"


def rules() -> str:
    """The registry of rules as a table."""
    rows = [(rule.id, rule.severity, rule.dimension, rule.title, rule.why) for rule in RULES.values()]
    return tabulate(rows, ("rule", "severity", "dimension", "what must hold", "why"), tablefmt="github")


@contextmanager
def sample_database(*reference: Path) -> Iterator[sqlite3.Connection]:
    """The database of a fresh build of the sample page."""
    with tempfile.TemporaryDirectory() as folder:
        request = Request([str(SAMPLE)], Path(folder) / "build", reference=reference)
        built = build(request, Progress(Console(quiet=True)))
        database = sqlite3.connect(built.release.path / DATABASE_FILE)
        try:
            yield database
        finally:
            database.close()


def _titled(name: str, database: sqlite3.Connection, sql: str) -> str:
    return f"`{name}`\n\n{_table(database, sql)}"


def _query(title: str, database: sqlite3.Connection, sql: str) -> str:
    return f"**{title}**\n\n```sql\n{sql.strip()}\n```\n\n{_table(database, sql)}"


def _program(title: str, database: sqlite3.Connection, code: str) -> str:
    """A program and what it prints beside the release of a database."""
    ((_, _, place),) = database.execute("PRAGMA database_list")
    printed, before = io.StringIO(), Path.cwd()
    os.chdir(Path(place).parents[3])
    try:
        with redirect_stdout(printed):
            exec(code, {})  # noqa: S102  a program of ours
    finally:
        os.chdir(before)
    return f"**{title}**\n\n```python\n{code.strip()}\n```\n\n```text\n{printed.getvalue().rstrip()}\n```"


def _table(database: sqlite3.Connection, sql: str) -> str:
    cursor = database.execute(sql)
    names = [column[0] for column in cursor.description]
    return tabulate(cursor.fetchall(), names, tablefmt="github", missingval="null", disable_numparse=True)


def _replace(text: str, name: str, part: str) -> str:
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    found = pattern.search(text)
    if found is None:
        raise LookupError(f"no part <!-- {name} -->")
    return text[: found.end(1)] + "\n" + part + "\n\n" + text[found.start(2) :]


if __name__ == "__main__":
    for document, made in documents().items():
        document.write_text(made, encoding="utf-8")
    METADATA.write_text(render_metadata(), encoding="utf-8")
    RESULTS_SCHEMA.write_text(results_schema(), encoding="utf-8")
