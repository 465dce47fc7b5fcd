"""Packing pages into shards: the same dataset, equal bytes, all shards or none, and few pages in memory."""

import io
import json
import tarfile
from collections.abc import Iterator
from datetime import date
from itertools import chain, groupby
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console
from two_pages import ANN, EVE

from etl import packing
from etl.api import build
from etl.cli import main
from etl.errors import BadData, UsageError
from etl.extract import archives
from etl.extract.archives import batches, read_parts
from etl.extract.page import Page
from etl.extract.reading import PageFile
from etl.extract.sources import find_pages
from etl.packing import Packed
from etl.progress import Progress


def pack(folder: Path, out: Path, *, allow_unreadable: bool = False) -> Packed:
    return packing.pack([str(folder)], out, Progress(Console(quiet=True)), allow_unreadable=allow_unreadable)


def page(number: int) -> str:
    return ANN.replace("On Bells", f"On Bells of Tower {number:05}")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Pages of all kinds: with dates in names and folders, invalid ones too, line breaks, a BOM, compressed, in archives and shards."""
    folder = tmp_path / "pages-2026-07-02"
    files = {
        "ann@2026-06-01.txt": ANN.encode(),
        "eve.txt": EVE.replace("\n", "\r\n").encode(),
        "bom.txt": b"\xef\xbb\xbf" + page(1).encode(),
        "old-2020-01-02/cy.txt": page(2).encode(),
        "old/cy@1.6.2026.txt": page(3).encode(),
        "again/ann.txt": ANN.encode(),
        "shard.jsonl": json.dumps({"source": "a/one.txt", "text": page(4), "observed_on": "2021-02-03"}).encode(),
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with tarfile.open(folder / "more-2022-03-04.tar.gz", "w:gz") as archive:
        for number in (5, 6):
            member = tarfile.TarInfo(f"far/{number}.txt")
            member.size = len(page(number).encode())
            archive.addfile(member, io.BytesIO(page(number).encode()))
    return folder


def test_the_dataset_of_shards_is_that_of_the_files(pages: Path, tmp_path: Path) -> None:
    assert pack(pages, tmp_path / "shards").pages == 9
    files, shards = build(pages, tmp_path / "one"), build(tmp_path / "shards", tmp_path / "two")
    assert files.path.name == shards.path.name
    assert {file.name: file.read_bytes() for file in files.path.iterdir()} == {
        file.name: file.read_bytes() for file in shards.path.iterdir()
    }


def test_a_row_has_source_text_and_the_day_of_saving(pages: Path, tmp_path: Path) -> None:
    pack(pages, tmp_path / "shards")
    rows = pq.read_table(tmp_path / "shards").to_pylist()
    days = {row["source"]: row["observed_on"] for row in rows}
    assert [row["source"] for row in rows] == list(days)
    assert days["ann@2026-06-01.txt"] == date(2026, 6, 1)
    assert days["eve.txt"] == date(2026, 7, 2)
    assert days["old-2020-01-02/cy.txt"] == date(2020, 1, 2)
    assert days["more-2022-03-04.tar.gz/far/5.txt"] == date(2022, 3, 4)
    assert next(row["text"] for row in rows if row["source"] == "bom.txt") == "\ufeff" + page(1)


def test_equal_pages_give_equal_bytes_in_shards_of_a_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARD_BYTES", 20_000)
    (tmp_path / "pages").mkdir()
    for number in range(100):
        (tmp_path / f"pages/{number:03}.txt").write_text(page(number), encoding="utf-8")
    (tmp_path / "pages/050.txt").write_text(page(50) + " They ring." * 2_000, encoding="utf-8")
    one, two = (pack(tmp_path / "pages", tmp_path / name) for name in ("one", "two"))
    assert (one.pages, one.shards, one.shard_bytes) == (100, len(list((tmp_path / "one").iterdir())), two.shard_bytes)
    shards = sorted((tmp_path / "one").iterdir())
    assert [shard.read_bytes() for shard in shards] == [(tmp_path / "two" / one.name).read_bytes() for one in shards]
    sizes = [sum(len(text.as_py()) for text in pq.read_table(shard)["text"]) for shard in shards]
    assert sorted(size for size in sizes if size > 20_000) == [max(sizes)]
    assert build(tmp_path / "one", tmp_path / "a").path.name == build(tmp_path / "pages", tmp_path / "b").path.name


def test_pages_are_written_before_the_next_ones_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "GROUP_BYTES", 10_000)
    steps: list[str] = []

    def pages() -> Iterator[Page]:
        for number in range(200):
            steps.append("read")
            yield Page(f"{number}.txt", None, "", 2_000, "Ann Bell")

    written = packing._write(packing._placed(pages()), tmp_path)  # noqa: SLF001
    steps.extend("written" for _ in written)
    assert max(len(list(run)) for _, run in groupby(steps)) < 8
    assert steps.count("read") == steps.count("written") == 200


def test_the_largest_page_that_is_read_is_packed_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    large = ANN + "\n" + "They ring at noon.\n" * 199_000  # of three MiB, and decompressed from a hundredth
    (tmp_path / "pages/ann.txt").write_text(large, encoding="utf-8")
    (tmp_path / "pages/eve.txt").write_text(EVE, encoding="utf-8")
    pack(tmp_path / "pages", tmp_path / "shards")
    found = list(chain.from_iterable(map(read_parts, batches(find_pages([str(tmp_path / "shards")])))))
    assert [one.data for one in found if isinstance(one, PageFile)] == [large.encode(), EVE.encode()]


def test_a_page_larger_than_a_shard_is_alone_and_not_taken_for_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "SHARD_BYTES", 1 << 20)
    monkeypatch.setattr(archives, "COMPRESSED_ARCHIVE", 2 << 20)
    (tmp_path / "ann.txt").write_text(ANN + "They ring at noon.\n" * 199_000, encoding="utf-8")
    (tmp_path / "eve.txt").write_text(EVE, encoding="utf-8")
    assert pack(tmp_path, tmp_path / "shards").shards == 2
    found = list(chain.from_iterable(map(read_parts, batches(find_pages([str(tmp_path / "shards")])))))
    assert [type(one) for one in found] == [PageFile, PageFile]


def test_pages_that_cannot_be_read_are_errors_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, data in {"ann.txt": ANN.encode(), "bad.txt": b"Ann\xff", "empty.txt": b""}.items():
        (folder / name).write_bytes(data)
    with pytest.raises(BadData) as caught:
        pack(folder, tmp_path / "out")
    assert [line.partition(",")[0] for line in caught.value.lines] == ["bad.txt: line 1", "empty.txt: empty file"]
    assert list(tmp_path.iterdir()) == [folder]
    packed = pack(folder, tmp_path / "out", allow_unreadable=True)
    assert (packed.pages, packed.left_out) == (1, list(caught.value.lines))


def test_without_a_page_that_can_be_read_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    with pytest.raises(BadData, match="none of the files could be read"):
        pack(tmp_path, tmp_path / "out", allow_unreadable=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["file", "folder", "link"])
def test_a_folder_that_exists_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(UsageError, match=f"{name}: found a file or folder, expected a new folder"):
        pack(tmp_path / "ann.txt", tmp_path / name)


def test_a_folder_with_a_date_is_refused_since_it_would_be_the_day_of_pages_without_one(tmp_path: Path) -> None:
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    with pytest.raises(UsageError, match="found a date in the folder's name"):
        pack(tmp_path / "ann.txt", tmp_path / "shards-2026-07-02")


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    with pytest.raises(UsageError, match=r"ann\.txt/out: cannot be written"):
        pack(tmp_path / "ann.txt", tmp_path / "ann.txt" / "out")


def test_an_interrupt_leaves_nothing(pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(found: list[PageFile]) -> Iterator[list[PageFile]]:
        yield found
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, "batches", written)
    with pytest.raises(KeyboardInterrupt):
        pack(pages, tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == [pages]


def test_the_command_says_what_it_packed_and_what_it_left_out(tmp_path: Path) -> None:
    (tmp_path / "ann.txt").write_text(ANN, encoding="utf-8")
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    out = tmp_path / "deep" / "shards"
    failed = CliRunner().invoke(main, ["pack", str(tmp_path), "-o", str(out)])
    assert (failed.exit_code, failed.stdout, out.exists()) == (1, "", False)
    assert failed.stderr.startswith("paperledger: bad.txt: line 1, byte 0: found 0xff, expected UTF-8 text")
    done = CliRunner().invoke(main, ["pack", str(tmp_path), "-o", str(out), "--allow-unreadable"])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{out}: 1 page in 1 shard, ")
    assert done.stderr.startswith("paperledger: left out bad.txt: line 1")
