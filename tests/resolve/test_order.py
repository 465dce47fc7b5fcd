"""Whatever the order of pages, batches and overrides: the same tables."""

from collections.abc import Sequence
from datetime import date

import pytest
from helpers import parsed
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page

from etl.extract.page import ParsedPage
from etl.resolve.overrides import Overrides
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.findings import validate
from etl.validate.staging import combine, stage
from schemas import Frames

NAMES = [
    "Ann Bell",
    "Ann B. Bell",
    "ANN BELL",
    "A. Bell",
    "Ann-Bell",
    "Inês Böll",
    "Ines Boll",
    "Cy Dole",
    "李伟",
    "Eve Fox",
]
BADGES = ["CLMay 1, 2024", "CVMay 1", "STMay 1, 2023Code", "AGMay 2, 2024"]
SAME = (("Eve Fox", "李伟"), ("Cy Dole", "Nobody"), ("Eve Fox", "Inês Böll"), ("李伟", "Inês Böll"))
DIFFERENT = (("ANN BELL", "Ann B. Bell"), ("Cy Dole", "Ann-Bell"), ("Eve Fox", "Eve Fox"))

bylines = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(", ".join)
blocks = st.builds(
    block,
    st.builds(str.__add__, bylines, st.sampled_from(["", " et al.", " · mila", " · Mila, acme"])),
    st.sampled_from(BADGES),
    st.sampled_from(["On Bells", "On bells", "Ropes"]),
    st.sampled_from(["They ring.", "They hang.", "See http://a.example."]),
)
pages = st.builds(
    lambda owner, blocks: page(owner, *blocks), st.sampled_from(NAMES), st.lists(blocks, min_size=1, max_size=4)
)
days = st.sampled_from([None, date(2026, 1, 1), date(2026, 6, 1)])


def built(batches: Sequence[Sequence[ParsedPage]], overrides: Overrides) -> Frames:
    staged = combine([stage(batch) for batch in batches])
    return validate(
        resolve(staged.profiles, settle(list_papers(staged.profiles, staged.blocks, overrides), overrides), overrides),
        staged,
        overrides,
    )


def differing(some: Frames, other: Frames) -> list[str]:
    return [name for name, frame in some.items() if not frame.equals(other[name])]


def try_orders(data: st.DataObject) -> None:
    saved = data.draw(st.lists(st.tuples(pages, days), min_size=2, max_size=4))
    read = [parsed(text, f"p{number}.txt", day) for number, (text, day) in enumerate(saved)]
    straight = built([read], Overrides(SAME, DIFFERENT, "people.toml", "0" * 64))
    shuffled = data.draw(st.permutations(read))
    cut = data.draw(st.integers(1, len(read) - 1))
    same = data.draw(st.permutations([tuple(data.draw(st.permutations(group))) for group in SAME]))
    different = data.draw(st.permutations([group[::-1] for group in DIFFERENT]))
    overrides = Overrides(tuple(same), tuple(different), "people.toml", "0" * 64)
    assert differing(straight, built([shuffled[:cut], shuffled[cut:]], overrides)) == []


@settings(deadline=None, derandomize=True, database=None, max_examples=5)
@given(st.data())
def test_the_order_of_pages_batches_and_overrides_changes_nothing(data: st.DataObject) -> None:
    try_orders(data)


@pytest.mark.slow
@settings(deadline=None, database=None, max_examples=100)
@given(st.data())
def test_no_order_of_pages_batches_and_overrides_changes_anything(data: st.DataObject) -> None:
    try_orders(data)
