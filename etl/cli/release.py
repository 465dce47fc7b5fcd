"""The commands that read a release: `page`, `diff`, `why`, `authors` and `verify`. In: its folder. Out: what it says."""

from pathlib import Path

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import ReleasePlace, release_folder
from etl.cli.output import Output, is_terminal, write, write_exactly
from etl.errors import BadData, DamagedRelease, Exit, UsageError


@click.command()
@click.argument("profile")
@release_folder
def page(profile: str, folder: Path) -> None:
    """Write the exact bytes of a page, rebuilt from a release.

    On a terminal, characters that it would obey are shown by their numbers.

    PROFILE is a profile's id, the unique beginning of one, or the page's source.

    FOLDER is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.release.release import find_profile, open_database, rebuild_page

    with open_database(folder) as database:
        rebuilt = rebuild_page(database, find_profile(database, profile))
    if is_terminal():
        write(rebuilt.decode().replace("\r\n", "\n"))
    else:
        write_exactly(rebuilt)


@click.command()
@click.argument("old", type=ReleasePlace(path_type=Path))
@click.argument("new", type=ReleasePlace(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(old: Path, new: Path, form: str) -> None:
    """Tell how the release NEW differs from OLD, row by row.

    The exit code is 0 where they are equal, 1 where they differ, and 2 where one cannot be read, or is of another version.

    OLD and NEW are releases, or output folders whose newest release is meant.
    """
    from etl.release.diff import compare
    from etl.release.diff_text import render_json, render_text
    from etl.release.release import find_release

    for release in [_known(find_release(path)) for path in (old, new)]:
        _require_undamaged(release)
    difference = compare(old, new)
    if form == "json":
        write(render_json(difference))
    else:
        Output().print(render_text(difference), soft_wrap=True)
    if not difference.is_empty:
        click.get_current_context().exit(Exit.BAD_DATA)


@click.command()
@click.argument("table")
@click.argument("key")
@release_folder
def why(table: str, key: str, folder: Path) -> None:
    """Tell where a row comes from.

    The lines of its pages, the joins that made it, and the rules that looked at it.

    KEY is the row's key as in Datasette's address of the row, its parts joined by commas.

    FOLDER is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.release.release import open_database
    from etl.release.why import render_text
    from etl.release.why import why as reasons

    with open_database(folder) as database:
        told = render_text(reasons(database, table, key))
    Output().print(told, soft_wrap=True)


@click.command()
@click.argument("release", type=ReleasePlace(path_type=Path), default=Path("build"))
def verify(release: Path) -> None:
    """See whether a RELEASE is whole.

    Its files' hashes, SQLite's own checks, and Parquet equal to SQLite.

    RELEASE is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.load.manifest import ADVICE
    from etl.release.release import find_release
    from etl.release.verify import verify as problems_of

    place = _known(find_release(release))
    with clearing_away():
        problems = problems_of(place)
    if problems:
        *others, last = (f"{place}: {problem}" for problem in problems)
        raise BadData(*others, f"{last}; {ADVICE}")
    write(f"{place}: whole\n")


def _known(release: Path) -> Path:
    """The release itself; raises `UsageError` where it is of another version of the schema."""
    from etl.release.release import require_known_schema

    require_known_schema(release)
    return release


def _require_undamaged(release: Path) -> None:
    """Raises `UsageError` where a release's files are not as published; differing is another exit code."""
    from etl.load.manifest import require_undamaged

    try:
        require_undamaged(release)
    except DamagedRelease as error:
        raise UsageError(str(error)) from error


@click.command()
@release_folder
@click.option(
    "--review",
    "is_review",
    is_flag=True,
    help="Print the authors and papers that may be one as a TOML file for --overrides, the most evident first.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Print so many authors; with --review, so many pairs of each kind.  [default: 50; with --review, all]",
)
def authors(folder: Path, *, is_review: bool, limit: int | None) -> None:
    """List the authors of a release, or what is left to decide about them.

    Authors come with id, kind, name, papers and spellings, those of most papers first.

    With --review, authors who may be one person and papers that may be one come with the evidence, as entries of an
    overrides file, each commented out: uncomment what is true.

    FOLDER is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.release.release import open_database
    from etl.release.review import LISTED_AUTHORS, list_authors, review

    with open_database(folder) as database:
        lines = list(review(database, limit) if is_review else list_authors(database, limit or LISTED_AUTHORS))
    write("".join(f"{line}\n" for line in lines))
