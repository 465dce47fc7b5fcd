"""Where a release's files lie, and which release is the newest. Light to import, since `serve` needs no more."""

import json
import re
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.invocation import command

CURRENT = "current"
RELEASES = "releases"
MANIFEST = "manifest.json"
METADATA = "datasette-metadata.json"
DATA_PACKAGE = "datapackage.json"
DATABASE = "paperledger"
DATABASE_FILE = f"{DATABASE}.db"
PAPER_LIST_FILE = "paper_list.parquet"
ID_LENGTH = 16
"""Hexadecimal digits of the logical hash that name a release."""


def newest_release(path: Path) -> Path:
    """The real folder of the newest release of an output folder, or of the release at `path`, whole or damaged.

    Raises `UsageError` where there is none, or where it cannot be looked for.
    """
    return _found(path, f"no release here; run {command('build')}, or give its folder with --out")


def find_release(path: Path) -> Path:
    """The same for releases that are built elsewhere: where there is none, it is not to build that is missing."""
    return _found(path, "no release here, expected the folder of one, or an output folder of paperledger build")


def _found(path: Path, missing: str) -> Path:
    current = path / CURRENT
    try:
        if _is_there(current) and current.is_dir():
            return current.resolve()
        if any(_is_there(path / name) for name in (MANIFEST, DATABASE_FILE)):
            return path.resolve()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the folder and its permissions") from error
    if current.is_symlink():
        missing = f"{CURRENT} leads to {current.readlink()}, where no release is; run {command('build')} again"
    raise UsageError(f"{path}: {missing}")


def _is_there(path: Path) -> bool:
    """Whether there is a file or folder; raises `OSError` where that cannot be said, which pathlib does not always."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def database_address(release: Path) -> str:
    """The database as SQLite's URI: immutable, so that SQLite makes no file beside it, not even for a moment."""
    return f"{(release / DATABASE_FILE).resolve().as_uri()}?mode=ro&immutable=1"


def is_release_id(name: str) -> bool:
    """Whether a folder of this name is a release.

    >>> is_release_id("0123456789abcdef"), is_release_id(".build-x1")
    (True, False)
    """
    return re.fullmatch(rf"[0-9a-f]{{{ID_LENGTH}}}", name) is not None


def read_manifest(release: Path) -> dict[str, Any]:
    """What a release says of itself."""
    manifest: dict[str, Any] = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    return manifest
