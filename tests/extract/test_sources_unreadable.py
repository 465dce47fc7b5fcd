"""Pages that cannot be read: empty, not UTF-8, too large, damaged, closed; each error names the file and what to do."""

import gzip
import io
import os
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import cpu_limit
from page_files import DATA, TEXT, read, write, zst

from etl.errors import Exit, PageError, PaperledgerError
from etl.extract.reading import read_page
from etl.extract.sources import find_pages
from schemas.limits import LONGEST_PAGE

NOT_AS_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def problem(path: Path) -> str:
    with pytest.raises(PageError) as caught:
        read(path)
    assert caught.value.exit_code == Exit.BAD_DATA
    assert caught.value.source == path.name
    return str(caught.value)


def bomb(size: int) -> bytes:
    """Gzip of so many zeros, in a thousandth of the room; made quickly, since one piece is repeated."""
    piece = zlib.compressobj(9, wbits=-15)
    part = piece.compress(bytes(1 << 20)) + piece.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + part * (size >> 20)


def test_empty_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO()))
    with pytest.raises(PageError, match=r"^-: empty file, expected a saved page; save the page again$"):
        read_page(find_pages(["-"])[0])


@pytest.mark.parametrize("name", ["ann.txt", "ann.txt.gz", "ann.txt.zst"])
def test_an_empty_file_is_an_error(tmp_path: Path, name: str) -> None:
    expected = f"{name}: empty file, expected a saved page; save the page again"
    assert problem(write(tmp_path / name, b"")) == expected


def test_a_compressed_page_of_no_bytes_is_an_error(tmp_path: Path) -> None:
    assert problem(write(tmp_path / "ann.txt.gz", gzip.compress(b""))).startswith("ann.txt.gz: empty file")


@pytest.mark.parametrize(
    ("data", "place", "byte"),
    [
        pytest.param(b"\xff", "line 1, byte 0", "0xff", id="first byte"),
        pytest.param(b"Ann\nBe\xfcll\n", "line 2, byte 6", "0xfc", id="Latin-1"),
        pytest.param(b"Ann\r\n\r\n\xe6\x9d", "line 3, byte 7", "0xe6", id="cut within a character"),
        pytest.param(b"A\xed\xa0\x80", "line 1, byte 1", "0xed", id="surrogate"),
        pytest.param(b"A\n\xc0\xaf", "line 2, byte 2", "0xc0", id="overlong"),
    ],
)
def test_what_is_not_utf8_is_an_error_that_names_line_and_byte(
    tmp_path: Path, data: bytes, place: str, byte: str
) -> None:
    expected = f"ann.txt: {place}: found {byte}, expected UTF-8 text; save the page as text in UTF-8"
    assert problem(write(tmp_path / "ann.txt", data)) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(tmp_path: Path, encoding: str) -> None:
    expected = "ann.txt: found UTF-16 text, expected UTF-8; save the page again, with the encoding UTF-8"
    assert problem(write(tmp_path / "ann.txt", "Ann Bell\n".encode(encoding))) == expected


def test_a_file_over_64_mib_is_an_error_and_one_of_64_mib_is_none(tmp_path: Path) -> None:
    large = tmp_path / "ann.txt"
    with large.open("wb") as stream:
        stream.truncate(LONGEST_PAGE)
    assert read(large).size == 64 * 1024 * 1024
    with large.open("ab") as stream:
        stream.write(b"x")
    expected = "ann.txt: larger than 64 MiB (byte 67108864), expected one saved page; split it or leave it out"
    assert problem(large) == expected


def test_a_compressed_file_that_swells_is_given_up_at_64_mib(tmp_path: Path) -> None:
    with cpu_limit(5):
        message = problem(write(tmp_path / "ann.txt.gz", bomb(1 << 33)))
    assert message.startswith("ann.txt.gz: larger than 64 MiB (byte 67108864)")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("ann.txt.gz", gzip.compress(DATA)[:-9], id="cut"),
        pytest.param("ann.txt.gz", gzip.compress(DATA)[:-4], id="cut in the trailer"),
        pytest.param("ann.txt.gz", gzip.compress(DATA)[:-8] + bytes(8), id="another checksum"),
        pytest.param("ann.txt.gz", gzip.compress(DATA) + b"x", id="something behind"),
        pytest.param("ann.txt.gz", DATA, id="not compressed"),
        pytest.param("ann.txt.zst", zst(DATA)[:-1], id="zst cut"),
        pytest.param("ann.txt.zst", DATA, id="zst not compressed"),
    ],
)
def test_a_damaged_compressed_file_is_an_error(tmp_path: Path, name: str, data: bytes) -> None:
    message = problem(write(tmp_path / name, data))
    assert message.startswith(f"{name}: cannot be read (")
    assert message.endswith("); see whether the file is whole and may be read")


@NOT_AS_ROOT
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "ann.txt")
    path.chmod(0)
    message = problem(path)
    assert message.startswith("ann.txt: cannot be read (")
    assert "ermission denied" in message


@NOT_AS_ROOT
def test_a_folder_that_may_not_be_searched_is_not_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "ann.txt")
    write(tmp_path / "closed" / "eve.txt").parent.chmod(0)
    with pytest.raises(PaperledgerError, match="closed"):
        find_pages([str(tmp_path)])


@NOT_AS_ROOT
def test_a_path_into_a_closed_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = write(tmp_path / "closed" / "eve.txt")
    path.parent.chmod(0)
    with pytest.raises(PaperledgerError, match="eve"):
        read(path)


def test_a_file_that_vanishes_before_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "ann.txt")
    (file,) = find_pages([str(path)])
    path.unlink()
    with pytest.raises(
        PageError, match=r"^ann\.txt: cannot be read \(.+\); see whether the file is whole and may be read"
    ):
        read_page(file)


FIRST, SECOND = DATA[:5], DATA[5:]
SKIPPED = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
"""A frame of Zstandard that holds no data."""


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("ann.txt.gz", gzip.compress(FIRST) + gzip.compress(SECOND), id="two members"),
        pytest.param("ann.txt.gz", gzip.compress(b"") + gzip.compress(DATA) + gzip.compress(b""), id="empty members"),
        pytest.param("ann.txt.zst", zst(FIRST) + zst(SECOND), id="two frames"),
        pytest.param("ann.txt.zst", zst(b"") * 100_000 + zst(DATA), id="a hundred thousand empty frames"),
        pytest.param("ann.txt.zst", SKIPPED + zst(DATA) + SKIPPED, id="frames to be skipped"),
    ],
)
def test_a_compressed_file_of_several_parts_is_one_page(tmp_path: Path, name: str, data: bytes) -> None:
    with cpu_limit(2):
        assert read(write(tmp_path / name, data)).text == TEXT


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        pytest.param("ann.txt.gz", gzip.compress(gzip.compress(DATA)), "line 1, byte 1: found 0x8b", id="compressed twice"),
        pytest.param("ann.txt", gzip.compress(DATA), "line 1, byte 1: found 0x8b", id="compressed under a plain name"),
        pytest.param("ann.txt.gz", gzip.compress(FIRST) + gzip.compress(SECOND)[:-9], "cannot be read (", id="cut member"),
        pytest.param("ann.txt.zst", zst(FIRST) + zst(SECOND)[:-1], "cannot be read (", id="cut frame"),
        pytest.param("ann.txt.zst", zst(DATA) + b"x", "cannot be read (", id="something behind a frame"),
        pytest.param("ann.txt.zst", gzip.compress(DATA), "cannot be read (", id="compressed in another way"),
        pytest.param("ann.txt.zst", SKIPPED, "empty file", id="no frame with data"),
    ],
)  # fmt: skip
def test_a_compressed_file_that_holds_no_page_is_one_clear_line(
    tmp_path: Path, name: str, data: bytes, found: str
) -> None:
    message = problem(write(tmp_path / name, data))
    assert message.startswith(f"{name}: {found}")
    assert "\n" not in message
