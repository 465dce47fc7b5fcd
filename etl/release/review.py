"""Authors of a release, and the candidates for merging of authors and papers. In: its database. Out: lines for people.

Candidates are printed as an overrides file with every entry commented out: a comment begins with "# ", an entry with "#" alone.
Uncommenting any entries makes a valid file, unless they contradict each other.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from rich.cells import cell_len, set_cell_size

from etl.printable import command, count, cut, visible

LISTED_AUTHORS = 50
"""Default number of authors in the list."""
MERGES = {
    "several_fuller_forms": "several fuller names fit",
    "fuller_name": "one name is fuller",
    "moved_border": "the family name begins elsewhere",
    "initial": "an initial against a given name",
}
"""Why two people may be one, in words; the strongest reason first."""
PAPERS = {
    "same_identifier": "one identifier",
    "same_abstract": "one abstract and first author, another title",
    "other_date": "one title and first author, another day",
}
"""Why two papers may be one, in words; the strongest reason first."""
_SHARED = " share the co-author "
_TITLE_LETTERS = 80
_AUTHORS = """
SELECT author_id, kind, authors.name, count(paper_id) AS papers, spelling_count
FROM authors LEFT JOIN paper_authors USING (author_id)
GROUP BY author_id ORDER BY papers DESC, author_id LIMIT ?
"""
_MERGE_CANDIDATES = """
WITH counts AS (SELECT author_id, count(*) AS papers FROM paper_authors GROUP BY author_id)
SELECT matched_by, evidence, one.author_id, one.name, coalesce(of_one.papers, 0),
  other.author_id, other.name, coalesce(of_other.papers, 0)
FROM merge_candidates AS pair
JOIN authors AS one ON one.author_id = pair.author_id JOIN authors AS other ON other.author_id = pair.other_id
LEFT JOIN counts AS of_one ON of_one.author_id = pair.author_id
LEFT JOIN counts AS of_other ON of_other.author_id = pair.other_id
"""
_OWN_SPELLINGS = """
SELECT author_id, min(author_names.name), max(authors.name) FILTER (WHERE authors.name = author_names.name)
FROM author_names JOIN authors USING (author_id)
WHERE author_id IN (SELECT author_id FROM merge_candidates UNION SELECT other_id FROM merge_candidates)
  AND author_names.name NOT IN (SELECT name FROM author_names GROUP BY name HAVING count(*) > 1)
GROUP BY author_id
"""
"""For each author of a candidate a spelling that no other author has, and the author's name if it is one."""
_PAPER_CANDIDATES = """
SELECT matched_by, evidence, one.paper_id, one.title, one.published, other.paper_id, other.title, other.published
FROM paper_candidates AS pair
JOIN papers AS one ON one.paper_id = pair.paper_id JOIN papers AS other ON other.paper_id = pair.other_id
"""


def list_authors(database: sqlite3.Connection, limit: int = LISTED_AUTHORS) -> Iterator[str]:
    """The lines of a table of authors, sorted by number of papers: id, kind, name, papers and spellings."""
    rows = [
        (author_id, kind, visible(name), *counts)
        for author_id, kind, name, *counts in database.execute(_AUTHORS, [limit])
    ]
    titles = ("author_id", "kind", "name", "papers", "spellings")
    table = [titles, *((*words, f"{papers:,}", f"{spellings:,}") for *words, papers, spellings in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
    for *words, papers, spellings in table:
        left = [set_cell_size(word, width) for word, width in zip(words, widths, strict=False)]
        yield "  ".join([*left, papers.rjust(widths[-2]), spellings.rjust(widths[-1])])
    (authors,) = database.execute("SELECT count(*) FROM authors").fetchone()
    if authors > len(rows):
        yield f"{len(rows):,} of {count(authors, 'author')}; --limit {authors} lists all"


def review(database: sqlite3.Connection, limit: int | None = None) -> Iterator[str]:
    """The lines of an overrides file with the candidates, at most `limit` of each kind, commented out."""
    merges, papers = merge_candidates(database), paper_candidates(database)
    yield f"# {count(len(merges), 'pair')} of authors and {count(len(papers), 'pair')} of papers may be one, the most evident first."
    if merges or papers:
        yield '# An entry begins with "#" and no space behind it: delete that sign where the entry is true. Then give the file to'
        yield f"# {visible(command('build', '--overrides', 'FILE'))}, or paste what is true into the file that you have, which holds each"
        yield "# of the lists same and different once, and above the first [[person]] or [[paper]]."
    yield from _name_lists(list(islice(merges, limit)), len(merges))
    yield from _paper_entries(list(islice(papers, limit)), len(papers))


@dataclass(frozen=True)
class Candidate:
    """Two authors or papers that may be one: a description, and both as a list in TOML, or None."""

    words: tuple[str, ...]
    pair: str | None


def merge_candidates(database: sqlite3.Connection) -> list[Candidate]:
    """The candidate pairs of authors, sorted: with a shared co-author first, then by reason and by number of papers."""
    spelling_of = {author_id: name or first for author_id, first, name in database.execute(_OWN_SPELLINGS)}
    rows = sorted(database.execute(_MERGE_CANDIDATES), key=_evidence_of_merge)
    return [_merge_candidate(row, spelling_of) for row in rows]


def _evidence_of_merge(row: tuple[str, ...]) -> tuple[object, ...]:
    matched_by, evidence, one, _, papers, other, _, other_papers = row
    return _SHARED not in evidence, _place(MERGES, matched_by), -int(papers) - int(other_papers), one, other


def _merge_candidate(row: tuple[str, ...], spelling_of: dict[str, str]) -> Candidate:
    matched_by, evidence, one, name, papers, other, other_name, other_papers = row
    people = f"{name} ({count(int(papers), 'paper')}) and {other_name} ({count(int(other_papers), 'paper')})"
    words = (f"{people}: {MERGES.get(matched_by, matched_by)}", evidence)
    if one in spelling_of and other in spelling_of:
        return Candidate(words, _pair(spelling_of[one], spelling_of[other]))
    return Candidate((*words, "no spelling is one person's alone: decide by [[person]] with papers"), None)


def paper_candidates(database: sqlite3.Connection) -> list[Candidate]:
    """The candidate pairs of papers, sorted by reason, then by the days between them."""
    return [_paper_candidate(row) for row in sorted(database.execute(_PAPER_CANDIDATES), key=_evidence_of_paper)]


def _evidence_of_paper(row: tuple[str, ...]) -> tuple[object, ...]:
    matched_by, _, one, _, published, other, _, other_published = row
    days = [date.fromisoformat(day) for day in (published, other_published) if day]
    return _place(PAPERS, matched_by), len(days) < 2, abs((days[0] - days[-1]).days) if days else 0, one, other


def _paper_candidate(row: tuple[str, ...]) -> Candidate:
    matched_by, evidence, one, title, published, other, other_title, other_published = row
    words = (
        f"{_paper(title, published)} and {_paper(other_title, other_published)}: {PAPERS.get(matched_by, matched_by)}",
        evidence,
    )
    return Candidate(words, _pair(one, other))


def _paper(title: str, published: str | None) -> str:
    return f"{cut(title, _TITLE_LETTERS)} ({published or 'no known day'})"


def _place(reasons: dict[str, str], matched_by: str) -> int:
    return list(reasons).index(matched_by) if matched_by in reasons else len(reasons)


def _name_lists(shown: list[Candidate], found: int) -> Iterator[str]:
    if not shown:
        return
    yield from ("", *_how_many(shown, found, "pairs of authors"), "same = [")
    for candidate in shown:
        yield from (f"  # {visible(words)}" for words in candidate.words)
        yield from (f"  #{pair}," for pair in [candidate.pair] if pair)
    yield from ("]", "", "# The same pairs, for those who are two people.", "different = [")
    yield from (f"  #{candidate.pair}," for candidate in shown if candidate.pair)
    yield "]"


def _paper_entries(shown: list[Candidate], found: int) -> Iterator[str]:
    if shown:
        yield from ("", *_how_many(shown, found, "pairs of papers"))
    for candidate in shown:
        yield from (f"# {visible(words)}" for words in candidate.words)
        yield from ("#[[paper]]", f"#same = {candidate.pair}", "")


def _how_many(shown: list[Candidate], found: int, noun: str) -> Iterator[str]:
    if found > len(shown):
        yield f"# The first {len(shown):,} of {found:,} {noun}; --limit {found} shows all."


def _pair(one: str, other: str) -> str:
    return f"[{toml_string(one)}, {toml_string(other)}]"


def toml_string(text: str) -> str:
    r"""Text as a TOML string of one line, with invisible characters and the commands of CI servers escaped.

    >>> print(toml_string('Ann "A.\\B" Bell\x1b\u202e ##[x]'))
    "Ann \"A.\\B\" Bell\u001B\u202E #\u0023[x]"
    """
    return '"' + "".join(map(_escaped, text)).replace("##", r"#\u0023") + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
