"""Rules about people: spellings that were joined or may be, implausible bylines, overrides without effect."""

from collections import Counter
from itertools import pairwise

import polars as pl

from etl.extract.byline import is_same_person
from etl.resolve.candidate_pairs import MOST_COMPARED
from etl.resolve.folding import fold
from etl.resolve.names import is_initial
from etl.validate.rule_results import (
    LISTING_KEY,
    PROFILE_KEY,
    RuleContext,
    RuleResult,
    at_line,
    rows_where,
    rule_result,
)
from etl.validate.rules.overrides import overrides_take_effect

ONE_NAME = r"^\p{Lu}[\p{Ll}\p{M}'\x{2019}]+(?:-\p{L}[\p{Ll}\p{M}'\x{2019}]*)*$"
"""A given name or a family name by itself; NVIDIA and DeepSeek-AI are none."""
INITIALS = r"^(?:\p{Lu}\p{M}*\.[ -]?){1,4}$|^\p{Lu}{1,2}$"
FAMILY = r"^(?:\p{Ll}[\p{Ll}'\x{2019}]{0,4} ){0,3}\p{Lu}[\p{L}\p{M}'\x{2019}-]+$"
"""A family name: one word, or one behind particles such as "van der"."""
GIVEN = r"^\p{Lu}[\p{L}\p{M}'\x{2019}-]*\.?(?:[ -]?\p{Lu}\.?){0,3}(?: \p{Lu}[\p{Ll}\p{M}'\x{2019}-]+)?$"
"""Given names: a name or an initial, perhaps with more initials, perhaps with a second name."""
HALF = 0.5
"""The share of a page from which on something is its habit."""
RECURRING_NAMES = 6
"""Recurring names, of three people, by whose places alone family names are recognised."""
FEW_BYLINES = 3
"""Bylines that show a page's habit; on a page with fewer, all must show it."""


def _person_has_one_spelling(context: RuleContext) -> RuleResult:
    """AUT-001: a spelling that was joined to another."""
    joined = context.tables["author_names"].filter(pl.col("evidence").is_not_null())
    return rule_result(
        "AUT-001",
        context.tables["author_names"].height,
        joined,
        ("name", "author_id"),
        value="name",
        message=pl.col("evidence"),
    )


def _person_is_one_author(context: RuleContext) -> RuleResult:
    """AUT-002: an author who may be another one, too."""
    pairs = context.tables["merge_candidates"]
    return rule_result(
        "AUT-002",
        context.tables["authors"].height,
        pairs.unique("author_id", keep="first", maintain_order=True),
        ("author_id", "other_id"),
        value="matched_by",
        message=pl.format(
            "{} and {} may be one person ({}); an overrides file can join them with same, or part them with different",
            "author_id",
            "other_id",
            "evidence",
        ),
    )


def _byline_names_once(context: RuleContext) -> RuleResult:
    """AUT-003: a byline that names one person twice."""
    twice = rows_where(context.listings, pl.col("author_ids").list.n_unique() < pl.col("author_ids").list.len())
    named = context.names_in(twice).drop_nulls("author_id")
    named = named.join(_pages_of_parted_names(context), on="profile_id", how="anti", maintain_order="left")
    doubled = named.filter(pl.struct(*LISTING_KEY, "author_id").is_duplicated()).sort(*LISTING_KEY, maintain_order=True)
    return rule_result(
        "AUT-003",
        context.listings.height,
        at_line(doubled.unique(LISTING_KEY, keep="first", maintain_order=True), "byline_line"),
        LISTING_KEY,
        value="name",
        message=pl.format(
            "the byline names {} twice and one author is counted; if they are two people of one name, write them apart",
            "name",
        ),
    )


def _owner_is_in_byline(context: RuleContext) -> RuleResult:
    """AUT-004: a byline that is not cut and has no name that may be the page's owner's."""
    owners = context.tables["profiles"].select("profile_id", owner_id="author_id", owner="name").drop_nulls()
    whole = context.listings.select("profile_id", "author_ids", is_uncut=~pl.col("truncated"))
    owned = whole.join(owners, on="profile_id", how="left", maintain_order="left").select(
        pl.col("is_uncut") & pl.col("owner_id").is_not_null(),
        is_lacking=~pl.col("author_ids").list.contains(pl.col("owner_id")),
    )
    lacking = (
        context.listings.select("profile_id", "source", "paper_id", "byline_line", "names")
        .filter(owned.select(pl.all_horizontal("is_uncut", "is_lacking")).to_series())
        .join(owners, on="profile_id", maintain_order="left")
        .join(_pages_of_parted_names(context), on="profile_id", how="anti", maintain_order="left")
    )
    namesakes = [not _may_be_named(owner, others) for owner, others in lacking.select("owner", "names").iter_rows()]
    return rule_result(
        "AUT-004",
        owned.filter("is_uncut").height,
        at_line(lacking.filter(pl.Series(namesakes, dtype=pl.Boolean)), "byline_line"),
        ("paper_id", "owner_id"),
        value="owner",
        message=pl.format(
            "{} owns this page, but this byline, which shows all authors, lacks the name; see whether it is a namesake's paper",
            "owner",
        ),
    )


def _may_be_named(owner: str, names: list[str]) -> bool:
    """Whether a byline may name the owner: family name and initial fit, or the words are in another order or in two items."""
    words = sorted(fold(owner).split())
    written = [*names, *(" ".join(pair) for pair in pairwise(names))]
    return any(is_same_person(owner, name) for name in names) or any(
        sorted(fold(name).split()) == words for name in written
    )


def _author_has_two_names(context: RuleContext) -> RuleResult:
    """AUT-006: two neighbours in a byline who have one name each, so that a comma may have parted one author."""
    pairs = _single_names_in_pairs(context).drop_nulls("author_id")
    single = pairs.join(_pages_of_parted_names(context), on="profile_id", how="anti", maintain_order="left").sort(
        "source", "byline_line", maintain_order=True
    )
    return rule_result(
        "AUT-006",
        context.tables["authors"].height,
        at_line(single.unique("author_id", keep="first", maintain_order=True), "byline_line"),
        ("author_id",),
        value=pl.format("{}, {}", "name", "other"),
        message=pl.format(
            "{} and {} are neighbours of one name each; if the comma splits one author's name, write it without",
            "name",
            "other",
        ),
    )


def _single_names_in_pairs(context: RuleContext) -> pl.DataFrame:
    """The first of each two neighbours with one name each, on pages on which most people have more; the second is `other`."""
    is_named_so = pl.col("names").list.eval(_is_alone(pl.element())).list.any()
    pages = rows_where(context.listings.select("profile_id", "names"), is_named_so)["profile_id"].unique()
    bylines = context.names_in(context.listings.filter(pl.col("profile_id").is_in(pages.implode())))
    before, behind, next_but_one = (_neighbour("alone", step).fill_null(value=False) for step in (1, -1, -2))
    one_name = pl.col("name").str.contains(ONE_NAME)
    return (
        bylines.with_columns(
            _is_alone(pl.col("name")).alias("alone"), one_name.alias("one_name"), _neighbour("name", -1).alias("other")
        )
        .filter(pl.col("alone").mean().over("profile_id") < HALF)
        .filter(pl.col("alone") & behind & ~before & ~next_but_one & (pl.col("one_name") | _neighbour("one_name", -1)))
    )


def _is_alone(name: pl.Expr) -> pl.Expr:
    """Whether a name is one word or initials."""
    return name.str.contains(ONE_NAME) | name.str.contains(INITIALS)


def _neighbour(column: str, step: int) -> pl.Expr:
    return pl.col(column).shift(step).over(LISTING_KEY)


def _author_is_a_person(context: RuleContext) -> RuleResult:
    """AUT-007: a group among the authors."""
    groups = context.tables["authors"].filter(kind="group")
    return rule_result(
        "AUT-007",
        context.tables["authors"].height,
        _at_first_byline(context, groups),
        ("author_id",),
        value="name",
        message=pl.format("{} is a group by its name, and an author of its own", "name"),
    )


def _given_names_come_first(context: RuleContext) -> RuleResult:
    """AUT-008: a page that writes Bell, Ann, Dole, Cyrus, so that each author became two."""
    return rule_result(
        "AUT-008",
        context.profiles.height,
        at_line(_pages_of_parted_names(context), "byline_line"),
        PROFILE_KEY,
        value=pl.format("{}, {}", "family", "given"),
        message=pl.format(
            "bylines of this page write family names first ({}, {}, in {} of {}), so that each author was read as two;"
            " write {} {}, or a semicolon behind each author",
            *("family", "given", "parted", "bylines", "given", "family"),
        ),
    )


def _names_can_be_compared(context: RuleContext) -> RuleResult:
    """AUT-009: a set of names of which each is like so many others that none was compared."""
    return rule_result(
        "AUT-009",
        context.tables["author_names"].height,
        _at_first_byline(context, context.resolved.uncompared),
        ("author_id",),
        value="name",
        message=pl.format(
            "{} names, from {} to {}, were not compared with one another: that takes more than {} comparisons for each",
            *("names", "name", "other"),
            pl.lit(MOST_COMPARED),
        ),
    )


def _at_first_byline(context: RuleContext, authors: pl.DataFrame) -> pl.DataFrame:
    """The authors, each shown on the line of the first byline with the author."""
    is_there = pl.element().is_in(authors["author_id"].implode())
    named = rows_where(context.listings, pl.col("author_ids").list.eval(is_there).list.any())
    ordered = context.names_in(named).sort("source", "byline_line", maintain_order=True)
    places = ordered.unique("author_id", keep="first", maintain_order=True)
    placed = authors.join(places.drop("name", "line_start", "line_end"), on="author_id", how="left")
    return at_line(placed, "byline_line")


def _pages_of_parted_names(context: RuleContext) -> pl.DataFrame:
    """The pages whose commas separate family from given names: the first such byline's line and pair, and how many there are."""
    parted = _parted_bylines(context.listings)
    counts = context.listings.group_by("profile_id").agg(pl.len().alias("bylines"))
    pages = (
        parted.group_by("profile_id", "source", "owner", maintain_order=True)
        .agg(
            pl.first("byline_line"),
            pl.col("families").list.first().first().alias("family"),
            pl.col("givens").list.first().first().alias("given"),
            pl.col("families").explode(),
            pl.col("givens").explode(),
            pl.len().alias("parted"),
        )
        .join(counts, on="profile_id", how="left", maintain_order="left")
        .filter((pl.col("parted") == pl.col("bylines")) | (pl.col("parted") >= FEW_BYLINES))
    )
    if pages.is_empty():
        return pages
    firsts, lasts = _first_and_last_words(context)
    sure = [
        _is_owned(owner, families, givens)
        or _read_as_pairs(families, givens, firsts, lasts)
        or _keep_their_places(families, givens, parted / bylines)
        for owner, families, givens, parted, bylines in pages.select(
            "owner", "families", "givens", "parted", "bylines"
        ).iter_rows()
    ]
    return pages.filter(pl.Series(sure, dtype=pl.Boolean))


def _parted_bylines(listings: pl.DataFrame) -> pl.DataFrame:
    """The bylines of which, by their form, every other item is a family name and the ones between are given names."""
    families, givens = pl.col("names").list.gather_every(2), pl.col("names").list.gather_every(2, 1)
    count = pl.col("names").list.len()
    is_even = (count > 1) & (pl.col("truncated") | (count % 2 == 0))
    columns = (*LISTING_KEY, "source", "owner", "byline_line", "names", "truncated")
    return (
        rows_where(listings.select(columns), is_even & pl.col("names").list.first().str.contains(FAMILY))
        .with_columns(families.alias("families"), givens.alias("givens"))
        .filter(pl.col("families").list.eval(pl.element().str.contains(FAMILY)).list.all())
        .filter(pl.col("givens").list.eval(pl.element().str.contains(GIVEN)).list.all())
        .with_columns(pl.col("families").list.head(pl.col("givens").list.len()))
        .sort("profile_id", "position")
    )


def _first_and_last_words(context: RuleContext) -> tuple[frozenset[str], frozenset[str]]:
    """The first and the last words of all names of several words, in small letters."""
    words = context.tables["author_names"].select(pl.col("name").str.to_lowercase().str.split(" ").alias("words"))
    several = words.filter(pl.col("words").list.len() > 1)["words"].list
    return frozenset(several.first().unique()), frozenset(several.last().unique())


def _is_owned(owner: str | None, families: list[str], givens: list[str]) -> bool:
    """Whether one of the pairs is the page's owner."""
    words = fold(owner or "")
    return any(fold(f"{given} {family}") == words for family, given in zip(families, givens, strict=True))


def _read_as_pairs(families: list[str], givens: list[str], firsts: frozenset[str], lasts: frozenset[str]) -> bool:
    """Whether most of the given names are initials or first words of other names, and most of the family names are not."""
    words = [[word for word in _words(given) if not is_initial(word)] for given in set(givens)]
    usual = sum(not names or (len(names) == 1 and names[0] in firsts) for names in words)
    unusual = sum(family.lower() in firsts and family.lower() not in lasts for family in set(families))
    return len(givens) > 1 and 2 * usual >= len(words) and 2 * unusual < len(set(families))


def _keep_their_places(families: list[str], givens: list[str], share: float) -> bool:
    """Whether, on a page most of whose bylines are pairs, names of several people recur and hardly one occurs in both places."""
    first, second = Counter(families), Counter(givens)
    recurring = [name for name, count in (first + second).items() if count > 1]
    moved = sum(name in first and name in second for name in recurring)
    return share > HALF and len(recurring) >= RECURRING_NAMES and moved * 10 <= len(recurring)


def _words(name: str) -> list[str]:
    return name.lower().replace(".", " ").split()


CHECKS = (
    _person_has_one_spelling,
    _person_is_one_author,
    _byline_names_once,
    _owner_is_in_byline,
    overrides_take_effect,
    _author_has_two_names,
    _author_is_a_person,
    _given_names_come_first,
    _names_can_be_compared,
)
