"""The files of a release for the page of downloads: what each is, in groups.

In: the facts of the files. Out: groups of `Listed`, none of them empty. Words of tables come from their models.
"""

from dataclasses import dataclass
from typing import Any

from datasette.utils import format_bytes

from etl.load.layout import DATA_PACKAGE, DATABASE_FILE, MANIFEST, METADATA, PAPER_LIST_FILE
from etl.report import REPORT_FILE
from etl.report.results import RESULTS_FILE
from schemas import TABLES, PaperList

_PARQUET = {f"{name}.parquet": model.definition() for name, model in TABLES.items()}
_PAPER_LIST = PaperList.definition()
_WORDS: dict[str, tuple[str, str]] = {
    PAPER_LIST_FILE: (_PAPER_LIST.title, _PAPER_LIST.description),
    DATABASE_FILE: ("The whole dataset", "One SQLite file: all tables, the views, and full-text search."),
    **{name: (definition.title, definition.description) for name, definition in _PARQUET.items()},
    REPORT_FILE: ("Quality report", "What the rules found, with the lines of the pages, as a page to read."),
    RESULTS_FILE: ("Results of the rules", "The same as the report, for programs."),
    DATA_PACKAGE: ("Data Package", "All files, columns, types and keys in the Data Package standard, for programs."),
    METADATA: ("Datasette's metadata", "Titles and descriptions of all tables and columns, as this site shows them."),
    MANIFEST: ("Manifest", "What the release is: its logical hash, and each file's size and sha256."),
}
_GROUPS = {
    "To start with": (PAPER_LIST_FILE, DATABASE_FILE),
    "Tables": tuple(_PARQUET),
}
_REST = "About the release"


@dataclass(frozen=True)
class Listed:
    """One file as the page shows it."""

    name: str
    title: str
    description: str
    rows: int | None
    size: str
    sha256: str


def listing(files: dict[str, dict[str, Any]]) -> dict[str, list[Listed]]:
    """The files by group, those that we know in the order of their words.

    >>> groups = listing({"papers.parquet": {"sha256": "0" * 64, "bytes": 1024, "rows": 7}})
    >>> {group: [(file.title, file.size) for file in files] for group, files in groups.items()}
    {'Tables': [('Papers', '1.0 KB')]}
    """
    groups: dict[str, list[Listed]] = {}
    for name in sorted(files, key=lambda name: (_rank(name), name)):
        group = next((group for group, names in _GROUPS.items() if name in names), _REST)
        groups.setdefault(group, []).append(_listed(name, files[name]))
    return groups


def _rank(name: str) -> int:
    known = list(_WORDS)
    return known.index(name) if name in known else len(known)


def _listed(name: str, facts: dict[str, Any]) -> Listed:
    title, description = _WORDS.get(name, (name, ""))
    return Listed(name, title, description, facts.get("rows"), format_bytes(facts["bytes"]), facts["sha256"])
