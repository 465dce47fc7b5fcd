"""Pages in archives and shards: found, named and dated as in folders; damage, bombs and what is no page are errors."""

import gzip
import io
import os
import re
import tarfile
import tracemalloc
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from archive_files import END, found, jsonl, member, packed, pages_in, parquet, problems, tar
from click.testing import CliRunner
from helpers import cpu_limit
from page_files import DATA, TEXT, sources, write, zst

from etl.cli import main
from etl.errors import PageError, UsageError
from etl.extract import archives
from etl.extract.archives import ShardPart, batches, read_parts
from etl.extract.reading import PageFile, read_page
from etl.extract.sources import ARCHIVE_ENDINGS, find_others, find_pages
from schemas.limits import BATCH_BYTES, BATCH_PAGES, COMPRESSED_TIMES, LONGEST_PAGE, SOURCE_LETTERS

KINDS = [f"pages{ending}" for ending in ARCHIVE_ENDINGS]
TARS = [name for name in KINDS if "tar" in name or "tgz" in name]
SHARDS = [name for name in KINDS if name not in TARS]
PAGE = "Ann Bell {0}\n\n1 Papers\n\nCLMay 1, 2024\nOn Rope {0}\n\nCy Dole {0}, Ann Bell {0}\n\nRopes hold the bells of tower {0}.\n"
ROW = {"source": "ann.txt", "text": TEXT}


def invented(number: int) -> dict[str, bytes]:
    """Pages by their names."""
    return {f"tower/{page:03}@2026-06-01.txt": PAGE.format(page).encode() for page in range(number)}


@pytest.mark.parametrize("name", KINDS)
def test_pages_of_archives_and_shards_are_those_of_a_folder(tmp_path: Path, name: str) -> None:
    files = invented(30)
    for source, data in files.items():
        write(tmp_path / "folder" / source, data)
    prefix = f"{name}/" if name in TARS else ""
    pages = [read_page(file) for file in pages_in(tmp_path / name, packed(name, files))]
    expected = [read_page(file) for file in find_pages([str(tmp_path / "folder")])]
    assert [(page.source.removeprefix(prefix), page.observed_on, page.text) for page in pages] == [
        (page.source, page.observed_on, page.text) for page in expected
    ]


def build(out: Path, *pages: Path) -> str:
    """The release that the command builds of these pages, by its id."""
    run = CliRunner().invoke(main, ["build", "--out", str(out), "--workers", "2", *map(str, pages)])
    assert run.exit_code == 0, run.output
    return (out / "current").readlink().name


def test_neither_packing_nor_order_of_rows_members_and_arguments_changes_a_release(tmp_path: Path) -> None:
    files = invented(20)
    shuffled = dict(reversed(files.items()))
    for source, data in files.items():
        write(tmp_path / "pages" / source, data)
    halves = [dict(list(shuffled.items())[half::2]) for half in (0, 1)]
    shards = [
        write(tmp_path / name, packed(name, half))
        for name, half in zip(("a.jsonl.gz", "b.parquet"), halves, strict=True)
    ]
    releases = {
        build(tmp_path / "out1", tmp_path / "pages"),
        build(tmp_path / "out2", *shards),
        build(tmp_path / "out3", *shards[::-1]),
    }
    assert len(releases) == 1
    orders = [
        build(tmp_path / f"tar{at}", write(tmp_path / str(at) / "p.tar.zst", zst(tar(one))))
        for at, one in enumerate((files, shuffled))
    ]
    assert len(set(orders)) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_different_pages_of_one_name_are_refused(tmp_path: Path, workers: str) -> None:
    rows = [{"source": "ann.txt", "text": PAGE.format(number)} for number in (1, 2, 2)]
    shards = [write(tmp_path / f"{number}.jsonl", jsonl([row])) for number, row in enumerate(rows)]
    run = CliRunner().invoke(main, ["check", "--workers", workers, *map(str, shards)])
    assert run.exit_code == 1
    assert "ann.txt: found different pages of this name, expected a name for each; put" in run.stderr
    assert CliRunner().invoke(main, ["check", *map(str, shards[1:])]).exit_code == 0


def test_members_are_pages_as_files_of_a_folder_are(tmp_path: Path) -> None:
    names = ("./a.txt", "sub//b.TEXT", ".hidden.txt", "._a.txt", ".git/c.txt", "d.md", "e.txt~", "folder.txt/f.txt")
    data = member("folder.txt", kind=tarfile.DIRTYPE) + tar(dict.fromkeys(names, DATA))
    assert [file.source for file in pages_in(tmp_path / "p.tar", data)] == [
        "p.tar/a.txt",
        "p.tar/sub/b.TEXT",
        "p.tar/folder.txt/f.txt",
    ]


def test_compressed_members_are_decompressed(tmp_path: Path) -> None:
    data = tar(
        {"a.txt.gz": gzip.compress(DATA), "b.txt.zst": zst(DATA), "c.txt.gz": DATA, "d.txt.zst": zst(bytes(1 << 20))}
    )
    a, b, c, d = found(write(tmp_path / "p.tar", data))
    assert [read_page(file).text for file in (a, b) if isinstance(file, PageFile)] == [TEXT, TEXT]
    assert str(c).startswith("p.tar/c.txt.gz: cannot be read (")
    assert "unpack to more than 131,072" in str(d)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_of_members_are_read(tmp_path: Path, form: int) -> None:
    stream, name = io.BytesIO(), f"{'long/' * 60}李伟@2026-06-01.txt"
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(DATA), 0.5
        archive.addfile(info, io.BytesIO(DATA))
    (file,) = pages_in(tmp_path / "p.tar", stream.getvalue())
    assert (file.source, read_page(file).observed_on) == (f"p.tar/{name}", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("archive", "name", "day"),
    [
        ("pages-2026-07-04/p-2026-07-03.tar", "b-2026-07-02/ann@2026-07-01.txt", date(2026, 7, 1)),
        ("pages-2026-07-04/p-2026-07-03.tar", "b-2026-07-02/ann.txt", date(2026, 7, 2)),
        ("pages-2026-07-04/p-2026-07-03.tar", "b-2026-07-02/sub/ann.txt", date(2026, 7, 3)),
        ("pages-2026-07-04/p-2026-07-03.tar.gz", "ann.txt", date(2026, 7, 3)),
        ("pages-2026-07-04/p.tar.zst", "ann.txt", date(2026, 7, 4)),
        ("pages/p.tar", "ann.txt", None),
        ("pages-2026-07-04/p-2026-07-03.jsonl", "ann@2026-07-01.txt", date(2026, 7, 1)),
        ("pages-2026-07-04/p-2026-07-03.parquet", "ann.txt", date(2026, 7, 3)),
    ],
)
def test_the_nearest_name_with_a_day_dates_a_page(tmp_path: Path, archive: str, name: str, day: date | None) -> None:
    (file,) = pages_in(tmp_path / archive, packed(Path(archive).name, {name: DATA}))
    assert read_page(file).observed_on == day
    assert read_page(file, date(2027, 1, 2)).observed_on == date(2027, 1, 2)


@pytest.mark.parametrize("day", ["2026-06-01", date(2026, 6, 1), datetime(2026, 6, 1)])
def test_the_day_that_a_row_states_goes_before_its_name(tmp_path: Path, day: Any) -> None:
    rows = [
        {"source": "ann@2026-02-30.txt", "text": TEXT, "observed_on": day},
        {"source": "cy.txt", "text": TEXT, "observed_on": None},
    ]
    made = {"p.parquet": parquet(rows)} | ({"p.jsonl": jsonl(rows)} if isinstance(day, str) else {})
    for name, data in made.items():
        ann, cy = (read_page(file) for file in pages_in(tmp_path / name, data))
        assert (ann.observed_on, ann.odd_date, cy.observed_on) == (date(2026, 6, 1), None, None)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str
)
def test_strings_of_parquet_are_read_in_each_of_their_kinds(tmp_path: Path, kind: pa.DataType) -> None:
    text = pa.array([TEXT], pa.string())
    column = text.dictionary_encode() if isinstance(kind, pa.DictionaryType) else text.cast(kind)
    pq.write_table(pa.table({"other": [1], "text": column, "source": ["ann.txt"]}), tmp_path / "p.parquet")
    (file,) = found(tmp_path / "p.parquet")
    assert isinstance(file, PageFile)
    assert read_page(file).text == TEXT


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(member("a.txt", kind=tarfile.SYMTYPE, linkname="/etc/passwd"), "a.txt: found a link", id="link"),
        pytest.param(member("a.txt", kind=tarfile.LNKTYPE, linkname="b.txt"), "a.txt: found a link", id="hard link"),
        pytest.param(member("null", kind=tarfile.CHRTYPE), "null: found a device, a pipe", id="device"),
        pytest.param(member("a.txt", kind=tarfile.FIFOTYPE), "a.txt: found a device, a pipe", id="pipe"),
        pytest.param(member("/etc/a.txt", DATA), "/etc/a.txt: found a path that leads out", id="absolute"),
        pytest.param(member("b/../../a.txt", DATA), "b/../../a.txt: found a path that leads out", id="above"),
        pytest.param(member(f"{'b' * SOURCE_LETTERS}.txt", DATA), f"{'b' * SOURCE_LETTERS}: found a path of", id="long"),
    ],
)  # fmt: skip
def test_a_member_that_is_no_plain_file_of_the_archive_is_refused_and_the_others_are_read(
    tmp_path: Path, data: bytes, words: str
) -> None:
    refused, cy = found(write(tmp_path / "p.tar", data + tar({"cy.txt": DATA})))
    assert str(refused).startswith(f"p.tar/{words}")
    assert isinstance(cy, PageFile)
    assert [path.name for path in tmp_path.iterdir()] == ["p.tar"]


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_archive_or_shard_is_one_error_of_file_and_place(tmp_path: Path, name: str) -> None:
    data = packed(name, invented(30))
    for damaged in (data[: len(data) // 2], data[:-1030], b"PK" + data[2:-2], b"PK", b""):
        (error,) = problems(tmp_path / name, damaged)
        assert error.startswith(f"{name}: ")
        assert "\n" not in error
        assert any(place in error for place in ("byte ", "line ", "row ", "found no page in it"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(tar({"ann.txt": DATA})[:-1024], "byte 1,024: cannot be read (found no member or end", id="no end"),
        pytest.param(tar({"ann.txt": DATA}) + tar({"cy.txt": DATA}), "(found more behind the end", id="two archives"),
        pytest.param(member("ann.txt", DATA) + b"x" * 512 + END, "(found no member or end", id="no header"),
        pytest.param(member("ann.txt", DATA) + member("x", kind=b"x", size=1 << 32)[:512], "(found a size of", id="vast header"),
        pytest.param(tar({"notes.md": DATA}), "found no page in it, expected rows, or files ending in .txt", id="no page"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_tar_is_told_and_the_pages_before_it_are_read(
    tmp_path: Path, data: bytes, words: str
) -> None:
    *pages, error = found(write(tmp_path / "p.tar", data))
    assert words in str(error)
    assert len(pages) == (b"ann.txt" in data)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[1]", "Expected `object`, got `array`"),
        ('"ann"', "Expected `object`, got `str`"),
        ('{"text": "x"}', "Object missing required field `source`"),
        ('{"source": "a"}', "Object missing required field `text`"),
        ('{"source": "", "text": "x"}', "Expected `str` of length >= 1"),
        ('{"source": "a\\u0000b", "text": "x"}', "Expected `str` matching regex"),
        ('{"source": "a", "text": 1}', "Expected `str`, got `int` - at `$.text`"),
        ('{"source": "a", "text": "x", "observed_on": "1.6.2026"}', "Invalid RFC3339 encoded date - at `$.observed_on`"),
        ('{"source": "a", "text": "x"', "Input data was truncated"),
        ('{"source": "a", "text": "\\ud800"}', "Input data was truncated"),
        ('{"source": "a", "text": "x", "more": ' + "[" * 100_000, "maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_a_line_of_another_shape_is_an_error_that_names_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    data = jsonl([ROW]) + b"\n" + line.encode() + b"\n" + jsonl([ROW])
    ann, error = found(write(tmp_path / "p.jsonl", data))
    assert isinstance(ann, PageFile)
    assert isinstance(error, PageError)
    assert error.line == 3
    assert str(error).startswith("p.jsonl: line 3: found ")
    assert words in str(error)
    assert 'expected {"source": "ann@2026-06-01.txt", "text": ' in str(error)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"source": "a"}], "found the columns source (string); expected one source and one text (string)"),
        ([{"source": "a", "text": 1}], "found the columns source (string), text (int64); expected"),
        ([ROW, {"source": None, "text": "x"}], "row 2: found no row of a page (Expected `str`, got `null`"),
        ([ROW, {"source": "a", "text": None}], "row 2: found no text"),
        ([ROW | {"observed_on": "soon"}], "row 1: found no row of a page (Invalid RFC3339 encoded date"),
        ([ROW | {"observed_on": 7}], "row 1: found no row of a page (Expected `date | null`, got `int`"),
    ],
)
def test_rows_of_another_shape_are_an_error_that_names_file_and_row(
    tmp_path: Path, rows: list[dict[str, Any]], words: str
) -> None:
    (error,) = problems(tmp_path / "p.parquet", parquet(rows))
    assert error.startswith(f"p.parquet: {words}")


def test_a_day_that_is_in_no_calendar_is_an_error_of_its_shard(tmp_path: Path) -> None:
    days = pa.array([None, 10_000_000], pa.int32()).cast(pa.date32())
    shard = pa.table({"source": ["ann.txt", "cy.txt"], "text": ["x", "x"], "observed_on": days})
    pq.write_table(shard, tmp_path / "p.parquet")
    (part,) = found(tmp_path / "p.parquet")
    assert isinstance(part, PageError)
    assert str(part).startswith("p.parquet: behind row 0: cannot be read (date value out of range)")


def test_tables_without_text_in_a_folder_are_no_shards(tmp_path: Path) -> None:
    write(tmp_path / "papers.parquet", parquet([{"paper_id": "x", "source": "x"}]))
    write(tmp_path / "truth.jsonl.gz", gzip.compress(jsonl([{"title": "x"}])))
    with pytest.raises(UsageError, match=r"no pages in this folder, expected files ending in .+\.parquet"):
        find_pages([str(tmp_path)])
    for name in ("pages.parquet", "pages.jsonl"):
        write(tmp_path / name, packed(name, {"ann.txt": DATA}))
    for name, data in {
        "damaged.jsonl": b"{",
        "list.jsonl": b"[]",
        "text.jsonl": b'{"text": "x"}',
        "x.parquet": b"",
    }.items():
        write(tmp_path / name, data)
    assert sources(tmp_path) == [
        "damaged.jsonl",
        "list.jsonl",
        "pages.jsonl",
        "pages.parquet",
        "text.jsonl",
        "x.parquet",
    ]
    assert find_others([str(tmp_path)]) == []


@pytest.mark.parametrize("name", SHARDS)
def test_a_row_of_64_mib_is_a_page_and_a_larger_one_an_error(tmp_path: Path, name: str) -> None:
    data = packed(name, {"ann.txt": b"x" * LONGEST_PAGE, "cy.txt": b"x" * (LONGEST_PAGE + 1), "eve.txt": DATA})
    if name in {"pages.jsonl", "pages.parquet"}:
        ann, cy, eve = found(write(tmp_path / name, data))
        assert str(cy).startswith("cy.txt: larger than 64 MiB (byte 67108864), expected one saved page")
        assert [file.size for file in (ann, eve) if isinstance(file, PageFile)] == [LONGEST_PAGE, len(DATA)]
    else:
        assert "unpacks to more than 67,108,864 bytes, over 100 times as many" in str(
            found(write(tmp_path / name, data))[-1]
        )


def test_a_member_over_64_mib_is_an_error_and_is_not_held(tmp_path: Path) -> None:
    vast = member("cy.txt", size=1 << 27)[:512]
    with (tmp_path / "p.tar").open("wb") as stream:
        stream.write(vast)
        stream.seek(1 << 27, io.SEEK_CUR)
        stream.write(tar({"ann.txt": DATA}))
    cy, ann = found(tmp_path / "p.tar")
    assert str(cy).startswith("p.tar/cy.txt: larger than 64 MiB")
    assert isinstance(ann, PageFile)


def bombs() -> dict[str, bytes]:
    """Archives and shards of small size that unpack to more than any of their size."""
    vast = member("ann.txt", size=1 << 27)[:512] + bytes(1 << 27)
    return {
        "one.tar.gz": gzip.compress(vast),
        "one.tar.zst": zst(vast),
        "many.tar.zst": zst(member("ann.txt", bytes(1 << 20)) * 100),
        "long.jsonl.zst": zst(b" " * (1 << 27)),
        "many.jsonl.gz": gzip.compress(jsonl([{"source": "ann.txt", "text": "x" * 100_000}]) * 1000),
        "one.parquet": parquet([{"source": "ann.txt", "text": "x" * (1 << 27)}], compression="zstd"),
        "same.parquet": parquet([{"source": "ann.txt", "text": "x" * 1_000_000}] * 100, compression="zstd"),
        "empty.parquet": parquet([{"source": "ann.txt", "text": ""}] * 140_000),
    }


def test_bombs_are_refused_by_their_size_while_they_unpack(tmp_path: Path) -> None:
    for name, data in bombs().items():
        write(tmp_path / name, data)
        with cpu_limit(5):
            for batch in batches(find_pages([str(tmp_path / name)])):
                *_, last = read_parts(batch)
        assert re.match(
            rf"{name}: unpacks to more than [0-9,]+ bytes, over {COMPRESSED_TIMES} times as many", str(last)
        )


def test_batches_are_bounded_in_number_and_bytes(tmp_path: Path) -> None:
    small = {f"{number:05}.txt": b"x" for number in range(2 * BATCH_PAGES + 1)}
    large = {f"{number}.txt": b"x" * BATCH_BYTES for number in range(3)}
    bounded = ([BATCH_PAGES, BATCH_PAGES, 1], [1, 1, 1])
    one_group = ([2 * BATCH_PAGES + 1], [3])  # Of small size, since the pages are equal or short.
    for name, expected in (("p.tar.zst", bounded), ("p.jsonl", bounded), ("p.parquet", one_group)):
        for files, numbers in zip((small, large), expected, strict=True):
            found_there = find_pages([str(write(tmp_path / name, packed(name, files)))])
            assert [len(list(read_parts(batch))) for batch in batches(found_there)] == numbers


@pytest.mark.parametrize("name", ["p.tar", "p.tar.gz", "p.jsonl", "p.parquet"])
def test_an_archive_is_read_in_the_memory_of_a_batch(tmp_path: Path, name: str) -> None:
    files = {f"{number}.txt": os.urandom(1 << 19).hex().encode() for number in range(64)}
    found_there = find_pages([str(write(tmp_path / name, packed(name, files)))])
    del files
    tracemalloc.start()
    try:
        assert sum(len(batch) for batch in batches(found_there)) == 64
        assert tracemalloc.get_traced_memory()[1] < 4 * BATCH_BYTES
    finally:
        tracemalloc.stop()


def test_standard_input_is_read_here_and_not_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(DATA)))
    (file,) = found("-")
    assert isinstance(file, PageFile)
    assert (file.data, read_page(file).source) == (DATA, "-")


def test_a_link_to_an_archive_elsewhere_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "far.tar", tar({"ann.txt": DATA}))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "p.tar").symlink_to("../far.tar")
    (file,) = found(tmp_path / "pages")
    assert isinstance(file, PageFile)
    with pytest.raises(PageError, match=r"p\.tar: found a link that leads out of the folder"):
        read_page(file)


def test_a_worker_reads_the_row_groups_of_its_part_and_reports_what_is_wrong_in_them(tmp_path: Path) -> None:
    rows = [{"source": f"{number}.txt", "text": PAGE.format(number)} for number in range(40)]
    shard = write(tmp_path / "p.parquet", parquet([*rows[:25], {"source": "x.txt", "text": None}], row_group_size=10))
    (batch,) = batches(find_pages([str(shard)]))
    (part,) = batch
    assert isinstance(part, ShardPart)
    assert (part.start, part.end, part.row) == (0, 3, 0)
    assert [str(one) for one in read_parts([replace(part, start=2, row=20)])][-1].startswith(
        "p.parquet: row 26: found no text for x.txt"
    )
    first, second = (replace(part, end=1), replace(part, start=1, end=2, row=10))
    assert [file.source for file in read_parts([first, second]) if isinstance(file, PageFile)] == [
        row["source"] for row in rows[:20]
    ]


def test_the_parts_of_a_shard_may_together_unpack_to_what_an_archive_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "COMPRESSED_ARCHIVE", 4000)
    monkeypatch.setattr(archives, "BATCH_BYTES", 1)
    rows = [{"source": f"{number}.txt", "text": "x" * 1500} for number in range(4)]
    shard = write(tmp_path / "p.parquet", parquet(rows, row_group_size=1, compression="zstd"))
    parts = [one for batch in batches(find_pages([str(shard)])) for one in batch if isinstance(one, ShardPart)]
    assert [part.largest for part in parts] == [max(1000, COMPRESSED_TIMES * part.compressed) for part in parts]
    bounded = replace(parts[0], compressed=0)
    assert str(*read_parts([bounded])).startswith("p.parquet: unpacks to more than 1,000 bytes")
