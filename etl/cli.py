"""The command `paperledger`: thin over the library. Each command imports what it needs, so that help comes at once."""

import os
import sqlite3
import sys
import traceback
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from etl import __version__
from etl.errors import BrokenTables, Exit, PaperledgerError

DATASETTE_HOST = "127.0.0.1"
_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    default=Path("build"),
    show_default=True,
    help="Folder of the releases.",
)


class Command(click.Group):
    """A group whose errors are one line each on standard error, with the exit code of their kind."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it cannot do it says."""
        try:
            return super().invoke(ctx)
        except PaperledgerError as error:
            for line in str(error).splitlines():
                _say(f"paperledger: {line}")
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            _say("paperledger: interrupted; nothing was published")
            ctx.exit(Exit.INTERRUPTED)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperledger")
def main() -> None:
    """Turn saved researcher profile pages into a checked dataset of papers, authors and categories."""
    sys.excepthook = _report_bug


@main.command()
@click.argument("pages", nargs=-1)
@_OUT
@click.option(
    "--observed-on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="When the pages were saved (YYYY-MM-DD); tells the year of badges without one. Taken before a file's name.",
)
@click.option(
    "--overrides",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="TOML file that says which names are the same person, and which are not.",
)
def build(pages: tuple[str, ...], out: Path, observed_on: datetime | None, overrides: Path | None) -> None:
    """Build a release of PAGES: files, folders, globs, .gz, or - for standard input.

    Without PAGES it builds the page that comes with paperledger.
    """
    from etl import pipeline
    from etl.progress import Progress
    from etl.summary import print_summary

    day: date | None = observed_on.date() if observed_on else None
    request = pipeline.Request(pages or (str(files("etl").joinpath("sample")),), out, day, overrides)
    built = pipeline.build(request, Progress(Console(stderr=True)))
    print_summary(Console(), built, str(out))


@main.command()
@click.argument("profile")
@_OUT
def page(profile: str, out: Path) -> None:
    """Write the exact bytes of a page, rebuilt from the newest release.

    PROFILE is a profile's id, the unique beginning of one, or the page's source.
    """
    from etl.load.layout import DATABASE_FILE, newest_release
    from etl.rebuild import find_profile, rebuild_page

    address = (newest_release(out) / DATABASE_FILE).as_uri()
    database = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        sys.stdout.buffer.write(rebuild_page(database, find_profile(database, profile)))
    except sqlite3.Error as error:
        raise BrokenTables(f"{address}: cannot be read ({error}); build the release again") from error
    finally:
        database.close()


@main.command()
@_OUT
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port to listen on.")
def serve(out: Path, port: int) -> None:
    """Serve the newest release with Datasette, on this machine only."""
    from etl.load.layout import DATABASE_FILE, METADATA, newest_release

    release = newest_release(out)
    options = ["--immutable", str(release / DATABASE_FILE), "--metadata", str(release / METADATA)]
    address = ["--host", DATASETTE_HOST, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "datasette", "serve", *options, *address])  # noqa: S606


@main.command()
@click.option("--format", "form", type=click.Choice(["text", "sql", "markdown"]), default="text", show_default=True)
def schema(form: str) -> None:
    """Print the tables and views: to read, as SQL, or as Markdown."""
    from etl import dictionary

    click.echo({"text": dictionary.as_text, "sql": dictionary.as_sql, "markdown": dictionary.as_markdown}[form]())


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Tell an error of the program with its traceback, and leave with the code that says so."""
    traceback.print_exception(kind, error, trace)
    _say("paperledger: this is an error of the program; please report it with the lines above")
    raise SystemExit(Exit.INTERNAL)


def _say(message: str) -> None:
    Console(stderr=True).print(Text(message), soft_wrap=True)
