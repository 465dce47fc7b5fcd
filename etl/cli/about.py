"""The commands that describe datasets in general: `rules` and `schema`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from etl.cli.output import write
from etl.errors import UsageError

if TYPE_CHECKING:
    from schemas import Rule

_INDENT = "    "


@click.command()
@click.argument("rule_id", required=False, metavar="[ID]")
def rules(rule_id: str | None) -> None:
    """List the rules that data is checked against, or explain the rule ID.

    \b
    paperledger rules PAP-002
    """  # noqa: D301  \b keeps click from joining the lines
    from schemas import RULES

    if rule_id is not None:
        write("".join(f"{line}\n" for line in _explanation(_rule(rule_id))))
        return
    for rule in RULES.values():
        write(f"{rule.id}  {rule.severity:<7}  {rule.dimension:<12}  {rule.title}\n{'':33}{rule.why}\n")


def _rule(rule_id: str) -> "Rule":
    from etl.printable import command, near
    from schemas import RULES

    rule = RULES.get(rule_id.strip().upper())
    if rule is None:
        hint = near(rule_id, RULES, most=3)
        raise UsageError(
            f"{rule_id}: no such rule, expected an id such as PAP-002{hint}; {command('rules')} lists them"
        )
    return rule


def _explanation(rule: "Rule") -> Iterator[str]:
    """The lines that explain a rule: title, severity, reason, advice, an example, and how to configure it."""
    from etl.printable import visible

    place = f"{rule.table}.{rule.column}" if rule.column else rule.table
    yield f"{rule.id}  {rule.title}"
    yield ""
    yield from _paragraph("Severity", f"{rule.severity}: {_SEVERITIES[rule.severity]}")
    yield from _paragraph("Looks at", f"{place} ({rule.dimension})")
    yield from _paragraph("Why", rule.why)
    yield from _paragraph("To do", rule.advice)
    yield ""
    yield "An example that breaks it:"
    yield ""
    yield from ((_INDENT + visible(line)).rstrip() for line in rule.example.split("\n"))
    yield ""
    yield from _setting(rule)


_SEVERITIES = {
    "error": "nothing is published",
    "warning": "published and reported",
    "info": "only counted, since a column has it",
}


def _paragraph(word: str, text: str) -> list[str]:
    from textwrap import wrap

    head = f"{word:<10}"
    return wrap(text, 100, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)


def _setting(rule: "Rule") -> Iterator[str]:
    """How to configure the rule, in lines that can be copied into a rules file."""
    from etl.validate.severity import FIXED

    if rule.id in FIXED:
        yield "No rules file can lower it: a dataset that breaks it would be wrong, or lack a page."
        return
    looked_at = "of the baseline" if rule.table == "dataset" else "of what was looked at"
    yield "In a rules file (--rules FILE), limits:"
    yield ""
    yield f"{_INDENT}[{rule.id}]"
    yield f"{_INDENT}warn_above = 2        # up to 2 are only counted, more are warnings"
    yield f'{_INDENT}error_above = "5%"    # more than 5 % {looked_at} are an error'
    yield ""
    yield "or a severity for any number:"
    yield ""
    yield f"{_INDENT}[{rule.id}]"
    yield f'{_INDENT}severity = "{_other(rule)}"    # off, info, warning or error'


def _other(rule: "Rule") -> str:
    return "error" if rule.severity == "warning" else "warning"


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "sql", "markdown"]), default="text", show_default=True)
def schema(form: str) -> None:
    """Print the tables and views: to read, as SQL, or as Markdown."""
    from etl.load import descriptors

    render = {"text": descriptors.as_text, "sql": descriptors.as_sql, "markdown": descriptors.as_markdown}[form]
    write(render() + "\n")
