"""Whether a release has the schema of this version. In: its folder, its database. Out: nothing, or an error that says what it has."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from etl import __version__
from etl.errors import DamagedRelease
from etl.load.layout import DATABASE_FILE, MANIFEST
from etl.versions import FIRST_VERSION, require_schema_version
from schemas import TABLES, VIEWS


def require_known_schema(release: Path) -> None:
    """See that a release has this version's tables and columns, before it is looked at any closer.

    What is wrong with a manifest is for others to say. Raises `UsageError` where the release is of another version.
    """
    manifest = _manifest(release)
    if manifest is not None:
        require_schema_version(release, manifest.get("schema_version", FIRST_VERSION), manifest.get("paperledger"))


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


def _manifest(release: Path) -> dict[str, Any] | None:
    """What looks like the manifest of a release of any version; None where there is no such thing."""
    path = release / MANIFEST
    try:
        # A pipe of that name would be waited for.
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, ValueError, RecursionError):
        return None
    named = isinstance(manifest, dict) and re.fullmatch("[0-9a-f]{64}", str(manifest.get("logical_hash")))
    return manifest if named else None


def _missing(database: sqlite3.Connection, table: str, columns: set[str]) -> str | None:
    """What a table lacks, in words."""
    found = {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", [table])}
    if not found:
        return f"no {table}"
    missing = ", ".join(sorted(columns - found))
    return f"{table} without {missing}" if missing else None
