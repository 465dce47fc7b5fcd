"""The rules file, a maintainer's TOML: the severity of each rule, and how many failures it allows.

    [PAP-011]
    severity = "off"     # not checked; or info (only counted), warning, error

    [PAG-004]
    warn_above = 10      # up to 10 are only counted, more are warnings
    error_above = "5%"   # more than one in twenty of the checked rows are an error

A whole number is a count; a number below 1, or a text such as "5%", is a share of the checked rows.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.printable import command, either, near
from etl.toml_file import TomlMistake, read_toml, shown, unexpected
from schemas import RULES, Rule
from schemas.rules import LEVELS, SEVERITY_OF, Level, Status

UNREADABLE_RULE = "PAG-001"
"""The rule about files that cannot be read, which have no row in `profiles`."""
FIXED = (UNREADABLE_RULE, "PAG-002", "PAG-003", "TAB-001", "TAB-002", "TAB-003", "TAB-004")
"""Rules without which the dataset would be wrong or would lack a page: no rules file can lower them."""
UNREADABLE = (UNREADABLE_RULE, "PAG-010")
"""Rules about pages of which nothing could be read: `allow_unreadable` makes warnings of them, and no baseline excuses them."""
_KEYS = ("severity", "warn_above", "error_above")
_OLD_SHARE = "error_above_share"
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_AMOUNT = 'a whole number from 0 (a count), a number below 1 such as 0.05, or a text such as "5%" (shares)'


@dataclass(frozen=True)
class Limit:
    """A number of failures that is allowed: a count, or a share of the checked rows."""

    count: int | None = None
    share: Fraction | float | None = None

    def is_passed(self, checked: int, failed: int) -> bool:
        """Whether so many failures are past the limit.

        >>> Limit(count=3).is_passed(100, 4), Limit(share=0.1).is_passed(100, 4), Limit(share=0.29).is_passed(100, 29)
        (True, False, False)
        """
        past_count = self.count is not None and failed > self.count
        # By its decimal digits: as binary floats 0.29 of 100 is less than 29.
        return past_count or (self.share is not None and failed > Fraction(str(self.share)) * checked)


NONE, ANY = Limit(count=0), Limit()
"""The limit that the first failure passes, and the one that none does."""


@dataclass(frozen=True)
class Setting:
    """The severity and limits of one rule, from a rules file or the registry."""

    severity: Level
    warn_above: Limit | None = None
    error_above: Limit | None = None

    def status(self, checked: int, failed: int, warn_default: Limit = NONE, error_default: Limit = NONE) -> Status:
        """The status of so many failures; the defaults apply where the severity needs a limit and none is set.

        >>> setting = Setting("warning", warn_above=Limit(count=3), error_above=Limit(share=0.1))
        >>> [setting.status(100, failed) for failed in (0, 3, 4, 11)]
        ['passed', 'noted', 'warned', 'failed']
        """
        if self.severity == "off":
            return "off"
        if failed <= 0:
            return "passed"
        by_default = (self.warn_above or error_default) if self.severity == "error" else ANY
        if (self.error_above or by_default).is_passed(checked, failed):
            return "failed"
        warn_above = self.warn_above or (ANY if self.severity == "info" else warn_default)
        return "warned" if warn_above.is_passed(checked, failed) else "noted"


@dataclass(frozen=True)
class Thresholds:
    """The settings of some rules; the others have the registry's severity."""

    settings: dict[str, Setting] = field(default_factory=dict)
    allow_unreadable: bool = False

    def of(self, rule: Rule) -> Setting:
        """The setting of a rule."""
        return self.settings.get(rule.id, Setting(rule.severity))

    def status(self, rule: Rule, checked: int, failed: int) -> Status:
        """The status of so many failures of a rule: a value of `rules.status`."""
        status = self.of(rule).status(checked, failed)
        return "warned" if status == "failed" and self.allow_unreadable and rule.id in UNREADABLE else status

    def level(self, rule: Rule, status: Status) -> Level:
        """The severity in force by a rule's status; for one that nothing broke, the one that is set."""
        return SEVERITY_OF.get(status) or self.of(rule).severity


def read_thresholds(path: Path | None) -> Thresholds:
    """Read a rules file; without one every rule has the registry's severity.

    Raises `UsageError` where the file cannot be read, is no TOML, names a rule, key or value that does not exist, or
    lowers a rule that cannot be lowered.
    """
    if path is None:
        return Thresholds()
    content, _ = read_toml(path, "tables such as [PAG-004] with error_above = 10")
    try:
        return Thresholds({rule_id: _setting(rule_id, facts) for rule_id, facts in content.items()})
    except TomlMistake as mistake:
        raise UsageError(f"{path}: {mistake}") from mistake


def _setting(rule_id: str, facts: Any) -> Setting:
    if rule_id not in RULES:
        raise TomlMistake(
            f"found {shown(rule_id)}, expected a rule's id{near(rule_id, RULES, most=3)}; {command('rules')} lists them"
        )
    if not isinstance(facts, dict) or not facts:
        found = shown(facts) if facts != {} else "nothing"
        raise TomlMistake(f"[{rule_id}]: found {found}, expected {either(_KEYS)} under it")
    for key in facts:
        if key not in {*_KEYS, _OLD_SHARE}:
            raise TomlMistake(f"[{rule_id}]: found {shown(key)}, expected {either(_KEYS)}{near(key, _KEYS)}")
    setting = Setting(_severity(rule_id, facts), _amount(rule_id, "warn_above", facts), _error_above(rule_id, facts))
    _require_sense(rule_id, facts, setting)
    return setting


def _severity(rule_id: str, facts: dict[str, Any]) -> Level:
    found = facts.get("severity", RULES[rule_id].severity)
    for level in LEVELS:
        if found == level:
            return level
    raise unexpected(f"[{rule_id}] severity", found, either([f'"{level}"' for level in LEVELS]))


def _error_above(rule_id: str, facts: dict[str, Any]) -> Limit | None:
    limit, old = _amount(rule_id, "error_above", facts), facts.get(_OLD_SHARE)
    if old is None:
        return limit
    share = Fraction(str(old)) if _is_number(old) and 0 <= old <= 1 else _percent(old)
    if share is None:
        raise unexpected(f"[{rule_id}] {_OLD_SHARE}", old, "a share from 0 to 1")
    if limit and limit.share is not None:
        raise unexpected(f"[{rule_id}] {_OLD_SHARE}", old, "one share only, since error_above is one already")
    return Limit(limit.count if limit else None, share)


def _amount(rule_id: str, key: str, facts: dict[str, Any]) -> Limit | None:
    found = facts.get(key)
    if found is None:
        return None
    if isinstance(found, int) and _is_number(found) and found >= 0:
        return Limit(count=found)
    share = Fraction(str(found)) if isinstance(found, float) and 0 <= found < 1 else _percent(found)
    if share is None:
        raise unexpected(f"[{rule_id}] {key}", found, _AMOUNT)
    return Limit(share=share)


def _require_sense(rule_id: str, facts: dict[str, Any], setting: Setting) -> None:
    """Raise a mistake where keys contradict each other, or lower a rule that cannot be lowered."""
    if rule_id in FIXED:
        _require_no_lower(rule_id, facts, setting)
    for key, found in facts.items():
        if setting.severity == "off" and key != "severity":
            raise unexpected(f"[{rule_id}] {key}", found, 'nothing else beside severity = "off"')
    warn, error = setting.warn_above, setting.error_above
    if warn and error and _is_more(warn, error):
        allowed = shown(facts.get("error_above", facts.get(_OLD_SHARE)))
        raise unexpected(
            f"[{rule_id}] warn_above", facts["warn_above"], f"at most the {allowed} above which it is an error"
        )


def _require_no_lower(rule_id: str, facts: dict[str, Any], setting: Setting) -> None:
    lowered = {
        "severity": setting.severity != "error",
        "warn_above": setting.warn_above not in {None, NONE, Limit(share=Fraction(0))},
        "error_above": setting.error_above not in {None, NONE, Limit(share=Fraction(0))},
    }
    for key, found in facts.items():
        if lowered[key if key in lowered else "error_above"]:
            advice = " (--allow-unreadable publishes without such pages)" if rule_id in UNREADABLE else ""
            raise unexpected(
                f"[{rule_id}] {key}",
                found,
                f"no setting: this rule cannot be lowered, since without it the dataset would be wrong{advice}",
            )


def _is_more(one: Limit, other: Limit) -> bool:
    counts = one.count is not None and other.count is not None and one.count > other.count
    shares = one.share is not None and other.share is not None and one.share > other.share
    return counts or shares


def _percent(found: Any) -> Fraction | None:
    """The share that a text such as 5% is, or None."""
    match = _PERCENT.fullmatch(found.strip()) if isinstance(found, str) else None
    share = Fraction(match[1]) / 100 if match else None
    return share if share is not None and share <= 1 else None


def _is_number(found: Any) -> bool:
    return isinstance(found, (int, float)) and not isinstance(found, bool)
