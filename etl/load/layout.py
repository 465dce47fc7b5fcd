"""The file names of a release, and its manifest. Fast to import, since `serve` needs nothing else."""

import json
import re
from pathlib import Path
from typing import Any

CURRENT = "current"
RELEASES = "releases"
LAKE = "lake.json"
LAKES = "lakes"
MANIFEST = "manifest.json"
METADATA = "datasette-metadata.json"
DATA_PACKAGE = "datapackage.json"
CROISSANT = "croissant.json"
DATABASE = "paperledger"
DATABASE_FILE = f"{DATABASE}.db"
PAPER_LIST_FILE = "paper_list.parquet"
REDACTED = int.from_bytes(b"plrd")
"""The `application_id` of the database of a redacted copy; that of others is 0."""
ID_LENGTH = 16
"""Hexadecimal digits of the logical hash that are the name of a release."""


def is_release_id(name: str) -> bool:
    """Whether a folder with this name is a release: `ID_LENGTH` hexadecimal digits.

    >>> is_release_id("0123456789abcdef"), is_release_id(".build-x1")
    (True, False)
    """
    return re.fullmatch(rf"[0-9a-f]{{{ID_LENGTH}}}", name) is not None


def read_manifest(release: Path) -> dict[str, Any]:
    """Read the manifest of a release."""
    manifest: dict[str, Any] = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    return manifest
