"""Standard output that may be closed at any moment, as by head: what was asked for is done all the same.

In: what a command prints. Out: text for whoever reads it, or for nobody.
"""

import os
import sys

import click
from rich.console import Console


class Output(Console):
    """A console on standard output that goes on without a reader."""

    def on_broken_pipe(self) -> None:
        """Print to nobody from now on."""
        _print_to_nobody()


def write(text: str) -> None:
    """Write text as it is."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        _print_to_nobody()


def _print_to_nobody() -> None:
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, sys.stdout.fileno())
    os.close(nobody)
