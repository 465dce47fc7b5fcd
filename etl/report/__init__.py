"""Reports: the results of a run, rendered for people, CI servers and code hosts.

In: `Results`. Out: the text of each format, or a folder with one file per format. No report reads pages or tables.
"""

from collections.abc import Mapping
from pathlib import Path

from etl.errors import refusal
from etl.report.ci_formats import render_annotations, render_junit, render_sarif
from etl.report.html import render_html
from etl.report.markdown import render_markdown
from etl.report.results import RESULTS_FILE, Results
from etl.report.results import write_results as render_json

REPORT_FILE = "report.html"

__all__ = [
    "REPORT_FILE",
    "render_annotations",
    "render_html",
    "render_json",
    "render_junit",
    "render_markdown",
    "render_sarif",
    "write_reports",
]


def write_reports(results: Results, folder: Path, paths: Mapping[str, str] | None = None) -> list[Path]:
    """Write every report into a folder, created if absent; return the files written.

    `paths` maps a page's source to its file, relative to the repository. Raises `UsageError` where the folder cannot
    be written to, `PublicationError` where the disk is full; a partly written report is removed.
    """
    texts = {
        RESULTS_FILE: render_json(results),
        REPORT_FILE: render_html(results),
        "summary.md": render_markdown(results),
        "junit.xml": render_junit(results),
        "results.sarif": render_sarif(results, paths),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / name, text) for name, text in texts.items()]
    except OSError as error:
        place = folder if error.filename is None else None
        raise refusal(error, "cannot be written", "give another folder with --report", place) from error


def _write(path: Path, text: str) -> Path:
    with path.open("wb") as file:
        try:
            file.write(text.encode())
            file.flush()
        except OSError as error:
            path.unlink()
            raise OSError(error.errno, error.strerror, str(path)) from error
    return path
