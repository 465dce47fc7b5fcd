"""What tests of several modules need: pages given as text, and the stages from a page to checked tables."""

import hashlib
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path

from click.testing import CliRunner, Result

from etl.cli import main
from etl.extract.page import Page, ParsedPage, parse_page
from etl.load.sqlite import write_rows
from etl.resolve.overrides import Overrides
from etl.resolve.rendering import rebuild_pages
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.staging import combine, stage
from schemas import Frames

Dates = date | Sequence[date | None] | None


def page_of(text: str, source: str = "p0.txt", observed_on: date | None = None) -> Page:
    """A page of this text, as reading a file would make it."""
    data = text.encode()
    return Page(source, observed_on, hashlib.sha256(data).hexdigest(), len(data), text)


def parsed(text: str, source: str = "p0.txt", observed_on: date | None = None) -> ParsedPage:
    """What the grammar reads in a page of this text."""
    return parse_page(page_of(text, source, observed_on))


def tables_of(*texts: str, observed_on: Dates = None, overrides: Overrides | None = None) -> Frames:
    """The checked tables of pages p0.txt, p1.txt, …; `observed_on` is one date for all, or one for each."""
    return dict(_remembered_tables(texts, _dates(texts, observed_on), overrides or Overrides()))


def _dates(texts: Sequence[str], observed_on: Dates) -> tuple[date | None, ...]:
    every = observed_on is None or isinstance(observed_on, date)
    return (observed_on,) * len(texts) if every else tuple(observed_on)


def _tables(texts: Sequence[str], dates: Sequence[date | None], decided: Overrides) -> Frames:
    pages = [parsed(text, f"p{number}.txt", day) for number, (text, day) in enumerate(zip(texts, dates, strict=True))]
    staged = combine([stage(pages)])
    resolved = resolve(staged.profiles, settle(list_papers(staged.profiles, staged.blocks, decided), decided), decided)
    return validate(resolved, staged, decided, allow_unreadable=True)


_remembered_tables = lru_cache(100)(_tables)
"""Several tests ask about the same small pages."""


def write_database(path: Path, tables: Frames) -> None:
    """Write the database of these tables to a new file."""
    write_rows(path, {name: [frame] for name, frame in tables.items()})


def rebuilt(tables: Frames) -> dict[str, bytes]:
    """The bytes of each page as the tables give them back, by the page's source."""
    sources = dict(tables["profiles"].select("profile_id", "source").iter_rows())
    return {sources[profile_id]: page for profile_id, page in rebuild_pages(tables)}


def lines_claimed(tables: Frames, profile_id: str) -> Counter[int]:
    """How many rows claim each line of a page: its header, its listings and the quarantine."""
    header = tables["profiles"].filter(profile_id=profile_id)["header"].item()
    claimed = Counter(range(1, header.count("\n") + 2) if header else ())
    for table in ("listings", "quarantine"):
        for first, last in tables[table].filter(profile_id=profile_id).select("line_start", "line_end").iter_rows():
            claimed.update(range(first, last + 1))
    return claimed


def assert_accounted(*texts: str, observed_on: list[date | None] | None = None) -> Frames:
    """Each page comes back byte for byte, each line that is not empty stands in one row, and no line in two."""
    tables = _tables(texts, _dates(texts, observed_on), Overrides())  # pages of any size: not remembered
    sources = {text: min(f"p{n}.txt" for n, other in enumerate(texts) if other == text) for text in set(texts)}
    assert rebuilt(tables) == {source: text.encode() for text, source in sources.items()}
    profiles = {
        source: row for *row, source in tables["profiles"].select("profile_id", "newline", "source").iter_rows()
    }
    for text, source in sources.items():
        profile_id, newline = profiles[source]
        lines = text.split("\r\n" if newline == "CRLF" else "\n")
        claimed = lines_claimed(tables, profile_id)
        filled = {number for number, line in enumerate(lines, 1) if line not in {"", "\r"}}
        assert filled - set(claimed) == set()
        assert {number: times for number, times in claimed.items() if times > 1 or number > len(lines)} == {}
    return tables


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` where the block computes longer than this, however busy the machine is."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"computed for more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def run(*arguments: str | Path) -> Result:
    """What the command does with these arguments, in this process."""
    return CliRunner().invoke(main, list(map(str, arguments)))
