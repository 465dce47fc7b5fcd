"""Rebuild pages from the tables, byte for byte.

A page is its stored header, then for each listing its variants or else the merged row, and the quarantine, each at its line
number; all other lines are blank.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from etl.extract.byline import Byline, render_byline
from etl.extract.page import join_lines, render_block
from schemas import Frames

_PARTS = ("title", "byline", "abstract", "block")
_PAGES, _PAPERS = 500, 25_000
"""Pages that are rebuilt at once (some 40 MB of text), and papers whose bylines are."""


def listing_lines(printed: Mapping[str, Any]) -> list[str]:
    """The raw lines of a listing: its variant `block` if there is one, else its parts with blank lines between them.

    `printed` has badge, title, byline and abstract (the variant or else the merged row's), block (None without such a
    variant), line_start and line_end.

    >>> bells = {"badge": "CLMay 1", "title": "On Bells", "byline": "Ann Bell", "abstract": "They ring."}
    >>> listing_lines({**bells, "block": None, "line_start": 3, "line_end": 8})
    ['CLMay 1', 'On Bells', '', 'Ann Bell', '', 'They ring.']
    """
    if printed["block"] is not None:
        return str(printed["block"]).split("\n")
    count = printed["line_end"] - printed["line_start"] + 1
    return render_block(printed["badge"], printed["title"], printed["byline"], printed["abstract"], count)


def rebuild_pages(tables: Frames) -> Iterator[tuple[str, bytes]]:
    r"""The id and the bytes of every page in `tables`, sorted by id, rebuilt so many at once that memory is bounded.

    >>> from schemas import TABLES
    >>> page = {"profile_id": "ann", "header": "Ann Bell", "lines": 2, "newline": "LF"}
    >>> tables = {name: model.frame([page] if name == "profiles" else []) for name, model in TABLES.items()}
    >>> list(rebuild_pages(tables))
    [('ann', b'Ann Bell\n')]
    """
    papers = _printed_papers(tables)
    needed = ("profiles", "listings", "variants", "quarantine")
    for part in _parts({name: tables[name] for name in needed}, "profiles", "profile_id", _PAGES):
        yield from _rebuild(part, papers)


def _parts(tables: Frames, name: str, key: str, size: int) -> Iterator[Frames]:
    """So many rows of the table `name` at once, in the order of their key, with all rows of other tables that have these keys."""
    for rows in tables[name].sort(key).iter_slices(size):
        yield {
            other: frame.join(rows.select(key), on=key, how="semi") if key in frame.columns else frame
            for other, frame in tables.items()
        } | {name: rows}


def merged_bylines(tables: Frames) -> pl.DataFrame:
    """Each paper's `byline` as far as the tables contain it: not its part after "et al.".

    So many papers are looked at at once that memory is bounded.

    >>> tables = {
    ...     "papers": pl.DataFrame({"paper_id": "bells", "authors_truncated": True}),
    ...     "paper_authors": pl.DataFrame({"paper_id": "bells", "position": 1, "name": "Ann Bell", "source": "byline"}),
    ...     "paper_institutions": pl.DataFrame({"paper_id": "bells", "institution_id": "mila"}),
    ...     "institutions": pl.DataFrame({"institution_id": "mila", "name": "mila"}),
    ... }
    >>> merged_bylines(tables).rows()
    [('bells', 'Ann Bell et al. · mila')]
    """
    needed = ("papers", "paper_authors", "paper_institutions", "institutions")
    parts = _parts({name: tables[name] for name in needed}, "papers", "paper_id", _PAPERS)
    return pl.concat([pl.DataFrame(schema={"paper_id": pl.String, "byline": pl.String}), *map(_bylines, parts)])


def _bylines(tables: Frames) -> pl.DataFrame:
    names = _lists(tables["paper_authors"].filter(source="byline").sort("paper_id", "position"), "names")
    tagged = tables["paper_institutions"].join(tables["institutions"], on="institution_id")
    tags = _lists(tagged.sort("paper_id", "institution_id"), "tags")
    papers = tables["papers"].select("paper_id", "authors_truncated")
    parts = papers.join(names, on="paper_id", how="left", maintain_order="left").join(
        tags, on="paper_id", how="left", maintain_order="left"
    )
    bylines = [
        render_byline(Byline(tuple(names or ()), truncated, tuple(tags or ())))
        for names, truncated, tags in parts.select("names", "authors_truncated", "tags").iter_rows()
    ]
    return parts.select("paper_id", pl.Series("byline", bylines, pl.String))


def _printed_papers(tables: Frames) -> pl.DataFrame:
    """The merged title, byline and abstract of each paper, and no raw lines."""
    return (
        tables["papers"]
        .select("paper_id", "title", "abstract", pl.lit(None, dtype=pl.String).alias("block"))
        .join(merged_bylines(tables), on="paper_id")
    )


def _printed_listings(tables: Frames, papers: pl.DataFrame) -> pl.DataFrame:
    """The listings with their printed title, byline and abstract, and their raw lines if they are a variant."""
    listings = tables["listings"].select("profile_id", "position", "paper_id", "badge", "line_start", "line_end")
    parts = listings.join(papers.join(listings, on="paper_id", how="semi"), on="paper_id", how="left")
    for part in _PARTS:
        variant = (
            tables["variants"]
            .filter(pl.col("field") == part)
            .select("profile_id", "position", pl.col("value").alias("variant"))
        )
        parts = (
            parts.join(variant, on=["profile_id", "position"], how="left")
            .with_columns(pl.coalesce("variant", part).alias(part))
            .drop("variant")
        )
    return parts


def _rebuild(tables: Frames, papers: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    pages = {profile: [""] * lines for profile, lines in tables["profiles"].select("profile_id", "lines").iter_rows()}
    for profile, line_start, text in _texts(tables):
        _place(pages[profile], line_start, text.split("\n"))
    for listing in _printed_listings(tables, papers).iter_rows(named=True):
        _place(pages[listing["profile_id"]], listing["line_start"], listing_lines(listing))
    for profile, newline in tables["profiles"].select("profile_id", "newline").iter_rows():
        yield profile, join_lines(newline, pages.pop(profile)).encode()


def _texts(tables: Frames) -> Iterator[tuple[str, int, str]]:
    """Each stored header and each run of lines in quarantine, with its page and first line."""
    yield from tables["profiles"].select("profile_id", pl.lit(1), "header").iter_rows()
    yield from tables["quarantine"].select("profile_id", "line_start", "raw_text").iter_rows()


def _place(lines: list[str], line_start: int, placed: list[str]) -> None:
    lines[line_start - 1 : line_start - 1 + len(placed)] = placed


def _lists(named: pl.DataFrame, name: str) -> pl.DataFrame:
    """The names of each paper, in order, as a list."""
    return named.group_by("paper_id", maintain_order=True).agg(pl.col("name").alias(name))
