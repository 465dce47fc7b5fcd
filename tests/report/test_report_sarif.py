"""SARIF: valid against the schema of OASIS, on the raw lines, and known again when lines move."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft7Validator
from report_cases import HOSTILE, ODD, SOUND, baseline, finding, hostile, results, results_of, rule

from etl.report import render_sarif
from etl.report.ci_formats import MOST_RESULTS
from etl.report.results import Results

SCHEMA = Path(__file__).parents[1] / "schemas" / "sarif-2.1.0.json"


@cache
def validator() -> Draft7Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def run_of(results: Results, paths: dict[str, str] | None = None) -> dict[str, Any]:
    log = json.loads(render_sarif(results, paths))
    assert [error.message for error in validator().iter_errors(log)] == []
    (run,) = log["runs"]
    found: dict[str, Any] = run
    return found


def physical(result: dict[str, Any]) -> dict[str, Any]:
    (location,) = result["locations"]
    place: dict[str, Any] = location["physicalLocation"]
    return place


def test_a_finding_points_at_the_raw_lines_of_its_page() -> None:
    result = next(result for result in run_of(results_of(ODD))["results"] if result["ruleId"] == "BLK-003")
    lines = ODD.split("\n")[8:14]
    assert result["level"] == "warning"
    assert physical(result) == {
        "artifactLocation": {"uri": "p0.txt"},
        "region": {"startLine": 9, "endLine": 14, "snippet": {"text": "\n".join(lines)}},
    }


def test_every_rule_helps_and_every_result_leads_to_its_rule() -> None:
    run = run_of(results_of(SOUND, ODD))
    rules = run["tool"]["driver"]["rules"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] and rule["fullDescription"] for rule in rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning", "note"}
    assert run["results"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_a_fingerprint_stays_when_the_line_moves() -> None:
    def prints(start: int) -> Any:
        told = [finding(1, "PAP-001", line_start=start, line_end=start)]
        return run_of(results([rule("PAP-001")], told))["results"][0]["partialFingerprints"]

    assert prints(7) == prints(9)
    assert prints(7) == {"primaryLocationLineHash": f"{1:016x}:1", "paperledgerFinding/v1": f"{1:016x}"}


def test_a_page_that_cannot_be_read_has_a_place_without_lines() -> None:
    told = [finding(1, "PAG-001", severity="error", line_start=None, line_end=None, raw=[], profile_id=None)]
    (result,) = run_of(results([rule("PAG-001", "failed")], told))["results"]
    assert physical(result) == {"artifactLocation": {"uri": "ann.txt"}}


def test_a_finding_on_no_page_has_a_place_all_the_same() -> None:
    told = [finding(1, "TAB-001", source=None, line_start=None, line_end=None, raw=[])]
    (result,) = run_of(results([rule("TAB-001")], told))["results"]
    assert physical(result) == {"artifactLocation": {"uri": "paperledger.db"}}
    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "papers/row1"}]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        pytest.param("pages/ann bell.txt", "pages/ann%20bell.txt", id="space"),
        pytest.param("pages/Żółć#1?.txt", "pages/%C5%BB%C3%B3%C5%82%C4%87%231%3F.txt", id="letters"),
        pytest.param("http://a.txt", "http%3A//a.txt", id="colon"),
        pytest.param("//host/a.txt", "file:////host/a.txt", id="absolute"),
    ],
)
def test_the_place_is_the_pages_file_in_the_repository(path: str, uri: str) -> None:
    told = results([rule("PAP-001")], [finding(1, "PAP-001")])
    (result,) = run_of(told, {"ann.txt": path})["results"]
    assert physical(result)["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_text_in_every_place(text: str) -> None:
    assert all(line.isprintable() for line in render_sarif(hostile(text)).split("\n"))
    for result in run_of(hostile(text))["results"]:
        message = result["message"]["text"]
        assert message.replace("\\[", "").replace("\\]", "").replace("\\\\", "").find("[") == -1
        uri = urlsplit(physical(result)["artifactLocation"]["uri"])
        assert (uri.scheme, uri.netloc, uri.query, uri.fragment) in {("", "", "", ""), ("file", "", "", "")}
        assert unquote(uri.path) or not text


def test_a_message_says_brackets_and_braces_as_they_are() -> None:
    told = [finding(1, "PAP-001", message=r"[a](b) \x {0} {a} $\frac{1}{n}$")]
    (result,) = run_of(results([rule("PAP-001")], told))["results"]
    assert result["message"]["text"] == r"\[a\](b) \\x {{0}} {a} $\\frac{{1}}{n}$"


def test_states_are_told_only_against_a_baseline() -> None:
    states = [finding(1, "PAP-001", state="new"), finding(2, "PAP-001", state="unchanged")]
    run = run_of(results([rule("PAP-001")], states, baseline=baseline()))
    assert [result["baselineState"] for result in run["results"]] == ["new", "unchanged"]
    assert "baselineState" not in run_of(results([rule("PAP-001")], [finding(1, "PAP-001")]))["results"][0]


def test_errors_come_first_and_what_is_left_out_is_counted() -> None:
    told = [finding(number, "PAP-001", raw=[]) for number in range(MOST_RESULTS + 1)]
    told.append(finding(MOST_RESULTS + 1, "PAG-001", severity="error"))
    (run,) = json.loads(render_sarif(results([rule("PAP-001"), rule("PAG-001", "failed")], told)))["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["level"] == "error"
    assert run["properties"] == {"verdict": "failed", "findings": MOST_RESULTS + 2, "leftOut": 2}


def test_results_without_a_finding_are_valid() -> None:
    assert run_of(results_of(SOUND))["results"] == []
