"""The command `paperledger`, a thin layer over the library. Each command imports what it needs, so that help is fast.

In: a command line. Out: the output of the command, errors of one line each, and an exit code.
"""

from etl.cli.interrupts import NOTHING, leave_at_once, leaving_at_once

with leaving_at_once():
    import atexit
    import gc
    import io
    import os
    import sys
    import traceback
    from collections.abc import Iterator, Sequence
    from contextlib import contextmanager
    from types import TracebackType
    from typing import Any, NoReturn

    import click

    from etl.cli.about import rules, schema
    from etl.cli.export import export
    from etl.cli.output import discard_output, say
    from etl.cli.pages import pack, pages
    from etl.cli.release import authors, diff, page, redact, verify, why
    from etl.cli.run import build, check
    from etl.cli.serve import serve
    from etl.errors import Exit, PaperledgerError, refusal
    from etl.version import __version__

# Polars' allocator gives memory back at once, not after ten seconds, and Arrow takes the system's, which does too: a build needs
# a tenth less by each. Read when they are loaded, here and in worker processes.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


class Command(click.Group):
    """A group that reports errors in one line each on standard error, with the exit code of their kind."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run `args`, or without them the process's own arguments."""
        if args is None:
            leave_at_once()
            # What is left at the end needs no search for cycles: that takes a third of a second after a large build.
            atexit.register(gc.freeze)
            if isinstance(sys.stdout, io.TextIOWrapper):
                # Characters that the encoding lacks must not be an error.
                sys.stdout.reconfigure(errors="backslashreplace")
        return super().main(args, *rest, **extra)

    def make_context(self, *given: Any, **extra: Any) -> click.Context:
        """Parse the arguments before the command's name."""
        with _errors_reported():
            return super().make_context(*given, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and report its errors."""
        with _errors_reported():
            return super().invoke(ctx)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperledger")
def main() -> None:
    """Turn saved researcher profile pages into a checked dataset of papers, authors and categories."""
    sys.excepthook = _report_bug


for _command in (build, check, pages, pack, rules, page, diff, why, authors, verify, export, redact, serve, schema):
    main.add_command(_command)


@contextmanager
def _errors_reported() -> Iterator[None]:
    """Report an error of the block, and exit with the code of its kind."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        _say_usage(error)
        sys.exit(error.exit_code)
    except PaperledgerError as error:
        _leave(error)
    except OSError as error:
        if error.errno is None:
            raise  # It is not from the system but from a library: an error of the program.
        if error.filename is None:
            discard_output()
        place = error.filename or "standard output or a file"
        _leave(refusal(error, "cannot be read or written", "check its permissions and its disk", place))
    except KeyboardInterrupt:
        say(f"paperledger: {NOTHING}")
        sys.exit(Exit.INTERRUPTED)


def _leave(error: PaperledgerError) -> NoReturn:
    """Print the lines of an error and exit with its code."""
    say(*(f"paperledger: {line}" for line in error.lines))
    sys.exit(error.exit_code)


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Print an unexpected error with its traceback, and exit with the code for that."""
    for text in traceback.format_exception(kind, error, trace):
        say(*text.rstrip("\n").split("\n"))
    say("paperledger: this is an error of the program; please report it with the lines above")
    raise SystemExit(Exit.INTERNAL)


def _say_usage(error: click.UsageError) -> None:
    """Print a usage error as click does, but with a command for help that can be pasted."""
    from etl.printable import command

    names = error.ctx.command_path.split()[1:] if error.ctx else []
    usage = error.ctx.get_usage().split("\n") if error.ctx else []
    say(*usage, f"Try '{command(*names, '-h')}' for help.", "", f"Error: {error.format_message()}")
