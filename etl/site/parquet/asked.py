"""What an address asks for: the SQL that Datasette would run for it, without the limits of a page.

In: a request. Out: `Asked`. Datasette's own views check permissions, read filters and write the SQL; they are given a
Datasette that hands over the SQL instead of running it, so that nothing runs twice and nothing is written twice.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from datasette import views  # its modules are loaded after the plugins, so they are named only where they are used
from datasette.utils import InvalidSql, derive_named_parameters, sqlite3
from datasette.utils.asgi import NotFound, Request, Response

from etl.site.parquet.limits import Refused

if TYPE_CHECKING:
    from datasette.app import Datasette

_PAGE_SIZE = 1
_PAGE_LIMIT = f" limit {_PAGE_SIZE + 1}"
"""What Datasette writes at the end of a table's SQL; a LIMIT of the user's own is another one."""
PRESENTATION = frozenset(
    "_dl _extra _extras _header _json _json_infinity _label _labels _next _nl _nocount _nofacet _nosuggest _shape _size"  # noqa: SIM905
    " _stream _timelimit _trace _ttl".split()
)
"""Arguments that say how a page looks, or which page it is; those that begin with `_facet` are others."""


@dataclass(frozen=True)
class Asked:
    """SQL and the values of its parameters; `named` holds those that stand in the address, for people."""

    sql: str
    parameters: Any
    named: dict[str, str]
    page: str | None = None
    """The table, view or canned query whose address it is."""


class _Handed(Exception):
    def __init__(self, sql: str, parameters: Any) -> None:
        self.sql = sql
        self.parameters = parameters


class _Asking:
    """A Datasette, or a database of one, that hands over the SQL of a page instead of running it."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_database(self, *args: Any, **named: Any) -> "_Asking":
        return _Asking(self._real.get_database(*args, **named))

    async def execute(self, *args: Any, truncate: bool = False, **named: Any) -> Any:
        if truncate:  # only the rows of the page are
            raise _Handed(*args[-2:])
        return await self._real.execute(*args, **named)


async def asked_of_sql(datasette: "Datasette", request: Request) -> Asked | Response:
    """What the SQL in the address asks for."""
    return await _asked(views.database.DatabaseView(_Asking(datasette)).data(request))


async def asked_of_query(datasette: "Datasette", request: Request, name: str) -> Asked | Response:
    """What a canned query asks for; Datasette finds it among the tables."""
    return await _asked(views.table.TableView(_Asking(datasette)).data(request), name)


async def asked_of_table(datasette: "Datasette", request: Request, table: str) -> Asked | Response:
    """What the request asks of a table or view: all its rows that pass the filters, whatever page was looked at."""
    query = urlencode(content_arguments(request)).encode()
    whole = Request({**request.scope, "query_string": query}, request.receive)
    return await _asked(views.table.TableView(_Asking(datasette)).data(whole, _size=_PAGE_SIZE), table, _PAGE_LIMIT)


async def asked_of_row(datasette: "Datasette", request: Request, table: str) -> Asked | Response:
    """What the request asks of a row; raises `NotFound` where there is none, as Datasette's own page does."""
    found = await _asked(views.row.RowView(_Asking(datasette)).data(request), table)
    await views.row.RowView(datasette).data(request)
    return found


def content_arguments(request: Request) -> list[tuple[str, str]]:
    """The arguments of a table's address that change its rows or columns, or their order."""
    return [(name, value) for name, value in parse_qsl(request.query_string, keep_blank_values=True) if _matters(name)]


def _matters(name: str) -> bool:
    return "__" in name or not (name in PRESENTATION or name.startswith("_facet"))


async def _asked(page: Awaitable[Any], name: str | None = None, limit: str = "") -> Asked | Response:
    """The SQL that a page of Datasette's asks for, without its limit; the page itself where that is a redirect."""
    try:
        answer = await page
    except _Handed as handed:
        names = await derive_named_parameters(None, handed.sql)  # which asks no database
        values = dict(handed.parameters)
        named = {name: values[name] for name in sorted(names) if name in values}
        return Asked(handed.sql.strip().removesuffix(limit).strip(), handed.parameters, named, name)
    except (InvalidSql, sqlite3.Error) as error:
        raise Refused(400, str(error)) from error
    if isinstance(answer, Response):
        return answer
    raise NotFound("Nothing to export: there is no SQL here, or SQL that writes")
