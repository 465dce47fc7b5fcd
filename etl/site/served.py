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
    folder = Path(database.path).resolve().parent if database and database.path else None
    return _read(folder) if folder and (folder / MANIFEST).is_file() else None


@cache
def _read(folder: Path) -> Served:
    return Served(folder, read_manifest(folder))
