"""What `paperledger rules` says: every rule is explained, its example breaks it, and its setting can be copied."""

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tables_of

from etl.cli import main
from etl.validate.severity import FIXED, read_thresholds
from schemas import RULES, Frames

GOOD = "CLMay 9, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at noon, and often."
HEADER = "Ann Bell\n\nCL\n2papers\n\n2 Papers"
BADGE = re.compile(r"[A-Za-z]+[A-Z][a-z]{2} [0-9]{1,2}(?:,|\n)")
HEADERS = ["PAG-005", "PAG-006", "PAG-007", "PRO-001", "PRO-002", "PRO-003", "PRO-004", "PRO-005"]
AFTER_A_PAGE = ["PAG-004", "PAG-012"]
PAGES = ["PAG-010", "AUT-008"]
BLOCKS = [rule.id for rule in RULES.values() if BADGE.match(rule.example)]
IN_WORDS = {
    "PAG": ["PAG-001", "PAG-002", "PAG-003", "PAG-009", "PAG-013", "PAG-014", "PAG-015", "PAG-016"],
    "BLK": ["BLK-004"],
    "PAP": ["PAP-004"],
    "AUT": ["AUT-005", "AUT-009"],
    "REF": [rule_id for rule_id in RULES if rule_id.startswith("REF")],
    "TAB": [rule_id for rule_id in RULES if rule_id.startswith("TAB")],
    "DAT": [rule_id for rule_id in RULES if rule_id.startswith("DAT")],
}
"""Rules that lines of one page alone cannot break, or whose example no reader would see."""
SAVED_ON = date(2025, 6, 1)
every_rule = pytest.mark.parametrize("rule_id", RULES)


def rules(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rules", *arguments])


def page(rule_id: str) -> str:
    """A page with the example's lines where they belong."""
    example = RULES[rule_id].example
    if rule_id in PAGES:
        return example
    if rule_id in HEADERS:
        section = "" if "Papers" in example else "\n\n2 Papers"
        return f"{example}{section}\n\n{GOOD}"
    return f"{HEADER}\n\n{GOOD}\n\n{example}"


def failed(tables: Frames) -> dict[str, int]:
    return dict(tables["rules"].select("rule_id", "failed").iter_rows())


def test_every_example_is_tried_or_is_in_words() -> None:
    in_words = [rule_id for family in IN_WORDS.values() for rule_id in family]
    assert sorted([*HEADERS, *AFTER_A_PAGE, *PAGES, *BLOCKS, *in_words]) == sorted(RULES)


def test_the_page_around_the_examples_is_sound() -> None:
    found = failed(tables_of(f"{HEADER}\n\n{GOOD}\n\n{GOOD.replace('On Bells', 'On Ropes')}", observed_on=SAVED_ON))
    assert {rule_id for rule_id, times in found.items() if times} == set()


@pytest.mark.parametrize("rule_id", [*HEADERS, *AFTER_A_PAGE, *PAGES, *BLOCKS])
def test_an_example_breaks_its_rule(rule_id: str) -> None:
    assert failed(tables_of(page(rule_id), observed_on=SAVED_ON))[rule_id] > 0


@every_rule
def test_a_rule_has_an_example_and_advice(rule_id: str) -> None:
    rule = RULES[rule_id]
    assert rule.example.strip()
    assert rule.advice.endswith((".", ".)"))


@every_rule
def test_a_rule_is_explained(rule_id: str) -> None:
    result = rules(rule_id)
    rule = RULES[rule_id]
    words = " ".join(result.stdout.split())
    assert (result.exit_code, result.stderr) == (0, "")
    for text in (rule.id, rule.title, rule.severity, rule.why, rule.advice):
        assert " ".join(text.split()) in words
    assert "\u202e" not in result.stdout


@every_rule
def test_the_setting_that_is_shown_can_be_copied(rule_id: str, tmp_path: Path) -> None:
    lines = [line.strip() for line in rules(rule_id).stdout.splitlines()]
    starts = [number for number, line in enumerate(lines) if line == f"[{rule_id}]"]
    assert len(starts) == (0 if rule_id in FIXED else 2)
    for start in starts:
        end = lines.index("", start) if "" in lines[start:] else len(lines)
        path = tmp_path / "rules.toml"
        path.write_text("\n".join(lines[start:end]), encoding="utf-8")
        assert rule_id in read_thresholds(path).settings


def test_an_id_may_be_written_small() -> None:
    assert rules("pap-002").stdout == rules("PAP-002").stdout


@pytest.mark.parametrize(("found", "hint"), [("PAP-02", "PAP-002"), ("PAG-1", "PAG-0"), ("TEX", None)])
def test_an_id_that_is_none_is_told_with_those_like_it(found: str, hint: str | None) -> None:
    result = rules(found)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"paperledger: {found}: no such rule, expected an id such as PAP-002")
    assert ("did you mean" in result.stderr, str(hint) in result.stderr) == (hint is not None, hint is not None)
