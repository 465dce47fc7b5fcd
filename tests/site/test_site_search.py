"""The search for people and papers: what finds them, what leads straight to a row, and that any input is answered safely."""

import json
import re
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from datasette.app import Datasette
from site_words import Fetch, ask, links, words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.site.safety.search_limits import MOST_WORDS
from etl.site.search import PAPERS
from etl.site.served import SETTINGS

OWNER, FORMER, HOSTILE = "ann-b-bell", "ann-bell", "aaaaaaaaaaaaaaaa"
TITLE = r"<b>Peals</b> of $x \leq 3$ {{ 7*7 }}"
ABSTRACT = "\ue010 z \ue011 <script>alert(1)</script> zanzibar & \u202e bells </mark>"


@pytest.fixture(scope="module")
def hostile(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """The site of a release with a paper and a person of hostile text, and identifiers of papers."""
    place = tmp_path_factory.mktemp("hostile") / release.name
    shutil.copytree(release, place)
    with closing(sqlite3.connect(place / DATABASE_FILE)) as database:
        database.execute(
            "INSERT INTO papers VALUES (?, ?, ?, NULL, NULL, 0, 1, 1, 0, 0, 'x2020')", (HOSTILE, TITLE, ABSTRACT)
        )
        database.execute("INSERT INTO papers_fts(papers_fts) VALUES ('rebuild')")
        for scheme, value in (("arxiv", "2401.00001"), ("arxiv", "hep-th/9901001"), ("doi", "10.1000/Bells(1)")):
            row = (HOSTILE, scheme, value, f"https://x.org/{value}", "abstract", "line 1")
            database.execute("INSERT INTO paper_identifiers VALUES (?, ?, ?, ?, ?, ?)", row)
        person = ("zoe-img", "Zoë <img src=x>", "person", "Zoë", "<img src=x>", 1)
        database.execute("INSERT INTO authors VALUES (?, ?, ?, ?, ?, ?)", person)
        database.execute("INSERT INTO authors_fts VALUES ('zoe-img', 'Zoë <img src=x>')")
        database.execute("INSERT INTO paper_authors VALUES (?, 'zoe-img', 1, 'Zoë', 'byline')", (HOSTILE,))
        database.commit()
    metadata = json.loads((place / METADATA).read_text(encoding="utf-8"))
    return Datasette([], immutables=[str(place / DATABASE_FILE)], metadata=metadata, settings=dict(SETTINGS))


@pytest.mark.parametrize(
    ("asked", "author_id"),
    [
        ("Ève Fox", "eve-fox"),
        ("eve fox", "eve-fox"),
        ("FOX, Eve", "eve-fox"),
        ("fo èv", "eve-fox"),
        ("Søren Øst", "søren"),
        ("soren ost", "søren"),
        ("Ost, Soren", "søren"),
        ("ost", "søren"),
        ("OS", "søren"),
        ("李伟", "x-5ed4d58e"),
        ("Ann Bell", OWNER),
        ("bell b ann", OWNER),
    ],
)
def test_people_are_found_in_any_spelling_and_order(fetch: Fetch, asked: str, author_id: str) -> None:
    answer = fetch("/-/search", params={"q": asked})
    wanted = "soren-ost" if author_id == "søren" else author_id
    assert answer.status_code == 200
    assert next(link for link in links(answer) if "/authors/" in link) == f"/paperledger/authors/{wanted}"


@pytest.mark.parametrize("narrowed", ["category=cs.XX", "year=1900", "category=cs.XX&year=1900"])
def test_words_that_only_other_papers_have_lead_to_these(fetch: Fetch, narrowed: str) -> None:
    answer = fetch(f"/-/search?q=towers&{narrowed}")
    assert "No paper has both the words and what they are narrowed to: show all" in words(answer)
    assert "/-/search?q=towers" in links(answer)


def test_a_person_has_the_number_of_papers_and_other_spellings(fetch: Fetch) -> None:
    shown = words(fetch("/-/search?q=ann+bell"))
    assert "Ann B. Bell 6 papers also Ann Bell" in shown


def test_a_paper_is_a_card_with_its_words_marked(fetch: Fetch) -> None:
    answer = fetch("/-/search?q=drawing+towers")
    shown = words(answer)
    assert "1 paper" in shown
    assert "Seeing Bells: Ten Thousand Towers from Below Cy Dole, Ann B. Bell" in shown
    assert "2024-12-01" in shown
    assert "<mark>drawings</mark>" in answer.text
    assert {"/paperledger/categories/math~2ECV", "/paperledger/authors/cy-dole"} <= set(links(answer))


def test_years_and_categories_narrow_with_their_counts(fetch: Fetch) -> None:
    every = fetch("/-/search?q=bells")
    link = next(link for link in links(every) if "year=2024" in link)
    one = fetch(link)
    counted = re.search(r"2024 (\d+)", words(every))
    assert counted
    assert f"{counted[1]} papers of 2024" in words(one)
    narrowed = fetch(next(link for link in links(one) if "category=math.CV" in link))
    assert "1 paper of 2024 in math.CV" in words(narrowed)
    assert "/-/search?q=bells&year=2024" in links(narrowed)


def test_papers_come_in_pages(fetch: Fetch) -> None:
    first = fetch("/-/search?q=language+models")
    second = fetch(next(link for link in links(first) if "page=2" in link))
    titles = [[link for link in links(page) if "/papers/" in link] for page in (first, second)]
    total = re.search(r"(\d+) papers", words(first))
    assert total
    assert len(titles[0]) == PAPERS
    assert len({*titles[0], *titles[1]}) == int(total[1])
    assert "There is no page 99" in words(fetch("/-/search?q=language+models&page=99"))


def test_an_exact_phrase_is_found_as_such(fetch: Fetch) -> None:
    assert "Ten Thousand Towers" in words(fetch("/-/search", params={"q": '"thousand towers"'}))
    assert "Nothing found" in words(fetch("/-/search", params={"q": '"towers thousand"'}))


@pytest.mark.parametrize(
    "asked",
    [
        "2401.00001",
        "arXiv:2401.00001v3",
        "https://arxiv.org/abs/2401.00001",
        "http://www.arxiv.org/pdf/2401.00001v1.pdf",
        "https://doi.org/10.48550/arXiv.2401.00001",
        "hep-th/9901001",
        "10.1000/bells(1)",
        "doi:10.1000/Bells(1)",
        "https://doi.org/10.1000/Bells(1)",
        "x2020",
        HOSTILE,
    ],
)
def test_an_identifier_of_a_paper_leads_straight_to_it(hostile: Datasette, asked: str) -> None:
    answer = ask(hostile, "/-/search", params={"q": f" {asked} "})
    assert (answer.status_code, answer.headers.get("location")) == (302, f"/paperledger/papers/{HOSTILE}")


def test_a_key_of_an_author_leads_straight_to_the_author(fetch: Fetch) -> None:
    for key in (OWNER, FORMER):
        assert fetch(f"/-/search?q={key}").headers["location"] == f"/paperledger/authors/{OWNER}"


@pytest.mark.parametrize(
    ("asked", "near"), [("Anne Bel", OWNER), ("Ewe Foxx", "eve-fox"), ("Mehdy Rezagolizade", "mehdi-rezagholizadeh")]
)
def test_nothing_found_says_what_was_tried_and_offers_near_names(fetch: Fetch, asked: str, near: str) -> None:
    answer = fetch("/-/search", params={"q": asked})
    assert "Nothing found" in words(answer)
    assert asked in words(answer)
    assert f"/paperledger/authors/{near}" in links(answer)


def test_words_that_are_in_no_paper_together_are_offered_alone(fetch: Fetch) -> None:
    answer = fetch("/-/search?q=towers+qqqq")
    assert "Papers with one of the words towers 2 qqqq 0" in words(answer)
    assert "/-/search?q=towers" in links(answer)


HOSTILE_QUERIES = [
    "",
    '"',
    '""',
    '"a',
    "*",
    "a*",
    "^a",
    "NEAR",
    "NEAR(a b, 3)",
    "NEAR(",
    "AND OR NOT",
    "title:a",
    "{title abstract}: a",
    "-",
    "(",
    "))",
    "' OR 1=1 --",
    "\x00",
    "a\x00b",
    "\u202e\u200b",
    "🎉",
    "👩‍👩‍👧",
    "a" * 10_000,
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "%00%ff",
    "10.1000/",
    "arxiv:",
    "../../etc/passwd",
    "«»",
    "\ue010x\ue011",
    "'" * 99,
    "x-" * 40,
]


@pytest.mark.parametrize("asked", HOSTILE_QUERIES)
def test_any_input_is_answered_safely_and_soon(hostile: Datasette, asked: str) -> None:
    start = time.process_time()
    answer = ask(
        hostile, "/-/search", params={"q": asked, "year": asked[:99], "category": asked[:99], "page": asked[:99]}
    )
    assert answer.status_code == 200
    assert ask(hostile, "/-/search", params={"q": asked}).status_code == 200
    assert time.process_time() - start < 1
    assert "<script>alert" not in answer.text
    assert "syntax error" not in answer.text


def test_more_words_than_are_searched_are_refused_with_the_reason(fetch: Fetch) -> None:
    answer = fetch("/-/search", params={"q": "bell " * (MOST_WORDS + 1)})
    assert (answer.status_code, f"at most {MOST_WORDS}" in words(answer)) == (400, True)
    assert fetch("/-/search", params={"q": "bell " * MOST_WORDS}).status_code == 200


def test_parameters_of_other_pages_change_nothing(fetch: Fetch) -> None:
    assert "1 paper" in words(fetch("/-/search?q=drawing+towers&sql=select+1&_where=1"))


def test_hostile_text_is_shown_as_text(hostile: Datasette) -> None:
    answer = ask(hostile, "/-/search?q=zanzibar")
    assert "<h3>" in answer.text
    assert "&lt;b&gt;Peals&lt;/b&gt; of x ≤ 3" in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark>zanzibar</mark> &amp; U+202E bells &lt;/mark&gt;" in answer.text
    assert "Zoë &lt;img src=x&gt;" in answer.text
    assert answer.text.count("<mark>") == answer.text.count("</mark>")
    assert "Zoë &lt;img src=x&gt;" in ask(hostile, "/-/search?q=zoe").text


@pytest.mark.parametrize(
    "path", ["/paperledger", "/paperledger/papers", "/-/charts", "/-/downloads", "/nosuch", "/-/changes"]
)
def test_every_page_has_the_search_once(fetch: Fetch, path: str) -> None:
    assert fetch(path).text.count('action="/-/search"') == 1


@pytest.mark.parametrize("path", ["/", "/-/search", "/-/search?q=bells"])
def test_the_home_page_and_the_search_have_no_second_box(fetch: Fetch, path: str) -> None:
    assert fetch(path).text.count('action="/-/search"') == 1


def test_a_search_leads_to_its_citations_feed_and_sql(fetch: Fetch) -> None:
    answer = fetch("/-/search", params={"q": "bells &"})
    leads = links(answer)
    for start in ("/-/cite/search.bib?q=", "/-/feed/search.atom?q=", "/paperledger/search_papers?q="):
        assert fetch(next(link for link in leads if link.startswith(start))).status_code == 200
    assert 'rel="alternate" type="application/atom+xml"' in answer.text


def test_the_search_shows_nothing_of_tables_that_a_visitor_may_not_see(release: Path) -> None:
    hidden = {"databases": {"paperledger": {"tables": {"authors": {"allow": False}}}}}
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=hidden)
    assert ask(site, "/-/search?q=bells").status_code == 403
