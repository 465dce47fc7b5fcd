"""The GitHub Action and the pre-commit hook: the shell that they run, run here."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.extract.reading import PAGE_ENDINGS

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("paperledger")
PAGE = "Ann Bell\n\nCL\n3papers\n\n3 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at every full hour."


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two pages, beside the folder where the action has installed the command."""
    folder = tmp_path / "runner" / "paperledger" / "bin"
    folder.mkdir(parents=True)
    (folder / "paperledger").symlink_to(COMMAND)
    for name in ("ann.txt", "ann b.txt"):
        page = tmp_path / "checkout" / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(PAGE.replace("Ann", name.removesuffix(".txt").title()), encoding="utf-8")
    return tmp_path / "checkout"


def act(checkout: Path, summary: Path | None = None, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """What the action's check prints with these inputs, and the summary that it leaves."""
    action = read("action.yml")
    step = action["runs"]["steps"][1]
    given = {name: str(facts.get("default", "")) for name, facts in action["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    names = {key: value.removeprefix("${{ inputs.").removesuffix(" }}") for key, value in step["env"].items()}
    summary = summary or checkout.parent / "summary.md"
    environment = {
        **os.environ,
        **{key: given[name] for key, name in names.items()},
        "RUNNER_TEMP": str(checkout.parent / "runner"),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(shell, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    return done, summary.read_text(encoding="utf-8") if summary.is_file() else ""


def test_warnings_are_annotated_and_summed_up(checkout: Path) -> None:
    done, summary = act(checkout, pages="pages")
    assert done.returncode == 0
    assert "::warning file=pages/ann.txt,line=4" in done.stdout
    assert "PAG-006" in summary
    assert (checkout / "paperledger-report" / "results.sarif").is_file()


def test_the_check_turns_red_and_still_tells_why(checkout: Path) -> None:
    done, summary = act(checkout, pages="pages", fail_on="warning", report="found")
    assert done.returncode == 1
    assert "PAG-006" in summary
    assert (checkout / "found" / "report.html").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="other systems have no disk that is always full")
def test_a_summary_that_a_full_disk_cuts_short_is_an_error(checkout: Path) -> None:
    done, _ = act(checkout, Path("/dev/full"), pages="pages")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_pages_may_be_several_on_several_lines_and_globs(checkout: Path) -> None:
    done, _ = act(checkout, pages="pages/ann.txt\npages/*b.txt\n")
    assert done.returncode == 0
    assert "2 pages" in done.stdout


def test_the_other_inputs_reach_the_command(checkout: Path) -> None:
    (checkout / "rules.toml").write_text("[PAG-006]\nerror_above = 0\n", encoding="utf-8")
    (checkout / "people.toml").write_text("nobody = 1\n", encoding="utf-8")
    assert act(checkout, pages="pages", rules="rules.toml")[0].returncode == 1
    assert "people.toml" in act(checkout, pages="pages", overrides="people.toml")[0].stderr
    assert "nowhere" in act(checkout, pages="pages", baseline="nowhere")[0].stderr
    assert "a.json" in act(checkout, pages="pages", reference="a.json b.json")[0].stderr


def test_an_input_is_no_command(checkout: Path) -> None:
    done, _ = act(checkout, pages="$(touch broken) pages", baseline="`touch broken`")
    assert done.returncode == 2
    assert not (checkout / "broken").exists()


def test_the_hook_checks_the_files_that_it_is_given(checkout: Path) -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    command, *arguments = shlex.split(hook["entry"])
    entry = [COMMAND.with_name(command), *arguments, "pages/ann.txt", "pages/ann b.txt"]
    done = subprocess.run(entry, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ann b.txt:4 PAG-006" in done.stdout


@pytest.mark.parametrize("ending", [*PAGE_ENDINGS, ".TXT", ".Text.GZ"])
def test_the_hook_looks_at_all_text_files_that_a_folder_is_searched_for(ending: str) -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    assert re.search(hook["files"], f"pages/ann{ending}")
    assert not re.search(hook["files"], f"pages/ann{ending}.md")
    assert not re.search(hook["files"], "pages/context")
