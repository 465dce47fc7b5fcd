"""The quality report in the site's frame: rules with the gravest first, and the findings of a rule, page by page."""

import asyncio
import json
import sqlite3
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch, element, links, read, words

from etl.load.layout import DATABASE, DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.lineage import ReleaseRows
from etl.site.finding_pages import named_rows
from etl.site.report_pages import SHOWN_FINDINGS, ReportPage
from schemas import RULES

REPORT = "/-/report"
SCRIPT = "<script>alert(1)</script>"
PAPERS = "\n\n".join(
    f"CLMay {number % 28 + 1}, 2024\nOn {SCRIPT} {number}\n\nAnn Bell, Cy Dole\n\nIt is cut here ("
    for number in range(60)
)
PAGE = f"Ann Bell\n\nCL\n80papers\n\n80 Papers\n\n{PAPERS}\n\nCLFeb 30, 2024\nOn Ropes\n\nAnn Bell\n\nRopes hold."


@pytest.fixture(scope="module")
def cut_abstracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of a page with 60 cut abstracts, a script in each title, and a date that does not exist."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "ann@2024-07-01.txt").write_text(PAGE, encoding="utf-8")
    return build(Request([str(folder)], folder / "build"), Progress(Console(quiet=True))).release.path.resolve()


def site_of(release: Path, base_url: str = "/", **more: object) -> Datasette:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8")) | more
    return Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings={"base_url": base_url})


def page_of(release: Path, path: str, base_url: str = "/") -> httpx.Response:
    answer: httpx.Response = asyncio.run(site_of(release, base_url).client.get(path))
    return answer


def rows(release: Path, sql: str) -> list[tuple[str, ...]]:
    database = sqlite3.connect(release / DATABASE_FILE)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def test_rules_come_with_the_gravest_first_and_what_to_do(fetch: Fetch, release: Path) -> None:
    answer = fetch(REPORT)
    broken = "SELECT rule_id, failed, checked FROM rules WHERE status IN ('warned', 'noted') ORDER BY status DESC, failed DESC, rule_id"
    found = rows(release, broken)
    shown = [card.attrib["id"] for card in element(answer).iter("li") if card.get("class") == "pl-card"]
    assert shown == [rule_id for rule_id, *_ in found]
    for rule_id, failed, checked in found:
        assert f"{failed:,} failed of {checked:,} checked" in words(answer)
        assert RULES[rule_id].advice in words(answer)
        assert f"{REPORT}/{rule_id}" in links(answer)


def test_rules_that_passed_are_folded_away(fetch: Fetch, release: Path) -> None:
    ((passed,),) = rows(release, "SELECT count(*) FROM rules WHERE status = 'passed'")
    (folded,) = (part for part in read(fetch(REPORT).text).iter("details") if part.get("id") == "passed")
    assert "".join(folded.find("summary").itertext()) == f"{passed} rules passed"  # type: ignore[union-attr]
    assert len(folded.findall(".//li")) == passed


def test_verdict_counts_and_coverage_are_told(fetch: Fetch, release: Path) -> None:
    ((findings,),) = rows(release, "SELECT count(*) FROM findings")
    text = words(fetch(REPORT))
    assert f"No error, but {findings} warnings." in text
    ((listed, stated),) = rows(
        release, "SELECT sum(listed_papers), sum(stated_papers) FROM coverage WHERE stated_papers IS NOT NULL"
    )
    assert f"Pages list {listed} of the {stated} papers that they state" in text


@pytest.mark.parametrize(
    ("failed", "warned", "verdict"),
    [
        (0, 0, "Passed, without a finding."),
        (0, 2, "No error, but 2 warnings."),
        (1, 2, "1 error and 2 warnings."),
    ],
)
def test_the_verdict_counts_errors_and_warnings(failed: int, warned: int, verdict: str) -> None:
    rules = {"failed": [{"findings": failed}], "warned": [{"findings": warned}]}
    assert ReportPage(rules, {}, None, {}).verdict == verdict  # type: ignore[arg-type]


def test_findings_of_a_rule_come_in_pages_with_their_papers_and_lines(cut_abstracts: Path) -> None:
    first, second = (page_of(cut_abstracts, f"{REPORT}/PAP-002?page={page}") for page in (1, 2))
    assert "60 findings" in words(first)
    assert [sum("#lines" in link for link in links(answer)) for answer in (first, second)] == [SHOWN_FINDINGS, 10]
    assert not {link for link in links(first) if "#lines" in link} & {
        link for link in links(second) if "#lines" in link
    }
    assert f"{REPORT}/PAP-002?page=2" in links(first)
    assert "Page 2 of 2" in words(second)
    assert SCRIPT in words(first)
    assert not list(element(first).iter("script"))
    assert sum(link.startswith("/paperledger/papers/") for link in links(first)) == SHOWN_FINDINGS


def test_every_link_of_the_report_works(cut_abstracts: Path) -> None:
    pages = [REPORT, f"{REPORT}/PAP-002", f"{REPORT}/BLK-003", f"{REPORT}/PAP-001", f"{REPORT}/AUT-002"]
    tried = {link for page in pages for link in links(page_of(cut_abstracts, page)) if link.startswith("/")}
    assert {link: page_of(cut_abstracts, link).status_code for link in tried} == dict.fromkeys(tried, 200)
    ids = {part.get("id") for part in read(page_of(cut_abstracts, REPORT).text).iter()}
    assert {link[1:] for link in links(page_of(cut_abstracts, REPORT)) if link.startswith("#")} <= ids


def test_a_page_of_findings_that_is_not_there_leads_to_the_first(cut_abstracts: Path) -> None:
    for page in ("9", "0", "x", "9" * 50):
        answer = page_of(cut_abstracts, f"{REPORT}/PAP-002?page={page}")
        assert answer.status_code == 200
    assert "There is no page 9: to the first" in words(page_of(cut_abstracts, f"{REPORT}/PAP-002?page=9"))


@pytest.mark.parametrize("rule", ["PAP-999", "~3Cscript~3E", "pap-002"])
def test_a_rule_that_is_not_there_is_named(fetch: Fetch, rule: str) -> None:
    answer = fetch(f"{REPORT}/{rule}")
    assert answer.status_code == 404
    assert "There is no rule" in words(answer)
    assert not list(element(answer).iter("script"))


def test_a_finding_leads_to_the_papers_and_people_that_its_row_refers_to(release: Path) -> None:
    ((paper, author, name),) = rows(
        release,
        "SELECT paper_id, author_id, authors.name FROM paper_authors JOIN authors USING (author_id) ORDER BY paper_id, author_id LIMIT 1",
    )
    database = sqlite3.connect(release / DATABASE_FILE)
    found = named_rows(ReleaseRows(database), "paper_authors", f"{paper},{author}")
    assert [(one.table, one.key) for one in found] == [("papers", paper), ("authors", author)]
    assert found[1].name == name
    assert [one.name for one in named_rows(ReleaseRows(database), "authors", author)] == [name]
    for table, key in (("quarantine", "0000000000000000,1"), ("nosuch", "x"), ("paper_authors", "x"), ("papers", "x")):
        assert named_rows(ReleaseRows(database), table, key) == []
    database.close()


def test_addresses_of_the_report_follow_the_base_url(cut_abstracts: Path) -> None:
    found = [*links(page_of(cut_abstracts, REPORT, "/x/")), *links(page_of(cut_abstracts, f"{REPORT}/PAP-002", "/x/"))]
    assert [link for link in found if not link.startswith(("/x/", "#"))] == []


def test_who_may_not_see_findings_sees_no_report(release: Path) -> None:
    shut = {"databases": {DATABASE: {"tables": {"findings": {"allow": False}}}}}
    site = site_of(release, **shut)
    assert [asyncio.run(site.client.get(path)).status_code for path in (REPORT, f"{REPORT}/PAP-002")] == [403, 403]


def test_the_report_in_one_file_is_a_download(fetch: Fetch, release: Path) -> None:
    (address,) = (link for link in links(fetch(REPORT)) if link.startswith("/-/downloads/"))
    assert fetch(address).content == (release / "report.html").read_bytes()
