"""All charts of a dataset, in the order in which they are shown. In: the checked tables. Out: a `Chart` each."""

from etl.charts.chart import Chart
from etl.charts.pages import coverage, findings
from etl.charts.papers import papers
from etl.charts.people import coauthors_and_network
from schemas import Frames


def charts_of(tables: Frames) -> list[Chart]:
    """The charts of these tables; one without rows says that there is nothing to draw."""
    return [papers(tables), *coauthors_and_network(tables), coverage(tables), findings(tables)]
