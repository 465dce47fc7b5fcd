"""Papers by month, or by year where they span many, and category. In: the checked tables. Out: the `Chart`.

Rare categories are counted as "other" and periods beyond the newest as "earlier", so that the numbers are few however
many papers there are.
"""

import polars as pl

from etl.charts import bounds
from etl.charts.chart import Chart
from etl.charts.words import EARLIER, OTHER, UNKNOWN
from schemas import Frames

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
        says=_says(tables, known.height, unit),
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


def _says(tables: Frames, known: int, unit: str) -> str:
    left = tables["papers"].height - known
    told = [
        f"How many papers are dated in each {unit}, by primary category.",
        f"Papers without a known date ({left:,}) are left out." if left else "",
        bounds.of_papers(tables),
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
