"""Formats for CI servers and code hosts: GitHub annotations, JUnit XML, and SARIF 2.1.0 with the raw lines of pages.

In: `Results`. Out: text to print or to write. Where a format has a limit, the most severe findings come first.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import msgspec

from etl.printable import count, inert, visible
from etl.report.results import FindingResult, Results, RuleSummary
from etl.report.wording import by_failure, by_rule, by_urgency, clipped, drift, picked, place, shorten, verdict

MOST_ANNOTATIONS = 9
"""Annotations before one that counts the rest; ten in all, as many as GitHub shows per severity and step."""
_FEW = (MOST_ANNOTATIONS + 1, 3, 1)
"""Findings of a rule that have an annotation each, at most; the next is tried while there are too many annotations."""

_Annotation = tuple[FindingResult, int]
"""A finding, and the number of findings of its rule that the annotation is for."""


def render_annotations(results: Results, paths: Mapping[str, str] | None = None) -> str:
    """The results as GitHub annotations, one a line; `paths` maps a page's source to its file in the repository.

    >>> render_annotations(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]))
    ''
    """
    titles = {rule.id: f"{rule.id} {rule.title}" for rule in results.rules}
    notes = _annotations(by_rule(results.findings, results.rules))
    shown = notes[: shorten(notes, MOST_ANNOTATIONS)]
    commands = [_command(note, titles[note[0].rule_id], paths or {}) for note in shown]
    left = len(results.findings) - sum(findings for _, findings in shown)
    if left:
        commands.append(f"::notice::{count(left, 'more finding')}; the report shows them")
    return "".join(f"{command}\n" for command in commands)


def _annotations(groups: list[list[FindingResult]]) -> list[_Annotation]:
    """An annotation for each finding, or one for all findings of a rule where there would be too many."""
    notes: list[_Annotation] = []
    for few in _FEW:
        notes = [note for group in groups for note in _of_rule(group, few)]
        if len(notes) <= MOST_ANNOTATIONS + 1:
            break
    return notes


def _of_rule(group: list[FindingResult], few: int) -> list[_Annotation]:
    return [(finding, 1) for finding in group] if len(group) <= few else [(group[0], len(group))]


def _command(note: _Annotation, title: str, paths: Mapping[str, str]) -> str:
    finding, findings = note
    source = finding.source
    places = {
        "file": paths.get(source, source) if source is not None else None,
        "line": finding.line_start,
        "endLine": finding.line_end,
        "title": title,
    }
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value is not None)
    message = finding.message if findings == 1 else f"{count(findings, 'finding')}, the first: {finding.message}"
    return f"::{finding.severity} {properties}::{_data(inert(clipped(message)))}"


def _data(text: str) -> str:
    """The escaped message of a command: an unescaped line break would end the command and could start another.

    >>> _data("100 %0A")
    '100 %250A'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(inert(clipped(text))).replace(":", "%3A").replace(",", "%2C")


MOST_OF_A_RULE = 50
"""Findings of a rule that its case shows."""
_OFF = "not looked at: a rules file turns it off"


def render_junit(results: Results) -> str:
    """The results as JUnit XML, a case per rule; text from pages is escaped where XML forbids a character.

    >>> print(render_junit(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[])).splitlines()[1])
    <testsuites name="paperledger" tests="0" failures="0" errors="0" skipped="0">
    """
    broken = defaultdict(list)
    for finding in by_urgency(results.findings):
        broken[finding.rule_id].append(finding)
    failures = sum(_fails(rule, broken[rule.id], results) for rule in results.rules)
    skipped = sum(rule.status == "off" for rule in results.rules)
    totals = {"tests": str(len(results.rules)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    root = ET.Element("testsuites", {"name": results.tool, **totals})
    suite = ET.SubElement(root, "testsuite", {"name": results.tool, **totals})
    _add_properties(suite, results)
    for rule in by_failure(results.rules):
        _add_case(suite, rule, broken[rule.id], fails=_fails(rule, broken[rule.id], results))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="utf-8"?>\n', "\n")
    )


def _add_properties(suite: ET.Element, results: Results) -> None:
    properties = ET.SubElement(suite, "properties")
    facts = {"version": results.version, "verdict": verdict(results), "baseline": drift(results)}
    for name, value in facts.items():
        if value is not None:
            ET.SubElement(properties, "property", {"name": name, "value": clipped(value)})


def _fails(rule: RuleSummary, findings: list[FindingResult], results: Results) -> bool:
    """Whether a rule stops the run: by errors, or by new warnings if `fail_on` is "warning"."""
    by_warning = results.fail_on == "warning" and rule.status == "warned"
    return rule.status == "failed" or (by_warning and any(finding.state != "unchanged" for finding in findings))


def _add_case(suite: ET.Element, rule: RuleSummary, findings: list[FindingResult], *, fails: bool) -> None:
    """Add a rule's case, which fails only if the rule stops the run.

    Warnings are output of a passing case: the pages are published, and "skipped" means that a rule is off.
    """
    name = clipped(f"{rule.id} {rule.title}")
    case = ET.SubElement(suite, "testcase", {"classname": clipped(f"paperledger.{rule.table}"), "name": name})
    if rule.status == "off":
        ET.SubElement(case, "skipped", {"message": _OFF})
    if rule.status in {"passed", "off"}:
        return
    summary = f"{rule.failed:,} of {rule.checked:,}: {clipped(rule.why)}"
    text = "\n".join([summary, *_lines(findings)])
    if fails:
        ET.SubElement(case, "failure", {"message": summary, "type": rule.severity}).text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _lines(findings: list[FindingResult]) -> list[str]:
    lines = []
    for finding in findings[:MOST_OF_A_RULE]:
        state = f" ({finding.state})" if finding.state else ""
        lines.append(f"{clipped(place(finding))}{state}: {clipped(finding.message)}")
        numbers = range(finding.line_start or 1, (finding.line_start or 1) + len(finding.raw))
        lines += [f"  {number} | {clipped(line)}" for number, line in zip(numbers, finding.raw, strict=True)]
    rest = len(findings) - MOST_OF_A_RULE
    return lines if rest <= 0 else [*lines, count(rest, "more finding")]


SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
"""GitHub rejects a file with more results, and shows the first 5,000."""
DATASET = "paperledger.db"
"""The file of a finding that is on no page: GitHub rejects a result without one."""
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "off": "none"}
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")

Json = dict[str, Any]


def render_sarif(results: Results, paths: Mapping[str, str] | None = None) -> str:
    """The results as SARIF 2.1.0; `paths` maps a page's source to its file, relative to the repository.

    >>> '"results": []' in render_sarif(Results(verdict="passed", rows={}, pages=[], rules=[], findings=[]))
    True
    """
    places = {rule.id: number for number, rule in enumerate(results.rules)}
    findings = picked(results.findings, results.rules, MOST_RESULTS)
    run = {
        "tool": {"driver": _driver(results)},
        "automationDetails": {"id": "paperledger/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, places, paths or {}) for finding in findings],
        "properties": _properties(results),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=1).decode() + "\n"


def _driver(results: Results) -> Json:
    return {
        "name": results.tool,
        "version": results.version,
        "rules": [_rule(rule) for rule in results.rules],
    }


def _rule(rule: RuleSummary) -> Json:
    return {
        "id": visible(rule.id),
        "shortDescription": _message(rule.title),
        "fullDescription": _message(rule.why),
        "help": _message(f"{rule.title}. {rule.why}"),
        "defaultConfiguration": {"enabled": rule.severity != "off", "level": _LEVELS[rule.severity]},
        "properties": {"tags": [visible(rule.dimension)], "checked": rule.checked, "failed": rule.failed},
    }


def _result(finding: FindingResult, places: dict[str, int], paths: Mapping[str, str]) -> Json:
    result = {
        "ruleId": visible(finding.rule_id),
        "ruleIndex": places[finding.rule_id],
        "level": finding.severity,
        "message": _message(finding.message),
        "locations": [_location(finding, paths)],
        # GitHub matches results of two runs by the first one only; neither depends on the line number.
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.id}:1", "paperledgerFinding/v1": finding.id},
        "properties": {"table": visible(finding.table), "row": visible(finding.row_key)},
    }
    return result if finding.state is None else {**result, "baselineState": finding.state}


def _location(finding: FindingResult, paths: Mapping[str, str]) -> Json:
    source = DATASET if finding.source is None else paths.get(finding.source, finding.source)
    physical: Json = {"artifactLocation": {"uri": _uri(source)}}
    if finding.line_start is not None:
        physical["region"] = _region(finding, finding.line_start)
    row = {"fullyQualifiedName": visible(f"{finding.table}/{finding.row_key}")}
    return {"physicalLocation": physical, "logicalLocations": [row]}


def _region(finding: FindingResult, start: int) -> Json:
    region: Json = {"startLine": start, "endLine": finding.line_end or start}
    if finding.raw:
        region["snippet"] = {"text": "\n".join(map(clipped, finding.raw))}
    return region


def _uri(path: str) -> str:
    """A path as a URI, colons escaped: they would end a scheme.

    >>> _uri("pages/javascript:a b.txt")
    'pages/javascript%3Aa%20b.txt'
    """
    address = quote(path, safe="/", errors="backslashreplace")
    return f"file://{address}" if address.startswith("/") else address


def _message(text: str) -> Json:
    """A message object, with brackets (links) and numbers in braces (arguments) escaped."""
    escaped = re.sub(r"([\\\[\]])", r"\\\1", clipped(text))
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", escaped)}


def _properties(results: Results) -> Json:
    left_out = max(0, len(results.findings) - MOST_RESULTS)
    facts = {"verdict": results.verdict, "findings": len(results.findings), "leftOut": left_out}
    return facts if results.baseline is None else {**facts, "baseline": visible(results.baseline.source)}
