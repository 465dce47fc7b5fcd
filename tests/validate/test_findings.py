"""Every rule of severity warning or info: a page that breaks it, where the finding points, and a page that does not."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers import tables_of

from etl.resolve.overrides import Overrides
from schemas import RULES, Frames
from schemas.limits import LONGEST_LINE

SOUND = """\
Ann Bell

CL
h-index3
3papers
9citations
Novelty100%
AI Score100

3 Papers

CLFeb 29, 2024Code
On Bells

Ann Bell, Cy Dole · mila

They rang every hour of 1984

CLApr 2, 2024
On Bells

Eve Fox, Cy Dole et al.

They chime at twelve (at noon)

CLDec 31, 2025
On Chimes

Ann Bell

They chime all day long."""
"""A page at every bound: h papers, h² citations, full scores, a leap day, abstracts without a full stop, a cut byline."""
LONG = "x" * LONGEST_LINE
OWNER = "Cy Dole\n\nCLFeb 29, 2024\nOn Bells\n\nAnn Bell, Cy Dole et al.\n\nThey rang."
TOLD = [rule.id for rule in RULES.values() if rule.severity == "warning"]
COUNTED = [rule.id for rule in RULES.values() if rule.severity == "info"]

WARNINGS = [
    pytest.param("PAG-004", {11: "Advertisement"}, [(11, 11, "Advertisement")], id="PAG-004"),
    pytest.param("PAG-005", {7: "2.1k stars"}, [(7, 7, "2.1k stars")], id="PAG-005"),
    pytest.param("PAG-005", {7: "stars", 9: "moons"}, [(7, 7, "stars"), (9, 9, "moons")], id="PAG-005-twice"),
    pytest.param("PAG-006", {5: "4papers", 10: "4 Papers"}, [(5, 5, "3/4")], id="PAG-006"),
    pytest.param("PAG-006", {5: "", 10: "76 Papers"}, [(10, 10, "3/76")], id="PAG-006-section-only"),
    pytest.param("PAG-007", {10: "4 Papers"}, [(10, 10, "4")], id="PAG-007"),
    pytest.param("PAG-008", {26: "CLDec 31, 2025CodeVideo"}, [(26, 26, "CLDec 31, 2025CodeVideo")], id="PAG-008"),
    pytest.param("PRO-001", {4: "h-index4", 6: "16citations"}, [(4, 4, "4")], id="PRO-001"),
    pytest.param("PRO-002", {6: "8citations"}, [(6, 6, "8")], id="PRO-002"),
    pytest.param("PRO-003", {7: "Novelty101%"}, [(7, 7, "101")], id="PRO-003-novelty"),
    pytest.param("PRO-003", {8: "AI Score101"}, [(8, 8, "101")], id="PRO-003-score"),
    pytest.param("PRO-003", {7: "Novelty101%", 8: "AI Score101"}, [(7, 7, "101"), (8, 8, "101")], id="PRO-003-both"),
    pytest.param("PRO-004", {1: ""}, [(1, 1, None)], id="PRO-004"),
    pytest.param("PRO-005", {3: "XX"}, [(3, 3, "XX")], id="PRO-005"),
    pytest.param("BLK-001", {13: "\u200b"}, [(12, 17, "CLFeb 29, 2024Code")], id="BLK-001"),
    pytest.param("BLK-002", {22: "They ring the bells."}, [(19, 24, "CLApr 2, 2024")], id="BLK-002"),
    pytest.param("BLK-003", {12: "CLFeb 29, 2023"}, [(12, 17, "CLFeb 29, 2023")], id="BLK-003"),
    pytest.param("BLK-004", {17: f"{LONG}x"}, [(12, 17, "CLFeb 29, 2024Code")], id="BLK-004"),
    pytest.param("PAP-001", {17: ""}, [(12, 15, "On Bells")], id="PAP-001"),
    pytest.param("PAP-002", {24: "They chime and "}, [(24, 24, "They chime and ")], id="PAP-002"),
    pytest.param("PAP-002", {31: "They chime.\nAnd"}, [(32, 32, "They chime.\nAnd")], id="PAP-002-second-line"),
    pytest.param(
        "PAP-004",
        {12: "CLFeb 28", 19: "CLApr 2", 26: "CLDec 31"},
        [(12, 12, "On Bells"), (19, 19, "On Bells"), (26, 26, "On Chimes")],
        id="PAP-004",
    ),
    pytest.param("PAP-006", {26: "ZZDec 31, 2025"}, [(26, 26, "ZZ")], id="PAP-006-unknown"),
    pytest.param("PAP-006", {26: "STDec 31, 2025"}, [(26, 26, "ST")], id="PAP-006-ambiguous"),
    pytest.param("PAP-008", {22: "Ann Bell et al."}, [(13, 13, "On Bells"), (20, 20, "On Bells")], id="PAP-008"),
    pytest.param("PAP-009", {13: "On"}, [(13, 13, "On")], id="PAP-009"),
    pytest.param("PAP-010", {24: "They chime."}, [(24, 24, "They chime.")], id="PAP-010"),
    pytest.param("PAP-011", {24: "They chime $2\\times a day."}, [(24, 24, "On Bells")], id="PAP-011-dollar"),
    pytest.param("PAP-011", {24: "They \\emph{chime at noon."}, [(24, 24, "On Bells")], id="PAP-011-brace"),
    pytest.param("PAP-013", {26: "CLDec 31, 1989"}, [(26, 26, "1989-12-31")], id="PAP-013"),
    pytest.param("PAP-014", {20: "On \u202eBells"}, [(20, 20, "U+202E")], id="PAP-014-title"),
    pytest.param("PAP-014", {24: "They chime \x00 at twelve."}, [(24, 24, "U+0000")], id="PAP-014-abstract"),
    pytest.param("AUT-006", {29: "Ann Bell, Plato"}, [(29, 29, "Plato")], id="AUT-006"),
    pytest.param("AUT-007", {29: "Ann Bell, The Bell Team"}, [(29, 29, "The Bell Team")], id="AUT-007"),
    pytest.param("LNK-001", {24: "They chime at ftp://a.org."}, [(24, 24, "ftp://a.org")], id="LNK-001"),
    pytest.param("LNK-002", {24: "They chime at http://localhost/."}, [(24, 24, "http://localhost/")], id="LNK-002"),
    pytest.param("AUT-003", {15: "Ann Bell, Cy Dole, Cý Dole"}, [(15, 15, "Cy Dole")], id="AUT-003"),
    pytest.param("AUT-004", {29: "Eve Fox"}, [(29, 29, "Ann Bell")], id="AUT-004"),
]
FACTS = [
    pytest.param("PAP-003", {26: "CLDec 31"}, 1, 3, id="PAP-003"),
    pytest.param("PAP-005", {26: "CVDec 31, 2025"}, 1, 3, id="PAP-005"),
    pytest.param("AUT-001", {29: "Ann Béll"}, 1, 4, id="AUT-001"),
    pytest.param("AUT-002", {22: "Eve Fox, C. Dole et al."}, 1, 6, id="AUT-002"),
]
ELSEWHERE = ["PAP-007", "PAP-012", "PAG-009", "AUT-005"]
"""Rules that one page alone cannot break."""

Place = tuple[int | None, int | None, str | None]


def page(changes: dict[int, str]) -> str:
    """The sound page with other text on some lines, by their numbers."""
    return "\n".join(changes.get(number, line) for number, line in enumerate(SOUND.split("\n"), start=1))


def places(tables: Frames, rule_id: str) -> list[Place]:
    findings = tables["findings"].filter(pl.col("rule_id") == rule_id)
    return sorted(findings.select("line_start", "line_end", "value").rows(), key=str)


def result(tables: Frames, rule_id: str) -> dict[str, Any]:
    return tables["rules"].filter(pl.col("rule_id") == rule_id).row(0, named=True)


@pytest.fixture(scope="module")
def sound() -> Frames:
    return tables_of(page({}))


def test_every_rule_is_tried() -> None:
    assert {case.values[0] for case in (*WARNINGS, *FACTS)} | set(ELSEWHERE) == {*TOLD, *COUNTED}


@pytest.mark.parametrize("rule_id", [*TOLD, *COUNTED])
def test_a_page_at_the_bound_breaks_no_rule(sound: Frames, rule_id: str) -> None:
    assert places(sound, rule_id) == []
    assert (result(sound, rule_id)["failed"], result(sound, rule_id)["status"]) == (0, "passed")


@pytest.mark.parametrize(("rule_id", "changes", "expected"), WARNINGS)
def test_a_broken_rule_is_found_where_it_is_broken(
    rule_id: str, changes: dict[int, str], expected: list[Place]
) -> None:
    tables = tables_of(page(changes))
    assert places(tables, rule_id) == expected
    assert (result(tables, rule_id)["failed"], result(tables, rule_id)["status"]) == (len(expected), "warned")


@pytest.mark.parametrize(("rule_id", "changes", "failed", "checked"), FACTS)
def test_a_fact_is_counted_and_not_found(rule_id: str, changes: dict[int, str], failed: int, checked: int) -> None:
    tables = tables_of(page(changes))
    told = result(tables, rule_id)
    assert (told["failed"], told["checked"], told["status"]) == (failed, checked, "noted")
    assert tables["findings"].is_empty()


def test_a_line_of_one_mebibyte_is_not_too_long() -> None:
    assert tables_of(page({17: LONG[1:] + "."}))["findings"].is_empty()


def test_a_block_that_breaks_several_rules_is_told_under_each() -> None:
    tables = tables_of(page({12: "CLFeb 30, 2024", 15: "They ring the bells."}))
    assert tables["quarantine"]["rule_ids"].to_list() == ['["BLK-002", "BLK-003"]']
    assert places(tables, "BLK-002") == places(tables, "BLK-003") == [(12, 17, "CLFeb 30, 2024")]


def test_pages_that_print_other_years_are_told_of_the_one_that_was_not_believed() -> None:
    older, newer = page({}), page({12: "CLFeb 29, 2028"})
    tables = tables_of(older, newer, observed_on=(date(2025, 1, 1), date(2028, 6, 1)))
    assert places(tables, "PAP-007") == [(12, 12, "2024-02-29")]
    assert tables["findings"].filter(rule_id="PAP-007").select("source", "table_name").rows() == [
        ("p0.txt", "variants")
    ]


def test_pages_that_print_the_same_year_are_not_told() -> None:
    assert places(tables_of(page({}), OWNER), "PAP-007") == []


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        pytest.param(Overrides(same=(("Ann Bell", "Nobody"),), source="names.toml"), "Nobody", id="no-such-spelling"),
        pytest.param(Overrides(different=(("Cy Dole", "Cy Dole"),), source="names.toml"), "Cy Dole", id="one-spelling"),
    ],
)
def test_an_override_without_effect_is_told_with_its_file(overrides: Overrides, name: str) -> None:
    tables = tables_of(page({}), overrides=overrides)
    assert places(tables, "AUT-005") == [(None, None, name)]
    assert tables["findings"].select("source", "profile_id").rows() == [("names.toml", None)]


def test_an_override_with_effect_is_not_told() -> None:
    overrides = Overrides(same=(("Ann Bell", "Eve Fox"),), source="names.toml")
    tables = tables_of(page({}), overrides=overrides)
    assert places(tables, "AUT-005") == []
    assert result(tables, "AUT-005")["checked"] == 2


def test_rules_say_how_much_was_looked_at(sound: Frames) -> None:
    checked = dict(sound["rules"].select("rule_id", "checked").iter_rows())
    assert {checked[rule_id] for rule_id in ("PAG-001", "PAG-002", "PAG-003", "PRO-001", "PRO-004")} == {1}
    assert {checked[rule_id] for rule_id in ("PAG-004", "BLK-001", "PAP-001", "PAP-005", "AUT-003")} == {3}
    assert checked["PRO-003"] == 2
    assert checked["AUT-004"] == 2  # the cut byline is not looked at
    assert checked["TAB-001"] == sum(frame.height for name, frame in sound.items() if name not in ("rules", "findings"))


@pytest.mark.parametrize(
    ("rule_id", "changes"),
    [
        pytest.param("PAG-005", {7: "stars", 9: "moons"}, id="PAG-005"),
        pytest.param(
            "AUT-002", {15: "A. B. Bell, A. C. Bell, A. D. Bell", 22: "Al Bell, Amy Bell, Ada Bell"}, id="AUT-002"
        ),
    ],
)
def test_no_more_break_a_rule_than_were_looked_at(rule_id: str, changes: dict[int, str]) -> None:
    told = result(tables_of(page(changes)), rule_id)
    assert 0 < told["failed"] <= told["checked"]


def test_a_finding_is_known_by_its_rule_and_row_whatever_else_is_found() -> None:
    alone, among = tables_of(page({17: ""})), tables_of(page({17: "", 7: "stars"}))
    assert (alone["findings"].height, among["findings"].height) == (1, 2)
    assert set(alone["findings"]["finding_id"]) < set(among["findings"]["finding_id"])


def test_a_date_after_the_pages_is_told() -> None:
    assert places(tables_of(page({}), observed_on=date(2025, 12, 30)), "PAP-012") == [(26, 26, "CLDec 31, 2025")]
    assert places(tables_of(page({}), observed_on=date(2025, 12, 31)), "PAP-012") == []


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        pytest.param("\n<!doctype html>\n<p>Ann Bell</p>", 2, "it looks like HTML", id="html"),
        pytest.param(SOUND.replace("\n\n", "\n"), 1, "its blank lines are gone", id="no-blank-lines"),
        pytest.param(SOUND[: SOUND.index("CLFeb")], 1, "it states papers but lists none", id="loading"),
    ],
)
def test_a_page_that_was_saved_in_another_way_gets_a_hint(text: str, line: int, hint: str) -> None:
    tables = tables_of(text)
    assert places(tables, "PAG-009") == [(line, line, "p0.txt")]
    (message,) = tables["findings"].filter(rule_id="PAG-009")["message"]
    assert message.startswith(f"the page cannot be read as it is: {hint}")


@pytest.mark.parametrize(
    "abstract",
    [r"They chime 2\$ a day.", r"They chime $2\times$ a day.", r"They cost $5 a day.", r"They chime \{ a day."],
)
def test_dollars_and_braces_that_are_text_or_paired_are_not_told(abstract: str) -> None:
    assert places(tables_of(page({24: abstract})), "PAP-011") == []
