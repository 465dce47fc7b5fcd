"""Hostile pages that double in size: `python tests/benchmarks/hostile_text.py [START_BYTES] [DOUBLINGS]`.

Prints for every kind of page the CPU seconds that reading it takes (grammar, fields and the blocks' checks) at each size,
and how often the last doubling multiplied them: about 2 where the time is linear, 4 where it is quadratic.
"""

import hashlib
import time
from collections.abc import Callable

import click
from rich.console import Console
from rich.table import Column, Table

from etl.extract.page import Page, parse_page
from etl.validate.staging import stage

START, DOUBLINGS = 250_000, 4
HEAD = "Ann Bell\n\nCL\n\n1 Papers\n\n"


def block(title: str = "On Bells", byline: str = "Ann Bell", abstract: str = "They ring.") -> str:
    """A page of one block."""
    return f"{HEAD}CLMar 14, 2025\n{title}\n\n{byline}\n\n{abstract}"


def times(piece: str) -> Callable[[int], str]:
    """A text of about so many bytes, made of this piece."""
    return lambda size: piece * (size // len(piece.encode()))


def in_field(field: str, piece: str) -> Callable[[int], str]:
    """A page with such a text in one field."""
    return lambda size: block(**{field: times(piece)(size)})


def after_head(piece: str) -> Callable[[int], str]:
    """A page with such a text in the place of its blocks."""
    return lambda size: HEAD + times(piece)(size)


PAGES: dict[str, Callable[[int], str]] = {
    "empty lines": after_head("\n"),
    "lines of white space": after_head(" \n"),
    "badges alone": after_head("CLMar 14, 2025\n"),
    "badges and titles": after_head("CLMar 14, 2025\nOn Bells\n\n"),
    "badges without bylines": after_head("CLMar 14, 2025\nOn Bells\n\n\n\n"),
    "sound blocks": after_head("CLMar 14, 2025\nOn Bells\n\nAnn Bell\n\nThey ring.\n\n"),
    "headers": times("Ann Bell\n\nCL\nh-index4\n8papers\n\n1 Papers\n"),
    "numbers": times("h-index1,000,000papers\n"),
    "a badge of letters": lambda size: f"{HEAD}{times('a-')(size)}Mar 14, 2025\nOn Bells\n\nAnn Bell\n\nThey ring.",
    "a badge of flags": lambda size: f"{HEAD}CLMar 14, 2025{times('Code')(size)}\nOn Bells\n\nAnn Bell\n\nThey ring.",
    "et al. in a byline": in_field("byline", " et al."),
    "tags in a byline": in_field("byline", " · mila"),
    "commas in a byline": in_field("byline", ", "),
    "names in a byline": in_field("byline", "Ann Bell, "),
    "particles in a byline": in_field("byline", "von der "),
    "suffixes in a byline": in_field("byline", ", Jr."),
    "marks in a byline": in_field("byline", "a\u0301\u202e"),
    "dollars in an abstract": in_field("abstract", "$"),
    "braces in an abstract": in_field("abstract", r"\textit{"),
    "addresses in an abstract": in_field("abstract", "https://"),
    "brackets behind an address": in_field("abstract", "https://a.b/((("),
    "lines of an abstract": in_field("abstract", "They ring\n"),
    "spaces in a title": in_field("title", "a " * 50 + " " * 100),
}


def seconds(text: str) -> float:
    """The CPU seconds that reading a page takes."""
    data = text.encode()
    page = Page("page.txt", None, hashlib.sha256(data).hexdigest(), len(data), text)
    start = time.process_time()
    stage([parse_page(page)])
    return time.process_time() - start


@click.command()
@click.argument("start", type=click.IntRange(1), default=START)
@click.argument("doublings", type=click.IntRange(1), default=DOUBLINGS)
def main(start: int, doublings: int) -> None:
    """Read pages of START bytes and their doublings, and print the table."""
    sizes = [start * 2**step for step in range(doublings + 1)]
    table = Table(Column("page, CPU seconds", no_wrap=True), *(f"{size / 1e6:.2f} MB" for size in sizes), "last")
    for kind, page in PAGES.items():
        seconds(page(sizes[0]))
        taken = [seconds(page(size)) for size in sizes]
        table.add_row(kind, *(f"{one:.3f}" for one in taken), f"× {taken[-1] / taken[-2]:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
