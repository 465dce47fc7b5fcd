"""What a release has that the release before it does not: the page of changes, and what it says where there is nothing to compare."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import ask, links, words

from etl.load.layout import DATABASE_FILE, MANIFEST, METADATA, read_manifest
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.release import Release
from etl.site import changes
from etl.site.changes import changes_of
from etl.site.served import SETTINGS, OwnProcess

BELLS, ROPES, PEALS = ("On Bells", "On <b>Ropes</b>", r"On $2 \leq n$ Peals")


def page_of(titles: Sequence[str]) -> str:
    blocks = (
        f"CLMay {number}, 2024\n{title}\n\nCy Dole, Ann Bell\n\nAn abstract.\n"
        for number, title in enumerate(titles, 1)
    )
    return "Ann Bell\n\n" + "\n".join(blocks)


def release_of(out: Path, *titles: str) -> Path:
    page = out.with_name("ann.txt")
    page.write_text(page_of(titles), encoding="utf-8")
    return build(Request([str(page)], out), Progress(Console(quiet=True))).release.path


def site_of(release: Path) -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=dict(SETTINGS))


def found(release: Path) -> changes.Changes:
    return changes_of(Release(release, read_manifest(release)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An output folder's two releases, the older first: a paper more, and one less."""
    out = tmp_path_factory.mktemp("changes") / "build"
    return release_of(out, BELLS, ROPES), release_of(out, BELLS, r"Other Chimes", PEALS)


@pytest.fixture
def copied(built: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the two releases, to damage."""
    shutil.copytree(built[0].parent, tmp_path / "releases")
    older, newer = (tmp_path / "releases" / release.name for release in built)
    for number, release in enumerate((older, newer)):
        os.utime(release, ns=(number, number))
    return older, newer


def test_a_first_release_says_that_it_is_one(built: tuple[Path, Path]) -> None:
    answer = ask(site_of(built[0]), "/-/changes")
    assert "This is the first release here" in words(answer)
    assert "/paperledger/papers" in links(answer)


def test_a_release_in_no_output_folder_is_a_first_one(built: tuple[Path, Path], tmp_path: Path) -> None:
    alone = shutil.copytree(built[1], tmp_path / "alone")
    assert found(alone) == changes.Changes(None)


def test_new_papers_are_cards_and_removed_ones_are_named(built: tuple[Path, Path]) -> None:
    site = site_of(built[1])
    answer = ask(site, "/-/changes")
    for _ in range(30):
        if "is being compared" not in answer.text:
            break
        time.sleep(1)
        answer = ask(site, "/-/changes")
    shown = words(answer)
    assert f"Release {built[1].name} against the one before it, {built[0].name}: 2 new papers, 1 removed paper" in shown
    assert "On 2 ≤ n Peals Cy Dole, Ann Bell 2024-05-03" in shown
    assert "Other Chimes" in shown
    assert "On <b>Ropes</b>" in shown
    assert "<b>Ropes" not in answer.text
    assert "/paperledger/authors/cy-dole" in links(answer)


def test_who_asks_while_releases_are_compared_gets_a_page_that_says_so(
    built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PATIENCE", 0.0)
    answer = ask(site_of(built[1]), "/-/changes")
    assert "is being compared" in words(answer)
    assert links(answer) == ["/-/changes"]


def test_the_tables_that_differ_are_counted(built: tuple[Path, Path]) -> None:
    compared = found(built[1])
    papers = next(table for table in compared.tables if table.name == "papers")
    assert (papers.rows, papers.added, papers.removed, papers.changed) == (3, 2, 1, 0)
    assert (compared.new_total, compared.removed_total) == (2, 1)


def test_a_damaged_older_release_is_a_problem_in_words(copied: tuple[Path, Path]) -> None:
    older, newer = copied
    (older / "papers.parquet").write_bytes(b"no table")
    problem = found(newer).problem
    assert problem
    assert f"{older.name}/papers.parquet" in problem
    assert str(older.parent) not in problem
    answer = ask(site_of(newer), "/-/changes")
    assert answer.status_code == 200


@pytest.mark.parametrize("manifest", ["", "{}", '{"files": 7}', "[]"])
def test_an_older_release_without_a_manifest_that_can_be_read_is_a_problem_in_words(
    copied: tuple[Path, Path], manifest: str
) -> None:
    (copied[0] / MANIFEST).write_text(manifest, encoding="utf-8")
    assert found(copied[1]).problem


def test_an_empty_older_release_is_a_problem_in_words(copied: tuple[Path, Path]) -> None:
    shutil.rmtree(copied[0])
    copied[0].mkdir()
    os.utime(copied[0], ns=(0, 0))
    assert "no release here" in (found(copied[1]).problem or "")


def test_an_older_release_of_another_schema_is_compared_by_what_both_have(copied: tuple[Path, Path]) -> None:
    older, newer = copied
    table = pq.read_table(older / "papers.parquet").drop_columns(["citekey"])
    pq.write_table(table, older / "papers.parquet")
    compared = found(newer)
    assert [words for words in compared.schema if words.startswith("papers.citekey: the column is new")]
    assert compared.new_total == 2


def test_an_older_release_whose_papers_lack_what_is_shown_is_a_problem_in_words(copied: tuple[Path, Path]) -> None:
    older, newer = copied
    table = pq.read_table(older / "papers.parquet").drop_columns(["title"])
    pq.write_table(table, older / "papers.parquet")
    assert "expected a release" in (found(newer).problem or "")


def test_many_new_papers_are_counted_and_the_last_published_shown(
    built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SHOWN_PAPERS", 1)
    compared = found(built[1])
    assert (compared.new_total, len(compared.new)) == (2, 1)


def test_releases_are_compared_in_a_process_of_their_own() -> None:
    assert asyncio.run(OwnProcess(os.getpid).result()) not in {None, os.getpid()}


def test_a_process_that_the_system_ends_is_reported(built: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "OwnProcess", lambda _: OwnProcess(partial(os._exit, 1)))
    site = site_of(built[1])
    assert ["the system ended the comparison" in words(ask(site, "/-/changes")) for _ in range(2)] == [True, True]
