"""Types of arguments and options, and the options that several commands take."""

import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from etl.errors import UsageError

DEFAULT_OUT = Path("build")


class GivenPath(click.Path):
    """A path that is not empty, which would be an unset variable of a script and not mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text to a path."""
        problem = self.problem(os.fspath(value))
        if problem:
            self.fail(problem, param, ctx)
        return super().convert(value, param, ctx)

    def problem(self, path: str) -> str | None:
        """Why no file or folder can have this path, or None."""
        if not path:
            return "found an empty path, expected that of a file or folder"
        return f"found {path!r}, expected a path without a NUL" if "\x00" in path else None


class Unicode(click.types.StringParamType):
    """A text that SQLite takes: the shell passes any bytes on."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text; a usage error where it is not Unicode, or has a NUL."""
        if not _is_utf8(value) or "\x00" in value:
            self.fail(f"found {value!r}, expected a text in UTF-8 without a NUL", param, ctx)
        return str(value)


class ReleasePath(GivenPath):
    """The path of a release or of an output folder, which must be UTF-8 for Parquet and SQLite."""

    def problem(self, path: str) -> str | None:
        """Why no release can have this path, or None."""
        found = super().problem(path)
        if found is None and not _is_utf8(os.path.realpath(path)):
            found = f"found the path {path!r}, expected one in UTF-8; rename the folder, or give another"
        return found


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Day(click.DateTime):
    """A day, written YYYY-MM-DD."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text to a day."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"found {value!r}, expected YYYY-MM-DD such as 2026-07-02", param, ctx)


FILE = GivenPath(dir_okay=False, path_type=Path)
FOLDER = GivenPath(file_okay=False, path_type=Path)
RELEASE = ReleasePath(path_type=Path)
OUT = click.option(
    "--out", type=RELEASE, metavar="FOLDER", default=DEFAULT_OUT, show_default=True, help="Folder of the releases."
)
RELEASE_ARGUMENT = click.argument("release", type=RELEASE, default=DEFAULT_OUT)
Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def text_option(name: str, metavar: str, words: str) -> Decorator:
    """The option of this name for a text, with `words` as its help."""
    return click.option(name, type=Unicode(), metavar=metavar, help=words)


def reference_option(use: str = "", *, required: bool = False) -> Decorator:
    """The option --reference; `use` is the end of the sentence in its help."""
    words = f"arXiv's metadata (JSON Lines, plain, .gz or .zst, or Parquet){use}. Repeatable."
    return click.option("--reference", type=FILE, metavar="FILE", multiple=True, required=required, help=words)


def workers_option(files: str) -> Decorator:
    """The option --workers, for processes that read these files."""
    words = f"Processes that read {files} side by side."
    return click.option(
        "--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="one a core", help=words
    )


def release_folder(command: Callable[..., None]) -> Callable[..., None]:
    """Add the argument FOLDER, and --out as the same; the command gets `folder`, by default `build`."""

    @wraps(command)
    def with_folder(folder: Path | None, out: Path | None, **asked: object) -> None:
        command(folder=_one_folder(folder, out), **asked)

    argument = click.argument("folder", required=False, type=RELEASE)
    option = click.option("--out", type=RELEASE, metavar="FOLDER", help="The same as FOLDER.  [default: build]")
    return argument(option(with_folder))


def _one_folder(folder: Path | None, out: Path | None) -> Path:
    if folder is not None and out is not None and os.path.realpath(folder) != os.path.realpath(out):
        raise UsageError(f"{folder}: found another folder than {out} of --out, expected one; give only one of the two")
    return folder or out or DEFAULT_OUT


def _all_of(decorators: Sequence[Any]) -> Decorator:
    """The arguments and options together, in the order of the help."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for one in reversed(decorators):
            command = one(command)
        return command

    return decorate


engine_options = _all_of(
    [
        click.option(
            "--engine",
            type=click.Choice(["embedded", "spark"]),
            default="embedded",
            show_default=True,
            help="What reads the pages: processes of this machine, or Spark, which writes a lake.",
        ),
        text_option("--master", "URL", "With Spark: its master, such as spark://host:7077 or local[4]."),
        text_option("--remote", "URL", "With Spark: a Spark Connect server, such as sc://host:15002."),
    ]
)
"""The options of `build` for what reads the pages."""


run_options = _all_of(
    [
        click.argument("pages", nargs=-1),
        click.option(
            "--observed-on",
            type=Day(),
            metavar="DATE",
            help="When the pages were saved (YYYY-MM-DD), for the year of badges without one. Overrides the date in a file's name.",
        ),
        click.option(
            "--overrides",
            type=FILE,
            metavar="FILE",
            help="TOML file that joins or separates names, joins papers, and corrects authors, categories and dates.",
        ),
        reference_option(": identifiers, whole bylines, all categories"),
        click.option(
            "--rules",
            "thresholds",
            type=FILE,
            metavar="FILE",
            help="TOML file that sets severity and limits of rules; `paperledger rules ID` shows how.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning"]),
            default="error",
            show_default=True,
            help="The least severe finding that ends with exit code 1.",
        ),
        click.option(
            "--allow-unreadable",
            is_flag=True,
            help="Publish though pages cannot be read or hold no paper: those are left out, or in quarantine, and reported.",
        ),
        click.option(
            "--baseline",
            type=GivenPath(path_type=Path),
            metavar="RELEASE_OR_RESULTS",
            help="Earlier release, or results.json: only findings that are new count, and rows that were lost.",
        ),
        click.option(
            "--report",
            type=FOLDER,
            metavar="FOLDER",
            help="Write results.json, report.html, summary.md, junit.xml and results.sarif there.",
        ),
        click.option("--annotate", type=click.Choice(["github"]), help="Print annotations for a CI's pages."),
        workers_option("pages"),
    ]
)
"""The pages, and the options of `build` and `check`."""
