"""The views: SQL over the tables, with the descriptions that Datasette and the documentation show."""

from dataclasses import dataclass

from schemas.limits import PAPERS_A_PAGE
from schemas.table import PAGES, Group, Rights


@dataclass(frozen=True)
class View:
    """One view: its description, its columns in order with a description each, its SQL, and how Datasette shows it.

    `list_facets` are columns of JSON lists, which facet where papers are few; a leading - in `sort` means descending.
    """

    name: str
    title: str
    description: str
    columns: dict[str, str]
    sql: str
    sortable: tuple[str, ...]
    sort: str | None = None
    facets: tuple[str, ...] = ()
    list_facets: tuple[str, ...] = ()
    page_size: int | None = None
    group: Group = "data"
    rights: Rights = PAGES


SHARE = "1.0 * listed_papers / nullif(stated_papers, 0)"
"""The coverage of a page in SQL: the listed share of the papers that it states, null where it states none."""


def coverage_share(listed: int, stated: int | None) -> float | None:
    """The coverage of a page, as `SHARE` computes it.

    >>> coverage_share(3, 4), coverage_share(3, None), coverage_share(3, 0)
    (0.75, None, None)
    """
    return listed / stated if stated else None


PAPER_LIST = View(
    name="paper_list",
    title="Papers to read",
    description="Papers with their authors in one line; the view to start from.",
    columns={
        "paper_id": "The paper's identifier.",
        "title": "Title as printed.",
        "published": "Date that pages print on the paper's badge; null where no page gives the year.",
        "category_id": "Primary category, such as cs.CL; null where unknown.",
        "category": "arXiv's name of the category.",
        "authors": 'The names of the byline, joined by "; ", ending in "et al." where the page cuts it.',
        "author_names": "Every known author's name as a JSON list, those behind the cut included.",
        "institutions": "The institutions that the byline is tagged with, joined by a semicolon; null where there are none.",
        "has_code": "Whether the page flags the paper with Code.",
        "citekey": "Key to cite the paper by, such as bell2025bells; unique.",
        "arxiv_id": "arXiv's identifier, the first in order where there are several; null where none is known.",
        "doi": "The DOI, the first in order where there are several; null where none is known.",
    },
    sql="""
SELECT
  papers.paper_id,
  papers.title,
  papers.published,
  papers.category_id,
  (SELECT name FROM categories WHERE category_id = papers.category_id) AS category,
  (
    SELECT group_concat(name, '; ')
    FROM (
      SELECT name FROM paper_authors
      WHERE paper_id = papers.paper_id AND position IS NOT NULL
      ORDER BY position
    )
  ) || iif(papers.author_count IS NULL, '; et al.', '') AS authors,
  (
    SELECT json_group_array(name)
    FROM (
      SELECT authors.name FROM paper_authors JOIN authors USING (author_id)
      WHERE paper_id = papers.paper_id
      ORDER BY position IS NULL, position, author_id
    )
  ) AS author_names,
  (
    SELECT group_concat(name, '; ')
    FROM (
      SELECT institutions.name FROM paper_institutions JOIN institutions USING (institution_id)
      WHERE paper_id = papers.paper_id
      ORDER BY institution_id
    )
  ) AS institutions,
  papers.has_code,
  papers.citekey,
  (SELECT min(value) FROM paper_identifiers WHERE paper_id = papers.paper_id AND scheme = 'arxiv') AS arxiv_id,
  (SELECT min(value) FROM paper_identifiers WHERE paper_id = papers.paper_id AND scheme = 'doi') AS doi
FROM papers
""",
    # Other columns are made row by row: to sort by one, or to facet a list, makes them all.
    sortable=("paper_id", "published", "category_id", "citekey"),
    sort="-published",
    facets=("category_id", "has_code"),
    list_facets=("author_names",),
    page_size=50,
)

COAUTHORS = View(
    name="coauthors",
    # Counted author by author, so that the first rows come at once: grouping all pairs takes seconds on 100,000 papers.
    title="Co-authors",
    description=(
        "Pairs of people who wrote a paper together, each pair in both directions. A lower bound: most bylines are cut after three names,"
        " so that many who wrote together are not seen together."
    ),
    columns={
        "author_id": "An author's identifier.",
        "author": "The author's name.",
        "other_id": "The co-author's identifier.",
        "other": "The co-author's name.",
        "papers": "Number of papers that name both; a lower bound.",
    },
    sql="""
SELECT
  authors.author_id,
  authors.name AS author,
  others.author_id AS other_id,
  others.name AS other,
  together.value AS papers
FROM authors
JOIN json_each((
  SELECT json_group_object(other_id, papers)
  FROM (
    SELECT two.author_id AS other_id, count(*) AS papers
    FROM paper_authors AS one
    JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id <> one.author_id
    WHERE one.author_id = authors.author_id
    GROUP BY two.author_id
  )
)) AS together
JOIN authors AS others ON others.author_id = together.key
""",
    sortable=("author_id", "other_id", "papers"),
    page_size=50,
)

PAPERS_BY_MONTH = View(
    name="papers_by_month",
    title="Papers by month",
    description="How many papers were published in each month and category; papers without a known year are left out.",
    columns={
        "month": "Month, as YYYY-MM.",
        "category_id": "Primary category; null where unknown.",
        "papers": "Number of papers.",
    },
    sql="""
SELECT substr(published, 1, 7) AS month, category_id, count(*) AS papers
FROM papers
WHERE published IS NOT NULL
GROUP BY month, category_id
""",
    sortable=("month", "category_id", "papers"),
    sort="-month",
    facets=("category_id",),
)

FINDING_LIST = View(
    name="finding_list",
    title="Findings to read",
    description="What the rules found, with the place on the page and the text that is there.",
    columns={
        "finding_id": "The finding's identifier.",
        "severity": "The rule's severity in this build: warning (published and reported), or error (stops a build).",
        "rule_id": "The rule's identifier.",
        "rule": "What the rule requires.",
        "source": "The page's file.",
        "lines": "The page's lines, from 1.",
        "value": "The text that was found.",
        "message": "What was found, what was expected, what to do.",
    },
    sql="""
SELECT
  finding_id,
  severity,
  rule_id,
  rules.title AS rule,
  source,
  CASE
    WHEN line_end > line_start THEN line_start || '-' || line_end
    ELSE CAST(line_start AS TEXT)
  END AS lines,
  value,
  message
FROM findings JOIN rules USING (rule_id)
""",
    sortable=("finding_id", "severity", "rule_id", "source"),
    facets=("severity", "rule"),
    page_size=50,
    group="audit",
)

COVERAGE = View(
    name="coverage",
    title="Coverage",
    description=(
        "Which share of the papers that a page states it lists: a row for each person, of the page saved last, and for each page"
        f" without an owner. The site shows at most {PAPERS_A_PAGE} papers a page."
    ),
    columns={
        "profile_id": "The page's identifier.",
        "name": "The page's owner; null where it names none.",
        "observed_on": "When it was first saved; null where unknown.",
        "stated_papers": "Number of papers that it states.",
        "listed_papers": "Number of papers that it lists.",
        "share": "Listed papers divided by stated ones: 1 is all; null where the page states none.",
    },
    sql=f"""
SELECT
  profile_id,
  name,
  observed_on,
  stated_papers,
  listed_papers,
  {SHARE} AS share
FROM profiles
WHERE NOT EXISTS (
  SELECT 1 FROM profiles AS newer
  WHERE newer.author_id = profiles.author_id
    AND (coalesce(newer.last_observed_on, newer.observed_on, ''), profiles.profile_id)
      > (coalesce(profiles.last_observed_on, profiles.observed_on, ''), newer.profile_id)
)
""",  # noqa: S608  an expression of ours
    sortable=("profile_id", "name", "observed_on", "stated_papers", "listed_papers", "share"),
    sort="share",
    group="audit",
)

PROFILE_HISTORY = View(
    name="profile_history",
    title="Figures over time",
    description=(
        "The figures of each author's saved pages, a row for each page, by the day of saving. A page that was saved again with"
        " the same bytes is one row, of the first day."
    ),
    columns={
        "author_id": "The page's owner.",
        "observed_on": "When the page was first saved; null where unknown.",
        "h_index": "The h-index that it states; null where it states none.",
        "citations": "The citations that it states; null where it states none.",
        "stated_papers": "Number of papers that it states; null where it states no number.",
    },
    sql="""
SELECT author_id, observed_on, h_index, citations, stated_papers
FROM profiles
WHERE author_id IS NOT NULL
ORDER BY observed_on IS NULL, observed_on, author_id, profile_id
""",
    sortable=("author_id", "observed_on", "h_index", "citations", "stated_papers"),
    sort="observed_on",
)

VIEWS: dict[str, View] = {
    view.name: view for view in (PAPER_LIST, COAUTHORS, PAPERS_BY_MONTH, PROFILE_HISTORY, FINDING_LIST, COVERAGE)
}
"""The views by name."""
