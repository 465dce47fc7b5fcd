"""Datasette's metadata, from the models: words and rights of every table, view, column and question, and how each is shown.

In: how many papers there are. Out: what Datasette 0.65 takes as `-m FILE`, and 1.0 as `-m FILE -c FILE`.
"""

import json
from html import escape
from typing import Any

from etl.load.layout import DATABASE
from etl.load.sqlite import search_table
from schemas import QUESTIONS, TABLES, VIEWS, Column, Definition, Question, View
from schemas.limits import PAPERS_A_PAGE
from schemas.rights import PAGES, Rights
from schemas.table import Group

TITLE = "paperledger"
DESCRIPTION = (
    "Papers, authors and categories from researchers' profile pages that people saved. Every line of every page is in a"
    f" row or in the quarantine. Pages list at most {PAPERS_A_PAGE} papers and cut most bylines, so counts are lower bounds."
)
GROUPS: dict[Group, tuple[str, str]] = {
    "data": ("", ""),
    "audit": ("Audit: ", " It belongs to the audit: what tells how the dataset came about, and what is odd in it."),
}
"""What stands before the title and behind the description of each group's tables."""
FEW_PAPERS = 2_000
"""Up to so many papers lists are faceted: every row must be made for that."""


def datasette_metadata(papers: int = 0) -> dict[str, Any]:
    """The metadata of a whole Datasette instance that serves a release of so many papers."""
    tables = {name: _table(model.definition()) for name, model in TABLES.items()}
    views = {name: _view(view, few=papers <= FEW_PAPERS) for name, view in VIEWS.items()}
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        **_rights(PAGES),
        "databases": {
            DATABASE: {
                "description": DESCRIPTION,
                **_rights(PAGES),
                "tables": tables | views,
                "queries": {name: _query(question) for name, question in QUESTIONS.items()},
            }
        },
    }


def render_metadata(papers: int = 0) -> str:
    """The metadata as the text of a JSON file."""
    return json.dumps(datasette_metadata(papers), indent=2, ensure_ascii=False) + "\n"


def described(column: Column) -> str:
    """A column's description with its unit.

    >>> from schemas import Papers
    >>> described(Papers.definition().columns[6])
    'How many different authors the byline shows. Unit: authors.'
    """
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _table(definition: Definition) -> dict[str, Any]:
    columns = definition.columns
    return _told({
        **_words(definition),
        "columns": {column.name: described(column) for column in columns},
        "label_column": definition.label,
        "facets": [column.name for column in columns if column.facet],
        "sortable_columns": [column.name for column in columns if column.sortable],
        "fts_table": search_table(definition),
        **_shown(definition),
    })  # fmt: skip


def _view(view: View, *, few: bool) -> dict[str, Any]:
    lists = [{"array": column} for column in view.list_facets if few]
    return _told({
        **_words(view),
        "columns": view.columns,
        "facets": [*view.facets, *lists],
        "sortable_columns": [*view.sortable],
        **_shown(view),
    })  # fmt: skip


def _words(said: Definition | View) -> dict[str, Any]:
    before, behind = GROUPS[said.group]
    return {"title": before + said.title, "description": said.description + behind, **_rights(said.rights)}


def _shown(said: Definition | View) -> dict[str, Any]:
    order = "sort_desc" if (said.sort or "").startswith("-") else "sort"
    return {order: (said.sort or "").removeprefix("-"), "size": said.page_size}


def _query(question: Question) -> dict[str, Any]:
    fields = (f"<p><strong>{escape(name)}</strong>: {escape(words)}</p>" for name, words in question.params.items())
    return {
        "title": question.title,
        "description": question.description,
        "description_html": "".join([f"<p>{escape(question.description)}</p>", *fields]),
        "sql": question.sql.strip(),
        "params": [*question.params],
        "hide_sql": True,
    }


def _rights(rights: Rights) -> dict[str, Any]:
    """Datasette takes each key that is missing from the level above: the name of a licence never goes without its address."""
    return _told({
        "license": rights.licence,
        "license_url": rights.licence_url,
        "source": rights.source,
        "source_url": rights.source_url,
        "about": rights.about,
    })  # fmt: skip


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts that say something."""
    return {name: fact for name, fact in facts.items() if fact}
