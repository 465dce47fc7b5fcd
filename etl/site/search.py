"""The search for people and papers. In: `/-/search?q=`. Out: a page of people and papers, or a redirect to the one row that `q` identifies.

People are found by the beginnings of the words of any of their spellings, papers by all words in title and abstract. `year` and
`category` filter the papers, `page` is the number of their page.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.utils import tilde_encode
from datasette.utils.asgi import Request, Response
from markupsafe import Markup, escape

from etl.export.selection import PRIMARY_CATEGORY, UNKNOWN, YEAR
from etl.load.layout import DATABASE
from etl.printable import visible
from etl.release.lineage import ReleaseRows, Row
from etl.resolve.folding import fold, slug
from etl.site import SEARCH
from etl.site.cards import PaperCard, paper_cards, require_cards
from etl.site.row_pages import query_in_thread, successor
from etl.site.safety.search_limits import parameters_refusal, words_of
from etl.site.safety.statement_time import CURRENT_QUERY, SqlQuery
from etl.site.served import served
from schemas.questions import AROUND_MARK, BEFORE_MARK, SEARCH_PAPERS, SEARCHED_WORDS, TITLE_WEIGHT

if TYPE_CHECKING:
    from datasette.app import Datasette

PAPERS = 20
"""Papers of a page."""
SHOWN_PEOPLE, MORE_PEOPLE, MOST_PEOPLE = 8, 40, 1000
"""People that are shown at once, those that a click shows, and those of whom the most prolific are chosen."""
SHOWN_CATEGORIES = 20
MOST_RANKED = 150_000
"""Papers found that are ranked and counted, divided by half the words: 100,000 with two words take 190 ms."""
MOST_TRIED = 8
"""Words that are looked up one by one where no paper has all of them."""
NEAR_NAMES, MOST_COMPARED, NEAR = 6, 1000, 0.7
"""Names that are offered where nothing is found, names that are compared (at some 20 µs a word), and the similarity from 0 to 1 of an offered one."""


@dataclass(frozen=True)
class Search:
    """What a request asks for; `words` are printable, with single spaces."""

    words: str
    year: str | None = None
    category: str | None = None
    page: int = 1

    def address(self, **changed: Any) -> str:
        """The query of the address of this search, or of one with other values.

        >>> Search("ann bell", year="2024", page=3).address(category="cs.CL", page=1)
        '?q=ann+bell&year=2024&category=cs.CL'
        """
        new = replace(self, **changed)
        named = {"q": new.words, "year": new.year, "category": new.category, "page": new.page if new.page > 1 else None}
        return "?" + urlencode({name: value for name, value in named.items() if value})


def search_of(arguments: Callable[[str], str | None]) -> Search:
    r"""The search of a request's arguments; a page that is no number is the first.

    >>> search_of({"q": " ann\0 bell\n", "page": "two"}.get)
    Search(words='ann bell', year=None, category=None, page=1)
    """
    letters = (letter if letter.isprintable() else " " for letter in arguments("q") or "")
    page = arguments("page") or ""
    return Search(
        words=" ".join("".join(letters).split()),
        year=arguments("year") or None,
        category=arguments("category") or None,
        page=int(page) if re.fullmatch("[1-9][0-9]{0,4}", page) else 1,
    )


_ARXIV = re.compile(
    r"(?:https?://(?:[a-z]+\.)?arxiv\.org/[a-z]+/|arxiv: ?|(?:https?://(?:dx\.)?doi\.org/)?10\.48550/arxiv\.)?"
    r"(?P<id>[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[a-z]{2})?/[0-9]{7})(?:v[0-9]+)?(?:\.pdf)?/?",
    re.IGNORECASE,
)
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi: ?)?(?P<id>10\.[0-9]{4,}[^\s/]*/\S+)", re.IGNORECASE)
_BY_IDENTIFIER = (
    "SELECT paper_id FROM paper_identifiers WHERE scheme = ? AND value = ? COLLATE NOCASE ORDER BY paper_id LIMIT 1"
)
_BY_KEY = "SELECT paper_id FROM papers WHERE paper_id = ? OR citekey = ?"
_LONGEST_KEY = 200


def _identifier_in(words: str) -> tuple[str, str] | None:
    """The scheme and value of the identifier that a text is, however it is written; None for other texts.

    >>> _identifier_in("arXiv:2401.00001v2"), _identifier_in("https://arxiv.org/pdf/hep-th/9901001")
    (('arxiv', '2401.00001'), ('arxiv', 'hep-th/9901001'))
    >>> _identifier_in("https://doi.org/10.1000/Bells"), _identifier_in("10.48550/arXiv.2401.00001"), _identifier_in("bells")
    (('doi', '10.1000/Bells'), ('arxiv', '2401.00001'), None)
    """
    for scheme, pattern in (("arxiv", _ARXIV), ("doi", _DOI)):
        if found := pattern.fullmatch(words):
            return scheme, found["id"]
    return None


def _row_of(database: sqlite3.Connection, words: str) -> tuple[str, str] | None:
    """The table and key of the one row that a text identifies: a paper's identifier or citekey, or an author's identifier.

    An author's identifier of one word is none: it may be a word of papers.
    """
    if len(words) > _LONGEST_KEY:
        return None
    if identifier := _identifier_in(words):
        found = database.execute(_BY_IDENTIFIER, identifier).fetchone()
    else:
        found = database.execute(_BY_KEY, [words, words]).fetchone()
    if found:
        return "papers", found[0]
    if "-" in words and database.execute("SELECT 1 FROM authors WHERE author_id = ?", [words]).fetchone():
        return "authors", words
    former = ((table, successor(database, table, words)) for table in ("papers", "authors"))
    return next(((table, key) for table, key in former if key and ("-" in words or table == "papers")), None)


_PEOPLE = f"""
SELECT author_id, name, kind, spelling_count, (SELECT count(*) FROM paper_authors WHERE author_id = authors.author_id) AS papers
FROM authors
WHERE rowid IN (SELECT rowid FROM authors_fts WHERE authors_fts MATCH ?1 LIMIT {MOST_PEOPLE})
  OR rowid IN (SELECT rowid FROM authors WHERE author_id BETWEEN ?2 AND ?2 || '~' LIMIT {MOST_PEOPLE})
  OR rowid IN (SELECT rowid FROM authors WHERE author_id BETWEEN ?3 AND ?3 || '~' LIMIT {MOST_PEOPLE})
  OR rowid IN (
    SELECT rowid
    FROM authors
    WHERE length(CAST(name AS BLOB)) > length(name)
      AND NOT EXISTS (SELECT 1 FROM json_each(?4) WHERE instr('-' || author_id, '-' || value) = 0)
    LIMIT {MOST_PEOPLE}
  )
ORDER BY author_id IN (?2, ?3) DESC, papers DESC, name, author_id
"""  # noqa: S608
_SPELLINGS = "SELECT name FROM author_names WHERE author_id = ? AND name <> ? ORDER BY name LIMIT 3"


@dataclass(frozen=True)
class Person:
    """A row of `authors` with the number of papers, and other spellings."""

    row: Row
    spellings: list[str] = field(default_factory=list)


def find_people(database: sqlite3.Connection, words: str) -> tuple[list[Person], int]:
    """The people with a spelling in which each word begins a word, whole words first, then the most prolific; and how many there are."""
    # The index folds no letters such as ø, which the keys of authors write as o: hence these too, in both orders, and for names
    # with such letters in any.
    release, (first, _, rest) = ReleaseRows(database), fold(words).partition(" ")
    keys = (slug(f"{first} {rest}"), slug(f"{rest} {first}"))
    wanted = {first, *rest.split()}
    rows = list(release.rows(_PEOPLE, _beginnings(words), *keys, json.dumps(sorted(wanted)))) if first else []
    rows.sort(key=lambda row: not wanted.issubset(fold(row["name"]).split()))
    shown = [
        Person(row, [name["name"] for name in release.rows(_SPELLINGS, row["author_id"], row["name"])])
        if row["spelling_count"] > 1
        else Person(row)
        for row in rows[: SHOWN_PEOPLE + MORE_PEOPLE]
    ]
    return shown, len(rows)


def _beginnings(words: str, letters: int | None = None, between: str = " ") -> str:
    """An expression of FTS5 for words that begin like these, or like their first letters; each word is quoted.

    >>> _beginnings('Ann "Bell'), _beginnings("Ann Bell", 2, " OR ")
    ('"Ann"* "Bell"*', '"An"* OR "Be"*')
    """
    return between.join(f'"{word[:letters]}"*' for word in words.replace('"', " ").split()) or '""'


# The words of the papers found are marked afterwards, and only those of a page: see SEARCH_PAPERS.
_FOUND = f"""
WITH
  {SEARCHED_WORDS},
  found AS MATERIALIZED (
    SELECT
      papers.rowid AS place,
      bm25(papers_fts, {TITLE_WEIGHT}, 1.0) AS score,
      {YEAR} AS year,
      {PRIMARY_CATEGORY} AS category
    FROM papers_fts CROSS JOIN papers ON papers.rowid = papers_fts.rowid
    WHERE papers_fts MATCH (SELECT expression FROM asked)
    LIMIT :most
  )
SELECT year, category, count(*) AS papers, NULL AS place FROM found GROUP BY year, category
UNION ALL
SELECT NULL, NULL, NULL, place
FROM (
  SELECT place FROM found
  WHERE (:year IS NULL OR year = :year) AND (:category IS NULL OR category = :category)
  ORDER BY score, place
  LIMIT {PAPERS} OFFSET :passed
)
"""  # noqa: S608
_MARK, _END_MARK = "\ue010", "\ue011"
_MARKED = f"""
WITH {SEARCHED_WORDS}
SELECT rowid, highlight(papers_fts, 1, '{_MARK}', '{_END_MARK}') AS abstract
FROM papers_fts
WHERE papers_fts MATCH (SELECT expression FROM asked) AND rowid IN ({{}})
"""  # noqa: S608
_SPAN = re.compile(f"{_MARK}([^{_MARK}{_END_MARK}]*){_END_MARK}")


@dataclass(frozen=True)
class Facet:
    """A value that papers found have, how many do, and whether the search is narrowed to it."""

    value: str
    papers: int
    is_chosen: bool


@dataclass(frozen=True)
class PapersFound:
    """A page of the papers found, each with its snippet; the number of all, and the facets."""

    total: int = 0
    cards: list[tuple[PaperCard, Markup]] = field(default_factory=list)
    years: list[Facet] = field(default_factory=list)
    categories: list[Facet] = field(default_factory=list)
    cut_to: int | None = None
    """The number of papers that are ranked, where perhaps more have the words."""

    @property
    def pages(self) -> int:
        """The number of pages."""
        return -(-self.total // PAPERS)


def _find_papers(database: sqlite3.Connection, search: Search) -> PapersFound:
    """A page of the papers in which all words occur, in any form, the best match first."""
    most = 2 * MOST_RANKED // max(2, words_of(search.words))
    asked = {
        "q": search.words,
        "year": search.year,
        "category": search.category,
        "most": most,
        "passed": PAPERS * (search.page - 1),
    }
    rows = database.execute(_FOUND, asked).fetchall()
    groups = [(year, category, papers) for year, category, papers, place in rows if place is None]
    years, categories = Counter[str](), Counter[str]()
    for year, category, papers in groups:
        years[year] += papers * (search.category in (None, category))
        categories[category] += papers * (search.year in (None, year))
    return PapersFound(
        total=sum(
            papers
            for year, category, papers in groups
            if search.year in (None, year) and search.category in (None, category)
        ),
        cards=_with_snippets(database, search.words, [row[3] for row in rows if row[3] is not None]),
        years=_facets(sorted(years.items(), key=lambda one: (one[0] != UNKNOWN, one[0]), reverse=True), search.year),
        categories=_facets(sorted(categories.items(), key=lambda one: (-one[1], one[0])), search.category),
        cut_to=most if sum(papers for *_, papers in groups) == most else None,
    )


def _facets(counted: list[tuple[str, int]], chosen: str | None) -> list[Facet]:
    return [Facet(value, papers, value == chosen) for value, papers in counted if papers or value == chosen]


def _with_snippets(database: sqlite3.Connection, words: str, places: list[int]) -> list[tuple[PaperCard, Markup]]:
    named = {"q": words, **{f"p{place}": place for place in places}}
    sql = _MARKED.format(",".join(f":p{place}" for place in places))
    abstracts = dict(database.execute(sql, named).fetchall()) if places else {}
    return [(card, _snippet(abstracts.get(card.row["place"], ""))) for card in paper_cards(database, places)]


def _snippet(marked: str) -> Markup:
    r"""The part of an abstract around its first marked word, as HTML.

    >>> _snippet("On <i> \ue010bells\ue011")
    Markup('On &lt;i&gt; <mark>bells</mark>')
    """
    first = max(marked.find(_MARK), 0)
    before = max(first - BEFORE_MARK, 0)
    start = marked.find(" ", before, first) + 1 or before if before else 0
    part = marked[start : start + AROUND_MARK]
    if start + AROUND_MARK < len(marked) and (end := part.rfind(" ", first - start + 1)) > 0:
        part = part[:end]
    part += _END_MARK if part.rfind(_MARK) > part.rfind(_END_MARK) else ""
    ends = ("…" if start else "", "…" if start + AROUND_MARK < len(marked) else "")
    pieces = (escape(visible(piece)) for piece in _SPAN.split(part))
    html = "".join(f"<mark>{piece}</mark>" if number % 2 else piece for number, piece in enumerate(pieces))
    return Markup(f"{ends[0]}{html}{ends[1]}")  # noqa: S704  each piece is escaped


_WITH_WORD = (
    f"WITH {SEARCHED_WORDS} SELECT count(*) FROM papers_fts WHERE papers_fts MATCH (SELECT expression FROM asked)"  # noqa: S608
)
_COMPARED = f"""
SELECT author_id, name FROM authors
WHERE rowid IN (SELECT rowid FROM authors_fts WHERE authors_fts MATCH ? LIMIT {MOST_COMPARED})
"""  # noqa: S608


def _papers_by_word(database: sqlite3.Connection, words: str) -> dict[str, int]:
    """In how many papers each of the first words occurs."""
    tried = list(dict.fromkeys(words.replace('"', " ").split()))[:MOST_TRIED]
    return {word: database.execute(_WITH_WORD, {"q": word}).fetchone()[0] for word in tried}


def near_names(database: sqlite3.Connection, words: str) -> list[Row]:
    """The authors whose names are most similar, the nearest first."""
    wanted = fold(words).split()[:MOST_TRIED]
    rows: dict[str, Row] = {}
    for expression in _near_expressions(" ".join(wanted)):
        if len(rows) < MOST_COMPARED:
            rows |= {row["author_id"]: row for row in ReleaseRows(database).rows(_COMPARED, expression)}
    ranked = sorted(((_nearness(wanted, row["name"]), key) for key, row in rows.items()), reverse=True)
    return [rows[key] for nearness, key in ranked[:NEAR_NAMES] if nearness >= NEAR]


def _near_expressions(words: str) -> Iterator[str]:
    """Expressions for names that may be similar, the narrowest first."""
    if words:
        yield from (_beginnings(words, letters) for letters in (4, 3, 2, 1))
        yield from (_beginnings(words, letters, " OR ") for letters in (4, 2))


def _nearness(wanted: list[str], name: str) -> float:
    """How similar each wanted word is to a word of the name, on average, from 0 to 1."""
    words = fold(name).split()
    return sum(max((_similarity(one, word) for word in words), default=0) for one in wanted) / len(wanted)


@lru_cache(maxsize=1 << 14)
def _similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


@dataclass(frozen=True)
class Results:
    """What a search found; where it found nothing, the words that occur, and near names."""

    people: list[Person] = field(default_factory=list)
    people_total: int = 0
    papers: PapersFound = field(default_factory=PapersFound)
    tried: dict[str, int] = field(default_factory=dict)
    near: list[Row] = field(default_factory=list)


def _results(database: sqlite3.Connection, search: Search) -> Results | tuple[str, str]:
    """What a search found, or the table and key of the one row that it identifies."""
    if row := _row_of(database, search.words):
        return row
    people, people_total = find_people(database, search.words)
    papers = _find_papers(database, search)
    if papers.total or search.year or search.category:
        return Results(people, people_total, papers)
    tried = _papers_by_word(database, search.words)
    return Results(people, people_total, papers, tried, [] if people else near_names(database, search.words))


class SearchPage:
    """The route of one release's search."""

    def __init__(self, datasette: "Datasette") -> None:
        self._datasette = datasette

    async def answer(self, request: Request) -> Response:
        """The page of a search, or a redirect to the row that its words identify."""
        await require_cards(self._datasette, request)
        search = search_of(request.args.get)
        # The limits apply as to the question whose SQL this is, whatever else the address has.
        query = SqlQuery(SEARCH_PAPERS.sql, {"q": search.words})
        refused = parameters_refusal(query)
        before = CURRENT_QUERY.set(query)
        try:
            found = (
                await query_in_thread(self._datasette, partial(_results, search=search))
                if search.words and not refused
                else Results()
            )
        finally:
            CURRENT_QUERY.reset(before)
        if isinstance(found, tuple):
            return Response.redirect(self._datasette.urls.row(DATABASE, found[0], tilde_encode(found[1])))
        context = {
            "search": search,
            "found": found,
            "refused": refused,
            "database": DATABASE,
            "question": f"{self._datasette.urls.query(DATABASE, SEARCH_PAPERS.name)}?{urlencode({'q': search.words})}",
            "shown_people": SHOWN_PEOPLE,
            "shown_categories": SHOWN_CATEGORIES,
            "papers_a_result": PAPERS,
            "most_people": MOST_PEOPLE,
            "unknown": UNKNOWN,
        }
        html = await self._datasette.render_template("paperledger-search.html", context, request=request)
        return Response.html(html, status=400 if refused else 200)


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The route of the search, where a release is served."""
    return [(rf"^{SEARCH}$", SearchPage(datasette).answer)] if served(datasette) else []
