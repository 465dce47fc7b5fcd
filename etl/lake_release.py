"""A release made from a lake: one SQLite file and Parquet files, of all its papers or of a part of them.

In: a lake, and a condition on papers. Out: a release, served and verified as any other. Rows pass through in the order of their
keys, batch by batch; only keys are in memory together. Of a part, a row remains where all rows that it refers to do.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from etl.errors import DamagedRelease, UsageError
from etl.export.selection import Selection, select_papers
from etl.lake import Lake
from etl.load.dataset_facts import DatasetFacts
from etl.load.draft import batches_of, write_whole
from etl.load.layout import DATABASE_FILE, LAKE, PAPER_LIST_FILE, REDACTED, RELEASES
from etl.load.manifest import hash_tables, provenance_of
from etl.load.parquet import write_parquet_batches
from etl.load.publish import WrittenTables, failures_reported, locked, new_folder, publish_written
from etl.load.sqlite import write_rows
from etl.redaction import Redaction, write_redacted
from etl.release.release import Release, open_release
from etl.release.verify import paper_lists
from etl.report import REPORT_FILE, render_html
from etl.report.charts import charts_of
from etl.report.results import RESULTS_FILE, read_results, write_results
from etl.validate.rule_results import row_key
from schemas import TABLES, Findings, PaperList
from schemas.limits import ROWS_PER_BATCH, SQLITE_PAPERS


def release_of(lake: Lake, out: Path, where: str | None = None, *, abstracts: bool = True) -> Release:
    """Publish a release of a lake's papers in the output folder `out`, and open it.

    `where` is a condition in SQL over the columns of `paper_list`; without `abstracts` the release is a redacted copy.

    Raises `UsageError` where the papers are more than SQLite serves well, or `where` is no condition; `DamagedRelease` where the
    lake is not as it was published.
    """
    with locked(out):
        part = _Part(lake, _chosen(lake, where, out) if where is not None else None, where)
        _require_size(part)
        if abstracts:
            return part.publish(out)
        with new_folder(out, RELEASES) as whole:
            return write_redacted(part.publish(whole), Redaction(abstracts=True), out)


def _require_size(part: "_Part") -> None:
    place, papers = part.lake.path / LAKE, part.papers
    if not papers and part.where is not None:
        raise UsageError(
            f"{place}: found no paper that meets the condition, expected one at least; give another --where"
        )
    if papers > SQLITE_PAPERS:
        raise UsageError(
            f"{place}: found {papers:,} papers, expected at most {SQLITE_PAPERS:,} in one SQLite file, since search and counts take"
            " minutes in a larger one; give --where to choose papers, such as \"published >= '2024'\", or query the lake's"
            " Parquet files, as with DuckDB or Spark"
        )


_FINDINGS = Findings.definition().name
_LISTED = (
    "papers",
    "authors",
    "categories",
    "paper_authors",
    "paper_identifiers",
    "institutions",
    "paper_institutions",
)
"""The tables that the view `paper_list` is made of."""


def _chosen(lake: Lake, where: str, out: Path) -> pl.Series:
    """The ids of the papers that meet a condition, found by SQLite in their facts without the abstracts."""
    with new_folder(out, RELEASES) as folder, failures_reported(out):
        path = folder / DATABASE_FILE
        write_rows(path, {name: _facts_of(lake, name) if name in _LISTED else () for name in TABLES})
        with closing(sqlite3.connect(path)) as database:
            database.set_authorizer(_only_listed)
            places = pl.DataFrame({"place": list(select_papers(database, Selection(where=where)))}, {"place": pl.Int64})
            ids = [paper_id for (paper_id,) in database.execute("SELECT paper_id FROM papers ORDER BY rowid")]
    return pl.Series("paper_id", ids, pl.String).gather(places["place"].sort() - 1)


def _only_listed(action: int, table: str | None, column: str | None, *_: str | None) -> int:
    """Refuse a condition on what that database lacks: it would be met by other papers than in a release."""
    lacks = (
        table in {*TABLES} - {*_LISTED} or (table or "").endswith("_fts") or (table, column) == ("papers", "abstract")
    )
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_READ and lacks else sqlite3.SQLITE_OK


def _facts_of(lake: Lake, table: str) -> Iterator[pl.DataFrame]:
    for batch in lake.batches(table):
        yield batch.with_columns(pl.lit("").alias("abstract")) if table == "papers" else batch


@dataclass
class _Part:
    """The rows of a lake that belong to the chosen papers, or all rows. `kept` are the keys of remaining rows by table."""

    lake: Lake
    chosen: pl.Series | None
    where: str | None
    kept: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def papers(self) -> int:
        """The number of papers."""
        return self.lake.rows("papers") if self.chosen is None else self.chosen.len()

    def publish(self, out: Path) -> Release:
        """Publish them as a release."""
        return open_release(publish_written(out, self._write, self._documents))

    def _write(self, folder: Path) -> WrittenTables:
        if self.chosen is not None:
            self.kept |= _used(self.lake, self.chosen)
        rows = {}
        for name in sorted(TABLES, key=_FINDINGS.__eq__):  # Findings last: they are about rows of any table.
            path = folder / f"{name}.parquet"
            rows[path.name] = write_parquet_batches(path, TABLES[name], self._rows(name))
        write_whole(folder, REDACTED if self.where else 0)
        listed = _row_groups(paper_lists(folder))
        rows[PAPER_LIST_FILE] = write_parquet_batches(folder / PAPER_LIST_FILE, PaperList, listed)
        return WrittenTables(self._facts(folder, rows), rows)

    def _rows(self, table: str) -> Iterator[pl.DataFrame]:
        """The remaining rows of a table, whose keys are added to `kept`."""
        keys = []
        for batch in self.lake.batches(table):
            rows = batch if self.chosen is None else self._remaining(table, batch)
            if self.chosen is not None:
                keys.append(rows.select(TABLES[table].definition().primary_key))
            yield rows
        if keys:
            self.kept.setdefault(table, pl.concat(keys))

    def _remaining(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose key, and every key that they refer to, is kept; of findings, those about rows that remain."""
        definition = TABLES[table].definition()
        if table in self.kept:
            rows = _with_keys(rows, definition.primary_key, self.kept[table])
        for reference in definition.references:
            rows = _with_keys(rows, reference.columns, self.kept[reference.table])
        if table == _FINDINGS:
            keys = [_row_keys(name, kept) for name, kept in self.kept.items()]
            is_known = pl.col("table_name").is_in(list(self.kept))
            about = rows.filter(is_known).join(pl.concat(keys), on=["table_name", "row_key"], how="semi")
            rows = pl.concat([rows.filter(~is_known), about]).sort(definition.primary_key)
        return rows

    def _facts(self, folder: Path, rows: Mapping[str, int]) -> DatasetFacts:
        days = pl.read_parquet(folder / "profiles.parquet", columns=["last_observed_on"], glob=False).to_series()
        saved: date | None = days.max()  # type: ignore[assignment]
        facts = DatasetFacts("", rows["papers.parquet"], rows["profiles.parquet"], saved, self._provenance())
        found = hash_tables(batches_of(folder, TABLES), facts.papers, facts.provenance, facts.redaction)
        if self.where is None and found != self.lake.manifest["logical_hash"]:
            raise DamagedRelease(f"{self.lake.path / LAKE}: found other rows than were published; build the lake again")
        return replace(facts, logical_hash=found)

    def _provenance(self) -> dict[str, Any]:
        """That of the lake, and which part of it this is."""
        manifest = self.lake.manifest
        provenance = {name: value for name, value in provenance_of(manifest).items() if name != "lake"}
        part = {"release": manifest["logical_hash"], "where": self.where, "abstracts": False, "erased_names": 0}
        return provenance | ({"redacted": part} if self.where else {})

    def _documents(self, draft: Path) -> dict[str, str]:
        """The results of the lake, with the charts of the release; none for a part, which they do not describe."""
        text = None if self.where else self.lake.document(RESULTS_FILE)
        if text is None:
            return {}
        results = read_results(text, RESULTS_FILE).with_charts(charts_of(draft))
        return {RESULTS_FILE: write_results(results), REPORT_FILE: render_html(results)}


def _row_groups(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The rows in batches of `ROWS_PER_BATCH`, the row groups of a release's files."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.height for one in waiting) >= ROWS_PER_BATCH:
            *groups, rest = pl.concat(waiting).iter_slices(ROWS_PER_BATCH)
            yield from groups
            waiting = [rest]
    yield pl.concat(waiting) if waiting else PaperList.frame()


def _used(lake: Lake, papers: pl.Series) -> dict[str, pl.DataFrame]:
    """The keys of the papers, and of the pages, people, categories and institutions that belong to them, by table."""
    kept = {"papers": papers.to_frame()}
    for table, owner in (("papers", "papers"), *((name, "papers") for name in _OF_PAPERS), ("profiles", "profiles")):
        for batch in lake.batches(table):
            rows = _with_keys(batch, kept[owner].columns, kept[owner])
            for reference in TABLES[table].definition().references:
                if reference.table != "papers":
                    targets = dict(zip(reference.columns, reference.targets, strict=True))
                    used = rows.select(reference.columns).drop_nulls().rename(targets)
                    kept[reference.table] = pl.concat([kept.get(reference.table, used.clear()), used]).unique()
    return kept


_OF_PAPERS = [
    name
    for name, model in TABLES.items()
    if any(reference.table == "papers" for reference in model.definition().references)
]
"""The tables whose rows belong to papers."""


def _with_keys(rows: pl.DataFrame, columns: Sequence[str], keys: pl.DataFrame) -> pl.DataFrame:
    """The rows whose columns are a key, or null.

    >>> pages = pl.DataFrame({"profile_id": ["a", "b", "c"], "author_id": ["ann", None, "cy"]})
    >>> _with_keys(pages, ["author_id"], pl.DataFrame({"author_id": ["ann"]}))["profile_id"].to_list()
    ['a', 'b']
    """
    known = pl.concat([keys, keys.clear(1)])
    return rows.join(
        known, left_on=list(columns), right_on=known.columns, how="semi", nulls_equal=True, maintain_order="left"
    )


def _row_keys(table: str, keys: pl.DataFrame) -> pl.DataFrame:
    """The keys of a table's rows as findings have them."""
    return keys.select(
        pl.lit(table).alias("table_name"), row_key(TABLES[table].definition().primary_key).alias("row_key")
    )
