"""Charts of a release: title, description, SQL, and the rows that this SQL returns from the release's database.

In: the folder of a release, published or a draft, with its database and Parquet files. Out: a `Chart` each, stored in
`results.json`: drawing one needs no database. Rare categories are counted as "other" and old periods as "earlier", so that the
number of rows is bounded.
"""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import polars as pl

from etl.release.release import database_address
from etl.report.network import LONGEST_BYLINE, Coauthors
from schemas.limits import PAPERS_A_PAGE

OTHER = "other"
UNKNOWN = "unknown"
EARLIER = "earlier"


Cell = str | int | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: its title, a description of one to three sentences, and the rows that its SQL returns."""

    id: str
    title: str
    says: str
    sql: str
    columns: list[str]
    rows: list[list[Cell]]

    def records(self) -> list[dict[str, Cell]]:
        """The rows as dictionaries by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


_LONG_BYLINES = f"SELECT paper_id FROM paper_authors GROUP BY paper_id HAVING count(*) > {LONGEST_BYLINE}"  # noqa: S608 - a number of ours
_MONTH = "(substr(published, 1, 4) * 12 + substr(published, 6, 2))"
_FACTS = f"""\
SELECT
  count(*),
  count(published),
  coalesce(max({_MONTH}) - min({_MONTH}), 0),
  count(*) - count(author_count),
  (SELECT count(*) FROM ({_LONG_BYLINES})),
  (SELECT count(*) FROM coverage),
  (SELECT count(*) FROM coverage WHERE listed_papers < stated_papers)
FROM papers"""  # noqa: S608 - numbers and words of ours


@dataclass(frozen=True)
class _Facts:
    """Who wrote with whom, and counts for the descriptions of charts: papers, months from the first to the last, newest pages."""

    coauthors: Coauthors
    papers: int
    dated: int
    months: int
    cut_bylines: int
    long_bylines: int
    pages: int
    short_pages: int

    @property
    def cut(self) -> str:
        """A clause about cut bylines; empty where none is cut."""
        text = f"{self.cut_bylines:,} of {self.papers:,} bylines are cut, so that many who wrote together are not seen"
        return text if self.cut_bylines else ""

    @property
    def short(self) -> str:
        """A clause about pages that list fewer papers than they state; empty where none does."""
        pages = f"on {self.short_pages:,} of {self.pages:,} pages"
        text = f"{pages} fewer papers are listed than stated (the site shows at most {PAPERS_A_PAGE})"
        return text if self.short_pages else ""


@dataclass(frozen=True)
class _Answer:
    """The columns of a query, its first rows, and its total number of rows."""

    columns: list[str]
    rows: list[list[Cell]]
    count: int

    def chart(self, sql: str, sentences: Iterable[str], **words: str) -> Chart:
        """The chart of these rows; empty sentences are left out."""
        return Chart(sql=sql, says=" ".join(filter(None, sentences)), columns=self.columns, rows=self.rows, **words)

    def shown(self, what: str) -> str:
        """A sentence with the numbers of shown and of all rows; empty where all are shown."""
        shown = len(self.rows)
        return f"Shown are {shown:,} of {self.count:,} {what}." if shown < self.count else ""


def _ask(database: sqlite3.Connection, sql: str, limit: int | None = None) -> _Answer:
    cursor = database.execute(sql)
    rows = [list(row) for row in islice(cursor, limit)]
    return _Answer([name for name, *_ in cursor.description], rows, len(rows) + sum(1 for _ in cursor))


def _bound(*reasons: str) -> str:
    """A sentence on why numbers are lower bounds; empty without a reason."""
    text = ", and ".join(filter(None, reasons))
    return f"A lower bound: {text}." if text else ""


CATEGORIES = 6
PERIODS = 36
"""Categories and periods that are counted separately."""
_LETTERS = {"month": len("2024-02"), "year": len("2024")}


def _papers(database: sqlite3.Connection, facts: _Facts) -> Chart:
    """Papers by month, or year, and category."""
    unit = "month" if facts.months < PERIODS else "year"
    sql = _papers_sql(unit)
    left = facts.papers - facts.dated
    sentences = [
        f"How many papers are dated in each {unit}, by primary category.",
        f"Papers without a known date ({left:,}) are left out." if left else "",
        _bound(facts.short),
    ]
    return _ask(database, sql).chart(sql, sentences, id="papers", title=f"Papers by {unit} and category")


def _papers_sql(unit: str) -> str:
    return f"""\
WITH dated AS (
  SELECT substr(published, 1, {_LETTERS[unit]}) AS {unit}, coalesce(category_id, '{UNKNOWN}') AS category
  FROM papers
  WHERE published IS NOT NULL
),
recent AS (
  SELECT DISTINCT {unit} FROM dated ORDER BY {unit} DESC LIMIT {PERIODS}
),
frequent AS (
  SELECT category FROM dated GROUP BY category
  ORDER BY category = '{UNKNOWN}' DESC, count(*) DESC, category LIMIT {CATEGORIES}
)
SELECT
  iif({unit} IN (SELECT {unit} FROM recent), {unit}, '{EARLIER}') AS {unit},
  iif(category IN (SELECT category FROM frequent), category, '{OTHER}') AS category,
  count(*) AS papers
FROM dated
GROUP BY 1, 2
ORDER BY 1, 2"""  # noqa: S608 - numbers and words of ours


SHOWN_PEOPLE = 20


def _coauthors(database: sqlite3.Connection, facts: _Facts) -> Chart:
    """The people with the most co-authors."""
    sql = f"""\
WITH counted AS (
  SELECT one.author_id, count(DISTINCT two.author_id) - 1 AS coauthors
  FROM paper_authors AS one
  JOIN paper_authors AS two ON two.paper_id = one.paper_id
  WHERE one.paper_id NOT IN ({_LONG_BYLINES})
  GROUP BY one.author_id
  HAVING coauthors > 0
)
SELECT author_id, authors.name AS author, coauthors
FROM counted JOIN authors USING (author_id)
ORDER BY coauthors DESC, author_id"""  # noqa: S608 - SQL of ours
    answer = _most_coauthors(database, facts.coauthors.counted())
    summary = "With how many others each person is seen in a byline, the most first."
    sentences = [summary, answer.shown("people"), *_limits_of_pairs(facts)]
    return answer.chart(_limited(sql, SHOWN_PEOPLE), sentences, id="coauthors", title="People by number of co-authors")


def _most_coauthors(database: sqlite3.Connection, counted: pl.DataFrame) -> _Answer:
    """The answer to the query of `_coauthors`, which takes SQLite some ten times as long as counting the pairs of the network."""
    most = dict(counted.head(SHOWN_PEOPLE).iter_rows())
    places = ", ".join("?" * len(most))
    names = dict(database.execute(f"SELECT author_id, name FROM authors WHERE author_id IN ({places})", [*most]))  # noqa: S608
    rows: list[list[Cell]] = [[author, names[author], count] for author, count in most.items()]
    return _Answer(["author_id", "author", "coauthors"], rows, counted.height)


def _network(database: sqlite3.Connection, facts: _Facts) -> Chart:
    """The pairs of people of the largest connected group, or of a part of it that is connected."""
    part = facts.coauthors.network_part()
    sql = _network_sql(part.people if part else [])
    summary = "Who wrote most often with whom: a line joins two people, and is the thicker the more papers name both."
    sentences = [summary, part.words if part else "", *_limits_of_pairs(facts)]
    return _ask(database, sql).chart(sql, sentences, id="network", title="Network of co-authors")


def _network_sql(people: Iterable[str]) -> str:
    quoted = ", ".join("'" + person.replace("'", "''") + "'" for person in sorted(people))
    return f"""\
SELECT
  one.author_id,
  authors.name AS author,
  two.author_id AS other_id,
  others.name AS other,
  count(*) AS papers
FROM paper_authors AS one
JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id > one.author_id
JOIN authors ON authors.author_id = one.author_id
JOIN authors AS others ON others.author_id = two.author_id
WHERE one.author_id IN ({quoted})
  AND two.author_id IN ({quoted})
  AND (SELECT count(*) FROM paper_authors WHERE paper_id = one.paper_id) <= {LONGEST_BYLINE}
GROUP BY one.author_id, two.author_id
ORDER BY papers DESC, one.author_id, two.author_id"""  # noqa: S608 - keys of ours, quoted


def _limits_of_pairs(facts: _Facts) -> list[str]:
    """Sentences on what the numbers of co-authors leave out."""
    collective = f"Bylines of more than {LONGEST_BYLINE} names ({facts.long_bylines:,}) are left out."
    return [collective if facts.long_bylines else "", _bound(facts.cut, facts.short)]


def _limited(sql: str, rows: int) -> str:
    return f"{sql}\nLIMIT {rows}"


SHOWN_PAGES = 30


def _coverage(database: sqlite3.Connection, _: _Facts) -> Chart:
    """The newest pages of people that list the smallest shares of the papers that they state."""
    sql = """\
SELECT profile_id, name, stated_papers, listed_papers
FROM coverage
ORDER BY share IS NULL, share, profile_id"""
    answer = _ask(database, sql, SHOWN_PAGES)
    summary = (
        "How many of the papers that the newest page of each person states it lists, the least first;"
        f" the site lists at most {PAPERS_A_PAGE} a page."
    )
    sentences = [summary, answer.shown("pages")]
    return answer.chart(_limited(sql, SHOWN_PAGES), sentences, id="coverage", title="Coverage of each profile")


def _findings(database: sqlite3.Connection, _: _Facts) -> Chart:
    """Findings by rule, with the rule's severity."""
    sql = """\
SELECT rule_id, iif(status = 'failed', 'error', 'warning') AS severity, title, count(*) AS findings
FROM findings JOIN rules USING (rule_id)
GROUP BY rule_id
ORDER BY findings DESC, rule_id"""
    summary = "How often the pages break each rule. Rules that only count what a column has already are left out."
    return _ask(database, sql).chart(sql, [summary], id="findings", title="Findings by rule and severity")


_CHARTS: tuple[Callable[[sqlite3.Connection, _Facts], Chart], ...] = (
    _papers,
    _coauthors,
    _network,
    _coverage,
    _findings,
)


def charts_of(release: Path) -> list[Chart]:
    """The charts of the release, or draft, in a folder; a chart of an empty answer has no rows.

    Raises `sqlite3.Error` where its database cannot be read, `OSError` where a Parquet file cannot.
    """
    with closing(sqlite3.connect(database_address(release), uri=True)) as database:
        names = pl.read_parquet(release / "paper_authors.parquet", columns=["paper_id", "author_id"], glob=False)
        facts = _Facts(Coauthors(names), *database.execute(_FACTS).fetchone())
        return [chart(database, facts) for chart in _CHARTS]
