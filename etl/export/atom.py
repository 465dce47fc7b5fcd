"""Atom feeds. In: papers, newest first. Out: a feed whose identifiers and days come from the data: no clock, no host."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from etl.export.readable_text import plain
from etl.export.selection import CitedPaper, Selection

TAG = "tag:paperledger,2026:papers"
"""How identifiers begin; the same papers have the same identifiers at every address."""
UNDATED = date(1970, 1, 1)
"""The day of papers without a date, since each entry must have one."""


@dataclass(frozen=True)
class Feed:
    """A feed's identifier and title, and on a site the addresses of its page, of itself and of each paper's page by id."""

    id: str
    title: str
    page: str | None = None
    address: str | None = None
    paper_page: Callable[[str], str] | None = None


def feed_id(selection: Selection) -> str:
    """The identifier of a selection's feed.

    >>> feed_id(Selection()), feed_id(Selection(search="bells & ropes"))
    ('tag:paperledger,2026:papers', 'tag:paperledger,2026:papers?search=bells%20%26%20ropes')
    """
    query = urlencode(selection.conditions, quote_via=quote, safe="")
    return f"{TAG}?{query}" if query else TAG


def atom(papers: Iterable[CitedPaper], feed: Feed) -> Iterator[str]:
    """The feed, in pieces of one entry each; it was updated on the day of its first paper.

    >>> print("".join(atom([], Feed(TAG, "Papers"))))
    <?xml version="1.0" encoding="utf-8"?>
    <feed xmlns="http://www.w3.org/2005/Atom">
    <id>tag:paperledger,2026:papers</id>
    <title>Papers</title>
    <updated>1970-01-01T00:00:00Z</updated>
    <author><name>paperledger</name></author>
    </feed>
    <BLANKLINE>
    """
    rest = iter(papers)
    first = list(next(([paper] for paper in rest), []))
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield f"<id>{escape(feed.id)}</id>\n{_text('title', feed.title)}{_updated(first[0].published if first else None)}"
    # Required where an entry has no author.
    yield f"<author><name>paperledger</name></author>\n{_link('alternate', feed.page)}{_link('self', feed.address)}"
    yield from (_entry(paper, feed) for paper in chain(first, rest))
    yield "</feed>\n"


def _entry(paper: CitedPaper, feed: Feed) -> str:
    page = feed.paper_page(paper.paper_id) if feed.paper_page else None
    title = plain(paper.title)
    parts = [
        f"<entry>\n<id>{TAG}/{escape(paper.paper_id)}</id>\n{_text('title', title)}{_updated(paper.published)}",
        f"<published>{_moment(paper.published)}</published>\n" if paper.published else "",
        *(f"<author>{_text('name', author.name).rstrip()}</author>\n" for author in paper.authors),
        f"<category term={quoteattr(paper.category_id)}/>\n" if paper.category_id else "",
        _link("alternate", page) + _link("related", paper.url) if page else _link("alternate", paper.url),
        # Required where there is no link.
        _text("content", plain(paper.abstract) or title),
        "</entry>\n",
    ]
    return "".join(parts)


def _text(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>\n"


def _link(relation: str, address: str | None) -> str:
    return f"<link rel={quoteattr(relation)} href={quoteattr(address)}/>\n" if address else ""


def _updated(day: date | None) -> str:
    return f"<updated>{_moment(day or UNDATED)}</updated>\n"


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
