"""The answer to `why`: the row is found, its table's part of the answer is asked for, and the rules that looked at it."""

import sqlite3
from collections.abc import Callable
from itertools import islice

from etl.why import audit, papers, people, tags
from etl.why.book import Book, Row
from etl.why.keys import find_row
from etl.why.reasons import Reasons, Told

MOST_PLACES = 50
"""Places that an answer holds: a category may stand on every page, and each page has to be rebuilt."""
_TELLERS: dict[str, Callable[[Book, Row], Told]] = {
    "author_names": people.author_name,
    "authors": people.author,
    "categories": tags.category,
    "findings": audit.finding,
    "institutions": tags.institution,
    "links": tags.link,
    "listings": papers.listing,
    "merge_candidates": people.merge_candidate,
    "paper_authors": people.paper_author,
    "paper_candidates": papers.candidate,
    "paper_categories": tags.paper_category,
    "paper_identifiers": papers.identifier,
    "paper_institutions": tags.paper_institution,
    "papers": papers.paper,
    "profiles": people.profile,
    "quarantine": audit.quarantined,
    "rules": audit.rule,
    "variants": papers.variant,
}


def why(database: sqlite3.Connection, table: str, key: str) -> Reasons:
    """Why a row of a release is what it is; the key is as in `findings.row_key`, or plain text.

    Raises `UsageError` where there is no such table or row, `BrokenTables` where a page does not rebuild.
    """
    escaped, row = find_row(database, table, key)
    book = Book(database)
    told = _TELLERS[table](book, row)
    places = tuple(islice(told.places, MOST_PLACES + 1))
    return Reasons(
        table=table,
        key=escaped,
        row=row,
        places=places[:MOST_PLACES],
        more_places=len(places) > MOST_PLACES,
        joins=tuple(told.joins),
        rules=tuple(audit.looks(book, table, escaped)),
    )
