"""`paperledger check` and the options that it shares with `build`, in process: exit codes, reports, baselines, workers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli import main

PAGE = """Ann Bell

CL
3papers

3 Papers

CLMay 1, 2024
On Bells

Ann Bell, Cy Dole

They ring at every full hour.
"""
STRAY = PAGE.replace("CLMay", "Advertisement\n\nCLMay")


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "ann.txt").write_text(PAGE, encoding="utf-8")
    return tmp_path / "pages"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_warnings_are_told_and_good(pages: Path) -> None:
    result = run("check", "pages")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "ann.txt:4 PAG-006 the page lists 1 of 3 papers" in result.stdout
    assert sorted(path.name for path in pages.parent.iterdir()) == ["pages"]


def test_warnings_fail_where_they_shall(pages: Path) -> None:
    result = run("check", "pages", "--fail-on", "warning")
    assert result.exit_code == 1
    assert result.stderr == "paperledger: ann.txt: the page lists 1 of 3 papers; counts over it are lower bounds\n"
    assert run("build", "pages", "--fail-on", "warning").exit_code == 1
    assert not (pages.parent / "build").exists()


def test_a_page_that_cannot_be_read_fails_and_is_in_the_report(pages: Path) -> None:
    (pages / "bad.txt").write_bytes(b"Ann\n\xff")
    result = run("check", "pages", "--report", "report")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("paperledger: bad.txt: line 2, byte 4: found 0xff, expected UTF-8 text")
    found = json.loads(Path("report/results.json").read_text(encoding="utf-8"))["findings"]
    (error,) = [finding for finding in found if finding["severity"] == "error"]
    assert (error["rule_id"], error["source"], error["line_start"]) == ("PAG-001", "bad.txt", 2)


def test_a_maintainer_may_allow_pages_that_cannot_be_read(pages: Path) -> None:
    (pages / "bad.txt").touch()
    Path("rules.toml").write_text("[PAG-001]\nerror_above = 1\n", encoding="utf-8")
    result = run("build", "pages", "--rules", "rules.toml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "bad.txt PAG-001 empty file" in result.stdout
    manifest = json.loads(Path("build/current/manifest.json").read_text(encoding="utf-8"))
    assert manifest["skipped"] == ["bad.txt"]


def test_all_pages_may_be_unreadable_and_are_told(pages: Path) -> None:
    (pages / "ann.txt").write_bytes(b"")
    assert run("check", "pages").exit_code == 1


def test_against_a_baseline_only_what_is_new_fails(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    again = run("check", "pages", "--baseline", "build", "--fail-on", "warning")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "Against build: 0 new, 1 unchanged, 0 gone" in again.stdout
    (pages / "eve.txt").write_text(STRAY.replace("Ann Bell\n\nCL", "Eve Fox\n\nCL"), encoding="utf-8")
    worse = run("check", "pages", "--baseline", "build", "--fail-on", "warning")
    assert worse.exit_code == 1
    assert worse.stderr.startswith("paperledger: eve.txt: ")


def test_rows_that_were_lost_fail_unless_a_threshold_lets_them_go(pages: Path) -> None:
    (pages / "eve.txt").write_text(PAGE.replace("Ann Bell\n\nCL", "Eve Fox\n\nCL"), encoding="utf-8")
    assert run("build", "pages").exit_code == 0
    (pages / "eve.txt").unlink()
    worse = run("check", "pages", "--baseline", "build", "--report", "report")
    assert worse.exit_code == 1
    assert "profiles has 1 rows, 2 in the baseline; see whether pages are missing" in worse.stderr
    assert "DAT-001" in Path("report/results.sarif").read_text(encoding="utf-8")
    Path("rules.toml").write_text("[DAT-001]\nerror_above_share = 0.9\n", encoding="utf-8")
    assert run("check", "pages", "--baseline", "build", "--rules", "rules.toml").exit_code == 0


def test_a_smaller_share_of_its_papers_fails(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    (pages / "ann.txt").write_text(PAGE.replace("3papers", "9papers").replace("3 Papers", "9 Papers"), encoding="utf-8")
    worse = run("check", "pages", "--baseline", "build")
    assert worse.exit_code == 1
    assert "pages list 11% of their papers, 33% in the baseline; save them again whole" in worse.stderr


@pytest.mark.usefixtures("pages")
def test_a_baseline_that_is_none_is_told() -> None:
    result = run("check", "pages", "--baseline", "nowhere")
    assert result.exit_code == 2
    assert result.stderr == "paperledger: nowhere: no results here; expected a release, or the results.json of a run\n"


@pytest.mark.usefixtures("pages")
def test_annotations_lead_to_the_file_and_line() -> None:
    lines = run("check", "pages", "--annotate", "github").stdout.splitlines()
    (told,) = (line for line in lines if line.startswith("::"))
    assert told.startswith("::warning file=pages/ann.txt,line=4,endLine=4,")


def test_the_release_is_the_same_whatever_the_baseline_and_the_workers(pages: Path) -> None:
    for number in range(101):
        (pages / f"{number}.txt").write_text(PAGE.replace("On Bells", f"On Bells {number}"), encoding="utf-8")
    assert run("build", "pages").exit_code == 0
    first = Path("build/current").resolve()
    assert run("build", "pages", "--workers", "2", "--baseline", "build").exit_code == 0
    assert Path("build/current").resolve() == first
    assert run("build", "pages", "--workers", "2", "--out", "other").exit_code == 0
    assert {path.name: path.read_bytes() for path in Path("other/current").iterdir()} == {
        path.name: path.read_bytes() for path in first.iterdir()
    }


def test_the_rules_are_listed_with_their_reasons() -> None:
    lines = run("rules").stdout.splitlines()
    assert lines[0] == "PAG-001  error    validity      A page can be read as text"
    assert lines[1].strip() == "A page that is empty, too large or not UTF-8 would be missing without a trace."


def test_equal_releases_do_not_differ_and_others_do(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    (pages / "ann.txt").write_text(PAGE.replace("On Bells", "On Ropes"), encoding="utf-8")
    assert run("build", "pages", "--out", "other").exit_code == 0
    assert run("diff", "build", "build").exit_code == 0
    different = run("diff", "build", "other")
    assert different.exit_code == 1
    assert "On Ropes" in different.stdout
    assert json.loads(run("diff", "build", "other", "--format", "json").stdout)
    nothing = run("diff", "build", "pages")
    assert (nothing.exit_code, nothing.stderr.count("\n")) == (2, 1)


def test_why_leads_from_a_row_to_its_lines(pages: Path) -> None:
    assert run("build", str(pages)).exit_code == 0
    told = run("why", "authors", "cy-dole")
    assert told.exit_code == 0
    assert "11 │ Ann Bell, Cy Dole" in told.stdout
    unknown = run("why", "authors", "nobody")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (2, 1)


def test_a_whole_release_verifies_and_a_damaged_one_does_not(pages: Path) -> None:
    assert run("build", str(pages)).exit_code == 0
    assert run("verify").exit_code == 0
    report = Path("build/current/report.html")
    report.write_text(report.read_text(encoding="utf-8") + " ", encoding="utf-8")
    damaged = run("verify", "build")
    assert damaged.exit_code == 1
    assert "report.html" in damaged.stderr
