"""Tables that break a rule of severity error are told, and nothing of them gets past `validate`."""

from dataclasses import replace

import polars as pl
import pytest
from helpers import parsed, tables_of
from pandera.errors import SchemaErrors

from etl.errors import BadData, Exit
from etl.report.results import summarize
from etl.report.wording import require_good
from etl.resolve.overrides import Overrides
from etl.resolve.tables import Resolved, list_papers, resolve, settle
from etl.validate import integrity
from etl.validate.findings import validate
from etl.validate.integrity import Failure, TableFailure, check_tables, failures
from etl.validate.staging import StagedBatch, combine, stage
from schemas import TABLES, Frames, Institutions, Listings, PaperCandidates, PaperIdentifiers

PAGE = """Ann Bell

CL
2papers

2 Papers
Advertisement

CLMar 14, 2025
On Bells

Ann Bell, Cy Dole · mila

Bells ring, see http://x.org/.

CLApr 2, 2024
On Chimes

Eve Fox,  C. Dole, Ann Bell

They chime at every full hour.
"""
BELLS, CHIMES = "hahtrdf4xtbog7nf", "sf3x4ri5t4hkglr5"


@pytest.fixture(scope="module")
def tables() -> Frames:
    frames = tables_of(PAGE)
    told = ("arxiv", "2503.00001", "https://x.org/2503.00001", "abstract", "line 1")
    one, other = sorted((BELLS, CHIMES))
    return frames | {
        "paper_identifiers": PaperIdentifiers.frame([(BELLS, *told)]),
        "paper_candidates": PaperCandidates.frame([(one, other, "other_date", "Chimes")]),
    }


@pytest.fixture(scope="module")
def staged() -> StagedBatch:
    return combine([stage([parsed(PAGE)])])


@pytest.fixture(scope="module")
def resolved(staged: StagedBatch) -> Resolved:
    return resolve(
        staged.profiles, settle(list_papers(staged.profiles, staged.blocks, Overrides()), Overrides()), Overrides()
    )


def told(found: list[TableFailure]) -> list[tuple[str, int, str]]:
    return [(failure.rule_id, failure.rows, failure.message) for failure in found]


def with_value(tables: Frames, table: str, column: str, value: object) -> Frames:
    """The tables, with this value in every row of one column."""
    dtype = TABLES[table].definition().schema[column]
    return tables | {table: tables[table].with_columns(pl.lit(value, dtype=dtype).alias(column))}


def test_sound_tables_break_nothing(tables: Frames) -> None:
    assert list(check_tables(tables)) == []


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        pytest.param("papers", "title", "", "papers.title: fails str_length; found '', ''", id="empty-title"),
        pytest.param("papers", "title", None, "papers.title: fails not_nullable; found None, None", id="null-title"),
        pytest.param(
            "papers",
            "listed_author_count",
            0,
            "papers.listed_author_count: fails greater_than_or_equal_to; found 0, 0",
            id="nobody",
        ),
        pytest.param("papers", "has_code", None, "papers.has_code: fails not_nullable; found None, None", id="null"),
        pytest.param("listings", "line_end", 1, "listings.line_end: fails at_least; found 1, 1", id="lines-backwards"),
        pytest.param(
            "listings",
            "category_resolution",
            "guess",
            "listings.category_resolution: fails isin; found 'guess', 'guess'",
            id="unknown-way",
        ),
    ],
)
def test_a_value_of_another_form_is_told(tables: Frames, table: str, column: str, value: object, message: str) -> None:
    assert told([*check_tables(with_value(tables, table, column, value))]) == [("TAB-001", 2, message)]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        pytest.param("papers", "paper_id", "AWY2RUJXRTBR3JO7", id="upper-case"),
        pytest.param("papers", "paper_id", "awy2rujxrtbr3jo7\n", id="newline-behind"),
        pytest.param("profiles", "profile_id", "71ee7b6358a98d0", id="too-short"),
        pytest.param("profiles", "sha256", "0" * 65, id="too-long"),
        pytest.param("authors", "author_id", "-ann", id="hyphen-first"),
        pytest.param("links", "url", "x.org", id="no-scheme"),
        pytest.param("links", "url", "http://x.org/ ring", id="white-space"),
        pytest.param("rules", "rule_id", "PAP-02", id="two-digits"),
    ],
)
def test_an_identifier_of_another_shape_is_told(tables: Frames, table: str, column: str, value: str) -> None:
    alone = {table: with_value(tables, table, column, value)[table].head(1)}
    assert told([*check_tables(alone)]) == [
        ("TAB-001", 1, f"{table}.{column}: fails str_matches; found {value!r}"),
    ]


def test_only_the_rows_that_fail_are_named_and_only_the_first(tables: Frames) -> None:
    names = pl.concat([tables["author_names"]] * 2).with_columns(pl.int_range(pl.len()).cast(pl.String).alias("name"))
    broken = names.with_columns(
        pl.when(pl.col("name").cast(pl.Int64) > 0).then(pl.lit("guess")).otherwise("matched_by").alias("matched_by")
    )
    assert told([*check_tables({"author_names": broken})]) == [
        ("TAB-001", 7, "author_names.matched_by: fails isin; found 'guess', 'guess', 'guess'")
    ]


def test_checks_that_run_all_at_once_find_what_pandera_finds_one_by_one(tables: Frames) -> None:
    first = pl.int_range(pl.len()) == 0
    broken = tables["listings"].with_columns(
        pl.when(first).then(0).otherwise(name).cast(pl.Int64).alias(name) for name in ("position", "line_end")
    )
    with pytest.raises(SchemaErrors) as errors:
        Listings.to_schema().validate(broken, lazy=True)
    expected = [Failure(error.column_name, error.check.name, (0,)) for error in errors.value.schema_errors]
    assert [*failures(Listings, broken)] == expected
    assert {failure.column for failure in expected} == {"position", "line_end"}


def test_rows_are_told_whichever_batch_they_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "ROWS_PER_BATCH", 2)
    slugs = ["mila", "M!", "lab", "tower", "T!"]
    frame = Institutions.frame([(slug, slug) for slug in slugs])
    assert [failure.rows for failure in failures(Institutions, frame)] == [(1,), (4,)]
    assert [message for *_, message in told([*check_tables({"institutions": frame})])] == [
        "institutions.institution_id: fails str_matches; found 'M!'",
        "institutions.institution_id: fails str_matches; found 'T!'",
    ]


def test_a_column_of_another_type_is_told(tables: Frames) -> None:
    papers = tables["papers"].with_columns(pl.col("listed_author_count").cast(pl.Int32))
    (failure,) = check_tables({"papers": papers})
    assert failure.rule_id == "TAB-001"
    assert failure.message.startswith("papers: found the columns Schema(")
    assert "('listed_author_count', Int32)" in failure.message


def test_columns_in_another_order_are_told(tables: Frames) -> None:
    (failure,) = check_tables({"authors": tables["authors"].select(sorted(tables["authors"].columns, reverse=True))})
    assert failure.rule_id == "TAB-001"
    assert failure.message.startswith("authors: found the columns Schema([('spelling_count', Int64)")


@pytest.mark.parametrize("column", ["paper_id", "citekey", "category_id"])
def test_a_missing_column_is_told(tables: Frames, column: str) -> None:
    found = told([*check_tables(tables | {"papers": tables["papers"].drop(column)})])
    assert [rule_id for rule_id, _, message in found if column in message][:1] == ["TAB-001"]


@pytest.mark.parametrize("name", TABLES)
def test_a_key_that_stands_twice_is_told(tables: Frames, name: str) -> None:
    assert not tables[name].is_empty()
    found = told([*check_tables(tables | {name: pl.concat([tables[name], tables[name].head(1)])})])
    key = ", ".join(TABLES[name].definition().primary_key)
    assert found[0][:2] == ("TAB-002", 2)
    assert found[0][2].startswith(f"{name}: 2 rows share a key ({key}), such as {{")
    assert max(len(message) for *_, message in found) <= 300


@pytest.mark.parametrize(("table", "column"), [("papers", "citekey"), ("profiles", "sha256")])
def test_a_unique_value_that_stands_twice_is_told(tables: Frames, table: str, column: str) -> None:
    rows = pl.concat([tables[table].head(1), tables[table].tail(1)])
    ids = pl.Series(TABLES[table].definition().primary_key[0], ["a234567a234567ab", "b234567a234567ab"])
    twice = rows.with_columns(ids, pl.lit("0" * 64).alias(column))
    assert [(rule_id, rows) for rule_id, rows, _ in told([*check_tables({table: twice})])] == [("TAB-002", 2)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param("categories", "papers.category_id: 1 keys are not in categories, such as ('cs.CL',)", id="one"),
        pytest.param("papers", f"listings.paper_id: 2 keys are not in papers, such as ('{BELLS}',)", id="two"),
        pytest.param("authors", "author_names.author_id: 4 keys are not in authors, such as ('ann-bell',)", id="four"),
        pytest.param("rules", "findings.rule_id: 1 keys are not in rules, such as ('PAG-004',)", id="rules"),
    ],
)
def test_a_foreign_key_that_leads_nowhere_is_told(tables: Frames, table: str, message: str) -> None:
    found = told([*check_tables(tables | {table: tables[table].clear()})])
    assert {rule_id for rule_id, *_ in found} == {"TAB-003"}
    assert message in [text for *_, text in found]


def test_a_foreign_key_of_two_columns_is_followed(tables: Frames) -> None:
    (profile_id,) = tables["profiles"]["profile_id"]
    variants = TABLES["variants"].frame([(profile_id, 2, "title", "On Chimes!"), (profile_id, 3, "title", "On Bells")])
    assert told([*check_tables(tables | {"variants": variants})]) == [
        ("TAB-003", 1, f"variants.profile_id, position: 1 keys are not in listings, such as ('{profile_id}', 3)")
    ]


@pytest.mark.parametrize("column", ["author_id", "category_id"])
def test_a_foreign_key_that_is_null_leads_nowhere_and_may(tables: Frames, column: str) -> None:
    assert list(check_tables(with_value(tables, "profiles", column, None))) == []


@pytest.mark.parametrize(
    ("table", "change", "rule_id"),
    [
        pytest.param("authors", pl.lit("").alias("author_id"), "TAB-001", id="value"),
        pytest.param("papers", pl.lit("bell").alias("citekey"), "TAB-002", id="key"),
        pytest.param("links", pl.lit("q" * 16).alias("paper_id"), "TAB-003", id="foreign-key"),
        pytest.param("profiles", pl.lit("0" * 64).alias("sha256"), "PAG-003", id="rebuild"),
        pytest.param("listings", pl.col("line_end") + 2, "PAG-002", id="accounting"),
    ],
)
def test_broken_tables_fail_the_build(
    staged: StagedBatch, resolved: Resolved, table: str, change: pl.Expr, rule_id: str
) -> None:
    broken = replace(resolved, tables=resolved.tables | {table: resolved.tables[table].with_columns(change)})
    results = summarize(validate(broken, staged, Overrides()))
    assert (results.verdict, results.rule(rule_id).status) == ("failed", "failed")
    with pytest.raises(BadData) as caught:
        require_good(results, "error")
    assert caught.value.exit_code == Exit.BAD_DATA == 1


def test_a_lost_paper_fails_the_build_as_broken_tables(staged: StagedBatch, resolved: Resolved) -> None:
    papers = resolved.tables["papers"].filter(pl.col("paper_id") != CHIMES)
    tables = validate(replace(resolved, tables=resolved.tables | {"papers": papers}), staged, Overrides())
    with pytest.raises(BadData, match=r"^TAB-003: paper_authors\.paper_id: 1 keys are not in papers"):
        require_good(summarize(tables), "error")


@pytest.mark.parametrize(
    ("table", "row"),
    [("authors", ("zoe", "Zoe", "person", None, "Zoe", 1)), ("institutions", ("lab", "Lab"))],
)
def test_a_row_that_nothing_refers_to_is_told(tables: Frames, table: str, row: tuple[object, ...]) -> None:
    more = pl.concat([tables[table], TABLES[table].frame([row])])
    (failure,) = check_tables(tables | {table: more})
    assert (failure.rule_id, failure.rows) == ("TAB-004", 1)
    assert failure.message == f"{table}: 1 rows that nothing refers to, such as {row[0]}"
