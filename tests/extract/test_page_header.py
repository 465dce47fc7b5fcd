"""The grammar of a page: its line breaks, its header, and lines that are neither header nor block."""

import pytest
from damage import (
    COUNT,
    FIELD,
    FIGURES,
    HEADER,
    LINES,
    NAME,
    SOUND,
    WHOLE,
    blocks_of,
    damaged,
    header_of,
    moved,
    strays_of,
    without,
)
from helpers import parsed

from etl.extract.header import Header, Value, parse_header
from etl.extract.page import join_lines, split_lines
from schemas.limits import LONGEST_LINE

SPLIT = {
    "LF": ("a\nb", "LF", ["a", "b"]),
    "LF at the end": ("a\nb\n", "LF", ["a", "b", ""]),
    "CRLF": ("a\r\nb", "CRLF", ["a", "b"]),
    "CRLF at the end": ("a\r\nb\r\n", "CRLF", ["a", "b", ""]),
    "one line": ("a", "LF", ["a"]),
    "one CRLF": ("\r\n", "CRLF", ["", ""]),
    "mixed, LF first": ("a\nb\r\nc", "LF", ["a", "b\r", "c"]),
    "mixed, CRLF first": ("a\r\nb\nc", "LF", ["a\r", "b", "c"]),
    "CR alone": ("a\rb", "LF", ["a\rb"]),
    "CR in a CRLF page": ("a\rb\r\r\nc\r", "CRLF", ["a\rb\r", "c\r"]),
    "breaks of other kinds": ("a\u2028b\x0bc\x0cd\u0085e\u2029f\x1cg", "LF", ["a\u2028b\x0bc\x0cd\u0085e\u2029f\x1cg"]),
}
HEADERS = {
    "no name": (without(1), FIELD | FIGURES | COUNT, 9),
    "an emptied name": (damaged({1: [""]}), FIELD | FIGURES | COUNT, 10),
    "a name between spaces": (damaged({1: ["  Ann Bell "]}), HEADER, 10),
    "a name behind blank lines": ("\n\n" + SOUND, HEADER, 12),
    "a BOM": ("\ufeff" + SOUND, HEADER, 10),
    "a BOM on a line of its own": ("\ufeff\n" + SOUND, HEADER, 11),
    "a BOM and no name": ("\ufeff" + without(1, 2), FIELD | FIGURES | COUNT, 8),
    "a group that a byline names": (
        damaged({1: ["The Tower Collaboration"], 15: ["The Tower Collaboration, Ann Bell et al."]}),
        HEADER | {"name": "The Tower Collaboration"},
        10,
    ),
    "no field": (without(3), NAME | FIGURES | COUNT, 9),
    "a field that is no code": (damaged({3: ["Robotics"]}), HEADER | {"field": "Robotics"}, 10),
    "a field behind the figures": (damaged({3: [], 8: [LINES[7], "CL"]}), HEADER, 10),
    "no h-index": (without(4), {name: HEADER[name] for name in HEADER if name != "h_index"}, 9),
    "no papers": (without(5), {name: HEADER[name] for name in HEADER if name != "stated_papers"}, 9),
    "no citations": (without(6), {name: HEADER[name] for name in HEADER if name != "citations"}, 9),
    "no novelty": (without(7), {name: HEADER[name] for name in HEADER if name != "novelty_pct"}, 9),
    "no AI score": (without(8), {name: HEADER[name] for name in HEADER if name != "ai_score"}, 9),
    "no figures": (without(4, 5, 6, 7, 8), NAME | FIELD | COUNT, 5),
    "no count": (without(10), NAME | FIELD | FIGURES, 8),
    "a name only": (without(*range(2, 11)), NAME, 1),
    "no header": (without(*range(1, 12)), {}, 0),
    "no separators": (damaged({6: ["1204citations"]}), HEADER | {"citations": "1204"}, 10),
    "one paper": (damaged({5: ["1paper"], 10: ["1 Paper"]}), HEADER | {"stated_papers": "1", "section_count": "1"}, 10),
    "figures in another order": (damaged({4: [LINES[7]], 5: [LINES[5]], 6: [LINES[4]], 8: [LINES[3]]}), HEADER, 10),
    "no blank lines": (without(2, 9), HEADER, 8),
    "doubled blank lines": (damaged({2: ["", ""], 9: ["", ""]}), HEADER, 12),
}
"""Damage to the header: the text, the values, and how many lines the header takes."""
UNKNOWN = {
    "a group that no byline names": (damaged({1: ["The Tower Collaboration"]}), [1], "name"),
    "a figure": (damaged({6: ["2.1k stars"]}), [6], "citations"),
    "a figure twice": (damaged({6: ["h-index5"]}), [6], "citations"),
    "a number too large": (damaged({6: ["9223372036854775808citations"]}), [6], "citations"),
    "a name too long": (damaged({1: ["A" * 101]}), [1], "name"),
    "a name like a byline": (damaged({1: ["Ann Bell, Cy Dole"]}), [1], "name"),
    "a name like a sentence": (damaged({1: ["Sign in to follow."]}), [1], "name"),
    "a figure in the name's place": (damaged({1: ["2.1k stars"], 2: ["Followers"]}), [1, 2], "name"),
    "a field of two words": (damaged({3: ["Computer Science"]}), [3], "field"),
}
"""A line of the header that is unknown: the text, the line's number, and the value that is absent therefore."""
NO_PAGES = {
    "a word": ("x", [(1, 1)]),
    "a name": ("Ann Bell", [(1, 1)]),
    "a name and a line": ("Ann Bell\n\nSign in to see this page.", [(1, 3)]),
    "nothing but a line break": ("\n", []),
    "nothing but blank lines": ("\n" * 1000, []),
    "nothing but a BOM": ("\ufeff", [(1, 1)]),
    "markup": ("<html>\n<body>\n</body>\n", [(1, 3)]),
}


@pytest.mark.parametrize(("text", "newline", "lines"), SPLIT.values(), ids=SPLIT)
def test_lines_are_split_and_joined_again(text: str, newline: str, lines: list[str]) -> None:
    assert split_lines(text) == (newline, lines)
    assert join_lines(newline, lines) == text


@pytest.mark.parametrize(("text", "values", "line_count"), HEADERS.values(), ids=HEADERS)
def test_a_damaged_header_keeps_the_values_that_are_there(text: str, values: dict[str, str], line_count: int) -> None:
    page = parsed(text)
    assert header_of(text) == values
    assert page.header.line_count == line_count
    assert (page.header.unknown, page.strays) == ((), ())
    assert [block.title for block in page.blocks] == ["On Bells", "On Towers", "On Ropes"]


@pytest.mark.parametrize(("text", "unknown", "absent"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_headers_line_that_is_unknown_is_told_and_gives_no_value(text: str, unknown: list[int], absent: str) -> None:
    header = parsed(text).header
    assert header_of(text) == {name: value for name, value in HEADER.items() if name != absent}
    assert (header.line_count, list(header.unknown)) == (10, unknown)
    assert (blocks_of(text), strays_of(text)) == (WHOLE, [])


def test_an_unknown_figure_is_never_the_owner_of_a_nameless_page() -> None:
    assert header_of(damaged({1: ["2.1k stars"]})) == FIELD | FIGURES | COUNT


def test_a_bom_before_the_first_badge_loses_no_block() -> None:
    assert [title for _, _, title in blocks_of("\ufeff" + without(*range(1, 12)))] == [
        "On Bells",
        "On Towers",
        "On Ropes",
    ]


@pytest.mark.parametrize(("text", "strays"), NO_PAGES.values(), ids=NO_PAGES)
def test_text_that_is_no_page_is_stray_as_a_whole(text: str, strays: list[tuple[int, int]]) -> None:
    page = parsed(text)
    assert (page.header, page.blocks) == (Header(0, {}, ()), ())
    assert strays_of(text) == strays


def test_a_header_without_blocks_is_kept() -> None:
    page = parsed("Ann Bell\n\nCL\nh-index4\n\nNothing here yet.")
    assert page.header == Header(
        4, {"name": Value("Ann Bell", 1), "field": Value("CL", 3), "h_index": Value("4", 4)}, ()
    )
    assert strays_of(page.page.text) == [(6, 6)]


def test_lines_behind_the_last_known_one_are_stray() -> None:
    text = damaged({10: ["Sort by date"]})
    assert parsed(text).header.line_count == 8
    assert strays_of(text) == [(10, 10)]


def test_a_count_ends_the_header() -> None:
    text = damaged({10: [LINES[9], "h-index9", "4 Papers"]})
    assert header_of(text) == HEADER
    assert strays_of(text) == [(11, 12)]


def test_a_broken_first_block_is_not_read_as_header() -> None:
    text = damaged({10: [], 13: ["h-index9", "On Bells"], 14: []})
    assert header_of(text) == NAME | FIELD | FIGURES
    assert strays_of(text) == [(11, 16)]


def test_a_line_too_long_for_a_row_ends_the_header() -> None:
    text = damaged({6: ["x" * (LONGEST_LINE + 1)]})
    assert header_of(text) == {**NAME, **FIELD, "h_index": "4", "stated_papers": "3"}
    assert strays_of(text) == [(6, 10)]


def test_a_number_is_read_without_its_separators() -> None:
    assert parsed(SOUND).header.values["citations"].number == 1204


def test_crlf_makes_no_difference() -> None:
    page = parsed(SOUND.replace("\n", "\r\n"))
    assert page.newline == "CRLF"
    assert (page.lines, page.header, page.blocks) == (tuple(LINES), parsed(SOUND).header, parsed(SOUND).blocks)


def test_where_only_some_lines_end_in_crlf_rows_are_the_same_and_lines_of_a_carriage_return_are_blank() -> None:
    text = SOUND.replace("\n", "\r\n", 19)
    page = parsed(text)
    assert page.newline == "LF"
    assert header_of(text) == HEADER
    assert [(block.badge, block.title) for block in page.blocks[:2]] == [
        ("CLMar 14, 2025Code", "On Bells"),
        ("med-phMay 1, 2024", "On Towers"),
    ]
    assert [(start, end) for start, end, _ in blocks_of(text)] == [(start, end) for start, end, _ in WHOLE]
    assert strays_of(text) == []


def test_a_header_is_read_the_same_from_its_own_lines() -> None:
    page = parsed(damaged({6: ["2.1k stars"]}))
    own = page.lines[: page.header.line_count]
    assert parse_header(own, lambda: {"Ann Bell": 1}) == page.header


def test_blank_lines_before_the_header_move_everything() -> None:
    assert blocks_of("\n\n" + SOUND) == [moved(place, 2) for place in WHOLE]
