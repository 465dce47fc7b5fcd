"""Why papers, their listings and variants are what they are. In: a row. Out: the listings it came from, and what was decided."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from etl.extract.badge import parse_badge
from etl.printable import ELLIPSIS, count
from etl.resolve.categories import archives_of, votes
from etl.validate.rule_results import escape
from etl.why.book import LISTINGS, Book, Row
from etl.why.keys import row_key
from etl.why.reasons import Join, Told
from schemas import TABLES

_WON = (
    "the listing that the merged row is taken from: one with an abstract, then the page saved last, then the longest abstract,"
    " then the smallest id"
)
_LOST = "a listing that was merged into the row"
_SHOWN_LETTERS = 80
_SHOWN_WORDS = 12
"""Words that spoke most for a category."""


def paper(book: Book, row: Row) -> Told:
    """A paper: all its listings, the winner first, and everything that hangs on it."""
    paper_id = row["paper_id"]
    listings = book.listings(paper_id)
    places = (book.listing_place(listing, _WON if at == 0 else _LOST) for at, listing in enumerate(listings))
    joins = [
        *(_listing_join(listing) for listing in listings),
        *_variants(book, "listings.paper_id = ?", paper_id),
        *_authors(book, paper_id),
        *_hanging(book, paper_id),
    ]
    return Told(places, joins)


def listing(book: Book, row: Row) -> Told:
    """A listing: its own lines, the paper it was merged into, and where it says otherwise."""
    listings = book.listings(row["paper_id"])
    own = next(at for at, one in enumerate(listings) if _same(one, row))
    title = next(book.rows("SELECT title FROM papers WHERE paper_id = ?", row["paper_id"]))["title"]
    part = "its winning listing" if own == 0 else "a listing that did not win"
    joins = [
        _listing_join(listings[own]),
        *_votes(book, listings[own]),
        Join("papers", row["paper_id"], f"{_short(title)}; this is {part} of {len(listings)}"),
        *_variants(book, "variants.profile_id = ? AND variants.position = ?", row["profile_id"], row["position"]),
        *(_listing_join(other) for other in listings if not _same(other, row)),
    ]
    return Told([book.listing_place(listings[own], "the listing")], joins)


def candidate(book: Book, row: Row) -> Told:
    """Two papers that may be one: the listings of both, and why they were not merged."""
    ids = (row["paper_id"], row["other_id"])
    places = (book.listing_place(listing, f"a listing of {one}") for one in ids for listing in book.listings(one))
    words = f"not merged ({row['matched_by']}): {row['evidence']}; an overrides file decides"
    joins = [Join("papers", one, "one of the two") for one in ids]
    return Told(places, [Join("paper_candidates", ",".join(ids), words), *joins])


def identifier(book: Book, row: Row) -> Told:
    """An identifier of a paper: the paper's listings, and the record that was matched."""
    places = (book.listing_place(listing, "a listing of the paper") for listing in book.listings(row["paper_id"]))
    words = f"matched by {row['matched_by']}: {row['evidence']}"
    return Told(
        places,
        [
            Join("papers", row["paper_id"], "the paper"),
            Join("paper_identifiers", _key("paper_identifiers", row), words),
        ],
    )


def _votes(book: Book, one: Row) -> Iterator[Join]:
    """What spoke for each category that a listing's code may stand for, where evidence was weighed."""
    if one["category_confidence"] is None:
        return
    block = book.block(one)
    badges = (
        parse_badge(row["badge"])
        for row in book.rows("SELECT badge FROM listings WHERE profile_id = ?", one["profile_id"])
    )
    codes = Counter(badge.code for badge in badges if badge)
    text = f"{block.title}\n{block.abstract}"
    for vote in votes(block.badge_parts.code, archives_of(codes.items()), text, _published(book, one)):
        words = ", ".join(word for word, weight in list(vote.words.items())[:_SHOWN_WORDS] if weight > 0)
        told = f"{vote.confidence:.3f} of the evidence: {count(vote.badges, 'sure badge')} of its archive on the page"
        known = [*book.rows("SELECT 1 FROM categories WHERE category_id = ?", vote.category_id)]
        words = f"{vote.category_id}: {told}; words that speak for it: {words or 'none'}"
        yield Join("categories", escape(vote.category_id) if known else "", words)


def _published(book: Book, one: Row) -> date | None:
    """The day of a listing as it was dated."""
    said = "SELECT value FROM variants WHERE profile_id = ? AND position = ? AND field = 'published'"
    merged = "SELECT published AS value FROM papers WHERE paper_id = ?"
    rows = [*book.rows(said, one["profile_id"], one["position"]), *book.rows(merged, one["paper_id"])]
    return date.fromisoformat(rows[0]["value"]) if rows[0]["value"] else None


def variant(book: Book, row: Row) -> Told:
    """A variant: the lines that say it, and the listing and the merged row that say otherwise."""
    where = "WHERE listings.profile_id = ? AND listings.position = ?"
    own = next(book.rows(f"{LISTINGS} {where}", row["profile_id"], row["position"]))
    winner = book.listings(own["paper_id"])[0]
    merged = next(book.rows("SELECT * FROM papers WHERE paper_id = ?", own["paper_id"]))
    said = f"the merged row says {_short(str(merged[row['field']]))}" if row["field"] in merged else "the merged row"
    first, last = _lines_of_field(book, own, row["field"])
    joins = [
        Join("listings", _listing_key(own), "the listing that says it"),
        Join("listings", _listing_key(winner), "it is the winner itself" if _same(own, winner) else _WON),
        Join("papers", own["paper_id"], said),
    ]
    return Told([book.place(own, first, last, f"the listing's {row['field']}")], joins)


def _lines_of_field(book: Book, one: Row, field: str) -> tuple[int, int]:
    block = book.block(one)
    lines = {
        "title": (block.title_line, block.title_line),
        "byline": (block.byline_line, block.byline_line),
        "abstract": (block.abstract_line or block.line_end, block.line_end),
        "block": (block.line_start, block.line_end),
    }
    return lines.get(field, (block.line_start, block.line_start))


def _listing_join(one: Row) -> Join:
    words = f"{one['badge']}: category by {one['category_resolution']}; {_year_words(one)}"
    return Join("listings", _listing_key(one), words)


def _year_words(one: Row) -> str:
    badge = parse_badge(one["badge"])
    if badge and badge.year is not None:
        return "the year is printed"
    if one["observed_on"]:
        return f"no year is printed; the page was saved on {one['observed_on']}"
    return "no year is printed, nor is it known when the page was saved; the page's other years tell at best"


def _variants(book: Book, condition: str, *values: object) -> Iterator[Join]:
    sql = "SELECT variants.* FROM variants JOIN listings USING (profile_id, position)"
    for one in book.rows(f"{sql} WHERE {condition} ORDER BY 1, 2, 3", *values):
        yield Join("variants", _key("variants", one), f"this listing's {one['field']} is {_short(one['value'])}")


def _authors(book: Book, paper_id: str) -> Iterator[Join]:
    sql = (
        "SELECT paper_authors.*, matched_by, evidence FROM paper_authors LEFT JOIN author_names USING (name, author_id)"
        " WHERE paper_id = ? ORDER BY position IS NULL, position, paper_authors.author_id"
    )
    for one in book.rows(sql, paper_id):
        place = f"place {one['position']} in the byline" if one["position"] else 'behind "et al.", as owner of a page'
        told = f", {one['matched_by']}: {one['evidence']}" if one["evidence"] else ""
        yield Join("paper_authors", _key("paper_authors", one), f"{one['name']}, {place}{told}")


def _hanging(book: Book, paper_id: str) -> Iterator[Join]:
    for table, words in (("paper_institutions", "a tag of the byline"), ("links", "an address in the abstract")):
        columns = ", ".join(TABLES[table].definition().primary_key)
        for one in book.rows(f"SELECT {columns} FROM {table} WHERE paper_id = ? ORDER BY {columns}", paper_id):  # noqa: S608
            yield Join(table, _key(table, one), words)


def _same(one: Row, other: Row) -> bool:
    return _listing_key(one) == _listing_key(other)


def _listing_key(one: Row) -> str:
    return f"{escape(one['profile_id'])},{one['position']}"


def _key(table: str, row: Row) -> str:
    return row_key(row, TABLES[table].definition().primary_key)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + ELLIPSIS
