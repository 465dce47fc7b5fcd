"""The command `paperledger`: thin over the library. Each command imports what it needs, so that help comes at once.

In: a command line. Out: what the command prints and leaves, errors of one line each, and an exit code.
"""

from etl.cli.interrupts import NOTHING, leave_at_once, leaving_at_once

with leaving_at_once():
    import sys
    import traceback
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any, NoReturn

    import click
    from rich.console import Console
    from rich.text import Text

    from etl import __version__
    from etl.cli.about import rules, schema
    from etl.cli.authors import authors
    from etl.cli.release import diff, page, verify, why
    from etl.cli.run import build, check
    from etl.cli.serve import serve
    from etl.errors import Exit, PaperledgerError


class Command(click.Group):
    """A group whose errors are one line each on standard error, with the exit code of their kind."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run what the command line asks for, or `args`; without them the process is the command's own."""
        if args is None:
            leave_at_once()
        return super().main(args, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it cannot do it says."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _say_usage(error)
            ctx.exit(error.exit_code)
        except PaperledgerError as error:
            _say_error(error)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            _say(f"paperledger: {NOTHING}")
            ctx.exit(Exit.INTERRUPTED)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="paperledger")
def main() -> None:
    """Turn saved researcher profile pages into a checked dataset of papers, authors and categories."""
    sys.excepthook = _report_bug


for _command in (build, check, rules, page, diff, why, authors, verify, serve, schema):
    main.add_command(_command)


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """Tell an error of the program with its traceback, and leave with the code that says so."""
    traceback.print_exception(kind, error, trace)
    _say("paperledger: this is an error of the program; please report it with the lines above")
    raise SystemExit(Exit.INTERNAL)


def _say_error(error: PaperledgerError) -> None:
    """Say each line of an error; no terminal obeys what the name of a file holds."""
    from etl.printable import visible

    for line in str(error).splitlines():
        _say(f"paperledger: {visible(line)}")


def _say_usage(error: click.UsageError) -> None:
    """Say what click says, but name the help by a command that can be pasted."""
    if error.ctx is None:
        error.show()
        return
    from etl.invocation import command

    names = error.ctx.command_path.split()[1:]
    _say(error.ctx.get_usage())
    _say(f"Try '{command(*names, '-h')}' for help.\n")
    _say(f"Error: {error.format_message()}")


def _say(message: str) -> None:
    Console(stderr=True).print(Text(message), soft_wrap=True)
