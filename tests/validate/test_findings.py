"""Every rule of severity warning or info: a page that breaks it, where the finding points, and a page that does not."""

from datetime import date
from itertools import product
from typing import Any

import polars as pl
import pytest
from helpers import cpu_limit, tables_of

from etl.resolve.overrides import Overrides
from etl.validate.rule_results import row_key as row_key_of
from etl.validate.rules.text import find_entity, find_garbled
from schemas import RULES, TABLES, Frames
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

ALIKE = ", ".join(f"Fay {' '.join(middles)} Fox" for middles in product(("A.", "B.", "C."), repeat=5))
"""Names of one person or of many, each of which has middle names in common with most others."""
WARNINGS = [
    pytest.param("PAG-004", {11: "Advertisement"}, [(11, 11, "Advertisement")], id="PAG-004"),
    pytest.param("PAG-005", {7: "2.1k stars"}, [(7, 7, "2.1k stars")], id="PAG-005"),
    pytest.param("PAG-005", {7: "stars", 9: "moons"}, [(7, 7, "stars; moons")], id="PAG-005-twice"),
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
    pytest.param("BLK-001", {20: "* * *"}, [(19, 24, "CLApr 2, 2024")], id="BLK-001"),
    pytest.param("BLK-002", {22: "They ring the bells."}, [(19, 24, "CLApr 2, 2024")], id="BLK-002"),
    pytest.param("BLK-003", {12: "CLFeb 29, 2023"}, [(12, 17, "CLFeb 29, 2023")], id="BLK-003"),
    pytest.param("BLK-004", {17: f"{LONG}x"}, [(12, 17, "CLFeb 29, 2024Code")], id="BLK-004"),
    pytest.param(
        "BLK-005",
        {24: "Eve Fox, Cy Dole", 25: "\nThey chime at all hours of the day.\n"},
        [(19, 26, "CLApr 2, 2024")],
        id="BLK-005",
    ),
    pytest.param("PAP-001", {17: ""}, [(12, 15, "On Bells")], id="PAP-001"),
    pytest.param("PAP-002", {24: "They chime with and"}, [(24, 24, "They chime with and")], id="PAP-002"),
    pytest.param("PAP-002", {31: "They chime.\nAnd"}, [(32, 32, "They chime.\nAnd")], id="PAP-002-second-line"),
    pytest.param(
        "PAP-004",
        {12: "CLFeb 28", 19: "CLApr 2", 26: "CLDec 31"},
        [(12, 12, "On Bells"), (19, 19, "On Bells"), (26, 26, "On Chimes")],
        id="PAP-004",
    ),
    pytest.param("PAP-006", {26: "ZZDec 31, 2025"}, [(26, 26, "ZZ")], id="PAP-006-unknown"),
    pytest.param("PAP-006", {26: "STDec 31, 2025"}, [(26, 26, "ST")], id="PAP-006-ambiguous"),
    pytest.param("PAP-008", {22: "Ann Bell et al."}, [(20, 20, "other_date")], id="PAP-008"),
    pytest.param(
        "PAP-015",
        {19: "CLFeb 29, 2024", 22: "Ann Bell et al."},
        [(20, 20, "On Bells")],
        id="PAP-015",
    ),
    pytest.param("PAP-009", {13: "On"}, [(13, 13, "On")], id="PAP-009"),
    pytest.param("PAP-010", {24: "They chime."}, [(24, 24, "They chime.")], id="PAP-010"),
    pytest.param("PAP-011", {24: "They chime $2\\times a day."}, [(24, 24, "On Bells")], id="PAP-011-dollar"),
    pytest.param("PAP-011", {24: "They \\emph{chime at noon."}, [(24, 24, "On Bells")], id="PAP-011-brace"),
    pytest.param("PAP-013", {26: "CLDec 31, 1989"}, [(26, 26, "1989-12-31")], id="PAP-013"),
    pytest.param("PAP-014", {20: "On \u202eBells"}, [(20, 20, "U+202E")], id="PAP-014-title"),
    pytest.param("PAP-014", {24: "They chime \x00 at twelve."}, [(24, 24, "U+0000")], id="PAP-014-abstract"),
    pytest.param(
        "PAP-016", {20: r"On \sqrt[" * 30}, [(20, 20, "30 levels deep, expected at most 10")], id="PAP-016-title"
    ),
    pytest.param(
        "PAP-016",
        {24: "They chime " + r"\'{" * 11 + "e" + "}" * 11 + "."},
        [(24, 24, "11 levels deep, expected at most 10")],
        id="PAP-016-abstract",
    ),
    pytest.param(
        "PAP-016",
        {24: r"They \emph{chime} at noon. " * 250},
        [(24, 24, "6,749 letters long, expected at most 5,000")],
        id="PAP-016-long",
    ),
    pytest.param("AUT-006", {29: "Ann Bell, Gray, Ian"}, [(29, 29, "Gray, Ian")], id="AUT-006"),
    pytest.param("AUT-006", {29: "YY, Gray, Ann Bell"}, [(29, 29, "YY, Gray")], id="AUT-006-initials"),
    pytest.param(
        "AUT-008",
        {15: "Bell, Ann, Dole, Cy", 22: "Bell, Ann, Fox, Eve", 29: "Bell, Ann"},
        [(15, 15, "Bell, Ann")],
        id="AUT-008",
    ),
    pytest.param("PAG-011", {20: "On BÃ©lls", 31: "They â€œchimeâ€ all day."}, [(20, 20, "BÃ©lls")], id="PAG-011"),
    pytest.param("LNK-001", {24: "They chime at ftp://a.org."}, [(24, 24, "ftp://a.org")], id="LNK-001"),
    pytest.param("LNK-002", {24: "They chime at http://localhost/."}, [(24, 24, "http://localhost/")], id="LNK-002"),
    pytest.param("AUT-003", {15: "Ann Bell, Cy Dole, Cý Dole"}, [(15, 15, "Cy Dole")], id="AUT-003"),
    pytest.param("AUT-009", {29: f"Ann Bell, {ALIKE}"}, [(29, 29, "Fay A. A. A. A. A. Fox")], id="AUT-009"),
    pytest.param("AUT-004", {29: "Eve Fox"}, [(29, 29, "Ann Bell")], id="AUT-004"),
]
FACTS = [
    pytest.param("PAP-003", {26: "CLDec 31"}, 1, 3, id="PAP-003"),
    pytest.param("PAP-005", {26: "CVDec 31, 2025"}, 1, 3, id="PAP-005"),
    pytest.param("AUT-001", {29: "Ann Béll"}, 1, 4, id="AUT-001"),
    pytest.param("AUT-002", {22: "Eve Fox, C. Dole et al."}, 1, 4, id="AUT-002"),
    pytest.param("AUT-007", {29: "Ann Bell, The Bell Team"}, 1, 4, id="AUT-007"),
    pytest.param("PAG-016", {11: " "}, 1, 4, id="PAG-016"),
]
ELSEWHERE = [
    "PAP-012",
    "PAG-009",
    "PAG-012",
    "PAG-013",
    "PAG-014",
    "PAG-015",
    "AUT-005",
    "REF-001",
    "REF-002",
    "REF-003",
]
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


def test_a_block_that_breaks_several_rules_is_told_under_each() -> None:
    tables = tables_of(page({12: "CLFeb 30, 2024", 15: "They ring the bells."}))
    assert tables["quarantine"]["rule_ids"].to_list() == ['["BLK-002", "BLK-003"]']
    assert places(tables, "BLK-002") == places(tables, "BLK-003") == [(12, 17, "CLFeb 30, 2024")]


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


def test_a_page_of_which_most_papers_are_damaged_is_told_once() -> None:
    damaged = [f"CLFeb 30, 20{year}\nOn Bells\n\nAnn Bell\n\nThey ring." for year in (21, 22, 23)]
    tables = tables_of("\n\n".join([SOUND, *damaged]))
    assert places(tables, "PAG-009") == [(33, 33, "p0.txt")]
    (message,) = tables["findings"].filter(rule_id="PAG-009")["message"]
    assert message.startswith("3 of about 6 papers of this page could not be read")


@pytest.mark.parametrize(
    "abstract",
    [r"They chime 2\$ a day.", r"They chime $2\times$ a day.", r"They cost $5 a day.", r"They chime \{ a day."],
)
def test_dollars_and_braces_that_are_text_or_paired_are_not_told(abstract: str) -> None:
    assert places(tables_of(page({24: abstract})), "PAP-011") == []


@pytest.mark.parametrize(
    "end",
    [
        *(
            "They chime at noon",
            "They chime at NASA",
            "The chimes of 1984",
            "They chime (at noon)",
            "They chime at $\\pi$",
        ),
        *(
            "See https://a.example/bells",
            "See https://a.example/to/the",
            "See https://a.example/bells-",
            "See a.example/in",
        ),
        *(
            "They chime, ring, and so on",
            "They chime in a while",
            "bells that are hard to deal with",
            "They are plug-in",
        ),
        *("They chime in the algebra A", "made of e+ e-", "They chime ...", "They ring\u2026", 'They say "of"'),
    ],
)
def test_an_abstract_that_only_lacks_its_full_stop_is_whole(end: str) -> None:
    assert places(tables_of(page({24: f"They ring. {end}"})), "PAP-002") == []


@pytest.mark.parametrize(
    "end",
    [
        *(
            "They chime,",
            "They chime -",
            "They chime \u2014",
            "multi-",
            "They chime (",
            "They chime [",
            "They chime:",
            "chime \\",
        ),
        *("They chime with", "They chime in The", "OF THE", "They ring and", "They ring and/or", "They ring because"),
        *("They are state-of-the", "See https://a.example,", "They ring. A", "(the", "They are seen on our"),
    ],
)
def test_an_abstract_that_ends_within_a_sentence_is_cut(end: str) -> None:
    tables = tables_of(page({24: f"They chime all day. {end}"}))
    assert [place[:2] for place in places(tables, "PAP-002")] == [(24, 24)]


@pytest.mark.parametrize(
    "byline",
    [
        *("Ann Bell, Plato", "NVIDIA, Ann Bell", "Ann Bell, DeepSeek-AI, LM-Provers", "Ann Bell, The Bell Team, Plato"),
        *("Ann Bell, \u674e\u4f1f, \u738b\u82b3", "Plato, Ann Bell, Socrates", "Ann Bell, RIKEN, Japan"),
    ],
)
def test_single_names_and_groups_that_stand_alone_are_not_told(byline: str) -> None:
    assert places(tables_of(page({29: byline})), "AUT-006") == []


def test_people_of_one_name_each_are_not_told_on_a_page_of_such_people() -> None:
    tables = tables_of(page({1: "Plato", 15: "Plato, Solon", 22: "Plato, Hegel, Leibniz et al.", 29: "Plato, Thales"}))
    assert places(tables, "AUT-006") == places(tables, "AUT-008") == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({15: "Bell, A., Dole, C.", 22: "Bell, A., Fox, E.", 29: "Bell, A."}, id="initials"),
        pytest.param({15: "Bell, A. B., Dole, C.", 22: "Bell, A. B., Fox, E.", 29: "Bell, A. B."}, id="two-initials"),
        pytest.param({15: "Dole, Cy, Bell, Ann", 22: "van Fox, Eve, Bell et al.", 29: "Bell, Ann"}, id="cut"),
        pytest.param({1: "", 15: "Bell, A., Dole, C.", 22: "Bell, A., Fox, E.", 29: "Bell, A."}, id="no-owner"),
        pytest.param({15: "Bell, Ann, Bell, Cy", 22: "Bell, Ann, Fox, Eve", 29: "Bell, Ann"}, id="one-family"),
    ],
)
def test_family_names_that_stand_first_are_told_once_and_under_no_other_rule(changes: dict[int, str]) -> None:
    tables = tables_of(page(changes))
    assert [place[:2] for place in places(tables, "AUT-008")] == [(15, 15)]
    assert places(tables, "AUT-003") == places(tables, "AUT-004") == places(tables, "AUT-006") == []


def test_family_names_are_known_by_their_places_where_nothing_else_tells() -> None:
    bylines = {15: "Bell, Ann, Dole, Cy, Fox, Eve", 22: "Fox, Eve, Bell, Ann, Dole, Cy", 29: "Dole, Cy, Fox, Eve"}
    assert [place[:2] for place in places(tables_of(page({1: "", **bylines})), "AUT-008")] == [(15, 15)]
    mixed = {15: "Bell, Ann, Dole, Cy, Fox, Eve", 22: "Eve, Bell, Ann, Dole, Cy, Fox", 29: "Dole, Cy, Fox, Eve"}
    assert places(tables_of(page({1: "", **mixed})), "AUT-008") == []


def test_given_names_are_known_from_other_pages() -> None:
    one_byline = OWNER.replace("Cy Dole\n\nCL", "CL").replace("Ann Bell, Cy Dole et al.", "Dole, Cy, Bell, Ann")
    assert places(tables_of(one_byline), "AUT-008") == []
    assert places(tables_of(one_byline, page({})), "AUT-008") == [(4, 4, "Dole, Cy")]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({15: "Bells, Ann Dole", 22: "Bells, Ann Dole et al.", 29: "Bells, Ann Dole"}, id="group-first"),
        pytest.param({29: "Plato, Cy Dole"}, id="one-single-name"),
    ],
)
def test_single_names_before_full_ones_are_no_family_names(changes: dict[int, str]) -> None:
    assert places(tables_of(page(changes)), "AUT-008") == []


@pytest.mark.parametrize("byline", ["A. Bell", "Bell Ann", "A. B. Bell, Eve Fox", "Bell, Ann, Eve Fox"])
def test_an_owner_in_another_spelling_is_in_the_byline(byline: str) -> None:
    assert places(tables_of(page({29: byline})), "AUT-004") == []


@pytest.mark.parametrize(
    ("changes", "line", "value", "papers"),
    [
        pytest.param({1: "RenÃ©e Bell"}, 1, "RenÃ©e", 0, id="owner"),
        pytest.param({15: "Ann Bell, JosÃ© Dole", 24: "ChimesÂ\xa0ring."}, 15, "JosÃ©", 2, id="byline"),
        pytest.param({24: "They donâ€\x99t chime."}, 24, "donâ€\x99t", 1, id="quote"),
        pytest.param({24: "They donâ\x80\x99t chime."}, 24, "donâ\x80\x99t", 1, id="Latin-1"),
        pytest.param({24: "They chime at 5Â kHz."}, 24, "5Â", 1, id="space"),
        pytest.param({24: "A line.\nThey chime \U0001f514 ðŸ””."}, 25, "ðŸ””.", 1, id="emoji-second-line"),
        pytest.param({20: "On \ufffdlls"}, 20, "\ufffdlls", 1, id="lost"),
        pytest.param({20: "Bells &amp; Towers", 24: "Chimes &lt; 5."}, 20, "&amp;", 1, id="entity"),
        pytest.param({24: "They don&#39;t chime, don&#x27;t ring."}, 24, "don&#39;t", 1, id="number"),
    ],
)
def test_spoiled_text_is_told_once_a_page_with_its_first_line(
    changes: dict[int, str], line: int, value: str, papers: int
) -> None:
    tables = tables_of(page(changes))
    assert places(tables, "PAG-011") == [(line, line, value)]
    assert f"({papers} of 3 papers" in tables["findings"].filter(rule_id="PAG-011")["message"].item()


def test_an_abstract_that_is_spoiled_on_two_pages_is_told_on_both() -> None:
    spoiled = {24: "They donâ€\x99t chime."}
    tables = tables_of(page(spoiled), page({1: "Eve Fox", **spoiled}))
    assert tables["findings"].filter(rule_id="PAG-011")["profile_id"].n_unique() == 2


@pytest.mark.parametrize(
    "abstract",
    [
        *("Bells & towers.", "A&B; C&D; R&D; Q&A;", r"Bells \& towers; more.", "b&c; d", "&; &#; &bells;"),
        *("René said café.", "5 Å² and 5 Å–6 Å, 5 Å.", "“CAFÉ” – “déjà”… NÃO.", "The operator Â acts.", "Ærø, Îles, Ü"),
    ],
)
def test_sound_text_is_not_told(abstract: str) -> None:
    assert places(tables_of(page({24: f"They ring. {abstract}"})), "PAG-011") == []


@pytest.mark.parametrize("text", ["É–", "Ãa", "â", "&amp", "&a", "é", "Â ", "ðŸ"])
def test_hostile_text_is_searched_in_linear_time(text: str) -> None:
    with cpu_limit(2):
        assert find_garbled(text * 300_000) == find_entity(text * 300_000) is None


def test_a_field_of_several_categories_is_sound() -> None:
    assert places(tables_of(page({3: "ST"})), "PRO-005") == []


def test_a_day_without_a_year_may_be_a_few_days_after_the_page_was_saved() -> None:
    tables = tables_of(page({26: "CLDec 31"}), observed_on=date(2025, 12, 28))
    assert places(tables, "PAP-012") == []


@pytest.mark.parametrize(
    ("changes", "rule_id", "message"),
    [
        pytest.param(
            {26: "STDec 31, 2025"},
            "PAP-006",
            "the code ST is math.ST or q-fin.ST, and nothing on the page decides; the paper is left without a category",
            id="ambiguous",
        ),
        pytest.param(
            {26: "ZZDec 31, 2025"},
            "PAP-006",
            "arXiv has no category with the code ZZ; see whether the badge was saved as the site shows it",
            id="unknown",
        ),
        pytest.param(
            {24: r"They \emph{chime at noon."},
            "PAP-011",
            "the braces in the abstract of On Bells do not pair (1 open, 0 close), so that its TeX cannot be shown;"
            " correct it where the page has it from",
            id="brace",
        ),
        pytest.param(
            {6: "8citations"},
            "PRO-002",
            "8 citations with h-index 3; that index takes 3 times 3 citations at least, see which figure is wrong",
            id="citations",
        ),
    ],
)
def test_messages_say_what_was_found_and_what_to_do(changes: dict[int, str], rule_id: str, message: str) -> None:
    assert tables_of(page(changes))["findings"].filter(rule_id=rule_id)["message"].to_list() == [message]


@pytest.mark.parametrize(("rule_id", "changes", "expected"), WARNINGS)
def test_a_finding_leads_to_a_row_of_its_table(rule_id: str, changes: dict[int, str], expected: list[Place]) -> None:
    tables = tables_of(page(changes))
    for table, row_key in tables["findings"].select("table_name", "row_key").iter_rows():
        keys = tables[table].select(row_key_of(TABLES[table].definition().primary_key)).to_series()
        assert row_key in set(keys), (rule_id, table, row_key)
    assert expected


def test_of_two_spellings_of_one_person_in_a_byline_the_first_is_named_whatever_else_is_there() -> None:
    bylines = ("Cy Dole, Ann Bell, Cý Dole", "Cý Dole, Cy Dole, Ann Bell")
    blocks = (f"CLMay {number % 28 + 1}, 2024\nOn Bell {number}\n\n{bylines[number % 2]}\n" for number in range(400))
    tables = tables_of("Ann Bell\n\n" + "\n".join(blocks))
    found = tables["findings"].filter(rule_id="AUT-003").sort("line_start")["value"].to_list()
    assert found == ["Cy Dole", "Cý Dole"] * 200
