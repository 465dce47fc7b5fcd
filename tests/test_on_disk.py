"""Texts in a file in place of memory: equal to what was appended, and resident only while they are looked at."""

import re
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import on_disk as on_disk_module
from etl.errors import PublicationError
from etl.on_disk import TextFile, in_order, on_disk


@given(st.lists(st.text(max_size=20)), st.sampled_from([0, 10, 1 << 20]))
def test_the_column_has_the_texts_in_order_also_behind_the_end_of_the_file(texts: list[str], least: int) -> None:
    with patch.object(on_disk_module, "LEAST", least), TextFile() as file:
        assert [file.append(text.encode()) for text in texts] == list(range(len(texts)))
        column = file.column()
    assert column.to_list() == texts
    assert column.gather(list(reversed(range(len(texts))))).to_list() == texts[::-1]


@given(st.lists(st.text(max_size=20), min_size=1), st.data())
def test_texts_from_anywhere_are_equal_in_a_file_of_their_own(texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.lists(st.sampled_from(range(len(texts)))))
    column = pl.Series("abstract", texts, pl.String).gather(pl.Series(order, dtype=pl.UInt32))
    with patch.object(on_disk_module, "LEAST", 10), patch.object(on_disk_module, "_TEXTS", 3):
        assert in_order(column).equals(column, check_names=True)


def resident() -> int:
    """Bytes of mapped files that are in the memory of this process."""
    return int(re.findall(r"^RssFile:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)[0]) << 10


@contextmanager
def size_limit(size: int) -> Iterator[None]:
    """Let files have so many bytes at most."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_what_was_read_is_not_in_memory_for_long_and_no_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(on_disk_module, "MOST", 0)
    size = 64 << 20
    before = resident()
    with TextFile() as file:
        for _ in range(64):
            file.append(b"x" * (size // 64))
        column = file.column()
    rows = column.gather([0, 1] * 40)
    assert rows.str.len_bytes().sum() == 80 * size // 64
    assert column.str.count_matches("x").sum() == size
    until = time.monotonic() + 60
    while resident() > before + size // 4 and time.monotonic() < until:
        time.sleep(0.05)
    assert resident() <= before + size // 4
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk_module, "LEAST", 1)
    with TextFile() as file, size_limit(1 << 16), pytest.raises(PublicationError) as error:  # noqa: PT012
        for _ in range(100):
            file.append(b"x" * 10_000)
        file.column()
    assert "cannot be written" in str(error.value)
    assert "(TMPDIR)" in str(error.value)


def test_a_missing_folder_for_temporary_files_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_disk_module, "LEAST", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(PublicationError, match=r"cannot be written \(No such file or directory\).*\(TMPDIR\)"):
        on_disk(pl.DataFrame({"title": ["On Bells"]}))


def test_a_frame_on_disk_is_equal_and_its_memory_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk_module, "LEAST", 0)
    frame = pl.DataFrame(
        {
            "title": ["On Bells", None, "On the ringing of the bells of a tower"],
            "names": [["Ann Bell"], [], None],
            "day": [date(2026, 6, 1), None, None],
            "position": [1, 2, None],
            "owned": [True, None, False],
            "abstract": ["a", "b", "c"],
        },
        schema_overrides={"position": pl.UInt32},
    )
    for rows in (frame, frame.clear(), pl.concat([frame, frame], rechunk=False), frame[::-1], frame.filter("owned")):
        for apart in ((), ("abstract",), ("abstract", "another")):
            assert on_disk(rows, apart).equals(rows)
            assert on_disk(rows, apart).schema == rows.schema


def test_a_frame_that_the_disk_has_no_room_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_disk_module, "LEAST", 0)
    with size_limit(1 << 12), pytest.raises(PublicationError, match="temporary file: cannot be written"):
        on_disk(pl.DataFrame({"title": ["x" * 1000] * 100}))
