"""The interface for programs: build and check pages, and read a release as polars frames.

In: paths, dates and names, as the command takes them. Out: an `OpenRelease`, or an error of `etl.errors` with a line for each
problem. Nothing is printed.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_args

import polars as pl

from etl import pipeline
from etl.engine.embedded import rare_collection
from etl.errors import UsageError
from etl.pipeline import Checked, Request
from etl.progress import Progress
from etl.release import release as releases
from etl.release.lineage import Reasons
from etl.release.release import (
    Release,
    database_address,
    find_profile,
    open_database,
    rebuild_page,
    require_known_schema,
    table_file,
)
from etl.release.why import why
from etl.report.results import FailOn
from etl.report.wording import require_good
from schemas import TABLES, PaperList

AnyPath = str | PathLike[str]
BUNDLED = str(files("etl").joinpath("sample"))
"""The folder of the page that comes with paperledger."""
FRAMES = (*TABLES, PaperList.definition().name)
"""The names of a release's tables, and of the list of papers."""


class Options(TypedDict, total=False):
    """The options of `build` and `check`, named as the command's.

    Attributes:
        observed_on: The day on which the pages were saved; overrides the days in the names of files.
        overrides: A TOML file that corrects names, papers, categories and dates.
        reference: A file of arXiv's metadata, or several.
        rules: A TOML file that sets severity and limits of rules.
        baseline: An earlier release or results.json: only findings that are new count.
        fail_on: The least severe finding that raises `BadData`: "error" (the default) or "warning".
        allow_unreadable: Whether to publish though some pages cannot be read.
        workers: Processes that read pages side by side, by default 1; more need a main module that may be imported.
    """

    observed_on: date | None
    overrides: AnyPath | None
    reference: AnyPath | Iterable[AnyPath]
    rules: AnyPath | None
    baseline: AnyPath | None
    fail_on: FailOn
    allow_unreadable: bool
    workers: int


def build(
    pages: AnyPath | Iterable[AnyPath] | None = None, out: AnyPath = "build", **options: Unpack[Options]
) -> "OpenRelease":
    """Build a release of pages (files, folders, globs, archives, shards), by default of the bundled page, and open it.

    Options are observed_on, overrides, reference, rules, baseline, fail_on, allow_unreadable and workers;
    `help(etl.api.Options)` describes them.

    Raises `BadData` where the data is bad, and nothing is published; `UsageError` for files and options that cannot be
    used; `PublicationError` where `out` cannot be written, or another build has it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     build(out=folder).papers.height
    50
    """
    with rare_collection():
        return OpenRelease(pipeline.build(_request(pages, out, options), Progress()).release)


def check(pages: AnyPath | Iterable[AnyPath] | None = None, **options: Unpack[Options]) -> Checked:
    """All stages of `build` but the last: the tables as frames, and the results; nothing is published.

    Raises the same errors, `BadData` too.

    >>> check().results.verdict
    'warned'
    """
    request = _request(pages, "build", options)
    with rare_collection():
        checked = pipeline.check(request, Progress())
    require_good(checked.results, request.fail_on)
    return checked


def open_release(folder: AnyPath = "build") -> "OpenRelease":
    """Open the release in a folder, or the newest one of an output folder.

    Raises `UsageError` if there is none, or if its schema has another version.
    """
    release = releases.open_release(_path("folder", folder))
    require_known_schema(release.path)
    return OpenRelease(release)


@dataclass(frozen=True)
class OpenRelease:
    """A release to read: each table is an attribute (`release.papers`), a polars frame; `paper_list` is one too.

    A frame is read from its Parquet file at each access, so store it in a variable.
    """

    release: Release

    @property
    def path(self) -> Path:
        """The folder of the release."""
        return self.release.path

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest: versions, provenance, logical hash, and size and hash of each file."""
        return self.release.manifest

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def __getattr__(self, name: str) -> pl.DataFrame:
        if name not in FRAMES:
            raise AttributeError(
                f"{type(self).__name__} has no attribute or table {name!r}; tables are {', '.join(FRAMES)}"
            )
        return self.table(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FRAMES})

    def table(self, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A table, or some of its columns, rows in the order of its key.

        Raises `UsageError` if there is no such table or column, or if the table's file is damaged.
        """
        _require_known([name], FRAMES, "table")
        if isinstance(columns, str):
            raise UsageError(f"found {columns!r}, expected a list of columns such as [{columns!r}]")
        file = table_file(self.path / f"{name}.parquet")
        _require_known(columns or (), file.columns, f"column of {name}")
        return file.read(file.columns if columns is None else columns)

    def sql(self, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> pl.DataFrame:
        """The rows of a query of the database, which has the views and the full-text search too; nothing can be written.

        Dates are text and booleans are 0 and 1, as in SQLite. Raises `UsageError` where the query is wrong.
        """
        with self._database() as database:
            database.execute("PRAGMA query_only = 1")
            try:
                cursor = database.execute(query, parameters)
                names = [name for name, *_ in cursor.description or ()]
                return _frame(names, cursor.fetchall())
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise UsageError(f"{error}; see `paperledger schema` for tables and columns") from error

    def page(self, profile: str) -> bytes:
        """The bytes of a page, rebuilt; `profile` is its id, the unique beginning of one, or its source.

        Raises `UsageError` if there is none.
        """
        if not isinstance(profile, str):
            raise UsageError(f"found {profile!r}, expected a profile: its id, the beginning of one, or its source")
        with self._database() as database:
            return rebuild_page(database, find_profile(database, profile))

    def why(self, table: str, key: str) -> Reasons:
        """Where a row comes from: raw lines, related rows and the result of each rule; `key` is as in `paperledger why`.

        Raises `UsageError` if there is no such row.
        """
        with self._database() as database:
            return why(database, table, key)

    @cached_property
    def _address(self) -> str:
        """The database's address, once its hash and its tables are checked; raises `DamagedRelease`."""
        with open_database(self.path):
            return database_address(self.path)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._address, uri=True)) as database:
            yield database


def _require_known(names: Sequence[str], known: Collection[str], kind: str) -> None:
    """Raise `UsageError` for a name that is none of the known ones.

    >>> _require_known(["papers"], ["papers", "links"], "table")
    """
    unknown = ", ".join(name for name in names if name not in known)
    if unknown:
        raise UsageError(f"{unknown}: no such {kind}; expected one of {', '.join(known)}")


def _frame(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows of SQLite as a frame; raises `UsageError` where two columns have one name.

    >>> _frame(["h_index"], [(None,), (3,)])["h_index"].to_list()
    [None, 3]
    """
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise UsageError(
            f"found several columns named {', '.join(twice)}, expected different names; rename them with AS"
        )
    return pl.DataFrame(rows, schema=list(names), orient="row", infer_schema_length=None, strict=False)


def _request(pages: AnyPath | Iterable[AnyPath] | None, out: AnyPath, options: Options) -> Request:
    named = list(map(str, _paths("pages", BUNDLED if pages is None else pages)))
    if not named:
        raise UsageError("found an empty list of pages, expected paths; leave it out to read the bundled page")
    _require_known(list(options), list(_READ), "option")
    given = {"thresholds" if name == "rules" else name: _READ[name](name, value) for name, value in options.items()}
    return Request(named, _path("out", out), **given)


def _paths(name: str, value: Any) -> list[AnyPath]:
    """A path or several; this and the functions below raise `UsageError` for other values, which untyped programs give."""
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes | PathLike)
    paths = list(value) if several else [value]
    return [_any_path(name, path) for path in paths]


def _path(name: str, value: Any) -> Path:
    return Path(_any_path(name, value))


def _path_or_none(name: str, value: Any) -> Path | None:
    return None if value is None else _path(name, value)


def _one_of(expected: str, fits: Callable[[Any], bool]) -> Callable[[str, Any], Any]:
    """A reader of the values that fit; `expected` is the words for them."""

    def read(name: str, value: Any) -> Any:
        if not fits(value):
            raise UsageError(f"{name}: found {value!r}, expected {expected}")
        return value

    return read


_any_path = _one_of("a path", lambda value: isinstance(value, str | PathLike))
_READ: dict[str, Callable[[str, Any], Any]] = {
    "observed_on": _one_of(
        "a day such as date(2026, 7, 2), of datetime",
        lambda value: value is None or (isinstance(value, date) and not isinstance(value, datetime)),
    ),
    "overrides": _path_or_none,
    "reference": lambda name, value: list(map(Path, _paths(name, value))),
    "rules": _path_or_none,
    "baseline": _path_or_none,
    "fail_on": _one_of(" or ".join(map(repr, get_args(FailOn))), lambda value: value in get_args(FailOn)),
    "allow_unreadable": _one_of("True or False", lambda value: isinstance(value, bool)),
    "workers": _one_of("a number of processes, at least 1", lambda value: isinstance(value, int) and value > 0),
}
"""For each of `Options` what checks a value and gives it the form that a request has."""
