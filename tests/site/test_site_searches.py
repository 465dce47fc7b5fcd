"""What a full-text search may take: how many words, from where, and in which SQL."""

# ruff: noqa: S608  all SQL is made of words in this file

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from datasette.app import Datasette
from site_words import ask

from etl.load.layout import DATABASE_FILE, METADATA
from etl.site.safety.search_limits import MOST_WORDS, words_of
from etl.site.served import SETTINGS
from schemas.limits import ABSTRACT_LETTERS

CROWDED = "aaaaaaaaaaaaaaaa"
"""A paper whose abstract is one word of a letter ten thousand times, as long as an abstract may be."""


@pytest.fixture(scope="module")
def crowded(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """The site of a release with such a paper."""
    place = tmp_path_factory.mktemp("crowded") / release.name
    shutil.copytree(release, place)
    with closing(sqlite3.connect(place / DATABASE_FILE)) as database:
        values = (CROWDED, "Peals", "z " * (ABSTRACT_LETTERS // 2), "x2020")
        database.execute("INSERT INTO papers VALUES (?, ?, ?, NULL, NULL, 0, 1, 1, 0, 0, ?)", values)
        database.execute("INSERT INTO papers_fts(papers_fts) VALUES ('rebuild')")
        database.commit()
    metadata = json.loads((place / METADATA).read_text(encoding="utf-8"))
    # The tests measure what a search computes; its time by the clock depends on what else the machine does.
    settings = dict(SETTINGS) | {"sql_time_limit_ms": 20_000}
    return Datasette([], immutables=[str(place / DATABASE_FILE)], metadata=metadata, settings=settings)


@pytest.mark.parametrize("form", ["", ".json", ".csv", ".parquet"])
def test_a_search_for_one_word_many_times_ends_soon(crowded: Datasette, form: str) -> None:
    start = time.process_time()
    address, words = f"/paperledger/search_papers{form}", "z " * (MOST_WORDS - 1)
    answer = ask(crowded, address, params={"q": words})
    assert answer.status_code == 200, answer.text
    assert form == ".parquet" or CROWDED in answer.text
    refused = ask(crowded, address, params={"q": words * 30})
    assert (refused.status_code, f"at most {MOST_WORDS}" in refused.text) == (400, True)
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "address",
    [
        "papers?_search=",
        "papers.json?_searchmode=raw&_search=",
        "papers_fts?papers_fts__exact=",
        "papers.parquet?_search=",
    ],
)
def test_a_search_has_a_hundred_words_at_most(crowded: Datasette, address: str) -> None:
    start = time.process_time()
    answer = ask(crowded, f"/paperledger/{address}NEAR({'z+' * 600},9)")
    assert (answer.status_code, f"at most {MOST_WORDS}" in answer.text) == (400, True)
    assert ask(crowded, f"/paperledger/{address}NEAR({'z+' * 6},9)").status_code == 200
    assert time.process_time() - start < 3


RANKED = "replace(hex(zeroblob(1150)), '0', 'the OR ') || 'the'"
RANKING = {
    "snippet": "snippet(papers_fts, 1, '', '', '', 64)",
    "highlight": "highlight(papers_fts, 1, '', '')",
    "bm25": "bm25(papers_fts)",
    "rank": "papers_fts.rank",
}


@pytest.mark.parametrize("form", ["", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize("name", RANKING)
def test_words_are_marked_and_ranked_by_canned_queries_only(crowded: Datasette, name: str, form: str) -> None:
    sql = f"SELECT {RANKING[name]} AS found FROM papers_fts WHERE papers_fts MATCH ({RANKED})"
    start = time.process_time()
    answer = ask(crowded, f"/paperledger{form}", params={"sql": sql})
    assert (answer.status_code, f"{name} takes" in answer.text) == (400, True)
    assert time.process_time() - start < 1


SEARCH = "('NEAR(' || replace(hex(zeroblob(600)), '00', 'z ') || ')')"
FOUND = "SELECT count(*) AS found FROM papers_fts"
MADE = f"WITH made(words) AS (SELECT {SEARCH} UNION ALL SELECT 'bell')"
COMPUTED = {
    "match": f"{FOUND} WHERE papers_fts MATCH {SEARCH}",
    "equal": f"{FOUND} WHERE papers_fts = {SEARCH}",
    "equal, reversed": f"{FOUND} WHERE {SEARCH} = papers_fts",
    "of a column": f"{FOUND} WHERE abstract MATCH {SEARCH}",
    "of authors": f"SELECT count(*) FROM authors_fts WHERE names MATCH {SEARCH}",
    "one of several": f"{FOUND} WHERE papers_fts IN ('bell', {SEARCH})",
    "as a function": f"{FOUND}({SEARCH})",
    "in a subquery": f"{FOUND} WHERE papers_fts MATCH (SELECT {SEARCH})",
    "in values": f"{FOUND} WHERE papers_fts MATCH (VALUES ({SEARCH}))",
    "in a common table": f"{MADE} {FOUND}((SELECT max(words) FROM made))",
    "of a joined row": f"{MADE} {FOUND}, made WHERE papers_fts MATCH words",
    "of an outer join": f"{MADE} SELECT count(*) FROM made LEFT JOIN papers_fts ON papers_fts MATCH words",
    "of a function of a joined row": f"{MADE} SELECT count(*) FROM made JOIN papers_fts(words)",
    "recursive": "WITH RECURSIVE c(t) AS (SELECT 'z' UNION ALL SELECT t || ' ' || t FROM c WHERE length(t) < 4000)"
    f" {FOUND}((SELECT max(t) FROM c))",
    "of a table's column": f"{FOUND} WHERE papers_fts MATCH (SELECT group_concat(abstract) FROM papers)",
    "of an outer query": "SELECT 1 FROM papers AS p WHERE EXISTS (SELECT 1 FROM papers_fts WHERE papers_fts MATCH p.abstract)",
    "of the index": "SELECT 1 FROM papers_fts AS a JOIN papers_fts AS b ON b.papers_fts = a.abstract",
    "in the order": "SELECT 1 FROM papers AS p ORDER BY (SELECT count(*) FROM papers_fts(p.abstract))",
    "in a limit": f"SELECT 1 FROM papers LIMIT (SELECT count(*) FROM papers_fts({SEARCH}))",
    "in a window": f"SELECT sum(1) OVER (ORDER BY (SELECT count(*) FROM papers_fts({SEARCH}))) FROM papers",
    "in a union": f"{FOUND}('bell') UNION ALL {FOUND}({SEARCH})",
    "beside a text": f"{FOUND} WHERE papers_fts MATCH 'bell' AND title MATCH {SEARCH}",
    "or a text": f"{FOUND} WHERE papers_fts MATCH 'bell' OR papers_fts MATCH {SEARCH}",
    "of one row": f"{FOUND} WHERE papers_fts MATCH {SEARCH} AND rowid = 1",
    "of a case": f"{FOUND} WHERE papers_fts MATCH CASE WHEN :q = 'x' THEN {SEARCH} ELSE 'bell' END",
    "of another case": f"{FOUND} WHERE papers_fts MATCH CASE WHEN :q = 'y' THEN 'bell' ELSE {SEARCH} END",
    "of no null": f"{FOUND} WHERE papers_fts MATCH coalesce({SEARCH}, 'bell')",
    "of a condition": f"{FOUND} WHERE papers_fts MATCH iif(:q = 'x', {SEARCH}, :q)",
    "cast": f"{FOUND} WHERE papers_fts MATCH CAST({SEARCH} AS text)",
    "compared": f"{FOUND} WHERE papers_fts MATCH {SEARCH} COLLATE nocase",
    "likely": f"{FOUND} WHERE papers_fts MATCH likely({SEARCH})",
    "escaped": f"{FOUND} WHERE papers_fts MATCH escape_fts({SEARCH})",
    "of a parameter": f"{FOUND} WHERE papers_fts MATCH 'NEAR(' || :q || ')'",
    "of JSON": f"{FOUND} WHERE papers_fts MATCH json_array({SEARCH}) ->> 0",
    "of a row of JSON": f"SELECT 1 FROM json_each(json_array({SEARCH})) AS j JOIN papers_fts(j.value)",
}


@pytest.mark.parametrize("name", COMPUTED)
def test_words_that_sql_computes_are_not_searched(crowded: Datasette, name: str) -> None:
    start = time.process_time()
    answer = ask(crowded, "/paperledger.json", params={"sql": COMPUTED[name], "q": "x"})
    assert (answer.status_code, "computed by SQL" in answer.text) == (400, True)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("form", ["", ".json", ".csv", ".parquet"])
@pytest.mark.parametrize(
    "sql",
    [
        COMPUTED["match"],
        f"{FOUND} WHERE papers_fts MATCH '{'z ' * 101}'",
        f"{FOUND} WHERE papers_fts MATCH 'z{'_z' * 100}'",
        f"{FOUND} WHERE papers_fts MATCH '{'ᦰa' * 101}'",
        f"{FOUND} WHERE papers_fts MATCH 'NEAR({'z ' * 18})'",
        f"{FOUND} WHERE papers_fts MATCH '{'z ' * 51}' AND abstract MATCH '{'z ' * 51}'",
        f"{FOUND} WHERE papers_fts MATCH :q{' AND abstract MATCH :q' * 2}",
        f"{FOUND} WHERE papers_fts MATCH :q AND abstract MATCH :r",
        f"/**/{FOUND}(:q || 'x');",
    ],
)
def test_searches_of_too_many_words_are_refused_in_every_format(crowded: Datasette, sql: str, form: str) -> None:
    start = time.process_time()
    answer = ask(crowded, f"/paperledger{form}", params={"sql": sql, "q": "z " * 40, "r": "bell " * 70})
    assert (answer.status_code, "to search for" in answer.text or "computed by" in answer.text) == (400, True)
    assert time.process_time() - start < 0.5


ANSWERED = {
    "a text": f"{FOUND} WHERE papers_fts MATCH 'z OR nosuch'",
    "a parameter": f"{FOUND} WHERE papers_fts MATCH :q",
    "two": f"{FOUND} WHERE title MATCH 'peals' AND abstract MATCH :q",
    "one of two": f"{FOUND} WHERE papers_fts MATCH 'nosuch' OR papers_fts MATCH :q",
    "near": f"{FOUND} WHERE papers_fts MATCH 'NEAR({'z ' * 14},9)'",
    "a number": f"{FOUND} WHERE papers_fts MATCH 2020 OR papers_fts MATCH :q",
    "a function": f"{FOUND}('z')",
    "a union": f"{FOUND}('z') UNION {FOUND}(:q)",
    "escaped": f"{FOUND} WHERE papers_fts MATCH escape_fts(:q)",
    "joined to its table": "SELECT count(*) AS found FROM papers JOIN papers_fts ON papers_fts.rowid = papers.rowid"
    " WHERE papers_fts MATCH 'z'",
    "joined from its table": "SELECT count(*) AS found FROM papers CROSS JOIN papers_fts ON papers_fts.rowid = papers.rowid"
    " WHERE papers_fts MATCH 'z'",
    "an outer join": "SELECT count(title) AS found FROM papers LEFT JOIN"
    " (SELECT rowid AS place FROM papers_fts('z')) ON place = papers.rowid WHERE place",
    "rows by number": f"{FOUND} WHERE papers_fts MATCH 'z' AND rowid BETWEEN 1 AND :n AND rowid IN (SELECT rowid FROM papers)",
    "rows without words": f"{FOUND} WHERE rowid = (SELECT max(rowid) FROM papers)",
    "a subquery": "SELECT count(*) AS found FROM papers WHERE rowid IN (SELECT rowid FROM papers_fts WHERE papers_fts MATCH :q)"
    " AND rowid > (SELECT 0)",
    "of each row": "SELECT count(*) AS found FROM papers AS p"
    " WHERE EXISTS (SELECT 1 FROM papers_fts WHERE papers_fts MATCH 'z' AND rowid = p.rowid)",
    "JSON beside it": f"{FOUND}, json_each(json_array(1)) AS j WHERE papers_fts MATCH 'z' AND j.value > 0",
    "compared texts": f"{FOUND} WHERE title LIKE 'pea' || '%' AND papers_fts MATCH 'z'",
}


@pytest.mark.parametrize("name", ANSWERED)
def test_texts_and_parameters_are_searched_in_time(crowded: Datasette, name: str) -> None:
    start = time.process_time()
    values = {"sql": ANSWERED[name], "q": "z", "n": "1000000", "_shape": "array"}
    answer = ask(crowded, "/paperledger.json", params=values)
    assert (answer.status_code, answer.json()) == (200, [{"found": 1}])
    assert time.process_time() - start < 1


def test_what_a_search_is_compiled_to_is_shown(crowded: Datasette) -> None:
    for sql in (f"EXPLAIN {COMPUTED['match']}", f"/**/ explain query plan {COMPUTED['match']}"):
        assert ask(crowded, "/paperledger.json", params={"sql": sql}).status_code == 200


def test_a_table_is_searched_with_conditions(crowded: Datasette) -> None:
    for address in ("papers.json?_search=z&_where=rowid", "papers.csv?_search_title=peals&_search_abstract=z"):
        answer = ask(crowded, f"/paperledger/{address}")
        assert (answer.status_code, CROWDED in answer.text) == (200, True)


def test_the_words_of_all_parameters_are_counted_together(crowded: Datasette) -> None:
    start = time.process_time()
    answer = ask(crowded, "/paperledger/papers_fts?" + "&".join(["papers_fts__exact=" + "z+" * 60] * 30))
    assert (answer.status_code, f"at most {MOST_WORDS}" in answer.text) == (400, True)
    assert time.process_time() - start < 0.5


@pytest.fixture
def letters() -> Iterator[sqlite3.Connection]:
    """A full-text index, and its words."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61')")
        connection.execute("CREATE VIRTUAL TABLE found USING fts5vocab(t, instance)")
        yield connection


@pytest.mark.parametrize("between", ["_", " ", "-", "ᦰ", "ß", "語", "\u0301", '"', ",", "·", "ª", "𐴀"])
def test_no_more_words_are_searched_than_are_counted(letters: sqlite3.Connection, between: str) -> None:
    text = f"x{between}" * 1000 + "x"
    letters.execute("INSERT INTO t VALUES (?)", [text])
    (found,) = letters.execute("SELECT count(*) FROM found").fetchone()
    assert found <= words_of(text)
