"""The Data Package of a release fits the standard, is true of the files, and says what the models say."""

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pandera.polars import Field

from etl import __version__
from etl.load.dataset_facts import DatasetFacts
from etl.load.descriptors import datapackage
from etl.load.parquet import arrow_schema
from etl.load.publish import publish
from schemas import TABLES, Frames, PaperList, Table

STANDARD = Path(__file__).parents[1] / "schemas" / "datapackage-2.0.json"
MODELS = {**TABLES, "paper_list": PaperList}
PROVENANCE = {
    "overrides": {"source": "own.toml", "sha256": "0a" * 32},
    "reference": [{"name": "arxiv.jsonl", "sha256": "0b" * 32, "records": 7}],
}


@pytest.fixture(scope="module")
def release(tables: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("package"), tables, PROVENANCE)


@pytest.fixture(scope="module")
def package(release: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((release / "datapackage.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def resources(package: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {resource["path"]: resource for resource in package["resources"]}


def field(resources: dict[str, dict[str, Any]], table: str, name: str) -> dict[str, Any]:
    fields: list[dict[str, Any]] = resources[f"{table}.parquet"]["schema"]["fields"]
    return next(field for field in fields if field["name"] == name)


def test_it_fits_the_standards_own_schema(package: dict[str, Any]) -> None:
    standard = json.loads(STANDARD.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(standard)
    assert [error.message for error in jsonschema.Draft7Validator(standard).iter_errors(package)] == []
    broken = {**package, "resources": [{"path": "papers.parquet"}]}
    assert [*jsonschema.Draft7Validator(standard).iter_errors(broken)]


def test_it_says_what_the_release_was_made_from_and_with(release: Path, package: dict[str, Any]) -> None:
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert package["id"] == f"sha256:{manifest['logical_hash']}"
    assert package["version"] == f"{__version__}+{release.name}"
    assert package["contributors"] == [{"title": f"paperledger {__version__}", "roles": ["tool"]}]
    assert package["sources"] == [
        {"title": "2 profile pages saved by people, the newest on 2026-06-01; profiles has the SHA-256 of each"},
        {"title": "arxiv.jsonl, 7 records of arXiv's metadata", "version": f"sha256:{'0b' * 32}"},
        {"title": "own.toml, corrections of names, papers and categories", "version": f"sha256:{'0a' * 32}"},
    ]
    assert f"Release {release.name}: 2 papers from 2 pages, saved by 2026-06-01" in package["citation"]


def test_names_are_those_that_the_standard_asks_for(package: dict[str, Any]) -> None:
    names = [package["name"], *(resource["name"] for resource in package["resources"])]
    assert [name for name in names if not re.fullmatch(r"[a-z0-9._-]+", name)] == []
    resources = [resource["name"] for resource in package["resources"]]
    assert len(set(resources)) == len(resources)
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"


def test_every_data_file_is_a_resource_with_its_true_size_and_hash(
    release: Path, resources: dict[str, dict[str, Any]]
) -> None:
    assert set(resources) == {path.name for path in release.iterdir() if path.suffix in {".db", ".parquet"}}
    for path, resource in resources.items():
        data = (release / path).read_bytes()
        assert resource["bytes"] == len(data)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("name", MODELS)
def test_a_resource_has_the_models_words_columns_and_keys(resources: dict[str, dict[str, Any]], name: str) -> None:
    definition, resource = MODELS[name].definition(), resources[f"{name}.parquet"]
    assert (resource["title"], resource["description"]) == (definition.title, definition.description)
    assert [field["name"] for field in resource["schema"]["fields"]] == [*definition.schema]
    assert resource["schema"]["primaryKey"] == [*definition.primary_key]
    required = [field["name"] for field in resource["schema"]["fields"] if field.get("constraints", {}).get("required")]
    assert required == [column.name for column in definition.columns if not column.nullable]


def test_every_foreign_key_leads_to_the_primary_key_of_a_resource(resources: dict[str, dict[str, Any]]) -> None:
    schemas = {resource["name"]: resource["schema"] for resource in resources.values() if "schema" in resource}
    keys = [key for schema in schemas.values() for key in schema.get("foreignKeys", [])]
    assert len(keys) == sum(len(model.definition().references) for model in MODELS.values())
    for key in keys:
        assert key["reference"]["fields"] == schemas[key["reference"]["resource"]]["primaryKey"]


@pytest.mark.parametrize(
    ("table", "column", "kind", "constraints"),
    [
        pytest.param("papers", "paper_id", "string", {"required": True, "pattern": "[a-z2-7]{16}"}, id="pattern"),
        pytest.param("papers", "citekey", "string", {"required": True, "unique": True}, id="unique"),
        pytest.param("papers", "title", "string", {"required": True, "minLength": 1}, id="length"),
        pytest.param("papers", "published", "date", None, id="date-or-null"),
        pytest.param("papers", "has_code", "boolean", {"required": True}, id="boolean"),
        pytest.param("paper_authors", "position", "integer", {"minimum": 1}, id="minimum"),
        pytest.param("links", "kind", "string", {"required": True, "enum": ["code", "data", "site"]}, id="enum"),
        pytest.param("listings", "line_end", "integer", {"required": True}, id="two-columns"),
        pytest.param("paper_list", "authors", "array", {"required": True}, id="list"),
    ],
)
def test_a_field_has_its_type_and_constraints(
    resources: dict[str, dict[str, Any]], table: str, column: str, kind: str, constraints: dict[str, Any] | None
) -> None:
    told = field(resources, table, column)
    assert (told["type"], told.get("constraints")) == (kind, constraints)


def test_the_constraints_hold_for_the_rows(tables: Frames, resources: dict[str, dict[str, Any]]) -> None:
    for name, frame in tables.items():
        for told in resources[f"{name}.parquet"]["schema"]["fields"]:
            values, rules = frame[told["name"]], told.get("constraints", {})
            kept = values.drop_nulls()
            assert not rules.get("required") or values.null_count() == 0
            assert not rules.get("unique") or values.n_unique() == frame.height
            assert "enum" not in rules or kept.is_in(rules["enum"]).all()
            assert "minimum" not in rules or (kept >= rules["minimum"]).all()
            assert "pattern" not in rules or all(re.fullmatch(rules["pattern"], value) for value in kept)


def test_an_empty_text_is_a_value_and_not_missing(resources: dict[str, dict[str, Any]]) -> None:
    assert resources["papers.parquet"]["schema"]["missingValues"] == []


def test_types_are_those_of_the_parquet_files(resources: dict[str, dict[str, Any]]) -> None:
    arrow = {"string": "string", "integer": "int64", "number": "double", "boolean": "bool", "date": "date32[day]"}
    for name, model in TABLES.items():
        told = [arrow[field["type"]] for field in resources[f"{name}.parquet"]["schema"]["fields"]]
        assert told == [str(field.type) for field in arrow_schema(model.definition())]


def test_licence_and_source_are_told_of_the_package_and_of_every_table(
    package: dict[str, Any], resources: dict[str, dict[str, Any]]
) -> None:
    for told in (package, *(resource for resource in resources.values() if "schema" in resource)):
        (licence,) = told["licenses"]
        assert licence["title"]
        assert licence["path"].startswith(("http://", "https://"))
        assert told["sources"]
    assert resources["rules.parquet"]["licenses"][0]["title"] == "MIT licence"
    assert "No licence is granted" in package["licenses"][0]["title"]


def test_the_database_is_a_resource_that_is_no_table(release: Path, resources: dict[str, dict[str, Any]]) -> None:
    told = resources["paperledger.db"]
    assert (told["format"], told["mediatype"], told.get("type")) == ("sqlite", "application/vnd.sqlite3", None)
    with closing(sqlite3.connect(release / told["path"])) as database:
        assert database.execute("SELECT count(*) FROM papers").fetchone() == (2,)


class Strange(Table):
    """A table with a check that the standard has no word for."""

    name: str = Field(str_endswith="l", title="Name", description="A name.")

    class Config:
        name = "strange"
        title = "Strange"
        metadata = {"primary_key": ["name"]}


def test_a_check_that_the_standard_cannot_say_is_no_silent_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.load.descriptors.TABLES", {"strange": Strange})
    facts = {"sha256": "00", "bytes": 1}
    with pytest.raises(NotImplementedError, match="no constraint for the check str_endswith"):
        datapackage({"paperledger.db": facts, "strange.parquet": facts}, DatasetFacts("0a" * 32, 0, 0, None, {}))
