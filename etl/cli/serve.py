"""The command `serve`: a release as a site. In: its folder. Out: this process executes Datasette."""

import argparse
import errno
import os
import socket
import sys
from pathlib import Path

import click

from etl.cli.options import release_folder
from etl.cli.output import say
from etl.errors import UsageError

HOST = "127.0.0.1"
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Makes glibc free memory after a response; else a site grows to the sum of its threads' largest responses."""


class ServeCommand(click.Command):
    """A command that passes on the arguments after two dashes, which click itself would parse."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments before the dashes, and store those after them."""
        at = args.index("--") if "--" in args else len(args)
        ctx.params["datasette_options"] = tuple(args[at + 1 :])
        try:
            return super().parse_args(ctx, args[:at])
        except click.BadParameter:
            raise
        except click.UsageError as error:
            message = f"{error.format_message().rstrip('.')}; options for Datasette come after --"
            raise click.UsageError(message, ctx) from error

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The parts of the command's usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- DATASETTE_OPTIONS...]"]


@click.command(cls=ServeCommand)
@release_folder
@click.option("--host", default=HOST, show_default=True, help="Address to listen on; 0.0.0.0 lets other machines in.")
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 takes any free.")
def serve(folder: Path, host: str, port: int, datasette_options: tuple[str, ...]) -> None:
    """Serve a release with Datasette, by default for this machine only.

    FOLDER is a release's folder, or an output folder whose newest release is meant.

    Arguments after -- are passed to `datasette serve`, and override what is set here:

    \b
    paperledger serve -- --cors --setting base_url /papers/
    paperledger serve -- --setting default_allow_sql off --open
    """  # noqa: D301  \b keeps click from joining the lines
    from etl.load.layout import DATABASE_FILE, METADATA
    from etl.site.served import SETTINGS

    release = _locked(folder)
    options = ["--immutable", str(release / DATABASE_FILE), "--metadata", str(release / METADATA)]
    for name, value in SETTINGS.items():
        options += ["--setting", name, str(value).lower()]
    options += ["--host", host, "--port", str(port), *datasette_options]
    _announce(release, options)
    # -P: do not import modules, such as a csv.py, from the current folder.
    command = [sys.executable, "-P", "-m", "etl.cli.site", str(release), "serve", *options]
    os.execve(sys.executable, command, FRUGAL | os.environ)  # noqa: S606


def _locked(folder: Path) -> Path:
    """The newest release, checked for version and damage, and locked against removal also while Datasette runs."""
    from etl.load.manifest import require_undamaged
    from etl.load.publish import take_shared_lock
    from etl.release.release import newest_release, require_known_schema

    release = newest_release(folder)
    try:
        take_shared_lock(release)
    except OSError as error:
        raise UsageError(
            f"{release}: cannot be read ({error.strerror}); check the folder and its permissions"
        ) from error
    require_known_schema(release)
    require_undamaged(release)
    return release


def _announce(release: Path, options: list[str]) -> None:
    """Print what is served and where, unless it is a socket file; raises `UsageError` if the port cannot be used."""
    try:
        asked, _ = _reader().parse_known_args(options)
    except argparse.ArgumentError:
        return  # Datasette reports wrong options.
    if asked.uds or asked.get or asked.help:
        return
    _require_free(asked.host, asked.port)
    base_url = dict(asked.setting).get("base_url", "/")
    where = f"http://{asked.host}:{asked.port}{base_url}" if asked.port else "the address below"
    say(f"Serving release {release.name} at {where} - stop with Ctrl+C")


def _reader() -> argparse.ArgumentParser:
    """A parser of Datasette's options that set its address; importing Datasette's own parser takes a second."""
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    reader.add_argument("-h", "--host")
    reader.add_argument("-p", "--port", type=int)
    reader.add_argument("--setting", nargs=2, action="append")
    reader.add_argument("--uds")
    reader.add_argument("--get")
    reader.add_argument("--help", "--help-settings", dest="help", action="store_true")
    return reader


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        advice = "stop what listens there, or give another port" if taken else "give another host or port"
        raise UsageError(f"{host}:{port}: cannot listen here ({error.strerror}); {advice} (--port 0: any)") from error
