"""The HTML report in a real browser: nothing of a page runs, and the policy lets the page's own style through."""

import shutil
import subprocess
from pathlib import Path

import pytest
from chart_cases import drawn_results
from report_cases import HOSTILE, ODD, SOUND, hostile

from etl.report import render_html

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr"]
SECONDS = 120
TEXT = " ".join(HOSTILE[name] for name in ("script", "handler", "javascript")).replace("alert(1)", "document.title=7")
RAN = "<title>7</title>"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


def browsed(page: str, folder: Path) -> tuple[str, bool]:
    """The page as the browser has it once it is loaded, and whether the browser complained."""
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    own = [*OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run([str(BROWSER), *own], capture_output=True, text=True, timeout=SECONDS, check=True)
    return done.stdout, "CONSOLE" in done.stderr


def test_nothing_of_a_page_runs_and_the_style_is_applied(tmp_path: Path) -> None:
    seen, complained = browsed(render_html(hostile(TEXT)), tmp_path)
    assert "<title>paperledger report: Failed" in seen
    assert not complained


def test_the_charts_are_drawn_under_the_policy(tmp_path: Path) -> None:
    held = drawn_results(SOUND, ODD)
    seen, complained = browsed(render_html(held), tmp_path)
    assert seen.count('class="drawing"') == len(held.charts) > 0
    assert not complained


def test_a_script_would_run_without_the_policy_and_not_with_it(tmp_path: Path) -> None:
    script = "<script>document.title=7</script>"
    bare, _ = browsed(f"<title>x</title>{script}", tmp_path)
    assert RAN in bare
    seen, complained = browsed(render_html(hostile("a")).replace("</main>", f"{script}</main>"), tmp_path)
    assert RAN not in seen
    assert complained


def test_another_style_than_the_pages_own_is_refused(tmp_path: Path) -> None:
    _, complained = browsed(render_html(hostile("a")).replace("</style>", "a{}</style>"), tmp_path)
    assert complained
