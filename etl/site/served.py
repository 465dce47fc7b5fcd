"""Which release a Datasette serves: the folder that its database lies in."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from etl.load.layout import DATABASE, MANIFEST, read_manifest
from etl.release.release import Release

if TYPE_CHECKING:
    from datasette.app import Datasette


def served(datasette: "Datasette") -> Release | None:
    """The release whose database this Datasette serves; None where it serves none, or a database without its folder."""
    database = datasette.databases.get(DATABASE)
    return _beside(database.path) if database and database.path else None


@cache
def _beside(database: str) -> Release | None:
    """The release that a database lies in; looked for once, since every cell of a page asks."""
    folder = Path(database).resolve().parent
    return Release(folder, read_manifest(folder)) if (folder / MANIFEST).is_file() else None
