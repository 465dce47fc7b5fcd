"""Charts of who wrote with whom: the people with the most co-authors, and the network of the strongest pairs.

In: the checked tables. Out: `Chart`s. Both come from one count of the pairs.
"""

import polars as pl

from etl.charts import bounds
from etl.charts.chart import Cell, Chart
from etl.charts.pairs import LONGEST_BYLINE, Pairs, count_pairs
from schemas import Frames

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
        says=_says(tables, told, _shown(len(rows), counted.people_count, "people")),
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
        says=_says(tables, told, _shown(len(pairs), counted.pair_count, "pairs")),
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


def _says(tables: Frames, told: str, shown: str) -> str:
    longer = tables["paper_authors"].group_by("paper_id").len().filter(pl.col("len") > LONGEST_BYLINE).height
    collective = f"Bylines of more than {LONGEST_BYLINE} names ({longer:,}) are left out." if longer else ""
    return " ".join(filter(None, [told, shown, collective, bounds.of_coauthors(tables)]))
