"""`--reference` of `build` and `check`: what they print, what the manifest names, and bad files."""

import json
from pathlib import Path

import pytest
from helpers import run
from records import lines, record
from rich.console import Console

from etl.pipeline import Request, build
from etl.progress import Progress

PAGE = "Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell, Cy Dole et al.\n\nThey ring at every full hour.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ann.txt").write_text(PAGE, encoding="utf-8")
    (tmp_path / "arxiv.jsonl").write_bytes(lines(record()))
    return tmp_path


@pytest.mark.parametrize("command", ["build", "check"])
def test_the_summary_tells_how_many_papers_were_found(folder: Path, command: str) -> None:
    result = run(command, "ann.txt", "--reference", "arxiv.jsonl", "--report", "report")
    assert (result.exit_code, result.stderr) == (0, "")
    words = "1 of 1 paper found in arxiv.jsonl (1 record), which completes 1 cut byline"
    assert words in result.stdout
    assert words.replace("arxiv.jsonl", "`arxiv.jsonl`") in (folder / "report" / "summary.md").read_text()
    assert words in (folder / "report" / "report.html").read_text()
    results = json.loads((folder / "report" / "results.json").read_text())
    assert results["reference"] == {
        "files": [{"name": "arxiv.jsonl", "records": 1, "damaged": 0}],
        "matched": 1,
        "completed": 1,
    }


def test_the_manifest_names_file_hash_and_records(folder: Path) -> None:
    run("build", "ann.txt", "--reference", "arxiv.jsonl")
    (facts,) = json.loads((folder / "build/current/manifest.json").read_text())["reference"]
    assert (facts["name"], facts["records"], len(facts["sha256"])) == ("arxiv.jsonl", 1, 64)
    assert run("verify").exit_code == 0


def test_without_the_option_nothing_names_a_reference(folder: Path) -> None:
    run("build", "ann.txt")
    assert "reference" not in json.loads((folder / "build/current/manifest.json").read_text())
    assert "reference" not in json.loads((folder / "build/current/results.json").read_text())


def test_several_files_are_one_reference(folder: Path) -> None:
    (folder / "more.jsonl").write_bytes(lines(record("2405.00002", "On Ropes")))
    result = run("check", "ann.txt", "--reference", "more.jsonl", "--reference", "arxiv.jsonl")
    assert "1 of 1 paper found in arxiv.jsonl (1 record), more.jsonl (1 record)" in result.stdout


def test_one_and_two_workers_publish_the_same_release(folder: Path) -> None:
    for workers in ("1", "2"):
        run("build", "ann.txt", "--reference", "arxiv.jsonl", "--workers", workers, "--out", workers)
    first, second = (sorted((folder / workers / "releases").iterdir()) for workers in ("1", "2"))
    assert [path.name for path in first] == [path.name for path in second]
    assert (first[0] / "paperledger.db").read_bytes() == (second[0] / "paperledger.db").read_bytes()


def test_a_file_of_another_shape_stops_the_build_in_one_line(folder: Path) -> None:
    (folder / "arxiv.jsonl").write_text("<!DOCTYPE html>\n")
    result = run("build", "ann.txt", "--reference", "arxiv.jsonl")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("paperledger: arxiv.jsonl: line 1: found <!DOCTYPE html>")
    assert not (folder / "build").exists()


def test_a_damaged_record_is_a_warning_with_its_line(folder: Path) -> None:
    (folder / "arxiv.jsonl").write_bytes(lines(record()) + b'{"id": "2405.00002", "ti\n')
    result = run("check", "ann.txt", "--reference", "arxiv.jsonl")
    assert result.exit_code == 0
    assert "arxiv.jsonl:2 REF-003 found" in result.stdout
    assert "(1 record, 1 damaged)" in result.stdout


def test_why_leads_to_file_and_line_of_the_record(folder: Path) -> None:
    tables = build(
        Request(["ann.txt"], folder / "build", reference=[folder / "arxiv.jsonl"]), Progress(Console(quiet=True))
    ).tables
    (paper_id,) = tables["papers"]["paper_id"]
    for table, key in (
        ("paper_authors", f"{paper_id},eve-fox"),
        ("paper_categories", f"{paper_id},cs~2ELG"),
        ("papers", paper_id),
    ):
        found = run("why", table, key)
        assert (found.exit_code, "arxiv.jsonl, line 1" in found.stdout) == (0, True), table
