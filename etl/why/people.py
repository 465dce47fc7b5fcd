"""Why people are who they are. In: a row. Out: where pages print the names, and what joined them or did not."""

from collections.abc import Collection, Iterator

from etl.extract.byline import parse_byline
from etl.validate.rule_results import escape
from etl.why.book import BY_PAGE, LISTINGS, Book, Row
from etl.why.reasons import Join, Place, Told

_PAPERS = "SELECT paper_id FROM paper_authors WHERE author_id = ?"
_OLDER = "SELECT 1 FROM variants AS v WHERE v.profile_id = listings.profile_id AND v.position = listings.position"
"""Listings whose byline lost to a newer one keep it as a variant; names that stand only there are found by it."""


def author(book: Book, row: Row) -> Told:
    """An author: pages owned and bylines that print a spelling, and why each spelling is this person."""
    author_id = row["author_id"]
    joins = [*_spellings(book, author_id), *_owned(book, author_id), *_candidates(book, author_id)]
    return Told(_appearances(book, author_id, _names(book, author_id)), joins)


def author_name(book: Book, row: Row) -> Told:
    """A spelling: where pages print it so, and why it is that person."""
    others = (join for join in _spellings(book, row["author_id"]) if join.key != _name_key(row))
    joins = [_name_join(row), Join("authors", row["author_id"], "the person"), *others]
    return Told(_appearances(book, row["author_id"], {row["name"]}), joins)


def paper_author(book: Book, row: Row) -> Told:
    """An author of a paper: the bylines that name the person, or the page that the person owns."""
    names = _names(book, row["author_id"])
    places = _in_listings(book, book.listings(row["paper_id"]), names, row["author_id"])
    told = book.rows("SELECT * FROM author_names WHERE name = ? AND author_id = ?", row["name"], row["author_id"])
    joins = [
        *map(_name_join, told),
        Join("authors", row["author_id"], "the person"),
        Join("papers", row["paper_id"], "the paper"),
    ]
    return Told(places, joins)


def merge_candidate(book: Book, row: Row) -> Told:
    """Two authors who may be one: where pages print either, and why they were not joined."""
    ids = (row["author_id"], row["other_id"])
    places = (place for one in ids for place in _appearances(book, one, _names(book, one)))
    words = f"not joined ({row['matched_by']}): {row['evidence']}; an overrides file decides"
    joins = [Join("merge_candidates", ",".join(map(escape, ids)), words)]
    return Told(places, joins + [join for one in ids for join in _spellings(book, one)])


def profile(book: Book, row: Row) -> Told:
    """A page: its header's lines, its owner, its listings and its lines in quarantine."""
    key = row["profile_id"]
    last = book.header(row).line_count
    places = [book.place(row, 1, last, "the header")] if last else []
    names = "SELECT * FROM author_names WHERE name = ? AND author_id = ?"
    owner = map(_name_join, book.rows(names, row["name"], row["author_id"]))
    category = [Join("categories", escape(row["category_id"]), "the field")] if row["category_id"] else []
    listed = book.rows("SELECT * FROM listings WHERE profile_id = ? ORDER BY position", key)
    stray = book.rows("SELECT * FROM quarantine WHERE profile_id = ? ORDER BY line_start", key)
    joins = [
        *owner,
        *category,
        *(Join("quarantine", f"{key},{one['line_start']}", one["reason"]) for one in stray),
        *(Join("listings", f"{key},{one['position']}", one["badge"]) for one in listed),
    ]
    return Told(places, joins)


def _appearances(book: Book, author_id: str, names: Collection[str]) -> Iterator[Place]:
    """Where pages print one of the names: as their owner, then in bylines."""
    for page in book.rows("SELECT * FROM profiles WHERE author_id = ? ORDER BY source, profile_id", author_id):
        if page["name"] in names:
            yield _owner_place(book, page)
    listings = book.rows(f"{LISTINGS} WHERE listings.paper_id IN ({_PAPERS}) {BY_PAGE}", author_id)
    yield from _bylines(book, listings, names)
    for name in sorted(names):
        older = f"EXISTS ({_OLDER} AND v.field IN ('byline', 'block') AND instr(v.value, ?))"
        yield from _bylines(
            book,
            book.rows(f"{LISTINGS} WHERE {older} AND listings.paper_id NOT IN ({_PAPERS}) {BY_PAGE}", name, author_id),
            {name},
        )


def _bylines(book: Book, listings: Iterator[Row], names: Collection[str]) -> Iterator[Place]:
    for one in listings:
        yield from _byline(book, one, names)


def _byline(book: Book, one: Row, names: Collection[str]) -> list[Place]:
    block = book.block(one)
    printed = parse_byline(block.byline).names
    found = [f"{name}, place {at} in the byline" for at, name in enumerate(printed, start=1) if name in names]
    return [book.place(one, block.byline_line, block.byline_line, found[0])] if found else []


def _in_listings(book: Book, listings: list[Row], names: Collection[str], author_id: str) -> Iterator[Place]:
    """For each listing the byline that names the person; else its page's owner, who stands behind "et al."."""
    for one in listings:
        places = _byline(book, one, names)
        yield from places
        page = next(book.rows("SELECT * FROM profiles WHERE profile_id = ?", one["profile_id"]))
        if not places and page["author_id"] == author_id:
            yield _owner_place(book, page)


def _owner_place(book: Book, page: Row) -> Place:
    line = book.header(page).values["name"].line
    return book.place(page, line, line, f"{page['name']}, the page's owner, who wrote all that it lists")


def _names(book: Book, author_id: str) -> set[str]:
    return {row["name"] for row in book.rows("SELECT name FROM author_names WHERE author_id = ?", author_id)}


def _spellings(book: Book, author_id: str) -> Iterator[Join]:
    return map(_name_join, book.rows("SELECT * FROM author_names WHERE author_id = ? ORDER BY name", author_id))


def _name_join(row: Row) -> Join:
    why = row["evidence"] or "the spelling that the person is called by"
    return Join("author_names", _name_key(row), f"{row['name']} is {row['author_id']} ({row['matched_by']}): {why}")


def _name_key(row: Row) -> str:
    return f"{escape(row['name'])},{escape(row['author_id'])}"


def _owned(book: Book, author_id: str) -> Iterator[Join]:
    for page in book.rows("SELECT * FROM profiles WHERE author_id = ? ORDER BY source, profile_id", author_id):
        yield Join("profiles", page["profile_id"], f"{page['source']}, a page that the person owns")


def _candidates(book: Book, author_id: str) -> Iterator[Join]:
    pairs = "SELECT * FROM merge_candidates WHERE ? IN (author_id, other_id) ORDER BY author_id, other_id"
    for pair in book.rows(pairs, author_id):
        key = f"{escape(pair['author_id'])},{escape(pair['other_id'])}"
        yield Join("merge_candidates", key, f"not joined ({pair['matched_by']}): {pair['evidence']}")
