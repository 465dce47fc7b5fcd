"""Datasette's metadata comes from the models, and Datasette takes it."""

import asyncio
import html
import json
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from etl.load.metadata import datasette_metadata, described, render_metadata
from schemas import TABLES, VIEWS, Profiles

NAMES = [*TABLES, *VIEWS]


@pytest.fixture(scope="module")
def tables_metadata() -> dict[str, dict[str, Any]]:
    metadata: dict[str, dict[str, Any]] = datasette_metadata()["databases"]["paperledger"]["tables"]
    return metadata


def fetch(database: Path, *addresses: str) -> list[Any]:
    """What a Datasette that serves the database with this metadata answers."""

    async def answers() -> list[Any]:
        datasette = Datasette([], immutables=[str(database)], metadata=datasette_metadata())
        await datasette.invoke_startup()
        return [await datasette.client.get(address) for address in addresses]

    return asyncio.run(answers())


def test_every_table_view_and_column_has_its_words(tables_metadata: dict[str, dict[str, Any]]) -> None:
    assert list(tables_metadata) == NAMES
    for name, model in TABLES.items():
        definition = model.definition()
        assert tables_metadata[name]["title"] == definition.title
        assert tables_metadata[name]["description"] == definition.description
        assert list(tables_metadata[name]["columns"]) == [column.name for column in definition.columns]
    for name, view in VIEWS.items():
        assert tables_metadata[name]["columns"] == view.columns


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("papers", {"label_column": "title", "sort_desc": "published"}, id="papers"),
        pytest.param("authors", {"label_column": "name", "sort": "name"}, id="authors"),
        pytest.param("findings", {"label_column": "message", "sort": "rule_id"}, id="findings"),
        pytest.param("paper_authors", {}, id="paper_authors"),
    ],
)
def test_label_and_order_are_the_models(
    tables_metadata: dict[str, dict[str, Any]], name: str, expected: dict[str, str]
) -> None:
    facts = tables_metadata[name]
    assert {key: facts[key] for key in ("label_column", "sort", "sort_desc") if key in facts} == expected


def test_facets_are_told_only_where_there_are_any(tables_metadata: dict[str, dict[str, Any]]) -> None:
    assert tables_metadata["papers"]["facets"] == ["category_id", "year_inferred", "authors_truncated", "has_code"]
    assert "facets" not in tables_metadata["authors"]


def test_units_are_words_since_datasette_fails_on_those_it_does_not_know() -> None:
    assert '"units"' not in render_metadata()
    column = next(column for column in Profiles.definition().columns if column.name == "novelty_pct")
    assert described(column) == "The site's novelty figure. Unit: percent."


def test_the_file_is_the_metadata_as_json() -> None:
    assert json.loads(render_metadata()) == datasette_metadata()
    assert render_metadata().endswith("}\n")


def test_the_metadata_says_that_counts_are_lower_bounds_and_who_saved_the_pages() -> None:
    metadata = datasette_metadata()
    assert "lower bounds" in metadata["description"]
    assert metadata["source"] == "Profile pages saved by people"


def test_every_page_of_datasette_answers_and_tells_the_descriptions(
    database: Path, tables_metadata: dict[str, dict[str, Any]]
) -> None:
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


def test_datasette_finds_the_search_index_by_itself(database: Path) -> None:
    found, none = fetch(database, "/paperledger/papers.json?_search=ringing", "/paperledger/papers.json?_search=drums")
    assert [row[1] for row in found.json()["rows"]] == ["On Bells"]
    assert none.json()["rows"] == []


def test_the_author_names_of_the_paper_list_facet_as_an_array(database: Path) -> None:
    (answer,) = fetch(database, "/paperledger/paper_list.json?_facet_array=author_names")
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
    assert len(addresses) == 4
    assert [row.status_code for row in fetch(database, *addresses)] == [200] * 4
