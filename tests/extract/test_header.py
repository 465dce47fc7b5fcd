"""Headers: figures in every form, the owner among other lines, fields, and further headers in one file."""

import pytest
from damage import COUNT, FIGURES, HEADER, LINES, SOUND, damaged, header_of
from helpers import cpu_limit, parsed

from etl.extract.header import Value, find_headers, parse_header, parse_stat

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
    "\th-index\u00a087": ("h_index", "87"),
    "17 521 citations": ("citations", "17 521"),
    "17\u2009521\u00a0citations\u200b": ("citations", "17 521"),
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
PARTED_FIGURES = {
    "as printed": ["h-index", "4", "3", "papers", "1,204", "citations", "Novelty", "50%", "AI Score", "58"],
    "numbers behind words": ["h-index", "4", "papers", "3", "citations", "1,204", "Novelty", "50%", "AI Score", "58"],
    "numbers before words": ["4", "h-index", "3", "papers", "1,204", "citations", "50%", "Novelty", "58", "AI Score"],
    "a percent sign apart": ["h-index4", "3papers", "1,204citations", "Novelty", "50", "%", "AI Score58"],
    "blank lines between": [
        "h-index",
        "",
        "4",
        "",
        "3",
        "papers",
        "1,204",
        "",
        "citations",
        "Novelty50%",
        "AI Score58",
    ],
    "white space": [" h-index\u00a04", "\t3papers", "1,204\u202fcitations", "Novelty 50 %", "AI\u00a0Score 58"],
}
MENUS = {
    "one word": ["Home"],
    "a menu": ["Home", "Papers", "About us", "Sign in"],
    "a menu with gaps": ["Home", "", "Browse Papers", "", "Log in"],
    "two words": ["Home Page"],
    "a sentence": ["Sign in to follow."],
}


@pytest.mark.parametrize("line", STATS)
def test_a_figure_is_read_with_its_digits_as_printed(line: str) -> None:
    assert parse_stat(line) == STATS[line]


@pytest.mark.parametrize("line", NO_STATS)
def test_what_is_no_figure_is_none(line: str) -> None:
    assert parse_stat(line) is None


@pytest.mark.parametrize("lines", PARTED_FIGURES.values(), ids=PARTED_FIGURES)
def test_figures_on_a_line_beside_their_word_are_read(lines: list[str]) -> None:
    text = damaged({4: lines, 5: [], 6: [], 7: [], 8: []})
    assert header_of(text) == HEADER
    assert (parsed(text).header.unknown, parsed(text).strays) == ((), ())


@pytest.mark.parametrize("menu", MENUS.values(), ids=MENUS)
def test_the_owner_is_the_last_name_above_the_figures_and_a_menus_words_are_nobody(menu: list[str]) -> None:
    text = "\n".join([*menu, "", SOUND])
    header = parsed(text).header
    assert header_of(text) == HEADER
    assert header.values["name"].line == len(menu) + 2
    assert list(header.unknown) == [number for number, line in enumerate(menu, 1) if line]


def test_the_owner_is_the_name_that_bylines_show() -> None:
    assert header_of(damaged({1: ["Ann Bell", "Professor of Bells"]})) == HEADER


def test_without_bylines_the_last_full_name_is_the_owner() -> None:
    header = parse_header(["Home", "Ann Bell", "", "CL", "h-index4"])
    assert header.values["name"] == Value("Ann Bell", 2)


def test_an_owner_of_one_word_is_one_where_nothing_else_stands_above() -> None:
    assert parse_header(["Plato", "", "h-index4"]).values["name"] == Value("Plato", 1)
    assert "name" not in parse_header(["2.1k stars", "Followers", "", "h-index4"]).values


def test_a_second_header_ends_the_owner_and_is_told_by_its_line() -> None:
    second = SOUND.replace("Ann Bell\n\nCL", "Gil Hart\n\nLG").replace("On ", "Under ")
    page = parsed(f"{SOUND}\n\n{second}")
    assert page.header.values["name"].text == "Ann Bell"
    assert page.second_headers == (33,)
    assert [block.owned for block in page.blocks] == [True] * 3 + [False] * 3
    assert [(stray.line_start, stray.line_end, stray.rule) for stray in page.strays] == [(33, 42, "PAG-012")]


def test_a_second_header_right_under_an_abstract_is_no_part_of_it() -> None:
    page = parsed(f"{SOUND}\n{SOUND}")
    assert page.second_headers == (32,)
    assert page.blocks[2].abstract == "They hang."
    assert len(page.blocks) == 6


def test_a_title_like_the_headers_count_begins_no_page() -> None:
    assert find_headers(damaged({20: ["9 Papers"]}).split("\n"), 12) == []


def test_a_header_that_is_all_figures_keeps_them() -> None:
    assert header_of("\n".join(LINES[3:])) == FIGURES | COUNT


@pytest.mark.parametrize("line", ["1,", "1 ", "9", "h-index", "a\u200b"])
def test_a_hostile_line_is_read_in_linear_time(line: str) -> None:
    with cpu_limit(1):
        parse_stat(line * 300_000)
        parse_header([line * 300_000, *[line] * 20_000])
