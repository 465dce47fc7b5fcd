"""Charts of the pages: how much of each person's papers they list, and what the rules found. In: the checked tables. Out: `Chart`s."""

import polars as pl

from etl.charts.chart import Chart
from etl.snapshots import newest_pages
from schemas import Frames
from schemas.limits import PAPERS_A_PAGE

SHOWN_PAGES = 30


def coverage(tables: Frames) -> Chart:
    """The pages that list the least of the papers that they state, the newest of each person."""
    pages = newest_pages(tables["profiles"])
    share = pl.col("listed_papers") / pl.when(pl.col("stated_papers") != 0).then("stated_papers")
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
