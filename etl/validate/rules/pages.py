"""Rules about pages and their headers: files that are no page, unknown lines, missing papers, flags, dates, copies, figures."""

from functools import partial

import polars as pl
from datasette.utils import tilde_encode

from etl.extract.badge import KNOWN_FLAGS, read_badge
from etl.resolve.categories import candidates
from etl.validate.rule_results import (
    FAILED,
    LISTING_KEY,
    PROFILE_KEY,
    RuleContext,
    RuleResult,
    at_line,
    rule_result,
)
from schemas.limits import PAPERS_A_PAGE, SHOWN_LETTERS

FEWEST_LOST = 3
"""Papers that a page must have lost before it is called damaged as a whole."""
SHOWN_LINES = 5
"""Unknown lines of a header that one finding quotes."""


def _noted(rule_id: str, context: RuleContext) -> RuleResult:
    """PAG-010, PAG-012, PAG-013 and PAG-014: faults that were found when pages were staged."""
    rows = [
        {
            "row_key": tilde_encode(note.profile_id or "dataset"),
            "profile_id": note.profile_id,
            "source": note.source,
            "line_start": note.line,
            "line_end": note.line,
            "value": note.value,
            "message": note.message,
        }
        for note in context.staged.notes
        if note.rule_id == rule_id
    ]
    return RuleResult(rule_id, context.profiles.height, pl.DataFrame(rows, schema=FAILED))


def _header_lines_are_known(context: RuleContext) -> RuleResult:
    """PAG-005: header lines that are neither name nor field nor figure, reported once a page."""
    split = pl.col("header").str.split("\n")
    written = context.profiles.select(split.list.eval(pl.element().str.strip_chars() != "").list.sum().sum())
    unknown = context.profiles.filter(pl.col("unknown_lines").list.len() > 0)
    lines = [
        "; ".join(header.split("\n")[number - 1].strip()[:SHOWN_LETTERS] for number in numbers[:SHOWN_LINES])
        for header, numbers in unknown.select("header", "unknown_lines").iter_rows()
    ]
    return rule_result(
        "PAG-005",
        int(written.item()),
        at_line(unknown.with_columns(pl.Series("found", lines, dtype=pl.String)), pl.col("unknown_lines").list.first()),
        PROFILE_KEY,
        value="found",
        message=pl.format(
            "{} line(s) of the header are unknown, such as {}; expected the owner's name, a field and figures such as"
            " h-index12 (a menu above the name can be cut off)",
            pl.col("unknown_lines").list.len(),
            "found",
        ),
    )


def _page_is_whole(context: RuleContext) -> RuleResult:
    """PAG-009: a page of which at least every second paper could not be read."""
    pages = _with_lost(context)
    damaged = pages.filter((pl.col("lost") >= FEWEST_LOST) & (pl.col("lost") >= pl.col("listed_papers")))
    read = damaged.filter(pl.col("listed_papers") > 0)
    return rule_result(
        "PAG-009",
        pages.height,
        at_line(read, "first_lost"),
        PROFILE_KEY,
        value="source",
        message=pl.format(
            "{} of about {} papers of this page could not be read; it was damaged when it was saved, so save it again",
            "lost",
            pl.col("lost") + pl.col("listed_papers"),
        ),
    )


def _all_papers_are_listed(context: RuleContext) -> RuleResult:
    """PAG-006: a page that lists fewer papers than it states, and fewer than the site shows on a page."""
    stated = _with_lost(context).drop_nulls("stated_papers")
    expected = pl.min_horizontal("stated_papers", pl.lit(PAPERS_A_PAGE))
    there = pl.col("listed_papers") + pl.col("lost")
    return rule_result(
        "PAG-006",
        stated.height,
        at_line(
            stated.filter((there > 0) & (there < expected)), pl.coalesce("stated_papers_line", "section_count_line")
        ),
        PROFILE_KEY,
        value=pl.format("{}/{}", "listed_papers", "stated_papers"),
        message=pl.format(
            "the page lists {} of {} papers{}; save it again once all have loaded",
            there,
            "stated_papers",
            pl.when(pl.col("stated_papers") > PAPERS_A_PAGE)
            .then(pl.lit(f", fewer than the {PAPERS_A_PAGE} that the site shows"))
            .otherwise(pl.lit("")),
        ),
    )


def _page_is_under_the_cap(context: RuleContext) -> RuleResult:
    """PAG-015: a page that states more papers than the site lists."""
    stated = context.profiles.drop_nulls("stated_papers")
    return rule_result(
        "PAG-015",
        stated.height,
        at_line(
            stated.filter(pl.col("stated_papers") > PAPERS_A_PAGE, pl.col("listed_papers") < pl.col("stated_papers")),
            pl.coalesce("stated_papers_line", "section_count_line"),
        ),
        PROFILE_KEY,
        value=pl.format("{}/{}", "listed_papers", "stated_papers"),
        message=pl.format("the page lists {} of {} papers", "listed_papers", "stated_papers"),
    )


def _counts_agree(context: RuleContext) -> RuleResult:
    """PAG-007: a section's count that differs from the header's figure."""
    counted = context.profiles.drop_nulls(["section_count", "stated_papers"])
    return rule_result(
        "PAG-007",
        counted.height,
        at_line(counted.filter(pl.col("section_count") != pl.col("stated_papers")), "section_count_line"),
        PROFILE_KEY,
        value="section_count",
        message=pl.format(
            "the section counts {} papers, the figure above it {}; save the page again once it has loaded",
            "section_count",
            "stated_papers",
        ),
    )


def _flags_are_known(context: RuleContext) -> RuleResult:
    """PAG-008: a badge with a flag that no column has."""
    known = pl.element().is_in(list(KNOWN_FLAGS))
    flagged = context.listings.filter(~pl.col("flags").list.eval(known).list.all())
    return rule_result(
        "PAG-008",
        context.listings.height,
        at_line(flagged, "line_start"),
        LISTING_KEY,
        value="badge",
        message=pl.format(
            "the badge {} has a flag that is not known (known: {}); see whether the title was glued to it",
            "badge",
            pl.lit(", ".join(KNOWN_FLAGS)),
        ),
    )


def _with_lost(context: RuleContext) -> pl.DataFrame:
    """The profiles, with the number of their papers in the quarantine (`lost`), and the line of the first (`first_lost`)."""
    kept = context.tables["quarantine"]
    papers = [
        read_badge(raw.split("\n"), 0) is not None
        for raw in kept.select(pl.col("raw_text").str.head(SHOWN_LETTERS)).to_series()
    ]
    lost = (
        kept.filter(pl.Series(papers, dtype=pl.Boolean))
        .group_by("profile_id")
        .agg(pl.len().cast(pl.Int64).alias("lost"), pl.col("line_start").min().alias("first_lost"))
    )
    return context.profiles.join(lost, on="profile_id", how="left").with_columns(pl.col("lost").fill_null(0))


LARGEST_SCORE = 100


def _scores_are_in_range(context: RuleContext) -> RuleResult:
    """PRO-003: a novelty or AI score over 100."""
    scores = [
        at_line(context.profiles, f"{column}_line").with_columns(
            pl.col(column).alias("score"), pl.lit(words).alias("words")
        )
        for column, words in (("novelty_pct", "Novelty"), ("ai_score", "AI Score"))
    ]
    every = pl.concat(scores).drop_nulls("score")
    return rule_result(
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


def _owner_is_named(context: RuleContext) -> RuleResult:
    """PRO-004: a page that lists papers without its owner's name."""
    pages = context.profiles.filter(pl.col("listed_papers") > 0)
    return rule_result(
        "PRO-004",
        pages.height,
        at_line(pages.filter(pl.col("name").is_null()), pl.lit(1)),
        PROFILE_KEY,
        value=pl.lit(None),
        message=pl.lit("the page names no owner; copy it with the name above the figures, as its first line"),
    )


def _field_is_known(context: RuleContext) -> RuleResult:
    """PRO-005: a field that is no code of arXiv's; one of several categories is left open, since the page is right."""
    fields = context.profiles.drop_nulls("field")
    unresolved = fields.filter(pl.col("category_id").is_null())
    unknown = pl.Series([not candidates(field)[0] for field in unresolved["field"]], dtype=pl.Boolean)
    return rule_result(
        "PRO-005",
        fields.height,
        at_line(unresolved.filter(unknown), "field_line"),
        PROFILE_KEY,
        value="field",
        message=pl.format("arXiv has no category with the code {}; expected one such as CL under the name", "field"),
    )


CHECKS = (
    _header_lines_are_known,
    _all_papers_are_listed,
    _counts_agree,
    _flags_are_known,
    _page_is_whole,
    _page_is_under_the_cap,
    *(partial(_noted, rule_id) for rule_id in ("PAG-010", "PAG-012", "PAG-013", "PAG-014")),
    _scores_are_in_range,
    _owner_is_named,
    _field_is_known,
)
