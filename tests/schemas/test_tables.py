"""The models say all that the design promises of each table: columns in order, keys, words, facets."""

import datetime as dt

import polars as pl
import pytest

from schemas import TABLES, VIEWS, Blocks, Categories, Column, PaperList, Papers, Profiles, Reference, Search, Table

KEYS_AND_COLUMNS = {
    "categories": ("category_id", "badge_code name archive archive_name group_name active"),
    "authors": ("author_id", "name kind given family spelling_count"),
    "author_names": ("name author_id", "matched_by evidence"),
    "profiles": (
        "profile_id",
        "author_id name field category_id h_index stated_papers listed_papers citations novelty_pct ai_score"
        " observed_on last_observed_on source sha256 bytes lines newline header",
    ),
    "papers": (
        "paper_id",
        "title abstract category_id published year_inferred listed_author_count author_count authors_truncated has_code citekey",
    ),
    "paper_authors": ("paper_id author_id", "position name source"),
    "paper_categories": ("paper_id category_id", "is_primary source"),
    "paper_identifiers": ("paper_id scheme value", "url matched_by evidence"),
    "listings": (
        "profile_id position",
        "paper_id alias_id badge category_resolution category_confidence line_start line_end",
    ),
    "variants": ("profile_id position field", "value"),
    "institutions": ("institution_id", "name"),
    "paper_institutions": ("paper_id institution_id", ""),
    "links": ("paper_id url", "host kind"),
    "quarantine": ("profile_id line_start", "line_end rule_ids raw_text reason"),
    "rules": ("rule_id", "table_name column_name severity dimension title why checked failed status"),
    "findings": (
        "finding_id",
        "rule_id table_name row_key profile_id source line_start line_end value message",
    ),
    "merge_candidates": ("author_id other_id", "matched_by evidence"),
    "paper_candidates": ("paper_id other_id", "matched_by evidence"),
}
"""Each table's primary key and the columns behind it, as section 2 of the design lists them."""
REFERENCES = {
    "author_names": [("author_id", "authors")],
    "profiles": [("author_id", "authors"), ("category_id", "categories")],
    "papers": [("category_id", "categories")],
    "paper_authors": [("paper_id", "papers"), ("author_id", "authors")],
    "paper_categories": [("paper_id", "papers"), ("category_id", "categories")],
    "paper_identifiers": [("paper_id", "papers")],
    "listings": [("profile_id", "profiles"), ("paper_id", "papers")],
    "variants": [("profile_id,position", "listings")],
    "paper_institutions": [("paper_id", "papers"), ("institution_id", "institutions")],
    "links": [("paper_id", "papers")],
    "quarantine": [("profile_id", "profiles")],
    "findings": [("rule_id", "rules"), ("profile_id", "profiles")],
    "merge_candidates": [("author_id", "authors"), ("other_id", "authors")],
    "paper_candidates": [("paper_id", "papers"), ("other_id", "papers")],
}
FACETS = {
    "categories": "archive group_name",
    "authors": "kind",
    "author_names": "matched_by",
    "papers": "category_id year_inferred authors_truncated has_code",
    "paper_authors": "source",
    "paper_identifiers": "scheme",
    "listings": "category_resolution",
    "variants": "field",
    "paper_institutions": "institution_id",
    "links": "host kind",
    "rules": "table_name severity dimension status",
    "findings": "rule_id table_name",
    "merge_candidates": "matched_by",
    "paper_candidates": "matched_by",
}
NULLABLE = {
    "authors": "given",
    "author_names": "evidence",
    "profiles": "author_id name field category_id h_index stated_papers citations novelty_pct ai_score observed_on last_observed_on",
    "papers": "category_id published author_count",
    "paper_authors": "position",
    "listings": "alias_id category_confidence",
    "rules": "column_name",
    "findings": "profile_id source line_start line_end value",
}
DATES = {("profiles", "observed_on"), ("profiles", "last_observed_on"), ("papers", "published")}
BOOLEANS = {
    ("categories", "active"),
    ("paper_categories", "is_primary"),
    *(("papers", name) for name in ("year_inferred", "authors_truncated", "has_code")),
}
VIEW_COLUMNS = {
    "paper_list": "paper_id title published category_id category authors author_names institutions has_code citekey arxiv_id doi",
    "coauthors": "author_id author other_id other papers",
    "papers_by_month": "month category_id papers",
    "profile_history": "author_id observed_on h_index citations stated_papers",
    "finding_list": "finding_id severity rule_id rule source lines value message",
    "coverage": "profile_id name observed_on stated_papers listed_papers share",
}
EVERY_MODEL = [*TABLES.values(), Blocks, PaperList]


def columns_where(said: str) -> dict[str, str]:
    found = {
        name: " ".join(column.name for column in model.definition().columns if getattr(column, said))
        for name, model in TABLES.items()
    }
    return {name: columns for name, columns in found.items() if columns}


def test_the_tables_are_those_of_the_design() -> None:
    assert set(TABLES) == set(KEYS_AND_COLUMNS)


@pytest.mark.parametrize("name", KEYS_AND_COLUMNS)
def test_a_table_has_the_designs_key_and_columns_in_its_order(name: str) -> None:
    key, columns = KEYS_AND_COLUMNS[name]
    definition = TABLES[name].definition()
    assert " ".join(definition.primary_key) == key
    assert " ".join(column.name for column in definition.columns) == f"{key} {columns}".strip()


@pytest.mark.parametrize("name", KEYS_AND_COLUMNS)
def test_a_table_references_the_tables_that_the_design_says(name: str) -> None:
    references = TABLES[name].definition().references
    assert [(",".join(key.columns), key.table) for key in references] == REFERENCES.get(name, [])


@pytest.mark.parametrize("name", KEYS_AND_COLUMNS)
def test_a_table_references_whole_keys_of_tables_before_it(name: str) -> None:
    names = list(TABLES)
    for reference in TABLES[name].definition().references:
        assert names.index(reference.table) < names.index(name)
        assert reference.targets == TABLES[reference.table].definition().primary_key


def test_a_reference_may_name_the_other_tables_columns() -> None:
    references = TABLES["merge_candidates"].definition().references
    assert references[1] == Reference(("other_id",), "authors", ("author_id",))


def test_the_facets_are_columns_of_few_values() -> None:
    assert columns_where("facet") == FACETS


def test_only_what_a_page_may_lack_may_be_null() -> None:
    assert columns_where("nullable") == NULLABLE


def test_no_column_of_a_key_may_be_null() -> None:
    for model in TABLES.values():
        definition = model.definition()
        assert not [c.name for c in definition.columns if c.nullable and c.name in definition.primary_key]


def test_columns_are_unique_beyond_the_key_where_the_design_says() -> None:
    assert columns_where("unique") == {"profiles": "sha256", "papers": "citekey"}


def test_types_are_dates_booleans_whole_numbers_and_text() -> None:
    types = {(name, c.name): c.dtype for name, model in TABLES.items() for c in model.definition().columns}
    assert {place for place, dtype in types.items() if dtype == pl.Date} == DATES
    assert {place for place, dtype in types.items() if dtype == pl.Boolean} == BOOLEANS
    assert set(types.values()) == {pl.Date(), pl.Boolean(), pl.Int64(), pl.Float64(), pl.String()}


@pytest.mark.parametrize("model", EVERY_MODEL, ids=lambda model: model.definition().name)
def test_every_table_and_column_has_words_for_people(model: type[Table]) -> None:
    definition = model.definition()
    for said in (definition, *definition.columns):
        assert said.title[0].isupper() or said.title.startswith("h-index")
        assert said.description.endswith(".")
        assert said.description != said.title


@pytest.mark.parametrize("model", EVERY_MODEL, ids=lambda model: model.definition().name)
def test_every_table_has_a_key_and_what_datasette_shows_are_its_columns(model: type[Table]) -> None:
    definition = model.definition()
    named = {*definition.primary_key, definition.label, (definition.sort or "").removeprefix("-")} - {None, ""}
    assert definition.primary_key
    assert named <= set(definition.schema)


def test_figures_have_units() -> None:
    units = {column.name: column.unit for column in Profiles.definition().columns if column.unit}
    assert units == {
        "stated_papers": "papers",
        "listed_papers": "papers",
        "citations": "citations",
        "novelty_pct": "percent",
        "bytes": "bytes",
        "lines": "lines",
    }


def test_a_column_keeps_its_checks_with_their_numbers() -> None:
    columns: dict[str, Column] = {column.name: column for column in Profiles.definition().columns}
    assert columns["bytes"].checks == (("greater_than_or_equal_to", {"min_value": 1}),)
    assert columns["newline"].checks == (("isin", {"allowed_values": ["LF", "CRLF"]}),)


def test_the_views_are_those_of_the_design_with_a_description_a_column() -> None:
    assert {name: " ".join(view.columns) for name, view in VIEWS.items()} == VIEW_COLUMNS
    words = [words for view in VIEWS.values() for words in (view.description, *view.columns.values())]
    assert [text for text in words if not text.endswith(".")] == []


def test_the_file_of_papers_has_the_columns_of_the_view() -> None:
    assert list(PaperList.definition().schema) == list(VIEWS["paper_list"].columns)


def test_what_is_searched_and_how_stands_in_the_models() -> None:
    assert {name: model.definition().search for name, model in TABLES.items() if model.definition().search} == {
        "papers": Search("porter unicode61", (("title", "title"), ("abstract", "abstract"))),
        "authors": Search("unicode61 remove_diacritics 2", (("names", "author_names.name"),)),
    }


def test_rows_as_sqlite_holds_them_become_the_models_types() -> None:
    row = ("a" * 16, "On Bells", "", None, "2025-03-14", 0, 1, None, 1, 0, "bell2025bells")
    read = Papers.read([row, (*row[:4], None, *row[5:])])
    assert read["published"].to_list() == [dt.date(2025, 3, 14), None]
    assert read.select("year_inferred", "authors_truncated").row(0) == (False, True)


def test_no_rows_make_an_empty_frame_of_the_models_types() -> None:
    assert Papers.read([]).schema == Papers.definition().schema
    assert Papers.frame().schema == Papers.definition().schema


def test_rows_are_sorted_by_the_key_and_other_columns_left_out() -> None:
    rows = [
        {"category_id": name, "badge_code": "x", "name": "x", "archive": "x", "archive_name": "x", "group_name": "x"}
        for name in ("cs.CV", "cs.CL")
    ]
    frame = pl.DataFrame([row | {"active": True, "more": 1} for row in rows])
    ordered = Categories.sorted(frame)
    assert ordered["category_id"].to_list() == ["cs.CL", "cs.CV"]
    assert ordered.columns == list(Categories.definition().schema)
