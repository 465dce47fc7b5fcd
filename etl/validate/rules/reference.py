"""Rules of the reference: records that contradict bylines, that fit equally, and that cannot be read."""

import polars as pl
from datasette.utils import tilde_encode

from etl.validate.rule_results import FAILED, LISTING_KEY, PAPER_KEY, RuleContext, RuleResult, at_line, rule_result


def _byline_agrees(context: RuleContext) -> RuleResult:
    """REF-001: a byline with another name, or number of names, than its paper's record."""
    completed = context.resolved.completed
    places = context.listings.select(*LISTING_KEY, "source", "byline_line", "byline")
    differing = completed.contradictions.join(places, on=LISTING_KEY, maintain_order="left")
    return rule_result(
        "REF-001",
        context.listings.filter(pl.col("paper_id").is_in(list(completed.of_paper))).height,
        at_line(differing, "byline_line"),
        LISTING_KEY,
        value="byline",
        message=pl.format(
            "the byline has {} where the record arXiv:{} has {}; the byline is unchanged and not completed, see which is wrong",
            "printed",
            "arxiv_id",
            "recorded",
        ),
    )


def _paper_has_one_record(context: RuleContext) -> RuleResult:
    """REF-002: a paper that several records fit equally."""
    completed = context.resolved.completed
    places = context.papers.select("paper_id", "profile_id", "source", "line_start", "line_end", "title")
    several = completed.ambiguous.join(places, on="paper_id", how="left", maintain_order="left")
    return rule_result(
        "REF-002",
        len(completed.of_paper) + several.height,
        several,
        PAPER_KEY,
        value="arxiv_ids",
        message=pl.format(
            "{} fits the records {} equally, of which none was taken; see which of them is meant", "title", "arxiv_ids"
        ),
    )


def _record_can_be_read(context: RuleContext) -> RuleResult:
    """REF-003: a record of the reference that is damaged; of each file the first `MOST_DAMAGED`."""
    reference = context.resolved.reference
    rows = [
        {
            "row_key": f"{tilde_encode(one.source)},{one.line}",
            "source": one.source,
            "line_start": one.line,
            "line_end": one.line,
            "message": f"found {one.problem}; the record was left out",
        }
        for one in reference.damaged
    ]
    checked = sum(file.records + file.damaged for file in reference.files)
    return RuleResult("REF-003", checked, pl.DataFrame(rows, schema=FAILED))


CHECKS = (_byline_agrees, _paper_has_one_record, _record_can_be_read)
