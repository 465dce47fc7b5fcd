"""The files around the code: what CI tests and a tag releases, and what issues ask for."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def workflow(name: str) -> Any:
    return yaml.safe_load((GITHUB / "workflows" / name).read_text(encoding="utf-8"))


def test_ci_runs_on_every_python_that_the_package_names() -> None:
    tested = workflow("ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    named = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one) for one in PROJECT["classifiers"]]
    assert tested == [one[1] for one in named if one]
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_a_release_publishes_only_what_was_tested() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert (GITHUB.parent / jobs["test"]["uses"]).is_file()
    needed = {name: job.get("needs") for name, job in jobs.items()}
    assert needed == {"test": None, "distributions": "test", "publish": "distributions", "container": "distributions"}


def test_the_container_is_built_from_files_that_its_context_has() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for word in line.split()}
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    given = {line[1:] for line in ignored if line.startswith("!")}
    assert {name.partition("/")[0] for name in copied} == given
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem)
def test_a_form_of_an_issue_has_what_github_requires(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    fields = [field["id"] for field in form["body"]]
    assert len(fields) == len(set(fields)) > 0
    assert [field for field in form["body"] if not field["attributes"]["label"]] == []


def test_an_issue_about_a_page_asks_for_its_lines() -> None:
    first, *_ = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "page.yml").read_text(encoding="utf-8"))["body"]
    assert (first["attributes"]["label"], first["validations"]) == ("The page's lines", {"required": True})
