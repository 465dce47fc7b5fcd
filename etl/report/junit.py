"""JUnit XML: a test case for each rule, as CI servers show them.

In: `Results`. Out: the text of an XML file.
"""

from collections import defaultdict
from xml.etree import ElementTree as ET

from etl.printable import count
from etl.report.results import FindingResult, Results, RuleSummary
from etl.report.wording import by_failure, by_urgency, clipped, drift, place, verdict

SHOWN = 50
"""Findings that a rule shows."""
OFF = "not looked at: a rules file turns it off"


def render_junit(results: Results) -> str:
    """The results as JUnit XML; text from pages holds no character that XML forbids."""
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
    """Whether a rule stops the run: by errors, or by new warnings where those shall."""
    by_warning = results.fail_on == "warning" and rule.status == "warned"
    return rule.status == "failed" or (by_warning and any(finding.state != "unchanged" for finding in findings))


def _add_case(suite: ET.Element, rule: RuleSummary, findings: list[FindingResult], *, fails: bool) -> None:
    """A rule's case; only a rule that stops a build fails.

    A warning is output of a case that passes: a failure would turn a CI server red for pages that are published
    anyway, and "skipped" would say that nobody looked, which is true of a rule that is off.
    """
    name = clipped(f"{rule.id} {rule.title}")
    case = ET.SubElement(suite, "testcase", {"classname": clipped(f"paperledger.{rule.table}"), "name": name})
    if rule.status == "off":
        ET.SubElement(case, "skipped", {"message": OFF})
    if rule.status in {"passed", "off"}:
        return
    summary = f"{rule.failed:,} of {rule.checked:,}: {clipped(rule.why)}"
    text = "\n".join([summary, *_told(findings)])
    if fails:
        ET.SubElement(case, "failure", {"message": summary, "type": rule.severity}).text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _told(findings: list[FindingResult]) -> list[str]:
    told = []
    for finding in findings[:SHOWN]:
        state = f" ({finding.state})" if finding.state else ""
        told.append(f"{clipped(place(finding))}{state}: {clipped(finding.message)}")
        numbers = range(finding.line_start or 1, (finding.line_start or 1) + len(finding.raw))
        told += [f"  {number} | {clipped(line)}" for number, line in zip(numbers, finding.raw, strict=True)]
    rest = len(findings) - SHOWN
    return told if rest <= 0 else [*told, count(rest, "more finding")]
