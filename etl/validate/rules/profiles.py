"""Rules about profiles: figures that cannot be, an owner or a field that is not known."""

import polars as pl

from etl.resolve.categories import candidates
from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import PROFILE_KEY, Subject

LARGEST_SCORE = 100


def h_index_is_possible(subject: Subject) -> Outcome:
    """PRO-001: an h-index over the number of papers."""
    stated = subject.profiles.drop_nulls(["h_index", "stated_papers"])
    return outcome(
        "PRO-001",
        stated.height,
        at_line(stated.filter(pl.col("h_index") > pl.col("stated_papers")), "h_index_line"),
        PROFILE_KEY,
        value="h_index",
        message=pl.format(
            "h-index {} with {} papers; an h-index is at most the number of papers, see which figure is wrong",
            "h_index",
            "stated_papers",
        ),
    )


def citations_are_possible(subject: Subject) -> Outcome:
    """PRO-002: fewer citations than the square of the h-index."""
    cited = subject.profiles.drop_nulls(["h_index", "citations"])
    # In floats: a page may state an h-index whose square no whole number holds.
    few = cited.filter(pl.col("h_index").cast(pl.Float64) ** 2 > pl.col("citations"))
    return outcome(
        "PRO-002",
        cited.height,
        at_line(few, "citations_line"),
        PROFILE_KEY,
        value="citations",
        message=pl.format(
            "{} citations with h-index {}; that index takes {} times {} citations at least, see which figure is wrong",
            *("citations", "h_index", "h_index", "h_index"),
        ),
    )


def scores_are_in_range(subject: Subject) -> Outcome:
    """PRO-003: a novelty or AI score over 100."""
    scores = [
        at_line(subject.profiles, f"{column}_line").with_columns(
            pl.col(column).alias("score"), pl.lit(words).alias("words")
        )
        for column, words in (("novelty_pct", "Novelty"), ("ai_score", "AI Score"))
    ]
    every = pl.concat(scores).drop_nulls("score")
    return outcome(
        "PRO-003",
        every.height,
        every.filter(pl.col("score") > LARGEST_SCORE),
        PROFILE_KEY,
        value="score",
        message=pl.format(
            "{} is {}; expected 0 to {}, see whether the line was saved as the site shows it",
            "words",
            "score",
            pl.lit(LARGEST_SCORE),
        ),
    )


def owner_is_named(subject: Subject) -> Outcome:
    """PRO-004: a page that lists papers without its owner's name."""
    pages = subject.profiles.filter(pl.col("listed_papers") > 0)
    return outcome(
        "PRO-004",
        pages.height,
        at_line(pages.filter(pl.col("name").is_null()), pl.lit(1)),
        PROFILE_KEY,
        value=pl.lit(None),
        message=pl.lit("the page names no owner; copy it with the name above the figures, as its first line"),
    )


def field_is_known(subject: Subject) -> Outcome:
    """PRO-005: a field that is no code of arXiv's; one of several categories is left open, since the page is right."""
    fields = subject.profiles.drop_nulls("field")
    unresolved = fields.filter(pl.col("category_id").is_null())
    unknown = pl.Series([not candidates(field)[0] for field in unresolved["field"]], dtype=pl.Boolean)
    return outcome(
        "PRO-005",
        fields.height,
        at_line(unresolved.filter(unknown), "field_line"),
        PROFILE_KEY,
        value="field",
        message=pl.format("arXiv has no category with the code {}; expected one such as CL under the name", "field"),
    )


RULES = (h_index_is_possible, citations_are_possible, scores_are_in_range, owner_is_named, field_is_known)
