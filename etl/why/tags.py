"""Why papers carry institutions, links and categories. In: a row. Out: the bylines, abstracts and badges that say so."""

from collections.abc import Iterable, Iterator

from etl.extract.byline import parse_byline
from etl.resolve.folding import slug
from etl.resolve.links import find_links
from etl.validate.rule_results import escape
from etl.why.book import BY_PAGE, LISTINGS, Book, Row
from etl.why.keys import row_key
from etl.why.reasons import Join, Place, Told


def paper_institution(book: Book, row: Row) -> Told:
    """An institution of a paper: the bylines that carry its tag."""
    joins = [
        Join("papers", row["paper_id"], "the paper"),
        Join("institutions", row["institution_id"], "the institution"),
    ]
    return Told(_tagged(book, book.listings(row["paper_id"]), row["institution_id"]), joins)


def institution(book: Book, row: Row) -> Told:
    """An institution: every byline that carries its tag."""
    papers = "SELECT paper_id FROM paper_institutions WHERE institution_id = ?"
    listings = book.rows(f"{LISTINGS} WHERE listings.paper_id IN ({papers}) {BY_PAGE}", row["institution_id"])
    joins = book.rows("SELECT * FROM paper_institutions WHERE institution_id = ?", row["institution_id"])
    return Told(
        _tagged(book, listings, row["institution_id"]),
        [
            Join("paper_institutions", row_key(one, ("paper_id", "institution_id")), "a paper with its tag")
            for one in joins
        ],
    )


def link(book: Book, row: Row) -> Told:
    """A link: the abstracts that hold its address."""
    return Told(_linking(book, row), [Join("papers", row["paper_id"], "the paper whose abstract holds the address")])


def category(book: Book, row: Row) -> Told:
    """A category: the badges and fields that stand for it, and how they were resolved."""
    papers = "SELECT paper_id FROM papers WHERE category_id = ?"
    listings = book.rows(f"{LISTINGS} WHERE listings.paper_id IN ({papers}) {BY_PAGE}", row["category_id"])
    profiles = list(book.rows("SELECT * FROM profiles WHERE category_id = ?", row["category_id"]))
    ways = book.rows(
        "SELECT category_resolution, count(*) AS badges FROM listings JOIN papers USING (paper_id)"
        " WHERE category_id = ? GROUP BY 1 ORDER BY 1",
        row["category_id"],
    )
    joins = [
        *(
            Join("listings", "", f"{way['badges']:,} of its papers' badges: {way['category_resolution']}")
            for way in ways
        ),
        *(Join("profiles", one["profile_id"], f"its field {one['field']} stands for the category") for one in profiles),
    ]
    return Told(_badges_and_fields(book, listings, profiles), joins)


def paper_category(book: Book, row: Row) -> Told:
    """A category of a paper: the badges that say so, and how each was resolved."""
    listings = book.listings(row["paper_id"])
    joins = [
        Join("papers", row["paper_id"], "the paper"),
        Join("categories", escape(row["category_id"]), "the category"),
    ]
    return Told(_badges_and_fields(book, iter(listings), []), joins)


def _badges_and_fields(book: Book, listings: Iterator[Row], profiles: list[Row]) -> Iterator[Place]:
    for profile in profiles:
        field = book.header(profile).values["field"]
        yield book.place(profile, field.line, field.line, "the page's field")
    for one in listings:
        yield book.place(
            one, one["line_start"], one["line_start"], f"a badge, resolved by {one['category_resolution']}"
        )


def _tagged(book: Book, listings: Iterable[Row], institution_id: str) -> Iterator[Place]:
    for one in listings:
        block = book.block(one)
        if institution_id in map(slug, parse_byline(block.byline).tags):
            yield book.place(one, block.byline_line, block.byline_line, "a byline with the institution's tag")


def _linking(book: Book, row: Row) -> Iterator[Place]:
    for one in book.listings(row["paper_id"]):
        block = book.block(one)
        if block.abstract_line and row["url"] in [url for url, *_ in find_links(block.abstract)]:
            yield book.place(one, block.abstract_line, block.line_end, "an abstract that holds the address")
