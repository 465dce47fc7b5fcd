"""JUnit XML: read by junitparser, a case a rule, red only where a build would stop."""

from io import BytesIO
from typing import Any

import pytest
from junitparser import Failure, JUnitXml, Skipped
from report_cases import HOSTILE, ODD, SOUND, baseline, finding, hostile, results, results_of, rule

from etl.report import render_junit
from etl.report.ci_formats import MOST_OF_A_RULE
from etl.report.results import Results
from etl.report.wording import clipped


def suite_of(results: Results) -> Any:
    (suite,) = JUnitXml.fromroot(JUnitXml.fromstring(render_junit(results).encode())._elem)  # noqa: SLF001
    return suite


def test_every_rule_is_a_case() -> None:
    told = results_of(SOUND, ODD)
    suite = suite_of(told)
    assert suite.tests == len(list(suite)) == len(told.rules)
    assert {case.name.split(" ")[0] for case in suite} == {rule.id for rule in told.rules}


def test_only_a_rule_that_stops_a_build_fails() -> None:
    rules = [rule("A-1", "failed"), rule("A-2"), rule("A-3", "noted"), rule("A-4", "passed"), rule("A-5", "off")]
    suite = suite_of(results(rules, [finding(1, "A-1", severity="error"), finding(2, "A-2")]))
    assert (suite.failures, suite.errors, suite.skipped) == (1, 0, 1)
    kinds = {case.name.split(" ")[0]: [type(result) for result in case.result] for case in suite}
    assert kinds == {"A-1": [Failure], "A-2": [], "A-3": [], "A-4": [], "A-5": [Skipped]}


def test_a_warning_is_told_in_a_case_that_passes() -> None:
    case = next(case for case in suite_of(results_of(ODD)) if case.name.startswith("BLK-003"))
    assert case.is_passed
    assert "p0.txt:9-14: in quarantine: the badge CLFeb 30, 2024 has a date" in case.system_out
    assert "  9 | CLFeb 30, 2024\n  10 | On Bells" in case.system_out


def test_a_failure_tells_rule_place_lines_and_state() -> None:
    told = [finding(1, "A-1", severity="error", state="new")]
    (case,) = suite_of(results([rule("A-1", "failed", why="It matters.")], told, baseline=baseline()))
    (failure,) = case.result
    assert (failure.message, failure.type) == ("1 of 3: It matters.", "error")
    assert failure.text == "1 of 3: It matters.\nann.txt:7 (new): message 1\n  7 | On Bells"


def test_findings_past_the_limit_are_counted() -> None:
    told = [finding(number, "A-1") for number in range(MOST_OF_A_RULE + 2)]
    (case,) = suite_of(results([rule("A-1")], told))
    assert case.system_out.endswith("2 more findings")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text_in_every_place(text: str) -> None:
    cases = list(suite_of(hostile(text)))
    assert [case.classname for case in cases] == [clipped(f"paperledger.{text}")] * 4
    assert all(
        f": {clipped(text)}\n  7 | {clipped(text)}\n" in told for told in (cases[0].result[0].text, cases[1].system_out)
    )


def test_the_file_says_its_encoding() -> None:
    text = render_junit(results([rule("A-1", title="Żółć")], []))
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<testsuites ')
    assert "Żółć" in text
    assert JUnitXml.fromfile(BytesIO(text.encode()))
