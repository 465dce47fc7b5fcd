"""A walk through the site of a release in a real browser: what a visitor sees, and what the browser complains of."""

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright
from serving import serving

from etl.load.layout import DATABASE_FILE

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAPER, OWNER = "Seeing Bells: Ten Thousand Towers from Below", "ann-b-bell"
PLACES = {
    "home": "/",
    "database": "/paperledger",
    "table": "/paperledger/papers?_facet=category_id&_search=bells",
    "view": "/paperledger/paper_list",
    "search": "/-/search?q=bells",
    "search without an answer": "/-/search?q=anne+bel",
    "changes": "/-/changes",
    "author": f"/paperledger/authors/{OWNER}",
    "category": "/paperledger/categories/cs~2ECV",
    "finding list": "/paperledger/finding_list",
    "question": f"/paperledger/coauthors_of_author?author_id={OWNER}",
    "question with fields": "/paperledger/papers_by_category_and_year?category_id=cs.CV&sort=title",
    "question with lines": "/paperledger/findings_with_lines",
    "question about nobody": "/paperledger/papers_of_author?author_id=bel",
    "own query": "/paperledger?sql=select+1+as+one",
    "charts": "/-/charts",
    "downloads": "/-/downloads",
    "report": "/-/report",
    "rule": "/-/report/PAG-006",
}

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


@dataclass
class Complaints:
    """What went wrong behind a page's back: errors on the console, and requests to elsewhere."""

    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, page: Page, address: str) -> None:
        """Note what happens on the page from now on."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._asked(request, address))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _asked(self, request: Request, address: str) -> None:
        if urlsplit(request.url).netloc != urlsplit(address).netloc:
            self.elsewhere.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(release: Path) -> Iterator[str]:
    """The address of a server over the release, with the settings that a visitor meets."""
    with serving(release.parents[1]) as server:
        yield server.address


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(browser: Browser, address: str, complaints: Complaints) -> Iterator[Page]:
    """A wide window that shows the home page."""
    with browser.new_context(base_url=address, viewport=WIDE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        complaints.watch(page, address)
        page.goto("/")
        yield page


def rows_of(release: Path, sql: str, *values: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(release / DATABASE_FILE)
    rows = database.execute(sql, values).fetchall()
    database.close()
    return rows


def follow(page: Page, link: Locator) -> None:
    """Click a link, or a button that sends a form, and wait until the page that it leads to is loaded."""
    with page.expect_navigation():
        link.click()


def test_a_browser_reads_the_description_of_the_release_as_data(page: Page, complaints: Complaints) -> None:
    script = page.locator("script[type='application/ld+json']")
    assert json.loads(script.text_content() or "")["@type"] == "Dataset"
    assert complaints == Complaints()


def test_a_visitor_walks_from_a_search_to_a_co_author(page: Page, complaints: Complaints) -> None:
    page.get_by_label("Search people and papers").fill("towers")
    follow(page, page.get_by_role("button", name="Search"))
    follow(page, page.get_by_role("link", name="2024"))
    follow(page, page.locator(".pl-card a[href*='/papers/']").first)
    assert page.get_by_role("heading", level=1).inner_text() == PAPER
    follow(page, page.get_by_role("link", name="Ann B. Bell", exact=True).first)
    assert page.get_by_role("heading", level=1).inner_text() == "Ann B. Bell"
    follow(
        page,
        page.get_by_role("main").or_(page.locator(".content")).get_by_role("link", name="Cy Dole", exact=True).first,
    )
    assert page.get_by_role("heading", level=1).inner_text() == "Cy Dole"
    assert (complaints.errors, complaints.elsewhere) == ([], [])


@pytest.mark.parametrize("asked", ["Ève Fox", "fox eve"])
def test_a_visitor_finds_a_person_from_any_page(page: Page, complaints: Complaints, asked: str) -> None:
    page.goto("/paperledger/papers")
    page.get_by_label("Search people and papers").fill(asked)
    page.keyboard.press("Enter")
    follow(page, page.get_by_role("link", name="Ève Fox").first)
    assert page.get_by_role("heading", level=1).inner_text() == "Ève Fox"
    assert (complaints.errors, complaints.elsewhere) == ([], [])


def test_a_visitor_walks_from_the_report_to_the_lines_of_a_finding(browser: Browser, address: str) -> None:
    with browser.new_context(base_url=address, viewport=NARROW, java_script_enabled=False) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/-/report")
        follow(page, page.get_by_role("link", name="PRO-001", exact=True))
        follow(page, page.locator("a[href*='/findings/']").first)
        assert "PRO-001" in page.get_by_role("heading", level=1).inner_text()
        assert page.locator(".pl-lines mark").first.inner_text() == "h-index87"
        follow(page, page.get_by_role("link", name="Its whole text"))
        assert "h-index87" in page.content()


def test_the_search_works_without_scripts_and_goes_on_to_the_next_page(browser: Browser, address: str) -> None:
    with browser.new_context(base_url=address, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/-/search")
        page.get_by_label("People, titles, abstracts, or an identifier").fill("language models")
        follow(page, page.get_by_role("button", name="Search"))
        follow(page, page.get_by_role("link", name="Next"))
        assert page.get_by_text("Page 2 of 2").is_visible()
        assert page.locator(".pl-card").count() == 6


def test_a_visitor_copies_an_entry(page: Page, complaints: Complaints) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/paperledger/authors/{OWNER}")
    follow(page, page.get_by_role("link", name=PAPER))
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.request.get(str(page.get_by_role("link", name="BibTeX").get_attribute("href"))).text()
    assert copied.startswith("@misc{")
    assert (complaints.errors, complaints.elsewhere) == ([], [])


def test_a_visitor_copies_all_entries_of_an_author_and_of_a_narrowed_search(page: Page, complaints: Complaints) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for place, address in (
        (f"/paperledger/authors/{OWNER}", f"/-/cite/authors/{OWNER}.bib"),
        ("/-/search?q=bells&year=2024", "/-/cite/search.bib?q=bells&year=2024"),
    ):
        page.goto(place)
        page.get_by_role("button", name="Copy BibTeX").click()
        page.get_by_text("Copied.").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.request.get(address).text()
        assert copied.count("@misc{") > 1
    assert (complaints.errors, complaints.elsewhere) == ([], [])


def test_the_marks_of_every_chart_are_drawn(page: Page, complaints: Complaints) -> None:
    page.goto("/-/charts")
    charts = page.locator("figure")
    assert charts.count() >= 5
    for chart in charts.all():
        shapes = chart.locator("svg path, svg rect, svg circle, svg line").all()
        sizes = [box for shape in shapes if (box := shape.bounding_box()) and box["width"] * box["height"] > 4]
        assert sizes, chart.inner_text()
    assert (complaints.errors, complaints.elsewhere) == ([], [])


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_mark_of_a_chart_leads_to_its_rows_without_scripts(
    browser: Browser, address: str, width: dict[str, int]
) -> None:
    with browser.new_context(base_url=address, viewport=width, java_script_enabled=False) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for chart in ("network", "coverage", "findings", "papers"):
            page.goto(f"/-/charts#{chart}")
            mark = page.locator(f"#{chart} svg a").first
            words = mark.locator("title").text_content() or ""
            mark.click()
            heading = page.get_by_role("heading", level=1).inner_text()
            assert heading.partition(":")[0] in (words, words.partition(":")[0], words.partition(" ")[0], "Papers")
            assert page.url.startswith(address)


def test_a_question_takes_a_parameter_and_its_answer_comes_as_parquet(page: Page, release: Path) -> None:
    page.goto("/paperledger/papers_of_author")
    page.get_by_label("Author", exact=True).fill(OWNER)
    page.get_by_role("main").get_by_role("button", name="Search").click()
    page.locator("table.rows-and-columns tbody tr").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="parquet", exact=True).click()
    table = pq.read_table(io.BytesIO(Path(download.value.path()).read_bytes()))
    expected = rows_of(
        release,
        "SELECT paper_id, title FROM paper_authors JOIN papers USING (paper_id) WHERE author_id = ?"
        " ORDER BY published DESC, paper_id",
        OWNER,
    )
    assert list(zip(*(table[name].to_pylist() for name in ("paper_id", "title")), strict=True)) == expected


def test_datasettes_own_scripts_still_work(page: Page, complaints: Complaints) -> None:
    page.goto("/paperledger/papers")
    page.locator("th svg.dropdown-menu-icon").first.click()
    assert page.get_by_role("link", name="Sort descending").is_visible()
    page.goto("/paperledger?sql=select+1+as+one")
    assert page.locator(".CodeMirror").is_visible()
    page.get_by_role("button", name="Format SQL").click()
    assert "\n" in str(page.evaluate("document.querySelector('.CodeMirror').CodeMirror.getValue()"))
    assert complaints.errors == []


def test_what_is_unfolded_stays_so_at_a_click_elsewhere_and_a_menu_does_not(page: Page, complaints: Complaints) -> None:
    page.goto("/paperledger/papers")
    page.get_by_text("What the columns mean").click()
    page.locator("details.nav-menu summary").click()
    page.get_by_role("heading", level=1).click()
    assert page.locator("dl.column-descriptions").is_visible()
    assert not page.locator(".nav-menu-inner").is_visible()
    assert complaints.errors == []


@pytest.mark.parametrize("table", ["papers", "paper_list", "profiles", "authors", "findings", "rules", "coauthors"])
def test_a_table_starts_with_its_rows(page: Page, table: str) -> None:
    page.goto(f"/paperledger/{table}")
    row = page.locator("table.rows-and-columns tbody tr").first.bounding_box()
    assert row
    assert row["y"] < 600
    widest = page.evaluate("Math.max(...[...document.querySelectorAll('td')].map(cell => cell.offsetWidth))")
    assert widest <= 500


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    browser: Browser, address: str, release: Path, complaints: Complaints, width: dict[str, int], scheme: str
) -> None:
    ((finding,),) = rows_of(release, "SELECT finding_id FROM findings WHERE line_start IS NOT NULL LIMIT 1")
    places = PLACES | {"finding": f"/paperledger/findings/{finding}"}
    with browser.new_context(base_url=address, viewport=width, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        complaints.watch(page, address)
        barriers, too_wide = {}, []
        for name, place in places.items():
            page.goto(place)
            found = Axe().run(page).response["violations"]
            barriers[name] = [
                f"{one['id']}: {one['nodes'][0]['html'][:200]}"
                for one in found
                if one["impact"] in ("serious", "critical")
            ]
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                too_wide.append(name)
        assert {name: found for name, found in barriers.items() if found} == {}
        assert too_wide == []
        assert (complaints.errors, complaints.elsewhere) == ([], [])
