"""The grammar within one line: badges, bylines, figures and names, read and written."""

from collections.abc import Callable

import pytest
from helpers import cpu_limit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.extract.fields import (
    MONTHS,
    is_name,
    is_suffix,
    parse_badge,
    parse_byline,
    parse_stat,
    render_badge,
    render_byline,
)
from etl.records import Badge, Byline

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
    "MAMarch": None,
    "MAMay 1, 2024": Badge("MA", 5, 1, 2024, ()),
    "JanJan 1": Badge("Jan", 1, 1, None, ()),
}
LENIENT_BADGES = {
    "CLMay 01, 2024": Badge("CL", 5, 1, 2024, ()),
    "CLMay 1, 2024 ": Badge("CL", 5, 1, 2024, ()),
    "\ufeffCLMay 1, 2024": Badge("CL", 5, 1, 2024, ()),
    "CLMay 1, 2024\r": Badge("CL", 5, 1, 2024, ()),
    "CLMay 1, 2024 Code Dataset": Badge("CL", 5, 1, 2024, ("Code", "Dataset")),
    "CLMay 1, 2024code": Badge("CL", 5, 1, 2024, ("code",)),
    "CLMay 1, 2024\u2028Code": Badge("CL", 5, 1, 2024, ("Code",)),
}
NO_BADGES = [
    "",
    "CL",
    "May 1, 2024",
    "March 14, 2025",
    "On Bells in May 1, 2024",
    "CL May 1, 2024",
    "CLMay1, 2024",
    "CLMay 123",
    "CLMay 1, 20245",
    "CLMay 1, 24",
    "CLMai 1, 2024",
    "CLmay 1, 2024",
    "-phMay 1, 2024",
    "CLMay \u0661, 2024",
    " CLMay 1, 2024",
]
BYLINES = {
    "Ann Bell": Byline(("Ann Bell",), False, ()),
    "Ann Bell, Cy Dole": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell, Cy Dole, Eve Fox et al.": Byline(("Ann Bell", "Cy Dole", "Eve Fox"), True, ()),
    "Ann Bell · mila": Byline(("Ann Bell",), False, ("mila",)),
    "李伟 et al. · mila, Tower Lab": Byline(("李伟",), True, ("mila", "Tower Lab")),
    "Ann Bell · mila · Tower Lab": Byline(("Ann Bell",), False, ("mila · Tower Lab",)),
    "Cy Dole, Jr., Eve Fox": Byline(("Cy Dole, Jr.", "Eve Fox"), False, ()),
    "Cy Dole, III et al.": Byline(("Cy Dole, III",), True, ()),
    "Ann Bell, Ann Bell": Byline(("Ann Bell", "Ann Bell"), False, ()),
    "Hans Metal, Al Gore-Bell": Byline(("Hans Metal", "Al Gore-Bell"), False, ()),
    "Søren Øst, Ève d'Arc-Bell": Byline(("Søren Øst", "Ève d'Arc-Bell"), False, ()),
    "Ann·Bell": Byline(("Ann·Bell",), False, ()),
}
LENIENT_BYLINES = {
    "Ann Bell,  Cy Dole": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell,Cy Dole": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell,\tCy Dole": Byline(("Ann Bell", "Cy Dole"), False, ()),
    " Ann Bell, Cy Dole \r": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell, , Cy Dole,": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell , Cy Dole": Byline(("Ann Bell", "Cy Dole"), False, ()),
    "Ann Bell et al": Byline(("Ann Bell",), True, ()),
    "Ann Bell, et al.": Byline(("Ann Bell",), True, ()),
    "Ann Bell,  et al. · mila,lab": Byline(("Ann Bell",), True, ("mila", "lab")),
    "Cy Dole,Jr": Byline(("Cy Dole, Jr",), False, ()),
    "Jr., Ann Bell": Byline(("Jr.", "Ann Bell"), False, ()),
    "": Byline((), False, ()),
    " , ,, ": Byline((), False, ()),
}
STATS = {
    "h-index87": ("h_index", "87"),
    "h-index 87": ("h_index", "87"),
    " h-index87\r": ("h_index", "87"),
    "76papers": ("stated_papers", "76"),
    "1paper": ("stated_papers", "1"),
    "76 papers": ("stated_papers", "76"),
    "76 Papers": ("section_count", "76"),
    "1 Paper": ("section_count", "1"),
    "17,521citations": ("citations", "17,521"),
    "17521citations": ("citations", "17521"),
    "1 citation": ("citations", "1"),
    "Novelty50%": ("novelty_pct", "50"),
    "Novelty 50 %": ("novelty_pct", "50"),
    "AI Score58": ("ai_score", "58"),
    "h-index9223372036854775807": ("h_index", "9223372036854775807"),
}
NO_STATS = [
    "",
    "CL",
    "2.1k stars",
    "papers",
    "h-index",
    "h-index-1",
    "h-index,",
    "-1papers",
    "76 Papers on Bells",
    "Novelty50",
    "17.5citations",
    "\u0667\u0666papers",
    "h-index9223372036854775808",
    "h-index" + "9" * 5000,
]
NAMES = ["Ann Bell", "李伟", "Cy Dole, Jr.", "A. B. Bell", "Søren Øst", "X", "Ann of the Seven Bells", "A" * 100]
NO_NAMES = {
    "empty": "",
    "two people": "Ann Bell, Cy Dole",
    "cut": "Ann Bell et al.",
    "a tag": "Ann Bell · mila",
    "a sentence": "Bells ring.",
    "a question": "Who rings?",
    "no letter": "1984",
    "too long": "A" * 101,
    "too many words": "a b c d e f g h i j k l m",
    "space around": " Ann Bell",
}
PIECES = ["Ann", "Bell", " ", " ", ", ", ",", " et al.", " · ", "Jr.", "III", "\t", "\r", "\u00a0", "é", "."]
PARSERS: dict[str, Callable[[str], object]] = {
    "badge": parse_badge,
    "byline": parse_byline,
    "name": is_name,
    "stat": parse_stat,
}
HOSTILE = {
    "spaces": ("A", " ", "B"),
    "suffixes": ("A", ", II", ""),
    "commas": ("A", ", ", "B"),
    "et al": ("A", " et al", "B"),
    "months": ("", "Jan", " 1"),
    "hyphens": ("a", "-", "May 1"),
    "flags": ("CLMay 1", "Aa", ""),
    "digits": ("", "1,", "papers"),
    "tags": ("A", " · ", "b"),
}


@pytest.mark.parametrize("line", BADGES)
def test_a_badge_is_read_and_written_back(line: str) -> None:
    badge = parse_badge(line)
    assert badge == BADGES[line]
    assert badge is None or render_badge(badge) == line


@pytest.mark.parametrize("line", LENIENT_BADGES)
def test_a_badge_in_another_form_is_read_all_the_same(line: str) -> None:
    assert parse_badge(line) == LENIENT_BADGES[line]


@pytest.mark.parametrize("line", NO_BADGES)
def test_what_only_resembles_a_badge_is_none(line: str) -> None:
    assert parse_badge(line) is None


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_name(month: int) -> None:
    assert parse_badge(f"CL{MONTHS[month - 1]} 1") == Badge("CL", month, 1, None, ())


@pytest.mark.parametrize("line", BYLINES)
def test_a_byline_is_read_and_written_back(line: str) -> None:
    assert parse_byline(line) == BYLINES[line]
    assert render_byline(BYLINES[line]) == line


@pytest.mark.parametrize("line", LENIENT_BYLINES)
def test_a_byline_in_another_form_is_read_all_the_same(line: str) -> None:
    assert parse_byline(line) == LENIENT_BYLINES[line]


def test_et_al_behind_a_comma_alone_is_nobody() -> None:
    assert parse_byline("Ann Bell,et al.") == Byline(("Ann Bell",), True, ())


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("et al.", Byline((), True, ())),
        ("· mila", Byline((), False, ("mila",))),
        ("et al. · mila", Byline((), True, ("mila",))),
    ],
)
def test_a_byline_that_lost_its_names_names_nobody(line: str, byline: Byline) -> None:
    assert parse_byline(line) == byline


def test_a_byline_cut_behind_its_mark_keeps_the_mark_out_of_the_name() -> None:
    assert parse_byline("Ann Bell ·") == Byline(("Ann Bell",), False, ())


@pytest.mark.parametrize("word", ["Jr", "Jr.", "Sr.", "II", "III", "IV", "PhD", "Ph.D.", "M.D.", "MD"])
def test_a_suffix_belongs_to_the_name_before_it(word: str) -> None:
    assert is_suffix(word)
    assert parse_byline(f"Ann Bell, {word}, Cy Dole").names == (f"Ann Bell, {word}", "Cy Dole")


@pytest.mark.parametrize("word", ["", "I", "jr.", "Jr. Bell", "Junior", "Bell", "V"])
def test_other_words_are_no_suffix(word: str) -> None:
    assert not is_suffix(word)


@pytest.mark.parametrize("line", STATS)
def test_a_figure_is_read_with_its_digits_as_printed(line: str) -> None:
    assert parse_stat(line) == STATS[line]


@pytest.mark.parametrize("line", NO_STATS)
def test_what_is_no_figure_is_none(line: str) -> None:
    assert parse_stat(line) is None


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_one(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", NO_NAMES.values(), ids=NO_NAMES)
def test_what_cannot_be_one_name_is_none(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize("text", ["2.1k stars", "h-index: 4", "Top 1% researcher"])
def test_an_unknown_figure_is_no_name(text: str) -> None:
    assert not is_name(text)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("A et al. et al.")
@example("A · b · c")
def test_writing_a_byline_keeps_what_was_read(line: str) -> None:
    byline = parse_byline(line)
    if not any("·" in name or "et al" in name for name in byline.names):
        assert parse_byline(render_byline(byline)) == byline


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.builds(
        Badge,
        code=st.sampled_from(["CL", "LG", "med-ph", "cond-mat", "Mar", "a"]),
        month=st.integers(1, 12),
        day=st.integers(0, 99),
        year=st.none() | st.integers(0, 9999),
        flags=st.lists(st.sampled_from(["Code", "Dataset", "Best paper"])).map(tuple),
    )
)
def test_reading_a_badge_keeps_what_was_written(badge: Badge) -> None:
    assert parse_badge(render_badge(badge)) == badge


@pytest.mark.parametrize(
    ("parser", "pieces"),
    [
        pytest.param(parser, pieces, id=f"{name}-{kind}")
        for name, parser in PARSERS.items()
        for kind, pieces in HOSTILE.items()
    ],
)
def test_a_hostile_line_is_read_in_linear_time(parser: Callable[[str], object], pieces: tuple[str, str, str]) -> None:
    line = pieces[0] + pieces[1] * 300_000 + pieces[2]
    with cpu_limit(1):
        parser(line)
