"""An overrides file is read whole, each entry with its line, or refused in one line that says which entry and why."""

import hashlib
from datetime import date
from pathlib import Path
from string import ascii_letters

import pytest
from helpers import cpu_limit

from etl.errors import UsageError
from etl.resolve.overrides import NameGroup, Overrides, PaperOverride, PersonOverride, read_overrides
from etl.resolve.same_groups import SameGroups

KEMU, CASI, THIRD = "kemu6opsraxxk7cm", "2222casicunfxqcw", "3333casicunfxqcw"
WHOLE = f"""# decided by Ann Bell
same = [
  ["Ann Bell",
   "A. Bell"],
]
different = [["Wei Li", "Wei A. Li", "李伟"]]

[[person]]
name = "Wei Li"
as = "Wei Li (Tower Lab)"
given = "Wei"
papers = ["{KEMU}", "2401.00001"]

[[person]] # [[person]]
name = "Eve Fox"
family = "Fox"

[[paper]]
same = ["{KEMU}", "{CASI}"]
[[paper]]
id = "{THIRD}"
category_id = "math.CO"
published = 2019-05-01
"""


def overrides(tmp_path: Path, text: str) -> Overrides:
    path = tmp_path / "people.toml"
    path.write_bytes(text.encode())
    return read_overrides(path)


def refused(tmp_path: Path, text: str) -> str:
    """What is said of a file, without its folder."""
    with pytest.raises(UsageError) as caught:
        overrides(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{tmp_path / 'people.toml'}: ")
    return message.removeprefix(f"{tmp_path / 'people.toml'}: ")


def test_without_a_file_nothing_is_overridden() -> None:
    assert read_overrides(None) == Overrides()
    assert read_overrides(None).provenance == {"overrides": None}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_is_read_whole_and_known_by_its_hash(tmp_path: Path, newline: str) -> None:
    text = WHOLE.replace("\n", newline)
    read = overrides(tmp_path, text)
    assert read.same == (("Ann Bell", "A. Bell"),)
    assert read.different == (("Wei Li", "Wei A. Li", "李伟"),)
    assert read.names == ["A. Bell", "Ann Bell", "Eve Fox", "Wei A. Li", "Wei Li", "李伟"]
    assert read.persons == (
        PersonOverride("Wei Li", 8, "Wei Li (Tower Lab)", "Wei", papers=(KEMU, "2401.00001")),
        PersonOverride("Eve Fox", 14, family="Fox"),
    )
    assert read.papers == (
        PaperOverride(18, same=(KEMU, CASI)),
        PaperOverride(20, paper_id=THIRD, category_id="math.CO", published=date(2019, 5, 1)),
    )
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    assert read.provenance == {"overrides": {"source": "people.toml", "sha256": sha256}}


def test_each_spelling_leads_to_its_line(tmp_path: Path) -> None:
    read = overrides(tmp_path, WHOLE)
    assert read.name_groups == (
        NameGroup("same", ("Ann Bell", "A. Bell"), (3, 4)),
        NameGroup("different", ("Wei Li", "Wei A. Li", "李伟"), (6, 6, 6)),
    )
    assert [group.line for group in read.name_groups] == [3, 6]


def test_entries_that_come_from_no_file_have_no_lines() -> None:
    made = Overrides((("Ann Bell", "A. Bell"),), (("Wei Li", "Wei A. Li"),))
    assert made.name_groups == (
        NameGroup("same", ("Ann Bell", "A. Bell"), (None, None)),
        NameGroup("different", ("Wei Li", "Wei A. Li"), (None, None)),
    )


def test_entries_may_be_written_as_lists_of_tables(tmp_path: Path) -> None:
    text = f'paper = [\n  {{same = ["{KEMU}", "{CASI}"]}},\n]\nperson = [{{name = "Ann Bell", as = "Ann Dole"}}]'
    read = overrides(tmp_path, text)
    assert read.papers == (PaperOverride(2, same=(KEMU, CASI)),)
    assert read.persons == (PersonOverride("Ann Bell", 4, "Ann Dole"),)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "same = []\n", "same = []\ndifferent = []\n", "person = []\npaper = []"]
)
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    read = overrides(tmp_path, text)
    assert (read.same, read.different, read.names, read.persons, read.papers) == ((), (), [], (), ())
    assert read.source == "people.toml"


NAMES = 'expected a list of two names or more, such as ["Ann Bell", "A. Bell"]'
LISTS = 'expected a list of lists of names, such as same = [["Ann Bell", "A. Bell"]]'
TOP = "expected only same, different, person or paper"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("equal = []", f"line 1: found the key equal, {TOP}"),
        ("same = []\n\n[[persons]]\nname = 'A'", f"line 3: found the key persons, {TOP} (did you mean person?)"),
        ('"e\\u001bq\\n" = 1', f"line 1: found the key e\\x1bq\\n, {TOP}"),
        ("different.a = 7", f'line 1: different: found {{"a": 7}}, {LISTS.replace("same", "different")}'),
        ('\n[same]\na = "b"', f'line 2: same: found {{"a": "b"}}, {LISTS}'),
        ('same = "Ann Bell"', f'line 1: same: found "Ann Bell", {LISTS}'),
        ("same = 7", f"line 1: same: found 7, {LISTS}"),
        ('same = ["Ann Bell", "A. Bell"]', f'line 1: same: found "Ann Bell", {NAMES}'),
        ('same = [["A", "B"],\n["Ann Bell"]]', f'line 2: same: found ["Ann Bell"], {NAMES}'),
        ('same = [\n[\n"Ann Bell"]]', f'line 3: same: found ["Ann Bell"], {NAMES}'),
        ("different = [\n[]]", f"line 2: different: found [], {NAMES}"),
        ('same = [["Ann Bell", 7]]', f'line 1: same: found ["Ann Bell", 7], {NAMES}'),
        ('same = [["Ann Bell", ""]]', f'line 1: same: found ["Ann Bell", ""], {NAMES}'),
        ('same = [["Ann Bell", " "]]', f'line 1: same: found ["Ann Bell", " "], {NAMES}'),
        ('same = [["Ann\\n", ["B"]]]', f'line 1: same: found ["Ann\\n", ["B"]], {NAMES}'),
    ],
)
def test_groups_of_another_shape_are_refused(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, text) == message


PERSON_KEYS = "name, as, given, family or papers"
AS = 'as = "Wei Li (B)"'


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (AS, ': found no name, expected a name as pages print it, such as "Ann Bell"'),
        ('name = ""', ' name: found "", expected a name as pages print it, such as "Ann Bell"'),
        ("name = ['Wei Li']", ' name: found ["Wei Li"], expected a name as pages print it, such as "Ann Bell"'),
        ('name = "Wei Li"', ' "Wei Li": found none of as, given and family, expected one'),
        (f'name = "Wei Li"\npapers = ["{KEMU}"]', ' "Wei Li": found none of as, given and family, expected one'),
        ('name = "Wei Li"\nas = 7', ' as: found 7, expected the name that it becomes, such as "Ann Bell (Tower Lab)"'),
        ('name = "Wei Li"\nas = "  "', ' as: found "  ", expected the name that it becomes, such as "Ann Bell (Tower Lab)"'),
        ('name = "Wei Li"\nas = " Wei"', ' as: found " Wei", expected the name that it becomes, such as "Ann Bell (Tower Lab)"'),
        ('name = "Wei Li"\nfamily = "L\\ni"', r' family: found "L\ni", expected a family name, such as "Bell"'),
        ('name = "Wei Li"\ngiven = true', ' given: found true, expected given names, such as "Ann"'),
        ('name = "Wei Li"\nfamily = 2019-05-01', ' family: found "2019-05-01", expected a family name, such as "Bell"'),
        *(
            (f'name = "Wei Li"\n{AS}\npapers = {found}', f" papers: found {shown}, expected a list of papers, such as"
            f' ["{KEMU}"]; leave it out where all are meant')
            for found, shown in [("[]", "[]"), ("'x'", '"x"'), ("[7]", "[7]"), ('[""]', '[""]')]
        ),
        (f'name = "Wei Li"\n{AS}\npaper = ["x"]', f": found the key paper, expected {PERSON_KEYS} (did you mean papers?)"),
        (f'name = "Wei Li"\n{AS}\nx.y = 1', f": found the key x, expected {PERSON_KEYS}"),
        (f'name = "Wei Li"\n{AS}\n[person.papers]', " papers: found {}, expected a list of papers, such as"
        f' ["{KEMU}"]; leave it out where all are meant'),
    ],
)  # fmt: skip
def test_a_person_of_another_shape_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    before = '# [[person]]\n[[person]]\nname = "Eve Fox"\nas = "[[person]]"\n\n'
    assert refused(tmp_path, f"{before}[[person]]\n{entry}\n") == f"line 6: [[person]]{message}"


SAME = f'expected a list of two papers or more, such as ["{KEMU}", "{CASI}"]'
CATEGORY = 'expected a category of arXiv, such as "math.CO"'
DAY = "expected a day without quotes, such as 2019-05-01"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("", ": found neither same nor id, expected one of the two"),
        ('category_id = "math.CO"', ": found neither same nor id, expected one of the two"),
        (f'id = "{KEMU}"', f' "{KEMU}": found neither category_id nor published, expected one or both'),
        (
            f'id = "{KEMU}"\nsame = ["a", "b"]',
            ": found id and same, expected same alone; correct a paper in an entry of its own",
        ),
        (
            'same = ["a", "b"]\npublished = 2019-05-01',
            ": found same and published, expected same alone; correct a paper in an entry of its own",
        ),
        ("same = []", f" same: found [], {SAME}"),
        (f'same = "{KEMU}"', f' same: found "{KEMU}", {SAME}'),
        (f'same = ["{KEMU}"]', f' same: found ["{KEMU}"], {SAME}'),
        ('same = ["a", 7]', f' same: found ["a", 7], {SAME}'),
        ('same = [["a", "b"]]', f' same: found [["a", "b"]], {SAME}'),
        ('same = ["a", "a"]', ' same: found ["a", "a"], expected papers that differ'),
        ('id = 7\ncategory_id = "math.CO"', f' id: found 7, expected a paper, such as "{KEMU}"'),
        ('id = "a"\ncategory_id = 7', f" category_id: found 7, {CATEGORY}"),
        ('id = "a"\ncategory_id = "math.co"', f' category_id: found "math.co", {CATEGORY} (did you mean math.CO?)'),
        ('id = "a"\ncategory_id = "Bells"', f' category_id: found "Bells", {CATEGORY}'),
        ('id = "a"\ncategory_id = "math.MP"', ' category_id: found "math.MP", expected math-ph, of which it is an alias'),
        ('id = "a"\npublished = "2019-05-01"', f' published: found "2019-05-01", {DAY}'),
        ('id = "a"\npublished = 2019-05-01T08:00:00Z', f' published: found "2019-05-01 08:00:00+00:00", {DAY}'),
        ('id = "a"\npublished = 2019', f" published: found 2019, {DAY}"),
        ('id = "a"\ncategory = "math.CO"', ": found the key category, expected same, id, category_id or published"
         " (did you mean category_id?)"),
    ],
)  # fmt: skip
def test_a_paper_of_another_shape_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    assert refused(tmp_path, f'[[paper]]\nsame = ["x", "y"]\n[[paper]]\n{entry}\n') == f"line 3: [[paper]]{message}"


@pytest.mark.parametrize("key", ["person", "paper"])
@pytest.mark.parametrize(
    ("text", "line", "found"), [("[{}]\nx = 7", 1, '{"x": 7}'), ("\n{} = 7", 2, "7"), ("{} = [\n'a']", 2, '"a"')]
)
def test_what_is_no_list_of_tables_is_refused(tmp_path: Path, key: str, text: str, line: int, found: str) -> None:
    keys = {"person": PERSON_KEYS, "paper": "same, id, category_id or published"}[key]
    expected = f"line {line}: {key}: found {found}, expected [[{key}]] with {keys} under it"
    assert refused(tmp_path, text.format(key)) == expected


def person(**values: str | list[str]) -> str:
    return "[[person]]\n" + "".join(f"{key.rstrip('_')} = {value!r}\n" for key, value in values.items())


def paper(**values: object) -> str:
    return "[[paper]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('same = [["A", "B"]]\ndifferent = [["A", "B"]]', "line 2: A and B are both same and different; keep one of the two"),
        (
            'same = [["A", "B"], ["C", "B"]]\ndifferent = [\n["X", "Y"],\n["A", "X", "C"]]',
            "line 4: A and C are both same and different; keep one of the two",
        ),
        (
            person(name="Wei", as_="Wei (A)", papers=["p", "q"]) + person(name="Wei", as_="Wei (B)", papers=["r", "q"]),
            'line 5: [[person]] "Wei": found {"as": "Wei (B)"}, expected {"as": "Wei (A)"}, as line 1 says of the paper q',
        ),
        (
            person(name="Wei", as_="Wei (A)") + person(name="Wei", given="Wei", family="Li"),
            'line 4: [[person]] "Wei": found {"given": "Wei", "family": "Li"}, expected {"as": "Wei (A)"}, as line 1 says'
            " of all its papers",
        ),
        (
            person(name="Wei", as_="Wei Li", given="Wei") + person(name="W.", as_="Wei Li", given="W.", papers=["p"]),
            'line 5: [[person]] given: found "W.", expected "Wei", as line 1 says of "Wei Li"',
        ),
        (
            'same = [["Wei", "W."]]\n' + person(name="Wei", as_="Wei (A)") + person(name="W.", as_="Wei (B)"),
            'line 5: [[person]] as: found "Wei (B)", expected "Wei (A)", as line 2 says of the same person',
        ),
        (
            paper(id="'p'", category_id="'math.CO'") + paper(id="'p'", category_id="'cs.DM'"),
            'line 4: [[paper]] category_id: found "cs.DM", expected "math.CO", as line 1 says of the same paper',
        ),
        (
            paper(id="'p'", published="2019-05-01") + paper(id="'p'", published="2019-05-02"),
            'line 4: [[paper]] published: found "2019-05-02", expected "2019-05-01", as line 1 says of the same paper',
        ),
        (
            paper(id="'p'", published="2019-05-01") + paper(id="'q'", published="2019-05-02")
            + paper(same=["p", "r"]) + paper(same=["q", "r"]),
            'line 4: [[paper]] published: found "2019-05-02", expected "2019-05-01", as line 1 says of the same paper',
        ),
    ],
)  # fmt: skip
def test_entries_that_contradict_each_other_are_refused(tmp_path: Path, text: str, message: str) -> None:
    end = "" if message.endswith("keep one of the two") else "; keep one of the two"
    assert refused(tmp_path, text) == message + end


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('same = [["A", "B"]]\ndifferent = [["A", "A"]]', id="a spelling that differs from itself"),
        pytest.param(person(name="A", as_="B", papers=["p"]) * 2, id="an entry twice"),
        pytest.param(
            person(name="A", as_="B", papers=["p"]) + person(name="A", as_="C"), id="one paper, and the others"
        ),
        pytest.param(
            person(name="A", as_="B", papers=["p"]) + person(name="C", as_="D", papers=["p"]), id="two authors"
        ),
        pytest.param(person(name="A", as_="C") + person(name="B", as_="C"), id="two spellings that get one name"),
        pytest.param(person(name="A", given="A") + person(name="B", given="B"), id="parts of two names"),
        pytest.param(paper(id="'p'", category_id="'math.CO'") * 2, id="a correction twice"),
        pytest.param(
            paper(id="'p'", category_id="'math.CO'") + paper(id="'p'", published="2019-05-01"), id="two corrections"
        ),
        pytest.param(
            paper(id="'p'", published="2019-05-01") + paper(id="'q'", published="2019-05-02"), id="two papers"
        ),
    ],
)
def test_entries_that_do_not_contradict_each_other_are_taken(tmp_path: Path, text: str) -> None:
    assert overrides(tmp_path, text).source == "people.toml"


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read \(No such file or directory\)"):
        read_overrides(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"same = [['In\xeas', 'Ines']]")
    with pytest.raises(UsageError, match=r"latin\.toml: not TOML"):
        read_overrides(tmp_path / "latin.toml")


@pytest.mark.parametrize("text", ["same = [", 'same = [["A", "B"]]\nsame = []', "[[person]]\nname = 'A'\nname = 'B'"])
def test_a_file_that_is_no_toml_is_an_error_that_says_what_it_holds(tmp_path: Path, text: str) -> None:
    message = refused(tmp_path, text)
    assert message.startswith("not TOML (")
    assert message.endswith('); expected lines such as same = [["Ann Bell", "A. Bell"]]')


NUMBERS = ["a = " + "1" * 5000, "same = 0x" + "f" * 5000, '[[paper]]\nid = "a"\ncategory_id = 0x' + "f" * 5000]


@pytest.mark.parametrize("text", NUMBERS, ids=["digits", "hexadecimal", "a value"])
def test_a_number_that_toml_does_not_have_is_one_clear_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"people\.toml: not TOML") as error:
        read_overrides(tmp_path / "people.toml")
    assert len(str(error.value).splitlines()) == 1


def test_an_entry_of_thousands_who_differ_takes_time_for_each_name_and_not_for_each_pair(tmp_path: Path) -> None:
    names = ", ".join(f'"Ann {first}{second} Bell"' for first in ascii_letters for second in ascii_letters)
    (tmp_path / "people.toml").write_text(f"different = [[{names}]]", encoding="utf-8")
    with cpu_limit(3):
        read = read_overrides(tmp_path / "people.toml")
        assert SameGroups(read.different).is_separated("Ann aa Bell", "Ann ZZ Bell")
