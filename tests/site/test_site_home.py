"""The home page and the common look: what a release's site begins with, and that no other Datasette is changed."""

import asyncio
import json
import re
import shutil
import sqlite3
import time
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import html5lib
import pytest
from datasette.app import Datasette
from site_words import Fetch, ask, links, words

from etl.load.layout import DATABASE_FILE, MANIFEST, METADATA
from etl.site import MENU, PATCHES, home
from etl.site.home import facts
from schemas import TABLES, VIEWS


def test_the_home_page_describes_the_dataset(fetch: Fetch) -> None:
    shown = words(fetch("/"))
    for expected in ("papers 56", "authors 75", "pages 2", "list 56 of the 84 papers", "2021 to 2026", "lower bounds"):
        assert expected in shown, expected


def test_it_links_to_the_newest_paper(fetch: Fetch, release: Path) -> None:
    newest = facts(release).newest
    assert newest
    assert f"/paperledger/papers/{newest['paper_id']}" in links(fetch("/"))


def test_it_links_to_every_table_view_and_question(fetch: Fetch, release: Path) -> None:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    questions = metadata["databases"]["paperledger"].get("queries", {})
    wanted = {f"/paperledger/{name}" for name in (*TABLES, *VIEWS, *questions)}
    assert wanted | {"/-/charts", "/-/downloads", "/-/report"} <= set(links(fetch("/")))


def test_the_audit_is_apart_from_the_data(fetch: Fetch) -> None:
    data, _, audit = words(fetch("/")).partition("Audit: how the dataset came about")
    assert "Papers to read" in data
    assert "Merge candidates" not in data
    assert "Merge candidates" in audit


def test_its_links_and_its_search_work(fetch: Fetch) -> None:
    page = fetch("/")
    form = re.search(r'class="pl-search" action="([^"]+)"', page.text)
    field = re.search(r'id="pl-q" type="search" name="([^"]+)"', page.text)
    assert form
    assert field
    inside = [link for link in links(page) if link.startswith("/paperledger/")]
    assert {link: fetch(link).status_code for link in inside} == dict.fromkeys(inside, 200)
    assert "Towers from Below" in fetch(form[1], params={field[1]: "thousand"}).text


def test_it_says_how_to_cite_the_release(fetch: Fetch, release: Path) -> None:
    cited = f"(dataset). Release {release.name}: 56 papers from 2 pages"
    assert cited in words(fetch("/"))


def test_it_describes_the_release_to_search_engines(fetch: Fetch, release: Path) -> None:
    (described,) = linked_data(fetch("/").text)
    manifest = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    assert (described["@type"], described["identifier"]) == ("Dataset", f"sha256:{manifest['logical_hash']}")
    files = {file["name"]: file for file in described["distribution"]}
    assert set(files) == {name for name in manifest["files"] if name.endswith((".db", ".parquet"))}
    for name, file in files.items():
        assert file["sha256"] == manifest["files"][name]["sha256"]
        assert fetch(urlsplit(file["contentUrl"]).path).status_code == 200
    assert linked_data(fetch("/paperledger").text) == []


def test_a_file_name_cannot_end_the_description(release: Path, tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script>.toml"
    shutil.copytree(release, tmp_path / "copy")
    manifest = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    manifest["overrides"] = {"source": name, "sha256": "0a"}
    (tmp_path / "copy" / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    site = Datasette([], immutables=[str(tmp_path / "copy" / DATABASE_FILE)])
    text = asyncio.run(site.client.get("/")).text
    assert "<script>alert" not in text
    (described,) = linked_data(text)
    assert name in described["isBasedOn"][1]["name"]


def linked_data(page: str) -> list[dict[str, Any]]:
    """The JSON-LD of a page, as a parser of HTML finds it."""
    scripts = html5lib.parse(page, namespaceHTMLElements=False).iter("script")
    return [json.loads(one.text) for one in scripts if one.attrib.get("type") == "application/ld+json"]


def test_the_numbers_are_counted_once(release: Path) -> None:
    assert facts(release) is facts(release)


def test_numbers_that_take_too_long_to_count_are_left_out(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    monkeypatch.setattr(home, "_NUMBERS", endless)
    monkeypatch.setattr(home, "FACTS_SECONDS", 0.1)
    facts.cache_clear()
    start = time.process_time()
    try:
        answer = ask(Datasette([], immutables=[str(release / DATABASE_FILE)]), "/")
    finally:
        facts.cache_clear()
    assert (answer.status_code, "Counts are lower bounds" in answer.text) == (200, False)
    assert "/paperledger/papers" in links(answer)
    assert time.process_time() - start < 2


def test_addresses_hold_under_another_base(release: Path) -> None:
    database = str(release / DATABASE_FILE)
    site = Datasette([], immutables=[database], settings={"base_url": "/x/"})
    addresses = re.findall(r'(?:href|src|action)="([^"]*)"', ask(site, "/").text)
    inside = [address for address in addresses if not address.startswith(("http:", "https:"))]
    assert inside
    assert all(address.startswith("/x/") for address in inside)


def test_the_style_sheet_is_served_and_the_menu_works(fetch: Fetch) -> None:
    page = fetch("/").text
    style = re.search(r'href="([^"]*site\.css[^"]*)"', page)
    assert style
    assert "prefers-color-scheme: dark" in fetch(style[1]).text
    assert re.findall(r'<li><a href="(/-/[a-z]+)">', page)[:5] == list(MENU.values())


def test_a_datasette_without_a_release_stays_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "paperledger.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE papers (paper_id TEXT PRIMARY KEY, title TEXT)")
        database.execute("INSERT INTO papers VALUES ('a', 'On Bells')")
    site = Datasette([str(other)])
    for path in ("/", "/paperledger", "/paperledger/papers", "/paperledger/papers/a", "/paperledger?sql=select+1"):
        answer = ask(site, path)
        assert answer.status_code == 200
        assert "<html>" in answer.text
        assert "site.css" not in answer.text
        assert 'class="pl' not in answer.text
    assert ask(site, "/-/bibtex/aaaaaaaaaaaaaaaa.bib").status_code == 404
    assert ask(site, "/-/pages/0123456789abcdef.txt").status_code == 404


def test_other_databases_beside_a_release_are_named(release: Path, tmp_path: Path) -> None:
    other = tmp_path / "towers.db"
    sqlite3.connect(other).execute("CREATE TABLE towers (name TEXT)")
    site = Datasette([str(other)], immutables=[str(release / DATABASE_FILE)])
    assert "/towers" in links(ask(site, "/"))
    assert ask(site, "/towers/towers").status_code == 200


@pytest.mark.parametrize(
    ("template", "place"), [(name, place) for name, mends in PATCHES.items() for place, _ in mends]
)
def test_every_place_to_mend_is_in_datasettes_template(template: str, place: str) -> None:
    assert place in files("datasette").joinpath("templates", template).read_text(encoding="utf-8")


def test_pages_have_a_language_and_filters_have_names(fetch: Fetch) -> None:
    page = html5lib.parse(fetch("/paperledger/papers?title=x").text, namespaceHTMLElements=False)
    assert page.attrib["lang"] == "en"
    form = page.find(".//form[@class='filters']")
    fields = [*form.iter("select"), *form.iter("input")]
    named = [field for field in fields if field.attrib.get("name", "").startswith("_filter")]
    assert len(named) == 6
    assert all(field.attrib["aria-label"] for field in named)
