"""`paperledger check` and the options that it shares with `build`, in process: exit codes, reports, baselines, workers."""

import json
from pathlib import Path

import pytest
from helpers import run

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


def test_warnings_are_told_and_good(pages: Path) -> None:
    result = run("check", "pages")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "ann.txt:4 PAG-006 the page lists 1 of 3 papers" in result.stdout
    assert sorted(path.name for path in pages.parent.iterdir()) == ["pages"]


def test_warnings_fail_where_they_shall(pages: Path) -> None:
    result = run("check", "pages", "--fail-on", "warning")
    assert result.exit_code == 1
    assert result.stderr.startswith("paperledger: ann.txt:4: the page lists 1 of 3 papers; save it again ")
    assert result.stderr.endswith(" (PAG-006)\n")
    assert result.stderr.count("\n") == 1
    assert run("build", "pages", "--fail-on", "warning").exit_code == 1
    assert not (pages.parent / "build").exists()


@pytest.mark.usefixtures("pages")
def test_reports_say_that_warnings_failed_where_they_shall() -> None:
    assert run("build", "pages").exit_code == 0
    result = run("check", "pages", "--fail-on", "warning", "--report", "report")
    told = json.loads(Path("report/results.json").read_text(encoding="utf-8"))
    assert (result.exit_code, told["verdict"], told["fail_on"]) == (1, "failed", "warning")
    words = "Failed, with 1 warning, and warnings stop this run (--fail-on warning)."
    assert words in Path("report/summary.md").read_text(encoding="utf-8")
    assert f"<h1>{words}</h1>" in Path("report/report.html").read_text(encoding="utf-8")
    assert ' failures="1" ' in Path("report/junit.xml").read_text(encoding="utf-8")
    known = run("check", "pages", "--fail-on", "warning", "--report", "report", "--baseline", "build")
    told = json.loads(Path("report/results.json").read_text(encoding="utf-8"))
    assert (known.exit_code, told["verdict"]) == (0, "warned")
    assert ' failures="0" ' in Path("report/junit.xml").read_text(encoding="utf-8")


def test_what_a_build_came_to_is_said_behind_its_results(pages: Path) -> None:
    first = run("build", "pages", "--fail-on", "warning")
    assert first.stdout.splitlines()[-1] == "Nothing was published; there is no release in build"
    assert run("build", "pages").exit_code == 0
    (pages / "bad.txt").touch()
    second = run("build", "pages")
    assert (second.exit_code, second.stderr.count("\n")) == (1, 1)
    assert second.stdout.splitlines()[-1] == (
        "Nothing was published; the last release is as it was: build/current;"
        " --allow-unreadable makes warnings of PAG-001"
    )
    assert "Nothing was published" not in run("check", "pages").stdout
    (pages / "ann.txt").write_bytes(b"")
    assert run("build", "pages").stdout == ""


@pytest.mark.usefixtures("pages")
def test_the_reports_of_a_release_have_its_charts_and_others_have_none() -> None:
    def charts(folder: str) -> list[str]:
        return [chart["id"] for chart in json.loads(Path(folder, "results.json").read_text(encoding="utf-8"))["charts"]]

    for command in (["check"], ["build", "--fail-on", "warning"]):
        run(*command, "pages", "--report", "report")
        assert charts("report") == []
    for _ in range(2):
        assert run("build", "pages", "--report", "report").exit_code == 0
        assert charts("report") == charts("build/current") == ["papers", "coauthors", "network", "coverage", "findings"]
        page = Path("report/report.html").read_text(encoding="utf-8")
        assert page == Path("build/current/report.html").read_text(encoding="utf-8")


def test_files_that_are_left_out_are_named(pages: Path) -> None:
    for number in range(8):
        (pages / f"{number}.txt").touch()
    result = run("build", "pages", "--allow-unreadable", "--report", "report")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\nLeft out 8 files that cannot be read: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 3 more\n" in result.stdout
    words = "Left out 8 files that cannot be read: `0.txt`, `1.txt`, `2.txt`, `3.txt`, `4.txt` and 3 more."
    assert words in Path("report/summary.md").read_text(encoding="utf-8")
    assert "Left out" not in run("build", "pages/ann.txt", "--report", "report").stdout
    assert "Left out" not in Path("report/summary.md").read_text(encoding="utf-8")


def test_the_loss_of_pages_is_told_though_unreadable_ones_are_allowed(pages: Path) -> None:
    (pages / "eve.txt").write_text(PAGE.replace("Ann Bell\n\nCL", "Eve Fox\n\nCL"), encoding="utf-8")
    assert run("build", "pages").exit_code == 0
    for data, words in (
        (b"", "cannot be read now: 1 paper"),
        (b"<html>", "holds no paper that can be read now: 1 paper"),
    ):
        (pages / "eve.txt").write_bytes(data)
        lost = run("check", "pages", "--baseline", "build", "--allow-unreadable")
        assert (lost.exit_code, lost.stderr.count("\n")) == (1, 1)
        assert f"DAT-001: eve.txt was read in the baseline and {words}; save it again, or allow" in lost.stderr
        assert run("check", "pages", "--baseline", "build").stderr.count("\n") == 1


def test_reports_that_cannot_be_written_hide_no_bad_data(pages: Path) -> None:
    Path("taken").touch()
    good = run("build", "pages", "--report", "taken/report")
    assert (good.exit_code, good.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in good.stderr
    assert "Nothing was published; there is no release in build" in good.stdout
    assert "Reports" not in good.stdout
    (pages / "bad.txt").touch()
    for command in ("build", "check"):
        bad = run(command, "pages", "--report", "taken/report")
        assert bad.exit_code == 1
        first, second = bad.stderr.splitlines()
        assert first.startswith("paperledger: bad.txt: empty file")
        assert "cannot be written" in second


def test_where_reports_are_is_said_once_and_they_have_what_is_not_shown(pages: Path) -> None:
    for number in range(30):
        (pages / f"{number:02}.txt").write_text(PAGE.replace("Bells", f"Bells {number}"), encoding="utf-8")
    without = run("check", "pages", "--fail-on", "warning")
    assert "  and 28 more; --report FOLDER writes them all\n" in without.stdout
    assert without.stderr.endswith("paperledger: and 11 more; --report FOLDER writes them all\n")
    result = run("check", "pages", "--fail-on", "warning", "--report", "report")
    assert "  and 28 more; the reports in report have them all\n" in result.stdout
    assert result.stderr.endswith("paperledger: and 11 more; the reports in report have them all\n")
    assert result.stdout.splitlines()[-1] == "Reports report"


def test_a_page_that_cannot_be_read_fails_and_is_in_the_report(pages: Path) -> None:
    (pages / "bad.txt").write_bytes(b"Ann\n\xff")
    result = run("check", "pages", "--report", "report")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("paperledger: bad.txt: line 2, byte 4: found 0xff, expected UTF-8 text")
    found = json.loads(Path("report/results.json").read_text(encoding="utf-8"))["findings"]
    (error,) = [finding for finding in found if finding["severity"] == "error"]
    assert (error["rule_id"], error["source"], error["line_start"]) == ("PAG-001", "bad.txt", 2)


def test_no_rules_file_allows_pages_that_cannot_be_read(pages: Path) -> None:
    (pages / "bad.txt").touch()
    Path("rules.toml").write_text("[PAG-001]\nerror_above = 1\n", encoding="utf-8")
    result = run("build", "pages", "--rules", "rules.toml")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("paperledger: rules.toml: [PAG-001] error_above: found 1, expected no setting")
    assert "--allow-unreadable" in result.stderr


def test_a_rules_file_sets_what_fails_and_what_is_told(pages: Path) -> None:
    for lines, code, told in (
        ("error_above = 0", 1, "PAG-006  error"),
        ('severity = "info"', 0, "No findings."),
        ('severity = "off"', 0, "Off by the rules file: PAG-006"),
    ):
        Path("rules.toml").write_text(f"[PAG-006]\n{lines}\n", encoding="utf-8")
        result = run("check", str(pages), "--rules", "rules.toml")
        assert (result.exit_code, told in result.stdout) == (code, True)


def test_a_page_that_is_none_stops_the_build_in_one_line_and_shows_no_empty_counts(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    before = Path("build/current").resolve()
    (pages / "ann.txt").write_text("<!DOCTYPE html>\n<html><body><p>Ann Bell</p></body></html>\n", encoding="utf-8")
    result = run("build", str(pages))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("paperledger: ann.txt: ")
    assert "PAG-010  error" in result.stdout
    assert "contents" not in result.stdout
    assert Path("build/current").resolve() == before


def test_counts_by_rule_come_before_findings_and_errors_before_warnings(pages: Path) -> None:
    for number in range(30):
        (pages / f"{number:02}.txt").write_text(PAGE.replace("Bells", f"Bells {number}"), encoding="utf-8")
    (pages / "zoe.txt").write_text(f"{PAGE}\nCLFeb 30, 2024\nOn Ropes\n\nAnn Bell\n\nThey hold.\n", encoding="utf-8")
    Path("rules.toml").write_text("[BLK-003]\nerror_above = 0\n", encoding="utf-8")
    lines = run("check", "pages", "--rules", "rules.toml").stdout.splitlines()
    rules = [line.split()[:2] for line in lines[lines.index("Rules that were broken:") + 1 :]]
    assert rules[:2] == [["BLK-003", "error"], ["PAG-006", "warning"]]
    findings = lines[lines.index("33 findings:") + 1 :]
    assert findings[0].startswith("  zoe.txt:15-20 BLK-003")
    assert sum("PAG-006" in line for line in findings) == 3


def test_all_pages_may_be_unreadable_and_are_told(pages: Path) -> None:
    (pages / "ann.txt").write_bytes(b"")
    result = run("check", "pages")
    assert result.exit_code == 1
    assert "contents" not in result.stdout


def test_against_a_baseline_only_what_is_new_fails(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    again = run("check", "pages", "--baseline", "build", "--fail-on", "warning")
    assert (again.exit_code, again.stderr) == (0, "")
    assert "Against build: 0 new, 1 unchanged, 0 gone" in again.stdout
    assert "No new findings." in again.stdout
    (pages / "eve.txt").write_text(STRAY.replace("Ann Bell\n\nCL", "Eve Fox\n\nCL"), encoding="utf-8")
    worse = run("check", "pages", "--baseline", "build", "--fail-on", "warning")
    assert worse.exit_code == 1
    assert worse.stderr.startswith("paperledger: eve.txt:")


def test_a_page_that_is_missing_fails_unless_a_rules_file_lets_it_go(pages: Path) -> None:
    (pages / "eve.txt").write_text(PAGE.replace("Ann Bell\n\nCL", "Eve Fox\n\nCL"), encoding="utf-8")
    assert run("build", "pages").exit_code == 0
    (pages / "eve.txt").unlink()
    worse = run("check", "pages", "--baseline", "build", "--report", "report")
    assert (worse.exit_code, worse.stderr.count("\n")) == (1, 1)
    assert "eve.txt was read in the baseline and is not among these pages: 1 paper; give it again, or" in worse.stderr
    assert "Against build: 1 new, 1 unchanged," in worse.stdout
    assert "1 new finding:" in worse.stdout
    assert "DAT-001" in Path("report/results.sarif").read_text(encoding="utf-8")
    Path("rules.toml").write_text("[DAT-001]\nerror_above_share = 0.9\n", encoding="utf-8")
    assert run("check", "pages", "--baseline", "build", "--rules", "rules.toml").exit_code == 0


def test_a_smaller_share_of_its_papers_fails(pages: Path) -> None:
    assert run("build", "pages").exit_code == 0
    (pages / "ann.txt").write_text(PAGE.replace("3papers", "9papers").replace("3 Papers", "9 Papers"), encoding="utf-8")
    worse = run("check", "pages", "--baseline", "build")
    assert worse.exit_code == 1
    assert "these pages list 11%, in the baseline 33%; the greatest loss is ann.txt: 1 of 9 papers" in worse.stderr


@pytest.mark.usefixtures("pages")
def test_a_baseline_that_is_none_is_told() -> None:
    result = run("check", "pages", "--baseline", "nowhere")
    assert result.exit_code == 2
    assert result.stderr == "paperledger: nowhere: no results here; expected a release, or the results.json of a run\n"


@pytest.mark.usefixtures("pages")
def test_annotations_lead_to_the_file_and_line() -> None:
    lines = run("check", "pages", "--annotate", "github").stdout.splitlines()
    *printed, told = lines
    assert told.startswith("::warning file=pages/ann.txt,line=4,endLine=4,")
    stop, resume = (line for line in printed if line.startswith("::"))
    assert (stop, resume) == (f"::stop-commands::{resume.strip(':')}", printed[-1])


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
    assert "report.html: found " in damaged.stderr
    assert damaged.stderr.endswith("; the release is damaged: remove this folder, and build or fetch it again\n")
