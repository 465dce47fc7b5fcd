"""A redacted copy of a release: nothing in any of its files gives back an abstract or an erased name."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from datasette.app import Datasette
from helpers import run

from etl import OpenRelease, build, open_release
from etl.release.erasing import NameEraser
from etl.release.verify import verify
from etl.resolve.folding import fold_long
from etl.site.served import SETTINGS

ANN = """Ann Bell

CL
h-index30
3papers
9citations
Ann Bell likes bells

5 Papers

ROMar 14, 2025Code
On Ropes

Ann Bell, Cy Dole et al. · mila, Ann Bell Lab

Bells ring, as ANN  BELL says. See https://github.com/annbell/b and http://x.org/~ann-bell/.

Advertisement by Ann Bell
of a tower

CLApr 2
Naïve Chimes of Bell, Ann

Ève Fox, Ann Bell, Max Ann Bell

"They" chime, 'softly', and

CLMay 3, 2024
The Àńń-Bell Theorem

Cy Dole, Ann B. Bell, Eve Fox, Jo Ann

Unheard of words, and Ann Bell proves them.

CLMay 4, 2024
A lost paper by Ann Bell

They toll and toll, and nobody knows who wrote this sentence, which is no byline at all.

Ann Bell wrote this summary.
"""
EVE = """Eve Fox

ROMar 14, 2025
On Ropes!

ann bell, Cy Dole, Eve Fox

Bells rang for A. Bell, Ann Bell and Cy Dole.
"""
OVERRIDES = """
same = [["Ann Bell", "Ann B. Bell"]]
different = [["Ann Bell", "Zoe Quartz"]]
"""
ABSTRACTS = [
    "Bells ring, as ANN  BELL says", "chime, 'softly', and", "Unheard of words", "Bells rang for A. Bell",
    "They toll and toll", "Ann Bell wrote this summary",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> OpenRelease:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "pages").mkdir()
    (folder / "pages" / "ann-bell@2026-06-01.txt").write_text(ANN, encoding="utf-8")
    (folder / "pages" / "eve.txt").write_text(EVE, encoding="utf-8")
    (folder / "ann_bell.toml").write_text(OVERRIDES, encoding="utf-8")
    release = build(folder / "pages", folder / "out", overrides=folder / "ann_bell.toml")
    assert {"variants", "quarantine", "findings", "links"} <= {
        name for name in ("variants", "quarantine", "findings", "links") if release.table(name).height
    }
    return release


def redacted(whole: OpenRelease, out: Path, *options: str) -> OpenRelease:
    done = run("redact", whole.path, *options, "-o", out)
    assert done.exit_code == 0, done.stderr
    assert "This is a redacted copy of release " in done.stdout
    return open_release(out)


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text of every file, with the file's name: raw bytes, values of SQLite, and columns and words of Parquet."""
    for path in folder.iterdir():
        yield path.name, path.read_bytes().decode(errors="replace")
        if path.suffix == ".parquet":
            yield path.name, json.dumps(pl.read_parquet(path).to_dicts(), default=str, ensure_ascii=False)
            yield path.name, str(pq.read_schema(path).metadata)
    with closing(sqlite3.connect(folder / "paperledger.db")) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608
                yield table, "\n".join(map(str, row))


def places(folder: Path, words: str) -> set[str]:
    """The files and tables in which the words are, whatever the case, the marks and the signs between them."""
    wanted = re.compile(rf"\b{'[^a-z0-9]{0,6}'.join(fold_long(words).split())}\b")
    return {name for name, text in texts(folder) if wanted.search(fold_long(text)) or wanted.search(text.casefold())}


def test_an_erased_name_is_nowhere_in_any_file(whole: OpenRelease, tmp_path: Path) -> None:
    assert {"paperledger.db", "papers.parquet", "manifest.json", "report.html"} <= places(whole.path, "Ann Bell")
    copy = redacted(whole, tmp_path, "--erase", "ann BELL")
    for words in ("Ann Bell", "annbell", "Bell Ann", "Ann B. Bell", "bell2025ropes"):
        assert places(copy.path, words) == set(), words
    assert not any("ann" in path.name for path in copy.path.iterdir())


def test_other_people_and_the_shape_of_the_tables_remain(whole: OpenRelease, tmp_path: Path) -> None:
    copy = redacted(whole, tmp_path, "--erase", "Ann Bell")
    assert set(copy.authors["name"]) == {"[erased]", "Cy Dole", "Ève Fox", "Jo Ann", "Max [erased]"}
    for name in ("papers", "listings", "paper_authors", "profiles", "quarantine", "findings", "links", "paper_list"):
        assert copy.table(name).height == whole.table(name).height, name
    assert copy.paper_list["published"].to_list() == whole.paper_list["published"].to_list()
    assert "erased@2026-06-01.txt" in copy.profiles["source"].to_list()
    assert copy.profiles.sort("source")["h_index"].to_list() == [30, None]


def test_keys_still_lead_to_rows(whole: OpenRelease, tmp_path: Path) -> None:
    copy = redacted(whole, tmp_path, "--erase", "Ann Bell", "--erase", "Eve Fox")
    assert {"erased", "erased-2"} <= set(copy.authors["author_id"])
    assert copy.sql("SELECT count(*) AS n FROM papers WHERE citekey = 'erased-' || paper_id")["n"].item() == 2
    about = copy.findings.filter(pl.col("table_name") == "paper_authors")["row_key"]
    keys = {f"{paper},{author}" for paper, author in copy.paper_authors.select("paper_id", "author_id").iter_rows()}
    assert set(about) <= keys
    assert copy.sql("SELECT author_id FROM authors_fts WHERE authors_fts MATCH 'dole'")["author_id"].to_list() == [
        "cy-dole"
    ]


def test_no_abstract_and_no_raw_line_is_in_a_copy_without_abstracts(whole: OpenRelease, tmp_path: Path) -> None:
    copy = redacted(whole, tmp_path, "--no-abstracts")
    for words in (*ABSTRACTS, "Advertisement by Ann Bell", "likes bells"):
        assert places(whole.path, words), words
        assert places(copy.path, words) == set(), words
    assert set(copy.papers["abstract"]) == {""}
    assert copy.sql("SELECT title FROM papers_fts WHERE papers_fts MATCH 'softly'").is_empty()
    assert copy.sql("SELECT title FROM papers_fts WHERE papers_fts MATCH 'theorem'").height == 1
    assert set(copy.variants["field"]) <= {"title", "byline", "category_id", "published"}


def test_a_copy_is_whole_marked_and_the_same_each_time(whole: OpenRelease, tmp_path: Path) -> None:
    options = ("--no-abstracts", "--erase", "Ann Bell")
    copy, again = (redacted(whole, tmp_path / name, *options) for name in ("one", "two"))
    assert verify(copy.path) == []
    files = {path.name: path.read_bytes() for path in copy.path.iterdir()}
    assert files == {path.name: path.read_bytes() for path in again.path.iterdir()}
    facts = {"release": whole.manifest["logical_hash"], "abstracts": True, "erased_names": 1}
    assert copy.manifest["redacted"] == facts
    for name in ("datapackage.json", "croissant.json", "datasette-metadata.json"):
        assert "redacted copy" in json.loads(files[name])["description"]
    assert "(redacted)" in json.loads(files["datapackage.json"])["citation"]


def test_a_copy_of_a_copy_has_both_marks(whole: OpenRelease, tmp_path: Path) -> None:
    first = redacted(whole, tmp_path / "one", "--erase", "Ann Bell")
    second = redacted(first, tmp_path / "two", "--no-abstracts")
    assert second.manifest["redacted"] == first.manifest["redacted"] | {"abstracts": True}
    assert verify(second.path) == []


def test_no_page_is_rebuilt_from_a_copy(whole: OpenRelease, tmp_path: Path) -> None:
    copy = redacted(whole, tmp_path, "--no-abstracts")
    done = run("page", "eve.txt", "--out", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        "this release is a redacted copy, from which no page can be rebuilt; use the release that it was made from"
        in done.stderr
    )
    assert whole.page("eve.txt") == EVE.encode()
    assert copy.release.path.is_dir()


def test_the_site_of_a_copy_says_so_and_gives_no_page(whole: OpenRelease, tmp_path: Path) -> None:
    copy = redacted(whole, tmp_path, "--no-abstracts", "--erase", "Ann Bell")
    metadata = json.loads((copy.path / "datasette-metadata.json").read_text(encoding="utf-8"))
    site = Datasette([], immutables=[str(copy.path / "paperledger.db")], metadata=metadata, settings=dict(SETTINGS))
    home = asyncio.run(site.client.get("/"))
    assert "This is a redacted copy of release" in home.text
    for profile in copy.profiles["profile_id"]:
        answer = asyncio.run(site.client.get(f"/-/pages/{profile}.txt"))
        assert answer.status_code == 410
        assert "pages cannot be rebuilt from it" in answer.text
    rows = [f"papers/{key}" for key in copy.papers["paper_id"]] + [
        f"profiles/{key}" for key in copy.profiles["profile_id"]
    ]
    rows += ["authors/erased", *(f"findings/{key}" for key in copy.findings["finding_id"])]
    shown = [asyncio.run(site.client.get(f"/paperledger/{row}")) for row in rows]
    assert {answer.status_code for answer in shown} == {200}
    assert not any("Ann Bell" in answer.text or "Unheard of words" in answer.text for answer in (home, *shown))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "nothing to remove; give --no-abstracts, --erase NAME, or both"),
        (("--erase", "Ann Bel"), "Ann Bel: found nowhere in the release"),
        (("--erase", "..."), "'...': found no letters, expected a name to erase"),
    ],
)
def test_what_cannot_be_redacted_publishes_nothing(
    whole: OpenRelease, tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    done = run("redact", whole.path, *options, "-o", tmp_path / "copy")
    assert done.exit_code == 2
    assert problem in done.stderr
    assert not (tmp_path / "copy" / "current").exists()


def test_a_copy_never_replaces_its_release(whole: OpenRelease) -> None:
    done = run("redact", whole.path, "--no-abstracts", "-o", whole.path.parents[1])
    assert done.exit_code == 2
    assert "the output folder of the release itself; choose another folder" in done.stderr


def test_a_damaged_release_is_not_redacted(whole: OpenRelease, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "damaged")
    with (tmp_path / "damaged" / "papers.parquet").open("ab") as file:
        file.write(b"more")
    done = run("redact", tmp_path / "damaged", "--no-abstracts", "-o", tmp_path / "copy")
    assert done.exit_code == 1
    assert "papers.parquet: found" in done.stderr


@pytest.mark.parametrize(
    ("text", "erased"),
    [
        ("Joann Bellamy, Ann Bellamy, Joann Bell", "Joann Bellamy, Ann Bellamy, Joann Bell"),
        ("by Ann\nBell", "by [erased]"),
        ("ÄNN BÉLL", "[erased]"),
        ("A\u0308nn Be\u0301ll\u0301, Cy", "[erased], Cy"),
        ("An\u00adn\u00a0Bell", "[erased]"),
        ("BELL, ANN (2024)", "[erased] (2024)"),
        ("A. Bell and Cy Dole", "[erased] and Cy Dole"),
        ("Cy Dole, A. Bell", "Cy Dole, [erased]"),
        ("M. A. Bell, A. Bell Smith", "M. A. Bell, A. Bell Smith"),
        ("mail ann.bell@x.org", "mail erased@x.org"),
        ("", ""),
    ],
)
def test_a_name_is_found_in_any_form_as_whole_words(text: str, erased: str) -> None:
    assert NameEraser([("Ann Bell", ["A. Bell"])]).text(text) == erased


@pytest.mark.parametrize("name", ["Ann van Bell", "Ann Bell-Dole", "Ann O'Bell", "Ann de la Bell"])
def test_a_family_name_of_several_words_is_found_in_front_too(name: str) -> None:
    given, family = name.split(" ", 1)
    assert NameEraser([(name, [])]).text(f"{family}, {given}; Dole, Cy") == "[erased]; Dole, Cy"
