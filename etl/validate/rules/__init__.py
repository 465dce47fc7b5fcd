"""The plausibility rules: one function each, from what there is to look at to what it found."""

from collections.abc import Iterator

from etl.validate.outcomes import Outcome
from etl.validate.rules import links, pages, papers, people, profiles, text
from etl.validate.subject import Subject


def find(subject: Subject) -> Iterator[Outcome]:
    """The outcome of every plausibility rule."""
    for family in (pages, profiles, papers, people, links, text):
        for rule in family.RULES:
            yield rule(subject)
