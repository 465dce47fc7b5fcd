"""Lineage of authors, names and pages. In: a row. Out: the lines that print the names, and why they were joined or not."""

from collections.abc import Collection, Iterator

from datasette.utils import tilde_encode

from etl.extract.byline import parse_byline
from etl.release.lineage import BY_PAGE, LISTINGS, RelatedRow, ReleaseRows, Row, SourceSpan, Trace
from etl.release.lineage_papers import records

_PAPERS = "SELECT paper_id FROM paper_authors WHERE author_id = ?"
_OLDER = "SELECT 1 FROM variants AS v WHERE v.profile_id = listings.profile_id AND v.position = listings.position"
"""The variants of a listing: a byline that is not in the merged row is one, and its names may be nowhere else."""


def author(release: ReleaseRows, row: Row) -> Trace:
    """An author: the pages and bylines that print a spelling, and why each spelling is this person."""
    author_id = row["author_id"]
    related = [*_spellings(release, author_id), *_owned(release, author_id), *_candidates(release, author_id)]
    return Trace(_appearances(release, author_id, _names(release, author_id)), related)


def author_name(release: ReleaseRows, row: Row) -> Trace:
    """A spelling: the lines that print it, and why it is this person."""
    others = (name for name in _spellings(release, row["author_id"]) if name.key != _name_key(row))
    related = [_related_name(row), RelatedRow("authors", row["author_id"], "the person"), *others]
    return Trace(_appearances(release, row["author_id"], {row["name"]}), related)


def paper_author(release: ReleaseRows, row: Row) -> Trace:
    """An author of a paper: the bylines with the person's names, or the person's own page."""
    names = _names(release, row["author_id"])
    spans = _in_listings(release, release.listings(row["paper_id"]), names, row["author_id"])
    found = release.rows("SELECT * FROM author_names WHERE name = ? AND author_id = ?", row["name"], row["author_id"])
    related = [
        *map(_related_name, found),
        RelatedRow("authors", row["author_id"], "the person"),
        RelatedRow("papers", row["paper_id"], "the paper"),
    ]
    if row["source"] == "reference":
        return Trace([], [*related, *records(release, row["paper_id"])])
    return Trace(spans, related)


def merge_candidate(release: ReleaseRows, row: Row) -> Trace:
    """Two authors who may be one: the lines that print either, and why they were not joined."""
    ids = (row["author_id"], row["other_id"])
    spans = (span for one in ids for span in _appearances(release, one, _names(release, one)))
    words = f"not joined ({row['matched_by']}): {row['evidence']}; an overrides file decides"
    related = [RelatedRow("merge_candidates", ",".join(map(tilde_encode, ids)), words)]
    return Trace(spans, related + [name for one in ids for name in _spellings(release, one)])


def profile(release: ReleaseRows, row: Row) -> Trace:
    """A page: its header, its owner, its listings and its lines in quarantine."""
    key = row["profile_id"]
    last = release.header(row).line_count
    spans = [release.span(row, 1, last, "the header")] if last else []
    names = "SELECT * FROM author_names WHERE name = ? AND author_id = ?"
    owner = map(_related_name, release.rows(names, row["name"], row["author_id"]))
    category = [RelatedRow("categories", tilde_encode(row["category_id"]), "the field")] if row["category_id"] else []
    listed = release.rows("SELECT * FROM listings WHERE profile_id = ? ORDER BY position", key)
    stray = release.rows("SELECT * FROM quarantine WHERE profile_id = ? ORDER BY line_start", key)
    related = [
        *owner,
        *category,
        *(RelatedRow("quarantine", f"{key},{one['line_start']}", one["reason"]) for one in stray),
        *(RelatedRow("listings", f"{key},{one['position']}", one["badge"]) for one in listed),
    ]
    return Trace(spans, related)


def _appearances(release: ReleaseRows, author_id: str, names: Collection[str]) -> Iterator[SourceSpan]:
    """The lines that print one of the names: pages' owners, then bylines."""
    for page in release.rows("SELECT * FROM profiles WHERE author_id = ? ORDER BY source, profile_id", author_id):
        if page["name"] in names:
            yield _owner_span(release, page)
    listings = release.rows(f"{LISTINGS} WHERE listings.paper_id IN ({_PAPERS}) {BY_PAGE}", author_id)
    yield from _bylines(release, listings, names)
    for name in sorted(names):
        older = f"EXISTS ({_OLDER} AND v.field IN ('byline', 'block') AND instr(v.value, ?))"
        yield from _bylines(
            release,
            release.rows(
                f"{LISTINGS} WHERE {older} AND listings.paper_id NOT IN ({_PAPERS}) {BY_PAGE}", name, author_id
            ),
            {name},
        )


def _bylines(release: ReleaseRows, listings: Iterator[Row], names: Collection[str]) -> Iterator[SourceSpan]:
    for one in listings:
        yield from _byline(release, one, names)


def _byline(release: ReleaseRows, one: Row, names: Collection[str]) -> list[SourceSpan]:
    block = release.block(one)
    printed = parse_byline(block.byline).names
    found = [f"{name}, place {at} in the byline" for at, name in enumerate(printed, start=1) if name in names]
    return [release.span(one, block.byline_line, block.byline_line, found[0])] if found else []


def _in_listings(
    release: ReleaseRows, listings: list[Row], names: Collection[str], author_id: str
) -> Iterator[SourceSpan]:
    """For each listing its byline if that has one of the names, else the name of its page's owner if that is the person."""
    for one in listings:
        spans = _byline(release, one, names)
        yield from spans
        page = next(release.rows("SELECT * FROM profiles WHERE profile_id = ?", one["profile_id"]))
        if not spans and page["author_id"] == author_id:
            yield _owner_span(release, page)


def _owner_span(release: ReleaseRows, page: Row) -> SourceSpan:
    line = release.header(page).values["name"].line
    return release.span(page, line, line, f"{page['name']}, the page's owner, who wrote all that it lists")


def _names(release: ReleaseRows, author_id: str) -> set[str]:
    return {row["name"] for row in release.rows("SELECT name FROM author_names WHERE author_id = ?", author_id)}


def _spellings(release: ReleaseRows, author_id: str) -> Iterator[RelatedRow]:
    return map(_related_name, release.rows("SELECT * FROM author_names WHERE author_id = ? ORDER BY name", author_id))


def _related_name(row: Row) -> RelatedRow:
    why = row["evidence"] or "the spelling that the person is called by"
    return RelatedRow(
        "author_names", _name_key(row), f"{row['name']} is {row['author_id']} ({row['matched_by']}): {why}"
    )


def _name_key(row: Row) -> str:
    return f"{tilde_encode(row['name'])},{tilde_encode(row['author_id'])}"


def _owned(release: ReleaseRows, author_id: str) -> Iterator[RelatedRow]:
    for page in release.rows("SELECT * FROM profiles WHERE author_id = ? ORDER BY source, profile_id", author_id):
        yield RelatedRow("profiles", page["profile_id"], f"{page['source']}, a page that the person owns")


def _candidates(release: ReleaseRows, author_id: str) -> Iterator[RelatedRow]:
    pairs = "SELECT * FROM merge_candidates WHERE ? IN (author_id, other_id) ORDER BY author_id, other_id"
    for pair in release.rows(pairs, author_id):
        key = f"{tilde_encode(pair['author_id'])},{tilde_encode(pair['other_id'])}"
        yield RelatedRow("merge_candidates", key, f"not joined ({pair['matched_by']}): {pair['evidence']}")
