"""The command `paperledger`: thin over the library. Each command imports what it needs, so that help comes at once."""

import os
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from etl import __version__
from etl.errors import BadData, BrokenTables, Exit, PaperledgerError

if TYPE_CHECKING:
    from etl.pipeline import Checked, Request
    from etl.progress import Progress

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


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The pages, and what `build` and `check` let a person say about them."""
    for decorate in reversed(_RUN_OPTIONS):
        command = decorate(command)
    return command


_FILE = click.Path(dir_okay=False, path_type=Path)
_RUN_OPTIONS = (
    click.argument("pages", nargs=-1),
    click.option(
        "--observed-on",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="DATE",
        help="When the pages were saved (YYYY-MM-DD); tells the year of badges without one. Taken before a file's name.",
    ),
    click.option(
        "--overrides",
        type=_FILE,
        metavar="FILE",
        help="TOML file that says which names are the same person, and which are not.",
    ),
    click.option(
        "--rules",
        "thresholds",
        type=_FILE,
        metavar="FILE",
        help="TOML file with thresholds: how often a rule may be broken.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning"]),
        default="error",
        show_default=True,
        help="The least severe finding that ends with exit code 1.",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="RELEASE_OR_RESULTS",
        help="Earlier release, or results.json: only findings that are new count, and rows that were lost.",
    ),
    click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Write results.json, report.html, summary.md, junit.xml and results.sarif there.",
    ),
    click.option("--annotate", type=click.Choice(["github"]), help="Print annotations for a CI's pages."),
    click.option(
        "--workers",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Processes that read pages side by side.",
    ),
)


@main.command()
@_run_options
@_OUT
def build(out: Path, report: Path | None, annotate: str | None, **asked: Any) -> None:
    """Build a release of PAGES: files, folders, globs, .gz, .zst, or - for standard input.

    Without PAGES it builds the page that comes with paperledger.
    """
    from etl import pipeline
    from etl.summary import print_release

    built = pipeline.build(_request(out, asked), _progress(), lambda checked: _tell(checked, report, annotate))
    print_release(Console(), built.release, built.tables["profiles"], str(out))


@main.command()
@_run_options
def check(report: Path | None, annotate: str | None, **asked: Any) -> None:
    """Check PAGES and publish nothing.

    All stages of a build but the last: for a CI that must go red when the data gets worse.
    """
    from etl import pipeline
    from etl.validate.verdict import require_good

    request = _request(Path("build"), asked)
    checked = pipeline.check(request, _progress())
    _tell(checked, report, annotate)
    require_good(checked.results, request.fail_on)


@main.command()
def rules() -> None:
    """List the rules that data is held to."""
    from schemas import RULES

    for rule in RULES.values():
        click.echo(f"{rule.id}  {rule.severity:<7}  {rule.dimension:<12}  {rule.title}\n{'':33}{rule.why}")


@main.command()
@click.argument("profile")
@_OUT
def page(profile: str, out: Path) -> None:
    """Write the exact bytes of a page, rebuilt from the newest release.

    PROFILE is a profile's id, the unique beginning of one, or the page's source.
    """
    from etl.rebuild import find_profile, rebuild_page

    with _database(out) as database:
        sys.stdout.buffer.write(rebuild_page(database, find_profile(database, profile)))


@main.command()
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


@main.command()
@click.argument("table")
@click.argument("key")
@_OUT
def why(table: str, key: str, out: Path) -> None:
    """Tell where a row comes from.

    The lines of its pages, the joins that made it, and the rules that looked at it.

    KEY is the row's key as in Datasette's address of the row, its parts joined by commas.
    """
    from etl.why import render_text
    from etl.why import why as reasons

    with _database(out) as database:
        Console().print(render_text(reasons(database, table, key)), soft_wrap=True)


@main.command()
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


@main.command()
@_OUT
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port to listen on.")
def serve(out: Path, port: int) -> None:
    """Serve the newest release with Datasette, on this machine only."""
    from etl.load.hold import hold
    from etl.load.layout import DATABASE_FILE, METADATA, newest_release

    release = newest_release(out)
    hold(release)  # A build then keeps it; the lock outlives the change of program.
    options = ["--immutable", str(release / DATABASE_FILE), "--metadata", str(release / METADATA)]
    address = ["--host", DATASETTE_HOST, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", "datasette", "serve", *options, *address])  # noqa: S606


@main.command()
@click.option("--format", "form", type=click.Choice(["text", "sql", "markdown"]), default="text", show_default=True)
def schema(form: str) -> None:
    """Print the tables and views: to read, as SQL, or as Markdown."""
    from etl import dictionary

    click.echo({"text": dictionary.as_text, "sql": dictionary.as_sql, "markdown": dictionary.as_markdown}[form]())


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


def _request(out: Path, asked: dict[str, Any]) -> "Request":
    from etl.pipeline import Request

    observed_on: datetime | None = asked.pop("observed_on")
    pages = asked.pop("pages") or (str(files("etl").joinpath("sample")),)
    return Request(pages, out, observed_on.date() if observed_on else None, **asked)


def _tell(checked: "Checked", report: Path | None, annotate: str | None) -> None:
    """Print what a run found, write its reports, and annotate it, as asked."""
    from etl.summary import print_results
    from etl.validate.reports import render_annotations, write_reports

    if checked.results.pages:
        print_results(Console(), checked.results)
    if report:
        write_reports(checked.results, report, checked.paths)
    if annotate:
        click.echo(render_annotations(checked.results, checked.paths), nl=False)


def _progress() -> "Progress":
    from etl.progress import Progress

    return Progress(Console(stderr=True))


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Tell an error of the program with its traceback, and leave with the code that says so."""
    traceback.print_exception(kind, error, trace)
    _say("paperledger: this is an error of the program; please report it with the lines above")
    raise SystemExit(Exit.INTERNAL)


def _say(message: str) -> None:
    Console(stderr=True).print(Text(message), soft_wrap=True)
