"""Row pages: papers, authors and profiles to read, of honest pages, of hostile ones, and of very long ones."""

import asyncio
import json
import re
import sqlite3
import time
import tracemalloc
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Event

import httpx
import pytest
from datasette.app import Datasette
from datasette.utils import tilde_encode
from rich.console import Console
from site_words import Fetch, element, links, words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.lineage import ReleaseRows
from etl.release.release import Release
from etl.site.files import Exports
from etl.site.row_files import PageTexts
from etl.site.row_pages import SHOWN_CARDS, lines_of_listing, paper_page
from etl.site.safety.sql_limits import LARGEST_ANSWER
from schemas import TABLES

DATA = Path(__file__).parents[1] / "data"
SCRIPT = "<script>alert(1)</script>"
EVIL = {
    "CLJan 4, 2024": (
        SCRIPT,
        '<img src=x onerror=alert(1)>, Bo\u202eDole, Eve "Q" Fox',
        'javascript:alert(1) https://example.org/"onclick=alert(1) JAVASCRIPT://x.org/',
    ),
    "CLFeb 4, 2024": ("Deep " + "{" * 3_000, "Cy Dole, Eve Fox et al.", "{" * 20_000),
    "CLMar 4, 2024": (r"Lone } { \frac{ $", r"Cy {Dole, Eve \Fox", "$" * 9_999),
    "CLApr 4, 2024": (r"\input{/etc/passwd} {{ 7 * 7 }}", "محمد, 李伟", "\u2066x\u2069"),
    "zz-unknownMay 4": ("No date and no category", "Cy Dole", "Nothing is known of this paper but that it is here."),
}


def letters(number: int) -> str:
    """Two letters for a number: digits behind a name are no part of it."""
    return chr(97 + number // 26) + chr(97 + number % 26)


def page(owner: str, blocks: dict[str, tuple[str, str, str]] | list[tuple[str, ...]], rest: str = "") -> str:
    listed = [(badge, *parts) for badge, parts in blocks.items()] if isinstance(blocks, dict) else blocks
    body = "\n\n".join(f"{badge}\n{title}\n\n{byline}\n\n{abstract}" for badge, title, byline, abstract in listed)
    return f"{owner}\n\nCL\n{len(listed)}papers\n\n{len(listed)} Papers\n\n{body}{rest}"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a hostile page, of two pages that disagree, and of a long one."""
    folder = tmp_path_factory.mktemp("hostile")
    many = [("CLMay 1, 2020", f"Bell {at}", f"Ida Many, Cy Dole{letters(at)}", "It rings well.") for at in range(240)]
    wide = ", ".join(f"Jo Fox{letters(at)}" for at in range(150))
    old = ("CLJun 4, 2024", "On Towers", "Ann Bell, Cy Dole", "Towers are tall, and that is all that we say.")
    new = ("CVJun 4, 2024", "On Towers", "Ann Bell, Cy Dole", "Towers are tall, and ring.")
    pages = {
        "evil <b>&.txt": page(SCRIPT, EVIL, f"\n\njunk {SCRIPT}\n\u202emore junk"),
        "many.txt": page("Ida Many", many),
        "wide.txt": page("Jo Foxaa", [("CLJul 4, 2024", "By many", wide, "All of us wrote it.")]),
        "old@2024-07-01.txt": page("Ann Bell", [old]),
        "new@2025-07-01.txt": page("Cy Dole", [new]),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return build(Request([str(folder)], folder / "build"), Progress(Console(quiet=True))).release.path.resolve()


@cache
def site_of(release: Path, base_url: str = "/") -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings={"base_url": base_url})


def page_of(release: Path, path: str) -> httpx.Response:
    return asyncio.run(site_of(release).client.get(path))


def rows(release: Path, sql: str, *values: object) -> list[tuple[str, ...]]:
    database = sqlite3.connect(release / DATABASE_FILE)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()


def keys(release: Path, table: str) -> list[str]:
    (column,) = TABLES[table].definition().primary_key
    return [tilde_encode(key) for (key,) in rows(release, f"SELECT {column} FROM {table} ORDER BY 1")]  # noqa: S608


def paper(release: Path, title: str) -> str:
    return rows(release, "SELECT paper_id FROM papers WHERE title LIKE ?", title)[0][0]


def test_a_paper_reads_well(release: Path) -> None:
    answer = page_of(release, f"/paperledger/papers/{paper(release, 'Seeing Bells%')}")
    text = words(answer)
    assert "counts them almost as well" in text
    assert "<em>almost</em>" in answer.text
    for expected in (
        "Cy Dole, Ann B. Bell (here Ann Bell)",
        "2024-12-01",
        "mila, Tower Lab",
        "there is code",
    ):
        assert expected in text, expected
    assert "CVDec 1, 2024CodeDataset" in text
    assert "@misc{dole2024seeing," in text


def test_its_people_and_pages_are_links(release: Path) -> None:
    key = paper(release, "On Bells and%")
    leads = links(page_of(release, f"/paperledger/papers/{key}"))
    ann = rows(release, "SELECT author_id FROM author_names WHERE name = 'Ann Bell'")[0][0]
    profile = rows(release, "SELECT profile_id FROM profiles WHERE source = 'ann-bell.txt'")[0][0]
    wanted = [f"/paperledger/authors/{ann}", f"/paperledger/profiles/{profile}", "https://example.org"]
    assert {*wanted[:2], "https://github.com/example/peals", f"/-/cite/papers/{key}.bib"} <= set(leads)


def test_tex_and_inferred_years_are_readable(release: Path) -> None:
    assert "32× smaller" in words(page_of(release, f"/paperledger/papers/{paper(release, 'On Bells and%')}"))
    assert "it is inferred" in words(page_of(release, f"/paperledger/papers/{paper(release, 'What Does a Bell%')}"))


def test_an_owner_behind_et_al_is_an_author_at_an_unknown_place(release: Path) -> None:
    key = paper(release, "The Dose of a Bell%")
    text = words(page_of(release, f"/paperledger/papers/{key}"))
    assert "et al." in text
    assert re.search(r"Also an author, at a place that the pages do not show: Ann B\. Bell", text)


@pytest.mark.parametrize("table", ["papers", "authors", "profiles", "categories"])
def test_every_row_has_a_page_whose_links_work(release: Path, table: str) -> None:
    for key in keys(release, table)[:4]:
        answer = page_of(release, f"/paperledger/{table}/{key}")
        assert answer.text.count("<h1") == 1
        inside = [link for link in links(answer) if link.startswith("/")][:30]
        assert {link: page_of(release, link).status_code for link in dict.fromkeys(inside)} == dict.fromkeys(
            inside, 200
        )


def test_the_raw_lines_of_every_listing_are_those_of_its_page(release: Path, hostile: Path) -> None:
    texts = {
        file.name: file for file in (*DATA.glob("*.txt"), *Path(str(files("etl").joinpath("sample"))).glob("*.txt"))
    }
    texts |= {file.name: file for file in hostile.parents[2].glob("*.txt")}
    for place in (release, hostile):
        database = sqlite3.connect(place / DATABASE_FILE)
        rows = ReleaseRows(database)
        listings = list(rows.rows("SELECT listings.*, source FROM listings JOIN profiles USING (profile_id)"))
        for listing in listings:
            row = next(rows.rows("SELECT * FROM papers WHERE paper_id = ?", listing["paper_id"]))
            stored = rows.rows(
                "SELECT * FROM variants WHERE profile_id = ? AND position = ?",
                listing["profile_id"],
                listing["position"],
            )
            lines = lines_of_listing(rows, listing, row, {one["field"]: one["value"] for one in stored})
            page_lines = texts[listing["source"]].read_text(encoding="utf-8").split("\n")
            assert lines == page_lines[listing["line_start"] - 1 : listing["line_end"]]
        assert listings
        database.close()


def test_a_page_comes_back_byte_for_byte(release: Path) -> None:
    ((key,),) = rows(release, "SELECT profile_id FROM profiles WHERE source = 'ann-bell.txt'")
    answer = page_of(release, f"/-/pages/{key}.txt")
    assert answer.content == (DATA / "ann-bell.txt").read_bytes()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_larger_than_an_answer_of_sql_comes_in_little_memory(tmp_path: Path) -> None:
    junk = "\n".join("a line that no listing has, é and 🔔, again and again" * 4 for _ in range(LARGEST_ANSWER // 200))
    written = page("Ann Bell", [("CLMay 1, 2020", "On Bells", "Ann Bell", "They ring.")], f"\n\n{junk}").encode()
    (tmp_path / "ann.txt").write_bytes(written)
    release = build(
        Request([str(tmp_path / "ann.txt")], tmp_path / "build"), Progress(Console(quiet=True))
    ).release.path
    site, key = site_of(release.resolve()), keys(release, "profiles")[0]
    assert len(written) > LARGEST_ANSWER
    texts = PageTexts(site, Release(release, {}), Exports(site, Release(release, {})))
    tracemalloc.start()
    try:
        with texts._rebuild(key, Event()) as file:  # noqa: SLF001
            # A row holds 1.5 MiB of lines, which are there several times, with four bytes a letter.
            assert tracemalloc.get_traced_memory()[1] < 40 << 20
            assert file.seek(0, 2) == len(written)
    finally:
        tracemalloc.stop()
    start = time.process_time()
    answer = asyncio.run(site.client.get(f"/-/pages/{key}.txt"))
    assert answer.content == written
    assert time.process_time() - start < 3
    part = asyncio.run(site.client.get(f"/-/pages/{key}.txt", headers={"range": "bytes=0-7"}))
    assert (part.status_code, part.text) == (206, "Ann Bell")


def test_the_bibtex_file_is_the_entry_on_the_page(release: Path) -> None:
    key = paper(release, "Seeing Bells%")
    answer = page_of(release, f"/-/bibtex/{key}.bib")
    database = sqlite3.connect(release / DATABASE_FILE)
    shown = paper_page(database, key)
    database.close()
    assert shown
    assert answer.text == shown.bibtex
    assert answer.headers["content-type"] == "application/x-bibtex; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/-/pages/0000000000000000.txt", "/-/bibtex/aaaaaaaaaaaaaaaa.bib", "/paperledger/papers/x"]
)
def test_what_there_is_not_is_not_found(release: Path, path: str) -> None:
    assert page_of(release, path).status_code == 404


def test_an_author_has_papers_people_spellings_and_pages(release: Path) -> None:
    ann = rows(release, "SELECT author_id FROM author_names WHERE name = 'Ann Bell'")[0][0]
    text = words(page_of(release, f"/paperledger/authors/{ann}"))
    for expected in (
        "6 papers",
        "papers, at least",
        "co-authors, at least",
        "Cy Dole",
        "Ann B. Bell the fullest spelling",
        "8 6 (75%)",
    ):
        assert expected in text, expected
    dates = re.findall(r"\d{4}-\d\d-\d\d", text)
    assert dates == sorted(dates, reverse=True)


def test_a_profile_has_header_coverage_listings_and_findings(release: Path) -> None:
    ((key,),) = rows(release, "SELECT profile_id FROM profiles WHERE source LIKE 'mehdi%'")
    text = words(page_of(release, f"/paperledger/profiles/{key}"))
    for expected in ("lists 50 of 76 stated (66%)", "h-index 87", "PRO-001", "DyLoRA", "lines 12–17"):
        assert expected in text, expected


def test_variants_of_a_listing_are_shown(hostile: Path) -> None:
    text = words(page_of(hostile, f"/paperledger/papers/{paper(hostile, 'On Towers')}"))
    assert "This row is taken from it." in text
    assert re.search(r"Where this listing differs: abstract Towers are tall, and that is all that we say\.", text)
    assert "old@2024-07-01.txt" in text


def test_a_category_has_its_newest_papers_and_their_number(fetch: Fetch) -> None:
    answer = fetch("/paperledger/categories/cs~2ECV")
    ids = "SELECT paper_id FROM paper_categories JOIN papers USING (paper_id) WHERE paper_categories.category_id = 'cs.CV'"
    newest = fetch("/paperledger.json", params={"sql": f"{ids} ORDER BY published DESC, paper_id", "_shape": "arrays"})
    papers = [f"/paperledger/papers/{paper_id}" for (paper_id,) in newest.json()["rows"]]
    assert [link for link in links(answer) if "/papers/" in link] == papers[:SHOWN_CARDS]
    assert f"Cite or follow all {len(papers)}" in words(answer)
    assert "Computer Vision and Pattern Recognition arXiv's category cs.CV" in words(answer)
    for link in links(answer):
        assert fetch(link).status_code == 200


@pytest.mark.parametrize("table", ["papers", "authors", "profiles", "categories"])
def test_hostile_text_makes_no_script_no_handler_and_no_strange_link(hostile: Path, table: str) -> None:
    listed = "SELECT paper_id FROM listings JOIN profiles USING (profile_id) WHERE source LIKE 'evil%'"
    chosen = {
        "papers": listed,
        "authors": f"SELECT DISTINCT author_id FROM paper_authors WHERE paper_id IN ({listed})",  # noqa: S608
        "profiles": "SELECT profile_id FROM profiles WHERE source LIKE 'evil%'",
        "categories": "SELECT replace(category_id, '.', '~2E') FROM categories",
    }
    for (key,) in rows(hostile, chosen[table]):
        answer = page_of(hostile, f"/paperledger/{table}/{key}")
        assert answer.status_code == 200
        content = element(answer, "article")
        assert not list(content.iter("script"))
        assert not list(content.iter("img"))
        for part in content.iter():
            for name, value in part.attrib.items():
                assert not name.startswith("on")
                assert name not in ("href", "src") or re.match(r"/|#|https?://", value), value
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", words(answer))


def test_a_paper_without_date_and_authors_has_a_page(hostile: Path) -> None:
    text = words(page_of(hostile, f"/paperledger/papers/{paper(hostile, 'No date%')}"))
    assert "unknown: no page tells the year" in text or "it is inferred" in text
    assert "unknown: the badge's code fits none" in text


def test_a_page_without_a_good_name_shows_its_quarantine(hostile: Path) -> None:
    ((key,),) = rows(hostile, "SELECT profile_id FROM profiles WHERE source LIKE 'evil%'")
    text = words(page_of(hostile, f"/paperledger/profiles/{key}"))
    assert f"junk {SCRIPT} U+202Emore junk" in text
    assert "Quarantine" in text


def test_long_lists_are_cut_with_a_link_to_the_rest(hostile: Path) -> None:
    ((ida,),) = rows(hostile, "SELECT author_id FROM authors WHERE name = 'Ida Many'")
    author = page_of(hostile, f"/paperledger/authors/{ida}")
    assert "240 papers" in words(author)
    assert f"/paperledger/authors/{ida}?page=2#papers" in links(author)
    wide = page_of(hostile, f"/paperledger/papers/{paper(hostile, 'By many')}")
    assert "and 50 more" in words(wide)
    assert "@misc" not in words(wide)
    ((page_of_many,),) = rows(hostile, "SELECT profile_id FROM profiles WHERE source = 'many.txt'")
    assert "and 40 more" in words(page_of(hostile, f"/paperledger/profiles/{page_of_many}"))


def test_addresses_hold_under_another_base(release: Path) -> None:
    site = site_of(release, "/x/")
    for table in ("papers", "authors", "profiles"):
        answer = asyncio.run(site.client.get(f"/paperledger/{table}/{keys(release, table)[0]}"))
        assert all(link.startswith(("/x/", "#", "https://", "http://")) for link in links(answer))
    ((key,),) = rows(release, "SELECT profile_id FROM profiles WHERE source = 'ann-bell.txt'")
    assert asyncio.run(site.client.get(f"/-/pages/{key}.txt")).status_code == 200


def test_json_of_a_row_is_datasettes_own(release: Path) -> None:
    key = paper(release, "Seeing Bells%")
    assert page_of(release, f"/paperledger/papers/{key}.json").json()["rows"][0][0] == key
