"""The commands over a release: `page`, `diff`, `why`, `authors`, `verify`, and `redact`, which makes another. In: its folder. Out: text."""

from pathlib import Path

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import RELEASE, RELEASE_ARGUMENT, Unicode, release_folder
from etl.cli.output import Output, is_terminal, write, write_exactly
from etl.errors import BadData, DamagedRelease, Exit, UsageError


@click.command()
@click.argument("profile")
@release_folder
def page(profile: str, folder: Path) -> None:
    """Write the exact bytes of a page, rebuilt from a release.

    On a terminal, control characters are escaped.

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
@click.argument("old", type=RELEASE)
@click.argument("new", type=RELEASE)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(old: Path, new: Path, form: str) -> None:
    """Compare the release NEW with OLD, row by row.

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
        for lines in render_json(difference):
            write(lines)
    else:
        Output().print(render_text(difference), soft_wrap=True)
    if not difference.is_empty:
        click.get_current_context().exit(Exit.BAD_DATA)


@click.command()
@click.argument("table")
@click.argument("key")
@release_folder
def why(table: str, key: str, folder: Path) -> None:
    """Explain where a row comes from.

    Prints the lines of its pages, the rows from which it was made, and the result of each rule.

    KEY is the row's key as in Datasette's address of the row, its parts joined by commas, such as
    ann-bell in authors. A paper's citation key and a page's source will do too.

    FOLDER is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.release.release import open_database
    from etl.release.why import render_text
    from etl.release.why import why as reasons

    with open_database(folder) as database:
        explanation = render_text(reasons(database, table, key))
    Output().print(explanation, soft_wrap=True)


@click.command()
@RELEASE_ARGUMENT
def verify(release: Path) -> None:
    """Verify the integrity of a RELEASE.

    Checks the files' hashes, runs SQLite's own checks, and compares Parquet with SQLite.

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
    """Return the release; raises `UsageError` if it has another version of the schema."""
    from etl.release.release import require_known_schema

    require_known_schema(release)
    return release


def _require_undamaged(release: Path) -> None:
    """Raise `UsageError` if a release's files are not as published, since exit code 1 means a difference."""
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
    help="Print the authors and papers that may be one as a TOML file for --overrides, the strongest evidence first.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Print at most N authors; with --review, at most N pairs of each kind.  [default: 50; with --review, all]",
)
def authors(folder: Path, *, is_review: bool, limit: int | None) -> None:
    """List the authors of a release, or candidates for merging.

    Authors are listed with id, kind, name, papers and spellings, sorted by number of papers.

    With --review, authors who may be one person and papers that may be one are listed with the evidence, as entries of an
    overrides file, each commented out: uncomment what is true.

    FOLDER is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.release.release import open_database
    from etl.release.review import LISTED_AUTHORS, list_authors, review

    with open_database(folder) as database:
        lines = list(review(database, limit) if is_review else list_authors(database, limit or LISTED_AUTHORS))
    write("".join(f"{line}\n" for line in lines))


@click.command()
@RELEASE_ARGUMENT
@click.option("--no-abstracts", is_flag=True, help="Leave out abstracts, and all raw lines of pages.")
@click.option(
    "--erase",
    "names",
    type=Unicode(),
    metavar="NAME",
    multiple=True,
    help="Erase this person, in every spelling that the release has, and the name in any text. Repeatable.",
)
@click.option("-o", "--out", type=RELEASE, metavar="FOLDER", required=True, help="Output folder of the copy.")
def redact(release: Path, names: tuple[str, ...], out: Path, *, no_abstracts: bool) -> None:
    """Make a copy of a RELEASE without abstracts, or without people's names.

    The copy is a release too: marked as redacted, served and verified as any other, but no page can be rebuilt from it.
    docs/redaction.md lists what a copy does not hide.

    RELEASE is a release's folder, or an output folder whose newest release is meant.
    """
    from etl.load.dataset_facts import redaction_words
    from etl.redaction import Redaction, redact
    from etl.release.release import open_release, require_known_schema

    opened = open_release(release)
    require_known_schema(opened.path)
    with clearing_away():
        copy = redact(opened, Redaction(no_abstracts, names), out)
    write(f"{copy.path}\n{redaction_words(copy.manifest)}\n")
