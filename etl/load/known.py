"""Whether a release has the tables of this version. In: its database. Out: nothing, or an error that names what is missing."""

import sqlite3
from pathlib import Path

from etl import __version__
from etl.errors import DamagedRelease
from etl.load.layout import DATABASE_FILE
from schemas import TABLES, VIEWS


def require_known_tables(release: Path, database: sqlite3.Connection) -> None:
    """See that each table and view of this version is there with all its columns.

    Raises `DamagedRelease` where one is not, as in a release of another version, or where the file is no database.
    """
    wanted = {name: set(model.definition().schema) for name, model in TABLES.items()}
    wanted |= {name: set(view.columns) for name, view in VIEWS.items()}
    try:
        problem = next(filter(None, (_missing(database, name, columns) for name, columns in wanted.items())), None)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        problem = f"what cannot be read ({error})"
    if problem:
        raise DamagedRelease(
            f"{release / DATABASE_FILE}: found {problem}, expected the tables of paperledger {__version__};"
            " another version built the release: build it again with this one"
        )


def _missing(database: sqlite3.Connection, table: str, columns: set[str]) -> str | None:
    """What a table lacks, in words."""
    found = {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", [table])}
    if not found:
        return f"no {table}"
    missing = ", ".join(sorted(columns - found))
    return f"{table} without {missing}" if missing else None
