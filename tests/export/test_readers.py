"""Exports of a release, read back by readers that others wrote: bibtexparser, bibtex, biber, citeproc-py, rispy, feedparser."""

import json
import re
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from importlib.resources import files
from pathlib import Path

import bibtexparser
import feedparser
import pytest
import rispy
from bibtexparser.middlewares import NormalizeFieldKeys, SeparateCoAuthors, SplitNameParts
from helpers import run, write_database
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from rich.console import Console

from etl.export import FORMATS
from etl.export.atom import Feed
from etl.export.formats import BY_NAME, feed_of
from etl.export.selection import BATCH, CitedAuthor, CitedPaper, Selection, cited_papers, select_papers
from etl.load.layout import DATABASE_FILE
from etl.pipeline import Request, build
from etl.printable import visible
from etl.progress import Progress
from schemas import TABLES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
    from citeproc.source.json import CiteProcJSON

CSL = Draft7Validator(
    json.loads((Path(__file__).parents[1] / "schemas" / "csl-data-1.0.json").read_text(encoding="utf-8"))
)
"""The official schema of CSL-JSON."""
Facts = dict[str, object]
Table = list[Facts]
PAPERS: list[tuple[str, str, list[str], Facts]] = [
    ("C++ is not C# {", "C++ is not C# {", ["Ann Bell", "Cy Dole"], {"published": date(2024, 3, 14)}),
    ("5% of #1 & a_b }", "5% of #1 & a_b }", ["Nguyễn Văn Đức"], {"published": date(2024, 3, 13)}),
    ("$K^+$ and \\'etale {B}ells", "K^+ and étale Bells", ["Ève Fox"], {"published": date(2024, 3, 12)}),
    ("\\href{run:x}{y} @misc{a,", "\\href{run:x}{y} @misc{a,", ["Đỗ Thị Hương"], {"published": date(2024, 3, 11)}),
    ("By a group", "By a group", ["The Tower Collaboration", "Ann Bell"], {"published": date(2024, 3, 10)}),
    ("A cut byline", "A cut byline", ["Ann Bell"], {"published": date(2024, 3, 9), "authors_truncated": True}),
    (
        "All are known",
        "All are known",
        ["Ann Bell", "Plato"],
        {"published": date(2024, 3, 8), "authors_truncated": True, "author_count": 2},
    ),
    ("No date, no abstract", "No date, no abstract", ["Ann Bell"], {"published": None}),
]
"""Titles as printed and as plain text, authors, and other facts; newest first."""
IDENTIFIERS = [("arxiv", "2404.00002"), ("doi", "10.1000/b_2"), ("doi", "10.1000/a<1>")]
"""Those of the first paper."""


def name(author: str) -> tuple[str | None, str]:
    """Given and family names of an invented author."""
    if author.startswith("The "):
        return None, author
    *given, family = author.split()
    return " ".join(given) or None, family


def paper_id(number: int) -> str:
    return f"{'abcdefgh'[number]:a>16}"


def slug(author: str) -> str:
    return re.sub("[^a-z]+", "-", author.encode("ascii", "ignore").decode().lower()).strip("-")


def rows() -> dict[str, Table]:
    people = sorted({author for _, _, authors, _ in PAPERS for author in authors})
    counted: Facts = {"listed_author_count": 1, "authors_truncated": False, "has_code": False, "year_inferred": True}
    ids = dict(enumerate(map(paper_id, range(len(PAPERS)))))
    return {
        "categories": [
            {"category_id": "cs.CL", "badge_code": "CL", "name": "C", "archive": "cs", "archive_name": "c", "group_name": "c", "active": True}
        ],
        "papers": [
            {"paper_id": ids[at], "title": title, "abstract": f"Of {title}" if at < 6 else "", "category_id": "cs.CL", "citekey": f"bell{at}", **counted, "author_count": None if "authors_truncated" in facts else len(authors), **facts}
            for at, (title, _, authors, facts) in enumerate(PAPERS)
        ],
        "authors": [
            {"author_id": slug(one), "name": one, "kind": "group" if one.startswith("The ") else "person", "given": name(one)[0], "family": name(one)[1], "spelling_count": 1}
            for one in people
        ],
        "author_names": [{"name": one, "author_id": slug(one), "matched_by": "exact"} for one in people] + [{"name": "A. Bell", "author_id": "ann-bell", "matched_by": "override"}],
        "paper_authors": [
            {"paper_id": ids[at], "author_id": slug(one), "position": place, "name": one, "source": "byline"}
            for at, (_, _, authors, _) in enumerate(PAPERS)
            for place, one in enumerate(authors, 1)
        ],
        "paper_categories": [{"paper_id": one, "category_id": "cs.CL", "is_primary": True, "source": "badge"} for one in ids.values()],
        "paper_identifiers": [
            {"paper_id": ids[0], "scheme": scheme, "value": value, "url": f"https://x.org/{value}", "matched_by": "abstract", "evidence": "line 1"}
            for scheme, value in IDENTIFIERS
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database of invented papers that break readers."""
    path, made = tmp_path_factory.mktemp("nasty") / DATABASE_FILE, rows()
    frames = {}
    for table, model in TABLES.items():
        columns = model.definition().schema
        frames[table] = model.sorted(model.frame([dict.fromkeys(columns) | row for row in made.get(table, [])]))
    write_database(path, frames)
    with closing(sqlite3.connect(path)) as database:
        yield database


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the bundled page."""
    out = tmp_path_factory.mktemp("exports") / "build"
    return build(Request([str(files("etl").joinpath("sample"))], out), Progress(Console(quiet=True))).release.path


@pytest.fixture(params=["bundled", "nasty"])
def database(request: pytest.FixtureRequest, nasty: sqlite3.Connection, release: Path) -> Iterator[sqlite3.Connection]:
    if request.param == "nasty":
        yield nasty
        return
    with closing(sqlite3.connect(release / DATABASE_FILE)) as opened:
        yield opened


def text_of(database: sqlite3.Connection, form: str, selection: Selection | None = None) -> str:
    chosen = selection or Selection()
    pieces = BY_NAME[form].pieces(cited(database, chosen), feed_of(database, chosen))
    return "".join(pieces)


def cited(database: sqlite3.Connection, selection: Selection | None = None) -> Iterator[CitedPaper]:
    return cited_papers(database, select_papers(database, selection or Selection()))


def test_bibtexparser_reads_every_entry(database: sqlite3.Connection) -> None:
    middlewares = [NormalizeFieldKeys(), SeparateCoAuthors(), SplitNameParts()]
    library = bibtexparser.parse_string(text_of(database, "bibtex"), append_middleware=middlewares)
    papers = list(cited(database))
    assert library.failed_blocks == []
    assert [entry.key for entry in library.entries] == [paper.citekey for paper in papers]
    for entry, paper in zip(library.entries, papers, strict=True):
        expected = [" ".join(filter(None, (one.given, one.family))) for one in paper.authors]
        found = [re.sub("[{}]", "", " ".join([*one.first, *one.von, *one.last, *one.jr])) for one in entry["author"]]
        assert found == expected + ["others"] * paper.has_others
        assert entry.get("year") is None if paper.published is None else entry["year"] == str(paper.published.year)
        assert "note" not in entry.fields_dict


@pytest.mark.parametrize("tool", ["bibtex", "biber"])
def test_bibtex_and_biber_have_no_warning(database: sqlite3.Connection, tool: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")
    (tmp_path / "papers.bib").write_text(text_of(database, "bibtex"), encoding="utf-8")
    if tool == "biber":
        command = ["biber", "--tool", "--validate-datamodel", "papers.bib"]
    else:
        if subprocess.run(["kpsewhich", "plain.bst"], capture_output=True, check=False).returncode:  # noqa: S607
            pytest.skip("no style of BibTeX on this machine")
        (tmp_path / "papers.aux").write_text("\\citation{*}\n\\bibstyle{plain}\n\\bibdata{papers}\n", encoding="utf-8")
        command = ["bibtex", "papers"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    warned = re.findall("^.*(?:warn|error).*-.*$", done.stdout, re.IGNORECASE | re.MULTILINE)
    undated = sum(paper.published is None for paper in cited(database)) if tool == "biber" else 0
    assert ["'date, year' must be defined" in line for line in warned if "WARNINGS" not in line] == [True] * undated
    assert done.returncode == 0


def test_citeproc_cites_every_item(database: sqlite3.Connection) -> None:
    items, papers = json.loads(text_of(database, "csl-json")), list(cited(database))
    assert [item["id"] for item in items] == [paper.citekey for paper in papers]
    for item, paper in zip(items, papers, strict=True):
        names = [
            one.get("literal") or " ".join([*filter(None, [one.get("given")]), one["family"]]) for one in item["author"]
        ]
        assert names == [one.name for one in paper.authors] + ["others"] * paper.has_others
        assert [("literal" in one) for one in item["author"][: len(paper.authors)]] == [
            one.is_group for one in paper.authors
        ]
        day = paper.published
        assert item.get("issued") == ({"date-parts": [[day.year, day.month, day.day]]} if day else None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = CiteProcJSON(items)
        style = CitationStylesStyle("harvard-cite-them-right", validate=False)
        bibliography = CitationStylesBibliography(style, source, formatter.plain)
        for item in items:
            bibliography.register(Citation([CitationItem(item["id"])]))
        entries = list(map(str, bibliography.bibliography()))
    assert len(entries) == len(papers)
    assert all(any(paper.authors[0].family in entry for entry in entries) for paper in papers)


def test_csl_json_is_valid_against_the_official_schema(database: sqlite3.Connection) -> None:
    CSL.check_schema(CSL.schema)
    items = json.loads(text_of(database, "csl-json"))
    assert len(items) >= len(PAPERS)
    assert [error.message for error in CSL.iter_errors(items)] == []
    assert [*CSL.iter_errors([{**items[0], "author": [{"name": "Ann Bell"}]}])]


def test_rispy_reads_every_record(database: sqlite3.Connection) -> None:
    text = text_of(database, "ris")
    assert text.replace("\r\n", "").isprintable()
    records, papers = rispy.loads(text), list(cited(database))
    assert [record["id"] for record in records] == [paper.citekey for paper in papers]
    for record, paper in zip(records, papers, strict=True):
        expected = [f"{one.family}, {one.given}" if one.given else one.family for one in paper.authors]
        assert record["authors"] == expected + ["others"] * paper.has_others
        assert record.get("year") == (str(paper.published.year) if paper.published else None)


def test_feedparser_reads_every_entry(database: sqlite3.Connection) -> None:
    feed, papers = feedparser.parse(text_of(database, "atom").encode()), list(cited(database))
    assert not feed.bozo
    assert [entry.id for entry in feed.entries] == [f"tag:paperledger,2026:papers/{paper.paper_id}" for paper in papers]
    for entry, paper in zip(feed.entries, papers, strict=True):
        assert [one.name for one in entry.authors] == [one.name for one in paper.authors]
        day = paper.published or date(1970, 1, 1)
        assert entry.updated_parsed[:3] == (day.year, day.month, day.day)
    updates = [entry.updated for entry in feed.entries]
    assert updates == sorted(updates, reverse=True)
    assert feed.feed.updated == updates[0]


def test_the_bundled_page_is_fifty_papers_of_known_years(release: Path) -> None:
    with closing(sqlite3.connect(release / DATABASE_FILE)) as database:
        years = dict(database.execute("SELECT citekey, substr(published, 1, 4) FROM papers"))
    records = rispy.loads(run("export", "ris", release).output)
    assert len(records) == 50
    assert {record["id"]: record["year"] for record in records} == years


def test_plain_titles_have_no_tex(nasty: sqlite3.Connection) -> None:
    titles = [title for _, title, _, _ in PAPERS]
    assert [item["title"] for item in json.loads(text_of(nasty, "csl-json"))] == titles
    assert [record["title"] for record in rispy.loads(text_of(nasty, "ris"))] == titles
    assert [entry.title for entry in feedparser.parse(text_of(nasty, "atom").encode()).entries] == titles


def test_of_two_dois_the_first_is_cited_and_arxiv_gives_the_address(nasty: sqlite3.Connection) -> None:
    first = json.loads(text_of(nasty, "csl-json"))[0]
    found = {field: first[field] for field in ("DOI", "URL", "number", "publisher")}
    assert found == {
        "DOI": "10.1000/a<1>", "URL": "https://x.org/2404.00002", "number": "arXiv:2404.00002", "publisher": "arXiv",
    }  # fmt: skip
    record = rispy.loads(text_of(nasty, "ris"))[0]
    assert (record["doi"], record["accession_number"]) == ("10.1000/a<1>", "arXiv:2404.00002")
    entry = bibtexparser.parse_string(text_of(nasty, "bibtex")).entries[0]
    fields = {field: entry[field] for field in ("eprint", "archivePrefix", "primaryClass", "doi")}
    assert fields == {"eprint": "2404.00002", "archivePrefix": "arXiv", "primaryClass": "cs.CL", "doi": "10.1000/a<1>"}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(author_id="ann-bell"), [0, 4, 5, 6, 7]),
        (Selection(category_id="cs.CL"), list(range(8))),
        (Selection(category_id="cs.LG"), []),
        (Selection(search="group"), [4]),
        (Selection(search='"cut byline"'), [5]),
        (Selection(search='"byline cut"'), []),
        (Selection(search="AND ( NEAR * ^ : \" - \x00 '"), []),
        (Selection(where="published >= '2024-03-13' -- newest"), [0, 1]),
        (Selection(where="doi = '10.1000/a<1>' OR published IS NULL"), [0, 7]),
        (Selection(author_id="ann-bell", where="authors LIKE '%et al.%'"), [5]),
    ],
)
def test_conditions_select_papers_newest_first(
    nasty: sqlite3.Connection, selection: Selection, expected: list[int]
) -> None:
    assert [paper.paper_id for paper in cited(nasty, selection)] == list(map(paper_id, expected))


def test_papers_are_read_in_batches_in_the_order_asked(release: Path) -> None:
    with closing(sqlite3.connect(release / DATABASE_FILE)) as database:
        places = [place for (place,) in database.execute("SELECT rowid FROM papers ORDER BY rowid DESC")] * 5
        assert len(places) > 2 * BATCH
        ids = dict(database.execute("SELECT rowid, paper_id FROM papers"))
        assert [paper.paper_id for paper in cited_papers(database, places)] == [ids[place] for place in places]


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_of_nothing_is_valid(nasty: sqlite3.Connection, form: str) -> None:
    text = text_of(nasty, form, Selection(search="nothing"))
    read: dict[str, Callable[[str], object]] = {
        "bibtex": lambda text: bibtexparser.parse_string(text).blocks,
        "csl-json": json.loads,
        "ris": rispy.loads,
        "atom": lambda text: feedparser.parse(text.encode()).entries,
    }
    assert read[form](text) == []


@given(
    st.text(min_size=1, max_size=40),
    st.text(min_size=1, max_size=20),
    st.text("{}\\$%#&@,\"'<>]\r\n\x00\ufffe", max_size=12),
)
def test_no_text_breaks_a_reader(title: str, family: str, abstract: str) -> None:
    paper = CitedPaper(
        "kemu6opsraxxk7cm", "bell2025bells", title + abstract, [CitedAuthor("Ann", visible(family))], abstract=abstract
    )
    text = {form: "".join(BY_NAME[form].pieces([paper], Feed("tag:x,2026:y", "Papers"))) for form in FORMATS}
    assert [entry.key for entry in bibtexparser.parse_string(text["bibtex"]).entries] == [paper.citekey]
    assert [item["id"] for item in json.loads(text["csl-json"])] == [paper.citekey]
    assert CSL.is_valid(json.loads(text["csl-json"]))
    assert [(record["id"], len(record["authors"])) for record in rispy.loads(text["ris"])] == [(paper.citekey, 1)]
    feed = feedparser.parse(text["atom"].encode())
    assert (bool(feed.bozo), len(feed.entries)) == (False, 1)
