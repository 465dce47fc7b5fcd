"""The command `authors`. In: a release's folder. Out: who is in it, or what is left to decide about them and their papers."""

from pathlib import Path

import click

from etl.cli.options import release_folder
from etl.cli.output import write


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
