"""Datasette over a release, for `serve`: python -m etl.cli.site RELEASE DATASETTE_ARGUMENTS.

In: a release's folder, and Datasette's arguments. Out: a site; Ctrl-C ends it with one line.
"""

import sys

from etl.cli.interrupts import leave_at_once


def main(release: str, *arguments: str) -> None:
    """Run Datasette, if the release has the tables that the site needs."""
    leave_at_once(lambda: "stopped")
    import sqlite3
    from contextlib import closing
    from pathlib import Path

    from datasette.cli import cli

    from etl.cli.output import say
    from etl.errors import PaperledgerError
    from etl.release.release import database_address, require_known_tables

    try:
        with closing(sqlite3.connect(database_address(Path(release)), uri=True)) as database:
            require_known_tables(Path(release), database)
    except PaperledgerError as error:
        say(*(f"paperledger: {line}" for line in error.lines))
        raise SystemExit(error.exit_code) from error
    import uvicorn

    from etl.site.safety.sockets import run

    sys.argv = ["datasette", *arguments]
    uvicorn.run = run  # what Datasette calls last; it has no option for any of it
    cli()


if __name__ == "__main__":
    main(*sys.argv[1:])
