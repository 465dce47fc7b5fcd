"""Rules about papers and their listings: abstracts, dates, categories, papers that may stand twice."""

import polars as pl

from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import LISTING_KEY, PAPER_KEY, Subject

OBSERVED_ON = "--observed-on"
"""The option that dates a page; messages name it."""
TAIL_LETTERS = 60
"""Letters of an abstract's end that a finding shows."""


def abstract_is_there(subject: Subject) -> Outcome:
    """PAP-001: a paper without an abstract."""
    return outcome(
        "PAP-001",
        subject.papers.height,
        subject.papers.filter(pl.col("abstract").str.strip_chars() == ""),
        PAPER_KEY,
        value="title",
        message=pl.format("no abstract for {}; see whether the page was saved whole", "title"),
    )


def abstract_is_whole(subject: Subject) -> Outcome:
    """PAP-002: an abstract that ends in a letter, and so in the middle of a sentence."""
    cut = subject.papers.filter(pl.col("abstract").str.contains(r"\p{L}\s*$"))
    tail = pl.col("abstract").str.slice(-TAIL_LETTERS)
    return outcome(
        "PAP-002",
        subject.papers.height,
        at_line(cut, "line_end"),
        PAPER_KEY,
        value=tail,
        message=pl.format("the abstract ends in the middle of a sentence: …{}", tail),
    )


def year_is_printed(subject: Subject) -> Outcome:
    """PAP-003: a year that was inferred."""
    return outcome(
        "PAP-003",
        subject.papers.height,
        at_line(subject.papers.filter("year_inferred"), "line_start"),
        PAPER_KEY,
        value=pl.col("published").dt.to_string("%Y-%m-%d"),
        message=pl.lit("the badge prints no year; the page tells it"),
    )


def year_is_known(subject: Subject) -> Outcome:
    """PAP-004: a paper that nothing dates."""
    return outcome(
        "PAP-004",
        subject.papers.height,
        at_line(subject.papers.filter(pl.col("published").is_null()), "line_start"),
        PAPER_KEY,
        value="title",
        message=pl.format(
            "no year is known for {}; say when its page was saved, with {}", "title", pl.lit(OBSERVED_ON)
        ),
    )


def code_is_plain(subject: Subject) -> Outcome:
    """PAP-005: a category that the page or the likeliest archive decided."""
    return outcome(
        "PAP-005",
        subject.listings.height,
        at_line(subject.listings.filter(pl.col("category_resolution").is_in(["page", "prior"])), "line_start"),
        LISTING_KEY,
        value="code",
        message=pl.format("the code {} stands for several categories; {} was taken", "code", "category_id"),
    )


def category_is_known(subject: Subject) -> Outcome:
    """PAP-006: a paper without a category."""
    return outcome(
        "PAP-006",
        subject.papers.height,
        at_line(subject.papers.filter(pl.col("category_id").is_null()), "line_start"),
        PAPER_KEY,
        value="code",
        message=pl.format("the code {} names no category, or several that nothing tells apart", "code"),
    )


def pages_agree_on_year(subject: Subject) -> Outcome:
    """PAP-007: a printed year that the merged paper does not have."""
    variants = subject.tables["variants"].filter(pl.col("field") == "published")
    places = subject.listings.select(*LISTING_KEY, "source", "line_start")
    return outcome(
        "PAP-007",
        subject.listings.height,
        at_line(variants.join(places, on=LISTING_KEY, how="left"), "line_start"),
        (*LISTING_KEY, "field"),
        value="value",
        message=pl.format("another page dates this paper otherwise than {}; the newest page was believed", "value"),
    )


def work_stands_once(subject: Subject) -> Outcome:
    """PAP-008: one title and first author under two dates."""
    return outcome(
        "PAP-008",
        subject.papers.height,
        at_line(subject.papers.filter(pl.col("work").is_duplicated()), pl.col("line_start") + 1),
        PAPER_KEY,
        value="title",
        message=pl.format("title and first author stand under another date too: {}", "title"),
    )


RULES = (
    abstract_is_there,
    abstract_is_whole,
    year_is_printed,
    year_is_known,
    code_is_plain,
    category_is_known,
    pages_agree_on_year,
    work_stands_once,
)
