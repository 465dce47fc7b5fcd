"""A badge's code becomes a category: by itself, through an alias, by evidence of its page and words, or not at all."""

import random
from collections import Counter
from datetime import date

import polars as pl
import pytest
from invented import block, page, resolved_of

from etl.extract.taxonomy import field_codes, taxonomy
from etl.resolve.categories import SURE, archives_of, candidates, resolve_categories, resolve_code, votes

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
TEXTS = {
    "CV": ("cs.CV", "Image segmentation with convolutional networks, trained on images of video and object detection."),
    "LO": ("math.LO", "Large cardinals and forcing: a model of set theory with a countable Borel ultrafilter."),
    "GR": (
        "math.GR",
        "Finite groups whose subgroups are normal: on nilpotent groups and automorphisms of free groups.",
    ),
    "SI": (
        "nlin.SI",
        "Integrable hierarchies, soliton solutions, Lax pairs and the Painlevé equations with Hamiltonian structure.",
    ),
    "ST": (
        "math.ST",
        "Minimax rates of convergence of estimators: asymptotic normality of a nonparametric regression estimator.",
    ),
    "PR": (
        "math.PR",
        "Brownian motion and random walks: almost sure convergence of a stochastic process in random environment.",
    ),
    "AP": (
        "stat.AP",
        "We analyse survey data of patients with a Bayesian model, and apply it to health data of several years.",
    ),
}
"""Invented abstracts whose words tell of which of a code's categories they are."""


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
    assert resolve_code(code, Counter()) == (category, "alias", None)


@pytest.mark.parametrize("code", ["TH", "SY", "NA", "IT"])
def test_a_page_full_of_an_aliass_archive_does_not_bring_it_back(code: str) -> None:
    archives = Counter({category.partition(".")[0]: 9 for category in AMBIGUOUS[code].split()})
    assert resolve_code(code, archives) == (ALIASES[code], "alias", None)


def test_no_code_stands_for_an_alias() -> None:
    named = {category for code in field_codes() for category in candidates(code)[0]}
    assert [category for category in sorted(named) if taxonomy()[category].alias_of] == []


@pytest.mark.parametrize(("code", "category"), ON_ITS_PAGE)
def test_a_page_full_of_an_archive_decides_between_categories(code: str, category: str) -> None:
    found, how, confidence = resolve_code(code, Counter({taxonomy()[category].archive: 99, "hep-th": 9}))
    assert (found, how) == (category, "evidence")
    assert confidence is not None
    assert confidence >= SURE


@pytest.mark.parametrize("code", UNSURE)
def test_nothing_but_the_code_decides_nothing(code: str) -> None:
    share = round(1 / len(UNSURE[code]), 3)
    assert resolve_code(code, Counter()) == (None, "unresolved", share)
    assert resolve_code(code, Counter({"hep-th": 9})) == (None, "unresolved", share)


@pytest.mark.parametrize("code", TEXTS)
def test_words_decide_where_the_page_says_nothing(code: str) -> None:
    category, text = TEXTS[code]
    found, how, _ = resolve_code(code, Counter(), text)
    assert (found, how) == (category, "evidence")


def test_page_and_words_are_weighed_together() -> None:
    _, text = TEXTS["LO"]
    alone = votes("LO", {}, text, None)[0]
    against = next(vote for vote in votes("LO", {"cs": 30}, text, None) if vote.category_id == alone.category_id)
    assert against.confidence < alone.confidence
    assert against.badges == 0
    assert next(iter(alone.words)) in {"cardinals", "forcing", "countable", "borel", "ultrafilter", "theory"}


def test_a_category_has_no_paper_before_its_first() -> None:
    (first, second) = votes("SP", {"eess": 9}, None, date(2001, 1, 1))
    assert (first.category_id, first.confidence, second.confidence) == ("math.SP", 1.0, 0.0)
    assert votes("SP", {"eess": 9}, None, date(2024, 1, 1))[0].category_id == "eess.SP"


def test_a_confidence_below_the_limit_leaves_the_category_open() -> None:
    below, above = ({"math": count, "cs": 1} for count in (12, 14))
    assert resolve_code("CV", below) == (None, "unresolved", 0.893)
    assert resolve_code("CV", above) == ("math.CV", "evidence", 0.906)


@pytest.mark.parametrize("seed", range(5))
def test_the_confidence_is_the_same_to_the_last_digit_whatever_the_order(seed: int) -> None:
    words = " ".join(text for _, text in TEXTS.values()).split()
    whole = {code: votes(code, {"math": 2, "cs": 1}, " ".join(words), None) for code in UNSURE}
    random.Random(seed).shuffle(words)  # noqa: S311  it must repeat itself
    badges = {"cs": 1, "math": 2} if seed % 2 else {"math": 2, "cs": 1}
    assert {code: votes(code, badges, " ".join(words), None) for code in UNSURE} == whole


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
        ("cs.CV", "cs.CV"),
        ("math.CV", "math.CV"),
    ],
)
def test_a_code_of_one_category_needs_no_page(code: str, category: str) -> None:
    assert resolve_code(code, Counter(math=9)) == (category, "unique", None)


@pytest.mark.parametrize("code", ["XX", "cl", "MED-PH", "cs", "math", ""])
def test_an_unknown_code_has_no_category(code: str) -> None:
    assert resolve_code(code, Counter(cs=9)) == (None, "unresolved", None)


def test_only_badges_of_one_category_tell_a_pages_archive() -> None:
    codes = {"CV": 9, "XX": 9, "AG": 2, "NA": 1, "cmp-lg": 4}
    assert archives_of(codes.items()) == Counter(cs=4, math=3)


def test_every_page_decides_for_itself() -> None:
    rows = [
        ("p", 1, "CV"),
        *(("p", place, "AG") for place in range(2, 30)),
        ("q", 1, "CV"),
        *(("q", n, "CL") for n in range(2, 30)),
    ]
    listings = pl.DataFrame(
        [(page, position, code, "On it", TEXTS["CV"][1] if page == "q" else "", None) for page, position, code in rows],
        schema={
            "profile_id": pl.String,
            "position": pl.Int64,
            "code": pl.String,
            "title": pl.String,
            "abstract": pl.String,
            "published": pl.Date,
        },
        orient="row",
    )
    found = resolve_categories(listings).filter(position=1).select("profile_id", "category_id", "category_resolution")
    assert sorted(found.rows()) == [("p", "math.CV", "evidence"), ("q", "cs.CV", "evidence")]


def test_listings_tell_how_their_category_was_found_and_only_used_categories_are_kept() -> None:
    badges = [f"AGMay {day}, 2024" for day in range(1, 20)]
    badges += ["CVMay 20, 2024", "med-phMay 21, 2024", "THMay 22, 2024", "XXMay 23, 2024"]
    texts = [
        block("Ann Bell", badge, abstract="Holomorphic functions of several complex variables.") for badge in badges
    ]
    tables = resolved_of(page("Ann Bell", *texts, field="SP"))
    assert tables["listings"]["category_resolution"].to_list()[-5:] == [
        *("unique", "evidence", "unique", "alias", "unresolved")
    ]
    assert tables["listings"]["category_confidence"].to_list()[-5:] == [None, 1.0, None, None, None]
    assert tables["profiles"].select("field", "category_id").rows() == [("SP", "math.SP")]
    assert tables["categories"].select("category_id", "badge_code", "archive").rows() == [
        ("econ.TH", "TH", "econ"),
        ("math.AG", "AG", "math"),
        ("math.CV", "CV", "math"),
        ("math.SP", "SP", "math"),
        ("physics.med-ph", "med-ph", "physics"),
    ]
    assert tables["papers"]["category_id"].null_count() == 1
    assert tables["paper_categories"].select("is_primary", "source").unique().rows() == [(True, "badge")]


def test_a_paper_takes_the_category_of_its_surest_listing() -> None:
    listed = block("Ann Bell, Cy Dole", "CVMay 1, 2024", abstract="It is so.")
    sure = [block("Cy Dole", f"AGMay {day}, 2024", title=f"On {day}") for day in range(1, 28)]
    tables = resolved_of(page("Ann Bell", listed), page("Cy Dole", listed, *sure))
    paper = tables["papers"].filter(title="On Bells")
    assert paper["category_id"].to_list() == ["math.CV"]


def test_the_field_does_not_count_among_the_badges() -> None:
    tables = resolved_of(page("Ann Bell", block("Ann Bell", "XXMay 1, 2024"), field="CV"))
    assert tables["profiles"]["category_id"].to_list() == [None]
