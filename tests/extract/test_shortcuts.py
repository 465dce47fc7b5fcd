"""The short ways of reading what a page prints as the site does give what the general rules give, on any page and line."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from damage_kinds import ALL, HIT, READ, Invented, Printed, Whole, invent
from helpers import parsed
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.extract import badge, blocks, byline, header

Result = TypeVar("Result")
TEXT = "The bells of the tower ring at noon, and so do those of the town. " * 5
WORDS = ["Ann", "B.", "J.R.", "de", "van der", "Bell-Fox", "Ørsted", "Team", "李伟", "mila", "bell"]
ODD_WORDS = ["and", "And", "ET", "By", "Etal", "et al.", "Authors", "More", "Jr", "III", "1", "é.", "&amp;", "·", "…", "-"]  # fmt: skip
ITEMS = st.lists(st.sampled_from([*WORDS, *WORDS, *ODD_WORDS]), min_size=1, max_size=4).map(" ".join)
SEPARATORS = st.sampled_from([", ", ", ", ", ", ",", " · ", "; ", " and ", "  ", " et al. ", "\u00a0"])
ENDS = st.sampled_from(["", " et al.", " et al. · mila", " · tower lab, mila", " · Ann and more", " +5 more", "."])
BADGES = [
    ["", "", "-", "• ", "\u200b", "1. "],
    ["CL", "cs.CL", "cl", "quant-ph", "Zz", "Jan", "On", ""],
    ["", "", "", " ", "-", "] ", "·"],
    ["Mar", "May", "may", "March", "Sept.", "Ma", "①"],
    [" ", " ", "", "  "],
    ["1", "14", "123", "१"],
    ["", ", 2024", " 2024", ",2024", ", 20245", "th"],
    ["", "Code", "code", " Best", "CodeCode", "On the Ringing of Bells and Towers"],
]
KINDS: dict[str, Whole] = {"twice": lambda page: f"{page.text}\n\n{page.text}", **READ, **HIT, **ALL}


def by_general_rules(read: Callable[[], Result]) -> Result:
    """What a function reads without any short way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byline, "_plain", lambda _: None)
        patch.setattr(badge, "_PRINTED", re.compile(r"(?!)"))
        patch.setattr(badge, "_may_have_date", lambda _: True)
        patch.setattr(blocks, "may_be_badge", lambda _: True)
        patch.setattr(blocks, "_is_surely_text", lambda *_: False)
        patch.setattr(header, "_may_begin_figure", lambda _: True)
        return read()


def long(page: Invented) -> Invented:
    """The page with abstracts that read as text at a glance, some of them as titles too."""

    def longer(block: Printed) -> Printed:
        abstract = TEXT + block.abstract
        return replace(block, abstract=abstract, title=abstract if "1" in block.badge else block.title)

    return replace(page, blocks=tuple(map(longer, page.blocks)))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_page_with_this_damage_is_read_the_same(kind: Whole) -> None:
    for page in (invent(1), invent(2), long(invent(3))):
        text = kind(page)
        assert parsed(text) == by_general_rules(lambda text=text: parsed(text))


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(st.tuples(ITEMS, SEPARATORS), max_size=3), ITEMS, ENDS)
def test_a_byline_is_read_the_same(before: list[tuple[str, str]], last: str, end: str) -> None:
    line = "".join(map("".join, before)) + last + end
    assert byline.parse_byline(line) == by_general_rules(lambda: byline.parse_byline(line))


@settings(max_examples=300, deadline=None, database=None)
@given(st.tuples(*map(st.sampled_from, BADGES)).map("".join))
def test_a_badge_is_read_the_same(line: str) -> None:
    def read() -> tuple[object, ...]:
        is_badge = blocks.may_be_badge(line)
        return (badge.read_badge([line, "May 1", "Code"], 0), badge.is_glued(line)) if is_badge else (None, False)

    assert read() == by_general_rules(read)
