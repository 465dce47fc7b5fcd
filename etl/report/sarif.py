"""SARIF 2.1.0: findings on the raw lines of pages, as code hosts and editors show them.

In: `Results`. Out: the text of a JSON file.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from etl.printable import visible
from etl.report.results import FindingResult, Results, RuleSummary
from etl.report.wording import clipped, picked

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
"""GitHub refuses a file with more, and shows the first 5,000."""
DATASET = "paperledger.db"
"""The place of a finding that is on no page: GitHub refuses a result without a file."""
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "off": "none"}
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")

Json = dict[str, Any]


def render_sarif(results: Results, paths: Mapping[str, str] | None = None) -> str:
    """The results as SARIF; `paths` leads from a page's source to its file, relative to the repository."""
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
        # GitHub knows a result again by the first of them alone; neither changes with the line.
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
    """A path as a URI; a colon in it is no scheme.

    >>> _uri("pages/javascript:a b.txt")
    'pages/javascript%3Aa%20b.txt'
    """
    address = quote(path, safe="/", errors="backslashreplace")
    return f"file://{address}" if address.startswith("/") else address


def _message(text: str) -> Json:
    """A message; brackets would be a link, and a number in braces the place of an argument."""
    escaped = re.sub(r"([\\\[\]])", r"\\\1", clipped(text))
    return {"text": _PLACEHOLDER.sub(r"{{\1}}", escaped)}


def _properties(results: Results) -> Json:
    left_out = max(0, len(results.findings) - MOST_RESULTS)
    facts = {"verdict": results.verdict, "findings": len(results.findings), "leftOut": left_out}
    return facts if results.baseline is None else {**facts, "baseline": visible(results.baseline.source)}
