"""Thresholds: how often a rule may be broken before that stops a build, by a maintainer's file in TOML.

    [PAG-004]
    error_above = 10           # more lines than that in quarantine are an error

    [PAG-001]
    error_above_share = 0.01   # up to one page in a hundred may be unreadable

Without a threshold a rule of severity warning never stops a build, and one of severity error always does.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.toml_file import read_toml
from schemas import RULES, Rule

_KEYS = ("error_above", "error_above_share")
FIXED = ("PAG-002", "PAG-003", "TAB-001", "TAB-002", "TAB-003", "TAB-004")
"""Rules without which the dataset would be wrong: no threshold may allow them to be broken."""


@dataclass(frozen=True)
class Limit:
    """More failures than the count, or than that share of what was looked at, are an error."""

    count: int | None = None
    share: float | None = None

    def is_passed(self, checked: int, failed: int) -> bool:
        """Whether so many failures are past the limit.

        >>> Limit(count=3).is_passed(100, 4), Limit(share=0.1).is_passed(100, 4)
        (True, False)
        """
        past_count = self.count is not None and failed > self.count
        return past_count or (self.share is not None and failed > self.share * checked)


@dataclass(frozen=True)
class Thresholds:
    """The limits of some rules; the others keep their severity's."""

    limits: dict[str, Limit] = field(default_factory=dict)

    def status(self, rule: Rule, checked: int, failed: int) -> str:
        """What so many failures of a rule come to: a value of `rules.status`."""
        if failed == 0:
            return "passed"
        if rule.severity == "info":
            return "noted"
        default = Limit(count=0) if rule.severity == "error" else Limit()
        return "failed" if self.limits.get(rule.id, default).is_passed(checked, failed) else "warned"


def read_thresholds(path: Path | None) -> Thresholds:
    """Read a file of thresholds; without one every rule keeps its severity.

    Raises `UsageError` where the file cannot be read, is no TOML, or names a rule or a key that does not exist.
    """
    if path is None:
        return Thresholds()
    content, _ = read_toml(path, "tables such as [PAG-004] with error_above = 10")
    return Thresholds({rule_id: _limit(path, rule_id, facts) for rule_id, facts in content.items()})


def _limit(path: Path, rule_id: str, facts: Any) -> Limit:
    if rule_id not in RULES:
        raise UsageError(f"{path}: found {rule_id}, expected a rule's id; paperledger rules lists them")
    if rule_id in FIXED or RULES[rule_id].severity == "info":
        raise UsageError(f"{path}: {rule_id} can have no threshold ({RULES[rule_id].severity}: {RULES[rule_id].title})")
    if not isinstance(facts, dict) or not facts or not set(facts) <= set(_KEYS):
        raise UsageError(f"{path}: {rule_id}: found {facts!r}, expected {' or '.join(_KEYS)}")
    count, share = facts.get(_KEYS[0]), facts.get(_KEYS[1])
    if not _is_count(count) or not _is_share(share):
        raise UsageError(f"{path}: {rule_id}: found {facts}, expected a count from 0 and a share from 0 to 1")
    return Limit(count, share)


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _is_share(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1)
