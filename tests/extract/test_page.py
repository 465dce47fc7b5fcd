"""The grammar of a page: which blocks and strays come out of a sound page, and of every damage that is expected."""

import pytest
from damage import (
    BELLS,
    HEADER,
    LINES,
    ROPES,
    SOUND,
    TOWERS,
    WHOLE,
    Place,
    blocks_of,
    damaged,
    header_of,
    moved,
    strays_of,
    without,
)
from helpers import cpu_limit, parsed

from etl.extract.blocks import BlockReader
from etl.extract.page import render_block
from etl.validate.staging import stage
from schemas.limits import LONGEST_LINE

MILD = {
    "sound": (SOUND, WHOLE),
    "a line after the end": (SOUND + "\n", WHOLE),
    "lines after the end": (SOUND + "\n\n\n", WHOLE),
    "a gap between blocks doubled": (damaged({25: ["", ""]}), [BELLS, TOWERS, moved(ROPES, 1)]),
    "a gap between blocks missing": (without(25), [BELLS, TOWERS, moved(ROPES, -1)]),
    "a block's gaps doubled": (
        damaged({21: ["", ""], 23: ["", ""]}),
        [BELLS, (19, 26, "On Towers"), moved(ROPES, 2)],
    ),
    "a block's gaps missing": (without(21, 23), [BELLS, (19, 22, "On Towers"), moved(ROPES, -2)]),
    "all blank lines doubled": (
        SOUND.replace("\n\n", "\n\n\n"),
        [(15, 22, "On Bells"), (25, 32, "On Towers"), (35, 42, "On Ropes")],
    ),
    "all blank lines missing": (
        SOUND.replace("\n\n", "\n"),
        [(9, 12, "On Bells"), (13, 16, "On Towers"), (17, 20, "On Ropes")],
    ),
    "blank lines of spaces in a block": (damaged({21: ["  "], 23: ["\t"]}), WHOLE),
    "an empty abstract": (damaged({24: [""]}), [BELLS, (19, 22, "On Towers"), ROPES]),
    "an empty abstract at the end": (damaged({31: [""]}), [BELLS, TOWERS, (26, 29, "On Ropes")]),
    "a lost abstract": (without(24), [BELLS, (19, 22, "On Towers"), moved(ROPES, -1)]),
    "a lost abstract and its gap": (without(23, 24), [BELLS, (19, 22, "On Towers"), moved(ROPES, -2)]),
    "a lost abstract and both gaps": (without(23, 24, 25), [BELLS, (19, 22, "On Towers"), moved(ROPES, -3)]),
    "an abstract that lists terms with capitals": (
        damaged(
            {
                24: [
                    "This paper describes an experiment on how the measures that ringers take agree including the Swing Time,"
                    " Ringing Rate, Hum Length, and Hum Rate Variability in the experiment. Ringers tuned each bell by ear."
                    " We present the analysis of the response time for the items of the experiment task."
                ]
            }
        ),
        WHOLE,
    ),
    "an abstract over lines": (damaged({24: ["They", "stand."]}), [BELLS, (19, 25, "On Towers"), moved(ROPES, 1)]),
    "an abstract over lines without a gap behind it": (
        damaged({24: ["They", "stand."], 25: []}),
        [BELLS, (19, 25, "On Towers"), ROPES],
    ),
    "a title like a badge": (damaged({20: ["CLMay 3, 2024"]}), [BELLS, (19, 24, "CLMay 3, 2024"), ROPES]),
    "a title like the header's count": (damaged({20: ["9 Papers"]}), [BELLS, (19, 24, "9 Papers"), ROPES]),
    "cut within the abstract": (SOUND[:-5], WHOLE),
    "cut behind the byline": ("\n".join(LINES[:29]), [BELLS, TOWERS, (26, 29, "On Ropes")]),
    "a gap before the byline only": (without(23), [BELLS, (19, 23, "On Towers"), moved(ROPES, -1)]),
    "a gap behind the byline only": (without(21), [BELLS, (19, 23, "On Towers"), moved(ROPES, -1)]),
    "a doubled gap before the byline": (damaged({21: ["", ""]}), [BELLS, (19, 25, "On Towers"), moved(ROPES, 1)]),
    "a doubled gap behind the byline": (damaged({23: ["", ""]}), [BELLS, (19, 25, "On Towers"), moved(ROPES, 1)]),
    "a gap behind the badge": (damaged({20: ["", LINES[19]]}), [BELLS, (19, 25, "On Towers"), moved(ROPES, 1)]),
    "a gap behind each line": (
        "\n\n".join(filter(None, LINES)),
        [(17, 23, "On Bells"), (25, 31, "On Towers"), (33, 39, "On Ropes")],
    ),
    "carriage returns on blank lines": (damaged({n: ["\r"] for n, line in enumerate(LINES, 1) if not line}), WHOLE),
    "a button behind an abstract": (damaged({24: [LINES[23], "", ""]}), [BELLS, TOWERS, moved(ROPES, 2)]),
}
"""Damage after which no line is left over: the text and its blocks."""
BROKEN = {
    "a lost badge": (without(19), [BELLS, moved(ROPES, -1)], [(19, 23)]),
    "an emptied badge": (damaged({19: [""]}), [BELLS, ROPES], [(20, 24)]),
    "a lost badge behind an empty abstract": (
        damaged({17: [""], 19: []}),
        [(12, 15, "On Bells"), moved(ROPES, -1)],
        [(19, 23)],
    ),
    "a lost first badge": (without(12), [moved(TOWERS, -1), moved(ROPES, -1)], [(12, 16)]),
    "a badge that is none": (damaged({19: ["1. Mai 2024"]}), [BELLS, ROPES], [(19, 24)]),
    "a lost title": (without(20), [BELLS, moved(ROPES, -1)], [(19, 23)]),
    "an emptied title": (damaged({20: [""]}), [BELLS, ROPES], [(19, 24)]),
    "a title and its gap twice": (damaged({20: [LINES[19], "", LINES[19]]}), [BELLS, moved(ROPES, 2)], [(19, 26)]),
    "a byline and its gap twice": (damaged({22: [LINES[21], "", LINES[21]]}), [BELLS, moved(ROPES, 2)], [(19, 26)]),
    "title and byline changed about": (damaged({13: [LINES[14]], 15: [LINES[12]]}), [TOWERS, ROPES], [(12, 17)]),
    "byline and abstract changed about": (damaged({22: [LINES[23]], 24: [LINES[21]]}), [BELLS, ROPES], [(19, 24)]),
    "a button before a byline": (damaged({21: ["", "Show more", ""]}), [BELLS, moved(ROPES, 2)], [(19, 26)]),
    "a button in a byline's place": (damaged({22: ["Show more"]}), [BELLS, ROPES], [(19, 24)]),
    "a button under an abstract": (
        damaged({24: [LINES[23], "Show more"]}),
        [BELLS, TOWERS, moved(ROPES, 1)],
        [(25, 25)],
    ),
    "a title glued to its badge": (
        damaged({19: [LINES[18] + "On Towers and Other Tall Things"], 20: []}),
        [BELLS, moved(ROPES, -1)],
        [(19, 23)],
    ),
    "a lost title and its gap": (without(20, 21), [BELLS, moved(ROPES, -2)], [(19, 22)]),
    "cut within the byline": ("\n".join(LINES[:29])[:-3], [BELLS, TOWERS], [(26, 29)]),
    "a badge twice": (damaged({19: [LINES[18]] * 2}), [BELLS, moved(TOWERS, 1), moved(ROPES, 1)], [(19, 19)]),
    "a title twice": (damaged({20: [LINES[19]] * 2}), [BELLS, moved(ROPES, 1)], [(19, 25)]),
    "a byline twice": (damaged({22: [LINES[21]] * 2}), [BELLS, moved(ROPES, 1)], [(19, 25)]),
    "badge and title changed about": (
        damaged({19: ["On Towers"], 20: ["CLMay 1"]}),
        [BELLS, ROPES],
        [(19, 19), (20, 24)],
    ),
    "badge and title in one line": (
        damaged({19: [LINES[18] + LINES[19]], 20: []}),
        [BELLS, moved(ROPES, -1)],
        [(19, 23)],
    ),
    "lines between blocks": (
        damaged({18: ["", "What is", "", "this?", ""]}),
        [BELLS, moved(TOWERS, 4), moved(ROPES, 4)],
        [(19, 21)],
    ),
    "white space between blocks": (damaged({18: [" "]}), WHOLE, [(18, 18)]),
    "lines behind the last block": (SOUND + "\n\nFooter\n\nAbout\n", WHOLE, [(33, 35)]),
    "cut behind the badge": ("\n".join(LINES[:26]), [BELLS, TOWERS], [(26, 26)]),
    "cut behind the title": ("\n".join(LINES[:28]), [BELLS, TOWERS], [(26, 27)]),
    "two broken blocks": (without(13, 20), [moved(ROPES, -2)], [(12, 16), (18, 22)]),
}
"""Damage that leaves lines over: the text, its blocks and the runs of stray lines."""
PROSE_AS_BYLINE = {
    "a lost byline": (without(22), (19, 23)),
    "an emptied byline": (damaged({22: [""]}), (19, 24)),
    "a lost byline and its gap": (without(21, 22), (19, 22)),
    "a paragraph for a byline": (damaged({22: ["Towers stand and some lean " * 9]}), (19, 24)),
}
RENDERED = {
    "gaps": (
        ("CLMay 1", "On Bells", "Ann Bell", "They ring."),
        ["CLMay 1", "On Bells", "", "Ann Bell", "", "They ring."],
    ),
    "no gaps": (("CLMay 1", "On Bells", "Ann Bell", "They ring."), ["CLMay 1", "On Bells", "Ann Bell", "They ring."]),
    "doubled gaps": (("CLMay 1", "B", "A", "C"), ["CLMay 1", "B", "", "", "A", "", "", "C"]),
    "no abstract": (("CLMay 1", "On Bells", "Ann Bell", ""), ["CLMay 1", "On Bells", "", "Ann Bell"]),
    "no abstract, no gap": (("CLMay 1", "On Bells", "Ann Bell", ""), ["CLMay 1", "On Bells", "Ann Bell"]),
    "an abstract over lines": (("CLMay 1", "B", "A", "C\nD"), ["CLMay 1", "B", "", "A", "", "C", "D"]),
    "a title like a badge": (("CLMay 1", "CLMay 2", "A", "C"), ["CLMay 1", "CLMay 2", "", "A", "", "C"]),
}
ODD_LINES = {
    "two spaces after a comma": (22, "Cy Dole,  Ann Bell"),
    "a name twice": (22, "Cy Dole, Ann Bell, Cy Dole"),
    "U+2028 in a title": (20, "On\u2028Towers"),
    "a vertical tab in a title": (20, "On\x0bTowers"),
    "U+0085 in a byline": (22, "Cy\u0085Dole"),
    "a form feed in an abstract": (24, "They\x0cstand."),
    "a carriage return in an abstract": (24, "They\rstand."),
    "a null in an abstract": (24, "They\x00stand."),
    "a BOM within a title": (20, "On\ufeffTowers"),
    "markup in a title": (20, "[/b]<script>On Towers"),
}
HOSTILE = {
    "badges": ["CLMay 1"] * 100_000,
    "badges before blank lines": ["CLMay 1"] * 2_000 + [""] * 100_000 + ["x"],
    "blocks that just fail": ["CLMay 1", "T", "", "A", "", "", "x"] * 20_000,
    "a badge before blank lines, often": ["CLMay 1", "T", *[""] * 50] * 2_000,
    "badges in an abstract": ["CLMay 1", "T", "", "A", "", "x", *["CLMay 1", ""] * 50_000],
}


@pytest.mark.parametrize(("text", "blocks"), MILD.values(), ids=MILD)
def test_mild_damage_loses_no_block_and_no_line(text: str, blocks: list[Place]) -> None:
    assert (blocks_of(text), strays_of(text), header_of(text)) == (blocks, [], HEADER)


@pytest.mark.parametrize(("text", "blocks", "strays"), BROKEN.values(), ids=BROKEN)
def test_a_broken_block_is_stray_and_reading_goes_on_behind_it(
    text: str, blocks: list[Place], strays: list[tuple[int, int]]
) -> None:
    assert (blocks_of(text), strays_of(text), header_of(text)) == (blocks, strays, HEADER)


@pytest.mark.parametrize(("text", "lines"), PROSE_AS_BYLINE.values(), ids=PROSE_AS_BYLINE)
def test_prose_in_the_bylines_place_is_quarantined_and_makes_no_paper(text: str, lines: tuple[int, int]) -> None:
    staged = stage([parsed(text)])
    assert staged.blocks["title"].to_list() == ["On Bells", "On Ropes"]
    assert staged.quarantine.select("line_start", "line_end", "rule_ids").rows() == [(*lines, '["BLK-002"]')]


def test_a_badge_in_the_bylines_place_makes_nobody_and_swallows_no_block() -> None:
    lines = SOUND.replace("\n\n", "\n").split("\n")
    del lines[14:16]
    staged = stage([parsed("\n".join(lines))])
    assert staged.blocks["title"].to_list() == ["On Bells", "On Ropes"]


@pytest.mark.parametrize("byline", ["2024", "-", "1, 2 et al."])
def test_a_byline_without_a_letter_makes_nobody(byline: str) -> None:
    staged = stage([parsed(damaged({22: [byline]}))])
    assert staged.blocks["title"].to_list() == ["On Bells", "On Ropes"]


@pytest.mark.parametrize(("number", "line"), ODD_LINES.values(), ids=ODD_LINES)
def test_an_odd_line_stays_one_line_as_printed(number: int, line: str) -> None:
    block = parsed(damaged({number: [line]})).blocks[1]
    expected = {20: LINES[19], 22: LINES[21], 24: LINES[23]} | {number: line}
    assert {20: block.title, 22: block.byline, 24: block.abstract} == expected
    assert (block.line_start, block.byline_line, block.abstract_line, block.line_end) == (19, 22, 24, 24)


def test_a_physics_badge_starts_a_block() -> None:
    assert parsed(SOUND).blocks[1].badge == "med-phMay 1, 2024"


def test_an_abstract_ends_at_its_first_blank_line() -> None:
    page = parsed(damaged({24: ["They", "stand.", "", "And lean."]}))
    assert page.blocks[1].abstract == "They\nstand."
    assert [page.raw(stray.line_start, stray.line_end) for stray in page.strays] == ["And lean."]


def test_equal_short_abstracts_are_no_part_of_the_site() -> None:
    blocks = [f"CLMay {day}, 2024\nOn {day}\n\nAnn Bell\n\nThey ring\nall day" for day in range(1, 6)]
    page = parsed("\n\n".join(["Ann Bell", "CL", "5 Papers", *blocks]))
    assert [block.abstract for block in page.blocks] == ["They ring\nall day"] * 5


def test_an_empty_abstract_has_no_line() -> None:
    block = parsed(damaged({24: [""]})).blocks[1]
    assert (block.abstract, block.abstract_line) == ("", None)


def test_a_badge_that_starts_no_block_stays_in_the_abstract() -> None:
    text = damaged({24: ["They", "CLMay 1", "", "stand."]})
    assert parsed(text).blocks[1].abstract == "They\nCLMay 1"


def test_blocks_in_a_line_too_long_are_still_read_as_blocks() -> None:
    long = "x" * (LONGEST_LINE + 1)
    staged = stage([parsed(damaged({24: [long]}))])
    assert staged.blocks["title"].to_list() == ["On Bells", "On Ropes"]
    assert staged.quarantine.select("line_start", "line_end", "rule_ids").row(0) == (19, 24, '["BLK-004"]')


@pytest.mark.parametrize(("parts", "lines"), RENDERED.values(), ids=RENDERED)
def test_a_block_is_read_and_written_back(parts: tuple[str, str, str, str], lines: list[str]) -> None:
    (block,), _ = BlockReader(lines).read(None)
    assert (block.badge, block.title, block.byline, block.abstract) == parts
    assert (block.line_start, block.line_end) == (1, len(lines))
    assert render_block(*parts, len(lines)) == lines


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_is_read_in_linear_time(lines: list[str]) -> None:
    with cpu_limit(5):
        BlockReader(lines).read("Ann Bell")


def test_long_gaps_within_a_line_take_no_time() -> None:
    with cpu_limit(2):
        parsed(f"{PAGE_START}They ringé{' ' * 300_000}at every hour.")


PAGE_START = "Ann Bell\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell\n\n"
