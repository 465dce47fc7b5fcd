"""Tables for the tests of charts, up to more than any chart shows, and the charts of tables. Invented people only."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers import tables_of, write_database

from etl.load.layout import DATABASE_FILE
from etl.load.parquet import write_parquet
from etl.report import charts
from etl.report.results import Results, summarize
from schemas import Frames, PaperAuthors

CODES = ["CL", "LG", "CV", "RO", "SE", "DB", "HC", "CR", "CY"]
GIVEN = ["Ann", "Cy", "Eve", "Ida", "Lew", "Mo", "Una", "Vic", "Wes", "Zoe"]
FAMILY = ["Bell", "Dole", "Fox", "Hale", "Kerr", "Lund", "Moss", "Nash", "Orr"]
PEOPLE = [f"{given} {family}" for family, given in product(FAMILY, GIVEN)]
SOUND = "Ann Bell\n\nCL\n1paper\n\n1 Paper\n\nCLFeb 29, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at noon, and often."
UNDATED = SOUND.replace(", 2024", "")


def block(badge: str, title: str, byline: str) -> str:
    return f"{badge}\n{title}\n\n{byline}\n\nBells ring at noon, and often."


def page(number: int) -> str:
    """A page with three papers: cut bylines, several years and categories, and a number of papers that it does not list."""
    owner = PEOPLE[number]
    blocks = [
        block(
            f"{CODES[(number + part) % len(CODES)]}Mar {part + 1}, {1970 + number + part}",
            f"On Bells of Tower {number * 3 + part:03}",
            f"{owner}, {PEOPLE[(number * 7 + part) % 60]}, {PEOPLE[(number + 2 * part + 1) % 80]} et al.",
        )
        for part in range(3)
    ]
    return "\n\n".join([f"{owner}\n\nCL\n{4 + number % 5}papers\n\n{4 + number % 5} Papers", *blocks])


def many() -> Frames:
    """More pages, years, categories and people than a chart shows, and a byline of too many names."""
    crowd = block("CLApr 1, 2020", "On Bells of All Towers", ", ".join(PEOPLE[:51]))
    fewer = block("CLApr 2, 2020", "On Bells of Most Towers", ", ".join(PEOPLE[30:79]))  # and the owner
    pages = [page(number) for number in range(45)]
    return tables_of(*pages, f"{SOUND}\n\n{crowd}\n\n{fewer}", UNDATED.replace("On", "Of"))


def charts_of(tables: Frames) -> list[charts.Chart]:
    """The charts of a draft of these tables."""
    with TemporaryDirectory() as draft:
        write_database(Path(draft) / DATABASE_FILE, tables)
        write_parquet(Path(draft) / "paper_authors.parquet", PaperAuthors, tables["paper_authors"])
        return charts.charts_of(Path(draft))


def answers(tables: Frames, drawn: Iterable[charts.Chart]) -> list[tuple[list[str], list[list[object]]]]:
    """The columns and rows that the SQL of each chart returns from the database of the tables."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / DATABASE_FILE
        write_database(path, tables)
        with closing(sqlite3.connect(path)) as database:
            cursors = [database.execute(chart.sql) for chart in drawn]
            return [([name for name, *_ in cursor.description], [*map(list, cursor)]) for cursor in cursors]


def drawn_results(*texts: str) -> Results:
    """The results of a release of pages with these texts, its charts too."""
    tables = tables_of(*texts)
    return summarize(tables).with_charts(charts_of(tables))
