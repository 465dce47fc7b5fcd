"""No damage makes a wrong row: what is read of a damaged page is compared, field by field, with the page as it was."""

from collections.abc import Iterable, Sequence

import pytest
from damage_kinds import ALL, HIT, OWNER, READ, Whole, invent
from helpers import assert_accounted, parsed

from etl.validate.staging import stage

Row = tuple[object, ...]
PAGES = [invent(seed) for seed in range(12)]
FIELDS = ("title", "names", "truncated", "tags", "code", "month", "day", "year", "flags", "abstract")


def rows(texts: Iterable[str]) -> list[list[Row]]:
    """The good blocks of each page, by their fields."""
    pages = [parsed(text) for text in texts]
    found: dict[str, list[Row]] = {page.page.profile_id: [] for page in pages}
    for profile_id, *row in stage(pages).blocks.select("profile_id", *FIELDS).iter_rows():
        found[profile_id].append(tuple(tuple(v) if isinstance(v, list) else v for v in row))
    return [found[page.page.profile_id] for page in pages]


@pytest.fixture(scope="module")
def sound() -> list[list[Row]]:
    """The good blocks of the pages before any damage."""
    return rows(page.text for page in PAGES)


def in_order(found: Sequence[Row], whole: Sequence[Row]) -> bool:
    """Whether all that was found stands in the whole, in its order."""
    rest = iter(whole)
    return all(row in rest for row in found)


@pytest.mark.parametrize("number", range(len(PAGES)))
def test_a_sound_page_says_what_was_printed(number: int, sound: list[list[Row]]) -> None:
    printed = [(block.title, block.abstract) for block in PAGES[number].blocks]
    assert [(row[0], row[-1]) for row in sound[number]] == printed
    assert parsed(PAGES[number].text).strays == ()


@pytest.mark.parametrize("kind", READ.values(), ids=READ)
def test_after_this_damage_every_row_is_as_it_was(kind: Whole, sound: list[list[Row]]) -> None:
    assert rows(map(kind, PAGES)) == sound


@pytest.mark.parametrize("name", [name for name in READ if name != "no header"])
def test_after_this_damage_the_owner_is_the_same(name: str) -> None:
    assert {parsed(READ[name](page)).header.values["name"].text for page in PAGES} == {OWNER}


@pytest.mark.parametrize("kind", HIT.values(), ids=HIT)
def test_a_damaged_block_is_read_as_it_was_or_not_at_all_and_its_neighbours_are_read(
    kind: Whole, sound: list[list[Row]]
) -> None:
    for whole, found in zip(sound, rows(map(kind, PAGES)), strict=True):
        assert in_order(found, whole)
        assert len(found) >= len(whole) - 1


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL)
def test_damage_to_all_blocks_makes_no_wrong_row(kind: Whole, sound: list[list[Row]]) -> None:
    for whole, found in zip(sound, rows(map(kind, PAGES)), strict=True):
        assert in_order(found, whole)


@pytest.mark.parametrize("part", range(6))
def test_damaged_pages_are_accounted_for_and_come_back(part: int) -> None:
    kinds = list((READ | HIT | ALL).values())[part::6]
    assert_accounted(*(kind(PAGES[number % len(PAGES)]) for number, kind in enumerate(kinds)))
