"""A lake: written whole or not at all, read as it was published; and the release that is made of it, or of a part of it."""

import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from datasette.app import Datasette
from rich.console import Console
from two_pages import ANN, EVE

from etl import lake_release, pipeline
from etl.cli import main
from etl.errors import DamagedRelease, PublicationError, UsageError
from etl.lake import Lake, open_lake
from etl.lake_release import release_of
from etl.load.publish import locked
from etl.pipeline import Request
from etl.progress import Progress
from etl.release.release import open_release
from etl.validate.integrity import check_tables
from schemas import TABLES

CY = """Cy Dole

CL
h-index99
1papers

1 Papers

CLMay 1, 2024
On Ropes

Cy Dole, Max Moss

Ropes hold bells,
"""
QUIET = Progress(Console(quiet=True))


def write_files(folder: Path, schema: pa.Schema, files: Sequence[Path]) -> Sequence[Path]:
    """What an engine does, in this process: a Parquet file for each Arrow file, and a mark of success."""
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    written = [folder / f"part-{number:05}-0a1b.c000.parquet" for number in range(len(files))]
    for path, file in zip(written, files, strict=True):
        pq.write_table(pa.ipc.open_file(str(file)).read_all().cast(schema), path)
    return written


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages-2026-07-02"
    folder.mkdir()
    for name, text in {"ann.txt": ANN, "eve.txt": EVE, "cy.txt": CY}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def build_lake(pages: Path, out: Path, write: object = write_files, *, allow_unreadable: bool = False) -> Lake:
    request = Request([str(pages)], out, allow_unreadable=allow_unreadable)
    with locked(out):
        return pipeline.release_lake(pipeline.check(request, QUIET), request, write, QUIET)  # type: ignore[arg-type]


@pytest.fixture
def lake(pages: Path, tmp_path: Path) -> Lake:
    return build_lake(pages, tmp_path / "lake")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tables_in(folder: Path) -> dict[str, pl.DataFrame]:
    return {name: TABLES[name].select(pl.read_parquet(folder / f"{name}.parquet")) for name in TABLES}


def test_the_release_of_a_lake_has_the_bytes_of_a_build_of_the_same_pages(
    lake: Lake, pages: Path, tmp_path: Path
) -> None:
    built = pipeline.build(Request([str(pages)], tmp_path / "built"), QUIET).release.path
    made = release_of(lake, tmp_path / "made").path
    assert made.name == built.name
    assert files_of(made) == files_of(built)


def test_a_lake_without_papers_is_a_release_too(tmp_path: Path) -> None:
    page = tmp_path / "ann@2026-07-02.txt"
    page.write_text("Ann Bell\n\nCL\nh-index3\n0papers\n\n0 Papers\n")
    built = pipeline.build(Request([str(page)], tmp_path / "built", allow_unreadable=True), QUIET).release.path
    lake = build_lake(page, tmp_path / "lake", allow_unreadable=True)
    assert files_of(release_of(lake, tmp_path / "made").path) == files_of(built)


def test_a_lake_has_the_rows_of_the_tables_in_the_order_of_their_keys(lake: Lake, pages: Path, tmp_path: Path) -> None:
    tables = pipeline.build(Request([str(pages)], tmp_path / "built"), QUIET).tables
    for name, frame in tables.items():
        assert pl.concat(lake.batches(name)).equals(frame)
        assert lake.rows(name) == frame.height
    assert sorted(path.name for path in (tmp_path / "lake").iterdir()) == ["lake.json", "lakes"]
    (folder,) = (tmp_path / "lake/lakes").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted([*TABLES, "results.json"])
    assert {path.name for path in folder.glob("*/*")} == {"part-00000.parquet"}


def test_a_table_of_many_rows_is_several_files(pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {name: pl.concat(build_lake(pages, tmp_path / "whole").batches(name)) for name in TABLES}
    monkeypatch.setattr("etl.lake.ROWS_PER_BATCH", 2)
    lake = build_lake(pages, tmp_path / "parts")
    assert [path.name for path in sorted((tmp_path / "parts").glob("lakes/*/papers/*"))] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert all(pl.concat(lake.batches(name)).equals(whole[name]) for name in TABLES)


def test_a_part_has_the_papers_that_meet_the_condition_and_all_that_belongs_to_them_and_no_more(
    lake: Lake, tmp_path: Path
) -> None:
    made = release_of(lake, tmp_path / "made", "title LIKE 'On Ropes'")
    tables = tables_in(made.path)
    assert tables["papers"]["title"].to_list() == ["On Ropes"]
    assert tables["profiles"]["source"].to_list() == ["cy.txt"]
    assert sorted(tables["authors"]["name"]) == ["Cy Dole", "Max Moss"]
    assert [failure.message for failure in check_tables(tables)] == []
    assert sorted(tables["findings"]["rule_id"]) == ["PAP-002", "PAP-010", "PRO-001"]
    with closing(sqlite3.connect(made.path / "paperledger.db")) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("SELECT count(*) FROM papers_fts WHERE papers_fts MATCH 'ropes'").fetchone() == (1,)
    assert made.manifest["redacted"]["where"] == "title LIKE 'On Ropes'"
    assert run("verify", made.path).exit_code == 0
    assert (
        "Rebuild" not in run("export", "sqlite", "--from", lake.path, "--out", tmp_path / "two", "--where", "1").stdout
    )
    refused = run("page", "cy.txt", "--out", tmp_path / "made")
    assert (refused.exit_code, "redacted copy" in refused.stderr) == (2, True)


def test_the_report_of_a_part_says_what_its_counts_are_of_and_links_to_no_file_that_is_not_there(
    lake: Lake, tmp_path: Path
) -> None:
    made = release_of(lake, tmp_path / "made", "title = 'On Ropes'").path.resolve()
    site = Datasette([], immutables=[str(made / "paperledger.db")])
    report = asyncio.run(site.client.get("/-/report")).text
    assert "how many rows a rule checked, and how many failed, is of the release that it was made from" in report
    assert "report.html" not in report


def test_a_part_of_several_pages_refers_to_nothing_that_is_left_out(lake: Lake, tmp_path: Path) -> None:
    tables = tables_in(release_of(lake, tmp_path / "made", "title LIKE 'On Bells%'").path)
    assert [failure.message for failure in check_tables(tables)] == []
    assert set(tables["papers"]["title"]) == {"On Bells"}
    assert sorted(tables["profiles"]["source"]) == ["ann.txt", "eve.txt"]
    assert tables["variants"].height > 0


def test_a_release_of_a_lake_without_abstracts_is_the_redacted_copy_of_its_release(lake: Lake, tmp_path: Path) -> None:
    whole = release_of(lake, tmp_path / "whole")
    copy = release_of(lake, tmp_path / "copy", abstracts=False)
    assert run("redact", whole.path, "--no-abstracts", "-o", tmp_path / "redacted").exit_code == 0
    assert files_of(copy.path) == files_of(open_release(tmp_path / "redacted").path)
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["current", "releases"]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("no_such_column = 1", "no such column: no_such_column; expected one condition in SQL over the columns of paper_list"),
        ("", "expected one condition in SQL over the columns of paper_list"),
        ("paper_id NOT IN (SELECT paper_id FROM listings)", "access to listings.paper_id is prohibited; expected one"),
        ("paper_id IN (SELECT paper_id FROM papers WHERE abstract = '')", "access to papers.abstract is prohibited"),
        ("EXISTS (SELECT 1 FROM papers_fts WHERE papers_fts MATCH 'bells')", "access to papers_fts.papers_fts is prohibited"),
        ("title = 'Nothing'", "found no paper that meets the condition, expected one at least; give another --where"),
    ],
)  # fmt: skip
def test_a_condition_that_is_none_or_that_no_paper_meets_is_an_error_and_leaves_nothing(
    lake: Lake, tmp_path: Path, where: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        release_of(lake, tmp_path / "made", where)
    assert not (tmp_path / "made").exists()


def test_a_full_disk_where_papers_are_chosen_is_an_error_of_the_output_folder(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_rows(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(lake_release, "write_rows", write_rows)
    with pytest.raises(PublicationError, match=r"made: cannot be written \(database or disk is full, "):
        release_of(lake, tmp_path / "made", "title = 'On Ropes'")
    assert not (tmp_path / "made").exists()


def test_more_papers_than_sqlite_serves_well_are_refused_and_the_message_says_what_to_do(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_release, "SQLITE_PAPERS", 1)
    with pytest.raises(UsageError, match=r"found 3 papers, expected at most 1 in one SQLite file.* give --where"):
        release_of(lake, tmp_path / "made")
    assert release_of(lake, tmp_path / "made", "title = 'On Ropes'").path.is_dir()


def damage_manifest(out: Path) -> None:
    path = out / "lake.json"
    path.write_text(path.read_text().replace('"rows": 3', '"rows": 4'))


def damage_file(out: Path) -> None:
    (path,) = out.glob("lakes/*/papers/*.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def remove_file(out: Path) -> None:
    next(out.glob("lakes/*/authors/*.parquet")).unlink()


@pytest.mark.parametrize("damage", [damage_manifest, damage_file, remove_file])
def test_a_lake_that_is_not_as_published_is_an_error_of_one_line_and_makes_no_release(
    lake: Lake, tmp_path: Path, damage: object
) -> None:
    damage(lake.path)  # type: ignore[operator]
    result = run("export", "sqlite", "--from", lake.path, "--out", tmp_path / "made")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "build the lake again" in result.stderr
    assert not (tmp_path / "made").exists()


def loses_rows(folder: Path, schema: pa.Schema, files: Sequence[Path]) -> Sequence[Path]:
    written = write_files(folder, schema, files)
    if folder.name == "papers":
        pq.write_table(pq.read_table(written[0]).slice(1), written[0])
    return written


def fails(folder: Path, schema: pa.Schema, files: Sequence[Path]) -> Sequence[Path]:
    if folder.name == "papers":
        raise OSError(28, "No space left on device")
    return write_files(folder, schema, files)


@pytest.mark.parametrize("write", [loses_rows, fails])
def test_a_lake_that_is_not_written_as_it_was_checked_is_not_published(lake: Lake, pages: Path, write: object) -> None:
    before = files_of(lake.path)
    (pages / "cy.txt").unlink()
    with pytest.raises(PublicationError):
        build_lake(pages, lake.path, write)
    assert files_of(lake.path) == before


def test_equal_pages_give_the_lake_that_is_there_and_a_damaged_one_is_not_published_again(
    lake: Lake, pages: Path
) -> None:
    before = files_of(lake.path)
    assert build_lake(pages, lake.path, fails).manifest == lake.manifest
    assert files_of(lake.path) == before
    (path,) = lake.path.glob("lakes/*/papers/*.parquet")
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(PublicationError, match="found other rows than were checked; remove this folder"):
        build_lake(pages, lake.path)


def test_a_build_of_equal_pages_repairs_the_results_and_leaves_out_files_of_other_programs(
    lake: Lake, pages: Path, tmp_path: Path
) -> None:
    (folder,) = (lake.path / "lakes").iterdir()
    (folder / "papers/.DS_Store").touch()
    (folder / "papers/._part-00000.parquet").touch()
    (folder / "results.json").write_text("{}")
    assert build_lake(pages, lake.path).manifest == lake.manifest
    assert run("export", "sqlite", "--from", lake.path, "--out", tmp_path / "made").exit_code == 0


def test_what_a_killed_build_left_is_removed_and_the_last_two_lakes_are_kept(pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "lake"
    lakes = []
    for number in range(4):
        (pages / "cy.txt").write_text(CY.replace("On Ropes", f"On Ropes {number}"), encoding="utf-8")
        (out / "lakes/.build-left/papers").mkdir(parents=True)
        lakes.append(build_lake(pages, out).manifest["lake"])
    assert sorted(f"lakes/{path.name}" for path in (out / "lakes").iterdir()) == sorted(lakes[2:])
    assert open_lake(out).manifest["lake"] == lakes[3]
    assert open_lake(out / "lake.json").rows("papers") == 3


def test_what_is_no_lake_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a lake's manifest; give the output folder of a build with --engine"):
        open_lake(tmp_path)
    (tmp_path / "lake.json").write_text("[]")
    with pytest.raises(DamagedRelease, match="found another manifest than was published"):
        open_lake(tmp_path)
    (tmp_path / "lake.json").write_text("[" * 100_000)
    with pytest.raises(DamagedRelease, match="found no JSON"):
        open_lake(tmp_path)
    (tmp_path / "lake.json").write_text("{")
    with pytest.raises(DamagedRelease, match="found no JSON"):
        open_lake(tmp_path)


@pytest.mark.parametrize("command", ["verify", "serve"])
def test_commands_over_releases_say_how_to_make_one_of_a_lake(lake: Lake, command: str) -> None:
    result = run(command, lake.path)
    assert result.exit_code == 2
    assert f"{lake.path}: found a lake, expected a release; make one with " in result.stderr
    assert result.stderr.rstrip().endswith(f"export sqlite --from {lake.path}")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "sqlite"], "sqlite: no --from; give --from LAKE"),
        (["export", "sqlite", "--from", "lake", "-o", "x.db"], "sqlite: found -o; give --from LAKE"),
        (["export", "sqlite", "--from", "lake", "--author", "a"], "sqlite: found --author; give --from LAKE"),
        (["export", "bibtex", "--from", "lake"], "bibtex: found --from or --no-abstracts, which are for sqlite"),
        (["export", "ris", "--no-abstracts"], "ris: found --from or --no-abstracts, which are for sqlite"),
        (["build", "--master", "local[2]"], "expected only with --engine spark"),
        (["build", "--engine", "spark", "--master", "local", "--remote", "sc://x"], "give only one of the two"),
    ],
)
def test_options_that_do_not_fit_together_are_refused_with_the_way_out(words: list[str], message: str) -> None:
    result = run(*words)
    assert (result.exit_code, message in result.stderr, len(result.stderr.splitlines())) == (2, True, 1)


def test_without_pyspark_the_message_names_the_extra_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: Path
) -> None:
    for name in ("pyspark", "py4j", "py4j.protocol"):
        monkeypatch.setitem(sys.modules, name, None)
    result = run("build", pages, "--engine", "spark", "--out", tmp_path / "out")
    assert (result.exit_code, "install paperledger[spark]" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()
