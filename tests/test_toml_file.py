"""Where the entries of a TOML file stand, however it is written."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.errors import UsageError
from etl.toml_file import Entry, read_toml, text_of, toml_lines

STRINGS = (
    '"Ann Bell"',
    "'A. Bell'",
    r'"Ann \"[[person]]\" # Bell\\"',
    "'# [['",
    '"""\nAnn\n[[person]]\n# Bell \\""" = ["""',
    "'''\n[[person]]\nname = \"x\"'''",
    '""',
    "''",
    '""""Ann""""',
    '""""""',
    "''''Ann'''''",
)
"""Strings of every kind, some of which look like headers, comments or lists."""
BLANKS = ("", " ", "\n", "\n\n", "# [[person]]\n", ' # "unfinished [\n', "\t# '''\n")
BETWEEN = ("", "\n", "# [[person]]\n", "# '''\n\n", "\n# same = [[\n")


def lines_of(text: str, key: str) -> list[int]:
    return [entry.line for entry in toml_lines(text).entries.get(key, [])]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param('[[person]]\nname = "A"\n\n[[person]]\nname = "B"\n', [1, 4], id="headers"),
        pytest.param('# [[person]]\n\n[[person]] # [[person]]\nname = "A"', [3], id="comments"),
        pytest.param("[[\"person\"]]\n[[ person ]]\n  [[person]]\n[['person']]", [1, 2, 3, 4], id="ways of writing"),
        pytest.param('[[person]]\nname = """\n[[person]]\n"""\n[[person]]', [1, 5], id="a string like a header"),
        pytest.param("[[person]]\npapers = [\n['a'],\n[['person']]\n]\n[[person]]", [1, 6], id="a list like a header"),
        pytest.param(
            "[[person]]\n[[person.x]]\n[person.y]\n[[paper]]\n[[person]]", [1, 5], id="headers of other parts"
        ),
        pytest.param('person = [{name = "A"},\n\n {name = "B"}]', [1, 3], id="a list of tables"),
        pytest.param("person = [\n7,\n'x', []\n]", [2, 3, 3], id="entries of other kinds"),
        pytest.param("[paper]\nperson = [['a']]", [], id="a key of another table"),
        pytest.param("x.person = [['a']]", [], id="a dotted key"),
        pytest.param("person = []\n", [], id="an empty list"),
        pytest.param("person = 'a'\n", [], id="no list"),
        pytest.param("", [], id="an empty file"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_entry_is_known_by_the_line_on_which_it_begins(text: str, lines: list[int], newline: str) -> None:
    written = text.replace("\n", newline)
    tomllib.loads(written)
    assert lines_of(written, "person") == lines


def test_the_values_of_a_list_have_their_own_lines() -> None:
    text = 'same = [ # [\n  ["Ann Bell",\n    # "A. Bell",\n   "Bell"], ["Cy",\n\n\'C.\'],\n]\n'
    assert toml_lines(text).entries["same"] == [Entry(2, (2, 4)), Entry(4, (4, 6))]


def test_the_first_line_of_each_key_is_known() -> None:
    text = '"same" = [\n]\nequal.x = 7\n\n[other]\nsame = 1\n[[person]]\n[[person]]\n'
    assert toml_lines(text).keys == {"same": 1, "equal": 3, "other": 5, "person": 7}


@given(st.data())
def test_lines_are_counted_right_behind_anything(data: st.DataObject) -> None:
    """Files made of parts whose lines are known, as tomllib reads them too."""
    text, groups, people = "same = [", [], []
    for _ in range(data.draw(st.integers(0, 3))):
        values = []
        text += data.draw(st.sampled_from(BLANKS)) + "["
        for _ in range(data.draw(st.integers(1, 3))):
            text += data.draw(st.sampled_from(BLANKS))
            values.append(text.count("\n") + 1)
            text += data.draw(st.sampled_from(STRINGS)) + data.draw(st.sampled_from(BLANKS)) + ","
        text += "],"
        groups.append(tuple(values))
    text += "]\n"
    for _ in range(data.draw(st.integers(0, 3))):
        text += data.draw(st.sampled_from(BETWEEN))
        people.append(text.count("\n") + 1)
        text += f"[[person]]\nname = {data.draw(st.sampled_from(STRINGS))}\n"
    for written in (text, text.replace("\n", "\r\n")):
        content, lines = tomllib.loads(written), toml_lines(written)
        assert len(content.get("person", [])) == len(people)
        assert [entry.values for entry in lines.entries.get("same", [])] == groups
        assert lines_of(written, "person") == people


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_bytes(b"\xef\xbb\xbfsame = []\r\n")
    content, data = read_toml(path, "lines")
    assert (content, text_of(data)) == ({"same": []}, "same = []\r\n")


def test_a_file_that_is_no_toml_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text("same = [", encoding="utf-8")
    with pytest.raises(UsageError, match=r"people\.toml: not TOML \(.+\); expected lines$"):
        read_toml(tmp_path / "people.toml", "lines")
