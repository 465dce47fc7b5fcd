"""What one would write instead, from the same pages: `python tests/benchmarks/peers.py recipe|dlt PAGES OUT`.

`recipe` is pandas, pandera, `to_sql`, `to_parquet` and a full-text index; `dlt` is a dlt pipeline into SQLite. Both use one
simple parser. They check less than paperledger does, resolve no names, and record no lines. They need the packages of
`pip install -e '.[benchmark]'`.
"""

import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGES = ("pandas", "dlt", "sqlalchemy")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BADGE = re.compile(rf"([A-Za-z.-]+?)({'|'.join(MONTHS)}) ([0-9]{{1,2}})(?:, ([0-9]{{4}}))?(Code)?")
SAVED_YEAR = 2026
INDEXED = {"papers": "paper_id", "authors": "author_id", "paper_authors": "author_id"}
SEARCH = """
CREATE VIRTUAL TABLE papers_fts USING fts5(title, abstract, content=[papers], tokenize='porter unicode61');
INSERT INTO papers_fts(papers_fts) VALUES ('rebuild');
"""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Listed:
    """A paper as a page prints it first."""

    paper_id: str
    title: str
    abstract: str
    category: str
    published: str
    has_code: bool
    source: str


def missing_packages() -> list[str]:
    """The packages that are needed and not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def read(folder: Path) -> dict[str, Rows]:
    """The rows of each table; a paper is its title."""
    papers: dict[str, Listed] = {}
    numbers: dict[str, int] = {}
    written: Rows = []
    for file in sorted(folder.glob("*.txt")):
        for paper, names in _papers(file):
            if paper.paper_id not in papers:
                papers[paper.paper_id] = paper
                for position, name in enumerate(dict.fromkeys(names), 1):
                    number = numbers.setdefault(name, len(numbers) + 1)
                    written.append({"paper_id": paper.paper_id, "author_id": number, "position": position})
    authors = [{"author_id": number, "name": name} for name, number in numbers.items()]
    return {"papers": list(map(asdict, papers.values())), "authors": authors, "paper_authors": written}


def _papers(file: Path) -> Iterator[tuple[Listed, list[str]]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[:-5]):
        badge = BADGE.fullmatch(line)
        if badge is None or not lines[number + 1]:
            continue
        category, month, day, year, code = badge.groups()
        title, byline, abstract = lines[number + 1], lines[number + 3], lines[number + 5]
        yield (
            Listed(
                paper_id=blake2b(title.casefold().encode(), digest_size=8).hexdigest(),
                title=title,
                abstract=abstract,
                category=category,
                published=f"{year or SAVED_YEAR}-{MONTHS.index(month) + 1:02}-{int(day):02}",
                has_code=code is not None,
                source=file.name,
            ),
            byline.partition(" · ")[0].removesuffix(" et al.").split(", "),
        )


def recipe(pages: Path, out: Path) -> None:
    """Write the tables as a script of pandas does."""
    import pandas as pd  # noqa: PLC0415  a peer pays for its own imports alone
    import pandera.pandas as pa  # noqa: PLC0415

    tables = {name: pd.DataFrame(rows) for name, rows in read(pages).items()}
    pa.DataFrameSchema(
        {
            "paper_id": pa.Column(str, unique=True),
            "title": pa.Column(str, pa.Check.str_length(1, 1000)),
            "abstract": pa.Column(
                str, [pa.Check.str_length(0, 20_000), pa.Check.str_matches(r"^[^\x00-\x08\x0b-\x1f]*$")]
            ),
            "category": pa.Column(str),
            "published": pa.Column(str, pa.Check.str_matches(r"^\d{4}-\d\d-\d\d$")),
            "has_code": pa.Column(bool),
        }
    ).validate(tables["papers"], lazy=True)
    with closing(sqlite3.connect(out / "recipe.db")) as database:
        for name, table in tables.items():
            table.to_sql(name, database, index=False)
            database.execute(f"CREATE INDEX ix_{name} ON {name}({INDEXED[name]})")
            table.to_parquet(out / f"{name}.parquet", compression="zstd")
        database.executescript(SEARCH)


def pipeline(pages: Path, out: Path) -> None:
    """Write the tables as a dlt pipeline does."""
    # SQLite has one writer; several would wait for each other, and try again.
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "LOAD__WORKERS": "1"}
    import dlt  # noqa: PLC0415

    destination = dlt.destinations.sqlalchemy(f"sqlite:///{(out / 'dlt.db').resolve()}")
    peer = dlt.pipeline("peer", destination=destination, dataset_name="main", pipelines_dir=str(out / "dlt"))
    tables = read(pages)
    papers = dlt.resource(tables.pop("papers"), name="papers", primary_key="paper_id", write_disposition="replace")
    others = [dlt.resource(rows, name=name, write_disposition="replace") for name, rows in tables.items()]
    peer.run([papers, *others])


PEERS = {"recipe": recipe, "dlt": pipeline}

if __name__ == "__main__":
    Path(sys.argv[3]).mkdir(parents=True, exist_ok=True)
    PEERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
