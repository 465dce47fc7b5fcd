"""Charts of the dataset: their numbers, and the pictures drawn from them.

In: the checked tables. Out: a `Chart` each, which `results.json` keeps, and SVG drawn from it. The numbers are computed
once; whatever shows a chart draws it from them and needs no table.
"""

from etl.charts.chart import Chart
from etl.charts.numbers import charts_of

__all__ = ["Chart", "charts_of"]
