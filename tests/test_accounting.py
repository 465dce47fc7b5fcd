"""The promise of the ledger, from text to tables: whatever a page says, each line is in one place and the page comes back."""

from datetime import date
from pathlib import Path

import pytest
from helpers import assert_accounted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ANN_BELL = (Path(__file__).parent / "data" / "ann-bell.txt").read_bytes().decode()
QUICK = settings(
    max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TOGETHER = 40
"""Pages that are built at once, so that their papers meet; checking one is hardly cheaper than checking forty."""
ALL, TENTH = 10_000, 1_000

BADGES = [
    "CLMar 14, 2025Code",
    "med-phOct 3, 2025",
    "CLMay 16",
    "LGFeb 29",
    "SPMay 1, 2024",
    "CVDec 1, 2024CodeDataset",
]
ODD_BADGES = [
    "CLFeb 30, 2024",
    "CLFeb 29, 9999",
    "CLMay 1, 0000",
    "zzJan 0",
    "CLMay 1, 2024 Code",
    "CLMay 1\r",
    "CL May 1",
]
TITLES = ["On Bells", "On Towers", "ON BELLS!", "李伟之钟", "What $x$ Is", "CLMay 3, 2024", "3 Papers", "1"]
ODD_TITLES = [
    "\u200b",
    "\u00a0",
    "On Bells\r",
    "a\x00b",
    "\u202eslleB nO",
    "On\u2028Bells",
    "x" * 3000,
    "\u0130",
    "[/b]",
]
BYLINES = [
    "Ann Bell",
    "Ann B. Bell, Cy Dole et al.",
    "Cy Dole, Jr., Ève Fox, 李伟 et al. · mila, Tower Lab",
    "Eve Fox, Ann Bell · Mila",
    "A. Bell, Cy Dole",
]
ODD_BYLINES = [
    "Ann Bell,  Cy Dole",
    "Cy Dole, Ann Bell, Cy Dole",
    "Eve Fox, Ève Fox",
    "et al.",
    "· mila",
    ", ,",
    "Jr.",
    "Ann Bell · !, mila, MILA",
    "Bells ring, and towers stand.",
    "-",
    "\u0301",
    "Ann Bell\r",
    "Dr. von Bell",
    "Bell, Ann",
]
ABSTRACTS = [
    "They ring.",
    "They ring",
    "It is $32\\times$ so, 15\\% of it.",
    "See https://example.org/a_b), and http://[x.",
]
ODD_ABSTRACTS = ["", " ", "\r", "They\u2028ring", "CLMay 1, 2024", "HTTP://\u202e.x https:// ftp://a.b"]
HEADS = ["Ann Bell", "Eve Fox", "CL", "h-index4", "3papers", "3 Papers", "1,204citations", "Novelty150%", "AI Score58"]
JUNK = [
    "",
    "",
    "",
    "",
    " ",
    "\t",
    "\r",
    "\ufeff",
    "\x00",
    "\u202e",
    "\x85",
    "2.1k stars",
    "h-index99999999999999999999",
]
DATES = [None, date(2026, 6, 1), date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)]

Paper = tuple[str, str, str, str]


def page_lines(papers: list[Paper], head: list[str]) -> list[str]:
    blocks = [
        line for badge, title, byline, abstract in papers for line in ("", badge, title, "", byline, "", abstract)
    ]
    return [*head, *blocks]


def hurt(lines: list[str], kind: str, at: int, other: int) -> list[str]:
    """The lines with one damage."""
    at, other = at % len(lines), other % len(lines)
    before, line, after = lines[:at], lines[at], lines[at + 1 :]
    swapped = list(lines)
    swapped[at], swapped[other] = lines[other], line
    return {
        "delete": before + after or [line],
        "duplicate": [*before, line, line, *after],
        "blank": [*before, "", *after],
        "swap": swapped,
        "join": [*before, line + "".join(after[:1]), *after[1:]],
        "cut": [*before, line[: other % (len(line) + 1)], *after],
        "stop": [*before, line],
    }[kind]


def damaged(lines: list[str], damages: list[tuple[str, int, int]], newline: str, end: str) -> str:
    for damage in damages:
        lines = hurt(lines or [""], *damage)
    return newline.join(lines) + end or "x"


def texts_of(lines: st.SearchStrategy[list[str]], most: int) -> st.SearchStrategy[str]:
    """Pages of such lines, with up to so many damages."""
    kinds = st.sampled_from(["delete", "duplicate", "blank", "swap", "join", "cut", "stop"])
    places = st.integers(0, 999)
    damages = st.lists(st.tuples(kinds, places, places), max_size=most)
    return st.builds(
        damaged, lines, damages, st.sampled_from(["\n", "\n", "\r\n"]), st.sampled_from(["", "", "\n", "\r"])
    )


def papers_of(
    badges: list[str], titles: list[str], bylines: list[str], abstracts: list[str]
) -> st.SearchStrategy[Paper]:
    return st.tuples(*map(st.sampled_from, (badges, titles, bylines, abstracts)))


ANY_TEXT = st.text(min_size=1) | st.lists(st.text(max_size=20), min_size=2).map("\n".join)
FRAGMENTS = st.sampled_from(
    [*BADGES, *ODD_BADGES, *TITLES, *ODD_TITLES, *BYLINES, *ODD_BYLINES, *ABSTRACTS, *ODD_ABSTRACTS, *HEADS] + JUNK * 3
)
HEADERS = st.lists(st.sampled_from(HEADS), max_size=9) | st.just(["Ann Bell", "", *HEADS[2:5], "", HEADS[5]])
SOUND_PAPER = papers_of(BADGES, TITLES, BYLINES, ABSTRACTS)
ODD_PAPER = papers_of(BADGES + ODD_BADGES, TITLES + ODD_TITLES, BYLINES + ODD_BYLINES, ABSTRACTS + ODD_ABSTRACTS)
TEXTS = {
    "any text": ANY_TEXT,
    "plausible lines": texts_of(st.lists(FRAGMENTS, min_size=1, max_size=25), 0),
    "damaged pages": texts_of(st.builds(page_lines, st.lists(SOUND_PAPER, max_size=6), HEADERS), 3),
    "odd pages": texts_of(st.builds(page_lines, st.lists(ODD_PAPER, max_size=6), HEADERS), 3),
}
DATED = st.sampled_from(DATES)


def account_for(texts: st.SearchStrategy[str], pages: int, **chosen: bool) -> int:
    """Draw so many pages, hold them to the promise, and tell how many those were."""
    held = 0

    @settings(QUICK, max_examples=pages // TOGETHER, **chosen)
    @given(st.lists(st.tuples(texts, DATED), min_size=TOGETHER, max_size=TOGETHER))
    def check(drawn: list[tuple[str, date | None]]) -> None:
        nonlocal held
        assert_accounted(*(text for text, _ in drawn), observed_on=[day for _, day in drawn])
        held += len(drawn)

    check()
    return held


def test_every_line_is_accounted_for_and_every_page_comes_back() -> None:
    assert account_for(st.one_of(*TEXTS.values()), TENTH) >= TENTH


@pytest.mark.slow
@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_every_line_of_ten_thousand_pages_is_accounted_for(texts: st.SearchStrategy[str]) -> None:
    pages = ALL // len(TEXTS) // TOGETHER * TOGETHER + TOGETHER
    assert account_for(texts, pages, derandomize=False) >= ALL // len(TEXTS)


@QUICK
@given(st.lists(SOUND_PAPER, max_size=6))
def test_a_sound_page_gives_exactly_its_papers(papers: list[Paper]) -> None:
    tables = assert_accounted("\n".join(page_lines(papers, HEADS[:1] + HEADS[2:6])))
    assert tables["quarantine"].height == 0
    assert tables["listings"]["badge"].to_list() == [badge for badge, *_ in papers]
    assert tables["listings"]["line_start"].to_list() == [7 + 7 * number for number in range(len(papers))]


@QUICK
@given(st.lists(st.tuples(SOUND_PAPER, st.sampled_from(BYLINES), st.sampled_from(ABSTRACTS)), min_size=1, max_size=4))
def test_pages_that_print_the_same_papers_differently_both_come_back(versions: list[tuple[Paper, str, str]]) -> None:
    first = page_lines([paper for paper, _, _ in versions], ["Ann Bell"])
    others = [
        (badge.split(",")[0], title.upper(), byline, abstract) for (badge, title, _, _), byline, abstract in versions
    ]
    tables = assert_accounted("\n".join(first), "\n".join(page_lines(others, ["Eve Fox"])))
    assert tables["listings"].height == 2 * len(versions)


@pytest.mark.parametrize("kind", ["delete", "blank", "duplicate"])
def test_damage_to_one_line_costs_at_most_the_block_around_it(kind: str) -> None:
    lines = ANN_BELL.split("\n")
    sound = dict(assert_accounted(ANN_BELL)["papers"].select("paper_id", "title").iter_rows())
    texts = sorted({"\n".join(hurt(lines, kind, at, 0)) for at in range(11, len(lines))})
    listings = assert_accounted(*texts)["listings"]
    assert set(listings["paper_id"]) == set(sound)
    counts = listings.group_by("profile_id").len()["len"]
    assert len(counts) == len(texts)
    assert counts.min() == len(sound) - 1


def test_every_damage_that_is_expected_comes_back() -> None:
    edits = [
        ("\n", "\r\n"),
        ("\n\n", "\n\n\n"),
        ("\n\n", "\n \n"),
        (", ", ",  "),
        (". ", ".\n"),
        ("Cy Dole", "Cy Dole, Cy Dole"),
        ("Bell", "Be\u2028ll"),
        ("Code", "Code\r"),
        ("Ann Bell", "\ufeffAnn Bell"),
    ]
    texts = [ANN_BELL.replace(old, new, times) for old, new in edits for times in (-1, 9)]
    tables = assert_accounted(*texts, ANN_BELL.replace("\n\n", "\n"), ANN_BELL + "\n", ANN_BELL[:-40])
    assert tables["profiles"].height == len(set(texts)) + 3
