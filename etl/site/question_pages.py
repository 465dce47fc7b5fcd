"""Pages of questions: fields to ask with, and the answer as rows with links, fifty a page, sorted by any column.

In: `/paperledger/QUESTION?PARAMETER=&sort=-published&page=2`, where a minus sorts the largest first. Out: a page. The same addresses
with .json, .csv and .parquet have all rows and columns.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.database import QueryInterrupted
from datasette.utils import tilde_encode
from datasette.utils.asgi import NotFound, Request, Response

from etl.export.readable_text import readable
from etl.load.layout import DATABASE
from etl.printable import visible
from etl.release.lineage import ReleaseRows, Row
from etl.site.author_pages import part_number
from etl.site.cards import SHOWN_AUTHORS, first_authors
from etl.site.row_pages import query_in_thread, successor
from etl.site.safety.bad_requests import sql_message
from etl.site.safety.sql_limits import RANKING_FUNCTIONS
from etl.site.safety.statement_time import CURRENT_QUERY, SqlQuery
from etl.site.search import find_people, near_names, search_of
from etl.site.served import served
from etl.site.tables import COUNT_MS
from schemas import QUESTIONS
from schemas.questions import Cell, Param, Question

if TYPE_CHECKING:
    from datasette.app import Datasette

ROWS = 50
"""Rows of a page."""
MOST_PEOPLE = 8
"""People that are offered where no author has the identifier."""
_PAGE = "paperledger-question.html"
_CITED = {"search_papers": ("/search", "q"), "papers_of_author": ("/authors", "author_id")}
"""Where the papers of an answer are citations: the address, and the parameter that it needs."""


@dataclass(frozen=True)
class QuestionRequest:
    """What an address asks: the parameters' values, the column that rows are sorted by (None: the question's order), and the page."""

    question: Question
    values: dict[str, str]
    sort: str | None = None
    is_descending: bool = False
    page: int = 1

    @property
    def is_complete(self) -> bool:
        """Whether all parameters that must have a value have one."""
        return all(self.values[name] for name, param in self.question.params.items() if param.is_required)

    @property
    def order(self) -> list[str]:
        """The column that rows are sorted by, as SQL; empty for the question's order."""
        return [f"{self.sort}{' DESC' if self.is_descending else ''} NULLS LAST"] if self.sort else []

    def address(self, **changed: Any) -> str:
        """The query of the address of this request, or of one with other values.

        >>> asked = request_of(QUESTIONS["papers_by_category_and_year"], {"year": "2025", "page": "3"}.get)
        >>> asked.address(), asked.address(sort="title", is_descending=True, page=1)
        ('?year=2025&page=3', '?year=2025&sort=-title')
        """
        new = replace(self, **changed)
        sort = f"-{new.sort}" if new.sort and new.is_descending else new.sort
        named = {**new.values, "sort": sort, "page": new.page if new.page > 1 else None}
        return "?" + urlencode({name: value for name, value in named.items() if value})


def request_of(question: Question, arguments: Callable[[str], str | None]) -> QuestionRequest:
    """The request in the arguments of an address; unknown columns are ignored, a page that is no number is the first.

    >>> request_of(QUESTIONS["coverage_by_profile"], {"sort": "-name", "page": "x"}.get).order
    ['name DESC NULLS LAST']
    >>> request_of(QUESTIONS["coverage_by_profile"], {"sort": "name; DROP"}.get).order
    []
    """
    asked = arguments("sort") or ""
    sort = asked.removeprefix("-")
    return QuestionRequest(
        question=question,
        values={name: arguments(name) or "" for name in question.params},
        sort=sort if sort in {cell.sort for cell in question.cells if cell.sort} else None,
        is_descending=asked.startswith("-"),
        page=max(1, part_number(arguments("page"))),
    )


@dataclass(frozen=True)
class Head:
    """The head of a column: the address that sorts by it, if it can be, and how rows are sorted by it now."""

    heading: str
    address: str | None = None
    direction: str | None = None
    """Ascending, descending, or None."""


def heads_of(asked: QuestionRequest) -> list[Head]:
    """The heads of all columns; the address of the column that rows are sorted by turns their order.

    >>> asked = request_of(QUESTIONS["coverage_by_profile"], {"sort": "name"}.get)
    >>> [(head.address, head.direction) for head in heads_of(asked) if head.direction]
    [('?sort=-name', 'ascending')]
    """
    first, _, direction = asked.question.order[0].partition(" ")
    now = (asked.sort, asked.is_descending) if asked.sort else (first, direction == "DESC")
    return [_head(asked, cell, now) for cell in asked.question.cells]


def _head(asked: QuestionRequest, cell: Cell, now: tuple[str, bool]) -> Head:
    if cell.sort is None:
        return Head(cell.heading)
    is_sorted = now[0] == cell.sort
    address = asked.address(sort=cell.sort, is_descending=is_sorted and not now[1], page=1)
    return Head(cell.heading, address, ("descending" if now[1] else "ascending") if is_sorted else None)


@dataclass(frozen=True)
class Value:
    """A cell of a row: its kind and value (the first authors, or lines with the number of the first), and the address that it leads to."""

    kind: str
    value: Any
    address: str | None = None
    has_more: bool = False


@dataclass(frozen=True)
class Answer:
    """A page of an answer, and what its fields offer; people where no author has the identifier."""

    rows: list[list[Value]] = field(default_factory=list)
    has_more: bool = False
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    people: list[tuple[str, str]] = field(default_factory=list)


class QuestionPages:
    """The routes of one Datasette's questions."""

    def __init__(self, datasette: "Datasette") -> None:
        self._datasette = datasette

    async def answer(self, request: Request) -> Response:
        """The page of a question."""
        name = request.url_vars["question"]
        if await self._datasette.get_canned_query(DATABASE, name, request.actor) is None:
            raise NotFound(f"There is no query {name}")
        seen = [("view-query", (DATABASE, name)), ("view-database", DATABASE), "view-instance"]
        await self._datasette.ensure_permissions(request.actor, seen)
        asked = request_of(QUESTIONS[name], request.args.get)
        answer, problem = Answer(), None
        before = CURRENT_QUERY.set(SqlQuery(asked.question.sql, asked.values))
        try:
            answer = await query_in_thread(self._datasette, partial(self._read, asked=asked))
        except QueryInterrupted:
            problem = "This takes too long; ask for less, or take the files of the release"
        except sqlite3.Error as error:
            problem = sql_message(error)
        finally:
            CURRENT_QUERY.reset(before)
        context = await self._context(asked, answer, problem, request)
        html = await self._datasette.render_template(_PAGE, context, request=request, view_name="query")
        return Response.html(html, status=400 if problem else 200)

    async def _context(
        self, asked: QuestionRequest, answer: Answer, problem: str | None, request: Request
    ) -> dict[str, Any]:
        question, urls, named = asked.question, self._datasette.urls, asked.values
        here = urls.query(DATABASE, question.name)
        query = f"?{urlencode(named)}" if named else ""
        may_edit = not any(
            f"{name}(" in question.sql for name in RANKING_FUNCTIONS
        ) and await self._datasette.permission_allowed(request.actor, "execute-sql", DATABASE, default=True)
        return {
            "database": DATABASE,
            "asked": asked,
            "answer": answer,
            "problem": problem,
            "heads": heads_of(asked),
            "here": here,
            "total": None if problem else await self._total(asked, answer),
            "first": ROWS * (asked.page - 1) + 1,
            "rows_a_page": ROWS,
            "exports": {form: f"{here}.{form}{query}" for form in ("csv", "parquet", "json")},
            "cited": _cited(asked) if answer.rows else None,
            "sql": question.sql,
            "edit": f"{urls.database(DATABASE)}?{urlencode({'sql': question.sql, **named})}" if may_edit else None,
            "alternate_url_json": self._datasette.absolute_url(request, f"{here}.json{query}"),
        }

    def _read(self, database: sqlite3.Connection, asked: QuestionRequest) -> Answer:
        params = asked.question.params
        choices = {
            name: _choices(database, param, asked.values[name]) for name, param in params.items() if param.choices
        }
        if not asked.is_complete:
            return Answer(choices=choices)
        named = {**asked.values, "_rows": ROWS + 1, "_passed": ROWS * (asked.page - 1)}
        cursor = database.execute(asked.question.page_sql(asked.order), named)
        columns = [name for name, *_ in cursor.description]
        found: list[Row] = [dict(zip(columns, row, strict=True)) for row in cursor]
        people = [] if found else _people(database, asked.values.get("author_id", ""))
        release = ReleaseRows(database)
        rows = [[self._value(release, cell, row) for cell in asked.question.cells] for row in found[:ROWS]]
        return Answer(rows, len(found) > ROWS, choices, people)

    def _value(self, release: ReleaseRows, cell: Cell, row: Row) -> Value:
        value, address = row[cell.column], None
        if cell.table and all(row[column] is not None for column in cell.key):
            key = ",".join(tilde_encode(str(row[column])) for column in cell.key)
            address = self._datasette.urls.row(DATABASE, cell.table, key)
        if cell.kind == "authors":
            authors = first_authors(release, row["paper_id"])
            has_more = len(authors) > SHOWN_AUTHORS or str(value).endswith("et al.")
            return Value(cell.kind, authors[:SHOWN_AUTHORS], has_more=has_more)
        if cell.kind == "title":
            return Value(cell.kind, readable(value), address)
        if cell.kind == "lines":
            return Value(cell.kind, (row["line_start"], [visible(line) for line in (value or "").split("\n")]))
        return Value(cell.kind, value, address)

    async def _total(self, asked: QuestionRequest, answer: Answer) -> int | None:
        """The number of all rows; None where counting takes too long."""
        if not answer.has_more and (answer.rows or asked.page == 1):
            return ROWS * (asked.page - 1) + len(answer.rows)
        if not asked.question.is_counted:
            return None
        database, sql = self._datasette.get_database(DATABASE), asked.question.count_sql
        try:
            counted = await database.execute(sql, asked.values, custom_time_limit=COUNT_MS)
        except QueryInterrupted:
            return None
        total: int = counted.single_value()
        return total


def _choices(database: sqlite3.Connection, param: Param, value: str) -> list[tuple[str, str]]:
    """The values of a field with the words for each; another value of the address is one of them."""
    found = [(key, words or key) for key, words in database.execute(param.choices or "").fetchall()]
    return found if not value or value in {key for key, _ in found} else [(value, value), *found]


def _people(database: sqlite3.Connection, author_id: str) -> list[tuple[str, str]]:
    """The identifiers and names of people who may be meant, where no author has this identifier."""
    names = "SELECT author_id, name FROM authors WHERE author_id = ?"
    if not author_id or database.execute(names, [author_id]).fetchone():
        return []
    now = successor(database, "authors", author_id)
    former = database.execute(names, [now]).fetchall() if now else []
    words = search_of({"q": author_id.replace("-", " ")}.get).words
    people = [one.row for one in find_people(database, words)[0]] or near_names(database, words)
    found = ((row["author_id"], row["name"]) for row in people[:MOST_PEOPLE])
    return list(dict.fromkeys([*map(tuple, former), *found]))


def _cited(asked: QuestionRequest) -> tuple[str, str] | None:
    """The address of the citations of all papers of an answer, behind /-/cite, and its query; None where there is none."""
    if asked.question.name not in _CITED:
        return None
    address, name = _CITED[asked.question.name]
    value = asked.values[name]
    return (address, f"?{urlencode({name: value})}") if name == "q" else (f"{address}/{tilde_encode(value)}", "")


@hookimpl
def register_routes(datasette: "Datasette") -> list[tuple[str, Any]]:
    """The routes of questions, where a release is served."""
    if served(datasette) is None:
        return []
    return [(rf"^/{DATABASE}/(?P<question>{'|'.join(QUESTIONS)})$", QuestionPages(datasette).answer)]
