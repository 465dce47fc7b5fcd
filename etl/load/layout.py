"""Where a release's files lie, and which release is the newest. Light to import, since `serve` needs no more."""

import json
import re
from pathlib import Path
from typing import Any

from etl.errors import UsageError

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


def newest_release(out: Path) -> Path:
    """The real folder of the newest release; raises `UsageError` where there is none."""
    current = out / CURRENT
    if not all((current / name).is_file() for name in (MANIFEST, DATABASE_FILE)):
        raise UsageError(f"{out}: no release here; run paperledger build, or give its folder with --out")
    return current.resolve()


def find_release(path: Path) -> Path:
    """The real folder of the release at `path`, whole or damaged; of an output folder, the newest.

    Raises `UsageError` where there is none.
    """
    current = path / CURRENT
    if current.is_dir():
        return current.resolve()
    if any((path / name).is_file() for name in (MANIFEST, DATABASE_FILE)):
        return path.resolve()
    raise UsageError(f"{path}: no release here, expected the folder of one, or an output folder of paperledger build")


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
