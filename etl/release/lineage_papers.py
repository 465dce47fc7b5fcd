"""Lineage of papers, listings, variants, identifiers, institutions, links and categories.

In: a row. Out: its source lines (listings, bylines, abstracts, badges), related rows, and how it was resolved.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from datasette.utils import tilde_encode

from etl.extract.badge import parse_badge
from etl.extract.byline import parse_byline
from etl.printable import ELLIPSIS, count
from etl.release.lineage import BY_PAGE, LISTINGS, RelatedRow, ReleaseRows, Row, SourceSpan, Trace, tilde_key
from etl.resolve.categories import archives_of, votes
from etl.resolve.folding import slug
from etl.resolve.links import find_links
from schemas import TABLES

_WON = (
    "the listing that the merged row is taken from: one with an abstract, then the page saved last, then the longest abstract,"
    " then the smallest id"
)
_LOST = "a listing that was merged into the row"
_SHOWN_LETTERS = 80
_SHOWN_WORDS = 12
"""Number of words with the largest weights for a category."""


def paper(release: ReleaseRows, row: Row) -> Trace:
    """A paper: all its listings, the winning one first, and all rows that refer to it."""
    paper_id = row["paper_id"]
    listings = release.listings(paper_id)
    spans = (release.listing_span(listing, _WON if at == 0 else _LOST) for at, listing in enumerate(listings))
    related = [
        *(_related_listing(listing) for listing in listings),
        *_variants(release, "listings.paper_id = ?", paper_id),
        *_authors(release, paper_id),
        *records(release, paper_id),
        *_details(release, paper_id),
    ]
    return Trace(spans, related)


def listing(release: ReleaseRows, row: Row) -> Trace:
    """A listing: its lines, its paper, its variants, and the other listings of the paper."""
    listings = release.listings(row["paper_id"])
    own = next(at for at, one in enumerate(listings) if _same(one, row))
    title = next(release.rows("SELECT title FROM papers WHERE paper_id = ?", row["paper_id"]))["title"]
    part = "its winning listing" if own == 0 else "a listing that did not win"
    related = [
        _related_listing(listings[own]),
        *_votes(release, listings[own]),
        RelatedRow("papers", row["paper_id"], f"{_short(title)}; this is {part} of {len(listings)}"),
        *_variants(release, "variants.profile_id = ? AND variants.position = ?", row["profile_id"], row["position"]),
        *(_related_listing(other) for other in listings if not _same(other, row)),
    ]
    return Trace([release.listing_span(listings[own], "the listing")], related)


def candidate(release: ReleaseRows, row: Row) -> Trace:
    """Two papers that may be one: the listings of both, and why they were not merged."""
    ids = (row["paper_id"], row["other_id"])
    spans = (release.listing_span(listing, f"a listing of {one}") for one in ids for listing in release.listings(one))
    words = f"not merged ({row['matched_by']}): {row['evidence']}; an overrides file decides"
    related = [RelatedRow("papers", one, "one of the two") for one in ids]
    return Trace(spans, [RelatedRow("paper_candidates", ",".join(ids), words), *related])


def identifier(release: ReleaseRows, row: Row) -> Trace:
    """An identifier: the listings of its paper, and how it was matched."""
    spans = (release.listing_span(listing, "a listing of the paper") for listing in release.listings(row["paper_id"]))
    words = f"matched by {row['matched_by']}: {row['evidence']}"
    return Trace(
        spans,
        [
            RelatedRow("papers", row["paper_id"], "the paper"),
            RelatedRow("paper_identifiers", _key("paper_identifiers", row), words),
        ],
    )


def _votes(release: ReleaseRows, one: Row) -> Iterator[RelatedRow]:
    """The evidence for each category that a listing's code may denote, if evidence was weighed."""
    if one["category_confidence"] is None:
        return
    block = release.block(one)
    badges = (
        parse_badge(row["badge"])
        for row in release.rows("SELECT badge FROM listings WHERE profile_id = ?", one["profile_id"])
    )
    codes = Counter(badge.code for badge in badges if badge)
    text = f"{block.title}\n{block.abstract}"
    for vote in votes(block.badge_parts.code, archives_of(codes.items()), text, _published(release, one)):
        words = ", ".join(word for word, weight in list(vote.words.items())[:_SHOWN_WORDS] if weight > 0)
        evidence = (
            f"{vote.confidence:.3f} of the evidence: {count(vote.badges, 'sure badge')} of its archive on the page"
        )
        known = [*release.rows("SELECT 1 FROM categories WHERE category_id = ?", vote.category_id)]
        words = f"{vote.category_id}: {evidence}; words in favour: {words or 'none'}"
        yield RelatedRow("categories", tilde_encode(vote.category_id) if known else "", words)


def _published(release: ReleaseRows, one: Row) -> date | None:
    """The resolved day of a listing."""
    own = "SELECT value FROM variants WHERE profile_id = ? AND position = ? AND field = 'published'"
    merged = "SELECT published AS value FROM papers WHERE paper_id = ?"
    rows = [*release.rows(own, one["profile_id"], one["position"]), *release.rows(merged, one["paper_id"])]
    return date.fromisoformat(rows[0]["value"]) if rows[0]["value"] else None


def variant(release: ReleaseRows, row: Row) -> Trace:
    """A variant: its lines, its listing, and the merged row with the listing from which that was taken."""
    where = "WHERE listings.profile_id = ? AND listings.position = ?"
    own = next(release.rows(f"{LISTINGS} {where}", row["profile_id"], row["position"]))
    winner = release.listings(own["paper_id"])[0]
    merged = next(release.rows("SELECT * FROM papers WHERE paper_id = ?", own["paper_id"]))
    merged_words = (
        f"the merged row has {_short(str(merged[row['field']]))}" if row["field"] in merged else "the merged row"
    )
    first, last = _lines_of_field(release, own, row["field"])
    related = [
        RelatedRow("listings", _listing_key(own), "the listing with this value"),
        RelatedRow("listings", _listing_key(winner), "it is the winner itself" if _same(own, winner) else _WON),
        RelatedRow("papers", own["paper_id"], merged_words),
    ]
    return Trace([release.span(own, first, last, f"the listing's {row['field']}")], related)


def _lines_of_field(release: ReleaseRows, one: Row, field: str) -> tuple[int, int]:
    block = release.block(one)
    lines = {
        "title": (block.title_line, block.title_line),
        "byline": (block.byline_line, block.byline_line),
        "abstract": (block.abstract_line or block.line_end, block.line_end),
        "block": (block.line_start, block.line_end),
    }
    return lines.get(field, (block.line_start, block.line_start))


def _related_listing(one: Row) -> RelatedRow:
    words = f"{one['badge']}: category by {one['category_resolution']}; {_year_words(one)}"
    return RelatedRow("listings", _listing_key(one), words)


def _year_words(one: Row) -> str:
    badge = parse_badge(one["badge"])
    if badge and badge.year is not None:
        return "the year is printed"
    if one["observed_on"]:
        return f"no year is printed; the page was saved on {one['observed_on']}"
    return (
        "no year is printed, and the day on which the page was saved is unknown; the page's other years decide at best"
    )


def _variants(release: ReleaseRows, condition: str, *values: object) -> Iterator[RelatedRow]:
    sql = "SELECT variants.* FROM variants JOIN listings USING (profile_id, position)"
    for one in release.rows(f"{sql} WHERE {condition} ORDER BY 1, 2, 3", *values):
        yield RelatedRow("variants", _key("variants", one), f"this listing's {one['field']} is {_short(one['value'])}")


_PLACES = {
    "byline": "in the byline",
    "reference": 'behind "et al.", from the record',
    "owner": 'behind "et al.", as owner of a page',
}


def records(release: ReleaseRows, paper_id: str) -> Iterator[RelatedRow]:
    """The identifiers of a paper's record of arXiv's, with its file and line."""
    for one in release.rows("SELECT * FROM paper_identifiers WHERE paper_id = ? ORDER BY 2, 3", paper_id):
        yield RelatedRow("paper_identifiers", _key("paper_identifiers", one), f"the record, by {one['evidence']}")


def _authors(release: ReleaseRows, paper_id: str) -> Iterator[RelatedRow]:
    sql = (
        "SELECT paper_authors.*, matched_by, evidence FROM paper_authors LEFT JOIN author_names USING (name, author_id)"
        " WHERE paper_id = ? ORDER BY position IS NULL, position, paper_authors.author_id"
    )
    for one in release.rows(sql, paper_id):
        place = f"place {one['position']} {_PLACES[one['source']]}" if one["position"] else _PLACES["owner"]
        evidence = f", {one['matched_by']}: {one['evidence']}" if one["evidence"] else ""
        yield RelatedRow("paper_authors", _key("paper_authors", one), f"{one['name']}, {place}{evidence}")


def _details(release: ReleaseRows, paper_id: str) -> Iterator[RelatedRow]:
    for table, words in (("paper_institutions", "a tag of the byline"), ("links", "an address in the abstract")):
        columns = ", ".join(TABLES[table].definition().primary_key)
        for one in release.rows(f"SELECT {columns} FROM {table} WHERE paper_id = ? ORDER BY {columns}", paper_id):  # noqa: S608
            yield RelatedRow(table, _key(table, one), words)


def _same(one: Row, other: Row) -> bool:
    return _listing_key(one) == _listing_key(other)


def _listing_key(one: Row) -> str:
    return f"{tilde_encode(one['profile_id'])},{one['position']}"


def _key(table: str, row: Row) -> str:
    return tilde_key(row, TABLES[table].definition().primary_key)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + ELLIPSIS


def paper_institution(release: ReleaseRows, row: Row) -> Trace:
    """An institution of a paper: the paper's bylines with its tag."""
    related = [
        RelatedRow("papers", row["paper_id"], "the paper"),
        RelatedRow("institutions", row["institution_id"], "the institution"),
    ]
    return Trace(_tagged(release, release.listings(row["paper_id"]), row["institution_id"]), related)


def institution(release: ReleaseRows, row: Row) -> Trace:
    """An institution: every byline with its tag."""
    papers = "SELECT paper_id FROM paper_institutions WHERE institution_id = ?"
    listings = release.rows(f"{LISTINGS} WHERE listings.paper_id IN ({papers}) {BY_PAGE}", row["institution_id"])
    related = release.rows("SELECT * FROM paper_institutions WHERE institution_id = ?", row["institution_id"])
    return Trace(
        _tagged(release, listings, row["institution_id"]),
        [
            RelatedRow("paper_institutions", tilde_key(one, ("paper_id", "institution_id")), "a paper with its tag")
            for one in related
        ],
    )


def link(release: ReleaseRows, row: Row) -> Trace:
    """A link: the abstracts that contain its address."""
    return Trace(
        _linking(release, row), [RelatedRow("papers", row["paper_id"], "the paper whose abstract holds the address")]
    )


def category(release: ReleaseRows, row: Row) -> Trace:
    """A category: the badges and fields that denote it, and how they were resolved."""
    papers = "SELECT paper_id FROM papers WHERE category_id = ?"
    listings = release.rows(f"{LISTINGS} WHERE listings.paper_id IN ({papers}) {BY_PAGE}", row["category_id"])
    profiles = list(release.rows("SELECT * FROM profiles WHERE category_id = ?", row["category_id"]))
    ways = release.rows(
        "SELECT category_resolution, count(*) AS badges FROM listings JOIN papers USING (paper_id)"
        " WHERE category_id = ? GROUP BY 1 ORDER BY 1",
        row["category_id"],
    )
    related = [
        *(
            RelatedRow("listings", "", f"{way['badges']:,} of its papers' badges: {way['category_resolution']}")
            for way in ways
        ),
        *(
            RelatedRow("profiles", one["profile_id"], f"its field {one['field']} denotes the category")
            for one in profiles
        ),
    ]
    return Trace(_badges_and_fields(release, listings, profiles), related)


def paper_category(release: ReleaseRows, row: Row) -> Trace:
    """A category of a paper: the paper's badges, and how each was resolved."""
    listings = release.listings(row["paper_id"])
    related = [
        RelatedRow("papers", row["paper_id"], "the paper"),
        RelatedRow("categories", tilde_encode(row["category_id"]), "the category"),
    ]
    if row["source"] == "reference":
        return Trace([], [*related, *records(release, row["paper_id"])])
    return Trace(_badges_and_fields(release, iter(listings), []), related)


def _badges_and_fields(release: ReleaseRows, listings: Iterator[Row], profiles: list[Row]) -> Iterator[SourceSpan]:
    for profile in profiles:
        field = release.header(profile).values["field"]
        yield release.span(profile, field.line, field.line, "the page's field")
    for one in listings:
        yield release.span(
            one, one["line_start"], one["line_start"], f"a badge, resolved by {one['category_resolution']}"
        )


def _tagged(release: ReleaseRows, listings: Iterable[Row], institution_id: str) -> Iterator[SourceSpan]:
    for one in listings:
        block = release.block(one)
        if institution_id in map(slug, parse_byline(block.byline).tags):
            yield release.span(one, block.byline_line, block.byline_line, "a byline with the institution's tag")


def _linking(release: ReleaseRows, row: Row) -> Iterator[SourceSpan]:
    for one in release.listings(row["paper_id"]):
        block = release.block(one)
        if block.abstract_line and row["url"] in [url for url, *_ in find_links(block.abstract)]:
            yield release.span(one, block.abstract_line, block.line_end, "an abstract that contains the address")
