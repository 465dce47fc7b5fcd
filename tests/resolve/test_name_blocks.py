"""Who is who does not depend on where names are read and compared, as long as each block is in one place."""

from collections.abc import Callable
from string import ascii_uppercase

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import listed
from polars.testing import assert_frame_equal

from etl.engine.embedded import Processes
from etl.extract.byline import parse_byline
from etl.resolve import name_blocks
from etl.resolve.authors import NameEvidence, People, resolve_authors
from etl.resolve.name_blocks import Shuffle, in_one_place
from etl.resolve.overrides import Overrides, PersonOverride
from etl.resolve.persons import owner_key, parted_key

GIVEN = ("Ann", "ANN", "A.", "Ann B.", "Ann Beth", "A. B.", "Ann C.", "An-n", "Cy", "李")
FAMILY = ("Bell", "Béll", "De Smet", "DeSmet", "Smet", "O", "伟", "***", "Jr.")
NAMES = st.builds("{} {}".format, st.sampled_from(GIVEN), st.sampled_from(FAMILY)) | st.sampled_from(
    ["李伟", "Plato", "Tower Lab", "The Tower Lab", "tower lab", "?", "!"]
)
BYLINES = st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.none() | NAMES), max_size=8)


def scattered(parts: int) -> Shuffle:
    """A shuffle over so many places, each of which has its rows in another order; places without rows too."""

    def shuffle(
        function: Callable[[pl.DataFrame], pl.DataFrame], rows: pl.DataFrame, key: str, _: int, schema: pl.Schema
    ) -> pl.DataFrame:
        of_row = pl.col(key).hash(seed=parts) % parts
        some = [rows.filter(of_row == part).reverse() for part in reversed(range(parts))]
        return pl.concat([function(one).match_to_schema(schema) for one in some]).reverse()

    return shuffle


def people(bylines: list[tuple[list[str], str | None]], shuffle: Shuffle) -> People:
    """Who is who, with an owner, a group and overrides of each kind."""
    entry = PersonOverride("Ann Bell", 1, name_as="Ann Bell (ringer)", papers=("p1",))
    renamed = PersonOverride("Cy Bell", 2, given="Cyril")
    overrides = Overrides(
        persons=(entry, renamed), same=(("Ann B. Bell", "Ann Béll"),), different=(("Ann Bell", "ANN Bell"),)
    )
    marked = [parted_key("Ann Bell", entry.mark), owner_key("A. Bell", "Ann Beth Bell")]
    every = [name for names, owner in bylines for name in (*names, owner) if name]
    known = NameEvidence(frozenset({"Tower Lab"}), {("Ann Bell", "Ann C. Bell"): "her page"})
    return resolve_authors(listed(*bylines), pl.Series([*every, *marked]), overrides, known, shuffle)


@given(BYLINES, st.integers(1, 7))
def test_who_is_who_does_not_depend_on_the_places_nor_on_the_order_of_rows(
    bylines: list[tuple[list[str], str | None]], parts: int
) -> None:
    whole, apart = (vars(people(bylines, shuffle)) for shuffle in (in_one_place, scattered(parts)))
    for table, frame in whole.items():
        assert_frame_equal(frame, apart[table], check_row_order=False)


def test_workers_find_the_same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    for rows in ("_READ_ROWS", "_ALIKE_ROWS", "_COMPARED_ROWS"):
        monkeypatch.setattr(name_blocks, rows, 2)
    bylines = [
        (list(parse_byline(one).names), "Eve Fox") for one in ("Eve Bell, Cy Dole", "Eve Bell, Cy B. Dole", "C. Dole")
    ]
    whole, apart = (vars(people(bylines, shuffle)) for shuffle in (in_one_place, Processes(2).shuffle_map))
    assert whole["author_names"].filter(name="Cy Dole")["matched_by"].to_list() == ["fuller_name"]
    assert whole["merge_candidates"].select("author_id", "matched_by").rows() == [("c-dole", "initial")]
    for table, frame in whole.items():
        assert_frame_equal(frame, apart[table], check_row_order=False)


def test_sets_of_names_that_are_not_compared_come_in_the_order_of_all_their_names() -> None:
    """Which finding has which identifier depends on it."""
    full = [f"Eva A. {first}{second}x Bell" for first in ascii_uppercase for second in "abcde"]
    short = [f"E. A. {first}. {second}. Bell" for first in ascii_uppercase for second in ascii_uppercase][:119]
    found = resolve_authors(listed(), pl.Series([*full, *short, "É. A. Z. Z. Bell"]), Overrides()).uncompared
    assert found.select("name", "other", "names").rows() == [
        ("E. A. A. A. Bell", "É. A. Z. Z. Bell", 250),
        ("E. A. A. A. Bell", "É. A. Z. Z. Bell", 120),
        ("Eva A. Aax Bell", "Eva A. Zex Bell", 130),
    ]


def test_an_override_joins_no_key_with_a_mark_though_it_writes_one() -> None:
    key = owner_key("A. Bell", "Ann Bell")
    bylines = listed(([key, "Cy Dole"], None), ([key, "Eve Fox"], "Ann Bell"))
    every = pl.Series([key, "Ann Bell", "Cy Dole", "Eve Fox"])
    plain, written = (
        resolve_authors(bylines, every, one) for one in (Overrides(), Overrides(same=((key, "Cy Dole"),)))
    )
    assert_frame_equal(plain.author_names, written.author_names, check_row_order=False)
