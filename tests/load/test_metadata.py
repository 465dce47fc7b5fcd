"""Datasette's metadata comes from the models, and Datasette takes it."""

import asyncio
import html
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from datasette.app import Datasette

from etl.load.descriptors import FEW_PAPERS, datasette_metadata, described, render_metadata
from schemas import QUESTIONS, TABLES, VIEWS, Profiles

NAMES = [*TABLES, *VIEWS]
AUDIT = {"listings", "variants", "quarantine", "rules", "findings", "merge_candidates", "paper_candidates"} | {
    "finding_list",
    "coverage",
}
PROSE = {
    "author_names": ["evidence"],
    "merge_candidates": ["evidence"],
    "paper_identifiers": ["evidence"],
    "paper_candidates": ["evidence"],
    "papers": ["abstract"],
    "profiles": ["header"],
    "variants": ["value"],
    "quarantine": ["raw_text"],
    "rules": ["why"],
}
Told = dict[str, dict[str, Any]]


def instance(papers: int = 0) -> dict[str, Any]:
    return datasette_metadata(papers)


@pytest.fixture(scope="module")
def tables_metadata() -> Told:
    metadata: Told = instance()["databases"]["paperledger"]["tables"]
    return metadata


def fetch(database: Path, *addresses: str) -> list[Any]:
    """What a Datasette that serves the database with this metadata answers."""

    async def answers() -> list[Any]:
        datasette = Datasette([], immutables=[str(database)], metadata=instance())
        await datasette.invoke_startup()
        return [await datasette.client.get(address) for address in addresses]

    return asyncio.run(answers())


def levels() -> list[Any]:
    """What is told at each level: instance, database, tables and views."""
    database = instance()["databases"]["paperledger"]
    told = {"instance": instance(), "database": database, **database["tables"]}
    return [pytest.param(facts, id=name) for name, facts in told.items()]


def test_every_table_view_and_column_has_its_words(tables_metadata: Told) -> None:
    assert list(tables_metadata) == NAMES
    for name, model in TABLES.items():
        definition = model.definition()
        assert tables_metadata[name]["title"].endswith(definition.title)
        assert tables_metadata[name]["description"].startswith(definition.description)
        assert list(tables_metadata[name]["columns"]) == [column.name for column in definition.columns]
    for name, view in VIEWS.items():
        assert tables_metadata[name]["columns"] == view.columns


@pytest.mark.parametrize("facts", levels())
def test_licence_and_source_are_told_at_each_level_the_licence_with_its_address(facts: dict[str, Any]) -> None:
    assert facts["license"]
    assert facts["source"]
    assert facts["about"]
    for key in ("license_url", "source_url", "about_url"):
        address = urlsplit(facts.get(key, "https://example.org"))
        assert address.scheme in {"http", "https"}
        assert address.hostname
    assert "license_url" in facts


def test_a_key_that_is_inherited_never_joins_a_name_to_the_address_of_another() -> None:
    # Datasette takes every key that is missing from the level above.
    above = {key for key in instance() if key.endswith("_url")}
    assert above == {"license_url"}


def test_the_licence_is_granted_only_for_what_the_program_wrote_itself(tables_metadata: Told) -> None:
    granted = {name for name, facts in tables_metadata.items() if not facts["license"].startswith("No licence")}
    assert granted == {"rules"}


def test_audit_tables_say_so_in_title_and_description(tables_metadata: Told) -> None:
    assert {name for name, facts in tables_metadata.items() if facts["title"].startswith("Audit: ")} == AUDIT
    assert {name for name, facts in tables_metadata.items() if "belongs to the audit" in facts["description"]} == AUDIT
    grouped = {name: model.definition().group for name, model in TABLES.items()}
    assert {name for name, group in grouped.items() if group == "audit"} == AUDIT - set(VIEWS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("papers", {"label_column": "title", "sort_desc": "published", "size": 20}, id="papers"),
        pytest.param("authors", {"label_column": "name", "sort": "name"}, id="authors"),
        pytest.param("findings", {"label_column": "message", "sort": "rule_id", "size": 50}, id="findings"),
        pytest.param("paper_authors", {}, id="paper_authors"),
        pytest.param("paper_list", {"sort_desc": "published", "size": 50}, id="paper_list"),
    ],
)
def test_label_order_and_page_size_are_the_models(tables_metadata: Told, name: str, expected: dict[str, Any]) -> None:
    facts = tables_metadata[name]
    assert {key: facts[key] for key in ("label_column", "sort", "sort_desc", "size") if key in facts} == expected


def test_facets_are_told_only_where_there_are_any(tables_metadata: Told) -> None:
    assert tables_metadata["papers"]["facets"] == ["category_id", "year_inferred", "authors_truncated", "has_code"]
    assert "facets" not in tables_metadata["profiles"]


def test_lists_are_faceted_only_where_papers_are_few() -> None:
    few, many = (instance(papers)["databases"]["paperledger"]["tables"] for papers in (FEW_PAPERS, FEW_PAPERS + 1))
    assert few["paper_list"]["facets"] == ["category_id", "has_code", {"array": "author_names"}]
    assert many["paper_list"]["facets"] == ["category_id", "has_code"]


def test_all_columns_sort_but_those_of_prose(tables_metadata: Told) -> None:
    for name in TABLES:
        columns = tables_metadata[name]["columns"]
        assert [column for column in columns if column not in tables_metadata[name]["sortable_columns"]] == PROSE.get(
            name, []
        )
    for name in NAMES:
        facts = tables_metadata[name]
        wanted = {facts.get("sort"), facts.get("sort_desc")} - {None}
        assert wanted <= set(facts["sortable_columns"]) <= set(facts["columns"])


@pytest.mark.parametrize("name", TABLES)
def test_an_index_begins_with_the_column_that_orders_the_table(database: Path, name: str) -> None:
    sql = "SELECT columns.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS columns WHERE columns.seqno = 0"
    with closing(sqlite3.connect(database)) as connection:
        first = {column for (column,) in connection.execute(sql, [name])}
    sort = TABLES[name].definition().sort
    assert sort is None or sort.removeprefix("-") in first


def test_units_are_words_since_datasette_fails_on_those_it_does_not_know() -> None:
    assert '"units"' not in render_metadata()
    column = next(column for column in Profiles.definition().columns if column.name == "novelty_pct")
    assert described(column) == "The site's novelty figure. Unit: percent."


def test_the_file_is_the_metadata_as_json() -> None:
    assert json.loads(render_metadata()) == instance()
    assert render_metadata().endswith("}\n")


def test_the_metadata_says_that_counts_are_lower_bounds_and_who_saved_the_pages() -> None:
    assert "lower bounds" in instance()["description"]
    assert instance()["source"] == "Researchers' profile pages, saved by people"


def test_every_question_is_a_canned_query_with_its_words_and_parameters() -> None:
    queries = instance()["databases"]["paperledger"]["queries"]
    assert list(queries) == list(QUESTIONS)
    for name, question in QUESTIONS.items():
        assert queries[name]["title"].endswith("?")
        assert queries[name]["params"] == list(question.params)
        assert queries[name]["description"] == question.description
        shown = html.unescape(queries[name]["description_html"])
        meanings = [param.meaning for param in question.params.values()]
        assert [words for words in (question.description, *meanings) if words not in shown] == []


def test_every_page_of_datasette_answers_and_tells_the_descriptions(database: Path, tables_metadata: Told) -> None:
    answers = fetch(database, "/", "/paperledger", *(f"/paperledger/{name}" for name in NAMES))
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for name, answer in zip(NAMES, answers[2:], strict=True):
        assert tables_metadata[name]["description"] in html.unescape(answer.text)


def test_datasette_shows_facets_order_and_labels(database: Path) -> None:
    papers, listings = fetch(
        database, "/paperledger/papers.json?_shape=objects", "/paperledger/listings.json?_labels=on&_shape=objects"
    )
    assert list(papers.json()["facet_results"]) == ["category_id", "year_inferred", "authors_truncated", "has_code"]
    assert [row["published"] for row in papers.json()["rows"]] == ["2026-04-02", "2025-03-14"]
    assert listings.json()["rows"][0]["paper_id"]["label"] == "On Bells"


def test_datasette_finds_the_search_index(database: Path) -> None:
    found, none = fetch(database, "/paperledger/papers.json?_search=ringing", "/paperledger/papers.json?_search=drums")
    assert [row[1] for row in found.json()["rows"]] == ["On Bells"]
    assert none.json()["rows"] == []


def test_the_author_names_of_the_paper_list_facet_as_an_array(database: Path) -> None:
    (answer,) = fetch(database, "/paperledger/paper_list.json")
    results = answer.json()["facet_results"]["author_names"]["results"]
    assert {result["value"]: result["count"] for result in results} == {
        "Ann Bell": 2,
        "Ève Fox": 2,
        "Cy Dole": 1,
        "C. Dole": 1,
    }


def test_every_findings_row_key_is_the_address_of_a_row(database: Path) -> None:
    (answer,) = fetch(database, "/paperledger/findings.json?_shape=array")
    addresses = [f"/paperledger/{finding['table_name']}/{finding['row_key']}.json" for finding in answer.json()]
    assert addresses
    assert {row.status_code for row in fetch(database, *addresses)} == {200}
