"""Pairs of authors, counted in slices: the same numbers as a plain count, whatever the size of a slice."""

from collections import Counter, defaultdict
from itertools import combinations
from random import Random

import polars as pl
import pytest

from etl.report import charts
from etl.report.charts import LONGEST_BYLINE, count_pairs

Bylines = list[list[str]]


def frame(bylines: Bylines) -> pl.DataFrame:
    rows = [(f"p{number}", author) for number, byline in enumerate(bylines) for author in byline]
    return pl.DataFrame(rows, schema=["paper_id", "author_id"], orient="row")


def plainly(bylines: Bylines) -> tuple[Counter[tuple[str, str]], dict[str, set[str]]]:
    papers: Counter[tuple[str, str]] = Counter()
    beside: dict[str, set[str]] = defaultdict(set)
    for one, two in (pair for byline in bylines for pair in combinations(sorted(byline), 2)):
        papers[one, two] += 1
        beside[one].add(two)
        beside[two].add(one)
    return papers, beside


@pytest.mark.parametrize("at_once", [1, 50, 4_000_000])
def test_slices_of_any_size_give_the_plain_count(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "PAIRS_AT_ONCE", at_once)
    random = Random(7)  # noqa: S311
    people = [f"a{number}" for number in range(12)]
    bylines = [random.sample(people, random.randint(1, 5)) for _ in range(40)]
    papers, beside = plainly(bylines)
    counted = count_pairs(frame(bylines), 10)
    by_papers = sorted(((*pair, count) for pair, count in papers.items()), key=lambda row: (-row[2], row[0], row[1]))
    by_coauthors = sorted(((one, len(others)) for one, others in beside.items()), key=lambda row: (-row[1], row[0]))
    assert counted.pairs.rows() == by_papers[:10]
    assert counted.people.rows() == by_coauthors[:10]
    assert (counted.pair_count, counted.people_count) == (len(papers), len(beside))


def test_a_byline_of_too_many_names_makes_no_pair() -> None:
    longest = [f"a{number}" for number in range(LONGEST_BYLINE)]
    assert count_pairs(frame([longest]), 1).people_count == LONGEST_BYLINE
    assert count_pairs(frame([[*longest, "b"]]), 1).people_count == 0
