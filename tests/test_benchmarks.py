"""The benchmark of builds works, and its pages are the same everywhere."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from helpers import tables_of
from regenerate import ROOT

BENCHMARKS = ROOT / "tests" / "benchmarks"
DOCUMENT = ROOT / "docs" / "performance.md"
PAPERS = 400


def run(script: str, *arguments: object, seed: str = "random") -> None:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, BENCHMARKS / script, *map(str, arguments)], check=True, env=environment)


def invented(folder: Path, *options: str, seed: str = "random") -> dict[str, str]:
    run("invented_pages.py", *options, folder, PAPERS, seed=seed)
    return {page.name: page.read_bytes().decode() for page in folder.iterdir()}


def test_invented_pages_are_the_same_in_every_process(tmp_path: Path) -> None:
    for options in ([], ["--varied"]):
        folders = [tmp_path / f"{len(options)}{seed}" for seed in "12"]
        first, second = (invented(folder, *options, seed=folder.name[-1]) for folder in folders)
        assert first == second


def test_clean_invented_pages_break_no_rule(tmp_path: Path) -> None:
    assert tables_of(*invented(tmp_path).values(), observed_on=date(2026, 6, 1))["findings"].is_empty()


def test_varied_invented_pages_fill_what_clean_ones_leave_empty(tmp_path: Path) -> None:
    tables = tables_of(*invented(tmp_path, "--varied").values(), observed_on=date(2026, 6, 1))
    assert 2.9 < tables["listings"].height / tables["papers"].height < 3
    assert abs(tables["papers"].height - PAPERS) < 5
    filled = ("variants", "quarantine", "findings", "links", "institutions", "merge_candidates")
    assert [name for name in filled if tables[name].is_empty()] == []
    assert tables["papers"]["year_inferred"].any()
    assert set(tables["author_names"]["matched_by"]) >= {"exact", "fuller_name"}


@pytest.mark.slow
def test_the_benchmark_of_builds_fills_its_tables(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_bytes(DOCUMENT.read_bytes())
    run("build_at_scale.py", "--papers", PAPERS, "--document", document, tmp_path / "runs")
    text = document.read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| 400 ")]
    commands = ["`paperledger build`", "floor", "`paperledger verify`", "`paperledger diff`"]
    names = [row[1] for row in rows]
    assert names[1:5] == commands
    assert names[5] == "Reading pages"
    assert names[-1] == "start, end, and between steps"
    build, floor = rows[1], rows[2]
    assert all(float(cell) > 0 for cell in (*build[2:], *floor[2:4]))
    assert sum(float(row[3]) for row in rows[5:]) <= float(build[3]) + 0.1 * len(rows)
    assert str(tmp_path) not in text
