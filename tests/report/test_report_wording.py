"""What all reports say in the same way."""

import pytest
from report_cases import HOSTILE, baseline, finding, results, rule

from etl.printable import visible
from etl.report.results import PageResult
from etl.report.wording import by_failure, by_rule, by_urgency, clipped, drift, judged, picked, place, verdict


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_visible_text_is_one_line_of_characters_that_can_be_seen(text: str) -> None:
    assert visible(text).isprintable()


@pytest.mark.parametrize("text", ["On Bells", "Żółć 鐘 \U0001f514", "10\u00a0km", "a\u3000b", ""])
def test_text_without_hidden_characters_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_clipped_text_is_short(text: str) -> None:
    assert len(clipped(text)) <= 401 * len("U+10FFFF")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"line_end": 9}, "ann.txt:7-9", id="lines"),
        pytest.param({}, "ann.txt:7", id="line"),
        pytest.param({"line_end": None}, "ann.txt:7", id="open"),
        pytest.param({"line_start": None, "line_end": None}, "ann.txt", id="page"),
        pytest.param({"source": None, "line_start": None}, "papers/row1", id="no-page"),
    ],
)
def test_a_place_is_told_as_closely_as_it_is_known(values: dict[str, object], expected: str) -> None:
    assert place(finding(1, "PAP-001", **values)) == expected


def test_new_findings_come_first_and_then_errors() -> None:
    told = [
        finding(1, "PAP-001", state="unchanged"),
        finding(2, "PAP-001", state="unchanged", severity="error"),
        finding(3, "PAP-001", state="new"),
        finding(4, "PAP-001", state="new", severity="error"),
    ]
    assert [finding.row_key for finding in by_urgency(told)] == ["row4", "row3", "row2", "row1"]


def test_rules_that_failed_come_first_and_then_those_that_most_rows_broke() -> None:
    rules = [
        rule("A-1", "passed"),
        rule("A-2", "noted", failed=9),
        rule("A-3"),
        rule("A-4", failed=2),
        rule("A-5", "failed"),
    ]
    assert [rule.id for rule in by_failure(rules)] == ["A-5", "A-4", "A-3", "A-2", "A-1"]


PAGES = [
    PageResult(
        profile_id="1",
        source="ann.txt",
        name=None,
        observed_on=None,
        stated_papers=1,
        listed_papers=1,
        lines=9,
        quarantined_lines=0,
    )
]
RULES = [rule("A-1", failed=9), rule("A-2", failed=2), rule("B-1", "failed", failed=2)]
FINDINGS = [
    *(finding(number, "A-1") for number in range(9)),
    *(finding(number, "A-2") for number in range(10, 12)),
    *(finding(number, "B-1", severity="error") for number in range(20, 22)),
]


def test_findings_come_rule_by_rule_the_gravest_first() -> None:
    groups = by_rule(FINDINGS, RULES)
    assert [(group[0].rule_id, len(group)) for group in groups] == [("B-1", 2), ("A-1", 9), ("A-2", 2)]


@pytest.mark.parametrize(
    ("most", "warnings", "expected"),
    [
        pytest.param(20, None, [20, 21, *range(9), 10, 11], id="all"),
        pytest.param(1, None, [20], id="error"),
        pytest.param(4, None, [20, 21, 0, 10], id="first-of-each"),
        pytest.param(20, 1, [20, 21, 0, 10], id="errors-are-not-held-back"),
    ],
)
def test_no_error_and_no_rule_hides_behind_a_rule_with_many_findings(
    most: int, warnings: int | None, expected: list[int]
) -> None:
    shown = picked(FINDINGS, RULES, most, warnings)
    assert [finding.row_key for finding in shown] == [f"row{number}" for number in expected]


def test_the_verdict_is_a_sentence() -> None:
    warned, failed = rule("PAP-001"), rule("PAG-001", "failed")
    errors = [finding(1, "PAG-001", severity="error"), finding(2, "PAP-001")]
    assert verdict(results([], [])) == "Passed, without a finding."
    assert verdict(results([warned], errors[1:])) == "No error, but 1 warning."
    assert verdict(results([warned, failed], errors)) == "Failed, with 1 error and 1 warning."


def test_a_verdict_says_what_stopped_the_run() -> None:
    warning, error = finding(2, "PAP-001"), finding(1, "PAG-001", severity="error")
    words = ", and warnings stop this run (--fail-on warning)."
    assert verdict(judged(results([], [warning], pages=PAGES), "warning")) == f"Failed, with 1 warning{words}"
    assert verdict(judged(results([], [warning, error], pages=PAGES), "warning")) == (
        f"Failed, with 1 error and 1 warning{words}"
    )
    assert verdict(judged(results([], [warning], pages=PAGES), "error")) == "No error, but 1 warning."
    assert verdict(judged(results([], [], pages=PAGES), "warning")) == "Passed, without a finding."
    assert verdict(judged(results([], [warning]), "error")) == "Failed, since none of the files could be read."


def test_the_drift_is_told_only_against_a_baseline() -> None:
    assert drift(results([], [])) is None
    assert drift(results([], [], baseline=baseline(new=2))) == "Against the baseline 2 new, 1 unchanged, 1 gone."
