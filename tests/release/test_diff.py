"""Two releases held against each other: what differs is told, and nothing else."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from etl.errors import UsageError
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.diff import compare, compare_rows
from etl.release.diff_records import Difference
from etl.release.diff_text import render_json, render_text

ROPES = """Ann Bell

CL
h-index2
2papers
9citations

2 Papers

CLMay 1, 2024
On Ropes

Cy Dole, Ann Bell

Ropes hold the bells that ring the hours of the day."""
TOWERS = """

CVJun 2, 2024
On Towers

Ann Bell, Eve Fox

Towers carry the bells. See https://example.org/towers for drawings of all."""
EVE = """Eve Fox

CVJun 2, 2024
On Towers

Ann Bell, Eve Fox

Towers carry the bells. See https://example.org/towers for drawings of all."""
Releases = Callable[..., Path]


@pytest.fixture
def release(tmp_path: Path) -> Releases:
    """Builds a release of pages given by file name."""

    def build_release(name: str, pages: dict[str, str]) -> Path:
        folder = tmp_path / f"pages of {name}"
        folder.mkdir()
        for source, text in pages.items():
            (folder / source).write_text(text, encoding="utf-8")
        return build(Request([str(folder)], tmp_path / name), Progress(Console(quiet=True))).release.path

    return build_release


def shown(difference: Difference) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(render_text(difference))
    return capture.get()


def severities(difference: Difference) -> set[str]:
    return {reason.severity for reason in difference.reasons}


def table(difference: Difference, name: str) -> dict[str, list[str]]:
    found = next(one for one in (*difference.tables, *difference.audit) if one.table == name)
    return {what: [row.key for row in getattr(found, what)] for what in ("removed", "added", "changed")}


def with_column(release: Path, table_name: str, column: pl.Series | None, without: str | None = None) -> None:
    """Rewrite a table's file with a column more, or one less, its metadata kept."""
    path = release / f"{table_name}.parquet"
    old = pq.read_table(path)
    metadata = old.schema.metadata
    new = old.drop_columns([without]) if without else old
    if column is not None:
        new = new.append_column(column.name, column.to_arrow())
    pq.write_table(new.replace_schema_metadata(metadata), path)


def test_equal_releases_do_not_differ(release: Releases) -> None:
    old = release("old", {"ann.txt": ROPES})
    difference = compare(old, old)
    assert difference.is_empty
    assert not difference.is_worse
    assert (difference.reasons, difference.pages, difference.rules) == ([], [], [])
    assert "No difference: every table has the same rows." in shown(difference)


def test_an_output_folder_stands_for_its_newest_release(release: Releases, tmp_path: Path) -> None:
    old = release("old", {"ann.txt": ROPES})
    assert compare(tmp_path / "old", old).is_empty


def test_several_pages_of_one_person_count_once_in_coverage(release: Releases) -> None:
    old = release("old", {"ann@2026-01-01.txt": ROPES + TOWERS})
    new = release("new", {"ann@2026-01-01.txt": ROPES + TOWERS, "ann@2026-02-01.txt": ROPES + TOWERS + "\n"})
    difference = compare(old, new)
    assert difference.new_coverage == difference.old_coverage
    assert (difference.new_coverage.pages, difference.new_coverage.stated_papers) == (1, 2)


def test_a_page_more_is_more_and_nothing_worse(release: Releases) -> None:
    old = release("old", {"ann.txt": ROPES + TOWERS})
    new = release("new", {"ann.txt": ROPES + TOWERS, "cy.txt": EVE.replace("Towers", "Chimes")})
    difference = compare(old, new)
    assert not difference.is_worse
    assert "more" in severities(difference)
    assert len(table(difference, "papers")["added"]) == 1
    assert table(difference, "papers")["removed"] == []
    assert "papers: 1 row added" in [reason.words for reason in difference.reasons]


def test_a_page_less_is_worse(release: Releases) -> None:
    old = release("old", {"ann.txt": ROPES, "eve.txt": EVE})
    new = release("new", {"ann.txt": ROPES})
    difference = compare(old, new)
    assert difference.is_worse
    assert "papers: 1 row of 2 removed" in [one.words for one in difference.reasons if one.severity == "worse"]
    assert difference.reasons[0].severity == "worse"


def test_changed_values_are_told_column_by_column(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": ROPES})
    new = release("new", {"ann@2026-07-01.txt": ROPES.replace("the hours", "the quarters")})
    papers = next(one for one in compare(old, new).tables if one.table == "papers")
    assert [[value.column for value in row.values] for row in papers.changed] == [["abstract"]]
    (row,) = papers.changed
    (value,) = row.values
    assert "the hours" in str(value.old)
    assert "the quarters" in str(value.new)
    assert row.label == "On Ropes"


def test_a_page_that_is_saved_again_loses_nothing(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": ROPES})
    new = release("new", {"ann@2026-07-01.txt": ROPES.replace("the hours", "the quarters")})
    difference = compare(old, new)
    assert not difference.is_worse
    assert [(page.name, page.source) for page in difference.pages] == [("Ann Bell", "ann@2026-07-01.txt")]
    assert "profiles: 1 row of pages that were saved again replaced" in [one.words for one in difference.reasons]
    assert "ann@2026-07-01.txt: saved again; lists 1 of 2 papers (50.0%)" in shown(difference)


def test_a_page_in_another_file_is_known_by_its_owner(release: Releases) -> None:
    old = release("old", {"ann.txt": ROPES})
    new = release("new", {"bell.txt": ROPES.replace("the hours", "the quarters")})
    assert [page.source for page in compare(old, new).pages] == ["bell.txt"]


def test_lost_coverage_is_worse(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": ROPES + TOWERS, "eve.txt": EVE})
    new = release("new", {"ann@2026-07-01.txt": ROPES, "eve.txt": EVE})
    difference = compare(old, new)
    words = "coverage: ann@2026-07-01.txt lists 1 of 2 papers (50.0%); before 2 of 2 papers (100.0%)"
    assert words in [one.words for one in difference.reasons if one.severity == "worse"]
    assert (difference.old_coverage.listed_papers, difference.new_coverage.listed_papers) == (2, 1)


def test_a_rule_that_is_newly_broken_is_worse(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": ROPES + TOWERS})
    new = release("new", {"ann@2026-07-01.txt": (ROPES + TOWERS).replace("h-index2", "h-index87")})
    difference = compare(old, new)
    counts = {rule.rule_id: (rule.old, rule.new) for rule in difference.rules}
    assert counts["PRO-001"] == (0, 1)
    assert difference.is_worse
    assert "PRO-001 0 → 1" in shown(difference)


def test_a_rule_that_is_broken_no_more_is_not_worse(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": (ROPES + TOWERS).replace("h-index2", "h-index87")})
    new = release("new", {"ann@2026-07-01.txt": ROPES + TOWERS})
    difference = compare(old, new)
    assert "PRO-001" in {rule.rule_id for rule in difference.rules}
    assert not difference.is_worse


def test_lines_in_quarantine_are_worse(release: Releases) -> None:
    old = release("old", {"ann@2026-06-01.txt": ROPES + TOWERS})
    new = release("new", {"ann@2026-07-01.txt": ROPES + TOWERS + "\n\nAdvertisement"})
    words = [one.words for one in compare(old, new).reasons if one.severity == "worse"]
    assert "quarantine: 1 row added" in words


def test_audit_tables_are_grouped_apart(release: Releases) -> None:
    old = release("old", {"ann.txt": ROPES + TOWERS})
    new = release("new", {"ann.txt": ROPES})
    difference = compare(old, new)
    assert {one.table for one in difference.audit} == {"findings", "rules"}
    assert not {"findings", "rules"} & {one.table for one in difference.tables}


def test_columns_and_tables_that_one_release_lacks_are_told(release: Releases, tmp_path: Path) -> None:
    old = release("old", {"ann.txt": ROPES})
    new = tmp_path / "copy"
    shutil.copytree(old, new)
    with_column(new, "papers", pl.Series("doi", ["10.1/x"]), without="citekey")
    manifest = json.loads((new / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["links.parquet"]
    (new / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    difference = compare(old, new)
    assert {(one.kind, one.table, one.column) for one in difference.schema} == {
        ("column_added", "papers", "doi"),
        ("column_removed", "papers", "citekey"),
        ("table_removed", "links", None),
    }
    assert severities(difference) == {"schema"}
    assert not difference.is_empty
    assert "papers.doi: the column is new" in shown(difference)


def test_a_column_of_another_type_is_told_and_its_values_are_left(release: Releases, tmp_path: Path) -> None:
    old = release("old", {"ann.txt": ROPES})
    new = tmp_path / "copy"
    shutil.copytree(old, new)
    with_column(new, "papers", pl.Series("has_code", ["no"]), without="has_code")
    difference = compare(old, new)
    assert [(one.kind, one.column, one.old) for one in difference.schema] == [("type_changed", "has_code", "bool")]
    assert difference.tables == []


def test_rows_are_not_held_against_each_other_where_the_key_is_another(release: Releases, tmp_path: Path) -> None:
    old = release("old", {"ann.txt": ROPES})
    new = tmp_path / "copy"
    shutil.copytree(old, new)
    path = new / "papers.parquet"
    papers = pq.read_table(path)
    pq.write_table(papers.replace_schema_metadata(papers.schema.metadata | {b"primary_key": b'["citekey"]'}), path)
    (change,) = compare(old, new).schema
    assert (change.kind, change.old, change.new) == ("primary_key_changed", "paper_id", "citekey")


def test_json_is_complete_and_the_same_every_time(release: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    old = release("old", {"ann.txt": ROPES, "eve.txt": EVE})
    new = release("new", {"ann.txt": ROPES + TOWERS})
    text = "".join(render_json(compare(old, new)))
    assert text == "".join(render_json(compare(old, new)))
    monkeypatch.setattr("etl.release.diff_text._JSON_ROWS", 1)
    assert text == "".join(render_json(compare(old, new)))
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    found = json.loads(text)
    assert found["format"] == 1
    assert [one.keys() for one in found["reasons"][:1]] == [{"tier", "words"}]
    assert [one["table"] for one in found["tables"]] == sorted(one["table"] for one in found["tables"])
    assert {one["table"] for one in found["audit"]} == {"findings", "rules"}


def test_long_lists_are_cut_in_the_text_and_whole_in_json(release: Releases) -> None:
    blocks = [f"\n\nCLMay {day}, 2024\nOn Rope {day}\n\nAnn Bell\n\nRope {day} holds a bell." for day in range(1, 16)]
    old = release("old", {"ann.txt": ROPES})
    new = release("new", {"ann.txt": ROPES + "".join(blocks)})
    difference = compare(old, new)
    assert "and 5 more" in shown(difference)
    assert len(table(difference, "papers")["added"]) == 15


def test_no_terminal_obeys_what_a_page_says(release: Releases) -> None:
    hostile = "On \x1b[31m[/foo] \u202eRopes"
    old = release("old", {"ann.txt": ROPES})
    new = release("new", {"ann.txt": ROPES.replace("On Ropes", hostile)})
    text = shown(compare(old, new))
    assert "On \\x1b[31m[/foo] U+202ERopes" in text
    assert "\x1b[31m" not in text


def test_what_is_no_release_is_said_in_one_line(release: Releases, tmp_path: Path) -> None:
    old = release("old", {"ann.txt": ROPES})
    with pytest.raises(UsageError, match="missing: no release here, expected the folder of one"):
        compare(old, tmp_path / "missing")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match=r"manifest\.json: not the manifest of a release"):
        compare(tmp_path / "broken", old)


@pytest.mark.parametrize("data", [b"", b"no Parquet", None])
def test_a_damaged_table_is_said_in_one_line(release: Releases, tmp_path: Path, data: bytes | None) -> None:
    old = release("old", {"ann.txt": ROPES})
    new = tmp_path / "copy"
    shutil.copytree(old, new)
    (new / "papers.parquet").unlink()
    if data is not None:
        (new / "papers.parquet").write_bytes(data)
    with pytest.raises(UsageError, match=r"papers\.parquet: not a table of a release") as error:
        compare(old, new)
    assert "\n" not in str(error.value)


def large(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two versions of a table: one row in a hundred is removed, added, changed."""
    frame = pl.select(pl.int_range(rows).alias("number")).select(
        pl.format("paper{}", "number").alias("paper_id"),
        pl.format("On Bell {}", "number").alias("title"),
        pl.format("Bell {} rings, and rings again.", "number").alias("abstract"),
    )
    changed = pl.when(pl.int_range(pl.len()) % 100 == 1).then(pl.lit("On Ropes")).otherwise("title").alias("title")
    return frame.head(rows - rows // 100), frame.tail(rows - rows // 100).with_columns(changed)


@pytest.mark.parametrize("rows", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_large_tables_are_compared_in_seconds(rows: int) -> None:
    old, new = (frame.sort("paper_id").iter_slices(1_000) for frame in large(rows))
    start = time.process_time()
    found = compare_rows("papers", old, new, ["paper_id"])
    seconds = time.process_time() - start
    assert (len(found.removed), len(found.added)) == (rows // 100, rows // 100)
    assert len(found.changed) == (rows - 2 * (rows // 100)) // 100
    assert seconds < 5
