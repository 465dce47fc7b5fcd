"""The Markdown summary: nothing of a page becomes markup, and it fits where it is shown."""

from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_cases import HOSTILE, ODD, SOUND, baseline, finding, hostile, results, results_of, rule

from etl.report import render_markdown
from etl.report.markdown import SHOWN_FINDINGS, SHOWN_PAGES, SHOWN_RULES, code, short
from etl.report.results import PageResult, Results

LIMIT = 1024 * 1024
BOTH = ("heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td")
TOKENS = {f"{name}_{side}" for name in BOTH for side in ("open", "close")}
TOKENS |= {"inline", "text", "softbreak", "fence", "code_inline"}


def tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        yield token
        yield from token.children or []


def full(text: str) -> Results:
    """Results that reach every limit with the same text."""
    page = {"stated_papers": 2, "listed_papers": 1, "lines": 1, "quarantined_lines": 1}
    pages = [PageResult(profile_id=text, source=text, name=text, observed_on=text, **page)] * (SHOWN_PAGES + 1)
    rules = [rule(f"{number}{text}", title=text, why=text) for number in range(SHOWN_RULES + 1)]
    lines = {"line_start": 1, "line_end": 12, "raw": [text] * 12}
    told = [finding(n, rules[0].id, source=text, message=text, **lines) for n in range(SHOWN_FINDINGS + 1)]
    return results(rules, told, pages=pages)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_becomes_code_and_nothing_else(text: str) -> None:
    found = list(tokens(render_markdown(hostile(text))))
    assert {token.type for token in found} <= TOKENS
    assert [token for token in found if token.type == "text" and set(token.content) & set("@#<>`*_[]&\\~$/")] == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_whole(text: str) -> None:
    found = list(tokens(render_markdown(hostile(text))))
    assert [token.content for token in found if token.type == "code_inline"].count(short(text) or " ") >= 2
    assert [token.content for token in found if token.type == "fence"] == [
        f"    7  {short(text)}\n    8  {short(text)}\n"
    ] * 2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_row_of_a_table_has_the_cells_of_its_head(text: str) -> None:
    rows = [line for line in render_markdown(hostile(text)).split("\n") if line.startswith("| ")]
    assert [line.count("|") for line in rows] == [6] * 5 + [5] * 3


@pytest.mark.parametrize(
    "text", ["x", "\U000e0001", "`", "鐘", "\U0001f514"], ids=["letter", "hidden", "tick", "wide", "wider"]
)
def test_the_longest_summary_fits_the_limit(text: str) -> None:
    assert len(render_markdown(full(text * 10_000)).encode()) < LIMIT


def test_what_is_left_out_is_counted() -> None:
    summary = render_markdown(full("Ann Bell"))
    assert summary.count("1 more in `results.json`.") == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a", "`a`", id="plain"),
        pytest.param("a``b", "```a``b```", id="ticks"),
        pytest.param("`b`", "`` `b` ``", id="outer-ticks"),
        pytest.param(" b ", "`  b  `", id="spaces"),
        pytest.param("", "` `", id="empty"),
        pytest.param("a\nb", "`a\\nb`", id="line-break"),
    ],
)
def test_code_stands_between_more_ticks_than_it_holds(text: str, expected: str) -> None:
    assert code(text) == expected


def test_the_summary_of_an_odd_page() -> None:
    summary = render_markdown(results_of(SOUND, ODD))
    assert summary.startswith("# paperledger: No error, but ")
    assert "- warning `BLK-003` `p1.txt:9-14`: `in quarantine:" in summary
    assert "      9  CLFeb 30, 2024\n" in summary
    assert "| `p1.txt` | 0 | 2 |" in summary


def test_the_summary_of_a_sound_page_has_no_findings() -> None:
    summary = render_markdown(results_of(SOUND))
    assert summary.startswith(
        "# paperledger: Passed, without a finding.\n\n1 page, 1 paper, 2 authors; 0 lines in quarantine."
    )
    assert "## Findings" not in summary


def test_new_findings_come_first_and_say_so() -> None:
    told = [finding(1, "PAP-001", state="unchanged"), finding(2, "PAP-001", state="new")]
    summary = render_markdown(results([rule("PAP-001")], told, baseline=baseline()))
    assert "Against the baseline 1 new, 1 unchanged, 1 gone." in summary
    assert summary.index("- new warning") < summary.index("- unchanged warning")
