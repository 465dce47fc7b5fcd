"""The data dictionary, from the models: as text for a terminal, as SQL, and as Markdown for the README."""

from collections.abc import Iterator

from etl.load.descriptors import described
from etl.load.sqlite import ddl
from schemas import QUESTIONS, TABLES, VIEWS, Column, Definition


def as_sql() -> str:
    """The statements that create the tables and views."""
    tables = [f"{ddl(model.definition())};" for model in TABLES.values()]
    views = [f'CREATE VIEW "{view.name}" AS\n{view.sql.strip()};' for view in VIEWS.values()]
    return "\n\n".join([*tables, *views])


def as_text() -> str:
    """Every table and view with its columns, and every question, to be read on a terminal."""
    parts = []
    for model in TABLES.values():
        definition = model.definition()
        width = max(len(column.name) for column in definition.columns)
        rows = [f"  {column.name:<{width}}  {kind(column):<8}  {described(column)}" for column in definition.columns]
        parts.append("\n".join([f"{definition.name}: {definition.description}", *rows]))
    for view in VIEWS.values():
        width = max(map(len, view.columns))
        rows = [f"  {name:<{width}}  {words}" for name, words in view.columns.items()]
        parts.append("\n".join([f"{view.name} (view): {view.description}", *rows]))
    for question in QUESTIONS.values():
        rows = [f"  :{name}  {meaning}" for name, meaning in question.params.items()]
        parts.append("\n".join([f"{question.name} (question): {question.title} {question.description}", *rows]))
    return "\n\n".join(parts)


def as_markdown() -> str:
    """The dictionary as Markdown: a heading, a sentence and a table of columns for each table and view; the questions."""
    parts = [_heading(f"`{d.name}`", d.description, _table_rows(d)) for d in (m.definition() for m in TABLES.values())]
    for view in VIEWS.values():
        rows = [
            "| column | description |",
            "|---|---|",
            *(f"| `{name}` | {words} |" for name, words in view.columns.items()),
        ]
        parts.append(_heading(f"`{view.name}` (view)", view.description, rows))
    return "\n\n".join([*parts, _questions()])


def kind(column: Column) -> str:
    """A column's type in one word.

    >>> from schemas import Papers
    >>> [kind(column) for column in Papers.definition().columns[3:6]]
    ['text', 'date', 'boolean']
    """
    return {"String": "text", "Int64": "integer", "Float64": "number", "Date": "date", "Boolean": "boolean"}[
        str(column.dtype)
    ]


def _questions() -> str:
    rows = ["| name | question | parameters |", "|---|---|---|"]
    for question in QUESTIONS.values():
        params = " ".join(f"`{name}`: {meaning}" for name, meaning in question.params.items())
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
        nullable = ", or null" if column.nullable else ""
        yield f"| `{column.name}` | {kind(column)}{nullable} | {_key(definition, column)} | {described(column)} |"


def _key(definition: Definition, column: Column) -> str:
    parts = ["primary"] if column.name in definition.primary_key else []
    parts += ["unique"] if column.unique else []
    parts += [f"→ `{key.table}`" for key in definition.references if column.name in key.columns]
    return ", ".join(parts)
