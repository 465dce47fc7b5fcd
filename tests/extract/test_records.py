"""Records of arXiv's metadata: every form of the file, damaged records by line, files of another shape."""

import gzip
import hashlib
import json
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from records import dated, lines, record

from etl.engine.embedded import map_batches
from etl.errors import UsageError
from etl.extract.records import RawRecord, Record, read_reference

TWO = (record(), record("hep-th/9901001", "On\n  Ropes", doi="10.1000/one, 10.1000/two"))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as compressed:
        compressed.write(data)
    return bytes(sink.getvalue().to_pybytes())


def every(_: RawRecord) -> bool:
    return True


def read(path: Path) -> tuple[Record, ...]:
    return read_reference([path], every).records


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def written(data: bytes, name: str = "arxiv.jsonl") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return written


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
def test_records_are_read_however_they_are_compressed(
    file: Callable[..., Path], compress: Callable[[bytes], bytes]
) -> None:
    first, second = read(file(compress(lines(*TWO))))
    assert first == Record(
        "2405.00001",
        "On Bells",
        "They ring.",
        ("Ann Bell", "Cy Dole", "Eve Fox", "Gus Hill"),
        ("cs.CL", "cs.LG"),
        (),
        date(2024, 5, 1),
        "arxiv.jsonl",
        1,
    )
    assert (second.title, second.dois, second.line) == ("On Ropes", ("10.1000/one", "10.1000/two"), 2)


@pytest.mark.parametrize("is_nested", [True, False], ids=["lists", "json"])
def test_records_of_parquet_are_those_of_json_lines(tmp_path: Path, file: Callable[..., Path], is_nested: bool) -> None:
    rows = [dict(one) for one in TWO]
    for row in rows if not is_nested else []:
        row |= {name: json.dumps(row[name]) for name in ("versions", "authors_parsed")}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "arxiv.parquet")
    found = read(tmp_path / "arxiv.parquet")
    assert [(one.arxiv_id, one.names, one.day, one.line) for one in found] == [
        (one.arxiv_id, one.names, one.day, one.line) for one in read(file(lines(*TWO)))
    ]


def test_several_workers_read_what_one_reads(file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.extract.records._CHUNK", 4000)
    path = file(lines(*(record(f"2405.{number:05}", f"On {number} Bells") for number in range(50))))
    one, two = (read_reference([path], every, partial(map_batches, workers=workers)) for workers in (1, 2))
    assert one == two
    assert [found.line for found in two.records] == list(range(1, 51))


def test_a_file_is_known_by_name_hash_and_records(file: Callable[..., Path]) -> None:
    data = lines(*TWO) + b"\n{\n"
    (facts,) = read_reference([file(data)], every).files
    assert facts.name == "arxiv.jsonl"
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert (facts.records, facts.damaged) == (2, 1)


@pytest.mark.parametrize(
    ("damaged", "problem"),
    [
        (b'{"id": "2405.00002", "title": "On Ro', "truncated"),
        (b"[1]", "Expected `object`, got `array`"),
        (lines(record("no id")).strip(), "regex"),
        (lines(record(title="")).strip(), "length >= 1"),
        (lines(record(authors_parsed=[], authors="")).strip(), "no author"),
        (lines(record(versions=[])).strip(), "no version"),
        (lines(record(**dated("yesterday"))).strip(), "the day yesterday"),
        (lines(record(**dated(f"Mon, 2 Apr 2007 19:18:42 +{'9' * 20}"))).strip(), "the day Mon"),
        (lines(record("2405.00002"), record("2405.00003")).replace(b"\n", b" "), "malformed"),
        (lines(record(versions=None)).strip(), "Expected `array`, got `null`"),
        (b"\xff\xfe", "malformed"),
        (b'{"x": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_damaged_record_is_skipped_and_told_by_its_line(
    file: Callable[..., Path], damaged: bytes, problem: str
) -> None:
    found = read_reference([file(lines(record()) + damaged + b"\n" + lines(record("2405.00009")))], every)
    assert [(one.arxiv_id, one.line) for one in found.records] == [("2405.00001", 1), ("2405.00009", 3)]
    (told,) = found.damaged
    assert (told.source, told.line) == ("arxiv.jsonl", 2)
    assert problem in told.problem


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "found no record"),
        (b"<!DOCTYPE html>\n<p>arXiv", "line 1: found <!DOCTYPE html>"),
        (b"id,title\n2405.00001,On Bells\n", "line 1: found id,title"),
        (json.dumps([record()]).encode(), "line 1: found [{"),
        (gzip.compress(lines(record()))[:-12], "cannot be read"),
        (b"\x28\xb5\x2f\xfd\x00", "cannot be read"),
        (b"PAR1", "cannot be read"),
    ],
)
def test_a_file_of_another_shape_is_one_clear_error(file: Callable[..., Path], data: bytes, found: str) -> None:
    path = file(data)
    with pytest.raises(UsageError) as error:
        read(path)
    (line,) = error.value.lines
    assert line.startswith(f"{path}: ")
    assert found in line


def test_a_table_without_records_is_one_clear_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"paper_id": ["p"]}), tmp_path / "papers.parquet")
    with pytest.raises(UsageError, match=r"found the columns paper_id, expected arXiv's metadata"):
        read(tmp_path / "papers.parquet")


def test_an_endless_line_is_one_clear_error(file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.extract.records.LONGEST_RECORD", 1000)
    with pytest.raises(UsageError, match="line 1: found more than 1,000 bytes on one line"):
        read(file(bytes(4000)))


def test_blank_lines_count_as_lines_and_a_byte_order_mark_as_nothing(file: Callable[..., Path]) -> None:
    found = read(file(b"\xef\xbb\xbf" + lines(record()) + b"\n \r\n" + lines(record("2405.00009"))))
    assert [(one.arxiv_id, one.line) for one in found] == [("2405.00001", 1), ("2405.00009", 4)]


def test_of_records_of_one_id_the_first_counts(file: Callable[..., Path]) -> None:
    (found,) = read(file(lines(record(), record(title="On Ropes"))))
    assert found.title == "On Bells"


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        ({"authors_parsed": [['M\\"uller', "J\\'er\\^ome", ""]]}, ("Jérôme Müller",)),
        ({"authors_parsed": [["Bell", "C. -P.", ""]]}, ("C.-P. Bell",)),
        ({"authors_parsed": [["Dole", "Cy", "Jr.", "Tower Hall"]]}, ("Cy Dole Jr.",)),
        ({"authors_parsed": [["Tower Team", "", ""], [":", "", ""], ["Bell", "Ann", ""]]}, ("Tower Team", "Ann Bell")),
        (
            {"authors_parsed": None, "authors": "A. Bell (1), C. Dole (1 and 2)\n  ((1) Tower Hall"},
            ("A. Bell", "C. Dole"),
        ),
    ],
)
def test_names_are_spelled_as_pages_spell_them(
    file: Callable[..., Path], authors: dict[str, object], names: tuple[str, ...]
) -> None:
    (found,) = read(file(lines(record(**authors))))
    assert found.names == names


def test_an_old_category_is_never_primary(file: Callable[..., Path]) -> None:
    (found,) = read(file(lines(record(categories="cs.SY math.OC"))))
    assert (found.primary, found.categories) == ("eess.SY", ("cs.SY", "math.OC"))


@pytest.mark.parametrize("arxiv_id", ["２３０５.00001", "2405.00001\n", "2405.00001v2", "2405.001"])
def test_an_id_that_arxiv_has_not_is_damage(file: Callable[..., Path], arxiv_id: str) -> None:
    found = read_reference([file(lines(record(), record(arxiv_id)))], every)
    assert ([one.line for one in found.records], [one.line for one in found.damaged]) == ([1], [2])


def test_names_behind_et_al_and_signs_are_no_authors(file: Callable[..., Path]) -> None:
    people = [["Bell", "Ann", ""], [".", "", ""], ["Dole", "and and Cy", ""], ["al.", "et", ""], ["Fox", "Eve", ""]]
    (found,) = read(file(lines(record(authors_parsed=people))))
    assert (found.names, found.is_whole) == (("Ann Bell", "Cy Dole"), False)


def test_a_category_that_is_not_known_is_not_replaced_by_the_next(file: Callable[..., Path]) -> None:
    (found,) = read(file(lines(record(categories="cs.XX cs.LG"))))
    assert (found.primary, found.known_categories) == (None, ("cs.LG",))


@pytest.mark.parametrize("deep", [{"authors_parsed": [["{" * 4000, "", ""]]}, {"doi": "10." + "1" * 300_000}])
def test_deep_and_long_values_end_in_no_error_and_take_no_time(
    file: Callable[..., Path], deep: dict[str, object]
) -> None:
    started = time.process_time()
    found = read_reference([file(lines(record(), record("2405.00002", **deep)))], every)
    assert found.records[0].arxiv_id == "2405.00001"
    assert len(found.records) + len(found.damaged) == 2
    assert time.process_time() - started < 5


def test_an_endless_line_among_records_is_passed_over(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.extract.records.LONGEST_RECORD", 5000)
    monkeypatch.setattr("etl.extract.records._CHUNK", 700)
    data = lines(record()) + b"{" + b" " * 20_000 + b"}\n" + lines(record("2405.00002"))
    found = read_reference([file(data)], every)
    assert [(one.arxiv_id, one.line) for one in found.records] == [("2405.00001", 1), ("2405.00002", 3)]
    assert [one.line for one in found.damaged] == [2]


def test_the_order_of_files_does_not_matter(file: Callable[..., Path]) -> None:
    one, two = file(lines(record()), "a.jsonl"), file(lines(record(title="On Ropes")), "b.jsonl")
    assert read_reference([one, two], every) == read_reference([two, one], every)


@pytest.mark.parametrize("authors", [b"[" * 100_000, b"\xff"], ids=["deep", "no UTF-8"])
def test_a_damaged_row_of_parquet_is_told_and_skipped(tmp_path: Path, authors: bytes) -> None:
    rows = [
        {**record(), "versions": json.dumps(record()["versions"]), "authors_parsed": b'[["Bell"]]'} for _ in range(2)
    ]
    rows[1] |= {"authors_parsed": authors, "id": "2405.00002"}
    table = pa.Table.from_pylist(
        [{key: row[key] for key in ("id", "title", "versions", "authors_parsed")} for row in rows]
    )
    column = table.column("authors_parsed").combine_chunks()
    text = pa.Array.from_buffers(pa.string(), len(column), column.buffers())
    pq.write_table(table.set_column(3, "authors_parsed", text), tmp_path / "arxiv.parquet")
    found = read_reference([tmp_path / "arxiv.parquet"], every)
    assert ([one.line for one in found.records], [one.line for one in found.damaged]) == ([1], [2])
