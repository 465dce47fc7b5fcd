"""The command `authors`: who is in a release, and its candidates as an overrides file that needs only uncommenting."""

import re
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import write_database
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from etl.cli import main
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.review import MERGES, PAPERS, list_authors, merge_candidates, paper_candidates, review, toml_string
from etl.resolve.overrides import Overrides, read_overrides
from schemas import TABLES
from schemas.authors import CANDIDATE_REASONS
from schemas.papers import PAPER_MATCHES

ENTRY = re.compile(r"^ *#(?! )")
"""What a line begins with that holds an entry, commented out."""
WILD = 'Ann "\x1b[31m\\B\u202e\n# same'
"""A name that no terminal and no TOML file may obey."""
Rows = dict[str, list[dict[str, object]]]


def paper_id(number: int) -> str:
    return f"{'abcdefgh'[number]:a>16}"


def author(author_id: str, name: str, kind: str = "person", spellings: int = 1) -> dict[str, object]:
    return {"author_id": author_id, "name": name, "kind": kind, "family": name, "spelling_count": spellings}


def spelling(name: str, author_id: str) -> dict[str, object]:
    return {"name": name, "author_id": author_id, "matched_by": "exact"}


def paper(number: int, title: str, published: date | None = None) -> dict[str, object]:
    facts: dict[str, object] = {"paper_id": paper_id(number), "title": title, "abstract": "", "published": published}
    counted = {"listed_author_count": 1, "authors_truncated": False, "has_code": False, "year_inferred": False}
    return facts | counted | {"citekey": f"bell{number}"}


def wrote(author_id: str, *numbers: int) -> list[dict[str, object]]:
    return [
        {"paper_id": paper_id(number), "author_id": author_id, "name": author_id, "source": "byline"}
        for number in numbers
    ]


def pair(table: str, one: str, other: str, matched_by: str, evidence: str = "they are alike") -> dict[str, object]:
    key = "author_id" if table == "merge_candidates" else "paper_id"
    return {key: one, "other_id": other, "matched_by": matched_by, "evidence": evidence}


def merge(one: str, other: str, matched_by: str, evidence: str = "no co-author shared") -> dict[str, object]:
    return pair("merge_candidates", one, other, matched_by, evidence)


def doubled(one: int, other: int, matched_by: str) -> dict[str, object]:
    return pair("paper_candidates", paper_id(one), paper_id(other), matched_by)


@pytest.fixture
def database_of(tmp_path: Path) -> Iterator[Callable[[Rows], sqlite3.Connection]]:
    """Makes a database of these rows, as a release has it."""
    opened: list[sqlite3.Connection] = []

    def make(rows: Rows) -> sqlite3.Connection:
        path = tmp_path / f"{len(opened)}.db"
        write_database(path, {name: model.frame(_whole(name, rows.get(name, []))) for name, model in TABLES.items()})
        opened.append(sqlite3.connect(path))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


def _whole(table: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [dict.fromkeys(TABLES[table].definition().schema) | row for row in rows]


def people(*names: str, **papers: list[int]) -> Rows:
    """Authors a, b, … of these names, each with one spelling, and who wrote which papers."""
    ids = "abcdefgh"[: len(names)]
    return {
        "papers": [paper(number, f"On Bells {number}") for number in range(8)],
        "authors": [author(one, name) for one, name in zip(ids, names, strict=True)],
        "author_names": [spelling(name, one) for one, name in zip(ids, names, strict=True)],
        "paper_authors": [row for one, numbers in papers.items() for row in wrote(one, *numbers)],
    }


def uncommented(lines: list[str], chosen: Callable[[int], bool]) -> str:
    """The file in which the entries of these numbers are uncommented; one of a paper is two lines."""
    number, text = -1, []
    for line in lines:
        number += bool(ENTRY.match(line)) and not line.startswith("#same")
        text.append(ENTRY.sub("", line) if ENTRY.match(line) and chosen(number) else line)
    return "\n".join(text) + "\n"


def read(tmp_path: Path, text: str) -> Overrides:
    (tmp_path / "people.toml").write_text(text, encoding="utf-8")
    return read_overrides(tmp_path / "people.toml")


# What is left to decide


def test_authors_with_a_shared_co_author_come_first_then_the_most_evident_then_those_of_most_papers(
    database_of: Callable[[Rows], sqlite3.Connection],
) -> None:
    rows = people(*"ABCDEFGH", a=[0], b=[0, 1], c=[0, 1, 2, 3], d=[5])
    shared = "A and B share the co-author Cy Dole"
    rows["merge_candidates"] = [
        merge("a", "b", "fuller_name"),
        merge("c", "d", "fuller_name"),
        merge("a", "c", "initial", shared),
        merge("a", "d", "several_fuller_forms", shared),
        merge("b", "e", "moved_border"),
        merge("b", "f", "initial"),
        merge("c", "f", "initial"),
        merge("b", "g", "initial"),
    ]
    found = [tomllib.loads(f"x = {one.pair}")["x"] for one in merge_candidates(database_of(rows))]
    assert ["".join(names) for names in found] == ["AD", "AC", "CD", "AB", "BE", "CF", "BF", "BG"]


def test_papers_of_one_identifier_come_first_and_those_of_near_days_before_others(
    database_of: Callable[[Rows], sqlite3.Connection],
) -> None:
    rows: Rows = {
        "papers": [
            paper(0, "Zero", date(2020, 1, 1)),
            paper(1, "One", date(2020, 1, 9)),
            paper(2, "Two", date(2020, 1, 3)),
            paper(3, "Three"),
        ],
        "paper_candidates": [
            doubled(0, 1, "other_date"),
            doubled(0, 2, "other_date"),
            doubled(0, 3, "other_date"),
            doubled(1, 2, "same_abstract"),
            doubled(2, 3, "same_identifier"),
        ],
    }
    assert [one.words[0] for one in paper_candidates(database_of(rows))] == [
        "Two (2020-01-03) and Three (no known day): one identifier",
        "One (2020-01-09) and Two (2020-01-03): one abstract and first author, another title",
        "Zero (2020-01-01) and Two (2020-01-03): one title and first author, another day",
        "Zero (2020-01-01) and One (2020-01-09): one title and first author, another day",
        "Zero (2020-01-01) and Three (no known day): one title and first author, another day",
    ]


def test_every_reason_has_its_place_and_its_words() -> None:
    assert (set(MERGES), set(PAPERS)) == (set(CANDIDATE_REASONS), set(PAPER_MATCHES))


def test_a_review_is_an_overrides_file_that_needs_only_uncommenting(
    database_of: Callable[[Rows], sqlite3.Connection],
) -> None:
    rows = people("A. Bell", "Ann Bell", a=[0], b=[0, 1])
    rows["merge_candidates"] = [merge("a", "b", "initial", "A. Bell and Ann Bell, no co-author shared")]
    rows["paper_candidates"] = [doubled(0, 1, "other_date")]
    lines = list(review(database_of(rows)))
    assert lines[0] == "# 1 pair of authors and 1 pair of papers may be one, the most evident first."
    assert lines[4:] == [
        "",
        "same = [",
        "  # A. Bell (1 paper) and Ann Bell (2 papers): an initial against a given name",
        "  # A. Bell and Ann Bell, no co-author shared",
        '  #["A. Bell", "Ann Bell"],',
        "]",
        "",
        "# The same pairs, for those who are two people.",
        "different = [",
        '  #["A. Bell", "Ann Bell"],',
        "]",
        "",
        "# On Bells 0 (no known day) and On Bells 1 (no known day): one title and first author, another day",
        "# they are alike",
        "#[[paper]]",
        f'#same = ["{paper_id(0)}", "{paper_id(1)}"]',
        "",
    ]


@pytest.fixture(scope="module")
def long_review(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The review of many pairs, some of them of names that nothing may obey."""
    rows = people(WILD, "Ann Bell", "Cy 'Dole'", "李伟", "Eve\x7fFox\x9b", "[[paper]]", *"GH")
    rows["papers"][0]["title"] = WILD
    ids = "abcdefgh"
    rows["merge_candidates"] = [merge(one, other, "initial", f"{WILD} and {other}") for one, other in pairwise(ids)]
    rows["paper_candidates"] = [
        pair("paper_candidates", paper_id(n), paper_id(n + 1), "same_abstract", WILD) for n in range(7)
    ]
    path = tmp_path_factory.mktemp("review") / "paperledger.db"
    write_database(path, {name: model.frame(_whole(name, rows.get(name, []))) for name, model in TABLES.items()})
    with closing(sqlite3.connect(path)) as database:
        return list(review(database))


@given(st.data())
def test_any_entries_uncommented_are_a_file_that_is_read(
    long_review: list[str], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Of each pair of authors at most one of same and different, since both would contradict each other."""
    decided = data.draw(st.lists(st.sampled_from(["same", "different", ""]), min_size=7, max_size=7))
    papers = data.draw(st.sets(st.integers(0, 6)))
    chosen = {n for n, key in enumerate(decided) if key == "same"} | {14 + n for n in papers}
    chosen |= {7 + n for n, key in enumerate(decided) if key == "different"}
    given_read = read(tmp_path_factory.mktemp("any"), uncommented(long_review, lambda number: number in chosen))
    assert (len(given_read.same), len(given_read.different)) == (decided.count("same"), decided.count("different"))
    assert [one.same for one in given_read.papers] == [(paper_id(n), paper_id(n + 1)) for n in sorted(papers)]


def test_names_are_read_as_they_are_whatever_they_hold(long_review: list[str], tmp_path: Path) -> None:
    text = uncommented(long_review, lambda number: number < 7)
    assert {WILD, "Cy 'Dole'", "李伟", "Eve\x7fFox\x9b", "[[paper]]"} <= set(read(tmp_path, text).names)


def test_no_terminal_obeys_what_a_review_says(long_review: list[str]) -> None:
    assert [line for line in long_review if not line.isprintable()] == []


def test_lines_are_comments_or_entries_that_are_commented_out_or_the_ends_of_lists(long_review: list[str]) -> None:
    others = [line for line in long_review if line and not re.match(r" *#( |\[|same = \[)", line)]
    assert others == ["same = [", "]", "different = [", "]"]


def test_a_review_may_be_cut_and_says_so(database_of: Callable[[Rows], sqlite3.Connection]) -> None:
    rows = people(*"ABC")
    rows["merge_candidates"] = [merge("a", "b", "initial"), merge("a", "c", "initial"), merge("b", "c", "initial")]
    rows["paper_candidates"] = [doubled(0, 1, "other_date"), doubled(0, 2, "other_date")]
    lines = list(review(database_of(rows), 1))
    assert sum(line.startswith("  #[") for line in lines) == 2
    assert lines.count("#[[paper]]") == 1
    assert "# The first 1 of 3 pairs of authors; --limit 3 shows all." in lines
    assert "# The first 1 of 2 pairs of papers; --limit 2 shows all." in lines


def test_where_nothing_is_left_to_decide_a_review_says_so(
    database_of: Callable[[Rows], sqlite3.Connection], tmp_path: Path
) -> None:
    lines = list(review(database_of({})))
    assert lines == ["# 0 pairs of authors and 0 pairs of papers may be one, the most evident first."]
    assert read(tmp_path, "\n".join(lines)).names == []


def test_a_spelling_that_is_several_authors_is_named_by_another_or_not_at_all(
    database_of: Callable[[Rows], sqlite3.Connection],
) -> None:
    rows = people("Wei Li (Tower Lab)", "Wei A. Li", "W. Li")
    rows["author_names"] = [
        spelling("Wei Li", "a"),
        spelling("Wei Li", "c"),
        spelling("Wei-Li", "a"),
        spelling("Wei A. Li", "b"),
    ]
    rows["merge_candidates"] = [merge("a", "b", "fuller_name"), merge("b", "c", "fuller_name")]
    found = merge_candidates(database_of(rows))
    assert [one.pair for one in found] == ['["Wei-Li", "Wei A. Li"]', None]
    assert found[0].words[0] == "Wei Li (Tower Lab) (0 papers) and Wei A. Li (0 papers): one name is fuller"
    assert found[1].words[-1] == "no spelling is one person's alone: decide by [[person]] with papers"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_so_that_toml_gives_it_back(text: str) -> None:
    assert tomllib.loads(f"x = {toml_string(text)}")["x"] == text
    assert toml_string(text).isprintable()


# Who is there


def test_authors_are_listed_by_their_papers(database_of: Callable[[Rows], sqlite3.Connection]) -> None:
    rows = people("Ann Bell", "李伟", "The Bell Group", b=[0, 1], c=[0])
    rows["authors"][2] |= {"kind": "group", "spelling_count": 12}
    assert list(list_authors(database_of(rows))) == [
        "author_id  kind    name            papers  spellings",
        "b          person  李伟                 2          1",
        "c          group   The Bell Group       1         12",
        "a          person  Ann Bell             0          1",
    ]


def test_a_list_of_authors_may_be_cut_and_says_so(database_of: Callable[[Rows], sqlite3.Connection]) -> None:
    lines = list(list_authors(database_of(people(WILD, *"BC")), 1))
    assert lines[1:] == [
        'a          person  Ann "\\x1b[31m\\BU+202E\\n# same       0          1',
        "1 of 3 authors; --limit 3 lists all",
    ]


# The command

PAGE = """Ann Bell

CL
3 Papers

CLMay 1, 2024
On Bells

Ann Bell, Cy Dole

They ring at noon.

CLMay 9, 2024
On Bells

Ann Bell, Eve Fox

They ring at night.

CLMay 7, 2023
On Ropes

Ann Bell, Cyrus B. Dole

Ropes hold the bells.
"""
OTHER = "Cyrus Dole\n\nCL\n1 Paper\n\nCLMay 2, 2022\nOn Clappers\n\nCyrus Dole\n\nThey clap.\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["authors", *map(str, arguments)])


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "ann.txt").write_text(PAGE, encoding="utf-8")
    (folder / "cyrus.txt").write_text(OTHER, encoding="utf-8")
    return folder


def built(pages: Path, out: Path, overrides: Path | None = None) -> Path:
    build(Request([str(pages)], out, overrides=overrides), Progress(Console(quiet=True)))
    return out


@pytest.fixture(scope="module")
def out(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(pages, tmp_path_factory.mktemp("authors") / "out")


def test_the_command_lists_authors(out: Path) -> None:
    result = run(out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.split(" {2,}", result.stdout.splitlines()[1]) == ["ann-bell", "person", "Ann Bell", "3", "1"]
    assert len(result.stdout.splitlines()) == 1 + 5
    assert run("--out", out, "--limit", "2").stdout.splitlines()[-1] == "2 of 5 authors; --limit 5 lists all"


def test_what_a_review_prints_and_a_person_uncomments_is_carried_out(pages: Path, out: Path, tmp_path: Path) -> None:
    result = run(out, "--review")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    merges = sum(line.startswith("  #[") for line in lines) // 2
    assert merges > 0
    overrides = tmp_path / "people.toml"
    overrides.write_text(uncommented(lines, lambda number: not merges <= number < 2 * merges), encoding="utf-8")
    with closing(sqlite3.connect(built(pages, tmp_path / "out", overrides) / "current" / "paperledger.db")) as database:
        (authors,) = database.execute("SELECT count(*) FROM authors").fetchone()
        (papers,) = database.execute("SELECT count(*) FROM papers").fetchone()
        assert (authors, papers) == (3, 3)
        assert database.execute("SELECT message FROM findings WHERE rule_id = 'AUT-005'").fetchall() == []
    again = run(tmp_path / "out", "--review").stdout
    assert again == "# 0 pairs of authors and 0 pairs of papers may be one, the most evident first.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["nowhere"], "nowhere: no release here", id="no release"),
        pytest.param(["one", "--out", "two"], "one: found another folder than two of --out", id="two folders"),
        pytest.param(["--limit", "0"], "Invalid value for '--limit'", id="no authors"),
    ],
)
def test_what_cannot_be_listed_is_a_usage_error(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_damaged_release_is_told_in_one_line(pages: Path, tmp_path: Path) -> None:
    release = (built(pages, tmp_path / "out") / "current").resolve()
    (release / "paperledger.db").write_bytes(b"no database")
    result = run(release)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "paperledger.db" in result.stderr
