"""The command's options, run in this process: dates, overrides, pages by name, schemas, and every exit code."""

import hashlib
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from helpers import run

from etl import pipeline
from etl.cli.run import words_of_interrupt
from schemas import QUESTIONS, TABLES, VIEWS

ANN = "Ann Bell\n\nCLMay 1\nOn Ropes\n\nCy Dole, Ann Bell\n\nRopes hold.\n"
BELLA = ANN.replace("Ann Bell\n\nCL", "Bella Ann\n\nCL")


def query(out: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(out / "current" / "paperledger.db")) as database:
        return database.execute(sql).fetchall()


def sha_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def page_with_id_like(text: str) -> str:
    """Another page whose id begins with the same digit."""
    pages = (f"{text}{number}\n" for number in range(1000))
    return next(page for page in pages if sha_of(page)[0] == sha_of(text)[0])


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    path = tmp_path / "ann@2026-06-01.txt"
    path.write_text(ANN, encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_the_date_in_a_files_name_dates_its_papers(ann: Path, out: Path) -> None:
    assert run("build", ann, "--out", out).exit_code == 0
    assert query(out, "SELECT published, year_inferred, observed_on FROM papers, profiles") == [
        ("2026-05-01", 1, "2026-06-01")
    ]


def test_the_option_dates_papers_before_the_files_name(ann: Path, out: Path) -> None:
    assert run("build", ann, "--out", out, "--observed-on", "2031-02-03").exit_code == 0
    assert query(out, "SELECT published, year_inferred, observed_on FROM papers, profiles") == [
        ("2030-05-01", 1, "2031-02-03")
    ]


@pytest.mark.parametrize("day", ["2031-02-29", "03.02.2031", "2031", ""])
def test_a_date_that_is_none_is_a_usage_error(ann: Path, out: Path, day: str) -> None:
    result = run("build", ann, "--out", out, "--observed-on", day)
    assert result.exit_code == 2
    assert f"Invalid value for '--observed-on': found '{day}', expected YYYY-MM-DD such as 2026-07-02" in result.stderr
    assert not out.exists()


def test_overrides_join_people_and_stand_in_the_manifest(ann: Path, out: Path, tmp_path: Path) -> None:
    overrides = tmp_path / "names.toml"
    overrides.write_text('same = [["Ann Bell", "Cy Dole"]]\n', encoding="utf-8")
    assert run("build", ann, "--out", out, "--overrides", overrides).exit_code == 0
    assert query(out, "SELECT count(DISTINCT author_id) FROM author_names") == [(1,)]
    assert query(out, "SELECT DISTINCT matched_by FROM author_names WHERE evidence IS NOT NULL") == [("override",)]
    manifest = json.loads((out / "current" / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(overrides.read_bytes()).hexdigest()
    assert manifest["overrides"] == {"source": "names.toml", "sha256": digest}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("same = [[", "names.toml: not TOML", id="no-toml"),
        pytest.param(
            "equal = []",
            "names.toml: line 1: found the key equal, expected only same, different, person or paper",
            id="key",
        ),
        pytest.param('same = [["Ann Bell"]]', 'names.toml: line 1: same: found ["Ann Bell"]', id="one-name"),
        pytest.param('same = "Ann Bell"', 'names.toml: line 1: same: found "Ann Bell"', id="no-list"),
    ],
)
def test_overrides_of_another_shape_are_a_usage_error(
    ann: Path, out: Path, tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "names.toml").write_text(content, encoding="utf-8")
    result = run("build", ann, "--out", out, "--overrides", tmp_path / "names.toml")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        pytest.param(["*.zip"], 2, "*.zip: no such file or folder", id="glob"),
        pytest.param(["ann@2026-06-01.txt", "--overrides", "no.toml"], 2, "no.toml: cannot be read", id="overrides"),
        pytest.param(
            ["ann@2026-06-01.txt", "--out", "bad.txt"], 4, "bad.txt: cannot be written (", id="file-as-output"
        ),
        pytest.param(
            ["ann@2026-06-01.txt", "--out", "/dev/null/x"], 4, "/dev/null/x: cannot be written (", id="device"
        ),
        pytest.param(["ann@2026-06-01.txt", "bad.txt"], 1, "bad.txt: empty file", id="one-bad-page"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    ann: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    (tmp_path / "bad.txt").touch()
    monkeypatch.chdir(tmp_path)
    result = run("build", *arguments)
    assert result.exit_code == code
    assert result.stderr.startswith(f"paperledger: {told}")
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [ann.name, "bad.txt"]


def test_all_pages_that_cannot_be_read_are_told_at_once_a_line_each(out: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (tmp_path / "b.txt").write_bytes(b"\xff")
    result = run("build", tmp_path, "--out", out)
    assert result.exit_code == 1
    assert [line.partition(",")[0] for line in result.stderr.splitlines()] == [
        "paperledger: a.txt: empty file",
        "paperledger: b.txt: line 1",
    ]


def test_the_same_page_twice_is_one_profile(ann: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "again.txt").write_text(ANN, encoding="utf-8")
    assert run("build", ann, tmp_path / "again.txt", ann, "--out", out).exit_code == 0
    assert query(out, "SELECT source, listed_papers FROM profiles") == [("again.txt", 1)]


def test_text_that_looks_like_markup_or_controls_a_terminal_is_shown_as_text(out: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text(
        ANN.replace("Ropes hold.", "[/red] \x1b[31mropes [bold and the"), encoding="utf-8"
    )
    result = run("build", tmp_path / "odd.txt", "--out", out)
    assert result.exit_code == 0
    assert r"[/red] \x1b[31mropes [bold" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    "wanted", [sha_of(ANN)[:16], sha_of(ANN)[:3], "ann@2026-06-01.txt"], ids=["id", "prefix", "source"]
)
def test_a_page_is_named_by_id_prefix_or_source(ann: Path, out: Path, tmp_path: Path, wanted: str) -> None:
    (tmp_path / "bella.txt").write_text(BELLA, encoding="utf-8")
    run("build", ann, tmp_path / "bella.txt", "--out", out)
    result = run("page", wanted, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == ANN.encode()


@pytest.mark.parametrize("wanted", ["", "nobody.txt", "ann", sha_of(ANN), sha_of(ANN)[:16].upper()])
def test_a_page_that_is_not_there_is_a_usage_error(ann: Path, out: Path, wanted: str) -> None:
    run("build", ann, "--out", out)
    result = run("page", wanted, "--out", out)
    assert (result.exit_code, result.stdout_bytes) == (2, b"")
    assert result.stderr == f"paperledger: {wanted}: no such profile; see the table profiles for ids and sources\n"


def test_a_beginning_that_two_ids_share_is_ambiguous(ann: Path, out: Path, tmp_path: Path) -> None:
    other = page_with_id_like(ANN)
    (tmp_path / "other.txt").write_text(other, encoding="utf-8")
    run("build", ann, tmp_path / "other.txt", "--out", out)
    result = run("page", sha_of(ANN)[0], "--out", out)
    ids = ", ".join(sorted((sha_of(ANN)[:16], sha_of(other)[:16])))
    assert (result.exit_code, result.stdout_bytes) == (2, b"")
    assert result.stderr == f"paperledger: {ids[0]}: found 2 profiles, expected one; give more of an id: {ids}\n"


def test_pages_of_one_name_in_two_folders_are_two_sources(ann: Path, out: Path, tmp_path: Path) -> None:
    namesake = tmp_path / "more" / ann.name
    namesake.parent.mkdir()
    namesake.write_text(BELLA, encoding="utf-8")
    run("build", ann, namesake, "--out", out)
    assert run("page", f"more/{ann.name}", "--out", out).stdout_bytes == BELLA.encode()
    assert run("page", f"{tmp_path.name}/{ann.name}", "--out", out).stdout_bytes == ANN.encode()


@pytest.mark.parametrize("command", [["page", "x"], ["serve"]], ids=["page", "serve"])
def test_without_a_release_there_is_nothing_to_read(out: Path, command: list[str]) -> None:
    result = run(*command, "--out", out)
    assert result.exit_code == 2
    assert (
        result.stderr == f"paperledger: {out}: no release here; run paperledger build, or give its folder with --out\n"
    )


def test_a_page_that_the_release_does_not_give_back_is_not_written(ann: Path, out: Path) -> None:
    run("build", ann, "--out", out)
    with closing(sqlite3.connect(out / "current" / "paperledger.db")) as database, database:
        database.execute("UPDATE papers SET abstract = 'Ropes break.'")
    result = run("page", ann.name, "--out", out)
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert "paperledger.db: found the sha256 " in result.stderr
    assert "the release is damaged" in result.stderr


def test_a_release_without_its_database_is_told_in_one_line(ann: Path, out: Path) -> None:
    run("build", ann, "--out", out)
    (out / "current" / "paperledger.db").unlink()
    result = run("page", ann.name, "--out", out)
    assert result.exit_code == 1
    assert "paperledger.db: found no such file, expected one of " in result.stderr


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(["out"], id="output-folder"),
        pytest.param(["out/current"], id="link"),
        pytest.param(["out/current", "--out", "out/../out/current"], id="twice"),
        pytest.param(["--out", "out"], id="option"),
    ],
)
def test_a_page_and_a_row_are_looked_for_in_the_folder_that_is_given(
    ann: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: list[str]
) -> None:
    run("build", ann, "--out", out)
    monkeypatch.chdir(tmp_path)
    assert run("page", ann.name, *place).stdout_bytes == ANN.encode()
    told = run("why", "profiles", sha_of(ANN)[:16], *place)
    assert (told.exit_code, f"source: {ann.name}" in told.stdout) == (0, True)


@pytest.mark.parametrize("command", [["page", "x"], ["why", "papers", "x"], ["serve"]], ids=["page", "why", "serve"])
def test_two_folders_are_a_usage_error(command: list[str]) -> None:
    result = run(*command, "one", "--out", "two")
    assert result.exit_code == 2
    assert result.stderr == (
        "paperledger: one: found another folder than two of --out, expected one; give only one of the two\n"
    )


def test_an_argument_too_many_is_a_usage_error(out: Path) -> None:
    for command in (["page", "x"], ["why", "papers", "x"]):
        result = run(*command, out, "more")
        assert result.exit_code == 2
        assert "Got unexpected extra argument (more)" in result.stderr


def test_an_interrupted_build_ends_with_130(ann: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check", interrupted)
    result = run("build", ann, "--out", out)
    assert (result.exit_code, result.stderr) == (130, "paperledger: interrupted; nothing was published\n")


def test_an_interrupt_that_comes_behind_the_last_step_says_that_the_release_was_published(ann: Path, out: Path) -> None:
    words = words_of_interrupt(out)
    assert words() == "interrupted; nothing was published"
    run("build", ann, "--out", out)
    assert words() == "interrupted; the release was published before"
    assert words_of_interrupt(out)() == "interrupted; nothing was published"


def test_an_error_of_the_program_ends_with_3_and_asks_for_a_report(ann: Path, out: Path) -> None:
    program = "from etl import cli, pipeline; pipeline.check = None; cli.main()"
    command = [sys.executable, "-c", program, "build", str(ann), "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert result.stderr.endswith("this is an error of the program; please report it with the lines above\n")


def test_the_schema_as_text_tells_every_column() -> None:
    text = run("schema").stdout
    for name, model in TABLES.items():
        (part,) = (part for part in text.split("\n\n") if part.startswith(f"{name}: "))
        assert [line.split()[0] for line in part.splitlines()[1:]] == list(model.definition().schema)
    assert [name for name in VIEWS if f"\n{name} (view): " not in text] == []


def test_the_schema_as_markdown_has_a_heading_for_each() -> None:
    text = run("schema", "--format", "markdown").stdout
    expected = [*(f"### `{name}`" for name in TABLES), *(f"### `{name}` (view)" for name in VIEWS), "### Questions"]
    assert [line for line in text.splitlines() if line.startswith("#")] == expected


def test_the_schema_as_markdown_has_a_row_for_every_column() -> None:
    text = run("schema", "--format", "markdown").stdout
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    columns = [column for model in TABLES.values() for column in model.definition().schema]
    columns += [column for view in VIEWS.values() for column in view.columns]
    columns += QUESTIONS
    assert [row.split("`")[1] for row in rows] == columns
    assert "| `published` | date, or null |  | Date of the badge;" in text
