"""Against a baseline only findings that are new fail, and what was lost; a release knows nothing of it."""

from pathlib import Path

import pytest
from helpers import tables_of

from etl.errors import BadData, UsageError
from etl.validate.baseline import hold_against, read_baseline
from etl.validate.results import Results, read_results, summarize, write_results
from etl.validate.thresholds import Limit, Thresholds
from etl.validate.verdict import require_good, stopping_findings

BLOCK = "\n\nCLMay {0}, 2024\nOn Bells {0}\n\nAnn Bell\n\nThey ring {0} times every single day."
HEADER = "Ann Bell\n\nCL\n{0}papers\n\n{0} Papers"
STRAY = "\n\nAdvertisement"


def results_of(count: int, more: str = "", stated: int | None = None) -> Results:
    """The results of a page of so many papers."""
    blocks = "".join(BLOCK.format(number) for number in range(1, count + 1))
    return summarize(tables_of(HEADER.format(stated or count) + more + blocks))


def held(now: Results, before: Results, thresholds: Thresholds | None = None) -> Results:
    return hold_against(now, before, "before", thresholds or Thresholds())


def test_findings_that_a_baseline_has_are_unchanged_and_do_not_fail() -> None:
    before = results_of(3, STRAY)
    again = held(before, before)
    assert [finding.state for finding in again.findings] == ["unchanged"]
    require_good(again, "warning")
    with pytest.raises(BadData, match=r"^p0\.txt: in quarantine: lines outside header and blocks"):
        require_good(before, "warning")


def test_a_new_finding_fails_though_old_ones_stand() -> None:
    now = held(results_of(3, STRAY, stated=4), results_of(3, stated=4))
    assert sorted((finding.rule_id, finding.state) for finding in now.findings) == [
        ("PAG-004", "new"),
        ("PAG-006", "new"),
    ]
    assert [finding.rule_id for finding in stopping_findings(now, "warning")] == ["PAG-006", "PAG-004"]
    assert stopping_findings(now, "error") == []


def test_findings_that_went_are_counted() -> None:
    baseline = held(results_of(3), results_of(3, STRAY)).baseline
    assert baseline is not None
    assert (baseline.source, baseline.new, baseline.unchanged, baseline.gone) == ("before", 0, 0, 1)


def test_rows_that_were_lost_fail_past_the_threshold() -> None:
    now, before = results_of(18), results_of(20)
    lost = held(now, before)
    assert lost.verdict == "failed"
    told = {finding.table: finding.message for finding in stopping_findings(lost, "error")}
    assert set(told) == {"papers", "paper_authors", "listings"}
    assert told["papers"] == "papers has 18 rows, 20 in the baseline; see whether pages are missing"
    allowed = held(now, before, Thresholds({"DAT-001": Limit(share=0.1)}))
    assert (allowed.verdict, allowed.rule("DAT-001").status) == ("passed", "passed")


def test_a_smaller_share_of_the_papers_fails() -> None:
    lost = held(results_of(3, stated=6), results_of(3))
    (finding,) = [finding for finding in lost.findings if finding.rule_id == "DAT-002"]
    assert finding.message == "pages list 50% of their papers, 100% in the baseline; save them again whole"


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
