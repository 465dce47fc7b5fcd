"""The order of a publication, recorded and read: written, on the disk, named, linked, on the disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import tables_of

from etl.load import draft
from etl.load import publish as publication
from etl.load.layout import is_release_id
from etl.load.publish import publish
from schemas import TABLES, Frames

FILES = sorted([*(f"{name}.parquet" for name in TABLES), "paper_list.parquet", "paperledger.db"])
TEXTS = ["croissant.json", "datapackage.json", "datasette-metadata.json", "report.html"]


class Recorder:
    """Writes down, in words, what a publication asks of the disk."""

    def __init__(self, out: Path, patch: pytest.MonkeyPatch) -> None:
        self.out = out
        self.steps: list[str] = []
        for module, writer in ((draft, "begin_database"), (draft, "write_parquet"), (publication, "_write_text")):
            patch.setattr(module, writer, self.written(getattr(module, writer)))
        fsync, rename, replace, symlink = os.fsync, Path.rename, Path.replace, Path.symlink_to
        patch.setattr(os, "fsync", lambda handle: (self.note("fsync", self.opened(handle)), fsync(handle))[1])
        patch.setattr(Path, "rename", lambda old, new: (self.note("rename", old, new), rename(old, new))[1])
        patch.setattr(Path, "replace", lambda old, new: (self.note("replace", old, new), replace(old, new))[1])
        patch.setattr(Path, "symlink_to", lambda link, to: (self.note("link", link, to), symlink(link, to))[1])

    def written(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def record(path: Path, *rest: Any) -> Any:
            self.note("write", path)
            return write(path, *rest)

        return record

    @staticmethod
    def opened(handle: int) -> Path:
        return Path(f"/proc/self/fd/{handle}").readlink()

    def note(self, step: str, *paths: Path) -> None:
        self.steps.append(" ".join([step, *map(self.named, paths)]))

    def named(self, path: Path) -> str:
        """A path from the output folder on; a folder under its hidden or its final name is told as such."""
        parts = (path.relative_to(self.out) if path.is_absolute() else path).parts
        aside = ["ASIDE" if part.startswith(".build-") else part for part in parts]
        return "/".join("FINAL" if is_release_id(part) else part for part in aside) or "OUT"


@pytest.fixture(scope="module")
def small() -> Frames:
    return tables_of("Cy Dole\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole\n\nRopes hold.\n")


@pytest.fixture
def steps(small: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    recorder = Recorder(tmp_path.resolve(), monkeypatch)
    publish(tmp_path.resolve(), small, {"overrides": None}, lambda _: {"report.html": "<p>"})
    return recorder.steps


def test_a_release_is_written_synced_renamed_and_linked_in_this_order(steps: list[str]) -> None:
    aside = "releases/ASIDE"
    everything = sorted([*FILES, *TEXTS])
    first = [step for step in steps if step.startswith("write")][: len(everything)]
    assert sorted(first) == [f"write {aside}/{name}" for name in everything]
    assert [step for step in steps if step not in first] == [
        "fsync OUT",
        *(f"fsync {aside}/{name}" for name in everything),
        f"write {aside}/manifest.json",
        f"fsync {aside}/manifest.json",
        f"fsync {aside}",
        f"rename {aside} releases/FINAL",
        "fsync releases",
        "link .current releases/FINAL",
        "replace .current current",
        "fsync OUT",
    ]


def test_every_file_is_written_before_the_first_is_synced_and_the_manifest_is_the_last(steps: list[str]) -> None:
    writes = [number for number, step in enumerate(steps) if step.startswith("write")]
    assert steps[writes[-1]] == "write releases/ASIDE/manifest.json"
    assert steps.index("fsync releases/ASIDE/paperledger.db") > writes[-2]


def test_a_release_that_exists_is_only_linked(small: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path.resolve(), small, {"overrides": None})
    recorder = Recorder(tmp_path.resolve(), monkeypatch)
    publish(tmp_path.resolve(), small, {"overrides": None})
    assert recorder.steps == ["link .current releases/FINAL", "replace .current current", "fsync OUT"]
