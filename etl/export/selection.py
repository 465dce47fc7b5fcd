"""Select papers of a release for citations and feeds.

In: an open release's database, and a `Selection`. Out: a `CitedPaper` each, newest first. Papers are read in batches: only
their row numbers are in memory together.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from etl.errors import UsageError, is_refusal
from etl.printable import cut, visible
from schemas.questions import SEARCHED_WORDS
from schemas.views import PAPER_LIST

BATCH = 100
"""Papers that are read at once: a paper may have thousands of authors."""
OTHERS = "others"
"""The last name where a byline is cut, as BibTeX has it; CSL and RIS have no word of their own."""
UNKNOWN = "unknown"
"""The value of `year` and `primary_category` for papers without one."""
YEAR = f"coalesce(substr(published, 1, 4), '{UNKNOWN}')"
PRIMARY_CATEGORY = f"coalesce(category_id, '{UNKNOWN}')"
_SHOWN_LETTERS = 200


@dataclass(frozen=True)
class CitedAuthor:
    """A name in two parts; no given name if it is one word or a group's."""

    given: str | None
    family: str
    is_group: bool = False

    @property
    def name(self) -> str:
        """The whole name.

        >>> CitedAuthor("Ann", "Bell").name, CitedAuthor(None, "The Tower Collaboration", is_group=True).name
        ('Ann Bell', 'The Tower Collaboration')
        """
        return f"{self.given} {self.family}" if self.given else self.family


@dataclass(frozen=True)
class CitedPaper:
    """The data of a paper in citations: title and abstract as printed, with TeX; authors in the order of the byline."""

    paper_id: str
    citekey: str
    title: str
    authors: Sequence[CitedAuthor]
    has_others: bool = False
    """Whether there are authors behind "et al." whom nothing names, or whose place is unknown."""
    published: date | None = None
    abstract: str = ""
    category_id: str | None = None
    arxiv_id: str | None = None
    doi: str | None = None
    url: str | None = None
    """The address of the paper at arXiv, or else that of its DOI."""


@dataclass(frozen=True)
class Selection:
    """A condition on the papers of a release: papers meet each part that is not None.

    `category_id` is one of the paper's categories, `primary_category` its first. `search` is words, or one "exact phrase"; `where`
    is SQL over the columns of `paper_list`.
    """

    paper_id: str | None = None
    author_id: str | None = None
    category_id: str | None = None
    primary_category: str | None = None
    year: str | None = None
    search: str | None = None
    where: str | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """The conditions by name.

        >>> Selection(author_id="ann-bell").conditions
        {'author_id': 'ann-bell'}
        """
        return {name: value for name, value in asdict(self).items() if value is not None}


_CONDITIONS = {
    "paper_id": "paper_id = :paper_id",
    "author_id": "paper_id IN (SELECT paper_id FROM paper_authors WHERE author_id = :author_id)",
    "category_id": "paper_id IN (SELECT paper_id FROM paper_categories WHERE category_id = :category_id)",
    "primary_category": f"{PRIMARY_CATEGORY} = :primary_category",
    "year": f"{YEAR} = :year",
    "search": f"rowid IN (WITH {SEARCHED_WORDS} SELECT rowid FROM papers_fts WHERE papers_fts MATCH (SELECT expression FROM asked))",  # noqa: S608
    # On lines of its own, so that a comment in it ends there.
    "where": f"paper_id IN (SELECT paper_id FROM {PAPER_LIST.name} WHERE (\n{{where}}\n))",  # noqa: S608
}


def select_papers(database: sqlite3.Connection, selection: Selection, most: int | None = None) -> Sequence[int]:
    """The row numbers of the selected papers, at most `most`, newest first; papers without a date come last.

    Raises `UsageError` if `where` is no condition over the columns of `paper_list`.
    """
    given = selection.conditions
    met = " AND ".join(["TRUE", *(_CONDITIONS[name].replace("{where}", given.get("where", "")) for name in given)])
    sql = f"SELECT rowid FROM papers WHERE {met} ORDER BY published DESC, paper_id LIMIT {-1 if most is None else most}"  # noqa: S608
    named = {**given, **({} if selection.search is None else {"q": selection.search})}
    try:
        return array("q", map(itemgetter(0), database.execute(sql, named)))
    except (sqlite3.Error, sqlite3.Warning) as error:
        if selection.where is None or is_refusal(error):
            raise
        raise UsageError(
            f"--where {cut(selection.where, _SHOWN_LETTERS)}: {str(error).rstrip('.')}; expected one condition in SQL over"
            f" the columns of {PAPER_LIST.name}: {', '.join(PAPER_LIST.columns)}"
        ) from error


_PAPERS = """
SELECT rowid, paper_id, citekey, title, authors_truncated, author_count, published, abstract, category_id
FROM papers WHERE rowid IN ({})
"""
_AUTHORS = """
SELECT papers.rowid, given, family, kind = 'group'
FROM papers JOIN paper_authors USING (paper_id) JOIN authors USING (author_id)
WHERE papers.rowid IN ({}) AND position IS NOT NULL
ORDER BY papers.rowid, position, author_id
"""
_IDENTIFIERS = """
SELECT papers.rowid, scheme, value, url FROM papers JOIN paper_identifiers USING (paper_id)
WHERE papers.rowid IN ({})
ORDER BY papers.rowid, scheme, value
"""
Rows = list[tuple[Any, ...]]


def cited_papers(database: sqlite3.Connection, places: Sequence[int]) -> Iterator[CitedPaper]:
    """The papers of these row numbers in this order."""
    for start in range(0, len(places), BATCH):
        batch = places[start : start + BATCH]
        papers, authors, identifiers = (_by_place(database, sql, batch) for sql in (_PAPERS, _AUTHORS, _IDENTIFIERS))
        for place in batch:
            yield _cited(*papers[place][0], authors=authors.get(place, []), identifiers=identifiers.get(place, []))


def _by_place(database: sqlite3.Connection, sql: str, places: Sequence[int]) -> dict[int, Rows]:
    """The rows of a query by their first column, without it."""
    rows: Iterable[tuple[Any, ...]] = database.execute(sql.format(",".join("?" * len(places))), places)
    return {place: [tuple(row[1:]) for row in of_place] for place, of_place in groupby(rows, itemgetter(0))}


def _cited(*row: Any, authors: Rows, identifiers: Rows) -> CitedPaper:
    paper_id, citekey, title, is_cut, author_count, published, abstract, category_id = row
    # Schemes are sorted, and arXiv's is the first: the site cites arXiv's papers.
    first = {scheme: value for scheme, value, _ in reversed(identifiers)}
    return CitedPaper(
        paper_id=paper_id,
        citekey=citekey,
        title=title,
        authors=[
            CitedAuthor(given and visible(given), visible(family), bool(is_group))
            for given, family, is_group in authors
        ],
        has_others=len(authors) < author_count if author_count else bool(is_cut),
        published=date.fromisoformat(published) if published else None,
        abstract=abstract,
        category_id=category_id,
        arxiv_id=first.get("arxiv"),
        doi=first.get("doi"),
        url=identifiers[0][2] if identifiers else None,
    )
