"""Datasette's metadata, from the models: words, facets, label and order of every table and view."""

import json
from typing import Any

from etl.load.layout import DATABASE
from schemas import TABLES, VIEWS, Column, Definition, View

TITLE = "paperledger"
DESCRIPTION = (
    "Papers, authors and categories from researchers' profile pages that people saved. Every line of every page is in a"
    " row or in the quarantine. Pages list at most 50 papers and cut most bylines, so counts are lower bounds."
)


def datasette_metadata() -> dict[str, Any]:
    """The metadata of a whole Datasette instance that serves a release."""
    tables = {name: _table(model.definition()) for name, model in TABLES.items()}
    views = {name: _view(view) for name, view in VIEWS.items()}
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "source": "Profile pages saved by people",
        "databases": {DATABASE: {"description": DESCRIPTION, "tables": tables | views}},
    }


def render_metadata() -> str:
    """The metadata as the text of a JSON file."""
    return json.dumps(datasette_metadata(), indent=2, ensure_ascii=False) + "\n"


def described(column: Column) -> str:
    """A column's description with its unit.

    >>> from schemas import Papers
    >>> described(Papers.definition().columns[6])
    'How many different authors the byline shows. Unit: authors.'
    """
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _table(definition: Definition) -> dict[str, Any]:
    words: dict[str, Any] = {
        "title": definition.title,
        "description": definition.description,
        "columns": {column.name: described(column) for column in definition.columns},
    }
    facets = [column.name for column in definition.columns if column.facet]
    if facets:
        words["facets"] = facets
    if definition.label:
        words["label_column"] = definition.label
    if definition.sort:
        words["sort_desc" if definition.sort.startswith("-") else "sort"] = definition.sort.removeprefix("-")
    return words


def _view(view: View) -> dict[str, Any]:
    return {"title": view.title, "description": view.description, "columns": view.columns}
