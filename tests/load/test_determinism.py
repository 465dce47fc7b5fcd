"""The same pages make the same bytes, whatever surrounds the build."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("paperledger")
SURROUNDINGS = {
    "one": {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "TZ": "UTC", "LC_ALL": "C"},
    "two": {"PYTHONHASHSEED": "4711", "POLARS_MAX_THREADS": "4", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"},
}


@pytest.fixture(scope="module")
def releases(texts: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The releases of two builds of the same pages, given in another order and from another folder."""
    folder = tmp_path_factory.mktemp("determinism")
    pages = [folder / "pages" / name for name in ("ann.txt", "eve@2026-06-01.txt", "cy.txt")]
    pages[0].parent.mkdir()
    for page, text in zip(pages, (*texts, texts[0].replace("Ann Bell\n\nCL", "Cy Dole\n\nCL")), strict=True):
        page.write_text(text, encoding="utf-8")
    builds = []
    for name, surroundings in SURROUNDINGS.items():
        (folder / name).mkdir()
        command = [str(COMMAND), "build", *map(str, pages), "--out", "build"]
        pages.reverse()
        builds.append(
            subprocess.Popen(command, cwd=folder / name, env=os.environ | surroundings, stdout=subprocess.PIPE)
        )
    for build in builds:
        build.communicate()
    assert [build.returncode for build in builds] == [0, 0]
    return [(folder / name / "build" / "current").resolve() for name in SURROUNDINGS]


def test_two_builds_have_the_same_hash_and_name(releases: list[Path]) -> None:
    assert releases[0].name == releases[1].name


def test_two_builds_have_the_same_bytes_in_every_file(releases: list[Path]) -> None:
    first, second = ({path.name: path.read_bytes() for path in release.iterdir()} for release in releases)
    assert len(first) == 19
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
