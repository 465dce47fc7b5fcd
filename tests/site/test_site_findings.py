"""Pages of a finding and of lines in quarantine: the rule, the lines with their neighbours; and what a page says that is not there."""

import asyncio
import json
import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from datasette.app import Datasette
from rich.console import Console
from site_words import Fetch, element, links, words

from etl.load.layout import DATABASE_FILE, METADATA
from etl.pipeline import Request, build
from etl.progress import Progress
from etl.release.lineage import ReleaseRows
from etl.site.row_pages import SHOWN_LINES, page_lines
from schemas import RULES

DATA = Path(__file__).parents[1] / "data"
SCRIPT = "<script>alert(1)</script>"
JUNK = "\n".join(f"stray {number} {SCRIPT}" for number in range(60))
PAGE = f"""Ann Bell

CL
2papers

2 Papers

CLMay 1, 2024
On {SCRIPT}

Ann Bell, Cy Dole

It is cut here (

CLMay 2, 2024
On Ropes

Ann Bell, Ann Bell

Ropes hold.

{JUNK}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of one page with a script in a title and in 60 stray lines."""
    folder = tmp_path_factory.mktemp("findings")
    (folder / "ann <b>@2024-07-01.txt").write_text(PAGE, encoding="utf-8")
    return build(Request([str(folder)], folder / "build"), Progress(Console(quiet=True))).release.path.resolve()


def page_of(release: Path, path: str, base_url: str = "/") -> httpx.Response:
    metadata = json.loads((release / METADATA).read_text(encoding="utf-8"))
    settings = {"base_url": base_url}
    site = Datasette([], immutables=[str(release / DATABASE_FILE)], metadata=metadata, settings=settings)
    answer: httpx.Response = asyncio.run(site.client.get(path))
    return answer


def rows(release: Path, sql: str, *values: object) -> list[tuple[str, ...]]:
    database = sqlite3.connect(release / DATABASE_FILE)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()


def keys(release: Path) -> list[str]:
    """The paths of all findings and quarantined runs."""
    return [
        *(f"/paperledger/findings/{key}" for (key,) in rows(release, "SELECT finding_id FROM findings")),
        *(
            f"/paperledger/quarantine/{a},{b}"
            for a, b in rows(release, "SELECT profile_id, line_start FROM quarantine")
        ),
    ]


def test_a_finding_has_its_rule_what_to_do_and_a_link_to_its_row(release: Path) -> None:
    for key, rule_id, message in rows(release, "SELECT finding_id, rule_id, message FROM findings"):
        text = words(page_of(release, f"/paperledger/findings/{key}"))
        rule = RULES[rule_id]
        for expected in (f"{rule_id}: {rule.title}", message, rule.why, rule.advice):
            assert " ".join(expected.split()) in text


def test_a_row_has_its_raw_lines_marked_among_their_neighbours(release: Path) -> None:
    found = rows(release, "SELECT finding_id, source, line_start, line_end FROM findings WHERE line_start IS NOT NULL")
    assert found
    for key, source, first, last in found:
        content = element(page_of(release, f"/paperledger/findings/{key}"))
        (lines,) = (part for part in content.iter("ol") if part.get("class") == "pl-lines")
        path = DATA / source
        text = path if path.exists() else Path(str(files("etl").joinpath("sample"))) / source
        start = int(lines.attrib["start"])
        assert start == max(1, int(first) - 3)
        printed = text.read_text(encoding="utf-8").split("\n")[start - 1 : int(last) + 3]
        assert ["".join(line.itertext()) for line in lines] == printed
        marked = [number for number, line in enumerate(lines, start) if line.find("mark") is not None]
        assert marked == list(range(int(first), int(last) + 1))


def test_lines_in_quarantine_have_reason_rules_and_a_link_to_the_page(hostile: Path) -> None:
    found = rows(hostile, "SELECT profile_id, line_start, reason, rule_ids FROM quarantine")
    assert found
    for profile, line, reason, ids in found:
        answer = page_of(hostile, f"/paperledger/quarantine/{profile},{line}")
        assert reason in words(answer)
        assert all(RULES[rule_id].advice in words(answer) for rule_id in json.loads(ids))
        assert {f"/paperledger/profiles/{profile}", f"/-/pages/{profile}.txt"} <= set(links(answer))


def test_the_links_of_findings_and_quarantine_work(release: Path, hostile: Path) -> None:
    for site in (release, hostile):
        tried = {link for path in keys(site)[::3] for link in links(page_of(site, path)) if link.startswith("/")}
        assert {link: page_of(site, link).status_code for link in tried} == dict.fromkeys(tried, 200)


def test_hostile_lines_are_text_and_many_are_cut(hostile: Path) -> None:
    paths = keys(hostile)
    assert len(paths) >= 2
    for path in paths:
        answer = page_of(hostile, path)
        assert answer.status_code == 200
        assert not list(element(answer, "article").iter("script"))
    cut = page_of(hostile, next(path for path in paths if "quarantine" in path))
    assert SCRIPT in words(cut)
    assert cut.text.count("<mark>") == SHOWN_LINES
    assert re.search(r"and \d+ more", words(cut))


def test_lines_of_a_range_are_those_of_the_page(hostile: Path) -> None:
    database = sqlite3.connect(hostile / DATABASE_FILE)
    release = ReleaseRows(database)
    profile = next(release.rows("SELECT * FROM profiles"))
    expected = PAGE.split("\n")
    for first in range(1, len(expected) + 1):
        assert page_lines(release, profile, first, first + 4) == expected[first - 1 : first + 4]
    database.close()


MISSING = [
    ("/paperledger/authors/ann-nobody", "no row ann-nobody in the table authors", "ann nobody"),
    ("/paperledger/papers/aaaaaaaaaaaaaaaa", "no row aaaaaaaaaaaaaaaa in the table papers", "aaaaaaaaaaaaaaaa"),
    ("/paperledger/papers/Bells+and+Ropes", "no row Bells and Ropes in the table papers", "Bells and Ropes"),
    ("/paperledger/profiles/0000000000000000", "no row 0000000000000000 in the table profiles", "0000000000000000"),
    ("/paperledger/categories/cs~2EZZ", "no row cs.ZZ in the table categories", "cs.ZZ"),
    ("/paperledger/findings/~3Cscript~3E", "no row <script> in the table findings", "<script>"),
    ("/paperledger/rules/XXX-001", "no row XXX-001 in the table rules", "XXX 001"),
    ("/paperledger/quarantine/0000000000000000,12", "no row 0000000000000000,12 in the table", "0000000000000000 12"),
    ("/paperledger/quarantine/ann", "whose rows have addresses that end in profile_id,line_start", "ann"),
    ("/paperledger/listings/0000000000000000,1", "no row 0000000000000000,1 in the table", "0000000000000000 1"),
    ("/paperledger/paper_list/bells", "nothing at /paperledger/paper_list/bells", "bells"),
    ("/paperledger/bells", "no table or view bells", "bells"),
    ("/paperledger/bells/ann-bell", "no table or view bells", "ann bell"),
    ("/paperledger/papers_of_author/ann-bell", "no table or view papers_of_author", "ann bell"),
    ("/paperledger/authors/ann/bell", "nothing at /paperledger/authors/ann/bell", "bell"),
    ("/ann-bell", "nothing at /ann-bell", "ann bell"),
    ("/ringing/of/bells", "nothing at /ringing/of/bells", "bells"),
    ("/-/search/bells", "nothing at /-/search/bells", "bells"),
    ("/-/report/XXX-001", "There is no rule XXX-001", "XXX 001"),
    ("/-/charts/bells.svg", "No chart of this name", "bells"),
    ("/-/downloads/bells.parquet", "No file of this name", "bells"),
    ("/-/pages/0000000000000000.txt", "no row 0000000000000000 in profiles", "0000000000000000"),
    ("/-/cite/authors/ann-nobody.bib", "no row ann-nobody in authors", "ann nobody"),
    ("/-/cite/findings/bells.bib", "nothing at /-/cite/findings/bells.bib", "bells"),
    ("/-/feed/authors/ann-nobody.atom", "no row ann-nobody in authors", "ann nobody"),
    ("/%C3%88ve", "nothing at /Ève", "Ève"),
    ("/%FF~00", "nothing at /\ufffd~00", "\ufffd~00"),
]


@pytest.mark.parametrize(("path", "says", "query"), MISSING)
def test_what_is_not_found_is_named_and_searched_for(fetch: Fetch, path: str, says: str, query: str) -> None:
    answer = fetch(path, follow_redirects=True)
    assert answer.status_code == 404
    assert says in words(answer)
    content = element(answer)
    assert [field.attrib["value"] for field in content.iter("input") if field.attrib.get("name") == "q"] == [query]
    assert not list(content.iter("script"))
    assert {"/", "/paperledger"} <= set(links(answer))
    if "in the table" in says:
        assert path.rpartition("/")[0] in links(answer)


def test_not_found_keeps_the_sites_prefix(release: Path) -> None:
    found = links(page_of(release, "/paperledger/authors/nobody", "/x/"))
    assert found
    assert all(link.startswith("/x/") for link in found)


def test_not_found_in_json_is_datasettes_own(fetch: Fetch) -> None:
    answer = fetch("/paperledger/authors/nobody.json")
    assert (answer.status_code, answer.json()["ok"]) == (404, False)
