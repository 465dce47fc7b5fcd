"""The command `redact`: a copy of a release that can be published. In: a release. Out: another release."""

from pathlib import Path

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import RELEASE, RELEASE_ARGUMENT, Unicode
from etl.cli.output import write


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
