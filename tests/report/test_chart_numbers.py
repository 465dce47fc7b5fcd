"""The charts' numbers: known ones of two pages, few however many papers there are, and lower bounds called so."""

import re
from datetime import date

import pytest
from chart_cases import CODES, PEOPLE, SOUND, UNDATED, answers, block, charts_of, many
from helpers import tables_of

from etl.report.charts import CATEGORIES, PERIODS, SHOWN_PAGES, SHOWN_PEOPLE, Chart
from etl.report.network import LONGEST_BYLINE, PAIRS_IN_NETWORK, PEOPLE_IN_NETWORK, connected_groups
from etl.resolve.dates import newest_pages
from schemas import Frames

Charts = dict[str, Chart]

ROPES = block("CVMar 1, 2024", "On Ropes", "Ann Bell, Cy Dole, Eve Fox et al.")
OF_ANN = f"{SOUND.replace('1paper', '4papers').replace('1 Paper', '4 Papers')}\n\n{ROPES}"
OF_CY = SOUND.replace("Ann Bell\n\nCL\n1paper\n\n1 Paper", "Cy Dole\n\nCL\n")
KNOWN = {
    "papers": [["2024-02", "cs.CL", 1], ["2024-03", "math.CV", 1]],
    "coauthors": [["ann-bell", "Ann Bell", 2], ["cy-dole", "Cy Dole", 2], ["eve-fox", "Eve Fox", 2]],
    "network": [
        ["ann-bell", "Ann Bell", "cy-dole", "Cy Dole", 2],
        ["ann-bell", "Ann Bell", "eve-fox", "Eve Fox", 1],
        ["cy-dole", "Cy Dole", "eve-fox", "Eve Fox", 1],
    ],
    "coverage": [["fa97615123cb3649", "Ann Bell", 4, 2], ["8fea666df4306d07", "Cy Dole", None, 1]],
    "findings": [["PAG-006", "warning", "A page lists the papers that it states, up to the site's limit", 1]],
}
"""The rows of each chart of these two pages."""
CUT = "1 of 2 bylines are cut, so that many who wrote together are not seen"
SHORT = "on 1 of 2 pages fewer papers are listed than stated (the site shows at most 50)"


def charted(tables: Frames) -> Charts:
    return {chart.id: chart for chart in charts_of(tables)}


@pytest.fixture(scope="module")
def crowded() -> Frames:
    return many()


@pytest.fixture(scope="module")
def crowd(crowded: Frames) -> Charts:
    return charted(crowded)


@pytest.fixture(scope="module")
def sound() -> Charts:
    return charted(tables_of(SOUND))


def test_the_numbers_of_two_pages_are_known() -> None:
    found = charted(tables_of(OF_ANN, OF_CY))
    assert {name: chart.rows for name, chart in found.items()} == KNOWN
    assert found["papers"].says.endswith(f" by primary category. A lower bound: {SHORT}.")
    assert found["network"].says.endswith(f" papers name both. A lower bound: {CUT}, and {SHORT}.")


@pytest.mark.parametrize("pages", ["many", "few", "none"])
def test_the_rows_of_a_chart_are_those_that_its_sql_returns(pages: str, crowded: Frames) -> None:
    tables = {"many": crowded, "few": tables_of(OF_ANN, OF_CY), "none": tables_of()}[pages]
    drawn = charts_of(tables)
    assert [(chart.columns, chart.rows) for chart in drawn] == answers(tables, drawn)


def test_every_paper_with_a_date_is_counted_once(crowd: Charts, crowded: Frames) -> None:
    counts = [int(row["papers"] or 0) for row in crowd["papers"].records()]
    assert sum(counts) == crowded["papers"]["published"].drop_nulls().len()
    assert "Papers without a known date (1) are left out." in crowd["papers"].says


def test_rare_categories_and_old_years_are_grouped(crowd: Charts) -> None:
    one = crowd["papers"]
    assert one.columns[0] == "year"
    assert len({row["category"] for row in one.records()} - {"other"}) == CATEGORIES
    assert len({row["year"] for row in one.records()} - {"earlier"}) == PERIODS


@pytest.mark.parametrize(("last", "unit"), [("Jan 1, 2027", "month"), ("Feb 1, 2027", "year")])
def test_papers_are_counted_by_month_where_the_months_are_few(last: str, unit: str) -> None:
    page = f"{SOUND}\n\n{block(f'CL{last}', 'On Ropes', 'Ann Bell')}"
    assert charted(tables_of(page, observed_on=date(2027, 3, 1)))["papers"].columns[0] == unit


def test_numbers_are_few_however_many_papers_there_are(crowd: Charts) -> None:
    assert len(crowd["coverage"].rows) == SHOWN_PAGES
    assert len(crowd["coauthors"].rows) == SHOWN_PEOPLE
    pairs = crowd["network"].records()
    assert 0 < len(pairs) <= PAIRS_IN_NETWORK
    assert len({row[key] for row in pairs for key in ("author_id", "other_id")}) <= PEOPLE_IN_NETWORK


def test_what_is_left_out_is_told(crowd: Charts, crowded: Frames, sound: Charts) -> None:
    pages = newest_pages(crowded["profiles"]).height
    assert f"Shown are {SHOWN_PAGES} of {pages} pages." in crowd["coverage"].says
    assert f"Shown are {SHOWN_PEOPLE} of " in crowd["coauthors"].says
    assert "Bylines of more than 50 names (1) are left out." in crowd["network"].says
    assert "Shown are" not in "".join(one.says for one in sound.values())


def test_the_network_is_connected_and_tells_what_it_leaves_out(crowd: Charts) -> None:
    pairs = [(str(row["author_id"]), str(row["other_id"])) for row in crowd["network"].records()]
    people = {person for pair in pairs for person in pair}
    names = [(str(number), person) for number, pair in enumerate(pairs) for person in pair]
    assert len(set(connected_groups(names).values())) == 1
    told = rf"Shown are {len(people)} of the [0-9]+ people of the largest connected group, .*, and {len(pairs)} of its [0-9,]+ pairs"
    assert re.search(told, crowd["network"].says)


def test_the_network_is_the_largest_group_and_not_the_one_with_most_papers() -> None:
    small = [block(f"CLMar {day}, 2024", f"On Ropes {day}", "Ann Bell, Cy Dole") for day in (1, 2, 3)]
    large = [
        block("CLMar 4, 2024", "On Clappers", "Eve Fox, Ida Hale"),
        block("CLMar 5, 2024", "On Wheels", "Ida Hale, Lew Kerr"),
    ]
    page = "\n\n".join(["Ann Bell\n\nCL\n3papers\n\n3 Papers", *small])
    chart = charted(tables_of(page, "\n\n".join(["CL\n2papers\n\n2 Papers", *large])))["network"]
    assert [row[:4:2] for row in chart.rows] == [["eve-fox", "ida-hale"], ["ida-hale", "lew-kerr"]]
    assert "Shown is the largest connected group of 3 people; 2 people in 1 other group are not shown." in chart.says


@pytest.mark.parametrize("names", [LONGEST_BYLINE, 20, 5])
def test_the_lines_between_the_people_of_a_network_are_all_shown_and_few(names: int) -> None:
    chart = charted(tables_of(SOUND.replace("Ann Bell, Cy Dole", ", ".join(PEOPLE[:names]))))["network"]
    people = {row[key] for row in chart.records() for key in ("author_id", "other_id")}
    assert len(chart.rows) == len(people) * (len(people) - 1) / 2 <= PAIRS_IN_NETWORK
    assert "Shown" in chart.says if len(people) < names else "Shown" not in chart.says


def test_a_chart_with_papers_of_no_known_category_has_them_apart() -> None:
    blocks = [block(f"{code}Mar {day}, 2024", f"On Bells {code} {day}", "Ann Bell") for code in CODES for day in (1, 2)]
    page = "\n\n".join(
        ["Ann Bell\n\nCL\n19papers\n\n19 Papers", *blocks, block("XXMar 3, 2024", "On Ropes", "Ann Bell")]
    )
    counts = {row["category"]: row["papers"] for row in charted(tables_of(page))["papers"].records()}
    assert counts["unknown"] == 1
    assert len(counts) == CATEGORIES + 1


@pytest.mark.parametrize(("names", "people"), [(LONGEST_BYLINE, SHOWN_PEOPLE), (LONGEST_BYLINE + 1, 0)])
def test_a_byline_of_too_many_names_makes_no_pair(names: int, people: int) -> None:
    found = charted(tables_of(SOUND.replace("Ann Bell, Cy Dole", ", ".join(PEOPLE[:names]))))
    assert len(found["coauthors"].rows) == people
    assert ("Shown are 20 of 50 people." in found["coauthors"].says) == bool(people)


def test_the_page_that_lists_least_of_its_papers_comes_first(crowd: Charts) -> None:
    rows = crowd["coverage"].records()
    shares = [int(row["listed_papers"] or 0) / int(row["stated_papers"] or 1) for row in rows]
    assert shares == sorted(shares)
    assert shares[0] == 3 / 8


@pytest.mark.parametrize("name", ["coauthors", "network"])
def test_numbers_over_cut_bylines_are_called_a_lower_bound(name: str, crowd: Charts, sound: Charts) -> None:
    assert "A lower bound: 135 of 139 bylines are cut" in crowd[name].says
    assert "lower bound" not in sound[name].says


def test_numbers_over_pages_that_list_a_part_are_called_a_lower_bound(crowd: Charts, sound: Charts) -> None:
    assert "A lower bound: on 44 of 45 pages fewer papers are listed than stated" in crowd["papers"].says
    assert "lower bound" not in sound["papers"].says


def test_nothing_to_count_gives_no_rows() -> None:
    assert [one.rows for one in charts_of(tables_of())] == [[]] * 5
    assert charted(tables_of(UNDATED))["papers"].rows == []
