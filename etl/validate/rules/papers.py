"""Rules about papers and their listings: abstracts, dates, categories, papers that may stand twice."""

import polars as pl

from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import LISTING_KEY, PAPER_KEY, Subject

OBSERVED_ON = "--observed-on"
"""The option that dates a page; messages name it."""
TAIL_LETTERS = 60
"""Letters of an abstract's end that a finding shows."""

SHORTEST_TITLE = 2
SHORTEST_ABSTRACT = 20
EARLIEST_YEAR = 1990
TEX = r"\\[a-zA-Z]|[\^_{]"
"""What shows that a dollar in an abstract is TeX's and not money."""
INVISIBLE = r"[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}]"
"""Control characters but tab and line feed, and those of Unicode that have no width or turn the direction."""


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


def title_is_long_enough(subject: Subject) -> Outcome:
    """PAP-009: a title of one or two letters."""
    short = subject.papers.filter(pl.col("title").str.strip_chars().str.len_chars() <= SHORTEST_TITLE)
    return outcome(
        "PAP-009",
        subject.papers.height,
        at_line(short, pl.col("line_start") + 1),
        PAPER_KEY,
        value="title",
        message=pl.format("the title {} is very short; see whether the page was saved whole", "title"),
    )


def abstract_is_long_enough(subject: Subject) -> Outcome:
    """PAP-010: an abstract of a few words."""
    length = pl.col("abstract").str.strip_chars().str.len_chars()
    return outcome(
        "PAP-010",
        subject.papers.height,
        at_line(subject.papers.filter(length.is_between(1, SHORTEST_ABSTRACT)), "line_end"),
        PAPER_KEY,
        value="abstract",
        message=pl.format("the abstract is very short: {}", "abstract"),
    )


def tex_is_balanced(subject: Subject) -> Outcome:
    """PAP-011: dollars or braces without a partner, but for those that a backslash makes text."""
    bare = pl.col("abstract").str.replace_all(r"\\\\|\\[{}$]", "")
    dollars = bare.str.count_matches(r"\$") % 2 != 0
    braces = bare.str.count_matches(r"\{") != bare.str.count_matches(r"\}")
    broken = subject.papers.filter(braces | (dollars & pl.col("abstract").str.contains(TEX)))
    return outcome(
        "PAP-011",
        subject.papers.height,
        at_line(broken, "line_end"),
        PAPER_KEY,
        value="title",
        message=pl.format("the abstract of {} has a dollar or a brace without its partner", "title"),
    )


def date_is_before_the_page(subject: Subject) -> Outcome:
    """PAP-012: a badge's date after the day on which its page was saved."""
    dated = subject.listings.drop_nulls(["observed_on", "published"])
    return outcome(
        "PAP-012",
        dated.height,
        at_line(dated.filter(pl.col("published") > pl.col("observed_on")), "line_start"),
        LISTING_KEY,
        value="badge",
        message=pl.format("the date {} is after {}, when the page was saved", "published", "observed_on"),
    )


def date_is_of_arxiv(subject: Subject) -> Outcome:
    """PAP-013: a date before arXiv's time."""
    early = subject.papers.filter(pl.col("published").dt.year() < EARLIEST_YEAR)
    return outcome(
        "PAP-013",
        subject.papers.height,
        at_line(early, "line_start"),
        PAPER_KEY,
        value=pl.col("published").dt.to_string("%Y-%m-%d"),
        message=pl.format("the date {} is before {}; expected a date of arXiv", "published", pl.lit(EARLIEST_YEAR)),
    )


def text_is_visible(subject: Subject) -> Outcome:
    """PAP-014: control, bidirectional and zero-width characters in a title or an abstract."""
    title, abstract = (pl.col(column).str.contains(INVISIBLE) for column in ("title", "abstract"))
    found = subject.papers.filter(title | abstract)
    place = pl.when(title).then(pl.col("line_start") + 1).otherwise("line_end")
    first = pl.coalesce(pl.col("title").str.extract(INVISIBLE, 0), pl.col("abstract").str.extract(INVISIBLE, 0))
    return outcome(
        "PAP-014",
        subject.papers.height,
        at_line(found, place),
        PAPER_KEY,
        value=pl.format("U+{}", first.map_elements(_code_point, return_dtype=pl.String)),
        message=pl.lit("the title or abstract holds characters that cannot be seen; see whether they were meant"),
    )


def _code_point(letter: str) -> str:
    return f"{ord(letter):04X}"


RULES = (
    abstract_is_there,
    abstract_is_whole,
    year_is_printed,
    year_is_known,
    code_is_plain,
    category_is_known,
    pages_agree_on_year,
    work_stands_once,
    title_is_long_enough,
    abstract_is_long_enough,
    tex_is_balanced,
    date_is_before_the_page,
    date_is_of_arxiv,
    text_is_visible,
)
