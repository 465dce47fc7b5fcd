"""A rules file sets how grave it is when a rule is broken; what cannot be meant, or would allow a wrong dataset, is told."""

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from report_cases import ODD, SOUND, validated

from etl.errors import Exit, PageError, UsageError
from etl.report import render_annotations, render_html, render_junit, render_markdown, render_sarif
from etl.report.baseline import compare_with_baseline
from etl.report.results import Results, summarize
from etl.validate.severity import FIXED, UNREADABLE, Limit, Setting, Thresholds, read_thresholds
from schemas import RULES

LIMITS = [
    # rule, the file's lines under it, failures of 100, what they come to
    ("PAG-004", "", 0, "passed"),
    ("PAG-004", "", 100, "warned"),
    ("PAG-010", "", 1, "failed"),
    ("PAP-003", "", 100, "noted"),
    ("PAG-004", "error_above = 3", 3, "warned"),
    ("PAG-004", "error_above = 3", 4, "failed"),
    ("PAG-010", "error_above = 1", 1, "warned"),
    ("PAG-010", "error_above = 1", 2, "failed"),
    ("PAG-004", "error_above = 0.05", 5, "warned"),
    ("PAG-004", "error_above = 0.05", 6, "failed"),
    ("PAG-004", "error_above = 0.29", 29, "warned"),
    ("PAG-004", 'error_above = "5%"', 5, "warned"),
    ("PAG-004", 'error_above = "5.5 %"', 6, "failed"),
    ("PAG-004", 'error_above = "100%"', 100, "warned"),
    ("PAG-004", "error_above = 0.0", 1, "failed"),
    ("PAG-004", "error_above_share = 0.05", 6, "failed"),
    ("PAG-004", "error_above_share = 1", 100, "warned"),
    ("PAG-004", "error_above = 50\nerror_above_share = 0.05", 6, "failed"),
    ("PAG-004", "error_above = 3\nerror_above_share = 0.05", 4, "failed"),
    ("PAG-004", "warn_above = 3", 3, "noted"),
    ("PAG-004", "warn_above = 3", 4, "warned"),
    ("PAG-004", "warn_above = 0.1", 10, "noted"),
    ("PAG-004", "warn_above = 3\nerror_above = 5", 5, "warned"),
    ("PAG-004", "warn_above = 3\nerror_above = 5", 6, "failed"),
    ("PAG-004", 'warn_above = 10\nerror_above = "5%"', 7, "failed"),
    ("PAG-010", "warn_above = 3", 3, "noted"),
    ("PAG-010", "warn_above = 3", 4, "failed"),
    ("PAG-010", "warn_above = 1\nerror_above = 3", 2, "warned"),
    ("PAG-004", 'severity = "off"', 100, "off"),
    ("PAG-004", 'severity = "off"', 0, "off"),
    ("PAG-004", 'severity = "info"', 100, "noted"),
    ("PAG-004", 'severity = "error"', 1, "failed"),
    ("PAG-004", 'severity = "error"\nerror_above = 2', 2, "warned"),
    ("PAG-004", 'severity = "error"\nwarn_above = 2', 2, "noted"),
    ("PAG-010", 'severity = "warning"', 100, "warned"),
    ("PAP-003", 'severity = "warning"', 1, "warned"),
    ("PAP-003", "warn_above = 10", 10, "noted"),
    ("PAP-003", "warn_above = 10", 11, "warned"),
    ("PAP-003", "error_above = 10", 10, "noted"),
    ("PAP-003", "error_above = 10", 11, "failed"),
]
MISTAKES = {
    "[PAG-004": "not TOML",
    "[PAG-999]\nerror_above = 1": 'found "PAG-999", expected a rule\'s id (did you mean ',
    "[rules]\nerror_above = 1": 'found "rules", expected a rule\'s id; paperledger rules lists them',
    "[pag-004]\nerror_above = 1": 'found "pag-004", expected a rule\'s id (did you mean PAG-004',
    "[PAG-004]\nmax = 1": '[PAG-004]: found "max", expected severity, warn_above or error_above',
    "[PAG-004]\nwarn_abov = 1": "(did you mean warn_above?)",
    "[PAG-004]": "[PAG-004]: found nothing, expected severity, warn_above or error_above under it",
    "PAG-004 = 3": "[PAG-004]: found 3, expected severity, warn_above or error_above under it",
    "[PAG-004]\nerror_above = -1": "[PAG-004] error_above: found -1, expected a whole number from 0 (a count)",
    "[PAG-004]\nerror_above = true": "[PAG-004] error_above: found true, expected a whole number",
    "[PAG-004]\nerror_above = 5.0": "[PAG-004] error_above: found 5.0, expected a whole number",
    "[PAG-004]\nerror_above = nan": "[PAG-004] error_above: found NaN, expected a whole number",
    "[PAG-004]\nerror_above = -inf": "[PAG-004] error_above: found -Infinity, expected a whole number",
    '[PAG-004]\nwarn_above = "5"': '[PAG-004] warn_above: found "5", expected a whole number',
    '[PAG-004]\nwarn_above = "101%"': '[PAG-004] warn_above: found "101%", expected a whole number',
    "[PAG-004]\nwarn_above = [1]": "[PAG-004] warn_above: found [1], expected a whole number",
    "[PAG-004]\nwarn_above = 2026-01-01": '[PAG-004] warn_above: found "2026-01-01", expected a whole number',
    "[PAG-004]\nerror_above_share = 2": "[PAG-004] error_above_share: found 2, expected a share from 0 to 1",
    "[PAG-004]\nerror_above = 0.1\nerror_above_share = 0.1": "[PAG-004] error_above_share: found 0.1, expected one share only",
    '[PAG-004]\nseverity = "fatal"': '[PAG-004] severity: found "fatal", expected "off", "info", "warning" or "error"',
    "[PAG-004]\nseverity = 1": '[PAG-004] severity: found 1, expected "off"',
    '[PAG-004]\nseverity = "off"\nwarn_above = 1': '[PAG-004] warn_above: found 1, expected nothing else beside severity = "off"',
    "[PAG-004]\nwarn_above = 5\nerror_above = 3": "[PAG-004] warn_above: found 5, expected at most the 3 above which",
    '[TAB-002]\nseverity = "off"': '[TAB-002] severity: found "off", expected no setting: this rule cannot be lowered',
    "[PAG-001]\nerror_above = 1": "[PAG-001] error_above: found 1, expected no setting",
    "[PAG-001]\nerror_above_share = 0.01": "--allow-unreadable",
    "[PAG-003]\nwarn_above = 1": "[PAG-003] warn_above: found 1, expected no setting",
    '["a\\nb"]\nwarn_above = 1': 'found "a\\nb", expected a rule\'s id',
}


def setting_of(tmp_path: Path, rule_id: str, lines: str) -> Thresholds:
    path = tmp_path / "rules.toml"
    path.write_text(f"[{rule_id}]\n{lines}\n" if lines else "", encoding="utf-8")
    return read_thresholds(path)


@pytest.mark.parametrize(("rule_id", "lines", "failed", "status"), LIMITS)
def test_a_rules_file_sets_what_failures_come_to(
    tmp_path: Path, rule_id: str, lines: str, failed: int, status: str
) -> None:
    assert setting_of(tmp_path, rule_id, lines).status(RULES[rule_id], 100, failed) == status


def test_a_rules_file_is_read(tmp_path: Path) -> None:
    expected = Setting("info", Limit(count=2), Limit(10, Fraction(1, 20)))
    lines = 'severity = "info"\nwarn_above = 2\nerror_above = 10\nerror_above_share = 0.05'
    assert setting_of(tmp_path, "PAG-004", lines) == Thresholds({"PAG-004": expected})
    assert read_thresholds(None) == Thresholds()


@pytest.mark.parametrize(("text", "problem"), MISTAKES.items())
def test_a_mistake_in_a_rules_file_is_one_line_that_says_where_and_what(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_thresholds(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == Exit.USAGE


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_thresholds(tmp_path / "none.toml")


def test_the_rules_that_cannot_be_lowered_are_errors_and_may_be_set_to_what_they_are(tmp_path: Path) -> None:
    assert {RULES[rule_id].severity for rule_id in (*FIXED, *UNREADABLE)} == {"error"}
    assert [rule for rule in RULES if rule.startswith("TAB")] == [rule for rule in FIXED if rule.startswith("TAB")]
    for rule_id in FIXED:
        setting = setting_of(tmp_path, rule_id, 'severity = "error"\nwarn_above = 0\nerror_above = "0%"')
        assert setting.status(RULES[rule_id], 100, 1) == "failed"


def results_under(tmp_path: Path, lines: str, *texts: str) -> Results:
    return summarize(validated(*texts, thresholds=setting_of(tmp_path, "BLK-003", lines)))


@pytest.mark.parametrize(
    ("lines", "severity", "status"),
    [
        ("", "warning", "warned"),
        ("error_above = 0", "error", "failed"),
        ('severity = "error"', "error", "failed"),
        ('severity = "error"\nerror_above = 1', "warning", "warned"),
        ("warn_above = 1", "info", "noted"),
        ('severity = "info"', "info", "noted"),
        ('severity = "off"', "off", "off"),
    ],
)
def test_the_severity_in_force_is_the_same_everywhere(tmp_path: Path, lines: str, severity: str, status: str) -> None:
    results = results_under(tmp_path, lines, SOUND, ODD)
    rule = results.rule("BLK-003")
    assert (rule.severity, rule.status, rule.failed) == (severity, status, int(status != "off"))
    told = [finding.severity for finding in results.findings if finding.rule_id == "BLK-003"]
    assert told == [severity] * (severity in {"warning", "error"})
    assert (results.verdict == "failed") == (severity == "error")
    annotations = [line for line in render_annotations(results).splitlines() if "BLK-003" in line]
    assert [line.split(" ")[0] for line in annotations] == [f"::{word}" for word in told]
    assert f"- {severity} `BLK-003`" in render_markdown(results) or not told
    assert ("<failure" in render_junit(results)) == (severity == "error")
    assert (f'class="tag {status}"' in render_html(results)) or not told
    level = {"info": "note", "off": "none"}.get(severity, severity)
    assert f'"level": "{level}"' in render_sarif(results)


def test_a_rule_that_is_off_is_told_as_off_and_looks_at_nothing(tmp_path: Path) -> None:
    results = results_under(tmp_path, 'severity = "off"', SOUND, ODD)
    assert (results.rule("BLK-003").checked, results.rule("BLK-003").failed) == (0, 0)
    assert "Not looked at, since a rules file turns them off: `BLK-003`." in render_markdown(results)
    assert "Rules that a rules file turns off" in render_html(results)
    assert "skipped" in render_junit(results)


def test_a_rule_that_is_off_is_off_against_a_baseline(tmp_path: Path) -> None:
    before, now = results_under(tmp_path, "", SOUND, ODD), results_under(tmp_path, 'severity = "off"', SOUND, ODD)
    held = compare_with_baseline(now, before, "before", Thresholds())
    assert held.baseline is not None
    assert (held.baseline.new, held.baseline.gone) == (0, 0)


def test_pages_that_cannot_be_read_are_warnings_where_that_is_allowed() -> None:
    unreadable = [PageError("bad.txt", "empty file, expected a saved page; save the page again")]
    for allowed, severity, status in ((False, "error", "failed"), (True, "warning", "warned")):
        tables = validated(SOUND, unreadable=unreadable, allow_unreadable=allowed)
        (rule,) = tables["rules"].filter(pl.col("rule_id") == "PAG-001").iter_rows(named=True)
        assert (rule["severity"], rule["status"]) == (severity, status)
        assert [finding.severity for finding in summarize(tables).findings] == [severity]
