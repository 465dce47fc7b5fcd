"""The same pages make the same bytes, whatever surrounds the build."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from etl.release.verify import verify
from schemas import TABLES

COMMAND = Path(sys.executable).with_name("paperledger")
PLAIN = {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "TZ": "UTC", "LC_ALL": "C"}
SURROUNDINGS = {
    "again": {},
    "hash-seed": {"PYTHONHASHSEED": "4711"},
    "threads": {"POLARS_MAX_THREADS": "2"},
    "time-zone": {"TZ": "Asia/Tokyo"},
    "locale": {"LC_ALL": "C.UTF-8"},
    "all": {"PYTHONHASHSEED": "random", "POLARS_MAX_THREADS": "4", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"},
}
"""Builds that differ from the plain one in this, in the order of their pages and in their working directory."""
DOCUMENTS = (
    "croissant.json",
    "datapackage.json",
    "datasette-metadata.json",
    "manifest.json",
    "report.html",
    "results.json",
)
FILES = {"paperledger.db", "paper_list.parquet", *DOCUMENTS, *(f"{name}.parquet" for name in TABLES)}


@pytest.fixture(scope="module")
def pages(texts: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pages that tell of the same people and papers, so that the order in which they are read could matter."""
    folder = tmp_path_factory.mktemp("pages")
    ann, eve = texts
    cy = ann.replace("Ann Bell\n\nCL", "Cy Dole\n\nCL")
    named = {"ann.txt": ann, "eve@2026-06-01.txt": eve, "cy.txt": cy, "copy.txt": ann}
    for name, text in named.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in named]


def built(folder: Path, pages: list[Path], surroundings: dict[str, str], *options: str) -> dict[str, bytes]:
    """The files of a release that is built in a folder, by name, and its own name under an empty one."""
    folder.mkdir()
    command = [str(COMMAND), "build", *map(str, pages), "--out", "build", *options]
    subprocess.run(command, cwd=folder, env=os.environ | PLAIN | surroundings, capture_output=True, check=True)
    release = (folder / "build" / "current").resolve()
    assert verify(release) == []
    return {"": release.name.encode()} | {path.name: path.read_bytes() for path in release.iterdir()}


def differing(first: dict[str, bytes], second: dict[str, bytes]) -> list[str]:
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


@pytest.fixture(scope="module")
def plain(pages: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return built(tmp_path_factory.mktemp("plain") / "here", pages, {})


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_surroundings_of_a_build_change_no_byte(
    pages: list[Path], plain: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    shuffled = random.Random(name).sample(pages, len(pages))  # noqa: S311
    assert set(plain) == {"", *FILES}
    assert differing(plain, built(tmp_path / "elsewhere", shuffled, SURROUNDINGS[name])) == []


def test_the_number_of_workers_changes_no_byte(pages: list[Path], tmp_path: Path) -> None:
    """More pages than one batch holds, so that several processes do read them."""
    text = pages[2].read_text(encoding="utf-8")
    (tmp_path / "many").mkdir()
    for number in range(250):
        page = text.replace("On Bells", f"On Bells, Part {number}").replace(
            "Cy Dole\n\nCL", f"Cy D. Dole {number}\n\nCL"
        )
        (tmp_path / "many" / f"{number}.txt").write_text(page, encoding="utf-8")
    one, three = (built(tmp_path / workers, [tmp_path / "many"], {}, "--workers", workers) for workers in ("1", "3"))
    assert differing(one, three) == []
