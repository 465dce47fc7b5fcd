"""Pairs of names that may be one person, and why they may."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, islice, product
from string import ascii_lowercase, ascii_uppercase

import polars as pl
import pytest
from helpers import cpu_limit
from hypothesis import given
from hypothesis import strategies as st
from invented import listed, rooted, together_of

from etl.resolve.authors import resolve_authors
from etl.resolve.candidate_pairs import (
    MOST_COMPARED,
    CandidatePair,
    CandidatePairs,
    Form,
    MiddleNameIndex,
    form_of,
)
from etl.resolve.coauthors import Coauthors, Together
from etl.resolve.names import compatible, read_name
from etl.resolve.overrides import Overrides

Pairs = set[tuple[str, str, str]]


def pairs(*names: str, bylines: tuple[list[str], ...] = (), roots: dict[str, str] | None = None) -> Pairs:
    """Who is like whom among names that are equal only where `roots` says so."""
    alike = CandidatePairs(form_of(read_name(name), (roots or {}).get(name, name)) for name in names)
    every = {*names, *chain.from_iterable(bylines)}
    coauthors = Coauthors(listed(*((byline, None) for byline in bylines)), rooted({name: name for name in every}))
    return {(pair.name, pair.other, pair.reason) for pair in alike.pairs(together_of(coauthors, every))}


ALIKE = [
    pytest.param("Ann B. Bell", "Ann Bell", "fuller_name", id="a middle initial more"),
    pytest.param("Ann Beth Bell", "Ann Bell", "fuller_name", id="a middle name more"),
    pytest.param("Ann B. Bell", "Ann Beth Bell", "fuller_name", id="a middle name for its initial"),
    pytest.param("Ann B. C. Bell", "Ann C. Bell", "fuller_name", id="a middle name before another"),
    pytest.param("A. B. Bell", "A. Bell", "fuller_name", id="an initial more behind an initial"),
    pytest.param(
        "Ann B. Carl Bell",
        "Ann Beth C. Bell",
        "fuller_name",
        id="each fuller in one middle name",
    ),
    pytest.param("Maria Garcia Lopez", "Maria Garcia-Lopez", "moved_border", id="a hyphen"),
    pytest.param("Ann O'Neil", "Ann O. Neil", "moved_border", id="an apostrophe"),
    pytest.param("Ann Bell", "Ann-Bell", "moved_border", id="one word"),
    pytest.param("A. Bell", "Ann Bell", "initial", id="an initial for a given name"),
    pytest.param("A. Bell", "Ann B. Bell", "initial", id="an initial for two given names"),
    pytest.param("A. B. Bell", "Ann Bell", "initial", id="initials for one given name"),
    pytest.param("A. B. Bell", "Ann Beth Bell", "initial", id="initials for two given names"),
    pytest.param("J. Bell", "Jean-Pierre Bell", "initial", id="an initial for a hyphened name"),
]


@pytest.mark.parametrize(("name", "other", "reason"), ALIKE)
def test_names_that_may_be_one_person(name: str, other: str, reason: str) -> None:
    expected = {(min(name, other), max(name, other), reason)}
    assert pairs(name, other) == pairs(other, name) == expected


UNLIKE = [
    pytest.param("Ann B. Bell", "Ann C. Bell", id="middle initials"),
    pytest.param("Ann Beth Bell", "Ann Bea Bell", id="middle names"),
    pytest.param("Ann B. C. Bell", "Ann C. B. Bell", id="the order of middle names"),
    pytest.param("Ann Bell", "Anna Bell", id="given names"),
    pytest.param("Ann Bell", "Ann Bella", id="family names"),
    pytest.param("B. Bell", "Ann B. Bell", id="an initial for the second given name"),
    pytest.param("A. C. Bell", "Ann B. Bell", id="initials that contradict"),
    pytest.param("A. Bell", "B. Bell", id="two initials"),
    pytest.param("Bell", "Ann Bell", id="a family name alone"),
    pytest.param("A. Bell", "Bell", id="an initial and a family name alone"),
    pytest.param("李 王", "李伟 王", id="one sign is no initial"),
    pytest.param("Bell Ann", "Ann Bell", id="the order of the words"),
]


@pytest.mark.parametrize(("name", "other"), UNLIKE)
def test_names_that_cannot_be_one_person(name: str, other: str) -> None:
    assert pairs(name, other) == pairs(other, name) == set()


@pytest.mark.parametrize(("name", "other", "reason"), [case for case in ALIKE if not case.marks])
def test_names_of_one_byline_are_two_people(name: str, other: str, reason: str) -> None:
    assert pairs(name, other, bylines=([name, "Cy Dole", other],)) == set(), reason


def test_fuller_forms_that_contradict_leave_the_short_one_open() -> None:
    assert pairs("Ann Bell", "Ann B. Bell", "Ann C. Bell") == {
        ("Ann B. Bell", "Ann Bell", "several_fuller_forms"),
        ("Ann Bell", "Ann C. Bell", "several_fuller_forms"),
    }


def test_fuller_forms_of_one_byline_leave_the_short_one_open() -> None:
    names = ("Ann Bell", "Ann B. Bell", "Ann B. C. Bell")
    assert pairs(*names, bylines=(["Ann B. Bell", "Ann B. C. Bell"],)) == {
        ("Ann B. Bell", "Ann Bell", "several_fuller_forms"),
        ("Ann B. C. Bell", "Ann Bell", "several_fuller_forms"),
    }


def test_fuller_forms_that_agree_may_all_be_one_person() -> None:
    assert pairs("Ann Bell", "Ann B. Bell", "Ann Beth Bell") == {
        ("Ann B. Bell", "Ann Bell", "fuller_name"),
        ("Ann Bell", "Ann Beth Bell", "fuller_name"),
        ("Ann B. Bell", "Ann Beth Bell", "fuller_name"),
    }


def test_an_initial_may_be_each_of_several_people() -> None:
    assert pairs("A. Bell", "Ann Bell", "Amy Bell") == {
        ("A. Bell", "Ann Bell", "initial"),
        ("A. Bell", "Amy Bell", "initial"),
    }


def test_equal_names_are_no_pair_and_count_under_their_root() -> None:
    roots = {"Ann Bell": "ANN BELL"}
    assert pairs("ANN BELL", "Ann Bell", roots=roots) == set()
    assert pairs("ANN BELL", "Ann Bell", "Ann B. Bell", roots=roots) == {("ANN BELL", "Ann B. Bell", "fuller_name")}


WORDS = [consonant + vowel for consonant in "bdkr" for vowel in "aeio"]
MIDDLES = st.lists(st.sampled_from(["b", "c", "beth", "bea", "carl"]), max_size=3).map(tuple)


@given(st.lists(MIDDLES, unique=True, max_size=12))
def test_no_form_that_is_compatible_is_passed_over(middles: list[tuple[str, ...]]) -> None:
    forms = [
        Form("ann", some, "bell", f"ann {' '.join(some)} bell", ("ann", *some, "bell"), False, str(some))
        for some in middles
    ]
    by_middles = MiddleNameIndex(forms)
    for form in forms:
        fitting = {other for other in forms if compatible(form.middles, other.middles)}
        assert fitting <= set(by_middles.near(form))


def test_thousands_of_one_first_and_family_name_are_not_all_compared() -> None:
    names = [f"Ann {first}{second}{third} Bell" for first in WORDS for second in WORDS for third in WORDS]
    with cpu_limit(5):
        assert pairs("Ann Bell", *names) == {
            (min("Ann Bell", name), max("Ann Bell", name), "several_fuller_forms") for name in names
        }


def test_a_set_of_names_that_are_all_alike_is_not_compared_at_all_and_another_is() -> None:
    names = [f"Ann {' '.join(middles)} Bell" for middles in product(("Beth", "B."), ("Carl", "C."), repeat=3)]
    alike = CandidatePairs(form_of(read_name(name), name) for name in [*names, "Cy Dole", "Cy X. Dole"])
    together = Together(pl.DataFrame(schema={"root": pl.String, "listings": pl.List(pl.UInt32)}))
    assert [{form.root for form in crowd} for crowd in alike.crowds] == [set(names)]
    assert alike.pairs(together) == [CandidatePair("Cy Dole", "Cy X. Dole", "fuller_name")]


def test_as_many_names_as_may_be_compared_are() -> None:
    names = [f"Jan {'-'.join(words)}" for words in product(("de", "smet"), repeat=5)]
    spaced = ["".join(pieces) for pieces in product(*(("Jan", "Ja n"), ("de", " de"), ("sm", " sm"), ("et", " et")))]
    assert not CandidatePairs(form_of(read_name(name), name) for name in names + spaced).crowds


def _middle_initials() -> Iterator[str]:
    return (f"Ann {' '.join(f'{letter}.' for letter in some)} Bell" for some in product(ascii_uppercase, repeat=3))


def _middle_names_or_initials() -> Iterator[str]:
    words = ("alva", "bert", "carl", "dora", "emma", "fred", "gina", "hans", "ida", "jens")
    for some in product(*(("", f"{word[0].upper()}. ", f"{word.title()} ") for word in words)):
        yield f"Ann {''.join(some)}Bell"


def _initials_of_many_names() -> Iterator[str]:
    short = (f"A. {' '.join(f'{letter}.' for letter in some)} Bell" for some in product(ascii_uppercase, repeat=3))
    full = (f"A{''.join(some)} Bell" for some in product(ascii_lowercase, repeat=3))
    return chain.from_iterable(zip(short, full, strict=False))


def _borders() -> Iterator[str]:
    syllables = ("la", "ta", "ro", "mi", "ne", "su", "ka", "po", "ti", "bo", "de", "fu")
    return (
        "Jan" + "".join(space + syllable for space, syllable in zip(spaces, syllables, strict=True))
        for spaces in product(("", " "), repeat=len(syllables))
    )


def _letter_case() -> Iterator[str]:
    return ("".join(some) for some in product(*((letter, letter.upper()) for letter in "annabella bellows")))


CROWDS = [_middle_initials, _middle_names_or_initials, _initials_of_many_names, _borders, _letter_case]


@pytest.mark.parametrize("together", [pytest.param(True, id="in one byline"), pytest.param(False, id="apart")])
@pytest.mark.parametrize("names", [pytest.param(kind, id=kind.__name__) for kind in CROWDS])
def test_four_thousand_names_of_a_kind_take_no_time(names: Callable[[], Iterator[str]], together: bool) -> None:
    some = list(islice(dict.fromkeys(names()), 4000))
    bylines = [some] if together else [[name, "Cy Dole"] for name in some]
    with cpu_limit(4):
        people = resolve_authors(
            listed(*((byline, None) for byline in bylines)), pl.Series([*some, "Cy Dole"]), Overrides()
        )
    assert people.author_names.height == len(some) + 1
    assert people.merge_candidates.height <= MOST_COMPARED * len(some)


def test_a_shared_byline_of_thousands_takes_memory_for_each_name_and_not_for_each_pair() -> None:
    names = [f"{first.title()} {last.title()}" for last in product_words(2) for first in product_words(1)]
    twice = [*names, *(f"{name.split()[0]} X. {name.split()[1]}" for name in names)]
    tracemalloc.start()
    try:
        Coauthors(listed((twice, None)), rooted({name: name for name in twice}))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def product_words(syllables: int) -> list[str]:
    return ["".join(some) for some in product(WORDS, repeat=syllables)]
