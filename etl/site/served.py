"""Which release a Datasette serves: the folder that its database lies in."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.load.layout import DATABASE, MANIFEST, read_manifest

if TYPE_CHECKING:
    from datasette.app import Datasette


@dataclass(frozen=True)
class Served:
    """The release under a site: its folder and what it says of itself."""

    folder: Path
    manifest: dict[str, Any]


def served(datasette: "Datasette") -> Served | None:
    """The release whose database this Datasette serves; None where it serves none, or a database without its folder."""
    database = datasette.databases.get(DATABASE)
    return _beside(database.path) if database and database.path else None


@cache
def _beside(database: str) -> Served | None:
    """The release that a database lies in; looked for once, since every cell of a page asks."""
    folder = Path(database).resolve().parent
    return Served(folder, read_manifest(folder)) if (folder / MANIFEST).is_file() else None
