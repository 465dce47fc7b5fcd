"""Rules about papers and their listings: abstracts, dates, categories, papers that may be duplicates."""

import polars as pl

from etl.printable import either
from etl.resolve.categories import candidates
from etl.tex import tex_beyond_bounds
from etl.validate.rule_results import LISTING_KEY, PAPER_KEY, RuleContext, RuleResult, at_line, rows_where, rule_result
from schemas.limits import DEEPEST_TEX, IN_WORDS, LONGEST_TEX, SHORT_ABSTRACT, SHORT_TITLE

TAIL_LETTERS = 60
"""Letters of an abstract's end that a finding shows."""
LAST_LETTERS = 400
"""Letters of an abstract's end that are checked: more than an address has."""
_OPEN_WORDS = (
    "a|an|the|our|their|its|whose|which|that|we"
    "|of|to|in|on|at|by|for|from|with|into|onto|upon|via|per|than|as|between|among|amongst|toward|towards|against|during"
    "|within|without|through|across|under|despite|regarding|concerning|versus|vs"
    "|and|or|nor|but|if|because|while|whereas|although|unless|whether|and/or"
)
CUT = rf"""[,;:(\[{{\\\x{{2013}}\x{{2014}}-]$|(?i:(?:^|[\s("'\x{{2018}}\x{{201c}}]|-of-)(?:{_OPEN_WORDS})$)"""
"""Ends of text that is cut: a comma, a dash, an open bracket; an article, a preposition, a conjunction."""
NOT_CUT = (
    r"[a-z]+://\S*[^\s,;:(\[{]$"
    r"|[+]\s?(?:and )?\S{0,4}-$"
    r"|[^\s.!?:] A$"
    r"|(?i:\b(?:(?:so|later|early|now) on|(?:a|in) while|(?:deal|dealt|dealing|cope|coping|begin|start) with"
    r"|(?:rely|relied|agreed) (?:up)?on|accounted for|care of)$)"
)
"""Ends that only look cut: an address, the signs of charges (e+ e-), a name such as "algebra A", idioms."""
TEX = r"\\[a-zA-Z]|[\^_{]"
"""Signs that a dollar in an abstract is TeX and not money."""
INVISIBLE = r"[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}]"
"""Control characters but tab and line feed, and those of Unicode that have no width or turn the direction."""
GARBLED = r"[\x{c2}-\x{f4}][\x{80}-\x{bf}]{1,3}"
"""UTF-8 read as Latin-1, which contains control characters: PAG-011 reports it once a page."""


def _abstract_is_there(context: RuleContext) -> RuleResult:
    """PAP-001: a paper without an abstract."""
    return rule_result(
        "PAP-001",
        context.papers.height,
        context.papers.filter(~pl.col("abstract").str.contains(r"\S")),
        PAPER_KEY,
        value="title",
        message=pl.format("{} has no abstract; if the site shows one, save the page again", "title"),
    )


def _abstract_is_whole(context: RuleContext) -> RuleResult:
    """PAP-002: an abstract that ends in the middle of a sentence: in a comma, an open bracket, or a word such as "with"."""
    end = pl.col("abstract").str.slice(-LAST_LETTERS).str.strip_chars()
    cut = rows_where(context.papers, end.str.contains(CUT)).filter(~end.str.contains(NOT_CUT))
    tail = pl.col("abstract").str.slice(-TAIL_LETTERS)
    return rule_result(
        "PAP-002",
        context.papers.height,
        at_line(cut, "line_end"),
        PAPER_KEY,
        value=tail,
        message=pl.format(
            "the abstract ends in the middle of a sentence: …{}; save the page again, or see how its source ends", tail
        ),
    )


def _category_is_known(context: RuleContext) -> RuleResult:
    """PAP-006: a paper without a category."""
    unresolved = context.papers.filter(pl.col("category_id").is_null())
    hints = {code: _hint(code) for code in unresolved["code"].unique()}
    return rule_result(
        "PAP-006",
        context.papers.height,
        at_line(unresolved, "line_start"),
        PAPER_KEY,
        value="code",
        message=pl.col("code").replace_strict(hints, return_dtype=pl.String),
    )


def _hint(code: str) -> str:
    """What a code without a category may be."""
    found, _ = candidates(code)
    if not found:
        return f"arXiv has no category with the code {code}; see whether the badge was saved as the site shows it"
    return f"the code {code} is {' or '.join(found)}, and nothing on the page decides; the paper is left without a category"


def _papers_are_distinct(context: RuleContext) -> RuleResult:
    """PAP-008: two papers that may be one, reported on the second's line."""
    places = context.papers.select(pl.col("paper_id").alias("other_id"), "profile_id", "source", "line_start")
    pairs = context.tables["paper_candidates"].join(places, on="other_id", how="left")
    return rule_result(
        "PAP-008",
        context.papers.height,
        at_line(pairs, pl.col("line_start") + 1),
        ("paper_id", "other_id"),
        value="matched_by",
        message=pl.format("{}; see whether it is one paper, and join the two with an override if it is", "evidence"),
    )


def _page_lists_a_paper_once(context: RuleContext) -> RuleResult:
    """PAP-015: the second listing of a paper on one page, unless an override joins the two.

    Those behind a further header are left out: they are another page's, or a copy, which `PAG-012` reports once.
    """
    decided = sorted({one for entry in context.overrides.papers for one in entry.same})
    columns = (*LISTING_KEY, "paper_id", "alias_id", "source", "title", "title_line", "line_start")
    listings = context.listings.lazy().filter("owned").select(columns).collect()
    twice = listings.filter(pl.struct("profile_id", "paper_id").is_duplicated()).sort("profile_id", "position")
    first = pl.col("line_start").first().over("profile_id", "paper_id")
    again = twice.with_columns(first.alias("first_line")).filter(
        pl.col("line_start") > pl.col("first_line"), ~pl.coalesce("alias_id", "paper_id").is_in(decided)
    )
    return rule_result(
        "PAP-015",
        listings.height,
        at_line(again, "title_line"),
        LISTING_KEY,
        value="title",
        message=pl.format(
            "the page lists {} twice, first on line {}; the two became one paper, see whether they are",
            "title",
            "first_line",
        ),
    )


def _title_is_long_enough(context: RuleContext) -> RuleResult:
    """PAP-009: a title of a few letters."""
    lengths = either(IN_WORDS[letters] for letters in range(1, SHORT_TITLE + 1))
    short = rows_where(context.papers, pl.col("title").str.strip_chars().str.len_chars() <= SHORT_TITLE)
    return rule_result(
        "PAP-009",
        context.papers.height,
        _at_title(context, short),
        PAPER_KEY,
        value="title",
        message=pl.format(f"the title {{}} has {lengths} letters; see whether this line is the title", "title"),
    )


def _abstract_is_long_enough(context: RuleContext) -> RuleResult:
    """PAP-010: an abstract of a few words."""
    length = pl.col("abstract").str.strip_chars().str.len_chars()
    return rule_result(
        "PAP-010",
        context.papers.height,
        at_line(rows_where(context.papers, length.is_between(1, SHORT_ABSTRACT)), "line_end"),
        PAPER_KEY,
        value="abstract",
        message=pl.format("the abstract is only {}; see whether this line is the abstract, and all of it", "abstract"),
    )


def _tex_is_balanced(context: RuleContext) -> RuleResult:
    """PAP-011: dollars or braces without a partner, escaped ones aside."""
    bare = pl.col("abstract").str.replace_all(r"\\\\|\\[{}$]", "")
    dollars, opened, closed = (bare.str.count_matches(sign, literal=True) for sign in "${}")
    odd = (dollars % 2 != 0) & pl.col("abstract").str.contains(TEX)
    marked = context.papers.filter(pl.col("abstract").str.contains("[${}]"))
    broken = rows_where(marked, (opened != closed) | odd)
    counted = broken.with_columns(dollars.alias("dollars"), opened.alias("opened"), closed.alias("closed"))
    braces = pl.format("the braces in the abstract of {} do not pair ({} open, {} close)", "title", "opened", "closed")
    dollar = pl.format("one of the {} dollars in the abstract of {} has no partner", "dollars", "title")
    fault = pl.when(pl.col("opened") != pl.col("closed")).then(braces).otherwise(dollar)
    return rule_result(
        "PAP-011",
        context.papers.height,
        at_line(counted, "line_end"),
        PAPER_KEY,
        value="title",
        message=pl.format("{}, so that its TeX cannot be shown; correct it where the page has it from", fault),
    )


def _text_is_visible(context: RuleContext) -> RuleResult:
    """PAP-014: control, bidirectional and zero-width characters in a title or an abstract."""
    title, abstract = (
        pl.col(column).str.replace_all(GARBLED, "").str.extract(INVISIBLE, 0) for column in ("title", "abstract")
    )
    hidden = pl.any_horizontal(pl.col(column).str.contains(INVISIBLE) for column in ("title", "abstract"))
    found = (
        rows_where(context.papers, hidden)
        .with_columns(pl.coalesce(title, abstract).alias("first"), title.is_not_null().alias("in_title"))
        .drop_nulls("first")
    )
    point = pl.format("U+{}", pl.col("first").map_elements(_code_point, return_dtype=pl.String))
    return rule_result(
        "PAP-014",
        context.papers.height,
        _at_field(context, found),
        PAPER_KEY,
        value=point,
        message=pl.format(
            "the {} contains {}, which is invisible; remove it, since it hides words from search", _FIELD, point
        ),
    )


def _tex_can_be_read(context: RuleContext) -> RuleResult:
    """PAP-016: a title or an abstract whose TeX is too long or too deep to be read."""
    fields = ("title", "abstract")
    suspect = rows_where(context.papers, pl.any_horizontal(map(_may_be_beyond_bounds, fields)))
    found = (
        suspect.with_columns(
            pl.col(field).map_elements(tex_beyond_bounds, return_dtype=pl.String).alias(f"{field}_problem")
            for field in fields
        )
        .filter(pl.any_horizontal(pl.col(f"{field}_problem").is_not_null() for field in fields))
        .with_columns(pl.col("title_problem").is_not_null().alias("in_title"))
    )
    problem = pl.coalesce("title_problem", "abstract_problem")
    return rule_result(
        "PAP-016",
        context.papers.height,
        _at_field(context, found),
        PAPER_KEY,
        value=problem,
        message=pl.format(
            "the TeX of the {} is {}, and is shown as printed; see whether the page was damaged", _FIELD, problem
        ),
    )


def _may_be_beyond_bounds(field: str) -> pl.Expr:
    """A quick test that every text beyond the bounds passes, and hardly another one."""
    openings = pl.col(field).str.count_matches(r"[{\[(]|\\begin")
    return (pl.col(field).str.len_chars() > LONGEST_TEX) | (openings > DEEPEST_TEX)


def _at_title(context: RuleContext, papers: pl.DataFrame) -> pl.DataFrame:
    """The papers, each shown on the line of its title."""
    titles = context.winners("paper_id", "title_line")
    return at_line(papers.join(titles, on="paper_id", how="left", maintain_order="left"), "title_line")


_FIELD = pl.when("in_title").then(pl.lit("title")).otherwise(pl.lit("abstract"))


def _at_field(context: RuleContext, papers: pl.DataFrame) -> pl.DataFrame:
    """The papers, shown on the line of the title where `in_title`, else on the abstract's last."""
    titled = _at_title(context, papers.with_columns(pl.col("line_end").alias("abstract_end")))
    return at_line(titled, pl.when("in_title").then("line_start").otherwise("abstract_end"))


def _code_point(letter: str) -> str:
    return f"{ord(letter):04X}"


CHECKS = (
    _abstract_is_there,
    _abstract_is_whole,
    _category_is_known,
    _papers_are_distinct,
    _page_lists_a_paper_once,
    _title_is_long_enough,
    _abstract_is_long_enough,
    _tex_is_balanced,
    _text_is_visible,
    _tex_can_be_read,
)
