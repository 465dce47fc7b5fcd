"""Values far beyond real ones: at the bound they are rows, beyond it quarantine, and the page comes back whole."""

from collections.abc import Callable

import pytest
from helpers import assert_accounted, cpu_limit

from schemas import Frames
from schemas.limits import (
    ABSTRACT_LETTERS,
    BADGE_LETTERS,
    BYLINE_LETTERS,
    BYLINE_NAMES,
    BYLINE_TAGS,
    HEADER_LETTERS,
    LONGEST_LINE,
    LONGEST_RUN,
    MOST_RETURNS,
    SHOWN_LETTERS,
    TAG_LETTERS,
    TITLE_LETTERS,
    URL_LETTERS,
)

HEADER = "Ann Bell\n\nCL\nh-index1\n2papers\n\n2 Papers"
GOOD = "CLMay 9, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at noon, and often."
SPARE = len("Ann Bell, ")


def page(
    badge: str = "CLMay 1, 2024", title: str = "On Ropes", byline: str = "Ann Bell", abstract: str = "They hang."
) -> str:
    """A page of a sound block and one of these parts."""
    return f"{HEADER}\n\n{GOOD}\n\n{badge}\n{title}\n\n{byline}\n\n{abstract}"


def letters(count: int) -> str:
    """A text of words, of so many letters."""
    return ("bell " * (count // 5 + 1))[: count - 1] + "s"


def names(count: int) -> str:
    """So many different names that are short."""
    return ", ".join(f"A{chr(97 + one % 26)} B{chr(97 + one // 26 % 26)}{chr(97 + one // 676)}" for one in range(count))


BOUNDS: dict[str, tuple[Callable[[int], str], int, str]] = {
    "title": (lambda size: page(title=letters(size)), TITLE_LETTERS, "letters of the title"),
    "names": (lambda size: page(byline=names(size)), BYLINE_NAMES, "names in the byline"),
    "institutions": (
        lambda size: page(byline="Ann Bell · " + ", ".join(f"lab {one}" for one in range(size))),
        BYLINE_TAGS,
        "institutions behind the byline",
    ),
    "abstract": (lambda size: page(abstract=letters(size)), ABSTRACT_LETTERS, "letters of the abstract"),
    "lines of an abstract": (
        lambda size: page(abstract="a\n" * (size // 2 - 1) + "."),
        ABSTRACT_LETTERS,
        "letters of the abstract",
    ),
    "badge": (
        lambda size: page(badge="CL\nMay 1, 2024" + "\nCode" * ((size - 14) // 5)),
        BADGE_LETTERS,
        "letters of the badge",
    ),
}
"""For each part a page with a part of about such a size, the bound, and what it bounds."""


def reasons(tables: Frames) -> list[tuple[str, str]]:
    return list(tables["quarantine"].select("rule_ids", "reason").iter_rows())


@pytest.mark.parametrize(("make", "bound", "what"), BOUNDS.values(), ids=BOUNDS)
def test_a_part_at_its_bound_is_a_row_and_one_beyond_it_is_quarantined(
    make: Callable[[int], str], bound: int, what: str
) -> None:
    tables = assert_accounted(make(bound))
    assert (reasons(tables), tables["papers"].height) == ([], 2)
    beyond = assert_accounted(make(bound + 5))
    ((rules, reason),) = reasons(beyond)
    assert rules == '["BLK-004"]'
    assert reason.startswith(f"longer than any paper's: {what}: ")
    assert reason.endswith(f", expected at most {bound:,}")
    assert beyond["papers"]["title"].to_list() == ["On Bells"]


def test_a_byline_too_long_to_be_read_is_told_by_its_length_alone() -> None:
    byline = "Ann Bell, " * (BYLINE_LETTERS // SPARE + 1)
    reason = (
        f"longer than any paper's: letters of the byline: {len(byline.strip()):,}, expected at most {BYLINE_LETTERS:,}"
    )
    assert reasons(assert_accounted(page(byline=byline))) == [('["BLK-004"]', reason)]


def test_a_block_of_too_much_white_space_is_quarantined_in_rows_that_the_site_can_show() -> None:
    gap = f"\n{' ' * 1000}" * 2000
    tables = assert_accounted(page(title=f"On Ropes{gap}", byline=f"Ann Bell{gap}"))
    assert {rules for rules, _ in reasons(tables)} == {'["BLK-004"]'}
    assert tables["papers"]["title"].to_list() == ["On Bells"]
    sizes = tables["quarantine"]["raw_text"].str.len_bytes().to_list()
    assert max(sizes) <= LONGEST_RUN
    assert len(sizes) == 3
    assert tables["findings"].filter(rule_id="PAG-009").is_empty()


def test_lines_that_belong_to_no_paper_are_in_rows_that_the_site_can_show() -> None:
    stray = "\n".join(["x" * 1000] * 4000)
    tables = assert_accounted(f"{HEADER}\n\n{GOOD}\n\n{stray}")
    assert tables["quarantine"]["raw_text"].str.len_bytes().max() <= LONGEST_RUN
    assert tables["quarantine"].height == 3
    value = tables["findings"].filter(rule_id="PAG-004")["value"][0]
    assert value == "x" * SHOWN_LETTERS


def test_fifty_long_titles_cost_fifty_papers_and_no_other() -> None:
    blocks = [
        f"CLMay {day % 28 + 1}, 2024\n{'a ' * (LONGEST_LINE // 2 - 9)}{day}\n\nEve Fox\n\nThey ring."
        for day in range(50)
    ]
    with cpu_limit(30):
        tables = assert_accounted("\n\n".join([HEADER, GOOD, *blocks]))
    assert (tables["papers"].height, tables["quarantine"].height) == (1, 50)
    assert max(len(value) for value in tables["findings"]["value"]) <= SHOWN_LETTERS


def test_an_institution_too_long_to_be_one_costs_no_paper() -> None:
    prose = letters(TAG_LETTERS + 1)
    tables = assert_accounted(page(byline=f"Ann Bell · mila, {prose}"))
    assert tables["papers"].height == 2
    assert tables["institutions"]["name"].to_list() == ["mila"]
    assert tables["variants"].filter(field="byline")["value"].to_list() == [f"Ann Bell · mila, {prose}"]


def test_an_address_too_long_to_be_one_stays_in_the_abstract() -> None:
    address = f"https://bells.example/{'a' * URL_LETTERS}"
    tables = assert_accounted(page(abstract=f"See {address} and https://bells.example/b."))
    assert tables["links"]["url"].to_list() == ["https://bells.example/b"]
    assert tables["papers"]["abstract"].str.contains(address, literal=True).any()


def test_the_addresses_of_the_longest_abstract_are_rows() -> None:
    abstract = " ".join(f"ftp://a.b/{one}" for one in range(ABSTRACT_LETTERS // 15))
    with cpu_limit(5):
        assert assert_accounted(page(abstract=abstract))["links"].height == ABSTRACT_LETTERS // 15


@pytest.mark.parametrize("lines", [1, 40])
def test_a_header_ends_before_it_is_longer_than_any(lines: int) -> None:
    """The owner's name is read, lines within the bound are kept as unknown ones, and the rest is quarantined."""
    menu = "\n".join(["x" * (HEADER_LETTERS // lines)] * lines)
    text = page().replace("h-index1", f"h-index1\n{menu}", 1)
    tables = assert_accounted(text)
    (profile,) = tables["profiles"].iter_rows(named=True)
    assert (profile["name"], profile["h_index"], profile["stated_papers"]) == ("Ann Bell", 1, None)
    assert len(profile["header"]) <= HEADER_LETTERS
    assert [rules for rules, _ in reasons(tables)] == ['["PAG-004"]']
    assert tables["papers"].height == 2


def test_an_unknown_line_of_a_header_is_kept_and_shown_in_part() -> None:
    tables = assert_accounted(page().replace("h-index1", "h-index1\n" + "x" * 10_000, 1))
    assert "x" * 10_000 in tables["profiles"]["header"].item()
    assert tables["findings"].filter(rule_id="PAG-005")["value"].item() == "x" * SHOWN_LETTERS
    assert tables["profiles"]["stated_papers"].item() == 2


def test_a_block_keeps_the_lines_of_carriage_returns_behind_it_up_to_a_bound() -> None:
    tables = assert_accounted(page() + "\n\r" * (2 * MOST_RETURNS) + "\nend")
    assert tables["papers"].height == 2
    assert [rules for rules, _ in reasons(tables)] == ['["PAG-004"]']


def test_further_headers_are_told_up_to_a_bound() -> None:
    further = "Eve Fox\n\nLG\nh-index4\n8papers\n\n1 Papers\n\n" * 500
    tables = assert_accounted(f"{HEADER}\n\n{GOOD}\n\n{further}")
    assert tables["findings"].filter(rule_id="PAG-012").height < 120
