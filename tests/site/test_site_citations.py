"""Citations and feeds on the site: of a paper, an author, a category, a search and the whole, and the links to them."""

import json
import re
from pathlib import Path

import bibtexparser
import feedparser
import pytest
import rispy
from helpers import run
from site_words import Fetch, links

from etl.site.citations import FEED_ENTRIES

OWNER, FORMER = "ann-b-bell", "ann-bell"
TYPES = {
    "bib": "application/x-bibtex; charset=utf-8",
    "json": "application/vnd.citationstyles.csl+json",
    "ris": "application/x-research-info-systems; charset=utf-8",
}
FORMS = {"bib": "bibtex", "json": "csl-json", "ris": "ris"}


def feed_of(text: str) -> feedparser.FeedParserDict:
    feed = feedparser.parse(text.encode())
    assert not feed.bozo
    return feed


@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize(
    ("place", "options"),
    [
        (f"authors/{OWNER}", ("--author", OWNER)),
        ("categories/cs.CV", ("--category", "cs.CV")),
        ("categories/cs~2ECV", ("--category", "cs.CV")),
        ("search", ("--search", "bells")),
    ],
)
def test_the_site_gives_the_bytes_of_the_command(
    fetch: Fetch, release: Path, suffix: str, place: str, options: tuple[str, str]
) -> None:
    answer = fetch(f"/-/cite/{place}.{suffix}", params={"q": "bells"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[suffix])
    assert answer.content == run("export", FORMS[suffix], release, *options).stdout_bytes
    assert len(answer.content) > 100


@pytest.mark.parametrize("suffix", TYPES)
def test_a_narrowed_search_gives_the_papers_of_its_page(fetch: Fetch, release: Path, suffix: str) -> None:
    page = fetch("/-/search?q=bells&year=2024&category=math.CV")
    assert len([link for link in links(page) if "/papers/" in link]) == 1
    link = next(link for link in links(page) if link.startswith("/-/cite") and f".{suffix}?" in link)
    where = "published LIKE '2024%' AND category_id = 'math.CV'"
    assert (
        fetch(link).content == run("export", FORMS[suffix], release, "--search", "bells", "--where", where).stdout_bytes
    )
    assert fetch(link).content != fetch(f"/-/cite/search.{suffix}?q=bells").content


def test_a_narrowed_search_has_a_feed_of_its_own(fetch: Fetch) -> None:
    page = fetch("/-/search?q=bells&year=2024&category=math.CV")
    link = next(link for link in links(page) if link.startswith("/-/feed"))
    feed = feed_of(fetch(link).text)
    assert len(feed.entries) == 1
    assert feed.feed.title == "Papers in math.CV of 2024 that contain bells"
    assert feed.feed.id.endswith("?primary_category=math.CV&year=2024&search=bells")
    assert feed.feed.link == "/-/search?q=bells&year=2024&category=math.CV"
    unknown = feed_of(fetch("/-/feed/search.atom?q=bells&year=unknown").text)
    assert unknown.feed.title == "Papers of an unknown year that contain bells"


def test_a_paper_has_one_entry_in_each_format(fetch: Fetch) -> None:
    paper_id = fetch("/paperledger/papers.json?_shape=array&_size=1").json()[0]["paper_id"]
    text = {suffix: fetch(f"/-/cite/papers/{paper_id}.{suffix}").text for suffix in TYPES}
    (entry,) = bibtexparser.parse_string(text["bib"]).entries
    assert [record["id"] for record in rispy.loads(text["ris"])] == [entry.key]
    assert [item["id"] for item in json.loads(text["json"])] == [entry.key]
    assert fetch(f"/-/bibtex/{paper_id}.bib").text == text["bib"]


def test_the_feed_of_all_has_the_newest_papers_with_links_to_their_pages(fetch: Fetch) -> None:
    feed = feed_of(fetch("/-/feed.atom").text)
    total = fetch("/paperledger.json?sql=select+count(*)+n+from+papers&_shape=array").json()[0]["n"]
    assert len(feed.entries) == min(total, FEED_ENTRIES)
    assert fetch(feed.entries[0].link).status_code == 200
    assert {link.rel: link.href for link in feed.feed.links} == {"alternate": "/", "self": "/-/feed.atom"}
    assert feed.feed.id == "tag:paperledger,2026:papers"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (f"/-/feed/authors/{OWNER}.atom", "Papers by Ann B. Bell"),
        ("/-/feed/categories/cs.CV.atom", "Papers in cs.CV"),
        ("/-/feed/search.atom?q=bells+%3Cb%3E", "Papers that contain bells <b>"),
    ],
)
def test_feeds_of_parts_name_them_and_their_pages(fetch: Fetch, path: str, title: str) -> None:
    answer = fetch(path)
    feed = feed_of(answer.text)
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert feedparser.parse(answer.text.encode(), sanitize_html=False).feed.title == title
    assert fetch(feed.feed.link).status_code == 200
    assert next(link.href for link in feed.feed.links if link.rel == "self").startswith(path.partition("?")[0])


def test_a_former_id_of_an_author_leads_to_the_new(fetch: Fetch) -> None:
    for old, new in (
        (f"/-/cite/authors/{FORMER}.ris", f"/-/cite/authors/{OWNER}.ris"),
        (f"/-/feed/authors/{FORMER}.atom", f"/-/feed/authors/{OWNER}.atom"),
        (f"/paperledger/authors/{FORMER}", f"/paperledger/authors/{OWNER}"),
    ):
        answer = fetch(old)
        assert (answer.status_code, answer.headers["location"]) == (302, new)


@pytest.mark.parametrize(
    "path",
    [
        "/-/cite/authors/nobody.bib",
        "/-/cite/categories/zz.ZZ.json",
        "/-/cite/papers/aaaaaaaaaaaaaaaa.ris",
        "/-/cite/findings/x.bib",
        "/-/cite.atom",
        f"/-/feed/authors/{OWNER}.bib",
    ],
)
def test_what_is_not_there_is_not_found(fetch: Fetch, path: str) -> None:
    assert fetch(path).status_code == 404


@pytest.mark.parametrize("words", ["", '"', "AND", "NEAR(", "\x00", "*", "a" * 300, "' OR 1 --"])
def test_any_search_is_answered(fetch: Fetch, words: str) -> None:
    assert fetch("/-/cite/search.bib", params={"q": words}).status_code == 200
    assert not feedparser.parse(fetch("/-/feed/search.atom", params={"q": words}).content).bozo


def test_a_search_of_very_many_words_is_refused_with_the_reason(fetch: Fetch) -> None:
    answer = fetch("/-/cite/search.bib", params={"q": "bell " * 200})
    assert answer.status_code == 400
    assert "words and signs to search for" in answer.text


def test_other_methods_and_unchanged_files_are_answered_as_for_all_files(fetch: Fetch) -> None:
    answer = fetch("/-/feed.atom")
    again = fetch("/-/feed.atom", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("page", "of"),
    [
        (f"/paperledger/authors/{OWNER}", f"/authors/{OWNER}"),
        ("/paperledger/categories/cs~2ECV", "/categories/cs~2ECV"),
        ("/paperledger/search_papers?q=bells+%26", "/search"),
    ],
)
def test_pages_link_to_their_citations_and_feed(fetch: Fetch, page: str, of: str) -> None:
    answer = fetch(page)
    leads = [link.partition("?")[0] for link in links(answer)]
    assert {f"/-/cite{of}.bib", f"/-/cite{of}.json", f"/-/cite{of}.ris", f"/-/feed{of}.atom"} <= set(leads)
    for link in links(answer):
        if link.startswith(("/-/cite", "/-/feed")):
            assert fetch(link).status_code == 200
    found = re.search(r'<link rel="alternate" type="application/atom\+xml" title="[^"]+" href="([^"?]+)', answer.text)
    assert found
    assert found[1] == f"/-/feed{of}.atom"


def test_the_home_page_names_the_feed_of_all(fetch: Fetch) -> None:
    assert 'type="application/atom+xml" title="' in fetch("/").text
    assert "/-/feed.atom" in links(fetch("/"))


def test_a_papers_entry_can_be_selected_without_scripts(fetch: Fetch) -> None:
    paper_id = fetch("/paperledger/papers.json?_shape=array&_size=1").json()[0]["paper_id"]
    page = fetch(f"/paperledger/papers/{paper_id}").text
    assert re.search(r'<pre class="pl-bibtex">@misc\{', page)
    assert re.search(rf'<button [^>]*"/-/cite/papers/{paper_id}\.bib" hidden>Copy BibTeX</button>', page)
    assert "/-/static-plugins/paperledger/copy.js" in page
