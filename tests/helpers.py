"""What tests of several modules need: pages given as text, and the stages from a page to checked tables."""

import hashlib
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from etl.extract.page import parse_page
from etl.rebuild import rebuild_pages
from etl.records import Page, ParsedPage
from etl.resolve.categories import field_codes
from etl.resolve.overrides import Overrides
from etl.resolve.tables import resolve
from etl.validate.blocks import combine, take_in
from etl.validate.tables import validate
from schemas import Frames

Dates = date | Sequence[date | None] | None


def page_of(text: str, source: str = "p0.txt", observed_on: date | None = None) -> Page:
    """A page of this text, as reading a file would make it."""
    data = text.encode()
    return Page(source, observed_on, hashlib.sha256(data).hexdigest(), len(data), text)


def parsed(text: str, source: str = "p0.txt", observed_on: date | None = None) -> ParsedPage:
    """What the grammar reads in a page of this text."""
    return parse_page(page_of(text, source, observed_on), field_codes())


def tables_of(*texts: str, observed_on: Dates = None, overrides: Overrides | None = None) -> Frames:
    """The checked tables of pages p0.txt, p1.txt, …; `observed_on` is one date for all, or one for each."""
    dates = [observed_on] * len(texts) if observed_on is None or isinstance(observed_on, date) else observed_on
    pages = [parsed(text, f"p{number}.txt", day) for number, (text, day) in enumerate(zip(texts, dates, strict=True))]
    intake = combine([take_in(pages)])
    decided = overrides or Overrides()
    return validate(resolve(intake.profiles, intake.blocks, decided), intake.quarantine, decided)


def rebuilt(tables: Frames) -> dict[str, bytes]:
    """The bytes of each page as the tables give them back, by the page's source."""
    sources = dict(tables["profiles"].select("profile_id", "source").iter_rows())
    return {sources[profile_id]: page for profile_id, page in rebuild_pages(tables)}


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
