"""Rules about pages: unknown lines, counts that differ, flags that are new."""

import polars as pl

from etl.extract.fields import KNOWN_FLAGS
from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import LISTING_KEY, PROFILE_KEY, Subject

HTML = r"(?is)^<(?:!doctype|html|head|body|\?xml)"


def header_lines_are_known(subject: Subject) -> Outcome:
    """PAG-005: a header's line that is neither name nor field nor figure."""
    unknown = subject.profiles.explode("unknown_lines").drop_nulls("unknown_lines")
    lines = unknown.with_columns(pl.col("header").str.split("\n").list.get(pl.col("unknown_lines") - 1).alias("line"))
    written = pl.col("header").str.split("\n").list.eval(pl.element() != "").list.sum()
    return outcome(
        "PAG-005",
        int(subject.profiles.select(written.sum()).item()),
        at_line(lines, "unknown_lines"),
        PROFILE_KEY,
        value="line",
        message=pl.format("the header's line {} is unknown; expected a field or a figure such as h-index12", "line"),
    )


def all_papers_are_listed(subject: Subject) -> Outcome:
    """PAG-006: a page that lists fewer papers than it states."""
    stated = subject.profiles.drop_nulls("stated_papers")
    fewer = stated.filter(pl.col("listed_papers") < pl.col("stated_papers"))
    return outcome(
        "PAG-006",
        stated.height,
        at_line(fewer, pl.coalesce("stated_papers_line", "section_count_line")),
        PROFILE_KEY,
        value=pl.format("{}/{}", "listed_papers", "stated_papers"),
        message=pl.format(
            "the page lists {} of {} papers; counts over it are lower bounds", "listed_papers", "stated_papers"
        ),
    )


def counts_agree(subject: Subject) -> Outcome:
    """PAG-007: a section's count that differs from the header's figure."""
    counted = subject.profiles.drop_nulls(["section_count", "stated_papers"])
    return outcome(
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


def flags_are_known(subject: Subject) -> Outcome:
    """PAG-008: a badge with a flag that no column tells."""
    known = pl.element().is_in(list(KNOWN_FLAGS))
    flagged = subject.listings.filter(~pl.col("flags").list.eval(known).list.all())
    return outcome(
        "PAG-008",
        subject.listings.height,
        at_line(flagged, "line_start"),
        LISTING_KEY,
        value="badge",
        message=pl.format("the badge {} has an unknown flag; known is {}", "badge", pl.lit(", ".join(KNOWN_FLAGS))),
    )


def page_is_whole_text(subject: Subject) -> Outcome:
    """PAG-009: a page that was saved as HTML, without its blank lines, or while it loaded."""
    first = subject.tables["quarantine"].unique("profile_id", keep="first", maintain_order=True)
    starts = first.select("profile_id", pl.col("raw_text").str.strip_chars().alias("stray"), stray_line="line_start")
    tight = pl.col("byline_line") == pl.col("line_start") + 2
    gaps = subject.listings.group_by("profile_id").agg(tight.all().alias("tight"))
    pages = subject.profiles.join(starts, on="profile_id", how="left").join(gaps, on="profile_id", how="left")
    markup = pl.col("stray").str.contains(HTML)
    loading = (pl.col("listed_papers") == 0) & (pl.col("stated_papers") > 0)
    hint = (
        pl.when(markup)
        .then(pl.lit("it looks like HTML; save it as text: select all in the browser, copy, paste into a text file"))
        .when(pl.col("tight"))
        .then(pl.lit("its blank lines are gone; copy it again into an editor that keeps them"))
        .when(loading)
        .then(pl.lit("it states papers but lists none; save it again once the list has loaded"))
    )
    odd = pages.with_columns(hint.alias("hint")).drop_nulls("hint")
    return outcome(
        "PAG-009",
        pages.height,
        at_line(odd, pl.when(markup).then("stray_line").otherwise(1)),
        PROFILE_KEY,
        value="source",
        message=pl.format("the page cannot be read as it is: {}", "hint"),
    )


RULES = (header_lines_are_known, all_papers_are_listed, counts_agree, flags_are_known, page_is_whole_text)
