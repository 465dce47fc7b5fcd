"""Thresholds move a rule between warning and error, and a file of them that cannot be meant is told."""

from pathlib import Path

import pytest

from etl.errors import Exit, UsageError
from etl.validate.thresholds import FIXED, Limit, Thresholds, read_thresholds
from schemas import RULES

STRAYS, UNREADABLE, FACT = RULES["PAG-004"], RULES["PAG-001"], RULES["PAP-003"]


@pytest.mark.parametrize(
    ("rule_id", "limit", "failed", "status"),
    [
        pytest.param("PAG-004", None, 0, "passed", id="none"),
        pytest.param("PAG-004", None, 100, "warned", id="warning"),
        pytest.param("PAG-001", None, 1, "failed", id="error"),
        pytest.param("PAP-003", None, 100, "noted", id="info"),
        pytest.param("PAG-004", Limit(count=3), 3, "warned", id="count-kept"),
        pytest.param("PAG-004", Limit(count=3), 4, "failed", id="count-passed"),
        pytest.param("PAG-001", Limit(count=1), 1, "warned", id="error-allowed"),
        pytest.param("PAG-004", Limit(share=0.05), 5, "warned", id="share-kept"),
        pytest.param("PAG-004", Limit(share=0.05), 6, "failed", id="share-passed"),
        pytest.param("PAG-004", Limit(count=50, share=0.05), 6, "failed", id="the-stricter"),
    ],
)
def test_a_threshold_moves_a_rule_between_warning_and_error(
    rule_id: str, limit: Limit | None, failed: int, status: str
) -> None:
    thresholds = Thresholds({rule_id: limit} if limit else {})
    assert thresholds.status(RULES[rule_id], 100, failed) == status


def test_a_file_of_thresholds_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("[PAG-004]\nerror_above = 10\n[PAG-001]\nerror_above_share = 0.01\n", encoding="utf-8")
    assert read_thresholds(path) == Thresholds({"PAG-004": Limit(10), "PAG-001": Limit(None, 0.01)})
    assert read_thresholds(None) == Thresholds()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[PAG-004", "not TOML", id="no-toml"),
        pytest.param("[PAG-999]\nerror_above = 1", "found PAG-999, expected a rule's id", id="no-rule"),
        pytest.param("[TAB-002]\nerror_above = 1", "TAB-002 can have no threshold", id="fixed"),
        pytest.param("[PAP-003]\nerror_above = 1", "PAP-003 can have no threshold", id="info"),
        pytest.param("[PAG-004]\nmax = 1", "found {'max': 1}, expected error_above or error_above_share", id="key"),
        pytest.param("[PAG-004]", "found {}, expected", id="nothing"),
        pytest.param("PAG-004 = 3", "found 3, expected", id="no-table"),
        pytest.param("[PAG-004]\nerror_above = -1", "expected a count from 0", id="negative"),
        pytest.param("[PAG-004]\nerror_above = true", "expected a count from 0", id="boolean"),
        pytest.param("[PAG-004]\nerror_above_share = 2", "a share from 0 to 1", id="share"),
    ],
)
def test_thresholds_that_cannot_be_meant_are_told(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_thresholds(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)
    assert caught.value.exit_code == Exit.USAGE


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_thresholds(tmp_path / "none.toml")


def test_the_rules_that_no_threshold_allows_are_errors() -> None:
    assert {RULES[rule_id].severity for rule_id in FIXED} == {"error"}
