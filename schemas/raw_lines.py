"""The SQL that puts the printed lines of each finding together from the tables, as a page is rebuilt.

A finding stands in the header, in the quarantine or in a listing. A listing's lines are the variant where there is one,
else the merged row, with equal gaps.
"""

SHOWN_LETTERS = 4000
"""How much of the lines in quarantine is shown: a whole page may be there."""

BYLINE = """(
    SELECT group_concat(name, ', ')
    FROM (SELECT name FROM paper_authors WHERE paper_id = papers.paper_id AND position > 0 ORDER BY position)
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
