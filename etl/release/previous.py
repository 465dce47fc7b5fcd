"""The release before another, and the papers that only one of two releases has.

In: a release in the folder `releases` of an output folder. Out: the release published before it, and frames of papers.
"""

from pathlib import Path

import polars as pl

from etl.errors import UsageError
from etl.load.layout import RELEASES
from etl.load.publish import newest_first
from etl.release.release import Release

_COLUMNS = ("paper_id", "title", "published")


def release_before(folder: Path) -> Path | None:
    """The folder of the release published before this one; None where it is the first, or is not in an output folder.

    Raises `OSError` if the releases cannot be listed.
    """
    if folder.parent.name != RELEASES:
        return None
    folders = newest_first(folder.parent.parent)
    return next(iter(folders[folders.index(folder) + 1 :]), None) if folder in folders else None


def papers_only_in(release: Release, other: Release) -> pl.DataFrame:
    """The papers (paper_id, title, published) that the other release does not have, the newest first.

    Raises `UsageError` if a table is damaged or lacks a column.
    """
    own, others = release.read("papers", _COLUMNS), other.read("papers", _COLUMNS[:1])
    if own is None or others is None:
        lacking = release if own is None else other
        raise UsageError(f"{lacking.path}: no papers with {', '.join(_COLUMNS)}; expected a release of paperledger")
    only = own.join(others, on="paper_id", how="anti")
    return only.sort("published", "paper_id", descending=[True, False], nulls_last=True)
