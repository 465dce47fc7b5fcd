"""Pages with hostile text in each field, from the page to every report: stored as it is or in quarantine, and harmless."""

from collections.abc import Callable
from pathlib import Path

import html5lib
import pytest
from helpers import assert_accounted, cpu_limit
from report_cases import HOSTILE

from etl.report import render_html, write_reports
from etl.report.results import read_results, summarize

SOUND = (
    "Ann Bell\n\nCL\nh-index4\n3papers\n\n3 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell, Cy Dole · mila\n\nThey ring."
)
FIELDS: dict[str, Callable[[str], str]] = {
    "name": lambda text: SOUND.replace("Ann Bell", text, 1),
    "field": lambda text: SOUND.replace("\nCL\n", f"\n{text}\n"),
    "figure": lambda text: SOUND.replace("h-index4", f"h-index{text}"),
    "line of the header": lambda text: SOUND.replace("h-index4", text),
    "count": lambda text: SOUND.replace("3 Papers", f"{text} Papers"),
    "code": lambda text: SOUND.replace("CLMay", f"{text}May"),
    "flag": lambda text: SOUND.replace("2024", f"2024{text}"),
    "badge": lambda text: SOUND.replace("CLMay 1, 2024", text),
    "title": lambda text: SOUND.replace("On Bells", text),
    "author": lambda text: SOUND.replace("Cy Dole", text),
    "byline": lambda text: SOUND.replace("Ann Bell, Cy Dole · mila", text),
    "tag": lambda text: SOUND.replace("mila", text),
    "abstract": lambda text: SOUND.replace("They ring.", text),
    "address": lambda text: SOUND.replace("They ring.", f"See https://example.org/{text}."),
    "stray line": lambda text: SOUND.replace("CLMay", f"{text}\n\nCLMay"),
}
TEXTS = [text.encode("utf-8", "ignore").decode() for text in HOSTILE.values()]
EVERY_FIELD = pytest.mark.parametrize("page", FIELDS.values(), ids=FIELDS)


@EVERY_FIELD
def test_hostile_text_is_kept_and_shown_as_text(page: Callable[[str], str], tmp_path: Path) -> None:
    results = summarize(assert_accounted(*sorted({page(text) for text in TEXTS})))
    write_reports(results, tmp_path)
    assert read_results((tmp_path / "results.json").read_text(encoding="utf-8")) == results
    html = html5lib.parse(render_html(results), namespaceHTMLElements=False)
    assert list(html.iter("script")) == list(html.iter("img")) == []
    assert all(a.get("href", "").startswith("#") for a in html.iter("a"))
    assert not any(name.startswith("on") for element in html.iter() for name in element.attrib)


LARGE = {
    "a line over 1 MiB": "x" * (2**20 + 1),
    "a line of 1 MiB with spaces": "a " * 2**19,
    "100,000 empty lines": "a" + "\n" * 100_000 + "b",
    "a million et al.": " et al." * 1_000_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
@EVERY_FIELD
def test_large_text_is_kept_in_bounded_time(page: Callable[[str], str], text: str) -> None:
    with cpu_limit(20):
        summarize(assert_accounted(page(text)))
