"""The formats of an export, and one export of them all. In: a release's database, a selection. Out: the text in pieces."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from etl.export import FORMATS
from etl.export.atom import Feed, atom, feed_id
from etl.export.bibtex import bibtex
from etl.export.csl_json import csl_json
from etl.export.ris import ris
from etl.export.selection import UNKNOWN, CitedPaper, Selection
from etl.printable import cut

_SHOWN_LETTERS = 200


@dataclass(frozen=True)
class Format:
    """A format: the end of its files' names, its media type, and how papers become its text."""

    suffix: str
    media_type: str
    pieces: Callable[[Iterable[CitedPaper], Feed], Iterator[str]]


BY_NAME = dict(
    zip(
        FORMATS,
        (
            Format("bib", "application/x-bibtex; charset=utf-8", lambda papers, _: map(bibtex, papers)),
            Format("json", "application/vnd.citationstyles.csl+json", lambda papers, _: csl_json(papers)),
            Format("ris", "application/x-research-info-systems; charset=utf-8", lambda papers, _: map(ris, papers)),
            Format("atom", "application/atom+xml; charset=utf-8", atom),
        ),
        strict=True,
    )
)
"""The formats by name."""


def feed_of(database: sqlite3.Connection, selection: Selection) -> Feed:
    """The identifier and the title of a selection's feed.

    >>> feed_of(sqlite3.connect(":memory:"), Selection(primary_category="cs.CL", year="2024", search="bells")).title
    'Papers in cs.CL of 2024 that contain bells'
    """
    names = (
        database.execute("SELECT name FROM authors WHERE author_id = ?", [selection.author_id])
        if selection.author_id
        else ()
    )
    words = {
        "by": next(iter(names), (selection.author_id,))[0],
        "in": selection.category_id or _known(selection.primary_category, "category"),
        "of": _known(selection.year, "year"),
        "that contain": selection.search,
        "where": selection.where,
    }
    parts = (f" {word} {cut(value, _SHOWN_LETTERS)}" for word, value in words.items() if value is not None)
    return Feed(feed_id(selection), "Papers" + "".join(parts))


def _known(value: str | None, what: str) -> str | None:
    return f"an unknown {what}" if value == UNKNOWN else value
