"""The manifest of a release: what it is, where it comes from, and what each of its files must be.

In: facts. Out: a dict, and its one way of being written. Its last entry is a hash of all others, so that no byte of
it changes unseen.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from etl import __version__
from schemas.version import SCHEMA_VERSION

SEAL = "manifest_sha256"
OWN = ("paperledger", "schema_version", "logical_hash", "files", SEAL)
"""The entries that are not provenance."""


def make_manifest(logical_hash: str, provenance: dict[str, Any], files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The manifest of files whose facts are given by name."""
    version = {"paperledger": __version__, "schema_version": SCHEMA_VERSION}
    return sealed({**version, "logical_hash": logical_hash, **provenance, "files": files})


def sealed(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest with the hash of all its other entries.

    >>> list(sealed({"files": {}}))
    ['files', 'manifest_sha256']
    >>> sealed(sealed({"files": {}})) == sealed({"files": {}})
    True
    """
    rest = {key: value for key, value in manifest.items() if key != SEAL}
    return {**rest, SEAL: hashlib.sha256(render_manifest(rest).encode()).hexdigest()}


def render_manifest(manifest: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def provenance_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Where the tables came from, as it was given to `make_manifest`."""
    return {key: value for key, value in manifest.items() if key not in OWN}


def file_facts(path: Path) -> dict[str, Any]:
    """A file's sha256 and its size in bytes."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
