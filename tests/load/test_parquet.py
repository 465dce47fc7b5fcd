"""The Parquet files hold each table row by row, in the types of the design, whoever reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from parquet_readers import PARQUET_READERS, Rows

from etl.load import parquet
from etl.load.parquet import arrow_schema, paper_list, write_parquet
from schemas import TABLES, Frames, PaperList, Papers, Variants

ARROW_TYPES = {
    pl.String(): pa.string(),
    pl.Int64(): pa.int64(),
    pl.Float64(): pa.float64(),
    pl.Boolean(): pa.bool_(),
    pl.Date(): pa.date32(),
    pl.List(pl.String()): pa.list_(pa.string()),
}
DUCKDB_TYPES = {
    pl.String(): "VARCHAR",
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    pl.Boolean(): "BOOLEAN",
    pl.Date(): "DATE",
    pl.List(pl.String()): "VARCHAR[]",
}
MODELS = TABLES | {"paper_list": PaperList}


@pytest.fixture(scope="module")
def written(tables: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet")
    for name, frame in (tables | {"paper_list": paper_list(tables)}).items():
        write_parquet(folder / f"{name}.parquet", MODELS[name], frame)
    return folder


@pytest.mark.parametrize("read", PARQUET_READERS)
@pytest.mark.parametrize("name", MODELS)
def test_a_file_equals_its_table_row_by_row(
    written: Path, tables: Frames, name: str, read: Callable[[Path], Rows]
) -> None:
    frame = paper_list(tables) if name == "paper_list" else tables[name]
    assert frame.height > 0
    assert read(written / f"{name}.parquet") == frame.rows()


@pytest.mark.parametrize("name", MODELS)
def test_types_are_those_of_the_model_with_nulls_only_where_it_allows_them(written: Path, name: str) -> None:
    columns = MODELS[name].definition().columns
    expected = [(column.name, ARROW_TYPES[column.dtype], column.nullable) for column in columns]
    schema = pq.read_schema(written / f"{name}.parquet")
    assert [(field.name, field.type, field.nullable) for field in schema] == expected


@pytest.mark.parametrize("name", MODELS)
def test_duckdb_sees_dates_booleans_and_lists(written: Path, name: str) -> None:
    with duckdb.connect() as connection:
        read = connection.read_parquet(str(written / f"{name}.parquet"))
        assert list(map(str, read.types)) == [
            DUCKDB_TYPES[column.dtype] for column in MODELS[name].definition().columns
        ]


def test_the_words_for_people_travel_in_the_file(written: Path) -> None:
    schema = pq.read_schema(written / "papers.parquet")
    assert schema.metadata[b"title"] == b"Papers"
    assert json.loads(schema.metadata[b"primary_key"]) == ["paper_id"]
    assert json.loads(schema.metadata[b"references"]) == {"category_id": "categories"}
    assert schema.field("listed_author_count").metadata == {
        b"title": b"Listed authors",
        b"description": b"Number of different authors that the byline shows.",
        b"unit": b"authors",
    }


def test_metadata_is_sorted_so_that_files_can_be_equal() -> None:
    for model in MODELS.values():
        schema = arrow_schema(model.definition())
        for metadata in (schema.metadata, *(field.metadata for field in schema)):
            assert list(metadata) == sorted(metadata)


def test_several_columns_that_refer_together_are_named_together() -> None:
    assert json.loads(arrow_schema(Variants.definition()).metadata[b"references"]) == {
        "profile_id,position": "listings"
    }


def test_chunks_do_not_show_in_the_file(tables: Frames, tmp_path: Path) -> None:
    papers = tables["papers"]
    chunked = pl.concat([papers.head(1), papers.tail(1)], rechunk=False)
    assert (papers.n_chunks(), chunked.n_chunks()) == (1, 2)
    write_parquet(tmp_path / "whole.parquet", Papers, papers)
    write_parquet(tmp_path / "chunked.parquet", Papers, chunked)
    assert (tmp_path / "whole.parquet").read_bytes() == (tmp_path / "chunked.parquet").read_bytes()


def test_row_groups_are_of_one_batch_at_most(tables: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_PER_BATCH", 2)
    write_parquet(tmp_path / "names.parquet", TABLES["author_names"], tables["author_names"])
    assert pq.read_metadata(tmp_path / "names.parquet").num_row_groups == 3


def test_a_table_without_rows_keeps_its_types(tmp_path: Path) -> None:
    write_parquet(tmp_path / "papers.parquet", Papers, Papers.frame())
    read = pl.read_parquet(tmp_path / "papers.parquet")
    assert read.schema == Papers.definition().schema
    assert read.is_empty()


def test_the_paper_list_has_all_that_hangs_on_a_paper_in_one_row(tables: Frames) -> None:
    (bells,) = paper_list(tables).filter(pl.col("title") == "On Bells").rows(named=True)
    assert bells["authors"] == ["Ann Bell", "Cy Dole"]
    assert bells["author_names"] == ["Ann Bell", "Cy Dole", "Ève Fox"]
    assert bells["institutions"] == ["mila", "Tower Lab"]
    assert (bells["arxiv_id"], bells["doi"]) == ("2404.00002", "10.1000/a")
    assert bells["category"] == "Robotics"


def test_the_paper_list_has_empty_lists_where_nothing_hangs_on_a_paper(tables: Frames) -> None:
    (chimes,) = paper_list(tables).filter(pl.col("title") == "Naïve Chimes").rows(named=True)
    assert (chimes["institutions"], chimes["arxiv_id"], chimes["doi"]) == ([], None, None)
    assert chimes["authors"] == chimes["author_names"] == ["Ève Fox", "C. Dole", "Ann Bell"]
