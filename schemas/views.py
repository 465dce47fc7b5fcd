"""The views for reading: SQL over the tables, with the words that Datasette and the documentation show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """One view: its words, its columns in order with a description each, and its SQL."""

    name: str
    title: str
    description: str
    columns: dict[str, str]
    sql: str


PAPER_LIST = View(
    name="paper_list",
    title="Papers to read",
    description="Papers with their authors in one line; the view to start from.",
    columns={
        "paper_id": "The paper.",
        "title": "Title as printed.",
        "published": "Date of the badge.",
        "category_id": "Primary category.",
        "category": "Its name.",
        "authors": 'The names of the byline, joined by "; ", ending in "et al." where the page cuts it.',
        "author_names": "Every known author's name as a JSON list, those behind the cut included.",
        "institutions": "The byline's institutions, joined by a semicolon.",
        "has_code": "Whether the page flags the paper with Code.",
        "citekey": "Citation key.",
    },
    sql="""
SELECT
  papers.paper_id,
  papers.title,
  papers.published,
  papers.category_id,
  categories.name AS category,
  (
    SELECT group_concat(name, '; ')
    FROM (
      SELECT name FROM paper_authors
      WHERE paper_id = papers.paper_id AND position IS NOT NULL
      ORDER BY position
    )
  ) || iif(papers.authors_truncated, '; et al.', '') AS authors,
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
  papers.citekey
FROM papers LEFT JOIN categories USING (category_id)
""",
)

COAUTHORS = View(
    name="coauthors",
    title="Co-authors",
    description=(
        "Pairs of authors of one paper, in both directions. A lower bound: most bylines are cut after three names,"
        " so that many who wrote together are not seen together."
    ),
    columns={
        "author_id": "An author.",
        "author": "The author's name.",
        "other_id": "Somebody who wrote with the author.",
        "other": "That person's name.",
        "papers": "How many papers name both: at least so many do.",
    },
    sql="""
SELECT
  one.author_id,
  authors.name AS author,
  two.author_id AS other_id,
  others.name AS other,
  count(*) AS papers
FROM paper_authors AS one
JOIN paper_authors AS two ON two.paper_id = one.paper_id AND two.author_id <> one.author_id
JOIN authors ON authors.author_id = one.author_id
JOIN authors AS others ON others.author_id = two.author_id
GROUP BY one.author_id, two.author_id
""",
)

PAPERS_BY_MONTH = View(
    name="papers_by_month",
    title="Papers by month",
    description="How many papers were published in each month and category; papers without a known year are left out.",
    columns={
        "month": "Month, as YYYY-MM.",
        "category_id": "Primary category; null where unknown.",
        "papers": "How many papers.",
    },
    sql="""
SELECT strftime('%Y-%m', published) AS month, category_id, count(*) AS papers
FROM papers
WHERE published IS NOT NULL
GROUP BY month, category_id
""",
)

FINDING_LIST = View(
    name="finding_list",
    title="Findings to read",
    description="What the rules found, with the place on the page and the text that stands there.",
    columns={
        "finding_id": "The finding.",
        "severity": "error or warning.",
        "rule_id": "The rule.",
        "rule": "What must hold.",
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
)

COVERAGE = View(
    name="coverage",
    title="Coverage",
    description="How many of the papers that each page states it lists; the site shows at most 50 a page.",
    columns={
        "profile_id": "The page.",
        "name": "Its owner.",
        "observed_on": "When it was saved.",
        "stated_papers": "How many papers it states.",
        "listed_papers": "How many of them it lists.",
        "share": "The one divided by the other; null where the page states none.",
    },
    sql="""
SELECT
  profile_id,
  name,
  observed_on,
  stated_papers,
  listed_papers,
  1.0 * listed_papers / nullif(stated_papers, 0) AS share
FROM profiles
""",
)

VIEWS: dict[str, View] = {view.name: view for view in (PAPER_LIST, COAUTHORS, PAPERS_BY_MONTH, FINDING_LIST, COVERAGE)}
"""The views by name."""
