"""The command `pack`: many pages become few files. In: pages. Out: a folder of shards."""

from pathlib import Path

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import FOLDER
from etl.cli.output import say, write


@click.command()
@click.argument("pages", nargs=-1, required=True)
@click.option("-o", "--out", type=FOLDER, metavar="FOLDER", required=True, help="New folder of the shards.")
@click.option("--allow-unreadable", is_flag=True, help="Leave out pages that cannot be read, and report them.")
def pack(pages: tuple[str, ...], out: Path, *, allow_unreadable: bool) -> None:
    """Pack PAGES into shards: few large files, from which `build` and `check` give the same dataset.

    PAGES are files, folders, globs, archives, shards, - (standard input). A shard is a Parquet file with source, text and
    observed_on of each page, of up to 32 MiB of text. It pays where many small files are slow to list, copy or read.
    """
    from rich.console import Console

    from etl.packing import pack as pack_pages
    from etl.printable import count, path_text
    from etl.progress import Progress

    with clearing_away(lambda: "interrupted; nothing was written"):
        packed = pack_pages(pages, out, Progress(Console(stderr=True)), allow_unreadable=allow_unreadable)
    say(*(f"paperledger: left out {line}" for line in packed.left_out))
    size = f"{packed.shard_bytes:,} bytes instead of {packed.page_bytes:,}"
    write(f"{path_text(str(out))}: {count(packed.pages, 'page')} in {count(packed.shards, 'shard')}, {size}\n")
