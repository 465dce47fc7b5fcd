"""Redact a release: a copy without abstracts, or without people's names, that can be published.

In: a release, and what to remove. Out: another release, of the same tables, marked as redacted. Rows are read from the database
in order, changed by SQL with functions of `NameEraser`, and written batch by batch, so that memory does not grow with the
release. Search indexes, statistics, Parquet files and reports are made anew from the changed rows.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow.parquet as pq
from datasette.utils import tilde_decode, tilde_encode

from etl.errors import UsageError
from etl.load.dataset_facts import DatasetFacts
from etl.load.draft import batches_of, write_whole
from etl.load.layout import PAPER_LIST_FILE, REDACTED, RELEASES
from etl.load.manifest import hash_tables, provenance_of, require_undamaged
from etl.load.parquet import write_parquet_batches
from etl.load.publish import WrittenTables, locked, publish_written
from etl.load.sqlite import quoted
from etl.release.erasing import ERASED, ERASED_WORD, NameEraser
from etl.release.release import Release, open_database, open_release
from etl.release.verify import paper_lists
from etl.report import REPORT_FILE, render_html
from etl.report.charts import charts_of
from etl.report.results import RESULTS_FILE, ReferenceResult, Results, read_results, write_results
from etl.resolve.folding import fold_long
from schemas import TABLES, Column, Definition, PaperList
from schemas.limits import PAPER_ID, PROFILE_ID, SHA256

BATCH = 10_000
"""Rows that are changed at once."""
LEFT_OUT = "left out of this copy"
_CODES = frozenset({PAPER_ID, PROFILE_ID, SHA256})
_AUTHORS = frozenset({"author_id"})


@dataclass(frozen=True)
class Redaction:
    """What to remove: the abstracts, and the names of people."""

    abstracts: bool
    names: tuple[str, ...] = ()


def redact(release: Release, redaction: Redaction, out: Path) -> Release:
    """Publish a redacted copy of a release in the output folder `out`, and open it.

    Raises `UsageError` where nothing is to be removed, where a name is nowhere in the release, or where `out` is the
    release's own output folder; `DamagedRelease` where the release is not as it was published.
    """
    if not (redaction.abstracts or redaction.names):
        raise UsageError("nothing to remove; give --no-abstracts, --erase NAME, or both")
    if (out / RELEASES).resolve() == release.path.parent:
        raise UsageError(f"{out}: the output folder of the release itself; choose another folder")
    require_undamaged(release.path)
    with locked(out):
        return write_redacted(release, redaction, out)


def write_redacted(release: Release, redaction: Redaction, out: Path) -> Release:
    """As `redact`, of a release that was just written, into an output folder whose lock the caller has."""
    with open_database(release.path) as database:
        copy = _Copy(release, redaction, database)
        return open_release(publish_written(out, copy.write, copy.documents))


class _Copy:
    """A redacted copy of a release that is being made."""

    def __init__(self, release: Release, redaction: Redaction, database: sqlite3.Connection) -> None:
        self._release = release
        self._redaction = redaction
        self._database = database
        self._named = {name: self._authors_of(name) for name in redaction.names}
        self._erased = {author for authors in self._named.values() for author in authors}
        self._eraser = NameEraser([(name, self._spellings_of(authors)) for name, authors in self._named.items()])
        functions: dict[str, Callable[[Any], str | bool | None]] = {
            "erased_text": self._eraser.text,
            "erased_words": self._eraser.words,
            "erased_token": self._eraser.token,
            "erased_key": self._key,
            "erased_author": self._author,
            "is_erased": self._erased.__contains__,
            "is_renamed": self._ids.__contains__,
        }
        for name, function in functions.items():
            database.create_function(name, 1, function, deterministic=True)

    def write(self, folder: Path) -> WrittenTables:
        """Write the tables; raises `UsageError` where a name was not found."""
        rows = {}
        for name, model in TABLES.items():
            path = folder / f"{name}.parquet"
            rows[path.name] = write_parquet_batches(path, model, self._rows(name, model.definition()))
        self._require_found()
        write_whole(folder, REDACTED)
        rows[PAPER_LIST_FILE] = write_parquet_batches(folder / PAPER_LIST_FILE, PaperList, paper_lists(folder))
        return WrittenTables(self._facts(folder, rows), rows)

    def documents(self, draft: Path) -> dict[str, str]:
        """The results of the release, without raw lines and with the findings of the copy; none where it has none."""
        path = self._release.path / RESULTS_FILE
        if not path.is_file():
            return {}
        results = self._results(read_results(path.read_text(encoding="utf-8"), path), draft)
        return {RESULTS_FILE: write_results(results), REPORT_FILE: render_html(results)}

    def _authors_of(self, name: str) -> list[str]:
        """The authors with a spelling that is equal to the name after folding."""
        wanted = fold_long(name)
        if not wanted:
            raise UsageError(f"{name!r}: found no letters, expected a name to erase")
        found = self._database.execute("SELECT author_id, name FROM author_names ORDER BY author_id")
        return list(dict.fromkeys(author for author, spelling in found if fold_long(spelling) == wanted))

    def _spellings_of(self, authors: Collection[str]) -> list[str]:
        spelled = "SELECT name FROM author_names WHERE author_id = ? ORDER BY name"
        return [name for author in authors for (name,) in self._database.execute(spelled, [author])]

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The new identifiers of the authors whose own have an erased name."""
        ids = [author for (author,) in self._database.execute("SELECT author_id FROM authors ORDER BY author_id")]
        used, new = set(ids), {}
        for author in ids:
            plain = ERASED_WORD if author in self._erased else self._eraser.text(author).replace(ERASED, ERASED_WORD)
            if plain != author:
                new[author] = _unused(plain, used)
        return new

    def _author(self, author: str | None) -> str | None:
        return self._ids.get(author, author) if author else author

    def _key(self, key: str) -> str:
        """A row's key in a finding, its parts escaped."""
        parts = map(tilde_decode, key.split(","))
        new = [
            self._ids.get(part) or (self._eraser.token if "://" in part else self._eraser.text)(part) for part in parts
        ]
        return ",".join(map(tilde_encode, new))

    def _rows(self, table: str, definition: Definition) -> Iterator[pl.DataFrame]:
        """The changed rows of a table in the order of its key, each key once."""
        keys = ", ".join(map(quoted, definition.primary_key))
        values = ", ".join(f"{self._value(table, column)} AS {quoted(column.name)}" for column in definition.columns)
        once = f"GROUP BY {keys}" if self._redaction.names else ""
        left = f"SELECT {values} FROM {table} WHERE {self._condition(table)}"  # noqa: S608
        cursor = self._database.execute(f"SELECT * FROM ({left}) {once} ORDER BY {keys}")  # noqa: S608
        while rows := cursor.fetchmany(BATCH):
            yield TABLES[table].read(rows)

    def _condition(self, table: str) -> str:
        """Which rows of a table remain."""
        if table == "variants" and self._redaction.abstracts:
            return "field NOT IN ('abstract', 'block')"
        return "NOT (is_renamed(author_id) OR is_renamed(other_id))" if table == "merge_candidates" else "1"

    def _value(self, table: str, column: Column) -> str:
        """The SQL of a column's new value."""
        place = f"{table}.{column.name}"
        rules = [_WITHOUT_TEXT] if self._redaction.abstracts else []
        rules += [_WITHOUT_NAMES] if self._redaction.names else []
        cases = " ".join(f"WHEN {rule[place]}" for rule in rules if place in rule)
        plain = _scrubbed(table, column) if self._redaction.names else column.name
        return f"CASE {cases} ELSE {plain} END" if cases else plain

    def _require_found(self) -> None:
        found = self._eraser.found | {place for place, authors in enumerate(self._named.values()) if authors}
        missing = [name for place, name in enumerate(self._named) if place not in found]
        if missing:
            raise UsageError(
                *(
                    f"{name}: found nowhere in the release, expected a name in it; see its table author_names"
                    for name in missing
                )
            )

    def _facts(self, folder: Path, rows: Mapping[str, int]) -> DatasetFacts:
        saved = self._database.execute("SELECT max(last_observed_on) FROM profiles").fetchone()[0]
        facts = DatasetFacts(
            logical_hash="",
            papers=rows["papers.parquet"],
            pages=rows["profiles.parquet"],
            saved=date.fromisoformat(saved) if saved else None,
            provenance=self._provenance(),
        )
        found = hash_tables(batches_of(folder, TABLES), facts.papers, facts.provenance, facts.redaction)
        return replace(facts, logical_hash=found)

    def _provenance(self) -> dict[str, Any]:
        """That of the release, without names, and what was removed, now or in an earlier redaction."""
        manifest = self._release.manifest
        before = manifest.get("redacted", {"release": manifest["logical_hash"], "abstracts": False, "erased_names": 0})
        redacted = {
            **before,
            "abstracts": before["abstracts"] or self._redaction.abstracts,
            "erased_names": before["erased_names"] + len(self._named),
        }
        provenance: dict[str, Any] = _each_text(self._eraser.token, provenance_of(manifest))
        return provenance | {"redacted": redacted}

    def _results(self, results: Results, draft: Path) -> Results:
        """The results with the words of the copy, without raw lines."""
        findings = _by_key(draft, "findings", ["row_key", "source", "value", "message"])
        pages = _by_key(draft, "profiles", ["source", "name", "author_id"])
        reference = msgspec.to_builtins(results.reference) if results.reference else msgspec.UNSET
        return msgspec.structs.replace(
            results,
            rows={name: pq.read_metadata(draft / f"{name}.parquet").num_rows for name in results.rows},
            findings=[
                msgspec.structs.replace(one, raw=[], **findings[one.id])
                for one in results.findings
                if one.id in findings
            ],
            pages=[msgspec.structs.replace(one, **pages[one.profile_id]) for one in results.pages],
            charts=charts_of(draft),
            reference=msgspec.convert(_each_text(self._eraser.token, reference), ReferenceResult)
            if reference
            else reference,
        )


_TITLE = "(SELECT title FROM rules WHERE rules.rule_id = findings.rule_id)"
_QUOTES_TEXT = """
rule_id IN (SELECT rule_id FROM rules WHERE column_name IN ('abstract', 'raw_text', 'header')
  OR table_name = 'profiles' AND column_name IS NULL)
"""
"""Findings about pages' text, which quote it."""
_WITHOUT_TEXT = {
    "papers.abstract": "1 THEN ''",
    "profiles.header": "1 THEN ''",
    "quarantine.raw_text": "1 THEN ''",
    "quarantine.reason": f"1 THEN '{LEFT_OUT}'",
    "findings.value": f"{_QUOTES_TEXT} THEN NULL",
    "findings.message": f"{_QUOTES_TEXT} THEN {_TITLE} || ' ({LEFT_OUT})'",
}
"""What columns with pages' text have in a copy without abstracts: a condition, and the SQL of the value."""
_FIRST_AUTHOR = "SELECT 1 FROM paper_authors WHERE paper_authors.paper_id = papers.paper_id AND position = 1"
_WITHOUT_NAMES = {
    "authors.name": f"is_erased(author_id) THEN '{ERASED}'",
    # A name within another may be in two parts: "Max Ann" and "Bell".
    "authors.given": "is_erased(author_id) OR erased_text(name) <> name THEN NULL",
    "authors.family": f"is_erased(author_id) THEN '{ERASED}' WHEN erased_text(name) <> name THEN erased_text(name)",
    "authors.spelling_count": "is_erased(author_id) THEN 1",
    "author_names.name": f"is_erased(author_id) THEN '{ERASED}'",
    "author_names.matched_by": "is_erased(author_id) THEN 'exact'",
    "author_names.evidence": "is_erased(author_id) THEN NULL",
    "paper_authors.name": f"is_erased(author_id) THEN '{ERASED}'",
    "profiles.name": f"is_erased(author_id) THEN '{ERASED}'",
    "papers.citekey": f"EXISTS ({_FIRST_AUTHOR} AND is_erased(author_id)) THEN '{ERASED_WORD}-' || paper_id",
}
"""What columns that are made of names have for erased authors, in the same form; all other text is searched for the names."""
_OWN_WORDS = frozenset({"evidence", "message"})
_TOKENS = frozenset({"citekey", "host", "institution_id", "source", "url"})
_UNTOUCHED = frozenset({"rules", "categories"})
"""Tables whose words are not the pages'."""


def _scrubbed(table: str, column: Column) -> str:
    """The SQL of a column without the erased names."""
    checks = dict(column.checks)
    if column.dtype != pl.String or table in _UNTOUCHED or "isin" in checks:
        return column.name
    if checks.get("str_matches", {}).get("pattern") in _CODES:
        return column.name
    if column.name in _AUTHORS:
        return f"erased_author({column.name})"
    if f"{table}.{column.name}" == "findings.row_key":
        return "erased_key(row_key)"
    kind = "token" if column.name in _TOKENS else "words" if column.name in _OWN_WORDS else "text"
    return f"erased_{kind}({column.name})"


def _unused(name: str, used: set[str]) -> str:
    """The name, with a number where it is used; from now on it is.

    >>> used = {"ann"}
    >>> _unused("erased", used), _unused("erased", used)
    ('erased', 'erased-2')
    """
    new = next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in used)
    used.add(new)
    return new


def _each_text(change: Callable[[str], str], value: Any) -> Any:
    """A value of JSON with each text changed.

    >>> _each_text(str.upper, {"skipped": ["a.txt"], "records": 7})
    {'skipped': ['A.TXT'], 'records': 7}
    """
    if isinstance(value, dict):
        return {key: _each_text(change, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_each_text(change, one) for one in value]
    return change(value) if isinstance(value, str) else value


def _by_key(folder: Path, table: str, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Some columns of each row of a table with a key of one column, by key."""
    (key,) = TABLES[table].definition().primary_key
    frame = pl.read_parquet(folder / f"{table}.parquet", columns=[key, *columns], glob=False)
    return {row.pop(key): row for row in frame.to_dicts()}
