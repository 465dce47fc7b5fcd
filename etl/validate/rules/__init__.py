"""The plausibility rules: each is a condition in the registry, or a function of a module here."""

from collections.abc import Iterator
from string import Formatter

import polars as pl

from etl.validate.rule_results import RuleContext, RuleResult, at_line, rule_result
from etl.validate.rules import pages, papers, people, reference, text
from schemas import RULES, TABLES, Rule
from schemas.rules import Condition


def apply_rules(context: RuleContext) -> Iterator[RuleResult]:
    """The result of every plausibility rule."""
    for rule in RULES.values():
        if rule.condition:
            yield _broken_rows(rule, rule.condition, context)
    for family in (pages, papers, people, text, reference):
        for check in family.CHECKS:
            yield check(context)


def _broken_rows(rule: Rule, condition: Condition, context: RuleContext) -> RuleResult:
    """The rows of the rule's table for which its condition is true."""
    rows = {"papers": context.papers, "profiles": context.profiles, "listings": context.listings}[rule.table]
    among = pl.sql_expr(condition.among)
    checked = rows.lazy().filter(among).select(pl.len()).collect().item()
    broken = at_line(rows.filter(among & pl.sql_expr(condition.breaks)), condition.line)
    key = TABLES[rule.table].definition().primary_key
    return rule_result(rule.id, checked, broken, key, value=condition.value, message=_format_row(condition.message))


def _format_row(message: str) -> pl.Expr:
    """A message that names columns in braces, as an expression over rows.

    >>> pl.DataFrame({"title": ["On Bells"]}).select(_format_row("see {title}")).item()
    'see On Bells'
    """
    parts = list(Formatter().parse(message))
    columns = [column for _, column, _, _ in parts if column is not None]
    return pl.format("".join(text + "{}" * (column is not None) for text, column, _, _ in parts), *columns)
