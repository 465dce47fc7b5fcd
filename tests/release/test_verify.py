"""Every kind of damage to a release is found, told with its file, and nothing is written while it is looked for."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from etl.load.manifest import file_facts, render_manifest, sealed
from etl.load.parquet import write_parquet
from etl.load.publish import publish
from etl.release.verify import verify
from schemas import TABLES, Frames, PaperList

DATABASE = "paperledger.db"
MANIFEST = "manifest.json"
DOCUMENTS = {"results.json": "{}\n", "report.html": "<p>Bells</p>\n"}
FILES = [
    DATABASE,
    MANIFEST,
    "croissant.json",
    "datapackage.json",
    "datasette-metadata.json",
    "paper_list.parquet",
    *DOCUMENTS,
    *(f"{name}.parquet" for name in TABLES),
]


@pytest.fixture(scope="module")
def sound(tables: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("verify"), tables, {"overrides": None}, lambda _: DOCUMENTS)


@pytest.fixture
def copied(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / sound.name))


def reseal(release: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Make the manifest true of the files as they are now, as a forger would, with a further change."""
    manifest = json.loads((release / MANIFEST).read_bytes())
    for name, facts in manifest["files"].items():
        if (release / name).exists():
            facts.update(file_facts(release / name))
    change(manifest)
    (release / MANIFEST).write_text(render_manifest(sealed(manifest)), encoding="utf-8")


def run_sql(release: Path, *statements: str) -> None:
    with closing(sqlite3.connect(release / DATABASE)) as database, database:
        for statement in statements:
            database.execute(statement)


def rewrite(release: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change the rows of a Parquet file, with a manifest that is true of it but for the rows' hash."""
    path = release / f"{name}.parquet"
    frame = change(pl.read_parquet(path))
    write_parquet(path, TABLES.get(name, PaperList), frame)
    reseal(release, lambda manifest: manifest["files"][path.name].update(rows=frame.height))


def test_a_sound_release_has_no_problem_and_is_not_written_to(sound: Path) -> None:
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sound.iterdir()}
    times = sound.stat().st_mtime_ns
    assert verify(sound) == []
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sound.iterdir()} == before
    assert sound.stat().st_mtime_ns == times


def test_a_release_is_whole_under_any_name_but_that_of_another_release(copied: Path) -> None:
    assert verify(copied.rename(copied.with_name("downloaded"))) == []
    other = copied.with_name("downloaded").rename(copied.with_name("0123456789abcdef"))
    assert [problem.partition(":")[0] for problem in verify(other)] == [MANIFEST]


def test_a_release_without_rows_is_whole(tables: Frames, tmp_path: Path) -> None:
    empty = {name: frame.clear() for name, frame in tables.items()}
    assert verify(publish(tmp_path, empty, {"overrides": None})) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0], ids=["first", "middle", "last"])
def test_a_flipped_byte_is_found_in_every_file(copied: Path, name: str, place: float) -> None:
    data = bytearray((copied / name).read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    (copied / name).write_bytes(data)
    (problem,) = verify(copied)
    assert problem.startswith(f"{name}: found ")
    assert ", expected " in problem


def test_a_flipped_byte_is_found_wherever_it_is_in_the_manifest(copied: Path) -> None:
    data = (copied / MANIFEST).read_bytes()
    for place in range(0, len(data), 7):
        (copied / MANIFEST).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert verify(copied), f"byte {place}"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(copied: Path, name: str) -> None:
    (copied / name).unlink()
    (problem,) = verify(copied)
    assert problem.startswith(f"{name}: found no ")


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_found(copied: Path, name: str) -> None:
    data = (copied / name).read_bytes()
    (copied / name).write_bytes(data[: len(data) // 2])
    assert [problem.partition(":")[0] for problem in verify(copied)] == [name]


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "more.parquet", "paperledger.db-wal"])
def test_an_extra_file_is_found(copied: Path, name: str) -> None:
    (copied / name).touch()
    assert verify(copied) == [f"{name}: found a file that the manifest does not name, expected none"]


def test_a_link_in_a_files_place_is_found(copied: Path, tmp_path: Path) -> None:
    (copied / "papers.parquet").rename(tmp_path / "elsewhere")
    (copied / "papers.parquet").symlink_to(tmp_path / "elsewhere")
    assert verify(copied) == ["papers.parquet: found a link or a folder, expected a file"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"text"', "{}", '{"paperledger": 1, "logical_hash": "a", "files": {}}', "\ufeff{}"],
    ids=["empty", "half", "list", "string", "no-entries", "type", "bom"],
)
def test_a_manifest_that_is_none_is_told(copied: Path, text: str) -> None:
    (copied / MANIFEST).write_text(text, encoding="utf-8")
    (problem,) = verify(copied)
    assert problem.startswith("manifest.json: found what is not the manifest of a release (")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda m: m.update(overrides={"source": "x"}), "*.parquet: found rows", id="provenance"),
        pytest.param(lambda m: m.update(skipped=[]), "*.parquet: found rows and schema", id="more"),
        pytest.param(lambda m: m.update(logical_hash="0" * 64), "manifest.json: found the logical hash 0", id="hash"),
        pytest.param(lambda m: m.update(logical_hash="x"), "manifest.json: found the logical hash 'x'", id="no-hash"),
        pytest.param(
            lambda m: m.update(logical_hash=m["logical_hash"][:16] + "0" * 48), "*.parquet: found rows", id="hash-end"
        ),
        pytest.param(
            lambda m: m["files"]["papers.parquet"].update(rows=7), "papers.parquet: found 2 rows, expected 7", id="rows"
        ),
        pytest.param(
            lambda m: m["files"]["papers.parquet"].pop("rows"), "papers.parquet: found 2 rows, expected None", id="none"
        ),
        pytest.param(lambda m: m["files"].pop("papers.parquet"), "papers.parquet: found a file that", id="unnamed"),
        pytest.param(
            lambda m: m["files"].update({"../x": {"sha256": "", "bytes": 1}}), "../x: found no such file", id="outside"
        ),
    ],
)
def test_a_changed_manifest_is_found_even_where_it_hashes_itself(
    copied: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    reseal(copied, change)
    problems = verify(copied)
    assert len(problems) == 1
    assert problems[0].startswith(told)


def test_a_change_that_does_not_hash_itself_is_told_as_such(copied: Path) -> None:
    text = (copied / MANIFEST).read_text(encoding="utf-8")
    (copied / MANIFEST).write_text(text.replace('"paperledger": "', '"paperledger": "9'), encoding="utf-8")
    (problem,) = verify(copied)
    assert problem.startswith("manifest.json: found other text than it was published with")


@pytest.mark.parametrize("name", ["paperledger.db", "papers.parquet", "paper_list.parquet"])
def test_a_file_that_the_manifest_forgets_is_missed(copied: Path, name: str) -> None:
    (copied / name).unlink()
    reseal(copied, lambda manifest: manifest["files"].pop(name))
    assert verify(copied)[0].startswith(f"{name}: found no such file, expected ")


def test_a_parquet_file_without_a_table_is_found(copied: Path) -> None:
    shutil.copyfile(copied / "papers.parquet", copied / "drafts.parquet")
    reseal(copied, lambda m: m["files"].update({"drafts.parquet": file_facts(copied / "drafts.parquet") | {"rows": 2}}))
    assert verify(copied) == ["drafts.parquet: found a file without a table in paperledger.db, expected none"]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        pytest.param(
            "UPDATE authors SET family = 'Bull' WHERE author_id = 'ann-bell'", "authors.parquet: row 1", id="text"
        ),
        pytest.param("UPDATE papers SET has_code = 0", "papers.parquet: row 1: has_code: found 1", id="boolean"),
        pytest.param("UPDATE papers SET published = NULL", "papers.parquet: row 1: published: found", id="null"),
        pytest.param("UPDATE papers SET published = '2026-04-03'", "papers.parquet: row 1: published", id="date"),
        pytest.param("DELETE FROM links", "links.parquet: found a row 1, expected none", id="deleted"),
        pytest.param(
            "INSERT INTO institutions VALUES ('zz', 'Z')", "institutions.parquet: found no row 3, expected", id="added"
        ),
    ],
)
def test_a_row_changed_in_sqlite_is_found_though_the_manifest_has_its_hash(
    copied: Path, statement: str, told: str
) -> None:
    run_sql(copied, statement)
    reseal(copied)
    (problem,) = verify(copied)
    assert problem.startswith(told)
    assert problem.endswith("as in SQLite")


def test_a_row_that_leads_nowhere_is_found(copied: Path) -> None:
    run_sql(copied, "DELETE FROM institutions WHERE name = 'mila'")
    reseal(copied)
    problems = verify(copied)
    assert problems[0].startswith("paperledger.db: paper_institutions: found row ")
    assert "without its row in institutions" in problems[0]


def test_a_search_index_that_misses_a_paper_is_found(copied: Path) -> None:
    run_sql(copied, "INSERT INTO papers_fts(papers_fts) VALUES ('delete-all')")
    reseal(copied)
    (problem,) = verify(copied)
    assert problem.startswith("paperledger.db: papers_fts: found ")


def test_a_search_of_authors_that_holds_other_words_is_found(copied: Path) -> None:
    run_sql(copied, "UPDATE authors_fts SET names = 'Zoe Moss' WHERE author_id = 'ann-bell'")
    reseal(copied)
    (problem,) = verify(copied)
    assert problem == "paperledger.db: authors_fts: found other words, expected the words of authors"


def test_a_database_of_another_version_than_the_manifest_is_found(copied: Path) -> None:
    run_sql(copied, "PRAGMA user_version = 7")
    reseal(copied)
    (problem,) = verify(copied)
    assert problem == "paperledger.db: found schema version 7, expected 2 as in the manifest"


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE papers_fts", "DROP VIEW coverage", "ALTER TABLE papers RENAME COLUMN title TO heading"],
)
def test_a_changed_schema_is_found(copied: Path, statement: str) -> None:
    run_sql(copied, statement)
    reseal(copied)
    assert verify(copied) != []


@pytest.mark.parametrize("place", range(20))
def test_a_damaged_database_is_told_without_a_crash(copied: Path, place: int) -> None:
    data = bytearray((copied / DATABASE).read_bytes())
    start = place * len(data) // 20
    data[start : start + 4096] = bytes(4096)
    (copied / DATABASE).write_bytes(data)
    reseal(copied)
    problems = verify(copied)
    assert problems
    assert all(": found " in problem or ": row " in problem for problem in problems)
    assert all(", expected " in problem and "\n" not in problem for problem in problems)


def test_a_file_that_is_no_database_is_told(copied: Path) -> None:
    (copied / DATABASE).write_bytes(b"no database" * 1000)
    reseal(copied)
    assert verify(copied)[0].startswith("paperledger.db: found what cannot be read (file is not a database)")


def test_a_file_that_is_no_parquet_is_told(copied: Path) -> None:
    (copied / "papers.parquet").write_bytes(b"no parquet")
    reseal(copied)
    assert verify(copied)[0].startswith("papers.parquet: found no Parquet file (")


def test_rows_changed_in_both_are_found_by_the_logical_hash(copied: Path) -> None:
    run_sql(copied, "UPDATE links SET host = 'y.org' WHERE host = 'x.org'")
    rewrite(copied, "links", lambda rows: rows.with_columns(pl.col("host").replace("x.org", "y.org")))
    (problem,) = verify(copied)
    assert problem.startswith("*.parquet: found rows and schema of the logical hash ")


def test_rows_in_another_order_are_found(copied: Path) -> None:
    rewrite(copied, "papers", lambda rows: rows.reverse())
    told = [problem for problem in verify(copied) if problem.startswith("papers.parquet")]
    assert told[0].startswith("papers.parquet: row 1: paper_id: found ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(lambda rows: rows.with_columns(title=pl.lit("On Forgery")), "another row 1 (", id="value"),
        pytest.param(lambda rows: rows.head(1), "1 papers where there are 2", id="missing"),
    ],
)
def test_a_list_of_papers_that_says_something_else_is_found(
    copied: Path, change: Callable[[pl.DataFrame], pl.DataFrame], told: str
) -> None:
    rewrite(copied, "paper_list", change)
    (problem,) = verify(copied)
    assert problem.startswith(f"paper_list.parquet: found {told}")


def test_rows_are_compared_in_batches_of_any_size(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.release.verify.BATCH", 1)
    monkeypatch.setattr("etl.release.verify.PAPERS", 1)
    assert verify(copied) == []
    run_sql(copied, "UPDATE rules SET title = 'x' WHERE rule_id = (SELECT max(rule_id) FROM rules)")
    reseal(copied)
    (problem,) = verify(copied)
    rules = pl.read_parquet(copied / "rules.parquet").height
    assert problem.startswith(f"rules.parquet: row {rules}: title: found ")


def test_a_list_of_papers_is_checked_in_ranges_of_any_size(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.release.verify.PAPERS", 1)
    last = pl.col("paper_id") == pl.col("paper_id").max()
    rewrite(
        copied, "paper_list", lambda rows: rows.with_columns(title=pl.when(last).then(pl.lit("x")).otherwise("title"))
    )
    (problem,) = verify(copied)
    assert problem.startswith("paper_list.parquet: found another row 2 (")
