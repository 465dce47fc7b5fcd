"""Whether a release's files are those that its manifest names. In: a release's folder. Out: problems in words.

A problem tells the file, what was found and what was expected.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from etl.load.layout import ID_LENGTH, MANIFEST, is_release_id
from etl.load.manifest import file_facts, render_manifest, sealed


class _File(msgspec.Struct):
    sha256: str
    bytes: int
    rows: int | None = None


class _Manifest(msgspec.Struct):
    """What must stand in a manifest; provenance stands beside it."""

    paperledger: str
    logical_hash: str
    files: dict[str, _File]


def damaged_files(release: Path) -> Iterator[str]:
    """The problems of a release's manifest, or else of its files' names, sizes and hashes."""
    try:
        manifest = json.loads((release / MANIFEST).read_bytes())
        told = msgspec.convert(manifest, _Manifest)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        yield f"{MANIFEST}: found no manifest ({_first_line(error)}), expected that of a release"
        return
    problems = [*_manifest_problems(release, manifest)]
    yield from problems or _file_problems(release, told.files)


def _manifest_problems(release: Path, manifest: dict[str, Any]) -> Iterator[str]:
    if render_manifest(sealed(manifest)).encode() != (release / MANIFEST).read_bytes():
        yield f"{MANIFEST}: found other text than it was published with, expected the entries that its last one hashes"
    name, logical_hash = release.resolve().name, manifest["logical_hash"]
    if not re.fullmatch("[0-9a-f]{64}", logical_hash):
        yield f"{MANIFEST}: found the logical hash {logical_hash!r}, expected 64 hexadecimal digits"
    elif is_release_id(name) and name != logical_hash[:ID_LENGTH]:
        yield f"{MANIFEST}: found the logical hash {logical_hash}, expected one that begins with the folder's name {name}"


def _file_problems(release: Path, told: dict[str, _File]) -> Iterator[str]:
    found = {path.name: path for path in sorted(release.iterdir()) if path.name != MANIFEST}
    for name in sorted(told.keys() | found.keys()):
        if name not in found:
            yield f"{name}: found no such file, expected one of {told[name].bytes} bytes"
        elif name not in told:
            yield f"{name}: found a file that the manifest does not name, expected none"
        else:
            yield from _problems_of_file(found[name], told[name])


def _problems_of_file(path: Path, told: _File) -> Iterator[str]:
    if path.is_symlink() or not path.is_file():
        yield f"{path.name}: found a link or a folder, expected a file"
        return
    try:
        facts = file_facts(path)
    except OSError as error:
        yield f"{path.name}: found a file that cannot be read ({_first_line(error)}), expected one of {told.bytes} bytes"
        return
    if facts["bytes"] != told.bytes:
        yield f"{path.name}: found {facts['bytes']} bytes, expected {told.bytes}"
    elif facts["sha256"] != told.sha256:
        yield f"{path.name}: found the sha256 {facts['sha256']}, expected {told.sha256}"


def _first_line(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]
