"""The registry of rules: well-formed, and about tables and columns that there are."""

import pytest

from schemas import RULES, TABLES, Blocks, Rule
from schemas.rules import DIMENSIONS, SEVERITIES
from schemas.table import Table

WHOLE_DATASET = ("tables", "dataset")
BY_SEVERITY = {
    "error": [
        "PAG-001",
        "PAG-002",
        "PAG-003",
        "PAG-010",
        "TAB-001",
        "TAB-002",
        "TAB-003",
        "TAB-004",
        "DAT-001",
        "DAT-002",
    ],
    "info": ["PAG-015", "PAG-016", "PAP-003", "PAP-005", "AUT-001", "AUT-002", "AUT-007"],
}
RETIRED = ["PAP-007"]
"""Identifiers of rules that are no more; none is used again."""
FAMILIES = ["PAG", "PRO", "BLK", "PAP", "AUT", "LNK", "REF", "TAB", "DAT"]
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def test_severities_and_dimensions_are_the_designs() -> None:
    assert SEVERITIES == ("error", "warning", "info")
    assert DIMENSIONS == ("accuracy", "completeness", "consistency", "timeliness", "uniqueness", "validity")


def test_identifiers_are_unique_and_counted_within_their_family() -> None:
    # A rule that stands twice would vanish from the dictionary and leave a gap in the count.
    expected = [
        f"{family}-{number:03}"
        for family in FAMILIES
        for number in range(1, 1 + sum(rule_id.startswith(family) for rule_id in [*RULES, *RETIRED]))
        if f"{family}-{number:03}" not in RETIRED
    ]
    assert list(RULES) == expected
    assert [rule.id for rule in RULES.values()] == expected


@pytest.mark.parametrize("severity", BY_SEVERITY)
def test_the_severities_that_stop_a_build_or_tell_nothing_are_known(severity: str) -> None:
    assert [rule.id for rule in RULES.values() if rule.severity == severity] == BY_SEVERITY[severity]


@every_rule
def test_a_rule_is_about_a_table_and_column_that_there_are(rule: Rule) -> None:
    if rule.table in WHOLE_DATASET:
        assert rule.column is None
    else:
        assert rule.column is None or rule.column in TABLES[rule.table].definition().schema


@every_rule
def test_a_rule_has_a_valid_severity_and_dimension(rule: Rule) -> None:
    assert rule.severity in SEVERITIES
    assert rule.dimension in DIMENSIONS


@every_rule
def test_a_rule_says_what_must_hold_and_what_goes_wrong_otherwise(rule: Rule) -> None:
    assert not rule.title.endswith(".")
    assert rule.why.rstrip(")").endswith(".")


def test_no_two_rules_say_the_same() -> None:
    assert len({rule.title for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("model", [Blocks, *TABLES.values()], ids=lambda model: model.definition().name)
def test_the_rules_that_columns_name_are_registered(model: type[Table]) -> None:
    assert {column.rule for column in model.definition().columns} - {None} <= set(RULES)


def test_every_rule_about_blocks_is_named_by_a_column_that_has_a_check() -> None:
    named = [column.rule for column in Blocks.definition().columns if column.rule and column.checks]
    # BLK-005 looks at blocks together with the lines around them, so the grammar decides it.
    assert [*sorted(set(named)), "BLK-005"] == [rule_id for rule_id in RULES if rule_id.startswith("BLK")]
