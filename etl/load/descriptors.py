"""Descriptors of a release, from the models: Datasette's metadata, and the Data Package.

In: the number of papers; sizes and hashes of the files. Out: the metadata for Datasette 0.65 (`-m FILE`) and 1.0
(`-m FILE -c FILE`), and the text of `datapackage.json`, version 2 of the standard (https://datapackage.org). They contain no
time, so that the same files have the same descriptors.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from html import escape
from typing import Any

from etl.load.dataset_facts import DESCRIPTION, TITLE, DatasetFacts, sources
from etl.load.layout import DATABASE, DATABASE_FILE, PAPER_LIST_FILE
from etl.load.sqlite import ddl, search_table
from schemas import QUESTIONS, TABLES, VIEWS, Column, Definition, PaperList, Question, Reference, View
from schemas.table import COLUMN_TYPES, PAGES, Group, Rights

GROUPS: dict[Group, tuple[str, str]] = {
    "data": ("", ""),
    "audit": ("Audit: ", " It belongs to the audit: how the dataset was made, and what is odd in it."),
}
"""The prefix of the titles and the suffix of the descriptions of each group's tables."""
FEW_PAPERS = 2_000
"""Up to this number of papers lists are faceted, which computes every row."""


def datasette_metadata(papers: int = 0, redaction: str = "") -> dict[str, Any]:
    """The metadata of a Datasette instance that serves a release of this number of papers; `redaction` is its notice.

    >>> datasette_metadata()["databases"]["paperledger"]["tables"]["institutions"]["label_column"]
    'name'
    """
    tables = {name: _table(model.definition()) for name, model in TABLES.items()}
    views = {name: _view(view, few=papers <= FEW_PAPERS) for name, view in VIEWS.items()}
    description = f"{DESCRIPTION} {redaction}".rstrip()
    return {
        "title": TITLE,
        "description": description,
        **_rights(PAGES),
        "databases": {
            DATABASE: {
                "description": description,
                **_rights(PAGES),
                "tables": tables | views,
                "queries": {name: _query(question) for name, question in QUESTIONS.items()},
            }
        },
    }


def render_metadata(papers: int = 0, redaction: str = "") -> str:
    """The metadata as the text of a JSON file.

    >>> json.loads(render_metadata()) == datasette_metadata()
    True
    """
    return json.dumps(datasette_metadata(papers, redaction), indent=2, ensure_ascii=False) + "\n"


def described(column: Column) -> str:
    """A column's description with its unit.

    >>> from schemas import Papers
    >>> described(Papers.definition().columns[6])
    'Number of different authors that the byline shows. Unit: authors.'
    """
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _table(definition: Definition) -> dict[str, Any]:
    columns = definition.columns
    return _without_empty({
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
    return _without_empty({
        **_words(view),
        "columns": view.columns,
        "facets": [*view.facets, *lists],
        "sortable_columns": [*view.sortable],
        **_shown(view),
    })  # fmt: skip


def _words(table: Definition | View) -> dict[str, Any]:
    before, behind = GROUPS[table.group]
    return {"title": before + table.title, "description": table.description + behind, **_rights(table.rights)}


def _shown(table: Definition | View) -> dict[str, Any]:
    order = "sort_desc" if (table.sort or "").startswith("-") else "sort"
    return {order: (table.sort or "").removeprefix("-"), "size": table.page_size}


def _query(question: Question) -> dict[str, Any]:
    fields = (f"<p><strong>{escape(name)}</strong>: {escape(one.meaning)}</p>" for name, one in question.params.items())
    return {
        "title": question.title,
        "description": question.description,
        "description_html": "".join([f"<p>{escape(question.description)}</p>", *fields]),
        "sql": question.sql.strip(),
        "params": [*question.params],
        "hide_sql": True,
    }


def _rights(rights: Rights) -> dict[str, Any]:
    """The rights, as Datasette's keys; it inherits each missing key, so the name of a licence always has its address."""
    return _without_empty({
        "license": rights.licence,
        "license_url": rights.licence_url,
        "source": rights.source,
        "source_url": rights.source_url,
        "about": rights.about,
    })  # fmt: skip


def _without_empty(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: fact for name, fact in facts.items() if fact}


PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
PARQUET = {"type": "table", "format": "parquet", "mediatype": "application/vnd.apache.parquet"}
SQLITE = {"format": "sqlite", "mediatype": "application/vnd.sqlite3"}
FileFacts = Mapping[str, Any]
"""A file's `sha256` and its size in `bytes`."""


def render_datapackage(files: Mapping[str, FileFacts], facts: DatasetFacts) -> str:
    """The text of `datapackage.json`.

    >>> files = {"paperledger.db": {"sha256": "0a" * 32, "bytes": 9}}
    >>> facts = DatasetFacts("0a1b" * 16, 50, 1, None, {})
    >>> json.loads(render_datapackage(files, facts)) == datapackage(files, facts)
    True
    """
    return json.dumps(datapackage(files, facts), indent=2, ensure_ascii=False) + "\n"


def datapackage(files: Mapping[str, FileFacts], facts: DatasetFacts) -> dict[str, Any]:
    """The descriptor of data files, given with their facts by name: the database, each table, and the list of papers.

    >>> facts = DatasetFacts("0a1b" * 16, 50, 1, None, {})
    >>> [one["path"] for one in datapackage({"paperledger.db": {"sha256": "0a" * 32, "bytes": 9}}, facts)["resources"]]
    ['paperledger.db']
    """
    return {
        "$schema": PROFILE,
        "name": DATABASE,
        "id": facts.identifier,
        "version": facts.version,
        "title": TITLE,
        "description": facts.description,
        "keywords": facts.keywords,
        "citation": facts.citation,
        "contributors": [{"title": f"{TITLE} {facts.tool}", "roles": ["tool"]}],
        **_package_rights(PAGES),
        "sources": [_without_empty({"title": one.title, "version": one.version}) for one in sources(facts)],
        "resources": [
            _database(files[DATABASE_FILE]),
            *(_resource(name, definition, files[name]) for name, definition in tables_of(files).items()),
        ],
    }


def tables_of(files: Collection[str]) -> dict[str, Definition]:
    """The definitions of the Parquet files among these names, in the order of their foreign keys.

    >>> list(tables_of(["papers.parquet", "authors.parquet", "paperledger.db"]))
    ['authors.parquet', 'papers.parquet']
    """
    every = {f"{name}.parquet": model.definition() for name, model in TABLES.items()}
    every[PAPER_LIST_FILE] = PaperList.definition()
    return {name: definition for name, definition in every.items() if name in files}


def _database(facts: FileFacts) -> dict[str, Any]:
    return {
        "name": DATABASE,
        "path": DATABASE_FILE,
        "title": "All tables in one SQLite file",
        "description": "The tables of the Parquet files, with their keys and indexes, views for reading, and full-text search.",
        **SQLITE,
        **_contents(facts),
    }


def _resource(path: str, definition: Definition, facts: FileFacts) -> dict[str, Any]:
    return {
        "name": definition.name,
        "path": path,
        "title": definition.title,
        "description": definition.description,
        **PARQUET,
        **_contents(facts),
        **_package_rights(definition.rights),
        "schema": _schema(definition),
    }


def _contents(facts: FileFacts) -> dict[str, Any]:
    return {"bytes": facts["bytes"], "hash": f"sha256:{facts['sha256']}"}


def _package_rights(rights: Rights) -> dict[str, Any]:
    source = {"title": rights.source} | ({"path": rights.source_url} if rights.source_url else {})
    return {"licenses": [{"path": rights.licence_url, "title": rights.licence}], "sources": [source]}


def _schema(definition: Definition) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column) for column in definition.columns],
        "primaryKey": list(definition.primary_key),
        # Parquet has null; an empty text is a value.
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
        "type": COLUMN_TYPES[column.dtype].package,
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
    """A pandera check as the standard's constraints; none for a check of two columns."""
    match check:
        case "greater_than_or_equal_to":
            yield "minimum", facts["min_value"]
        case "less_than_or_equal_to":
            yield "maximum", facts["max_value"]
        case "isin":
            yield "enum", list(facts["allowed_values"])
        case "str_matches":
            # The standard's patterns are XML Schema's, which match the whole value and have no anchors.
            yield "pattern", facts["pattern"].removeprefix("^(?:").removesuffix(")$")
        case "str_length" if facts["max_value"] is None:
            yield "minLength", facts["min_value"]
        case "at_least":
            return
        case _:
            raise NotImplementedError(f"no constraint for the check {check} with {facts}")


def as_sql() -> str:
    """The SQL statements that create the tables and views.

    >>> as_sql().startswith("CREATE TABLE")
    True
    """
    tables = [f"{ddl(model.definition())};" for model in TABLES.values()]
    views = [f'CREATE VIEW "{view.name}" AS\n{view.sql.strip()};' for view in VIEWS.values()]
    return "\n\n".join([*tables, *views])


def as_text() -> str:
    """Every table and view with its columns, and every question, for a terminal.

    >>> as_text().splitlines()[1].split()[:2]
    ['category_id', 'text']
    """
    parts = []
    for model in TABLES.values():
        definition = model.definition()
        width = max(len(column.name) for column in definition.columns)
        rows = [
            f"  {column.name:<{width}}  {COLUMN_TYPES[column.dtype].word:<8}  {described(column)}"
            for column in definition.columns
        ]
        parts.append("\n".join([f"{definition.name}: {definition.description}", *rows]))
    for view in VIEWS.values():
        width = max(map(len, view.columns))
        rows = [f"  {name:<{width}}  {words}" for name, words in view.columns.items()]
        parts.append("\n".join([f"{view.name} (view): {view.description}", *rows]))
    for question in QUESTIONS.values():
        rows = [f"  :{name}  {one.meaning}" for name, one in question.params.items()]
        parts.append("\n".join([f"{question.name} (question): {question.title} {question.description}", *rows]))
    return "\n\n".join(parts)


def as_markdown() -> str:
    """The data dictionary as Markdown: heading, description and columns of each table and view; the questions.

    >>> as_markdown().splitlines()[0]
    '### `categories`'
    """
    parts = [_heading(f"`{d.name}`", d.description, _table_rows(d)) for d in (m.definition() for m in TABLES.values())]
    for view in VIEWS.values():
        rows = [
            "| column | description |",
            "|---|---|",
            *(f"| `{name}` | {words} |" for name, words in view.columns.items()),
        ]
        parts.append(_heading(f"`{view.name}` (view)", view.description, rows))
    return "\n\n".join([*parts, _questions()])


def _questions() -> str:
    rows = ["| name | question | parameters |", "|---|---|---|"]
    for question in QUESTIONS.values():
        params = " ".join(f"`{name}`: {one.meaning}" for name, one in question.params.items())
        rows.append(f"| `{question.name}` | {question.title} {question.description} | {params} |")
    return _heading(
        "Questions",
        "SQL that Datasette runs with parameters, at `/paperledger/NAME`; any parameter may be empty.",
        rows,
    )


def _heading(heading: str, description: str, rows: list[str]) -> str:
    return "\n".join([f"### {heading}", "", description, "", *rows])


def _table_rows(definition: Definition) -> list[str]:
    return ["| column | type | key | description |", "|---|---|---|---|", *map("".join, _rows(definition))]


def _rows(definition: Definition) -> Iterator[str]:
    for column in definition.columns:
        kind = COLUMN_TYPES[column.dtype].word + (", or null" if column.nullable else "")
        yield f"| `{column.name}` | {kind} | {_key(definition, column)} | {described(column)} |"


def _key(definition: Definition, column: Column) -> str:
    parts = ["primary"] if column.name in definition.primary_key else []
    parts += ["unique"] if column.unique else []
    parts += [f"→ `{key.table}`" for key in definition.references if column.name in key.columns]
    return ", ".join(parts)
