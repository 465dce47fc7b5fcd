"""A badge's code becomes a category: by itself, through an alias, by its page, by the prior, or not at all."""

from collections import Counter

import polars as pl
import pytest
from invented import block, page, resolved_of

from etl.resolve.categories import candidates, page_archives, resolve_categories, resolve_code
from etl.taxonomy import field_codes, taxonomy

AMBIGUOUS = {
    "AP": "math.AP stat.AP",
    "CG": "cs.CG nlin.CG",
    "CO": "astro-ph.CO math.CO stat.CO",
    "CV": "cs.CV math.CV",
    "DS": "cs.DS math.DS",
    "GN": "econ.GN math.GN q-bio.GN q-fin.GN",
    "GR": "cs.GR math.GR",
    "GT": "cs.GT math.GT",
    "IT": "cs.IT math.IT",
    "LO": "cs.LO math.LO",
    "NA": "cs.NA math.NA",
    "OT": "q-bio.OT stat.OT",
    "PR": "math.PR q-fin.PR",
    "SC": "cs.SC q-bio.SC",
    "SI": "cs.SI nlin.SI",
    "SP": "eess.SP math.SP",
    "ST": "math.ST q-fin.ST",
    "SY": "cs.SY eess.SY",
    "TH": "econ.TH stat.TH",
}
ALIASES = {
    "IT": "cs.IT",
    "NA": "math.NA",
    "SY": "eess.SY",
    "TH": "econ.TH",
    "EC": "econ.GN",
    "MP": "math-ph",
    "acc-phys": "physics.acc-ph",
    "adap-org": "nlin.AO",
    "alg-geom": "math.AG",
    "ao-sci": "physics.ao-ph",
    "atom-ph": "physics.atom-ph",
    "bayes-an": "physics.data-an",
    "chao-dyn": "nlin.CD",
    "chem-ph": "physics.chem-ph",
    "cmp-lg": "cs.CL",
    "comp-gas": "nlin.CG",
    "dg-ga": "math.DG",
    "funct-an": "math.FA",
    "mtrl-th": "cond-mat.mtrl-sci",
    "patt-sol": "nlin.PS",
    "plasm-ph": "physics.plasm-ph",
    "q-alg": "math.QA",
    "solv-int": "nlin.SI",
    "supr-con": "cond-mat.supr-con",
}
UNSURE = {code: named.split() for code, named in AMBIGUOUS.items() if code not in ALIASES}
ON_ITS_PAGE = [(code, category) for code, named in UNSURE.items() for category in named]


def test_the_taxonomy_has_all_categories() -> None:
    assert len(taxonomy()) == 176


def test_nineteen_active_suffixes_are_ambiguous() -> None:
    codes: dict[str, list[str]] = {}
    for category in taxonomy().values():
        if category.active:
            codes.setdefault(category.badge_code, []).append(category.category_id)
    assert {code: " ".join(named) for code, named in codes.items() if len(named) > 1} == AMBIGUOUS


@pytest.mark.parametrize(("code", "category"), ALIASES.items())
def test_an_alias_is_never_a_primary_category(code: str, category: str) -> None:
    assert resolve_code(code, Counter()) == (category, "alias")


@pytest.mark.parametrize("code", ["TH", "SY", "NA", "IT"])
def test_a_page_full_of_an_aliass_archive_does_not_bring_it_back(code: str) -> None:
    archives = Counter({category.partition(".")[0]: 9 for category in AMBIGUOUS[code].split()})
    assert resolve_code(code, archives) == (ALIASES[code], "alias")


def test_no_code_stands_for_an_alias() -> None:
    named = {category for code in field_codes() for category in candidates(code)[0]}
    assert [category for category in sorted(named) if taxonomy()[category].alias_of] == []


@pytest.mark.parametrize(("code", "category"), ON_ITS_PAGE)
def test_the_pages_archive_decides_between_categories(code: str, category: str) -> None:
    archives = Counter({taxonomy()[category].archive: 2, "hep-th": 9} | dict.fromkeys(_others(code, category), 1))
    assert resolve_code(code, archives) == (category, "page")


@pytest.mark.parametrize("code", UNSURE)
def test_without_a_telling_page_computer_science_is_likeliest_and_nothing_else_is(code: str) -> None:
    computing = f"cs.{code}" if f"cs.{code}" in UNSURE[code] else None
    expected = (computing, "prior") if computing else (None, "unresolved")
    assert resolve_code(code, Counter()) == expected
    assert resolve_code(code, Counter({"hep-th": 9})) == expected


@pytest.mark.parametrize("code", UNSURE)
def test_a_tie_goes_to_computer_science_and_to_nobody_else(code: str) -> None:
    archives = Counter(dict.fromkeys(_others(code, None), 3))
    computing = f"cs.{code}" if f"cs.{code}" in UNSURE[code] else None
    assert resolve_code(code, archives) == ((computing, "page") if computing else (None, "unresolved"))


def test_two_of_three_archives_that_tie_decide_nothing() -> None:
    assert resolve_code("CO", Counter({"math": 2, "stat": 2, "astro-ph": 1})) == (None, "unresolved")


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("CL", "cs.CL"),
        ("AS", "eess.AS"),
        ("med-ph", "physics.med-ph"),
        ("optics", "physics.optics"),
        ("mtrl-sci", "cond-mat.mtrl-sci"),
        ("quant-ph", "quant-ph"),
        ("hep-th", "hep-th"),
        ("gr-qc", "gr-qc"),
        ("math-ph", "math-ph"),
        ("astro-ph", "astro-ph"),
        ("cond-mat", "cond-mat"),
        ("q-bio", "q-bio"),
    ],
)
def test_a_code_of_one_category_needs_no_page(code: str, category: str) -> None:
    assert resolve_code(code, Counter(math=9)) == (category, "unique")


@pytest.mark.parametrize("code", ["XX", "cl", "MED-PH", "cs", "math", ""])
def test_an_unknown_code_has_no_category(code: str) -> None:
    assert resolve_code(code, Counter(cs=9)) == (None, "unresolved")


def test_only_badges_of_one_category_tell_a_pages_archive() -> None:
    assert page_archives({"CV": 9, "XX": 9, "AG": 2, "NA": 1, "cmp-lg": 4}) == Counter(cs=4, math=3)


def test_every_page_decides_for_itself() -> None:
    codes = pl.DataFrame(
        [("p", "CV", 1), ("p", "AG", 1), ("q", "CV", 1), ("q", "CL", 1), ("q", "CL", 1)],
        schema=["profile_id", "code", "weight"],
        orient="row",
    )
    assert sorted(resolve_categories(codes).rows()) == [
        ("p", "AG", "math.AG", "unique"),
        ("p", "CV", "math.CV", "page"),
        ("q", "CL", "cs.CL", "unique"),
        ("q", "CV", "cs.CV", "page"),
    ]


def test_listings_tell_how_their_category_was_found_and_only_used_categories_are_kept() -> None:
    badges = ("AGMay 1, 2024", "AGMay 2, 2024", "CVMay 3, 2024", "med-phMay 4, 2024", "THMay 5, 2024", "XXMay 6, 2024")
    tables = resolved_of(page("Ann Bell", *(block("Ann Bell", badge) for badge in badges), field="SP"))
    assert tables["listings"]["category_resolution"].to_list() == [
        *("unique", "unique", "page", "unique", "alias", "unresolved")
    ]
    assert tables["profiles"].select("field", "category_id").rows() == [("SP", "math.SP")]
    assert tables["categories"].select("category_id", "badge_code", "archive").rows() == [
        ("econ.TH", "TH", "econ"),
        ("math.AG", "AG", "math"),
        ("math.CV", "CV", "math"),
        ("math.SP", "SP", "math"),
        ("physics.med-ph", "med-ph", "physics"),
    ]
    assert tables["papers"]["category_id"].null_count() == 1


def test_the_field_does_not_count_among_the_badges() -> None:
    tables = resolved_of(page("Ann Bell", block("Ann Bell", "CVMay 1, 2024"), field="AG"))
    assert tables["papers"]["category_id"].to_list() == ["cs.CV"]
    assert tables["listings"]["category_resolution"].to_list() == ["prior"]


def _others(code: str, category: str | None) -> list[str]:
    """The archives of the code's other categories."""
    return [taxonomy()[other].archive for other in UNSURE[code] if other != category]
