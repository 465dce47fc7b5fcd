"""Rules about people: spellings that were joined or may be, bylines that cannot be, overrides that have no effect."""

from math import comb

import polars as pl

from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import LISTING_KEY, Subject

ORGANISATION = r"(?i)\b(?:collaboration|consortium|team|group|laborator(?:y|ies)|institute|university|department|inc|gmbh|committee|association|society)\b"
"""Words of which no person's name is made."""


def person_has_one_spelling(subject: Subject) -> Outcome:
    """AUT-001: a spelling that was joined to another."""
    joined = subject.tables["author_names"].filter(pl.col("evidence").is_not_null())
    return outcome(
        "AUT-001", subject.tables["author_names"].height, joined, ("name",), value="name", message=pl.col("evidence")
    )


def person_is_one_author(subject: Subject) -> Outcome:
    """AUT-002: two authors who may be one person."""
    authors = subject.tables["authors"].height
    return outcome(
        "AUT-002",
        comb(authors, 2),
        subject.tables["merge_candidates"],
        ("author_id", "other_id"),
        value="matched_by",
        message=pl.col("evidence"),
    )


def byline_names_once(subject: Subject) -> Outcome:
    """AUT-003: a byline that names one person twice."""
    doubled = subject.bylines.drop_nulls("author_id").filter(pl.struct(*LISTING_KEY, "author_id").is_duplicated())
    return outcome(
        "AUT-003",
        subject.listings.height,
        at_line(doubled.unique(LISTING_KEY, keep="first", maintain_order=True), "byline_line"),
        LISTING_KEY,
        value="name",
        message=pl.format("the byline names {} twice; the second mention is not counted", "name"),
    )


def owner_is_in_byline(subject: Subject) -> Outcome:
    """AUT-004: a byline that is not cut and lacks the page's owner."""
    owners = subject.tables["profiles"].select("profile_id", owner_id="author_id", owner="name").drop_nulls()
    uncut = subject.bylines.filter(~pl.col("truncated")).join(owners, on="profile_id", maintain_order="left")
    own = (pl.col("author_id") == pl.col("owner_id")).any().over(LISTING_KEY)
    lacking = uncut.filter(~own).unique(LISTING_KEY, keep="first", maintain_order=True)
    return outcome(
        "AUT-004",
        uncut.select(LISTING_KEY).n_unique(),
        at_line(lacking, "byline_line"),
        ("paper_id", "owner_id"),
        value="owner",
        message=pl.format("{} is not in this byline, which is not cut; it may be a namesake's paper", "owner"),
    )


def overrides_take_effect(subject: Subject) -> Outcome:
    """AUT-005: an override that names a spelling which no page prints, or parts two people of one spelling."""
    known = {*subject.tables["author_names"]["name"], *subject.listings["names"].explode()}
    problems = {
        name: "no page prints this spelling; copy it from the table author_names"
        for name in subject.overrides.names
        if name not in known
    }
    problems |= {
        name: "two people of one spelling cannot be told apart, since the pages do not"
        for name, other in subject.overrides.different
        if name == other
    }
    failed = pl.DataFrame(sorted(problems.items()), schema={"name": pl.String, "problem": pl.String}, orient="row")
    return outcome(
        "AUT-005",
        len(subject.overrides.names),
        failed.with_columns(pl.lit(subject.overrides.source, dtype=pl.String).alias("source")),
        ("name",),
        value="name",
        message=pl.format("the override of {} has no effect: {}", "name", "problem"),
    )


def author_has_two_names(subject: Subject) -> Outcome:
    """AUT-006: an author of one name."""
    single = subject.tables["authors"].filter(pl.col("given").is_null() & ~pl.col("name").str.contains(ORGANISATION))
    return _about_authors(subject, "AUT-006", single, "the name {} is one word; see whether the byline was cut")


def author_is_a_person(subject: Subject) -> Outcome:
    """AUT-007: an organisation among the authors."""
    organisations = subject.tables["authors"].filter(pl.col("name").str.contains(ORGANISATION))
    return _about_authors(subject, "AUT-007", organisations, "{} looks like an organisation; expected a person")


def _about_authors(subject: Subject, rule_id: str, authors: pl.DataFrame, message: str) -> Outcome:
    """An outcome about authors, each shown in the first byline that names them."""
    places = subject.bylines.sort("source", "byline_line").unique("author_id", keep="first", maintain_order=True)
    placed = authors.join(places.drop("name", "line_start", "line_end"), on="author_id", how="left")
    return outcome(
        rule_id,
        subject.tables["authors"].height,
        at_line(placed, "byline_line"),
        ("author_id",),
        value="name",
        message=pl.format(message, "name"),
    )


RULES = (
    person_has_one_spelling,
    person_is_one_author,
    byline_names_once,
    owner_is_in_byline,
    overrides_take_effect,
    author_has_two_names,
    author_is_a_person,
)
