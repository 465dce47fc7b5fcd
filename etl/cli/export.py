"""The command `export`: papers of a release as a bibliography or a feed. In: its folder. Out: text, or a file."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import FILE, RELEASE, release_folder, text_option
from etl.cli.output import Output, is_terminal, say, write, write_exactly
from etl.errors import UsageError, refusal
from etl.export import FORMATS

if TYPE_CHECKING:
    from etl.export.selection import Selection

SQLITE = "sqlite"


@click.command()
@click.argument("form", type=click.Choice([*FORMATS, SQLITE]))
@release_folder
@text_option("--author", "ID", "Papers of this author, such as ann-bell.")
@text_option("--category", "ID", "Papers of this category, such as cs.CL, cross-listed ones too.")
@text_option("--search", "WORDS", 'Papers with all of these words, or with one "exact phrase" in quotes.')
@text_option(
    "--where",
    "SQL",
    "Papers that meet a condition over the columns of paper_list, such as \"published >= '2024'\".",
)
@click.option("-o", "--output", "file", type=FILE, metavar="FILE", help="Write there.  [default: standard output]")
@click.option("--from", "lake", type=RELEASE, metavar="LAKE", help="For sqlite: output folder of a build with Spark.")
@click.option("--no-abstracts", is_flag=True, help="For sqlite: without abstracts, as `redact --no-abstracts`.")
def export(
    form: str, folder: Path, file: Path | None, lake: Path | None, no_abstracts: bool, **conditions: str | None
) -> None:
    """Export papers of a release as a bibliography or as a feed, newest first; or a lake as a release with SQLite.

    All papers are exported, or those that meet each of the conditions given.

    FOLDER is a release's folder, or an output folder whose newest release is meant. For sqlite it is the output folder of the
    new release.
    """
    if form == SQLITE:
        _export_lake(lake, folder, file, conditions, abstracts=not no_abstracts)
        return
    if lake or no_abstracts:
        raise UsageError(f"{form}: found --from or --no-abstracts, which are for {SQLITE}; leave them out")
    from etl.export.formats import BY_NAME, feed_of
    from etl.export.selection import cited_papers, select_papers
    from etl.release.release import open_database

    with open_database(folder) as database:
        selection = _selection(database, **conditions)
        places = select_papers(database, selection)
        pieces = BY_NAME[form].pieces(cited_papers(database, places), feed_of(database, selection))
        if not places:
            say(f"{folder}: no paper meets the conditions; the {form} is empty")
        if file:
            _write_file(file, pieces)
        else:
            _write_out(pieces)


def _export_lake(
    lake: Path | None, out: Path, file: Path | None, conditions: Mapping[str, str | None], *, abstracts: bool
) -> None:
    """Make a release of a lake."""
    from etl.lake import open_lake
    from etl.lake_release import release_of
    from etl.report.terminal import print_release

    others = sorted(name for name, value in conditions.items() if value is not None and name != "where")
    if lake is None or file or others:
        found = f"found {', '.join(f'--{name}' for name in others)}" if others else "found -o" if file else "no --from"
        raise UsageError(
            f"{SQLITE}: {found}; give --from LAKE, and perhaps --where, --no-abstracts, and --out for another folder than build"
        )
    with clearing_away():
        release = release_of(open_lake(lake), out, conditions["where"], abstracts=abstracts)
    profiles = release.tables["profiles"].read(["profile_id", "source", "last_observed_on"])
    print_release(Output(), release, profiles, str(out))


def _selection(
    database: sqlite3.Connection, author: str | None, category: str | None, search: str | None, where: str | None
) -> "Selection":
    """The selection of the options; raises `UsageError` for an unknown author or category."""
    from etl.export.selection import Selection

    return Selection(
        author_id=None if author is None else _known_key(database, "authors", "author_id", author),
        category_id=None if category is None else _known_key(database, "categories", "category_id", category),
        search=search,
        where=where,
    )


def _known_key(database: sqlite3.Connection, table: str, column: str, key: str) -> str:
    """The key of the row that has this key, or had it in an earlier release; raises `UsageError` with similar keys."""
    from datasette.utils import tilde_decode

    from etl.release.lineage import find_row

    try:
        return str(find_row(database, table, key)[1][column])
    except UsageError as error:  # it has keys as in addresses: cs~2ECL
        raise UsageError(tilde_decode(str(error))) from error


def _write_out(pieces: Iterator[str]) -> None:
    shown = is_terminal()
    for piece in pieces:
        if shown:
            write(piece.replace("\r\n", "\n"))
        else:
            write_exactly(piece.encode())


def _write_file(path: Path, pieces: Iterator[str]) -> None:
    """Write a file; one that cannot be written to its end is removed."""
    try:
        with clearing_away(), path.open("wb") as file:
            try:
                file.writelines(map(str.encode, pieces))
                file.flush()
            except BaseException:
                if path.is_file():
                    path.unlink()
                raise
    except OSError as error:
        raise refusal(error, "cannot be written", "give another file with -o", path) from error
