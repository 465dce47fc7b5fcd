"""Every address in the metadata answers in every format, and shows the metadata's descriptions."""

import asyncio
import html
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasette.app import Datasette
from site_words import Fetch

from etl.load.layout import DATABASE_FILE, METADATA
from etl.site.served import SETTINGS
from schemas import QUESTIONS, TABLES, VIEWS

SAMPLE = {
    "q": "distillation",
    "author_id": "mehdi-rezagholizadeh",
    "category_id": "cs.CL",
    "year": "2025",
    "rule_id": "",
}
"""A useful value for each parameter of a question."""
FORMS = {
    "": "text/html",
    ".json": "application/json",
    ".csv": "text/plain",
    ".parquet": "application/vnd.apache.parquet",
}
PARAMS = {name: {param: SAMPLE[param] for param in question.params} for name, question in QUESTIONS.items()}
NAMES = [*TABLES, *VIEWS, *QUESTIONS]


@pytest.fixture(scope="module")
def metadata(release: Path) -> Any:
    return json.loads((release / METADATA).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fetch(release: Path, metadata: Any) -> Fetch:
    """Ask one site for everything: each takes memory of its own."""
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=dict(SETTINGS))
    return lambda path, **asked: asyncio.run(site.client.get(path, **asked))


def test_the_metadata_describes_all_tables_views_and_questions(metadata: Any) -> None:
    database = metadata["databases"]["paperledger"]
    assert [*database["tables"], *database["queries"]] == NAMES


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_every_address_answers_in_every_form(fetch: Fetch, name: str, form: str) -> None:
    answer = fetch(f"/paperledger/{name}{form}", params=PARAMS.get(name, {}), follow_redirects=True)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"].startswith(FORMS[form])
    assert answer.content


@pytest.mark.parametrize("name", NAMES)
def test_every_form_has_the_same_rows(fetch: Fetch, name: str) -> None:
    params = PARAMS.get(name, {})
    rows = fetch(f"/paperledger/{name}.json", params={**params, "_shape": "array", "_size": "max"}).json()
    lines = fetch(f"/paperledger/{name}.csv", params={**params, "_size": "max"}).text.splitlines()
    parquet = fetch(f"/paperledger/{name}.parquet", params=params, follow_redirects=True).content
    table = pq.read_table(io.BytesIO(parquet))
    assert table.num_rows == len(rows) <= len(lines) - 1
    assert not rows or table.column_names == [*rows[0]]


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
def test_a_page_shows_words_rights_and_columns(fetch: Fetch, metadata: Any, name: str) -> None:
    facts = metadata["databases"]["paperledger"]["tables"][name]
    page = fetch(f"/paperledger/{name}").text
    expected = [
        facts["title"],
        facts["description"],
        facts["license"],
        facts["source"],
        facts["about"],
        *facts["columns"].values(),
    ]
    assert [words for words in expected if words not in html.unescape(page)] == []
    assert f'href="{facts["license_url"]}"' in page


@pytest.mark.parametrize("path", ["/", "/paperledger"])
def test_home_and_database_show_whose_the_data_is(fetch: Fetch, metadata: Any, path: str) -> None:
    page = fetch(path).text
    assert metadata["license"] in html.unescape(page)
    assert f'href="{metadata["license_url"]}"' in page


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_with_its_sample_finds_something(fetch: Fetch, name: str) -> None:
    rows = fetch(f"/paperledger/{name}.json", params={**PARAMS[name], "_shape": "array"}).json()
    # One page in the sample: nothing disagrees with it.
    assert bool(rows) is (name != "changed_papers")


def test_internal_tables_are_hidden(fetch: Fetch) -> None:
    tables = fetch("/paperledger.json").json()["tables"]
    assert {table["name"] for table in tables if not table["hidden"]} == set(TABLES)
    assert {table["name"] for table in tables if table["hidden"]} >= {"papers_fts", "papers_fts_data"}
