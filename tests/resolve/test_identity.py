"""Who and what is one, and what must stay apart, in tables of cases: papers by their titles, people by their bylines."""

from datetime import date
from itertools import permutations

import pytest
from helpers import rebuilt, tables_of
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import block, page, resolved_of

from etl.resolve.folding import fold_title
from etl.resolve.overrides import Overrides, PaperOverride, PersonOverride
from etl.resolve.papers import author_key, paper_id, work_key
from schemas import Frames

SAME_TITLE = [
    ("GPT-4 in Towers", "GPT\u20104 in Towers"),
    ("GPT-4 in Towers", "GPT\u20114 in Towers"),
    ("GPT-4 in Towers", "GPT–4 in Towers"),
    ("GPT-4 in Towers", "gpt−4 IN TOWERS."),
    ("Bells: 'why' they \"ring\"", "Bells: ‘why’ they “ring”"),
    ("Don't ring", "Don’t ring"),
    ("$K^+$ in Bells", "K⁺ in Bells"),
    ("$K^-$ in Bells", "K⁻ in Bells"),
    ("$K^{-}$ in Bells", "$K^-$ in Bells"),
    ("$x^{-1}$ and so on", "x⁻¹ and so on"),
    ("H$_2$O Bells", "H₂O Bells"),
    (r"\textit{Bells} in $\mathbb{R}^n$", "Bells in R^n"),
    ('M\\"obius Bells', "Möbius bells"),
    ("A C++ Bell", "a c++ bell"),
    ("Bells * and + Towers", "Bells and Towers"),
]
OTHER_TITLE = [
    ("A C++ Bell", "A C# Bell"),
    ("A C++ Bell", "A C Bell"),
    ("$K^+$ in Bells", "$K^-$ in Bells"),
    ("$K^+$ in Bells", "$K$ in Bells"),
    ("$x^{-1}$ Bells", "$x^1$ Bells"),
    ("On Bells, Part I", "On Bells, Part II"),
    ("On Bells 1", "On Bells 2"),
    ("がの鐘", "かの鐘"),
    ("A* Search of Bells", "A Search of Bells"),
    ("GPT4 in Towers", "GPT-4 in Towers"),
]
APART = [
    pytest.param(("Bing Li", "Lexin Li"), id="two people of one family name"),
    pytest.param(("The Tower Collaboration", "Bell Collaboration"), id="two collaborations"),
    pytest.param(("Ann Bell", "Ann Fox"), id="two family names"),
]
TOGETHER = [
    pytest.param(("Ann Bell", "A. Bell"), id="an initial"),
    pytest.param(("Cy Dole, Jr.", "Cy Dole"), id="a suffix"),
    pytest.param(("The Tower Collaboration", "Tower Collaboration"), id="an article of a group"),
    pytest.param(("Ann B. Bell", "Ann Béll"), id="middle names and marks"),
]
SHARED = "Cy Dole"
ONE_PERSON = [
    pytest.param("Ann Bell", "Ann B. Bell", id="a middle name"),
    pytest.param("Ann B. Bell", "Ann Beth Bell", id="a middle name's initial"),
    pytest.param("Inês Böll", "INES BOLL", id="marks and case"),
    pytest.param("Min-Soo Joy", "Min Soo Joy", id="a hyphen"),
    pytest.param("Min-Soo Joy", "Minsoo Joy", id="a hyphen less"),
    pytest.param("Maria Garcia Lopez", "Maria Garcia-Lopez", id="a moved border"),
]
TWO_PEOPLE = [
    pytest.param("Ann Bell", "Anna Bell", id="another given name"),
    pytest.param("Ann B. Bell", "Ann C. Bell", id="another middle name"),
    pytest.param("A. Bell", "Ann Bell", id="a bare initial"),
    pytest.param("Jan De Smet", "Jan DeSmet", id="a space in the family name"),
    pytest.param("E. D. Bell", "Ed Bell", id="initials are no name"),
    pytest.param("Tower Team", "The Tower Teams", id="two groups"),
]


@pytest.mark.parametrize(("title", "other"), SAME_TITLE)
def test_titles_of_other_spelling_habits_are_one(title: str, other: str) -> None:
    assert work_key(title, "Ann Bell") == work_key(other, "Ann Bell")


@pytest.mark.parametrize(("title", "other"), OTHER_TITLE)
def test_titles_that_say_something_else_stay_apart(title: str, other: str) -> None:
    assert work_key(title, "Ann Bell") != work_key(other, "Ann Bell")
    tables = resolved_of(page("Ann Bell", block("Ann Bell", title=title), block("Ann Bell", title=other)))
    assert tables["papers"].height == 2


@pytest.mark.parametrize("names", APART)
def test_first_authors_who_are_others_make_other_papers(names: tuple[str, str]) -> None:
    assert len(set(map(author_key, names))) == 2


@pytest.mark.parametrize("names", TOGETHER)
def test_first_authors_of_other_spelling_habits_make_one_paper(names: tuple[str, str]) -> None:
    assert len(set(map(author_key, names))) == 1


@settings(deadline=None, derandomize=True, database=None)
@given(st.text(max_size=40))
def test_folding_a_title_twice_changes_nothing(title: str) -> None:
    assert fold_title(fold_title(title)) == fold_title(title)


def test_two_yearly_editorials_of_one_page_stay_apart_and_one_identifier_leads_to_both() -> None:
    badges = ("CLMay 1, 2023", "CLMay 1, 2024")
    tables = tables_of(page("Ann Bell", *(block("Ann Bell", badge, title="Editorial") for badge in badges)))
    assert tables["papers"].height == 2
    alone = paper_id(work_key("Editorial", "Ann Bell"), 5, 1)
    assert tables["listings"]["alias_id"].to_list() == [alone, alone]
    assert tables["paper_candidates"]["matched_by"].to_list() == ["other_date"]


def test_one_abstract_under_two_titles_is_a_candidate() -> None:
    abstract = "They ring at every full hour, and nobody hears them but those who live next to the tower of the town."
    tables = tables_of(
        page(
            "Ann Bell",
            block("Ann Bell", title="On Bells", abstract=abstract),
            block("Ann Bell", title="On Ropes", abstract=abstract),
        )
    )
    assert tables["paper_candidates"]["matched_by"].to_list() == ["same_abstract"]
    (finding,) = tables["findings"].filter(rule_id="PAP-008").iter_rows(named=True)
    assert "have one abstract and first author" in finding["message"]


def test_two_listings_of_one_page_that_become_one_paper_are_told() -> None:
    tables = tables_of(page("Ann Bell", block("Ann Bell"), block("Ann Bell, Cy Dole", title="ON BELLS")))
    (finding,) = tables["findings"].filter(rule_id="PAP-015").iter_rows(named=True)
    assert (finding["line_start"], finding["value"]) == (15, "ON BELLS")


def test_an_abstract_wins_before_none_and_a_page_saved_last_before_others() -> None:
    bare = page("Ann Bell", block("Ann Bell", abstract=""))
    whole = page("Cy Dole", block("Ann Bell, Cy Dole", abstract="They ring."))
    tables = resolved_of(bare, whole, observed_on=[date(2026, 6, 1), date(2026, 1, 1)])
    assert tables["papers"]["abstract"].to_list() == ["They ring."]


def people(*bylines: str, owner: str = "Ida Karr") -> list[Frames]:
    """The tables of pages with one byline each, in every order of the pages."""
    texts = [page(f"{owner}", block(byline, title=f"On {number} Bells")) for number, byline in enumerate(bylines)]
    return [tables_of(*order) for order in permutations(texts)]


@pytest.mark.parametrize(("name", "other"), ONE_PERSON)
def test_with_a_shared_co_author_spellings_are_one_person_in_any_order_of_pages(name: str, other: str) -> None:
    for tables in people(f"{name}, {SHARED} et al.", f"{other}, {SHARED} et al."):
        ids = dict(tables["author_names"].select("name", "author_id").iter_rows())
        assert ids[name] == ids[other]


@pytest.mark.parametrize(("name", "other"), TWO_PEOPLE)
def test_no_evidence_makes_one_person_of_namesakes_in_any_order_of_pages(name: str, other: str) -> None:
    for tables in people(f"{name}, {SHARED} et al.", f"{other}, {SHARED} et al."):
        ids = dict(tables["author_names"].select("name", "author_id").iter_rows())
        assert ids[name] != ids[other]


def test_a_group_is_an_author_of_its_own_kind_and_no_evidence() -> None:
    tables = tables_of(
        page("Ida Karr", block("TOWER, :, Ann Bell et al.", title="A"), block("TOWER, Ann B. Bell et al.", title="B")),
        page("Gil Hart", block("The Bell Team, Gil Hart", title="C"), block("Bell team, Gil Hart", title="D")),
    )
    kinds = dict(tables["authors"].select("name", "kind").iter_rows())
    assert (kinds["TOWER"], kinds["The Bell Team"], kinds["Ann B. Bell"]) == ("group", "group", "person")
    assert tables["authors"].filter(kind="group").select("given", "family").rows() == [
        (None, "The Bell Team"),
        (None, "TOWER"),
    ]
    assert "Bell team" not in kinds


def test_groups_that_two_names_share_join_nobody() -> None:
    texts = [
        page(owner, block(f"{name}, Tower Team, {owner}", title=name))
        for owner, name in (("Eve Fox", "Ann Bell"), ("Gil Hart", "Ann B. Bell"))
    ]
    tables = tables_of(*texts)
    assert {"ann-bell", "ann-b-bell"} <= set(tables["authors"]["author_id"])
    assert tables["merge_candidates"]["matched_by"].to_list() == ["fuller_name"]


@pytest.mark.parametrize("spelling", ["Ann B. Bell", "Bell Ann", "A. Bell", "ANN BELL"])
def test_the_owner_under_another_spelling_of_the_own_page_is_one_author(spelling: str) -> None:
    text = page("Ann Bell", block(f"{spelling}, Cy Dole"))
    tables = tables_of(text)
    assert tables["paper_authors"].height == 2
    (author,) = tables["profiles"]["author_id"].to_list()
    assert tables["paper_authors"].filter(author_id=author)["position"].to_list() == [1]
    assert "AUT-004" not in tables["findings"]["rule_id"].to_list()
    assert rebuilt(tables) == {"p0.txt": text.encode()}


def test_an_initial_on_the_owners_page_is_the_owner_there_and_nobody_elsewhere() -> None:
    tables = tables_of(
        page("Ann Bell", block("A. Bell, Cy Dole", title="On Ropes")),
        page("Amy Bell", block("A. Bell, Eve Fox", title="On Towers")),
        page("Gil Hart", block("A. Bell, Gil Hart", title="On Bells")),
    )
    titles = tables["papers"].select("paper_id", "title")
    first = tables["paper_authors"].filter(position=1).join(titles, on="paper_id")
    assert dict(first.select("title", "author_id").iter_rows()) == {
        "On Ropes": "ann-bell",
        "On Towers": "amy-bell",
        "On Bells": "a-bell",
    }
    names = tables["author_names"].filter(name="A. Bell")["author_id"].to_list()
    assert sorted(names) == ["a-bell", "amy-bell", "ann-bell"]


def test_a_page_of_initials_is_the_one_full_name_of_its_bylines() -> None:
    tables = tables_of(
        page("A. Bell", block("Ann Bell, Cy Dole")), page("Gil Hart", block("A. Bell, Gil Hart", title="X"))
    )
    owner = dict(tables["profiles"].select("name", "author_id").iter_rows())
    assert owner == {"A. Bell": "ann-bell", "Gil Hart": "gil-hart"}
    assert "a-bell" in tables["authors"]["author_id"].to_list()


NAMESAKES = [
    page("Wei Li", block("Wei Li, Cy Dole", title="On Bells"), block("Wei Li, Cy Dole", title="On Ropes")),
    page("Eve Fox", block("Wei Li, Eve Fox", title="On Towers")),
]


def ids_of(tables: Frames) -> dict[str, str]:
    return dict(tables["papers"].select("title", "paper_id").iter_rows())


def author_of(tables: Frames, title: str) -> str:
    wanted = tables["papers"].filter(title=title)["paper_id"].item()
    return str(tables["paper_authors"].filter(paper_id=wanted, position=1)["author_id"].item())


def test_an_override_parts_two_people_of_one_spelling_by_their_papers_and_the_pages_come_back() -> None:
    towers = ids_of(tables_of(*NAMESAKES))["On Towers"]
    given = Overrides(
        persons=(PersonOverride("Wei Li", 1, "Wei Li (Tower Lab)", "Wei", "Li", (towers,)),), source="o.toml"
    )
    tables = tables_of(*NAMESAKES, overrides=given)
    assert author_of(tables, "On Towers") == "wei-li-tower-lab"
    assert author_of(tables, "On Bells") == author_of(tables, "On Ropes") == "wei-li"
    shown = tables["authors"].filter(author_id="wei-li-tower-lab").select("name", "given", "family")
    assert shown.rows() == [("Wei Li (Tower Lab)", "Wei", "Li")]
    names = tables["author_names"].filter(name="Wei Li").select("author_id", "matched_by").sort("author_id")
    assert names.rows() == [("wei-li", "exact"), ("wei-li-tower-lab", "override")]
    assert rebuilt(tables) == {f"p{number}.txt": text.encode() for number, text in enumerate(NAMESAKES)}
    assert "AUT-005" not in tables["findings"]["rule_id"].to_list()


def test_a_parted_owner_owns_the_page_that_lists_the_papers() -> None:
    bells = ids_of(tables_of(*NAMESAKES))["On Bells"]
    given = Overrides(persons=(PersonOverride("Wei Li", 1, "Wei Li (Bells)", papers=(bells,)),), source="o.toml")
    tables = tables_of(*NAMESAKES, overrides=given)
    owners = dict(tables["profiles"].select("name", "author_id").iter_rows())
    assert owners["Wei Li"] == "wei-li-bells"


def test_an_override_without_papers_renames_a_person_everywhere() -> None:
    given = Overrides(persons=(PersonOverride("Wei Li", 1, "Wei Anne Li-Fox", None, "Li-Fox"),), source="o.toml")
    tables = tables_of(*NAMESAKES, overrides=given)
    assert {author_of(tables, title) for title in ("On Towers", "On Bells")} == {"wei-anne-li-fox"}
    renamed = tables["authors"].filter(author_id="wei-anne-li-fox").select("name", "given", "family", "spelling_count")
    assert renamed.rows() == [("Wei Anne Li-Fox", "Wei Anne", "Li-Fox", 1)]
    assert rebuilt(tables) == {f"p{number}.txt": text.encode() for number, text in enumerate(NAMESAKES)}


def test_an_override_joins_papers_and_each_old_identifier_leads_to_the_one() -> None:
    ids = ids_of(tables_of(*NAMESAKES))
    both = (ids["On Bells"], ids["On Ropes"])
    given = Overrides(papers=(PaperOverride(1, both),), source="o.toml")
    tables = tables_of(*NAMESAKES, overrides=given)
    assert sorted(tables["papers"]["paper_id"]) == sorted([min(both), ids["On Towers"]])
    assert max(both) in tables["listings"]["alias_id"].to_list()
    assert "PAP-015" not in tables["findings"]["rule_id"].to_list()
    assert rebuilt(tables) == {f"p{number}.txt": text.encode() for number, text in enumerate(NAMESAKES)}


def test_an_override_corrects_category_and_day() -> None:
    bells = ids_of(tables_of(*NAMESAKES))["On Bells"]
    entry = PaperOverride(1, paper_id=bells, category_id="math.CO", published=date(2019, 5, 1))
    tables = tables_of(*NAMESAKES, overrides=Overrides(papers=(entry,), source="o.toml"))
    paper = tables["papers"].filter(paper_id=bells)
    assert paper.select("category_id", "published", "year_inferred").rows() == [("math.CO", date(2019, 5, 1), False)]
    assert tables["listings"].filter(paper_id=bells)["category_resolution"].to_list() == ["override"]
    assert tables["variants"].select("field", "value").rows() == [("published", "2024-05-01")]
    assert rebuilt(tables) == {f"p{number}.txt": text.encode() for number, text in enumerate(NAMESAKES)}


def test_all_authors_are_counted_where_the_byline_is_not_cut() -> None:
    tables = tables_of(page("Ann Bell", block("Ann Bell, Cy Dole", title="A"), block("Cy Dole et al.", title="B")))
    counted = tables["papers"].sort("title").select("listed_author_count", "author_count")
    assert counted.rows() == [(2, 2), (1, None)]
    assert tables["paper_authors"]["source"].sort().to_list() == ["byline", "byline", "byline", "owner"]


def test_a_page_of_initials_that_are_a_full_name_lists_nobody_with_herself() -> None:
    tables = tables_of(
        page("A. Bell", block("Ann Bell, Cy Dole", title="On Bells"), block("A. Bell, Hal Ives", title="On Ropes")),
        page("Gil Hart", block("A. Bell, Gil Hart", title="On Towers")),
    )
    assert author_of(tables, "On Ropes") == author_of(tables, "On Bells") == "ann-bell"
    assert author_of(tables, "On Towers") == "a-bell"
    ropes = ids_of(tables)["On Ropes"]
    assert tables["paper_authors"].filter(paper_id=ropes)["author_id"].sort().to_list() == ["ann-bell", "hal-ives"]


def test_two_pages_of_one_person_that_print_her_in_two_ways_are_one_author() -> None:
    byline = block("Ann Bell, Cy Dole")
    for pages in permutations([page("A. Bell", byline), page("Ann B. Bell", byline)]):
        tables = tables_of(*pages)
        assert tables["profiles"]["author_id"].unique().to_list() == ["ann-b-bell"]
        assert tables["paper_authors"]["author_id"].sort().to_list() == ["ann-b-bell", "cy-dole"]


def test_one_fuller_name_with_and_without_marks_is_one_for_a_page_of_initials() -> None:
    tables = tables_of(page("A. Bell", block("Ann Bell, Cy Dole", title="X"), block("Ann Béll, Eve Fox", title="Y")))
    assert author_of(tables, "X") == author_of(tables, "Y") == tables["profiles"]["author_id"].item()


def test_two_owners_whose_bylines_print_one_shorter_name_stay_two_people_each_of_the_own_papers() -> None:
    tables = tables_of(
        page("Ann B. Bell", block("Ann Bell, Cy Dole", title="On Ropes")),
        page("Ann C. Bell", block("Ann Bell, Eve Fox", title="On Towers")),
    )
    assert author_of(tables, "On Ropes") == "ann-b-bell"
    assert author_of(tables, "On Towers") == "ann-c-bell"
    assert tables["paper_authors"].height == 4


def test_a_paper_on_two_pages_has_the_owner_once_whichever_page_gives_its_byline() -> None:
    byline = block("A. Bell, Cy Dole", title="On Ropes")
    for pages in permutations([page("Ann Bell", byline), page("Cy Dole", byline)]):
        tables = tables_of(*pages)
        assert tables["paper_authors"]["author_id"].sort().to_list() == ["ann-bell", "cy-dole"]


@pytest.mark.parametrize(("cut", "authors"), [("", 2), (", Cy Dole, et al.", 3)])
def test_words_in_another_order_are_the_owner_only_where_the_byline_is_whole(cut: str, authors: int) -> None:
    tables = tables_of(page("Wei Li", block(f"Li Wei{cut or ', Cy Dole'}")))
    assert tables["paper_authors"].height == authors


def test_a_colon_behind_the_owners_name_makes_the_owner_no_group() -> None:
    tables = tables_of(page("Ann Bell", block("Ann Bell: Cy Dole, Eve Fox")))
    assert tables["authors"].filter(author_id="ann-bell")["kind"].to_list() == ["person"]


def test_what_an_override_says_of_an_initial_holds_on_the_owners_page_too() -> None:
    text = page("Ann Bell", block("A. Bell, Cy Dole", title="X"))
    apart = tables_of(text, overrides=Overrides(different=(("A. Bell", "Ann Bell"),)))
    assert author_of(apart, "X") == "a-bell"
    renamed = tables_of(text, overrides=Overrides(persons=(PersonOverride("A. Bell", 1, "Amy Bell"),)))
    assert author_of(renamed, "X") == "amy-bell"


def test_a_parted_owner_is_recognised_under_another_spelling_and_in_all_papers_of_the_page() -> None:
    spellings = {"On Bells": "Wei Li", "On Ropes": "W. Li", "On Clocks": "Wéi Li"}
    texts = [
        page("Wei Li", *(block(f"{name}, Cy Dole", title=title) for title, name in spellings.items())),
        page("Eve Fox", block("Wei Li, Eve Fox", title="On Towers")),
    ]
    mine = ids_of(tables_of(*texts))["On Bells"]
    given = Overrides(persons=(PersonOverride("Wei Li", 1, "Wei Li (Bells)", papers=(mine,)),))
    tables = tables_of(*texts, overrides=given)
    assert {author_of(tables, title) for title in spellings} == {"wei-li-bells"}
    assert author_of(tables, "On Towers") == "wei-li"
    shown = tables["authors"].filter(author_id="wei-li-bells").select("name", "given", "family")
    assert shown.rows() == [("Wei Li (Bells)", "Wei", "Li")]


def test_entries_about_one_person_say_the_same_in_any_order() -> None:
    ids = ids_of(tables_of(*NAMESAKES))
    entries = [
        PersonOverride("Wei Li", 1, "Wei Li (Bells)", given="Wei Anne", papers=(ids["On Bells"],)),
        PersonOverride("Wei Li", 5, "Wei Li (Bells)", family="Li-Fox", papers=(ids["On Ropes"],)),
        PersonOverride("Wei Li", 9, family="Lee", papers=(ids["On Towers"],)),
    ]
    found = []
    for persons in permutations(entries):
        tables = tables_of(*NAMESAKES, overrides=Overrides(persons=persons))
        found.append(tables["authors"].sort("author_id").rows())
        bells = tables["authors"].filter(author_id="wei-li-bells").select("given", "family")
        assert bells.rows() == [("Wei Anne", "Li-Fox")]
    assert all(rows == found[0] for rows in found)


def test_papers_of_two_printed_years_that_an_override_joins_are_still_found_under_both_ids() -> None:
    badges = ("CLMay 1, 2023", "CLMay 1, 2024")
    text = page("Ann Bell", *(block("Ann Bell", badge, title="Editorial") for badge in badges))
    ids = sorted(tables_of(text)["papers"]["paper_id"])
    for written in ids:
        corrected = PaperOverride(2, paper_id=written, category_id="math.CO")
        tables = tables_of(
            text, overrides=Overrides(papers=(PaperOverride(1, same=tuple(ids)), corrected), source="o.toml")
        )
        assert tables["papers"].select("paper_id", "category_id").rows() == [(ids[0], "math.CO")]
        assert tables["findings"].filter(rule_id="AUT-005")["message"].to_list() == []
        assert ids[1] in tables["listings"]["alias_id"].to_list()


def test_a_note_in_brackets_that_names_a_group_makes_no_person_one() -> None:
    renamed = Overrides(persons=(PersonOverride("Ann Bell", 1, name_as="Ann Bell (Tower Lab)"),))
    tables = tables_of(page("Ann Bell", block("Ann Bell, The Bell Team")), overrides=renamed)
    assert tables["authors"].filter(kind="group")["name"].to_list() == ["The Bell Team"]
    assert tables["rules"].filter(rule_id="AUT-007")["failed"].to_list() == [1]


def test_an_identifier_that_two_papers_had_corrects_neither_and_is_told() -> None:
    badges = ("CLMay 1, 2023", "CLMay 1, 2024")
    text = page("Ann Bell", *(block("Ann Bell", badge, title="Editorial") for badge in badges))
    tables = tables_of(text)
    (alias,) = set(tables["listings"]["alias_id"])
    given = Overrides(papers=(PaperOverride(1, paper_id=alias, category_id="math.CO"),), source="o.toml")
    corrected = tables_of(text, overrides=given)
    assert corrected["papers"].equals(tables["papers"])
    (told,) = corrected["findings"].filter(rule_id="AUT-005")["message"].to_list()
    assert "several papers had this id" in told
