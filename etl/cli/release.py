"""The commands that read a release: `page`, `diff`, `why` and `verify`. In: its folder. Out: what it tells."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from etl.cli.options import OUT
from etl.errors import BadData, BrokenTables, Exit


@click.command()
@click.argument("profile")
@OUT
def page(profile: str, out: Path) -> None:
    """Write the exact bytes of a page, rebuilt from the newest release.

    PROFILE is a profile's id, the unique beginning of one, or the page's source.
    """
    from etl.rebuild import find_profile, rebuild_page

    with _database(out) as database:
        sys.stdout.buffer.write(rebuild_page(database, find_profile(database, profile)))


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(old: Path, new: Path, form: str) -> None:
    """Tell how the release NEW differs from OLD, row by row.

    The exit code is 0 where they are equal, else 1.

    OLD and NEW are releases, or output folders whose newest release is meant.
    """
    from etl.compare import compare, render_json, render_text

    difference = compare(old, new)
    if form == "json":
        click.echo(render_json(difference))
    else:
        Console().print(render_text(difference), soft_wrap=True)
    if not difference.is_empty:
        click.get_current_context().exit(Exit.BAD_DATA)


@click.command()
@click.argument("table")
@click.argument("key")
@OUT
def why(table: str, key: str, out: Path) -> None:
    """Tell where a row comes from.

    The lines of its pages, the joins that made it, and the rules that looked at it.

    KEY is the row's key as in Datasette's address of the row, its parts joined by commas.
    """
    from etl.why import render_text
    from etl.why import why as reasons

    with _database(out) as database:
        Console().print(render_text(reasons(database, table, key)), soft_wrap=True)


@click.command()
@click.argument("release", type=click.Path(path_type=Path), default=Path("build"))
def verify(release: Path) -> None:
    """See whether a RELEASE is whole.

    Its files' hashes, SQLite's own checks, and Parquet equal to SQLite.

    RELEASE is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.load.layout import find_release
    from etl.load.verify import verify as problems_of

    place = find_release(release)
    problems = problems_of(place)
    if problems:
        raise BadData("\n".join(f"{place}: {problem}" for problem in problems))
    click.echo(f"{place}: whole")


@contextmanager
def _database(out: Path) -> Iterator[sqlite3.Connection]:
    """The newest release's database, to be read only."""
    from etl.load.layout import DATABASE_FILE, newest_release

    address = (newest_release(out) / DATABASE_FILE).as_uri()
    database = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        yield database
    except sqlite3.Error as error:
        raise BrokenTables(f"{address}: cannot be read ({error}); build the release again") from error
    finally:
        database.close()
