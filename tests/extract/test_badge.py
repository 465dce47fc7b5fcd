"""Badges: read and written back, read in the forms that copies of a page have, and told from what only resembles them."""

import pytest
from helpers import cpu_limit
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.extract.badge import FLAG_LETTERS, MONTHS, Badge, is_glued, known_code, parse_badge, read_badge, render_badge

BADGES = {
    "CLMar 14, 2025Code": Badge("CL", 3, 14, 2025, ("Code",)),
    "CLMar 14, 2025": Badge("CL", 3, 14, 2025, ()),
    "CLMay 16": Badge("CL", 5, 16, None, ()),
    "CLMay 16Code": Badge("CL", 5, 16, None, ("Code",)),
    "CVDec 1, 2024CodeDataset": Badge("CV", 12, 1, 2024, ("Code", "Dataset")),
    "LGJun 2, 2024CodeLLM": Badge("LG", 6, 2, 2024, ("Code", "LLM")),
    "med-phOct 3, 2025": Badge("med-ph", 10, 3, 2025, ()),
    "quant-phJul 9": Badge("quant-ph", 7, 9, None, ()),
    "cond-mat-elAug 31, 1999Code": Badge("cond-mat-el", 8, 31, 1999, ("Code",)),
    "CLFeb 30, 2024": Badge("CL", 2, 30, 2024, ()),
    "CLFeb 29, 0000": Badge("CL", 2, 29, 0, ()),
    "cs.CLMay 1, 2024": Badge("cs.CL", 5, 1, 2024, ()),
    "MAMarch": None,
    "MAMay 1, 2024": Badge("MA", 5, 1, 2024, ()),
    "JanJan 1": Badge("Jan", 1, 1, None, ()),
}
MAY_1 = Badge("CL", 5, 1, 2024, ())
OTHER_FORMS = {
    "CLMay 01, 2024": MAY_1,
    "CLMay 1, 2024 ": MAY_1,
    " CLMay 1, 2024": MAY_1,
    "\tCLMay\t1,\t2024": MAY_1,
    "\ufeffCLMay 1, 2024": MAY_1,
    "CLMay 1, 2024\r": MAY_1,
    "CL May 1, 2024": MAY_1,
    "CL\u00a0May\u202f1,\u20092024\u00a0": MAY_1,
    "CL\u200bMay 1, 2024\u200b": MAY_1,
    "CL  May  1,  2024": MAY_1,
    "CLMay1, 2024": MAY_1,
    "CLMay 1,2024": MAY_1,
    "CLMay 1 2024": MAY_1,
    "CLMay 12024": MAY_1,
    "CLmay 1, 2024": MAY_1,
    "clMAY 1, 2024": MAY_1,
    "CL\nMay 1, 2024": MAY_1,
    "cs.CL May 1, 2024": Badge("cs.CL", 5, 1, 2024, ()),
    "CLMay 1 2024Code": Badge("CL", 5, 1, 2024, ("Code",)),
    "CLMay 142019": Badge("CL", 5, 14, 2019, ()),
    "CLMar. 14, 2025": Badge("CL", 3, 14, 2025, ()),
    "CLMarch 14, 2025": Badge("CL", 3, 14, 2025, ()),
    "CLSept 3, 2025": Badge("CL", 9, 3, 2025, ()),
    "CLSept. 3": Badge("CL", 9, 3, None, ()),
    "CL September 3, 2025 Code": Badge("CL", 9, 3, 2025, ("Code",)),
    "med-ph October 3, 2025": Badge("med-ph", 10, 3, 2025, ()),
    "CLMay 1, 2024 Code Dataset": Badge("CL", 5, 1, 2024, ("Code", "Dataset")),
    "CLMay 1, 2024code": Badge("CL", 5, 1, 2024, ("Code",)),
    "CLMay 1, 2024 [CODE]": Badge("CL", 5, 1, 2024, ("Code",)),
    "CLMay 1st, 2024": MAY_1,
    "CL May 14th 2024": Badge("CL", 5, 14, 2024, ()),
    "CLMay 1， 2024": MAY_1,
    "CLMay 1 , 2024": MAY_1,
    "ＣＬMay 1, 2024": MAY_1,
    "CL\u200eMay 1, 2024\u200f": MAY_1,
    "• CLMay 1, 2024": MAY_1,
    "- CL May 1, 2024": MAY_1,
    "1. CLMay 1, 2024": MAY_1,
    "> CLMay 1, 2024": MAY_1,
    "CL · May 1, 2024": MAY_1,
    "CL | May 1, 2024": MAY_1,
    "CL, May 1, 2024": MAY_1,
    "[CL] May 1, 2024": MAY_1,
    "quant‐phMay 1, 2024": Badge("quant-ph", 5, 1, 2024, ()),
    "CLMay 1, 2024\u2028Code": Badge("CL", 5, 1, 2024, ("Code",)),
}
NO_BADGES = [
    "",
    "CL",
    "May 1, 2024",
    "March 14, 2025",
    "On Bells in May 1, 2024",
    "On May 1, 2024",
    "The May 4 Movement",
    "A March 2025 Survey",
    "BellMay1, 2024",
    "CLMay 123",
    "CLMay 1, 20245",
    "CLMay 1 20",
    "CLMay 1, 24",
    "CLMai 1, 2024",
    "CL14. Mai 2024",
    "-phMay 1, 2024",
    "CLMay \u0661, 2024",
    "CLMay 1, 2024On the Ringing of Bells in Towers",
    "CLMay 1, 2024" + " " * 200 + "On Bells",
    "CLMay 1, 2024 and 2025",
    "- On May 1, 2024",
]
PARTED = {
    "date below": (["CL", "May 1, 2024", "On Bells"], MAY_1, 2),
    "date and flag below": (["CL", "May 1, 2024", "Code", "On Bells"], Badge("CL", 5, 1, 2024, ("Code",)), 3),
    "flag below": (["CLMay 1, 2024", "Code", "On Bells"], Badge("CL", 5, 1, 2024, ("Code",)), 2),
    "flag beside the date": (["CL", "May 1, 2024Code", "On Bells"], Badge("CL", 5, 1, 2024, ("Code",)), 2),
    "a blank line between": (["CL", "", "May 1, 2024", "On Bells"], MAY_1, 3),
    "white space": ([" CL ", "\tMay\u00a01, 2024", "On Bells"], MAY_1, 2),
    "no year": (["quant-ph", "Jul 9", "On Bells"], Badge("quant-ph", 7, 9, None, ()), 2),
}
NOT_PARTED = [
    ["CL", "h-index4"],
    ["On Bells", "May 1, 2024"],
    ["CL"],
    ["CL", "", "", "May 1, 2024"],
    ["", "May 1, 2024"],
]
HOSTILE = {
    "spaces": ("A", " ", "B"),
    "months": ("", "Jan", " 1"),
    "hyphens": ("a", "-", "May 1"),
    "dots": ("a", ".", "May 1"),
    "flags": ("CLMay 1", "Aa", ""),
    "no widths": ("CL", "\u200b", "May 1"),
}


@pytest.mark.parametrize("line", BADGES)
def test_a_badge_is_read_and_written_back(line: str) -> None:
    badge = parse_badge(line)
    assert badge == BADGES[line]
    assert badge is None or render_badge(badge) == line


@pytest.mark.parametrize("line", OTHER_FORMS)
def test_a_badge_in_another_form_is_read_all_the_same(line: str) -> None:
    assert parse_badge(line) == OTHER_FORMS[line]


@pytest.mark.parametrize("line", NO_BADGES)
def test_what_only_resembles_a_badge_is_none(line: str) -> None:
    assert parse_badge(line) is None


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_name(month: int) -> None:
    assert parse_badge(f"CL{MONTHS[month - 1]} 1") == Badge("CL", month, 1, None, ())


@pytest.mark.parametrize(("lines", "badge", "end"), PARTED.values(), ids=PARTED)
def test_a_badge_over_several_lines_is_read(lines: list[str], badge: Badge, end: int) -> None:
    assert read_badge(lines, 0) == (badge, end)


@pytest.mark.parametrize("lines", NOT_PARTED)
def test_a_code_without_its_date_or_a_date_without_its_code_is_no_badge(lines: list[str]) -> None:
    assert read_badge(lines, 0) is None


def test_a_flag_is_short_and_a_title_glued_to_a_badge_is_told_from_it() -> None:
    assert parse_badge("CLMay 1, 2024" + "A" * FLAG_LETTERS) is not None
    assert not is_glued("CLMay 1, 2024" + "A" * FLAG_LETTERS)
    assert parse_badge("CLMay 1, 2024" + "A" * (FLAG_LETTERS + 1)) is None
    assert is_glued("CLMay 1, 2024" + "A" * (FLAG_LETTERS + 1))
    assert not is_glued("On Bells and Towers in the Month of May 1, 2024")


def test_a_code_is_known_in_any_case() -> None:
    assert [known_code(text) for text in ("CL", "cl", "CS.CL", "Quant-Ph", "Bells", "")] == [
        "CL",
        "CL",
        "cs.CL",
        "quant-ph",
        None,
        None,
    ]


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.builds(
        Badge,
        code=st.sampled_from(["CL", "LG", "med-ph", "cond-mat", "Mar", "a"]),
        month=st.integers(1, 12),
        day=st.integers(0, 99),
        year=st.none() | st.integers(0, 9999),
        flags=st.lists(st.sampled_from(["Code", "Dataset", "Best paper"]), max_size=2).map(tuple),
    )
)
def test_reading_a_badge_keeps_what_was_written(badge: Badge) -> None:
    assert parse_badge(render_badge(badge)) == badge


@pytest.mark.parametrize("pieces", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_line_is_read_in_linear_time(pieces: tuple[str, str, str]) -> None:
    line = pieces[0] + pieces[1] * 300_000 + pieces[2]
    with cpu_limit(1):
        parse_badge(line)
        is_glued(line)
        read_badge([line, line], 0)
