"""The Data Package: what each file of a release holds, told in the standard's own terms, from the models.

In: sizes and hashes of the files. Out: the text of `datapackage.json`, as version 2 of the standard
(https://datapackage.org) has it. No clock stands in it, so that the same files have the same package.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from etl.load.layout import DATABASE, DATABASE_FILE, PAPER_LIST_FILE
from etl.load.metadata import DESCRIPTION, TITLE, described
from schemas import TABLES, Column, Definition, PaperList, Reference
from schemas.rights import PAGES, Rights

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
PARQUET = {"type": "table", "format": "parquet", "mediatype": "application/vnd.apache.parquet"}
SQLITE = {"format": "sqlite", "mediatype": "application/vnd.sqlite3"}
KEYWORDS = ("arXiv", "authors", "bibliography", "papers")
_TYPES: dict[pl.DataType, str] = {
    pl.Int64(): "integer",
    pl.Float64(): "number",
    pl.Boolean(): "boolean",
    pl.String(): "string",
    pl.Date(): "date",
    pl.List(pl.String): "array",
}
Facts = Mapping[str, Any]
"""A file's `sha256` and its size in `bytes`."""


def render_datapackage(files: Mapping[str, Facts]) -> str:
    """The text of the descriptor of a release's data files, whose facts are given by name."""
    return json.dumps(datapackage(files), indent=2, ensure_ascii=False) + "\n"


def datapackage(files: Mapping[str, Facts]) -> dict[str, Any]:
    """The descriptor: the database, one resource a table, and the one file of all papers."""
    definitions = {f"{name}.parquet": model.definition() for name, model in TABLES.items()}
    definitions[PAPER_LIST_FILE] = PaperList.definition()
    return {
        "$schema": PROFILE,
        "name": DATABASE,
        "title": TITLE,
        "description": DESCRIPTION,
        "keywords": list(KEYWORDS),
        **_rights(PAGES),
        "resources": [
            _database(files[DATABASE_FILE]),
            *(_table(name, definition, files[name]) for name, definition in definitions.items() if name in files),
        ],
    }


def _database(facts: Facts) -> dict[str, Any]:
    return {
        "name": DATABASE,
        "path": DATABASE_FILE,
        "title": "All tables in one SQLite file",
        "description": "The tables of the Parquet files, with their keys and indexes, views for reading, and full-text search.",
        **SQLITE,
        **_contents(facts),
    }


def _table(path: str, definition: Definition, facts: Facts) -> dict[str, Any]:
    return {
        "name": definition.name,
        "path": path,
        "title": definition.title,
        "description": definition.description,
        **PARQUET,
        **_contents(facts),
        **_rights(definition.rights),
        "schema": _schema(definition),
    }


def _contents(facts: Facts) -> dict[str, Any]:
    return {"bytes": facts["bytes"], "hash": f"sha256:{facts['sha256']}"}


def _rights(rights: Rights) -> dict[str, Any]:
    source = {"title": rights.source} | ({"path": rights.source_url} if rights.source_url else {})
    return {"licenses": [{"path": rights.licence_url, "title": rights.licence}], "sources": [source]}


def _schema(definition: Definition) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column) for column in definition.columns],
        "primaryKey": list(definition.primary_key),
        # Parquet knows null; an empty text is a value.
        "missingValues": [],
    }
    keys = [*map(_foreign_key, definition.references)]
    return schema | ({"foreignKeys": keys} if keys else {})


def _foreign_key(key: Reference) -> dict[str, Any]:
    return {"fields": list(key.columns), "reference": {"resource": key.table, "fields": list(key.targets)}}


def _field(column: Column) -> dict[str, Any]:
    constraints = dict(_constraints(column))
    return {
        "name": column.name,
        "type": _TYPES[column.dtype],
        "title": column.title,
        "description": described(column),
        **({"constraints": constraints} if constraints else {}),
    }


def _constraints(column: Column) -> Iterator[tuple[str, Any]]:
    if not column.nullable:
        yield "required", True
    if column.unique:
        yield "unique", True
    for check, facts in column.checks:
        yield from _constraint(check, facts)


def _constraint(check: str, facts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A pandera check as the standard's constraints; nothing for one that looks at two columns."""
    match check:
        case "greater_than_or_equal_to":
            yield "minimum", facts["min_value"]
        case "less_than_or_equal_to":
            yield "maximum", facts["max_value"]
        case "isin":
            yield "enum", list(facts["allowed_values"])
        case "str_matches":
            # The standard's patterns are XML Schema's, which match the whole value and know no other anchors.
            yield "pattern", facts["pattern"].removeprefix("^(?:").removesuffix(")$")
        case "str_length" if facts["max_value"] is None:
            yield "minLength", facts["min_value"]
        case "at_least":
            return
        case _:
            raise NotImplementedError(f"no constraint for the check {check} with {facts}")
