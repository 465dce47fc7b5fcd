"""Questions that the site answers: SQL with parameters, any of which may be empty, and how a page asks for them and shows the answer.

The SQL of a question has two steps: `found`, the rows in all, with what they are sorted by; and the columns of each row, which
take longer. A page of fifty rows sorts and cuts the first step only.

A finding is in the header, in the quarantine or in a listing. A listing's lines are the variant where there is one,
else the merged row, with equal gaps, as a page is rebuilt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Literal

from schemas.limits import PAPERS_A_PAGE

SHOWN_LETTERS = 4000
"""How much of the lines in quarantine is shown: a whole page may be there."""

_NAMES = """(
    SELECT group_concat(name, ', ')
    FROM (SELECT name FROM paper_authors WHERE paper_id = papers.paper_id AND source = 'byline' ORDER BY position)
  )"""
_BYLINE_END = """iif(papers.authors_truncated, ' et al.', '') || coalesce(' · ' || (
    SELECT group_concat(name, ', ')
    FROM (
      SELECT institutions.name
      FROM paper_institutions JOIN institutions USING (institution_id)
      WHERE paper_id = papers.paper_id
      ORDER BY institution_id
    )
  ), '')"""
BYLINE = f"{_NAMES} || {_BYLINE_END}"
"""The byline of a row of `papers` as pages print bylines, an expression."""
_SAME_NAMES = f"""EXISTS (
    SELECT 1
    FROM (
      SELECT {_NAMES} AS names, {_BYLINE_END} AS end
      FROM listings JOIN papers USING (paper_id)
      WHERE (listings.profile_id, listings.position) = (variants.profile_id, variants.position)
    )
    WHERE variants.value = substr(variants.value, 1, length(variants.value) - length(end)) || end AND names = (
      SELECT group_concat(name, ', ')
      FROM (
        SELECT trim(value) AS name
        FROM json_each(
          '[' || replace(json_quote(substr(variants.value, 1, length(variants.value) - length(end))), ', ', '","') || ']'
        )
        GROUP BY name
        ORDER BY min(key)
      )
    )
  )"""  # noqa: S608
"""Whether the byline in a row of `variants` has the names of the dataset, one of them twice or behind more than one space."""


@dataclass(frozen=True)
class Param:
    """A parameter: its label, what it means, an example, and SQL of its values with words for each, where there are few."""

    label: str
    meaning: str
    example: str = ""
    choices: str | None = None
    is_required: bool = False


Kind = Literal["text", "title", "day", "address", "authors", "lines"]


@dataclass(frozen=True)
class Cell:
    """A column of a page: its head, the column of the answer, how it is shown, and what it is sorted by and leads to."""

    heading: str
    column: str
    kind: Kind = "text"
    sort: str | None = None
    """A column of `found`; None where rows are not sorted by it."""
    table: str | None = None
    key: tuple[str, ...] = ()
    """The table of the row that it leads to, and the columns with that row's key."""


@dataclass(frozen=True)
class Question:
    """A question in plain words, its parameters, the parts of its SQL, and the cells of its page."""

    name: str
    title: str
    description: str
    found: str
    """SQL of all rows."""
    columns: str
    """The columns of the answer."""
    order: tuple[str, ...]
    """What rows are sorted by, in a total order: columns of `found`, perhaps with DESC."""
    cells: tuple[Cell, ...]
    source: str = "found"
    """Where the columns come from: `found`, or a table of that name, with others."""
    before: str = ""
    between: str = ""
    """Common tables in front of `found`, and behind it."""
    keys: str = ""
    """More columns for the page alone, which links need."""
    params: dict[str, Param] = field(default_factory=dict)
    is_counted: bool = True
    """Whether a page counts all rows."""

    @property
    def sql(self) -> str:
        """SQL of the whole answer."""
        return self._sql(self.found.strip(), self.columns, self.order)

    @property
    def count_sql(self) -> str:
        """SQL of the number of rows."""
        return f"{self._common(self.found.strip())}\nSELECT count(*) FROM found"

    def page_sql(self, order: Sequence[str]) -> str:
        """SQL of a page, with the parameters `_rows` and `_passed`: rows in an order, which the question's own completes."""
        terms = [*order, *(term for term in self.order if term.split()[0] not in {one.split()[0] for one in order})]
        page = f"SELECT * FROM (\n{self.found.strip()}\n) ORDER BY {', '.join(terms)} LIMIT :_rows OFFSET :_passed"  # noqa: S608
        columns = f"{self.columns},\n  {self.keys}" if self.keys else self.columns
        return self._sql(page, columns, terms)

    def _sql(self, found: str, columns: str, order: Sequence[str]) -> str:
        terms = ", ".join(f"found.{term}" for term in order)
        return f"{self._common(found)}{self.between}\nSELECT\n  {columns}\nFROM {self.source}\nORDER BY {terms}"

    def _common(self, found: str) -> str:
        return f"WITH\n  {self.before}found AS (\n{indent(found, '    ')}\n  )"


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

_PAPER = Cell("Paper", "title", "title", "title", "papers", ("paper_id",))
_PUBLISHED = Cell("Published", "published", "day", "published")
_CATEGORY = Cell("Category", "category_id", sort="category_id", table="categories", key=("category_id",))
_PROFILE = ("profile_id",)

SEARCH_PAPERS = Question(
    name="search_papers",
    title="Which papers mention this?",
    description=(
        f"The {FOUND_PAPERS} best matches; a word in the title counts {TITLE_WEIGHT:g} times one in the abstract."
        " All words must occur, in any form (“ring” finds “ringing”); « and » mark them."
    ),
    params={
        "q": Param(
            "Words",
            'Words to look for, or one "exact phrase" in double quotes.',
            "machine translation",
            is_required=True,
        )
    },
    # The best are chosen before words are marked. FTS5's own snippet takes the square of the words found: minutes for an
    # abstract of one word.
    before=f"""{SEARCHED_WORDS},
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
  ),
  """,  # noqa: S608
    found=f"""
SELECT
  papers.paper_id,
  begun.title,
  iif(start > 1, '…', '') || substr(begun.abstract, start, {AROUND_MARK})
    || iif(length(begun.abstract) >= start + {AROUND_MARK}, '…', '') AS abstract,
  papers.published,
  papers.category_id,
  papers.citekey,
  best.score
FROM best JOIN begun USING (place) JOIN papers ON papers.rowid = place
""",  # noqa: S608
    columns="paper_id, title, abstract, published, category_id, citekey",
    order=("score", "paper_id"),
    is_counted=False,  # it takes as long as the search
    cells=(
        _PAPER,
        Cell("Abstract", "abstract"),
        _PUBLISHED,
        _CATEGORY,
        Cell("Citation key", "citekey", sort="citekey"),
    ),
)

_AUTHOR_ID = Param(
    "Author",
    "The author's identifier, such as given-family: see the table of authors.",
    "given-family",
    is_required=True,
)

COAUTHORS_OF_AUTHOR = Question(
    name="coauthors_of_author",
    title="Who wrote together with this author?",
    description=f"The co-authors of an author, most papers first. {CUT_BYLINES}",
    params={"author_id": _AUTHOR_ID},
    found="""
SELECT other_id AS author_id, other AS author, papers AS papers_together_at_least
FROM coauthors
WHERE author_id = :author_id
""",
    columns="author_id, author, papers_together_at_least",
    order=("papers_together_at_least DESC", "author", "author_id"),
    cells=(
        Cell("Author", "author", sort="author", table="authors", key=("author_id",)),
        Cell("Papers together, at least", "papers_together_at_least", sort="papers_together_at_least"),
    ),
)

PAPERS_OF_AUTHOR = Question(
    name="papers_of_author",
    title="What did this author write?",
    description=(
        "The author's papers, newest first, those too where the name is hidden behind “et al.” and only the author's own"
        f" page tells. {CUT_BYLINES}"
    ),
    params={"author_id": _AUTHOR_ID},
    found="""
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
  mine.position
FROM paper_authors AS mine
JOIN papers USING (paper_id)
WHERE mine.author_id = :author_id
""",
    columns="""paper_id,
  found.title,
  found.published,
  found.category_id,
  place_in_byline,
  written_as,
  paper_list.authors""",
    source="found JOIN paper_list USING (paper_id)",
    order=("published DESC", "paper_id"),
    cells=(
        _PAPER,
        Cell("Authors", "authors", "authors"),
        _PUBLISHED,
        _CATEGORY,
        Cell("Place in byline", "place_in_byline", sort="position"),
        Cell("Written as", "written_as", sort="written_as"),
    ),
)

PAPERS_BY_CATEGORY_AND_YEAR = Question(
    name="papers_by_category_and_year",
    title="Which papers are in this category, from this year?",
    description="Papers by their first category, newest first. Left empty, a field means all; papers without a known year come last.",
    params={
        "category_id": Param(
            "Category",
            "arXiv's category, such as cs.CL.",
            "cs.CL",
            "SELECT category_id, category_id || ': ' || name FROM categories ORDER BY category_id",
        ),
        "year": Param(
            "Year",
            "A year in four digits, such as 2025.",
            "2025",
            "SELECT DISTINCT substr(published, 1, 4) AS year, NULL FROM papers WHERE published IS NOT NULL ORDER BY year DESC",
        ),
    },
    found="""
SELECT paper_id, title, published, category_id
FROM papers
WHERE (:category_id = '' OR category_id = :category_id) AND (:year = '' OR substr(published, 1, 4) = :year)
""",
    columns="paper_id, found.title, authors, found.published, found.category_id, category",
    source="found JOIN paper_list USING (paper_id)",
    order=("published DESC", "paper_id"),
    cells=(
        _PAPER,
        Cell("Authors", "authors", "authors"),
        _PUBLISHED,
        Cell("Category", "category", sort="category_id", table="categories", key=("category_id",)),
    ),
)

PAPERS_WITH_CODE = Question(
    name="papers_with_code",
    title="Which papers come with code?",
    description=(
        "Papers that a page flags with “Code”, and papers whose abstract holds the address of a place for code; a row for each"
        " address. Newest first."
    ),
    found="""
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
""",
    columns="paper_id, title, published, told_by, url",
    order=("published DESC", "paper_id", "url"),
    cells=(
        _PAPER,
        _PUBLISHED,
        Cell("Known by", "told_by", sort="told_by"),
        Cell("Address", "url", "address", sort="url"),
    ),
)

CHANGED_PAPERS = Question(
    name="changed_papers",
    title="Where do pages disagree about a paper?",
    description=(
        "Where a page and the dataset differ about a paper: another title, date, category, byline or abstract,"
        " because a newer or surer page was preferred. A name that a byline has twice is no difference. (A paper with two dates was not merged: see the rule PAP-008.)"
    ),
    found=f"""
SELECT
  variants.field AS differs_in,
  variants.profile_id,
  variants.position,
  profiles.name AS page_of,
  profiles.observed_on AS page_saved_on
FROM variants
JOIN profiles USING (profile_id)
WHERE variants.field <> 'block' AND NOT (variants.field = 'byline' AND {_SAME_NAMES})
""",  # noqa: S608
    columns=f"""papers.paper_id,
  papers.title,
  differs_in,
  variants.value AS this_page_says,
  CASE differs_in
    WHEN 'title' THEN papers.title
    WHEN 'published' THEN papers.published
    WHEN 'category_id' THEN papers.category_id
    WHEN 'byline' THEN {BYLINE}
    WHEN 'abstract' THEN papers.abstract
  END AS dataset_says,
  found.profile_id,
  page_of,
  page_saved_on,
  profiles.source,
  listings.line_start AS line""",
    source="""found
JOIN profiles ON profiles.profile_id = found.profile_id
JOIN listings ON (listings.profile_id, listings.position) = (found.profile_id, found.position)
JOIN papers ON papers.paper_id = listings.paper_id
JOIN variants ON variants.field = differs_in AND (variants.profile_id, variants.position) = (found.profile_id, found.position)""",
    keys="found.position",
    order=("differs_in DESC", "profile_id DESC", "position DESC"),
    cells=(
        Cell("Paper", "title", "title", table="papers", key=("paper_id",)),
        Cell("Differs in", "differs_in", sort="differs_in"),
        Cell("This page says", "this_page_says"),
        Cell("The dataset says", "dataset_says"),
        Cell("Page of", "page_of", sort="page_of", table="profiles", key=_PROFILE),
        Cell("Saved", "page_saved_on", "day", sort="page_saved_on"),
        Cell("Line", "line", table="listings", key=("profile_id", "position")),
    ),
)

COVERAGE_BY_PROFILE = Question(
    name="coverage_by_profile",
    title="How much of each person's work does the dataset know?",
    description=(
        "Of the papers that a person's page says there are, how many it lists; of several pages the one saved last."
        f" The smallest share first. The site shows at most {PAPERS_A_PAGE} papers a page, so counts over this dataset are lower bounds."
    ),
    found="""
SELECT
  profile_id,
  name,
  observed_on,
  stated_papers,
  listed_papers,
  max(stated_papers - listed_papers, 0) AS missing_papers,
  round(100 * share, 1) AS percent_listed,
  share IS NULL AS is_unknown,
  share
FROM coverage
""",
    columns="profile_id, name, observed_on, stated_papers, listed_papers, missing_papers, percent_listed",
    order=("is_unknown", "share", "missing_papers DESC", "name", "profile_id"),
    cells=(
        Cell("Page of", "name", sort="name", table="profiles", key=_PROFILE),
        Cell("Saved", "observed_on", "day", sort="observed_on"),
        Cell("Papers stated", "stated_papers", sort="stated_papers"),
        Cell("Listed", "listed_papers", sort="listed_papers"),
        Cell("Missing", "missing_papers", sort="missing_papers"),
        Cell("Listed, %", "percent_listed", sort="percent_listed"),
    ),
)

FINDINGS_WITH_LINES = Question(
    name="findings_with_lines",
    title="What did the rules find, and on which lines?",
    description=(
        "Each finding with the lines of the page as they were printed; of lines in quarantine, the first"
        f" {SHOWN_LETTERS:,} characters. A finding is something wrong or odd on a page; the dataset has it as printed."
    ),
    params={
        "rule_id": Param(
            "Rule",
            "A rule, such as PAP-002; empty for all. The table of rules lists them.",
            "PAP-002",
            "SELECT rule_id, rule_id || ': ' || title FROM rules WHERE failed > 0 ORDER BY rule_id",
        )
    },
    found="""
SELECT *
FROM findings
WHERE :rule_id = '' OR rule_id = :rule_id
""",
    # A text becomes a JSON list of its lines. JSON's escapes begin with a backslash; the doubled ones must go first.
    between=rf""",
  parts AS (
    SELECT
      found.*,
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
    FROM found
    LEFT JOIN profiles ON profiles.profile_id = found.profile_id
    LEFT JOIN quarantine ON quarantine.profile_id = found.profile_id
      AND found.line_start BETWEEN quarantine.line_start AND quarantine.line_end
    LEFT JOIN listings ON listings.profile_id = found.profile_id
      AND found.line_start BETWEEN listings.line_start AND listings.line_end
    LEFT JOIN papers ON papers.paper_id = listings.paper_id
    LEFT JOIN variants AS block ON block.field = 'block'
      AND (block.profile_id, block.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS title ON title.field = 'title'
      AND (title.profile_id, title.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS byline ON byline.field = 'byline'
      AND (byline.profile_id, byline.position) = (listings.profile_id, listings.position)
    LEFT JOIN variants AS abstract ON abstract.field = 'abstract'
      AND (abstract.profile_id, abstract.position) = (listings.profile_id, listings.position)
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
  )""",  # noqa: S608
    columns=r"""rule_id,
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
  message""",
    source="texts AS found LEFT JOIN rules USING (rule_id)",
    keys="finding_id, profile_id, line_start",
    order=("rule_id", "source", "line_start", "finding_id"),
    cells=(
        Cell("Rule", "rule", sort="rule_id", table="rules", key=("rule_id",)),
        Cell("Finding", "message", table="findings", key=("finding_id",)),
        Cell("Printed lines", "raw_lines", "lines"),
        Cell("Page", "source", sort="source", table="profiles", key=_PROFILE),
        Cell("Lines", "lines", sort="line_start"),
    ),
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
