"""What others' validators say of a release's descriptors: frictionless of the Data Package, mlcroissant of Croissant."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import frictionless
import polars as pl
import pytest
from helpers import tables_of
from regenerate import SAMPLE

from etl.load.publish import publish
from schemas import TABLES, Frames, PaperList

MODELS = {**TABLES, "paper_list": PaperList}
NULL = "\\N"
RECORDS = """
import json, sys, warnings
warnings.simplefilter("ignore")  # of the libraries under it
import mlcroissant

def plain(value):
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "date"):
        return None if str(value) == "NaT" else str(value.date())
    return None if value != value else value

dataset = mlcroissant.Dataset(sys.argv[1])
print(json.dumps([*dataset.metadata.ctx.issues.errors, *dataset.metadata.ctx.issues.warnings]))
for records in dataset.metadata.record_sets:
    rows = [{name.partition("/")[2]: plain(value) for name, value in row.items()} for row in dataset.records(records.uuid)]
    print(json.dumps([records.uuid, rows]))
"""


@pytest.fixture(scope="module")
def real() -> Frames:
    return tables_of(SAMPLE.read_text(encoding="utf-8"))


def as_csv(tables: Frames, folder: Path) -> Path:
    """The Data Package of a release of these tables, with CSV for Parquet, since frictionless takes null integers for NaN."""
    release = publish(folder, tables, {"overrides": None})
    package: dict[str, Any] = json.loads((release / "datapackage.json").read_text(encoding="utf-8"))
    resources = [resource for resource in package["resources"] if resource["format"] == "parquet"]
    for resource in resources:
        frame = pl.read_parquet(release / resource["path"])
        lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
        texts = [pl.Series(name, [json.dumps(value) for value in frame[name].to_list()], pl.String) for name in lists]
        path = folder / f"{resource['name']}.csv"
        frame.with_columns(texts).write_csv(path, null_value=NULL)
        resource |= {"path": path.name, "format": "csv", "mediatype": "text/csv"}
        resource["schema"]["missingValues"] = [NULL]
        del resource["bytes"], resource["hash"]
    (folder / "datapackage.json").write_text(json.dumps({**package, "resources": resources}), encoding="utf-8")
    return folder / "datapackage.json"


def problems(package: Path) -> list[list[Any]]:
    report = frictionless.Package(str(package)).validate()
    return [[task.name, error.type] for task in report.tasks for error in task.errors] + report.errors


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_frictionless_finds_the_real_pages_release_valid_and_a_planted_orphan(real: Frames, tmp_path: Path) -> None:
    package = as_csv(real, tmp_path)
    assert problems(package) == []
    listed = tmp_path / "paper_authors.csv"
    listed.write_text(listed.read_text(encoding="utf-8").replace("mehdi-rezagholizadeh,", "nobody,", 1), "utf-8")
    assert problems(package) == [["paper_authors", "foreign-key"]]


@pytest.mark.parametrize("pages", ["invented", "real"])
def test_mlcroissant_finds_a_release_valid_and_loads_the_records_of_every_table(
    tables: Frames, real: Frames, tmp_path: Path, pages: str
) -> None:
    release = publish(tmp_path, {"invented": tables, "real": real}[pages], {"overrides": None})
    command = [sys.executable, "-E", "-c", RECORDS, str(release / "croissant.json")]
    issues, *records = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    days = {"invented": [], "real": ["datePublished"]}[pages]  # of the bundled page it is not known when it was saved
    assert ["datePublished" in issue for issue in json.loads(issues)] == [True for _ in days]
    found = dict(map(json.loads, records))
    assert list(found) == list(MODELS)
    for name in MODELS:
        rows = pl.read_parquet(release / f"{name}.parquet").with_columns(pl.col(pl.Date).cast(pl.String)).to_dicts()
        assert found[name] == rows, name
