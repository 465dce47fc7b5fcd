"""Annotations: read as GitHub's runner reads them, ten at most, and no page can give a command."""

import re

import pytest
from report_cases import HOSTILE, ODD, baseline, finding, hostile, results, results_of, rule

from etl.printable import inert
from etl.report import render_annotations
from etl.report.results import Results
from etl.report.wording import clipped

COMMAND = re.compile(r"::(error|warning|notice)(?: ([^:]*))?::(.*)")


def plain(text: str) -> str:
    """Text without its escapes, as the runner takes them off."""
    for escaped, character in {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}.items():
        text = text.replace(escaped, character)
    return text


def commands(results: Results, paths: dict[str, str] | None = None) -> list[tuple[str, dict[str, str], str]]:
    """Each line as a command: its name, its properties and its message."""
    read = []
    for line in render_annotations(results, paths).splitlines():
        command = COMMAND.fullmatch(line)
        assert command, line
        name, properties, message = command.groups()
        pairs = (pair.partition("=") for pair in (properties or "").split(",") if pair)
        read.append((name, {key: plain(value) for key, _, value in pairs}, plain(message)))
    return read


def test_an_annotation_stands_on_the_lines_of_its_page() -> None:
    found = [command for command in commands(results_of(ODD)) if command[1]["title"].startswith("BLK-003")]
    title = "BLK-003 A badge's date exists"
    message = "in quarantine: the badge CLFeb 30, 2024 has a date that does not exist"
    assert found == [("warning", {"file": "p0.txt", "line": "9", "endLine": "14", "title": title}, message)]


def test_the_file_is_the_pages_file_in_the_repository() -> None:
    told = results([rule("PAP-001")], [finding(1, "PAP-001")])
    assert commands(told, {"ann.txt": "pages/a,b: 100%.txt"})[0][1]["file"] == "pages/a,b: 100%.txt"


def test_a_finding_without_a_page_or_a_line_is_told_without_them() -> None:
    nowhere = {"line_start": None, "line_end": None, "raw": []}
    told = [finding(1, "A-1", severity="error", **nowhere), finding(2, "A-1", source=None, **nowhere)]
    found = commands(results([rule("A-1")], told))
    assert [list(properties) for _, properties, _ in found] == [["file", "title"], ["title"]]
    assert [name for name, _, _ in found] == ["error", "warning"]


@pytest.mark.parametrize("findings", [0, 1, 9, 10])
def test_few_findings_are_annotated_one_by_one(findings: int) -> None:
    found = commands(results([rule("A-1")], [finding(number, "A-1") for number in range(findings)]))
    assert [message for _, _, message in found] == [f"message {number}" for number in range(findings)]


def test_a_rule_with_many_findings_has_one_annotation_that_says_how_many() -> None:
    told = [finding(number, "A-1") for number in range(12)] + [finding(20, "A-2"), finding(21, "A-2")]
    found = commands(results([rule("A-1", failed=12), rule("A-2", failed=2)], told))
    assert [message for _, _, message in found] == ["12 findings, the first: message 0", "message 20", "message 21"]


def test_an_error_comes_before_rules_with_many_warnings() -> None:
    rules = [rule(f"A-{number}", failed=9) for number in range(12)] + [rule("B-1", "failed")]
    told = [finding(number, f"A-{number % 12}") for number in range(108)] + [finding(200, "B-1", severity="error")]
    found = commands(results(rules, told))
    assert (len(found), found[0][0], found[0][2]) == (10, "error", "message 200")
    assert found[-1] == ("notice", {}, "36 more findings; the report shows them")


def test_new_findings_come_first_and_then_errors() -> None:
    told = [finding(number, "A-1", state="unchanged", severity="error") for number in range(8)]
    told += [finding(9, "A-2", state="new"), finding(10, "A-1", state="new", severity="error")]
    found = commands(results([rule("A-1", "failed"), rule("A-2")], told, baseline=baseline()))
    assert [message for _, _, message in found][:3] == ["message 10", "message 9", "message 0"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_one_command_and_says_what_the_page_says(text: str) -> None:
    found = commands(hostile(text))
    assert [(name, message) for name, _, message in found] == [
        ("error", inert(clipped(text))),
        ("warning", inert(clipped(text))),
    ]
    assert [properties["file"] for _, properties, _ in found] == [inert(clipped(text))] * 2
    assert [list(properties) for _, properties, _ in found] == [["file", "line", "endLine", "title"]] * 2
