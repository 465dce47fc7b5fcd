"""Why numbers are lower bounds, in a sentence; nothing where they are none. In: the checked tables. Out: text."""

import polars as pl

from etl.snapshots import newest_pages
from schemas import Frames
from schemas.limits import PAPERS_A_PAGE


def of_papers(tables: Frames) -> str:
    """What numbers of papers lack: those that pages state and do not list."""
    return _bound(_short_pages(tables))


def of_coauthors(tables: Frames) -> str:
    """What numbers of co-authors lack: those behind a cut byline, too."""
    return _bound(_cut_bylines(tables), _short_pages(tables))


def _bound(*reasons: str) -> str:
    told = ", and ".join(filter(None, reasons))
    return f"A lower bound: {told}." if told else ""


def _cut_bylines(tables: Frames) -> str:
    cut, papers = tables["papers"]["authors_truncated"].sum(), tables["papers"].height
    return f"{cut:,} of {papers:,} bylines are cut, so that many who wrote together are not seen" if cut else ""


def _short_pages(tables: Frames) -> str:
    newest = newest_pages(tables["profiles"])
    short = newest.filter(pl.col("listed_papers") < pl.col("stated_papers")).height
    told = f"on {short:,} of {newest.height:,} pages fewer papers are listed than stated (the site shows at most {PAPERS_A_PAGE})"
    return told if short else ""
