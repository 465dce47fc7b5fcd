"""The documentation says what the program does: its generated parts are made again and compared."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import regenerate
from helpers import tables_of

from etl.report.charts import Chart
from etl.report.results import summarize, write_results
from schemas import TABLES, VIEWS


def test_the_generated_parts_of_readme_and_docs_are_current() -> None:
    for path, made in regenerate.documents().items():
        assert path.read_text(encoding="utf-8") == made, f"{path.name}: run python tests/regenerate.py"


def test_the_readme_is_short() -> None:
    assert len(regenerate.README.read_text(encoding="utf-8").splitlines()) <= 200


def test_the_readmes_map_of_the_code_is_short_and_names_what_exists() -> None:
    readme = regenerate.README.read_text(encoding="utf-8")
    (lines,) = re.findall(r"## Map of the code\n\n```text\n(.*?)```", readme, re.DOTALL)
    assert len(lines.splitlines()) <= 15
    places = []
    for line in lines.splitlines()[1:]:
        first, *others = re.findall(r"[\w/]+(?:\.py|/)(?!\w)", line) or [""]
        places += [first, *(word if word.startswith(("etl/", "schemas/")) else first + word for word in others)]
    assert len(places) > 30
    assert [place for place in places if not (regenerate.ROOT / place).exists()] == []


def test_datasettes_metadata_in_the_repository_is_current() -> None:
    assert regenerate.METADATA.read_text(encoding="utf-8") == regenerate.render_metadata()


def test_the_schema_of_results_is_current_and_a_runs_results_fit_it() -> None:
    text = regenerate.RESULTS_SCHEMA.read_text(encoding="utf-8")
    assert text == regenerate.results_schema()
    chart = Chart(
        id="papers", title="Papers", says="", sql="", columns=["month", "papers"], rows=[["2024-02", 1], [None, 2]]
    )
    results = summarize(tables_of(regenerate.SAMPLE.read_text(encoding="utf-8"))).with_charts([chart])
    jsonschema.validate(json.loads(write_results(results)), json.loads(text))


def test_datasettes_metadata_describes_every_table_view_and_column() -> None:
    tables = json.loads(regenerate.METADATA.read_text(encoding="utf-8"))["databases"]["paperledger"]["tables"]
    assert set(tables) == {*TABLES, *VIEWS}
    for name, model in TABLES.items():
        assert list(tables[name]["columns"]) == list(model.definition().schema)


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (regenerate.ROOT / "docs").glob("*.md"))]
)
def test_every_link_to_a_file_leads_to_one(page: str) -> None:
    path = regenerate.ROOT / page
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_changes_in_contributing_apply_to_the_code() -> None:
    changes = re.findall(
        r"```diff\n(.*?)```", (regenerate.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(changes) == 2
    for change in changes:
        command = ["git", "apply", "--check"]
        subprocess.run(command, cwd=regenerate.ROOT, input=change, text=True, check=True)


def test_the_readmes_test_command_is_what_ci_runs() -> None:
    words = ("python3 -m venv .venv", ".venv/bin/pip install", "-c requirements.lock -e '.[test]'", ".venv/bin/pytest")
    readme = regenerate.README.read_text(encoding="utf-8")
    ci = (regenerate.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert [word for word in words if word not in readme or word not in ci] == []


def test_the_commands_of_the_tutorial_run(tmp_path: Path) -> None:
    shutil.copytree(regenerate.SAMPLE.parent, tmp_path / "etl" / "sample")
    text = (regenerate.ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    commands = [line for part in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in part.splitlines()]
    assert len(commands) > 8
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), command
    assert (tmp_path / "build" / "current" / "paperledger.db").is_file()
