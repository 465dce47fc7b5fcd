"""The commands that write pages: `pages` from arXiv's metadata, `pack` many pages as few files. Out: what `build` reads."""

from pathlib import Path

import click

from etl.cli.interrupts import clearing_away
from etl.cli.options import FILE, FOLDER, reference_option, text_option, workers_option
from etl.cli.output import say, write
from etl.errors import UsageError


@click.command()
@reference_option(required=True)
@click.option("--ids", type=FILE, metavar="FILE", help="arXiv identifiers of the owner's papers, in any form, as text.")
@text_option("--owner", "NAME", "The person whose papers --ids lists.")
@text_option(
    "--author",
    "NAME",
    "All papers by this name instead, on a page without an owner: several people may have one name.",
)
@click.option("--out", type=FOLDER, metavar="FOLDER", required=True, help="Folder of the page.")
@click.option("--replace", is_flag=True, help="Replace another page of the same name.")
@workers_option("the metadata")
def pages(  # noqa: PLR0913  its options
    reference: tuple[Path, ...],
    ids: Path | None,
    owner: str | None,
    author: str | None,
    out: Path,
    *,
    replace: bool,
    workers: int,
) -> None:
    """Make a page from arXiv's metadata, to build from as from a saved one.

    The page lists the papers of arXiv identifiers (--ids with --owner) or all papers by a name (--author), newest first and
    with all authors. h-index, citations and other figures that arXiv does not publish are left out.
    """
    from etl.made_pages import file_name, page_of_ids, page_of_name, write_page
    from etl.printable import count

    with clearing_away():
        if ids is not None and owner is not None and author is None:
            page, problems = page_of_ids(reference, ids, _name(owner), workers)
        elif author is not None and ids is None and owner is None:
            page, problems = page_of_name(reference, _name(author), workers)
        else:
            raise UsageError("expected either --ids FILE with --owner NAME, or --author NAME; give one of the two")
    path = out / file_name(_name(owner or author or ""))
    write_page(path, page, replaces=replace)
    say(*problems)
    write(f"{path}: {count(page.papers, 'paper')}\n")


def _name(given: str) -> str:
    """A name with single spaces; raises `UsageError` where it is empty."""
    name = " ".join(given.split())
    if not name:
        raise UsageError("found an empty name, expected one such as Ann B. Bell; give it with --owner or --author")
    return name


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
