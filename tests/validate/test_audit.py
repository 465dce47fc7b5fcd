"""The audit tables: a page with much in quarantine is told once, and counted in full."""

import polars as pl
import pytest
from report_cases import SOUND, validated

from etl.report.results import summarize
from etl.validate.findings import MOST_RUNS, audit, error_results
from etl.validate.rule_results import FAILED, RuleResult
from etl.validate.severity import FIXED, Thresholds

BAD = "\n\nCLFeb 30, 2024\nOn Bells {0}\n\nAnn Bell\n\nThey ring {0} times every day."


def page(runs: int) -> str:
    return SOUND + "".join(BAD.format(number) for number in range(runs))


@pytest.mark.parametrize("runs", [1, MOST_RUNS])
def test_few_runs_of_lines_in_quarantine_are_told_one_by_one(runs: int) -> None:
    tables = validated(page(runs))
    messages = tables["findings"].filter(pl.col("rule_id") == "BLK-003")["message"].to_list()
    assert [message.startswith("in quarantine: ") for message in messages] == [True] * runs


def test_many_runs_of_one_page_are_told_once_and_counted() -> None:
    results = summarize(validated(page(MOST_RUNS + 1), page(1)))
    found = [finding for finding in results.findings if finding.rule_id == "BLK-003"]
    first, other = sorted(found, key=lambda finding: finding.source or "")
    (reason,) = {first.message.partition(": ")[2], other.message.partition(": ")[2]}
    assert first.message == f"6 runs of lines of this page are in quarantine, the first on line 15: {reason}"
    assert (first.line_start, first.raw[:2]) == (15, ["CLFeb 30, 2024", "On Bells 0"])
    assert first.row_key == f"{first.profile_id},15"
    assert (results.rule("BLK-003").failed, results.rule("BLK-003").status) == (7, "warned")


def test_a_rule_that_looks_for_itself_is_told_though_it_is_an_error() -> None:
    broken = RuleResult(
        "PAG-010", 1, pl.DataFrame([{"row_key": "0", "source": "p0.txt", "message": "HTML"}], schema=FAILED)
    )
    tables = validated(SOUND)
    assert {rule_result.rule_id for rule_result in error_results(tables, (), ())} == set(FIXED)
    told = audit([broken, *error_results(tables, (), ())], Thresholds())
    assert told["findings"].select("rule_id", "source", "message").rows() == [("PAG-010", "p0.txt", "HTML")]
    assert told["rules"].filter(pl.col("rule_id") == "PAG-010")["status"].to_list() == ["failed"]
    allowed = audit([broken], Thresholds(allow_unreadable=True))
    assert allowed["rules"].filter(pl.col("rule_id") == "PAG-010")["severity"].to_list() == ["warning"]
