"""The content of an author's page: papers by year, co-authors, numbers over saved pages, spellings, possible namesakes.

In: a release's database, an author's key, and which part of the papers. Out: a bounded page: a collaboration's 5,000 papers come in
parts of `SHOWN_PAPERS`, and the bar of each year refers to the part with its first paper.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, groupby

from markupsafe import Markup

from etl.export.readable_text import readable
from etl.release.lineage import ReleaseRows, Row
from etl.site.row_pages import SHOWN_OTHERS, FirstRows, first_rows
from schemas.views import SHARE

SHOWN_PAPERS = 100
"""Papers of one part."""
SHOWN_NAMES = 10
"""Authors of each paper."""
SHOWN_LINKS = 3
"""Identifiers, and addresses of code, of each paper."""
SHOWN_YEARS = 60
"""Bars; years without a paper have one too, where all years of the span fit."""
MOST_NAMES = 200_000
"""Names on all papers of an author, up to which co-authors are counted: a collaboration's would take seconds."""
SPARK_WIDTH, SPARK_HEIGHT = 120, 32

_YEARS = """
SELECT substr(published, 1, 4) AS year, count(*) AS papers, count(position) AS placed, sum(authors_truncated) AS cut,
  sum(coalesce(author_count, listed_author_count)) AS names
FROM paper_authors JOIN papers USING (paper_id) WHERE author_id = ?
GROUP BY year ORDER BY year DESC NULLS LAST
"""
_PAPERS = f"""
SELECT paper_id, title, published, category_id, categories.name AS category, position, has_code,
  author_count, coalesce(author_count, listed_author_count) AS count
FROM paper_authors JOIN papers USING (paper_id) LEFT JOIN categories USING (category_id) WHERE author_id = ?
ORDER BY published DESC NULLS LAST, paper_id LIMIT {SHOWN_PAPERS} OFFSET ?
"""  # noqa: S608
_NAMES = f"""
SELECT author_id, authors.name, position
FROM (
  SELECT author_id, position FROM paper_authors WHERE paper_id = ?
  ORDER BY position NULLS LAST, author_id LIMIT {SHOWN_NAMES + 1}
) JOIN authors USING (author_id)
ORDER BY position NULLS LAST, author_id
"""  # noqa: S608
_IDENTIFIERS = "SELECT scheme, value, url FROM paper_identifiers WHERE paper_id = ? ORDER BY scheme, value LIMIT ?"
_CODE = "SELECT url, host FROM links WHERE paper_id = ? AND kind = 'code' ORDER BY url LIMIT ?"
_COAUTHORS = f"""
SELECT other_id, name AS other, papers, total
FROM (
  SELECT two.author_id AS other_id, count(*) AS papers, count(*) OVER () AS total
  FROM paper_authors AS one JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id <> one.author_id
  WHERE one.author_id = ? GROUP BY two.author_id ORDER BY papers DESC, other_id LIMIT {SHOWN_OTHERS}
) JOIN authors ON author_id = other_id
ORDER BY papers DESC, other_id
"""  # noqa: S608
_PROFILES = (
    f"SELECT profiles.*, {SHARE} AS share FROM profiles WHERE author_id = ?"  # noqa: S608
    " ORDER BY last_observed_on DESC NULLS LAST, profile_id"
)
_SPELLINGS = """
SELECT author_names.*, coalesce(papers, 0) AS papers
FROM author_names LEFT JOIN (SELECT name, count(*) AS papers FROM paper_authors WHERE author_id = ?1 GROUP BY name) USING (name)
WHERE author_id = ?1 ORDER BY matched_by <> 'exact', papers DESC, name
"""
_CANDIDATES = """
SELECT matched_by, evidence, authors.author_id AS that_id, name,
  (SELECT count(*) FROM paper_authors WHERE paper_authors.author_id = authors.author_id) AS papers
FROM merge_candidates JOIN authors ON authors.author_id = iif(merge_candidates.author_id = ?1, other_id, merge_candidates.author_id)
WHERE merge_candidates.author_id = ?1 OR other_id = ?1
ORDER BY that_id
"""


@dataclass(frozen=True)
class AuthorPaper:
    """A paper of the list; `more_names` counts authors beyond those shown, `unplaced` are others at an unknown place."""

    row: Row
    title: Markup
    names: list[Row]
    more_names: int
    unplaced: list[Row]
    identifiers: list[Row]
    code: list[Row]


@dataclass(frozen=True)
class YearBar:
    """The papers of a year, None for those without a date; the bar's height in per cent; and the part with its first paper."""

    year: str | None
    papers: int
    height: int
    part: int


@dataclass(frozen=True)
class YearPapers:
    """The papers of one year in a part; `total` is the year's."""

    year: str | None
    papers: list[AuthorPaper]
    total: int


@dataclass(frozen=True)
class Spark:
    """A line of one number over the dates of saved pages: points of SVG, and the first and last value."""

    label: str
    points: str
    first: int
    last: int


@dataclass(frozen=True)
class AuthorPage:
    """The content of an author's page; `placed` counts papers whose byline shows the author, `coauthors` is None where they are too many."""

    row: Row
    total: int
    placed: int
    cut: int
    part: int
    parts: int
    bars: list[YearBar]
    years: list[YearPapers]
    coauthors: FirstRows | None
    profiles: FirstRows
    sparks: list[Spark]
    spellings: FirstRows
    candidates: FirstRows


def author_page(database: sqlite3.Connection, author_id: str, part: int = 1) -> AuthorPage | None:
    """The content of an author's page with the part, or the nearest that exists; None where there is no such author."""
    release = ReleaseRows(database)
    row = next(release.rows("SELECT * FROM authors WHERE author_id = ?", author_id), None)
    if row is None:
        return None
    years = list(release.rows(_YEARS, author_id))
    counts = {year["year"]: year["papers"] for year in years}
    total = sum(counts.values())
    parts = max(1, -(-total // SHOWN_PAPERS))
    part = min(max(part, 1), parts)
    profiles = first_rows(release, SHOWN_OTHERS, _PROFILES, author_id)
    return AuthorPage(
        row=row,
        total=total,
        placed=sum(year["placed"] for year in years),
        cut=sum(year["cut"] for year in years),
        part=part,
        parts=parts,
        bars=year_bars(counts),
        years=_years(release, author_id, part, counts),
        coauthors=_coauthors(release, author_id) if sum(year["names"] for year in years) <= MOST_NAMES else None,
        profiles=profiles,
        sparks=[
            spark
            for column, label in (
                ("h_index", "h-index"),
                ("citations", "Citations"),
                ("stated_papers", "Papers stated"),
            )
            if (spark := _spark_of(label, [(page["observed_on"], page[column]) for page in profiles.rows]))
        ],
        spellings=first_rows(release, SHOWN_OTHERS, _SPELLINGS, author_id),
        candidates=first_rows(release, SHOWN_OTHERS, _CANDIDATES, author_id),
    )


def part_number(text: str | None) -> int:
    """The number of a part as an address has it; 1 where it has none.

    >>> part_number("2"), part_number("two"), part_number(None), part_number("9" * 5000)
    (2, 1, 1, 1)
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else 1


def _years(release: ReleaseRows, author_id: str, part: int, counts: dict[str | None, int]) -> list[YearPapers]:
    rows = release.rows(_PAPERS, author_id, (part - 1) * SHOWN_PAPERS)
    grouped = groupby(rows, key=lambda row: row["published"] and row["published"][:4])
    return [YearPapers(year, [_paper(release, row) for row in papers], counts[year]) for year, papers in grouped]


def _paper(release: ReleaseRows, row: Row) -> AuthorPaper:
    key = row["paper_id"]
    names = list(release.rows(_NAMES, key))
    shown = names[:SHOWN_NAMES]
    return AuthorPaper(
        row=row,
        title=readable(row["title"]),
        names=[name for name in shown if name["position"] is not None],
        more_names=max(1, row["count"] - SHOWN_NAMES) if len(names) > SHOWN_NAMES else 0,
        unplaced=[name for name in shown if name["position"] is None],
        identifiers=list(release.rows(_IDENTIFIERS, key, SHOWN_LINKS)),
        code=list(release.rows(_CODE, key, SHOWN_LINKS)),
    )


def _coauthors(release: ReleaseRows, author_id: str) -> FirstRows:
    rows = list(release.rows(_COAUTHORS, author_id))
    return FirstRows(rows, rows[0]["total"] if rows else 0)


def year_bars(counts: dict[str | None, int]) -> list[YearBar]:
    """Bars from the oldest of the newest `SHOWN_YEARS` years to the newest; papers without a date come last.

    `counts`: papers by year, newest first, None last.

    >>> [(bar.year, bar.papers, bar.height, bar.part) for bar in year_bars({"2024": 60, "2022": 90, None: 3})]
    [('2022', 90, 100, 1), ('2023', 0, 0, 1), ('2024', 60, 67, 1), (None, 3, 3, 2)]
    """
    most = max(counts.values(), default=1)
    before = accumulate(counts.values(), initial=0)
    bars = {
        year: YearBar(year, papers, round(100 * papers / most), first // SHOWN_PAPERS + 1)
        for (year, papers), first in zip(counts.items(), before, strict=False)
    }
    dated = sorted(year for year in bars if year)
    shown = dated[-SHOWN_YEARS:] if len(span := _span(dated)) > SHOWN_YEARS else span
    undated = [bars[None]] if None in bars else []
    return [*(bars.get(year, YearBar(year, 0, 0, 1)) for year in shown), *undated]


def _span(years: list[str]) -> list[str]:
    """All years from the first to the last."""
    return [f"{year:04}" for year in range(int(years[0]), int(years[-1]) + 1)] if years else []


def _spark_of(label: str, values: list[tuple[str | None, int | None]]) -> Spark | None:
    """The line of a number through the saved pages with a date; None for fewer than two days.

    `values`: a date (ISO) and the number, in any order; of two pages of one day the first counts.

    >>> _spark_of("h-index", [("2025-01-31", 9), ("2025-01-01", 3), ("2025-01-16", 6)])
    Spark(label='h-index', points='2,30 60,16 118,2', first=3, last=9)
    >>> _spark_of("h-index", [("2025-01-31", 9), (None, 3)]) is None
    True
    """
    known = {date.fromisoformat(day).toordinal(): value for day, value in reversed(values) if day and value is not None}
    if len(known) < 2:
        return None
    days = sorted(known)
    low, high = min(known.values()), max(known.values())
    across = _scale(days[0], days[-1], 2, SPARK_WIDTH - 2)
    down = _scale(low, high, SPARK_HEIGHT - 2, 2)
    points = " ".join(f"{across(day)},{down(known[day])}" for day in days)
    return Spark(label, points, known[days[0]], known[days[-1]])


def _scale(low: int, high: int, start: int, end: int) -> Callable[[int], int]:
    """The place of a value between two ends; the middle where all values are equal."""
    if low == high:
        return lambda _: (start + end) // 2
    return lambda value: round(start + (value - low) * (end - start) / (high - low))
