"""The plausibility rules: one function each, from what there is to look at to what it found."""

from collections.abc import Iterator

from etl.validate.rule_results import RuleContext, RuleResult
from etl.validate.rules import pages, papers, people, text


def find(context: RuleContext) -> Iterator[RuleResult]:
    """The rule_result of every plausibility rule."""
    for family in (pages, papers, people, text):
        for rule in family.RULES:
            yield rule(context)
