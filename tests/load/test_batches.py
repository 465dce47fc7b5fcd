"""Batches of three rows, two pages and one file give the same release as one batch of all."""

from pathlib import Path

import polars as pl
import pytest
from helpers import run

from etl.release.release import open_release
from schemas import TABLES

_SMALL = {
    "etl.resolve.name_keys.ROWS_PER_BATCH": 3,
    "etl.resolve.name_blocks._READ_ROWS": 3,
    "etl.resolve.name_blocks._ALIKE_ROWS": 3,
    "etl.resolve.name_blocks._COMPARED_ROWS": 3,
    "etl.resolve.papers.ROWS_PER_BATCH": 3,
    "etl.resolve.tables.ROWS_PER_BATCH": 3,
    "etl.resolve.rendering._PAPERS": 3,
    "etl.load.parquet.ROWS_PER_BATCH": 3,
    "etl.load.manifest.ROWS_PER_BATCH": 3,
    "etl.validate.integrity.ROWS_PER_BATCH": 3,
    "etl.resolve.rendering._PAGES": 2,
    "etl.extract.archives.BATCH_PAGES": 1,
    "etl.extract.reading._PORTION": 1,
}


def test_batches_of_three_rows_change_no_table_and_no_name(
    texts: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in zip(("ann.txt", "eve.txt"), texts, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert run("build", ".", "--workers", "1", "--out", "whole").exit_code == 0
    for name, size in _SMALL.items():
        monkeypatch.setattr(name, size)
    assert run("build", ".", "--workers", "2", "--out", "parts").exit_code == 0
    whole, parts = (open_release(tmp_path / out) for out in ("whole", "parts"))
    assert whole.path.name == parts.path.name
    assert (whole.path / "paperledger.db").read_bytes() == (parts.path / "paperledger.db").read_bytes()
    for name in TABLES:
        first, second = (pl.read_parquet(one.path / f"{name}.parquet") for one in (whole, parts))
        assert first.equals(second), name
    assert run("verify", "parts").exit_code == 0
