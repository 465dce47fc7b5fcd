"""Names are taken apart at the border of the family name and compared word by word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.resolve.names import Name, compatible, has_initials_only, is_initial, may_be_one, read_group, read_name

WORDS = [
    "Ann",
    "B.",
    "Bell",
    "Bell-Cole",
    "van",
    "der",
    "de",
    "la",
    "Jr.",
    "III",
    "PhD",
    "Dr.",
    "e",
    "李",
    "(Bee)",
    "?",
]


def equal(name: str, other: str) -> bool:
    return read_name(name).equal_key == read_name(other).equal_key


@pytest.mark.parametrize(
    ("spelling", "given_names", "family"),
    [
        ("Ann Bell", "Ann", "Bell"),
        ("Ann B. Bell", "Ann B.", "Bell"),
        ("Ann Bell-Cole", "Ann", "Bell-Cole"),
        ("Maria Garcia Lopez", "Maria Garcia", "Lopez"),
        ("Ludo van der Berg", "Ludo", "van der Berg"),
        ("Ludo Van Der Berg", "Ludo", "Van Der Berg"),
        ("Ana de la Cruz", "Ana", "de la Cruz"),
        ("Cy Dole Jr.", "Cy", "Dole Jr."),
        ("Cy A. Dole III", "Cy A.", "Dole III"),
        ("Ann van Bell PhD", "Ann", "van Bell PhD"),
        ("Ann  B.\u00a0Bell", "Ann B.", "Bell"),
        ("Plato", "", "Plato"),
        ("李伟", "", "李伟"),
        ("李 伟", "李", "伟"),
        ("?", "", "?"),
    ],
)
def test_a_name_ends_in_its_family_name_with_particles_and_suffix(spelling: str, given_names: str, family: str) -> None:
    assert read_name(spelling) == Name(spelling, given_names, family)


@pytest.mark.parametrize(
    ("spelling", "family"),
    [("Cy Dole, Jr.", "Dole, Jr."), ("Cy A. Dole, III", "Dole, III"), ("Ann van Bell, Ph.D.", "van Bell, Ph.D.")],
)
def test_a_suffix_behind_a_comma_belongs_to_the_family_name(spelling: str, family: str) -> None:
    assert read_name(spelling).family == family


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_taking_a_name_apart_loses_no_word(words: list[str]) -> None:
    name = read_name(" ".join(words))
    assert [*name.given.split(), *name.family.split()] == words


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("Ann Bell", ("ann",)),
        ("E. D. Bell", ("e", "d")),
        ("E.D. Bell", ("e", "d")),
        ("J.-P. Bell", ("j", "p")),
        ("Jean-Pierre Bell", ("jeanpierre",)),
        ("Ann D'Arcy Bell", ("ann", "darcy")),
        ("Plato", ()),
    ],
)
def test_given_names_are_words_with_initials_apart(spelling: str, words: tuple[str, ...]) -> None:
    assert read_name(spelling).given_words == words


EQUAL = [
    pytest.param("Inês Böll", "Ines Boll", id="diacritics"),
    pytest.param("ANN BELL", "Ann Bell", id="case"),
    pytest.param("Ann B Bell", "Ann B. Bell", id="a full stop"),
    pytest.param("Ann O'Neil", "Ann O\u2019Neil", id="apostrophes"),
    pytest.param("Jean-Pierre Bell", "Jean Pierre Bell", id="a hyphen in given names"),
    pytest.param("E.D. Bell", "E. D. Bell", id="initials"),
    pytest.param("J.-P. Bell", "J. P. Bell", id="hyphened initials"),
    pytest.param("Ludo van der Berg", "Ludo VAN DER Berg", id="particles"),
    pytest.param(
        "Cy Dole, Jr.",
        "Cy Dole Jr.",
        id="a comma before the suffix",
    ),
]


@pytest.mark.parametrize(("name", "other"), EQUAL)
def test_names_are_equal_whatever_the_spelling_habits(name: str, other: str) -> None:
    assert equal(name, other)
    assert equal(other, name)


UNEQUAL = [
    pytest.param("Jean Pierre Bell", "Jeanpierre Bell", id="a space less in given names"),
    pytest.param("Jean-Pierre Bell", "Jeanpierre Bell", id="a hyphen less in given names"),
    pytest.param("Mary Ann B. Bell", "Maryann B. Bell", id="a space less before an initial"),
    pytest.param("E. D. Bell", "Ed Bell", id="initials are no name"),
    pytest.param("E.D. Bell", "ED Bell", id="initials without a space are no name"),
    pytest.param("Ann E. Bell", "Anne Bell", id="an initial is no ending"),
    pytest.param("Dan A. Bell", "Dana Bell", id="an initial is no ending of another name"),
    pytest.param("D. Ana Cruz", "Dana Cruz", id="an initial is no beginning"),
    pytest.param("Mary Ann Bell", "Maryan N. Bell", id="an initial is no letter of a second name"),
    pytest.param("Ann Bell", "Ann B. Bell", id="a middle name"),
    pytest.param("A. Bell", "Ann Bell", id="an initial"),
    pytest.param("Ann Bell Cole", "Ann BellCole", id="a space in the family name"),
    pytest.param("Ann O'Neil", "Ann ONeil", id="an apostrophe less in the family name"),
    pytest.param("Maria Garcia Lopez", "Maria Garcia-Lopez", id="a moved border"),
    pytest.param("Ann Bell", "Ann-Bell", id="a mononym"),
    pytest.param("李 伟", "李伟", id="a border less in another script"),
    pytest.param("?", "!", id="nothing left"),
]


@pytest.mark.parametrize(("name", "other"), UNEQUAL)
def test_names_that_say_something_else_are_not_equal(name: str, other: str) -> None:
    assert not equal(name, other)
    assert not equal(other, name)


@pytest.mark.parametrize(
    ("some", "others", "expected"),
    [
        ((), (), True),
        ((), ("s",), True),
        (("s",), ("sara",), True),
        (("s",), ("r",), False),
        (("sara",), ("sana",), False),
        (("s",), ("sara", "jane"), True),
        (("j",), ("sara", "jane"), True),
        (("j", "s"), ("sara", "jane"), False),
        (("s", "j"), ("sara", "jane"), True),
        (("s", "r"), ("sara", "jane"), False),
        (("sara", "j"), ("s", "jane"), True),
        (("s", "r"), ("sara",), True),
        (("伟",), ("伟明",), False),
    ],
)
def test_middle_names_are_compatible_where_the_shorter_fit_in_order(
    some: tuple[str, ...], others: tuple[str, ...], *, expected: bool
) -> None:
    assert compatible(some, others) is expected
    assert compatible(others, some) is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("r", True), ("я", True), ("rr", False), ("", False), ("伟", False), ("ש", False), ("7", False)],
)
def test_an_initial_is_one_letter_of_a_script_with_capitals(word: str, *, expected: bool) -> None:
    assert is_initial(word) is expected


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Ann Bell", "Ann B. Bell"),
        ("Ann Bell", "A. Bell"),
        ("Ann Bell", "A. B. Bell"),
        ("Ann Bell", "Bell Ann"),
        ("Min-Soo Joy", "Minsoo Joy"),
        ("Min-Soo Joy", "M. Joy"),
        ("Jan De Smet", "Jan DeSmet"),
        ("Ann Bell Cole", "Ann Bell-Cole"),
    ],
)
def test_a_page_may_know_its_owner_by_another_spelling(name: str, other: str) -> None:
    assert may_be_one(read_name(name), read_name(other))
    assert may_be_one(read_name(other), read_name(name))


@pytest.mark.parametrize("other", ["Anna Bell", "B. Bell", "Ann Fox", "Bell", "Ann C. Bell", "Cy Ann Bell"])
def test_a_name_that_contradicts_is_nobodys_other_spelling(other: str) -> None:
    assert not may_be_one(read_name("Ann B. Bell"), read_name(other))


def test_a_groups_name_has_no_parts_and_no_article() -> None:
    tower, group = read_group("The Tower Collaboration"), read_group("Tower collaboration")
    assert (tower.given, tower.family, tower.is_group) == ("", "The Tower Collaboration", True)
    assert tower.equal_key == group.equal_key != read_name("Tower collaboration").equal_key


def test_a_name_of_initials_has_no_given_name_among_them() -> None:
    names = ("A. Bell", "A. B. Bell", "A.B. Bell", "A. Beth Bell", "Ann B. Bell", "Bell")
    assert [has_initials_only(read_name(name)) for name in names] == [True, True, True, False, False, False]
