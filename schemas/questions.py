"""Questions that the site answers: SQL with parameters, any of which may be empty; and the SQL that finds printed lines for them.

A finding is in the header, in the quarantine or in a listing. A listing's lines are the variant where there is one,
else the merged row, with equal gaps, as a page is rebuilt.
"""

from dataclasses import dataclass, field

from schemas.limits import PAPERS_A_PAGE

SHOWN_LETTERS = 4000
"""How much of the lines in quarantine is shown: a whole page may be there."""

BYLINE = """(
    SELECT group_concat(name, ', ')
    FROM (SELECT name FROM paper_authors WHERE paper_id = papers.paper_id AND source = 'byline' ORDER BY position)
  ) || iif(papers.authors_truncated, ' et al.', '') || coalesce(' · ' || (
    SELECT group_concat(name, ', ')
    FROM (
      SELECT institutions.name
      FROM paper_institutions JOIN institutions USING (institution_id)
      WHERE paper_id = papers.paper_id
      ORDER BY institution_id
    )
  ), '')"""
"""The byline of a row of `papers` as pages print bylines, an expression."""

# A text becomes a JSON list of its lines. JSON's escapes begin with a backslash; the doubled ones must go first.
WITH_LINES = rf"""
WITH
  parts AS (
    SELECT
      findings.*,
      profiles.header,
      substr(quarantine.raw_text, 1, {SHOWN_LETTERS}) AS kept,
      coalesce(listings.line_start, 1) AS first_line,
      listings.line_end - listings.line_start - 2 - length(listings.badge) + length(replace(listings.badge, char(10), ''))
        AS more_lines,
      listings.badge,
      block.value AS block,
      coalesce(title.value, papers.title) AS title,
      coalesce(abstract.value, papers.abstract) AS abstract,
      coalesce(byline.value, {BYLINE}) AS byline
    FROM findings
    LEFT JOIN profiles ON profiles.profile_id = findings.profile_id
    LEFT JOIN quarantine ON quarantine.profile_id = findings.profile_id
      AND findings.line_start BETWEEN quarantine.line_start AND quarantine.line_end
    LEFT JOIN listings ON listings.profile_id = findings.profile_id
      AND findings.line_start BETWEEN listings.line_start AND listings.line_end
    LEFT JOIN papers ON papers.paper_id = listings.paper_id
    LEFT JOIN variants AS block ON block.field = 'block'
      AND (block.profile_id, block.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS title ON title.field = 'title'
      AND (title.profile_id, title.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS byline ON byline.field = 'byline'
      AND (byline.profile_id, byline.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS abstract ON abstract.field = 'abstract'
      AND (abstract.profile_id, abstract.position) = (listings.profile_id, listings.position)
    WHERE :rule_id = '' OR findings.rule_id = :rule_id
  ),
  gaps AS (
    SELECT
      *,
      max(iif(
        abstract = '',
        more_lines,
        (more_lines - 1 - length(abstract) + length(replace(abstract, char(10), ''))) / 2
      ), 0) AS gap
    FROM parts
  ),
  texts AS (
    SELECT
      *,
      CASE
        WHEN badge IS NULL THEN header
        WHEN block IS NOT NULL THEN block
        ELSE badge || char(10) || title || char(10) || replace(printf('%*s', gap, ''), ' ', char(10)) || byline
          || iif(abstract = '', '', char(10) || replace(printf('%*s', gap, ''), ' ', char(10)) || abstract)
      END AS text
    FROM gaps
  )
SELECT
  rule_id,
  rules.title AS rule,
  source,
  iif(line_end > line_start, line_start || '-' || line_end, CAST(line_start AS TEXT)) AS lines,
  coalesce(kept, (
    SELECT group_concat(value, char(10))
    FROM (
      SELECT value
      FROM json_each('[' || replace(replace(json_quote(text), '\\', '\u005c'), '\n', '","') || ']')
      WHERE key BETWEEN line_start - first_line AND line_end - first_line
      ORDER BY key
    )
  )) AS raw_lines,
  message
FROM texts
LEFT JOIN rules USING (rule_id)
ORDER BY rule_id, source, line_start, finding_id
"""  # noqa: S608


@dataclass(frozen=True)
class Question:
    """A question in plain words, the SQL that answers it, and what each parameter means."""

    name: str
    title: str
    description: str
    sql: str
    params: dict[str, str] = field(default_factory=dict)


CUT_BYLINES = (
    "A lower bound: most bylines are cut after three names, unless arXiv's metadata completes them, and pages list at most"
    f" {PAPERS_A_PAGE} papers."
)
FOUND_PAPERS = 100
"""How many papers a search shows."""
BEFORE_MARK = 60
AROUND_MARK = 250
"""Letters of an abstract that a search shows before the first word found, and in all."""
TITLE_WEIGHT = 5.0
"""How much more a word counts in a title than in an abstract."""

# Every word becomes a quoted string, so that no character is an operator of FTS5's own language. printf ends the text at a
# NUL, where FTS5 would stop in the middle of a string.
SEARCHED_WORDS = """input AS (SELECT trim(printf('%s', :q)) AS words),
  asked AS (
    SELECT
      CASE
        WHEN words LIKE '"%"' AND length(words) - length(replace(words, '"', '')) = 2 THEN words
        ELSE '"' || replace(replace(words, '"', ' '), ' ', '" "') || '"'
      END AS expression
    FROM input
  )"""
"""Common tables of SQL of which the last, `asked`, has the words of the parameter `q` as an expression of FTS5."""

SEARCH_PAPERS = Question(
    name="search_papers",
    title="Which papers mention this?",
    description=(
        f"The {FOUND_PAPERS} best matches; a word in the title counts {TITLE_WEIGHT:g} times one in the abstract."
        " All words must occur, in any form (“ring” finds “ringing”); « and » mark them."
    ),
    params={"q": 'Words to look for, or one "exact phrase" in double quotes.'},
    # The best are chosen before words are marked. FTS5's own snippet takes the square of the words found: minutes for an
    # abstract of one word.
    sql=f"""
WITH
  {SEARCHED_WORDS},
  best AS (
    SELECT rowid AS place, bm25(papers_fts, {TITLE_WEIGHT}, 1.0) AS score
    FROM papers_fts
    WHERE papers_fts MATCH (SELECT expression FROM asked)
    ORDER BY score, place
    LIMIT {FOUND_PAPERS}
  ),
  marked AS MATERIALIZED (
    SELECT rowid AS place, highlight(papers_fts, 0, '«', '»') AS title, highlight(papers_fts, 1, '«', '»') AS abstract
    FROM papers_fts
    WHERE papers_fts MATCH (SELECT expression FROM asked) AND rowid IN (SELECT place FROM best)
  ),
  begun AS (
    SELECT *, iif(mark > {BEFORE_MARK}, mark - {BEFORE_MARK} + instr(substr(abstract, mark - {BEFORE_MARK}, {BEFORE_MARK}), ' '), 1) AS start
    FROM (SELECT *, instr(abstract, '«') AS mark FROM marked)
  )
SELECT
  papers.paper_id,
  begun.title,
  iif(start > 1, '…', '') || substr(begun.abstract, start, {AROUND_MARK})
    || iif(length(begun.abstract) >= start + {AROUND_MARK}, '…', '') AS abstract,
  papers.published,
  papers.category_id,
  papers.citekey
FROM best JOIN begun USING (place) JOIN papers ON papers.rowid = place
ORDER BY best.score, papers.paper_id
""",  # noqa: S608
)

COAUTHORS_OF_AUTHOR = Question(
    name="coauthors_of_author",
    title="Who wrote together with this author?",
    description=f"The co-authors of an author, most papers first. {CUT_BYLINES}",
    params={"author_id": "The author's identifier, such as given-family: see the table of authors."},
    sql="""
SELECT other_id AS author_id, other AS author, papers AS papers_together_at_least
FROM coauthors
WHERE author_id = :author_id
ORDER BY papers DESC, other, other_id
""",
)

PAPERS_OF_AUTHOR = Question(
    name="papers_of_author",
    title="What did this author write?",
    description=(
        "The author's papers, newest first, those too where the name is hidden behind “et al.” and only the author's own"
        f" page tells. {CUT_BYLINES}"
    ),
    params={"author_id": "The author's identifier, such as given-family: see the table of authors."},
    sql="""
SELECT
  papers.paper_id,
  papers.title,
  papers.published,
  papers.category_id,
  CASE
    WHEN mine.position IS NULL THEN 'hidden: not in the byline as printed'
    WHEN papers.author_count IS NULL THEN mine.position || ' of more than ' || papers.listed_author_count
    ELSE mine.position || ' of ' || papers.author_count
  END AS place_in_byline,
  mine.name AS written_as,
  paper_list.authors
FROM paper_authors AS mine
JOIN papers USING (paper_id)
JOIN paper_list USING (paper_id)
WHERE mine.author_id = :author_id
ORDER BY papers.published DESC, papers.paper_id
""",
)

PAPERS_BY_CATEGORY_AND_YEAR = Question(
    name="papers_by_category_and_year",
    title="Which papers are in this category, from this year?",
    description="Papers, newest first. Left empty, a field means all; papers without a known year come last.",
    params={"category_id": "arXiv's category, such as cs.CL.", "year": "A year in four digits, such as 2025."},
    sql="""
SELECT paper_id, title, authors, published, category_id, category
FROM paper_list
WHERE (:category_id = '' OR category_id = :category_id) AND (:year = '' OR substr(published, 1, 4) = :year)
ORDER BY published DESC, paper_id
""",
)

PAPERS_WITH_CODE = Question(
    name="papers_with_code",
    title="Which papers come with code?",
    description=(
        "Papers that a page flags with “Code”, and papers whose abstract holds the address of a place for code; a row for each"
        " address. Newest first."
    ),
    sql="""
SELECT
  papers.paper_id,
  papers.title,
  papers.published,
  CASE
    WHEN links.url IS NULL THEN 'the page''s flag'
    WHEN papers.has_code THEN 'flag and address'
    ELSE 'an address in the abstract'
  END AS told_by,
  links.url
FROM papers
LEFT JOIN links ON links.paper_id = papers.paper_id AND links.kind = 'code'
WHERE papers.has_code OR links.url IS NOT NULL
ORDER BY papers.published DESC, papers.paper_id, links.url
""",
)

CHANGED_PAPERS = Question(
    name="changed_papers",
    title="Where do pages disagree about a paper?",
    description=(
        "Where a page and the dataset differ about a paper: another title, date, category, byline or abstract,"
        " because a newer or surer page was preferred. (A paper with two dates was not merged: see the rule PAP-008.)"
    ),
    sql=f"""
SELECT
  listings.paper_id,
  papers.title,
  variants.field AS differs_in,
  variants.value AS this_page_says,
  CASE variants.field
    WHEN 'title' THEN papers.title
    WHEN 'published' THEN papers.published
    WHEN 'category_id' THEN papers.category_id
    WHEN 'byline' THEN {BYLINE}
    WHEN 'abstract' THEN papers.abstract
  END AS dataset_says,
  variants.profile_id,
  profiles.name AS page_of,
  profiles.observed_on AS page_saved_on,
  profiles.source,
  listings.line_start AS line
FROM variants
JOIN listings USING (profile_id, position)
JOIN papers USING (paper_id)
JOIN profiles USING (profile_id)
WHERE variants.field <> 'block'
ORDER BY variants.field DESC, variants.profile_id DESC, variants.position DESC
""",  # noqa: S608
)

COVERAGE_BY_PROFILE = Question(
    name="coverage_by_profile",
    title="How much of each person's work does the dataset know?",
    description=(
        "Of the papers that a person's page says there are, how many it lists; of several pages the one saved last."
        f" The smallest share first. The site shows at most {PAPERS_A_PAGE} papers a page, so counts over this dataset are lower bounds."
    ),
    sql="""
SELECT
  profile_id,
  name,
  observed_on,
  stated_papers,
  listed_papers,
  max(stated_papers - listed_papers, 0) AS missing_papers,
  round(100 * share, 1) AS percent_listed
FROM coverage
ORDER BY share IS NULL, share, missing_papers DESC, name, profile_id
""",
)

FINDINGS_WITH_LINES = Question(
    name="findings_with_lines",
    title="What did the rules find, and on which lines?",
    description=(
        "Each finding with the lines of the page as they were printed; of lines in quarantine, the first"
        f" {SHOWN_LETTERS:,} characters. A finding is something wrong or odd on a page; the dataset has it as printed."
    ),
    params={"rule_id": "A rule, such as PAP-002; empty for all. The table of rules lists them."},
    sql=WITH_LINES,
)

QUESTIONS: dict[str, Question] = {
    question.name: question
    for question in (
        SEARCH_PAPERS,
        PAPERS_OF_AUTHOR,
        COAUTHORS_OF_AUTHOR,
        PAPERS_BY_CATEGORY_AND_YEAR,
        PAPERS_WITH_CODE,
        CHANGED_PAPERS,
        COVERAGE_BY_PROFILE,
        FINDINGS_WITH_LINES,
    )
}
"""The questions by name, in the order in which the site shows them."""
