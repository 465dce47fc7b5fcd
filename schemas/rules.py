"""The registry of rules: one entry for all that data is held to.

Identifiers are stable. `error` stops a build, `warning` is published and told, `info` is only
counted, since a column tells it already. A rules file may set another severity, and turn a rule off.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas.limits import PAPERS_A_PAGE

Severity = Literal["error", "warning", "info"]
Dimension = Literal["accuracy", "completeness", "consistency", "timeliness", "uniqueness", "validity"]
Level = Literal["off", "info", "warning", "error"]
"""What a rules file may say of a rule: a severity, or that it is not looked at."""
Status = Literal["passed", "noted", "warned", "failed", "off"]
"""What a rule came to: nothing broke it, or it was broken and is info, a warning or an error, or it was not looked at."""
SEVERITIES: tuple[str, ...] = get_args(Severity)
LEVELS: tuple[Level, ...] = get_args(Level)
STATUSES: tuple[Status, ...] = get_args(Status)
SEVERITY_OF: dict[Status, Level] = {"noted": "info", "warned": "warning", "failed": "error", "off": "off"}
"""The severity in force where a rule came to a status."""
SEVERE: tuple[Status, ...] = ("warned", "failed")
"""What a rule comes to where what broke it is told in findings."""
DIMENSIONS: tuple[str, ...] = get_args(Dimension)


@dataclass(frozen=True)
class Rule:
    """One rule: what must hold of which table and column, and what goes wrong otherwise."""

    id: str
    table: str
    column: str | None
    severity: Severity
    dimension: Dimension
    title: str
    why: str


_RULES = (
    # Pages
    Rule("PAG-001", "profiles", None, "error", "validity", "A page can be read as text",
         "A page that is empty, too large or not UTF-8 would be missing without a trace."),
    Rule("PAG-002", "profiles", "lines", "error", "completeness", "No line of a page stands in two rows",
         "A line that two rows hold is counted twice, or one of them is wrong."),
    Rule("PAG-003", "profiles", "sha256", "error", "accuracy", "A page can be rebuilt from the tables byte for byte",
         "If it cannot, a line is lost, or the tables do not say what the page says."),
    Rule("PAG-004", "quarantine", "raw_text", "warning", "validity", "Lines belong to the header or to a block",
         "Lines that do not parse are papers that the dataset lacks."),
    Rule("PAG-005", "profiles", "header", "warning", "validity", "Every line of a header is known",
         "An unknown line may hold a figure that the dataset lacks."),
    Rule("PAG-006", "profiles", "listed_papers", "warning", "completeness", "A page lists the papers that it states, up to the site's limit",
         f"The site lists up to {PAPERS_A_PAGE} papers a page; a page with fewer was saved before all had loaded."),
    Rule("PAG-007", "profiles", "stated_papers", "warning", "consistency", "A page states its number of papers the same way twice",
         "One of the two figures is old, or the page was saved while it loaded."),
    Rule("PAG-008", "listings", "badge", "warning", "validity", "A badge's flags are known",
         "An unknown flag is kept in the badge, but no column tells it."),
    Rule("PAG-009", "profiles", "listed_papers", "warning", "completeness", "Most blocks of a page can be read",
         "A page of which many blocks are damaged was saved in a way that lost lines; saving it again brings the papers back."),
    Rule("PAG-010", "profiles", None, "error", "validity", "A page holds what a researcher's profile page holds",
         "HTML, another site's text or a page saved while it loaded would replace good data with none."),
    Rule("PAG-011", "profiles", None, "warning", "validity", "A page's text is decoded once, and rightly",
         "Letters such as Ã© and codes such as &amp; come from a wrong encoding; names and search suffer."),
    Rule("PAG-012", "profiles", "header", "warning", "validity", "A file holds one page",
         "Whose papers stand behind a second header is not known; they are read without an owner."),
    Rule("PAG-013", "profiles", "observed_on", "warning", "validity", "A date in the name of a file or folder exists",
         "Without the day of saving the year of badges that print none is a guess."),
    Rule("PAG-014", "profiles", "source", "warning", "uniqueness", "A page is given once",
         "Files of the same bytes are one page; the others were not counted."),
    Rule("PAG-015", "profiles", "listed_papers", "info", "completeness", "A page lists all papers that it states",
         f"The site lists at most {PAPERS_A_PAGE} papers a page, so that counts over this dataset are lower bounds."),
    Rule("PAG-016", "quarantine", "raw_text", "info", "validity", "Blank lines are empty",
         "White space between blocks is kept in the quarantine, so that the page can be rebuilt."),
    # Profiles
    Rule("PRO-001", "profiles", "h_index", "warning", "accuracy", "An h-index is at most the number of papers",
         "Each of h papers needs h citations, so one of the two figures is wrong."),
    Rule("PRO-002", "profiles", "citations", "warning", "accuracy", "Citations are at least the square of the h-index",
         "Each of h papers has at least h citations, so one of the two figures is wrong."),
    Rule("PRO-003", "profiles", "novelty_pct", "warning", "validity", "Novelty and AI score lie between 0 and 100",
         "A figure outside its scale is damaged, or the scale is another."),
    Rule("PRO-004", "profiles", "name", "warning", "completeness", "A page names its owner",
         "Without a name the owner's papers cannot be told from other people's."),
    Rule("PRO-005", "profiles", "field", "warning", "validity", "A page's field is a code of arXiv's",
         "An unknown field has no category to be counted under."),
    # Blocks: what breaks one of these goes to the quarantine
    Rule("BLK-001", "quarantine", "raw_text", "warning", "completeness", "A block has a title",
         "A paper without a title cannot be told from others."),
    Rule("BLK-002", "quarantine", "raw_text", "warning", "validity", "A byline is a list of names",
         "A line of prose in the byline's place would become people."),
    Rule("BLK-003", "quarantine", "raw_text", "warning", "validity", "A badge's date exists",
         "A date such as February 30 is damage."),
    Rule("BLK-004", "quarantine", "raw_text", "warning", "validity", "A block's lines have at most 1 MiB",
         "A line of that size is no title, byline or abstract."),
    Rule("BLK-005", "quarantine", "raw_text", "warning", "validity", "A block's lines stand in order: title, byline, abstract",
         "A line too many or two that changed places would shift every field of the paper."),
    # Papers
    Rule("PAP-001", "papers", "abstract", "warning", "completeness", "A paper has an abstract",
         "Search and reading depend on it; the page may have been cut short."),
    Rule("PAP-002", "papers", "abstract", "warning", "completeness", "An abstract ends in a full sentence",
         "An abstract that ends in a comma, a dash, an open bracket or a word such as \"with\" is cut off; one that only lacks its full stop is not."),
    Rule("PAP-003", "papers", "year_inferred", "info", "accuracy", "A paper's year is printed, not inferred",
         "The year was inferred from the page: a page leaves out the year in which it was saved."),
    Rule("PAP-004", "papers", "published", "warning", "completeness", "A paper's year is known",
         "The page prints no year at all; when the page was saved would tell."),
    Rule("PAP-005", "listings", "category_resolution", "info", "accuracy", "A badge's code names one category",
         "The code belongs to several categories; the page's other papers or the likeliest archive decided."),
    Rule("PAP-006", "papers", "category_id", "warning", "completeness", "A paper's category is known",
         "The badge's code is unknown, or nothing tells which of its categories is meant."),
    Rule("PAP-007", "variants", "value", "warning", "consistency", "Pages print the same year for a paper",
         "Two pages disagree; the newest page was believed."),
    Rule("PAP-008", "papers", "title", "warning", "uniqueness", "A title and first author stand under one date",
         "It may be one paper in two versions, counted twice; listings of two dates are not merged."),
    Rule("PAP-009", "papers", "title", "warning", "completeness", "A title has more than two letters",
         "A title so short is cut, or a line of another kind stands in its place."),
    Rule("PAP-010", "papers", "abstract", "warning", "completeness", "An abstract has more than twenty letters",
         "An abstract so short is cut, or a line of another kind stands in its place."),
    Rule("PAP-011", "papers", "abstract", "warning", "validity", "TeX in an abstract is balanced",
         "A dollar or a brace without its partner spoils the rendering of all that follows."),
    Rule("PAP-012", "papers", "published", "warning", "timeliness", "A paper is not dated after its page was saved",
         "Either the badge's date or the day of saving is wrong."),
    Rule("PAP-013", "papers", "published", "warning", "timeliness", "A paper is dated 1990 or later",
         "arXiv began in 1991; an earlier date is damage."),
    Rule("PAP-014", "papers", "abstract", "warning", "validity", "Titles and abstracts hold no invisible characters",
         "Control, bidirectional and zero-width characters hide words from search and deceive the eye."),
    # People
    Rule("AUT-001", "author_names", "matched_by", "info", "consistency", "A person stands under one spelling",
         "Several spellings were joined to one person; the table of spellings tells why."),
    Rule("AUT-002", "merge_candidates", "evidence", "info", "uniqueness", "No two authors may be one person",
         "The names of these authors are like another's, but nothing decides; an overrides file can."),
    Rule("AUT-003", "listings", "paper_id", "warning", "uniqueness", "A byline names a person once",
         "One author is counted; two people of one name cannot be told apart."),
    Rule("AUT-004", "paper_authors", "position", "warning", "consistency", "A page's owner stands in a byline that is not cut",
         "The page may list a namesake's paper, which would be counted as the owner's."),
    Rule("AUT-005", "author_names", "name", "warning", "validity", "An override can be carried out",
         "It names a spelling that no page prints, or asks to part two people of one spelling."),
    Rule("AUT-006", "authors", "name", "warning", "validity", "A byline's commas part authors, not names",
         "Two neighbours of one word each are mostly one author, whose name a comma splits in two; one such name alone is sound."),
    Rule("AUT-007", "authors", "name", "info", "validity", "An author is a person",
         "Collaborations and teams are authors too, but count as no person."),
    Rule("AUT-008", "profiles", None, "warning", "validity", "Bylines write given names first",
         "Where family names stand first, the comma between family and given name parts one person into two."),
    # Links
    Rule("LNK-001", "links", "url", "warning", "validity", "A link is one of the web",
         "An address of another scheme than http and https is shown as text, since it can do harm."),
    Rule("LNK-002", "links", "host", "warning", "validity", "A link's host is a domain name",
         "An address without a domain leads nowhere, or into a private network."),
    # Tables
    Rule("TAB-001", "tables", None, "error", "validity", "Every value has the form that its column promises",
         "Queries rely on the promise."),
    Rule("TAB-002", "tables", None, "error", "uniqueness", "Keys are unique",
         "A key that stands twice makes every join wrong."),
    Rule("TAB-003", "tables", None, "error", "consistency", "Every foreign key leads to a row",
         "A key that leads nowhere loses rows in joins."),
    Rule("TAB-004", "tables", None, "error", "consistency", "Every author, institution and category is used",
         "A row that nothing refers to tells of nothing on any page."),
    # The dataset against a baseline: in reports only
    Rule("DAT-001", "dataset", None, "error", "completeness", "No table loses many rows",
         "Rows that an earlier run had may be missing because pages are; up to one in twenty may go."),
    Rule("DAT-002", "dataset", None, "error", "completeness", "Pages list no smaller share of their papers",
         "Pages may have been saved before they had loaded; five in a hundred may be lost."),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}
"""All rules by their identifier, in the order in which they are shown."""
