"""Bylines: read and written back, read in other forms where the meaning is plain, and refused where it is not."""

import pytest
from helpers import cpu_limit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etl.extract.byline import (
    Byline,
    is_full_name,
    is_group,
    is_name,
    is_same_person,
    is_suffix,
    parse_byline,
    render_byline,
)
from schemas.limits import BYLINE_LETTERS

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
    "Tower Collaboration, Ann Bell et al.": Byline(("Tower Collaboration", "Ann Bell"), True, ()),
    "Gal·la Bell": Byline(("Gal·la Bell",), False, ()),
    "阿里·买买提": Byline(("阿里·买买提",), False, ()),
    "zhiyu bell, eve": Byline(("zhiyu bell", "eve"), False, ()),
    "Department of Bells and Towers": Byline(("Department of Bells and Towers",), False, ()),
    "AT&T Lab": Byline(("AT&T Lab",), False, ()),
}
TWO = Byline(("Ann Bell", "Cy Dole"), False, ())
TWO_CUT = Byline(("Ann Bell", "Cy Dole"), True, ())
THREE = Byline(("Ann Bell", "Cy Dole", "Eve Fox"), False, ())
OTHER_FORMS = {
    "Ann Bell,  Cy Dole": TWO,
    "Ann Bell,Cy Dole": TWO,
    "Ann Bell,\tCy Dole": TWO,
    " Ann Bell, Cy Dole \r": TWO,
    "Ann\u00a0Bell,\u2009Cy\u200b Dole": TWO,
    "Ann Bell, , Cy Dole,": TWO,
    "Ann Bell , Cy Dole": TWO,
    "Ann Bell and Cy Dole": TWO,
    "Ann Bell AND Cy Dole": TWO,
    "Ann Bell, and Cy Dole": TWO,
    "Ann Bell & Cy Dole": TWO,
    "Ann Bell &amp; Cy Dole": TWO,
    "Ann Bell&Cy Dole": TWO,
    "Ann Bell; Cy Dole": TWO,
    "Ann Bell，Cy Dole": TWO,
    "Ann Bell、Cy Dole": TWO,
    "Ann Bell، Cy Dole": TWO,
    "Ann Bell • Cy Dole": TWO,
    "Ann Bell•Cy Dole": TWO,
    "Ann Bell·Cy Dole": TWO,
    "Ann Bell | Cy Dole": TWO,
    "By Ann Bell, Cy Dole": TWO,
    "by: Ann Bell, Cy Dole": TWO,
    "Authors: Ann Bell, Cy Dole": TWO,
    "Ann Bell, Cy Dole.": TWO,
    "Bell, Ann; Dole, Cy": TWO,
    "Bell, Ann and Dole, Cy": TWO,
    "Ann Bell, :, Cy Dole": TWO._replace(groups=("Ann Bell",)),
    "Ann Bell: Cy Dole": TWO._replace(groups=("Ann Bell",)),
    "Ann Bell / Cy Dole": TWO,
    "Ann Bell – Cy Dole": TWO,
    "Ann Bell\tCy Dole": TWO,
    "Ann Bell  Cy Dole": TWO,
    "Ann Bell1, Cy Dole2": TWO,
    "Ann Bell¹, Cy Dole*†": TWO,
    "Ann Bell (1), Cy Dole [2]": TWO,
    "1 Ann Bell, 2 Cy Dole": TWO,
    "Ann Bell (Tower Lab), Cy Dole (MIT)": TWO,
    "Written by Ann Bell, Cy Dole": TWO,
    "- Ann Bell, Cy Dole": TWO,
    "Bell, A. & Dole, C.": Byline(("A. Bell", "C. Dole"), False, ()),
    "Ann Bell · Cy Dole · Eve Fox": THREE,
    "Ann Bell · Cy Dole et al.": TWO_CUT,
    "Ann Bell, Cy Dole et al .": TWO_CUT,
    "Ann Bell, Cy Dole et al.;": TWO_CUT,
    "Ann Bell, Cy Dole et al.†": TWO_CUT,
    "(Ann Bell, Cy Dole et al.)": TWO_CUT,
    "Ann Bell, Cy Dole et al. Show more": TWO_CUT,
    "Ann Bell, Cy Dole et alii": TWO_CUT,
    "Ann Bell, Cy Dole等": TWO_CUT,
    "Ann Bell, Cy Dole (5 more)": TWO_CUT,
    "Ann Bell, Cy Dole [+5]": TWO_CUT,
    "Ann Bell, Cy Dole, 12 more": TWO_CUT,
    "Ann Bell, Cy Dole and twelve others": TWO_CUT,
    "Ann Bell, Cy Dole and 1,204 others": TWO_CUT,
    "Ann Bell, Cy Dole et al.· mila": Byline(("Ann Bell", "Cy Dole"), True, ("mila",)),
    "Ann Bell, Cy Dole et al. | mila": Byline(("Ann Bell", "Cy Dole"), True, ("mila",)),
    "Ann Bell, Cy Dole et al. (mila)": Byline(("Ann Bell", "Cy Dole"), True, ("mila",)),
    "Tower Team and Ann Bell and Cy Dole": Byline(("Tower Team", "Ann Bell", "Cy Dole"), False, ()),
    "Tower collaboration., Ann Bell": Byline(("Tower collaboration", "Ann Bell"), False, ()),
    "Ann Bell, ann@bell.org, unknown": Byline(("Ann Bell",), False, (), ("ann@bell.org", "unknown")),
    "Ann Bell\u200e, \u202bCy Dole\u202c": TWO,
    "Ann Bell and Cy Dole, Eve Fox": THREE,
    "Ann Bell, Cy Dole and Eve Fox": THREE,
    "Ann Bell, Cy Dole & Eve Fox": THREE,
    "Ann Bell, Cy Dole et\u00a0al.": TWO_CUT,
    "Ann Bell, Cy Dole ET AL.": TWO_CUT,
    "Ann Bell, Cy Dole Et Al": TWO_CUT,
    "Ann Bell, Cy Dole et. al.": TWO_CUT,
    "Ann Bell, Cy Dole, et al.": TWO_CUT,
    "Ann Bell, Cy Dole,et al.": TWO_CUT,
    "Ann Bell, Cy Dole +5 more": TWO_CUT,
    "Ann Bell, Cy Dole, +5": TWO_CUT,
    "Ann Bell, Cy Dole and 12 others": TWO_CUT,
    "Ann Bell, Cy Dole, and 1 other": TWO_CUT,
    "Ann Bell, Cy Dole & 12 more authors": TWO_CUT,
    "Ann Bell, Cy Dole and others": TWO_CUT,
    "Ann Bell, Cy Dole…": TWO_CUT,
    "Ann Bell, Cy Dole, ...": TWO_CUT,
    "Ann Bell,  et al. · mila,lab": Byline(("Ann Bell",), True, ("mila", "lab")),
    "Ann Bell et al.·mila": Byline(("Ann Bell",), True, ("mila",)),
    "Ann Bell et al. • mila": Byline(("Ann Bell",), True, ("mila",)),
    "Ann Bell, Cy Dole·mila": Byline(("Ann Bell", "Cy Dole"), False, ("mila",)),
    "Ann Bell•mila": Byline(("Ann Bell",), False, ("mila",)),
    "Ann Bell • Cy Dole · mila": Byline(("Ann Bell", "Cy Dole"), False, ("mila",)),
    "Cy Dole,Jr": Byline(("Cy Dole, Jr",), False, ()),
    "Jr., Ann Bell": Byline(("Jr.", "Ann Bell"), False, ()),
    "TOWER, :, Ann Bell et al.": Byline(("TOWER", "Ann Bell"), True, (), (), ("TOWER",)),
    "Towerfuse, Ding Team, : et al.": Byline(("Towerfuse", "Ding Team"), True, (), (), ("Towerfuse", "Ding Team")),
    "The Tower Collaboration: Ann Bell": Byline(
        ("The Tower Collaboration", "Ann Bell"), False, (), (), ("The Tower Collaboration",)
    ),
    "The Tower Team and the Bell Group": Byline(("The Tower Team", "the Bell Group"), False, ()),
    "1, Ann Bell, *": Byline(("Ann Bell",), False, ()),
    "M&uuml;ller Bell, Eve O&#39;Fox": Byline(("M&uuml;ller Bell", "Eve O&#39;Fox"), False, ()),
    "Ann Bell, " + "x" * 101: Byline(("Ann Bell",), False, (), ("x" * 101,)),
    "Ann Bell, Cy Dole, who rang the bells of the tower.": Byline((), False, ()),
    "Ann Bell ·": Byline(("Ann Bell",), False, ()),
    "et al.": Byline((), True, ()),
    "· mila": Byline((), False, ("mila",)),
    "et al. · mila": Byline((), True, ("mila",)),
    "": Byline((), False, ()),
    " , ,, ": Byline((), False, ()),
    "2024": Byline((), False, ()),
}
NOBODY = {
    "a sentence": "They ring at every full hour.",
    "a short sentence": "They ring.",
    "a sentence with commas": "Bells ring, and towers stand.",
    "a title in small letters": "Neural scaling of deep networks",
    "an unfinished abstract": "We study how bells ring in the towers of Bellham, Doleton and",
    "dots that tell nothing": "Ann·Bell",
    "a tag or a name": "Ann Bell • Tower Lab",
    "too long": "Ann Bell, " * (BYLINE_LETTERS // 10 + 1),
}
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
    "an unknown figure": "2.1k stars",
    "a figure with a colon": "h-index: 4",
    "a share": "Top 1% researcher",
}
PIECES = [
    "Ann",
    "Bell",
    " ",
    " ",
    ", ",
    ",",
    " et al.",
    " · ",
    "Jr.",
    "III",
    "\t",
    "\r",
    "\u00a0",
    "é",
    ".",
    ":",
    ";",
    "•",
]
SEPARATORS = (",", ";", "&", "，", "、", "،", "•", "|", ":")
HOSTILE = {
    "spaces": ("A", " ", "B"),
    "suffixes": ("A", ", II", ""),
    "commas": ("A", ", ", "B"),
    "et al": ("A", " et al", ""),
    "ands": ("A b", " and ", "c"),
    "tags": ("A", " · ", "b"),
    "bullets": ("A", "•", "b"),
    "dots": ("A", "·", "b"),
    "colons": ("A", ":", "b"),
    "inverted": ("", "A, b; ", ""),
    "entities": ("A", "&amp;", "b"),
    "ellipses": ("A", "…", ""),
}


@pytest.mark.parametrize("line", BYLINES)
def test_a_byline_is_read_and_written_back(line: str) -> None:
    assert parse_byline(line) == BYLINES[line]
    assert render_byline(BYLINES[line]) == line


@pytest.mark.parametrize("line", OTHER_FORMS)
def test_a_byline_in_another_form_is_read_all_the_same(line: str) -> None:
    assert parse_byline(line) == OTHER_FORMS[line]


@pytest.mark.parametrize("line", NOBODY.values(), ids=NOBODY)
def test_what_is_no_byline_names_nobody(line: str) -> None:
    assert parse_byline(line).names == ()


def test_one_odd_item_costs_no_name() -> None:
    read = parse_byline("Ann Bell, with an appendix by Cy Dole, Eve Fox")
    assert (read.names[0], read.names[-1]) == ("Ann Bell", "Eve Fox")


def test_a_long_odd_item_costs_no_name() -> None:
    people = "Konstantina Archibald-Bellington, Maximiliana Oberdole, Bartholomea Fox-Featherstone, Zoe Wren"
    behind = (
        "on behalf of the many people of the bell tower project who ring at every full hour of the day and of the night"
    )
    read = parse_byline(
        f"{people}, {behind} and who look after the ropes and the wheels when they are worn out by use and by rain"
    )
    assert read.names == tuple(people.split(", "))


@pytest.mark.parametrize("word", ["Jr", "Jr.", "Sr.", "II", "III", "IV", "PhD", "Ph.D.", "M.D.", "MD"])
def test_a_suffix_belongs_to_the_name_before_it(word: str) -> None:
    assert is_suffix(word)
    assert parse_byline(f"Ann Bell, {word}, Cy Dole").names == (f"Ann Bell, {word}", "Cy Dole")


@pytest.mark.parametrize("word", ["", "I", "jr.", "Jr. Bell", "Junior", "Bell", "V"])
def test_other_words_are_no_suffix(word: str) -> None:
    assert not is_suffix(word)


@pytest.mark.parametrize("text", NAMES)
def test_a_name_is_one(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", NO_NAMES.values(), ids=NO_NAMES)
def test_what_cannot_be_one_name_is_none(text: str) -> None:
    assert not is_name(text)


def test_groups_are_told_from_people_by_a_word() -> None:
    groups = ["The Tower Collaboration", "Tower-Team", "Bell Labs", "the Bell and Dole Project", "Bell Inc."]
    assert [name for name in groups if not is_group(name)] == []
    assert [name for name in ("Ann Bell", "C. Group", "TOWER", "Team-Bell") if is_group(name)] == []


def test_full_names_have_no_small_words_but_particles() -> None:
    names = ["Ann Bell", "Ann van der Bell", "A. B. Bell", "Ève d'Arc"]
    assert [name for name in names if not is_full_name(name)] == []
    assert [name for name in ("Bell", "Show more", "A Study of Bells", "On Bells") if is_full_name(name)] == []


def test_spellings_of_one_person_share_initial_and_last_word() -> None:
    assert is_same_person("Ève Fox", "E. B. Fox")
    assert not is_same_person("Eve Fox", "Ann Fox")
    assert not is_same_person("Eve Fox", "")


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("A et al. et al.")
@example("A · b · c")
@example("AAA. ET A")
@example("A...,")
def test_writing_a_byline_keeps_what_was_read(line: str) -> None:
    byline = parse_byline(line)
    if byline.names and not any("·" in part or "et al" in part for part in (*byline.names, *byline.tags)):
        again = parse_byline(render_byline(byline))
        assert (again.names, again.truncated) == (byline.names, byline.truncated)


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=30) | st.lists(st.sampled_from([*PIECES, *SEPARATORS]), max_size=12).map("".join))
def test_no_separator_becomes_part_of_a_person(line: str) -> None:
    for name in parse_byline(line).names:
        bare = name.replace(", ", "") if any(map(is_suffix, name.split(", ")[1:])) else name
        assert not any(mark in bare for mark in (",", "，", "、", "،", "•", "|", ";", ":")) or "&" in bare


@pytest.mark.parametrize("pieces", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("size", [BYLINE_LETTERS // 6, 300_000])
def test_a_hostile_line_is_read_in_linear_time(pieces: tuple[str, str, str], size: int) -> None:
    line = pieces[0] + pieces[1] * size + pieces[2]
    with cpu_limit(1):
        parse_byline(line[:BYLINE_LETTERS])
        parse_byline(line)
        is_name(line)


@pytest.mark.parametrize(
    "line",
    [
        "The number 1000000000000000000000000000057 is prime",
        f"Cy Dole {'#' * 60}x, Ann Bell",
        f"Rings {'*' * 5000} and {'1' * 5000}.",
        f"Ann Bell{' (1)' * 5000}x",
        f"Ann Bell{' , 1' * 5000}x",
    ],
)
def test_marks_of_notes_take_time_that_grows_with_their_number_alone(line: str) -> None:
    with cpu_limit(1):
        parse_byline(line)
