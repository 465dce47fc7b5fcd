"""All reports of a run in one folder."""

from pathlib import Path

import pytest
from report_cases import HOSTILE, ODD, SOUND, hostile, results_of

from etl.errors import UsageError
from etl.report import render_html, render_junit, render_markdown, render_sarif, write_reports
from etl.report.results import read_results

NAMES = ["results.json", "report.html", "summary.md", "junit.xml", "results.sarif"]
WRITABLE = [text for text in HOSTILE.values() if "\ud800" not in text]
"""All but the lone surrogate, which no table can hold: pages are UTF-8."""


def test_a_folder_is_made_and_holds_every_report(tmp_path: Path) -> None:
    told, folder = results_of(SOUND, ODD), tmp_path / "a" / "b"
    assert write_reports(told, folder, {"p1.txt": "pages/p1.txt"}) == [folder / name for name in NAMES]
    assert read_results((folder / "results.json").read_text(encoding="utf-8")) == told
    rendered = [
        render_html(told),
        render_markdown(told),
        render_junit(told),
        render_sarif(told, {"p1.txt": "pages/p1.txt"}),
    ]
    assert [(folder / name).read_bytes().decode() for name in NAMES[1:]] == rendered


def test_reports_are_written_again_over_those_of_the_last_run(tmp_path: Path) -> None:
    write_reports(results_of(SOUND, ODD), tmp_path)
    write_reports(results_of(SOUND), tmp_path)
    assert read_results((tmp_path / "results.json").read_text(encoding="utf-8")) == results_of(SOUND)


@pytest.mark.parametrize("text", WRITABLE, ids=[name for name in HOSTILE if name != "surrogate"])
def test_hostile_text_can_be_written(tmp_path: Path, text: str) -> None:
    write_reports(hostile(text), tmp_path)
    assert read_results((tmp_path / "results.json").read_text(encoding="utf-8")) == hostile(text)


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write_reports(results_of(SOUND, ODD), tmp_path / name) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_folder_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(
        UsageError, match=r"^\S*taken: cannot be written \(File exists\); give another folder with --report$"
    ):
        write_reports(results_of(SOUND), taken)
