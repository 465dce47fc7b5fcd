"""Against a baseline only findings that are new fail, and pages and rows that were lost; a release knows nothing of it."""

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from helpers import tables_of
from report_cases import finding, results, rule
from rich.console import Console

from etl.errors import BadData, UsageError
from etl.report.baseline import SHOWN_PAGES, compare_with_baseline, read_baseline, undated
from etl.report.results import FindingResult, PageResult, Results, read_results, summarize, write_results
from etl.report.terminal import print_results
from etl.report.wording import require_good, stopping_findings
from etl.validate.severity import Limit, Setting, Thresholds
from schemas.rules import Level

BLOCK = "\n\nCLMay {0}, 2024\nOn Bells {0}\n\nAnn Bell\n\nThey ring {0} times every single day."
HEADER = "Ann Bell\n\nCL\n{0}papers\n\n{0} Papers"
STRAY = "\n\nAdvertisement"


def results_of(count: int, more: str = "", stated: int | None = None) -> Results:
    """The results of a page of so many papers."""
    blocks = "".join(BLOCK.format(number) for number in range(1, count + 1))
    return summarize(tables_of(HEADER.format(stated or count) + more + blocks))


def held(now: Results, before: Results, thresholds: Thresholds | None = None) -> Results:
    return compare_with_baseline(now, before, "before", thresholds or Thresholds())


def test_findings_that_a_baseline_has_are_unchanged_and_do_not_fail() -> None:
    before = results_of(3, STRAY)
    again = held(before, before)
    assert [finding.state for finding in again.findings] == ["unchanged"]
    require_good(again, "warning")
    with pytest.raises(BadData, match=r"^p0\.txt:8: in quarantine: text that belongs to no paper.* \(PAG-004\)$"):
        require_good(before, "warning")


def test_a_new_finding_fails_though_old_ones_stand() -> None:
    now = held(results_of(3, STRAY, stated=4), results_of(3, stated=4))
    assert sorted((finding.rule_id, finding.state) for finding in now.findings) == [
        ("PAG-004", "new"),
        ("PAG-006", "unchanged"),
    ]
    assert [finding.rule_id for finding in stopping_findings(now, "warning")] == ["PAG-004"]
    assert stopping_findings(now, "error") == []


def test_an_error_tells_some_of_each_rule_and_counts_the_rest() -> None:
    told = [finding(number, "A-1", severity="error", source=f"{number:02}.txt") for number in range(30)]
    told += [finding(number, "A-2", severity="error", source="zoe.txt") for number in range(30, 32)]
    with pytest.raises(BadData) as caught:
        require_good(results([rule("A-1", "failed", failed=30), rule("A-2", "failed", failed=2)], told), "error")
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert sum(line.startswith("zoe.txt") for line in lines) == 2
    assert lines[-1] == "and 12 more; --report FOLDER writes them all"


def test_findings_that_went_are_counted() -> None:
    baseline = held(results_of(3), results_of(3, STRAY)).baseline
    assert baseline is not None
    assert (baseline.source, baseline.new, baseline.unchanged, baseline.gone) == ("before", 0, 0, 1)


def test_a_finding_of_a_page_that_was_saved_again_is_unchanged_and_not_gone() -> None:
    odd = HEADER.replace("CL\n", "CL\nh-index9\n").format(3)
    blocks = "".join(BLOCK.format(number) for number in range(1, 4))
    before, now = summarize(tables_of(odd + blocks)), summarize(tables_of(f"{odd}{blocks}\n"))
    assert {finding.id for finding in before.findings}.isdisjoint(finding.id for finding in now.findings)
    again = held(now, before)
    assert [(finding.rule_id, finding.state) for finding in again.findings] == [("PRO-001", "unchanged")]
    assert again.baseline is not None
    assert (again.baseline.new, again.baseline.unchanged, again.baseline.gone) == (0, 1, 0)


def test_each_finding_that_is_gone_stands_for_one_of_the_same_words_on_the_same_page_alone() -> None:
    def told(number: int, source: str | None = "ann@2026-07-02.txt", **values: object) -> FindingResult:
        return finding(number, "PAG-006", source=source, **{"message": "the same", **values})

    before = of_pages(
        ANN, findings=(told(1, "ann@2026-01-31.txt"), told(2), told(3, None), finding(4, "PAG-004", message="the same"))
    )
    cases = (
        ([told(11)], 1),
        ([told(11), told(12), told(13)], 2),
        ([told(2), told(12), told(13)], 2),
        ([told(11, value="4")], 0),
        ([told(11, message="another")], 0),
        ([told(11, "eve.txt")], 0),
        ([told(11, None)], 0),
    )
    for findings, unchanged in cases:
        now = held(of_pages(ANN, findings=tuple(findings)), before)
        assert [finding.state for finding in now.findings].count("unchanged") == unchanged
        assert now.baseline is not None
        assert (now.baseline.unchanged, now.baseline.gone) == (unchanged, 4 - unchanged)


def under(rule_id: str, severity: Level = "error", warn: Limit | None = None, error: Limit | None = None) -> Thresholds:
    return Thresholds({rule_id: Setting(severity, warn, error)})


def test_rows_that_were_lost_fail_past_the_limit_and_lead_to_the_page() -> None:
    now, before = results_of(18), results_of(20)
    lost = held(now, before)
    assert lost.verdict == "failed"
    told = {finding.table: finding.message for finding in stopping_findings(lost, "error")}
    assert set(told) == {"papers", "paper_authors", "paper_categories", "listings"}
    assert told["papers"] == (
        "papers has 18 rows, 20 in the baseline, though no page is missing; p0.txt lists 18 papers, 20 before;"
        " save it again once all have loaded, or allow the loss with [DAT-001] in a rules file"
    )


@pytest.mark.parametrize(
    ("thresholds", "status", "severity"),
    [
        (under("DAT-001", error=Limit(share=0.1)), "warned", "warning"),
        (under("DAT-001", warn=Limit(share=0.1)), "noted", "info"),
        (under("DAT-001", warn=Limit(count=1), error=Limit(count=2)), "warned", "warning"),
        (under("DAT-001", error=Limit(count=1)), "failed", "error"),
        (under("DAT-001", "warning"), "warned", "warning"),
        (under("DAT-001", "info"), "noted", "info"),
        (under("DAT-001", "off"), "off", "off"),
    ],
)
def test_a_rules_file_says_how_many_rows_may_be_lost(thresholds: Thresholds, status: str, severity: str) -> None:
    lost = held(results_of(18), results_of(20), thresholds)
    assert (lost.rule("DAT-001").status, lost.rule("DAT-001").severity) == (status, severity)
    assert {finding.severity for finding in lost.findings} == {severity} - {"info", "off"}


def test_few_rows_may_go_without_a_word() -> None:
    lost = held(of_pages(page_of("ann.txt", 39)), of_pages(page_of("ann.txt", 40)))
    assert (lost.verdict, lost.rule("DAT-001").status) == ("passed", "passed")


def page_of(source: str, papers: int = 12, stated: int | None = None, profile_id: str = "") -> PageResult:
    counts = {"stated_papers": papers if stated is None else stated, "listed_papers": papers}
    return PageResult(
        profile_id=profile_id or source,
        source=source,
        name=None,
        observed_on=None,
        lines=9,
        quarantined_lines=0,
        **counts,
    )


def test_of_several_pages_of_one_person_the_newest_are_compared() -> None:
    old = msgspec.structs.replace(page_of("ann@2026-01-01.txt", 10, 60), author_id="ann-bell", newest=False)
    good = msgspec.structs.replace(page_of("ann@2026-02-01.txt", 40, 60), author_id="ann-bell")
    before = of_pages(old, good)
    assert held(of_pages(good, old), before).rule("DAT-002").status == "passed"
    outdone = msgspec.structs.replace(good, newest=False)
    short = msgspec.structs.replace(page_of("ann@2026-03-01.txt", 20, 60), author_id="ann-bell")
    lost = held(of_pages(old, outdone, short), before)
    assert lost.rule("DAT-002").status == "failed"
    (told,) = [finding.message for finding in lost.findings if finding.rule_id == "DAT-002"]
    assert "the greatest loss is ann@2026-03-01.txt: 20 of 60 papers, before 40 of 60" in told


def of_pages(*pages: PageResult, findings: tuple[FindingResult, ...] = ()) -> Results:
    rules = [rule(rule_id, "passed") for rule_id in ("PAG-001", "PAG-006", "DAT-001", "DAT-002")]
    rows = {"papers": sum(page.listed_papers for page in pages), "profiles": len(pages)}
    return results(rules, list(findings), pages=list(pages), rows=rows)


ANN, EVE = page_of("ann.txt"), page_of("eve.txt")
MISSING = (
    "eve.txt was read in the baseline and is not among these pages: 12 papers; "
    "give it again, or allow the loss with [DAT-001] in a rules file"
)


def test_a_missing_page_is_one_line_that_names_it_and_no_table_tells_it_again() -> None:
    lost = held(of_pages(ANN), of_pages(ANN, EVE))
    assert [finding.message for finding in lost.findings] == [MISSING]
    with pytest.raises(BadData) as caught:
        require_good(lost, "error")
    assert str(caught.value) == f"DAT-001: {MISSING}"
    assert (lost.rule("DAT-001").failed, lost.rule("DAT-001").checked) == (1, 2)


def test_one_number_says_how_many_findings_are_new() -> None:
    lost = held(of_pages(ANN, findings=(finding(1, "PAG-006"),)), of_pages(ANN, EVE))
    assert lost.baseline is not None
    assert lost.baseline.new == 2
    printed = StringIO()
    print_results(Console(width=200, file=printed), lost)
    assert "Against before: 2 new, 0 unchanged, 0 gone" in printed.getvalue()
    assert "2 new findings:" in printed.getvalue()


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("eve@2026-01-31.txt", "eve@2026-02-28.txt"),
        ("pages-2026-01-31/eve.txt", "pages-2026-02-28/eve.txt"),
        ("eve-2026-01-31.txt", "eve.txt"),
        ("eve.txt", "eve.txt.gz"),
    ],
)
def test_a_page_that_was_saved_again_is_not_missing(then: str, now: str) -> None:
    assert undated(then) == undated(now)
    assert held(of_pages(ANN, page_of(now)), of_pages(ANN, page_of(then))).findings == []


def test_a_page_of_another_name_and_the_same_bytes_is_not_missing() -> None:
    assert held(of_pages(ANN, page_of("fox.txt", profile_id="eve.txt")), of_pages(ANN, EVE)).findings == []


def test_another_page_does_not_stand_for_a_missing_one() -> None:
    lost = held(of_pages(ANN, page_of("cy.txt")), of_pages(ANN, EVE))
    assert [finding.message for finding in lost.findings] == [MISSING]


def test_a_page_that_cannot_be_read_is_told_once() -> None:
    unreadable = finding(1, "PAG-001", severity="error", source="eve.txt")
    lost = held(of_pages(ANN, findings=(unreadable,)), of_pages(ANN, EVE))
    assert [finding.rule_id for finding in lost.findings] == ["PAG-001"]


def test_a_page_that_is_left_out_is_lost() -> None:
    left_out = finding(1, "PAG-001", severity="warning", source="eve@2026-07-02.txt")
    lost = held(of_pages(ANN, findings=(left_out,)), of_pages(ANN, EVE))
    assert (lost.verdict, lost.rule("DAT-001").failed) == ("failed", 1)
    assert lost.findings[0].message == (
        "eve.txt was read in the baseline and cannot be read now (eve@2026-07-02.txt): 12 papers;"
        " save it again, or allow the loss with [DAT-001] in a rules file"
    )


@pytest.mark.parametrize("told", [True, False])
def test_a_page_without_a_single_paper_is_lost_unless_that_is_an_error_already(told: bool) -> None:
    empty = page_of("eve.txt", 0, 12, profile_id="again")
    note = (finding(1, "PAG-010", severity="warning", source="eve.txt"),) if told else ()
    lost = held(of_pages(ANN, empty, findings=note), of_pages(ANN, EVE))
    assert [found.message for found in lost.findings if found.rule_id in ("DAT-001", "DAT-002")] == [
        "eve.txt was read in the baseline and holds no paper that can be read now: 12 papers;"
        " save it again, or allow the loss with [DAT-001] in a rules file"
    ]
    error = finding(1, "PAG-010", severity="error", source="eve.txt")
    once = held(of_pages(ANN, empty, findings=(error,)), of_pages(ANN, EVE))
    assert [found.rule_id for found in once.findings] == ["PAG-010"]
    assert [found.rule_id for found in held(of_pages(ANN, empty), of_pages(ANN, empty)).findings] == []


def test_pages_of_one_name_in_two_folders_are_held_against_their_own() -> None:
    old, young = page_of("pages-2019-12-31/eve.txt", 20), page_of("pages-2026-07-02/eve.txt", 3, 12)
    before = of_pages(ANN, old, young)
    again = [msgspec.structs.replace(page, profile_id=f"{page.source} again") for page in (old, young)]
    assert held(of_pages(ANN, *again), before).findings == []
    lost = held(of_pages(ANN, again[0]), before)
    assert [found.message.split(":")[0] for found in lost.findings] == [
        "pages-2026-07-02/eve.txt was read in the baseline and is not among these pages"
    ]


def test_no_baseline_excuses_a_page_that_cannot_be_read() -> None:
    for severity, state in (("error", "new"), ("warning", "unchanged")):
        before = of_pages(ANN, findings=(finding(1, "PAG-001", severity=severity, source="eve.txt"),))
        assert [finding.state for finding in held(before, before).findings] == [state]


def test_few_of_many_pages_may_be_missing_and_are_told_as_warnings() -> None:
    many = [page_of(f"{number}.txt") for number in range(40)]
    lost = held(of_pages(*many[2:]), of_pages(*many))
    assert (lost.verdict, [finding.severity for finding in lost.findings]) == ("warned", ["warning"] * 2)
    assert held(of_pages(*many[3:]), of_pages(*many)).verdict == "failed"
    allowed = held(of_pages(*many[3:]), of_pages(*many), under("DAT-001", warn=Limit(count=3)))
    assert (allowed.verdict, allowed.findings, allowed.rule("DAT-001").status) == ("passed", [], "noted")


@pytest.mark.parametrize(
    ("missing", "last"),
    [
        (20, "18.txt was read in the baseline"),
        (21, "1 more page of the baseline is not among these pages: 12 papers; give it again, or"),
        (50, "30 more pages of the baseline are not among these pages: 360 papers; give them again, or"),
    ],
)
def test_of_many_missing_pages_the_rest_is_counted(missing: int, last: str) -> None:
    gone = [page_of(f"{number}.txt") for number in range(missing - 1)] + [page_of("large.txt", 50)]
    lost = held(of_pages(ANN), of_pages(ANN, *gone))
    told = [finding.message for finding in lost.findings]
    assert len(told) == min(missing, SHOWN_PAGES + 1)
    assert told[0].startswith("large.txt was read")
    assert any(message.startswith(last) for message in told)
    with pytest.raises(BadData) as caught:
        require_good(lost, "error")
    assert [line.removeprefix("DAT-001: ") for line in str(caught.value).splitlines()] == told


def test_a_smaller_share_of_the_papers_fails_and_names_the_page() -> None:
    lost = held(of_pages(ANN, page_of("eve.txt", 3, 12)), of_pages(ANN, EVE))
    (message,) = [finding.message for finding in lost.findings if finding.rule_id == "DAT-002"]
    assert message == (
        "of the papers that pages state, at most 50 a page, these pages list 62%, in the baseline 100%; the greatest"
        " loss is eve.txt: 3 of 12 papers, before 12 of 12; open it, wait until all papers have loaded, and save it again"
    )
    assert (
        held(of_pages(ANN, page_of("eve.txt", 3, 12)), of_pages(ANN, EVE), under("DAT-002", "off"))
        .rule("DAT-002")
        .status
        == "off"
    )


def test_a_page_past_the_sites_limit_and_a_new_page_are_no_smaller_share() -> None:
    before = of_pages(page_of("ann.txt", 50, 60))
    now = of_pages(page_of("ann.txt", 50, 120, profile_id="again"), page_of("eve.txt", 1, 50))
    assert held(now, before).findings == []


def test_losses_of_the_baseline_itself_are_not_counted_as_gone() -> None:
    before = held(of_pages(ANN), of_pages(ANN, EVE))
    again = held(of_pages(ANN), before).baseline
    assert again is not None
    assert again.gone == 0


def test_more_rows_are_no_drift() -> None:
    assert held(results_of(20), results_of(3)).rule("DAT-001").status == "passed"


def test_results_are_written_and_read_back() -> None:
    results = results_of(3, STRAY)
    assert read_results(write_results(results)) == results
    assert results.findings[0].raw == ["Advertisement"]


def test_a_baseline_is_found_in_a_file_a_release_and_an_output_folder(tmp_path: Path) -> None:
    results = results_of(3)
    release = tmp_path / "releases" / "1"
    release.mkdir(parents=True)
    (release / "results.json").write_text(write_results(results), encoding="utf-8")
    (tmp_path / "current").symlink_to(release)
    for place in (tmp_path, release, release / "results.json"):
        assert read_baseline(place) == results


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}'])
def test_what_is_no_baseline_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="not the results of a run"):
        read_baseline(path)
    with pytest.raises(UsageError, match="no results here"):
        read_baseline(tmp_path / "other")
