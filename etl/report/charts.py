"""Charts of the dataset: words, numbers, and the SQL that gives these numbers and no others.

In: the checked tables. Out: a `Chart` each, which `results.json` keeps. The numbers are computed once; whatever shows a
chart draws it from them and needs no table. Rare categories are counted as "other" and periods beyond the newest as
"earlier", so that the numbers are few however many papers there are.
"""

from dataclasses import dataclass

import msgspec
import polars as pl

from etl.resolve.dates import newest_pages
from schemas import Frames
from schemas.limits import PAPERS_A_PAGE
from schemas.views import SHARE

OTHER = "other"
UNKNOWN = "unknown"
EARLIER = "earlier"


Cell = str | int | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: its title, a sentence or two of what it shows, and the rows that its SQL gives over the dataset."""

    id: str
    title: str
    says: str
    sql: str
    columns: list[str]
    rows: list[list[Cell]]

    def records(self) -> list[dict[str, Cell]]:
        """The rows with the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _bound_of_papers(tables: Frames) -> str:
    """What numbers of papers lack: those that pages state and do not list."""
    return _bound(_short_pages(tables))


def _bound_of_coauthors(tables: Frames) -> str:
    """What numbers of co-authors lack: those behind a cut byline, too."""
    return _bound(_cut_bylines(tables), _short_pages(tables))


def _bound(*reasons: str) -> str:
    told = ", and ".join(filter(None, reasons))
    return f"A lower bound: {told}." if told else ""


def _cut_bylines(tables: Frames) -> str:
    cut, papers = tables["papers"]["authors_truncated"].sum(), tables["papers"].height
    return f"{cut:,} of {papers:,} bylines are cut, so that many who wrote together are not seen" if cut else ""


def _short_pages(tables: Frames) -> str:
    newest = newest_pages(tables["profiles"])
    short = newest.filter(pl.col("listed_papers") < pl.col("stated_papers")).height
    told = f"on {short:,} of {newest.height:,} pages fewer papers are listed than stated (the site shows at most {PAPERS_A_PAGE})"
    return told if short else ""


LONGEST_BYLINE = 50
"""Authors of the longest byline that makes pairs: in a collaboration's everybody is beside everybody."""
PAIRS_AT_ONCE = 4_000_000
_PAIRS = pl.Schema({"one": pl.UInt32, "two": pl.UInt32, "papers": pl.UInt32})
_PEOPLE = pl.Schema({"one": pl.UInt32, "coauthors": pl.UInt32})


@dataclass(frozen=True)
class Pairs:
    """How many pairs and people there are, and the first of them.

    `pairs` has author_id, other_id and papers, the most papers first; `people` author_id and coauthors, the most first.
    """

    pair_count: int
    people_count: int
    pairs: pl.DataFrame
    people: pl.DataFrame


def count_pairs(paper_authors: pl.DataFrame, kept: int) -> Pairs:
    """The `kept` pairs with the most papers, and the `kept` people with the most co-authors."""
    rows = _numbered(paper_authors)
    slices = max(1, -(-int(rows["beside"].sum()) // PAIRS_AT_ONCE))
    pair_count, pairs, people = 0, _PAIRS.to_frame(), _PEOPLE.to_frame()
    for number in range(slices):
        found = _pairs(rows, number, slices)
        pair_count += found.height
        pairs = _first(pl.concat([pairs, found]), "papers", kept)
        people = _add(people, found)
    ids = paper_authors["author_id"].unique().sort()
    return Pairs(
        pair_count,
        people.height,
        pairs.select(ids.gather(pairs["one"]), ids.gather(pairs["two"]).alias("other_id"), "papers"),
        _people(_first(people, "coauthors", kept), ids),
    )


def _numbered(paper_authors: pl.DataFrame) -> pl.DataFrame:
    """Papers and authors by number, in the order of their identifiers; `beside` counts the others in the byline."""
    numbers = paper_authors.select(
        pl.col("paper_id").rank("dense").alias("paper"), (pl.col("author_id").rank("dense") - 1).alias("one")
    )
    beside = (pl.len().over("paper") - 1).alias("beside")
    return numbers.with_columns(beside).filter(pl.col("beside").is_between(1, LONGEST_BYLINE - 1))


def _pairs(rows: pl.DataFrame, number: int, slices: int) -> pl.DataFrame:
    """The pairs whose first author is in this slice: all papers of a pair are in one."""
    left = rows.filter(pl.col("one") % slices == number).select("paper", "one")
    both = left.join(rows.select("paper", pl.col("one").alias("two")), on="paper").filter(pl.col("one") < pl.col("two"))
    return both.group_by("one", "two").agg(pl.len().alias("papers"))


def _first(frame: pl.DataFrame, by: str, kept: int) -> pl.DataFrame:
    keys = [name for name in frame.columns if name != by]
    return frame.sort(by, *keys, descending=[True, *[False] * len(keys)]).head(kept)


def _add(people: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The co-authors of each person with those that these pairs add: no pair is in two slices."""
    sides = [pairs.group_by(pl.col(side).alias("one")).agg(pl.len().alias("coauthors")) for side in ("one", "two")]
    return pl.concat([people, *sides]).group_by("one").agg(pl.col("coauthors").sum())


def _people(people: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return people.select(ids.gather(people["one"]), "coauthors")


CATEGORIES = 6
PERIODS = 36
"""Categories and periods that stand alone."""
_LETTERS = {"month": len("2024-02"), "year": len("2024")}


def papers(tables: Frames) -> Chart:
    """How many papers each month, or year, and category has."""
    known = tables["papers"].drop_nulls("published")
    unit = _unit(known["published"])
    dated = known.select(
        pl.col("published").cast(pl.String).str.head(_LETTERS[unit]).alias(unit),
        pl.col("category_id").fill_null(UNKNOWN).alias("category"),
    )
    recent = dated[unit].unique().sort(descending=True).head(PERIODS)
    rows = (
        dated.with_columns(_kept(unit, recent, EARLIER), _kept("category", _frequent(dated), OTHER))
        .group_by(unit, "category")
        .agg(pl.len().alias("papers"))
        .sort(unit, "category")
    )
    return Chart(
        id="papers",
        title=f"Papers by {unit} and category",
        says=_papers_say(tables, known.height, unit),
        sql=_sql(unit),
        columns=rows.columns,
        rows=[list(row) for row in rows.iter_rows()],
    )


def _unit(published: pl.Series) -> str:
    months = published.dt.year().cast(pl.Int64) * 12 + published.dt.month()
    first, last = months.min(), months.max()
    few = not isinstance(first, int) or not isinstance(last, int) or last - first < PERIODS
    return "month" if few else "year"


def _frequent(dated: pl.DataFrame) -> pl.Series:
    counts = dated.group_by("category").agg(pl.len().alias("papers"))
    return counts.sort(pl.col("papers"), "category", descending=[True, False])["category"].head(CATEGORIES)


def _kept(column: str, values: pl.Series, rest: str) -> pl.Expr:
    return pl.when(pl.col(column).is_in(values.implode())).then(column).otherwise(pl.lit(rest)).alias(column)


def _papers_say(tables: Frames, known: int, unit: str) -> str:
    left = tables["papers"].height - known
    told = [
        f"How many papers are dated in each {unit}, by primary category.",
        f"Papers without a known date ({left:,}) are left out." if left else "",
        _bound_of_papers(tables),
    ]
    return " ".join(filter(None, told))


def _sql(unit: str) -> str:
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
  SELECT category FROM dated GROUP BY category ORDER BY count(*) DESC, category LIMIT {CATEGORIES}
)
SELECT
  iif({unit} IN (SELECT {unit} FROM recent), {unit}, '{EARLIER}') AS {unit},
  iif(category IN (SELECT category FROM frequent), category, '{OTHER}') AS category,
  count(*) AS papers
FROM dated
GROUP BY 1, 2
ORDER BY 1, 2"""  # noqa: S608 - numbers and words of ours


SHOWN_PEOPLE = 20
SHOWN_PAIRS = 100
PEOPLE_IN_NETWORK = 60
_BESIDE = f"""\
FROM paper_authors AS one
JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id {{compared}} one.author_id
JOIN authors ON authors.author_id = one.author_id
{{more}}WHERE one.paper_id IN (
  SELECT paper_id FROM paper_authors GROUP BY paper_id HAVING count(*) <= {LONGEST_BYLINE}
)"""  # noqa: S608 - a number of ours


def coauthors_and_network(tables: Frames) -> tuple[Chart, Chart]:
    """Who has the most co-authors, and who wrote most often with whom."""
    counted = count_pairs(tables["paper_authors"], SHOWN_PAIRS)
    return _coauthors(tables, counted), _network(tables, counted)


def _coauthors(tables: Frames, counted: Pairs) -> Chart:
    rows = counted.people.head(SHOWN_PEOPLE).rows()
    names = _names(tables, [author for author, _ in rows])
    told = "With how many others each person is seen in a byline, the most first."
    return Chart(
        id="coauthors",
        title="People by number of co-authors",
        says=_people_say(tables, told, _shown(len(rows), counted.people_count, "people")),
        sql=f"""\
SELECT one.author_id, authors.name AS author, count(DISTINCT two.author_id) AS coauthors
{_BESIDE.format(compared="<>", more="")}
GROUP BY one.author_id
ORDER BY coauthors DESC, one.author_id
LIMIT {SHOWN_PEOPLE}""",
        columns=["author_id", "author", "coauthors"],
        rows=[[author, names.get(author), count] for author, count in rows],
    )


def _network(tables: Frames, counted: Pairs) -> Chart:
    pairs = _of_few_people(counted.pairs.rows())
    names = _names(tables, [author for one, two, _ in pairs for author in (one, two)])
    told = "Who wrote most often with whom: a line joins two people, and is the thicker the more papers name both."
    return Chart(
        id="network",
        title="Network of co-authors",
        says=_people_say(tables, told, _shown(len(pairs), counted.pair_count, "pairs")),
        sql=f"""\
SELECT
  one.author_id,
  authors.name AS author,
  two.author_id AS other_id,
  others.name AS other,
  count(*) AS papers
{_BESIDE.format(compared=">", more="JOIN authors AS others ON others.author_id = two.author_id" + chr(10))}
GROUP BY one.author_id, two.author_id
ORDER BY papers DESC, one.author_id, two.author_id
LIMIT {len(pairs)}""",
        columns=["author_id", "author", "other_id", "other", "papers"],
        rows=[[one, names.get(one), two, names.get(two), papers] for one, two, papers in pairs],
    )


def _of_few_people(pairs: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """The first pairs, as many as a picture can hold the people of."""
    people: set[str] = set()
    for number, (one, two, _) in enumerate(pairs):
        people |= {one, two}
        if len(people) > PEOPLE_IN_NETWORK:
            return pairs[:number]
    return pairs


def _names(tables: Frames, author_ids: list[Cell]) -> dict[Cell, Cell]:
    authors = tables["authors"].filter(pl.col("author_id").is_in(author_ids))
    return dict(authors.select("author_id", "name").iter_rows())


def _shown(part: int, whole: int, what: str) -> str:
    return f"Shown are {part:,} of {whole:,} {what}." if part < whole else ""


def _people_say(tables: Frames, told: str, shown: str) -> str:
    longer = tables["paper_authors"].group_by("paper_id").len().filter(pl.col("len") > LONGEST_BYLINE).height
    collective = f"Bylines of more than {LONGEST_BYLINE} names ({longer:,}) are left out." if longer else ""
    return " ".join(filter(None, [told, shown, collective, _bound_of_coauthors(tables)]))


SHOWN_PAGES = 30


def coverage(tables: Frames) -> Chart:
    """The pages that list the least of the papers that they state, the newest of each person."""
    pages = newest_pages(tables["profiles"])
    share = pl.sql_expr(SHARE)
    columns = ["profile_id", "name", "stated_papers", "listed_papers"]
    rows = pages.with_columns(share.alias("share")).sort("share", "profile_id", nulls_last=True).select(columns)
    told = (
        "How many of the papers that the newest page of each person states it lists, the least first;"
        f" the site lists at most {PAPERS_A_PAGE} a page."
    )
    return Chart(
        id="coverage",
        title="Coverage of each profile",
        says=f"{told} Shown are {SHOWN_PAGES} of {pages.height:,} pages." if pages.height > SHOWN_PAGES else told,
        sql=f"""\
SELECT profile_id, name, stated_papers, listed_papers
FROM coverage
ORDER BY share IS NULL, share, profile_id
LIMIT {SHOWN_PAGES}""",  # noqa: S608 - a number of ours
        columns=columns,
        rows=[list(row) for row in rows.head(SHOWN_PAGES).iter_rows()],
    )


def findings(tables: Frames) -> Chart:
    """How many findings each rule has, and how severe they are."""
    severity = pl.when(pl.col("status") == "failed").then(pl.lit("error")).otherwise(pl.lit("warning"))
    rules = tables["rules"].select("rule_id", severity.alias("severity"), "title")
    rows = (
        tables["findings"]
        .group_by("rule_id")
        .agg(pl.len().alias("findings"))
        .join(rules, on="rule_id")
        .sort("findings", "rule_id", descending=[True, False])
        .select(*rules.columns, "findings")
    )
    return Chart(
        id="findings",
        title="Findings by rule and severity",
        says="How often the pages break each rule. Rules that only count what a column tells already are left out.",
        sql="""\
SELECT rule_id, iif(status = 'failed', 'error', 'warning') AS severity, title, count(*) AS findings
FROM findings JOIN rules USING (rule_id)
GROUP BY rule_id
ORDER BY findings DESC, rule_id""",
        columns=rows.columns,
        rows=[list(row) for row in rows.iter_rows()],
    )


def charts_of(tables: Frames) -> list[Chart]:
    """The charts of these tables; one without rows says that there is nothing to draw."""
    return [papers(tables), *coauthors_and_network(tables), coverage(tables), findings(tables)]
