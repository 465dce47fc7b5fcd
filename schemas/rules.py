"""The registry of rules for pages and tables.

Identifiers are stable. `error` stops a build, `warning` is published and reported, `info` is only
counted, since a column has it already. A rules file may set another severity, and turn a rule off.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from schemas.limits import (
    ABSTRACT_LETTERS,
    BYLINE_NAMES,
    DEEPEST_TEX,
    EARLIEST_YEAR,
    IN_WORDS,
    LONGEST_LINE,
    LONGEST_PAGE,
    LONGEST_TEX,
    LOST_OF,
    MOST_LINES,
    PAPERS_A_PAGE,
    SHORT_ABSTRACT,
    SHORT_TITLE,
    TITLE_LETTERS,
)

Severity = Literal["error", "warning", "info"]
Dimension = Literal["accuracy", "completeness", "consistency", "timeliness", "uniqueness", "validity"]
Level = Literal["off", "info", "warning", "error"]
"""The severities that a rules file may set; a rule that is off is not checked."""
Status = Literal["passed", "noted", "warned", "failed", "off"]
"""The result of a rule: nothing broke it, or it was broken and is info, a warning or an error, or it was not checked."""
SEVERITIES: tuple[str, ...] = get_args(Severity)
LEVELS: tuple[Level, ...] = get_args(Level)
STATUSES: tuple[Status, ...] = get_args(Status)
SEVERITY_OF: dict[Status, Level] = {"noted": "info", "warned": "warning", "failed": "error", "off": "off"}
"""The severity in force by a rule's status."""
SEVERE: tuple[Status, ...] = ("warned", "failed")
"""The statuses of rules whose failures are reported as findings."""
DIMENSIONS: tuple[str, ...] = get_args(Dimension)


@dataclass(frozen=True)
class Condition:
    """What breaks a rule that concerns one row: polars SQL over the columns of the row.

    `among` selects the rows that are checked; a finding shows the column `value` and the line in the column `line`. The
    message names columns in braces.
    """

    breaks: str
    message: str
    value: str
    line: str
    among: str = "true"


@dataclass(frozen=True)
class Rule:
    """One rule: what must hold of which table and column, and what goes wrong otherwise.

    `example` breaks it: lines as a page has them, or a case in words. `advice` is what to do next. A rule without a
    `condition` is checked in Python. Those of the quarantine (BLK, PAG-004, PAG-016) are checks of columns in
    `schemas/blocks.py` and faults that `etl/extract/page.py` finds; TAB, PAG-002 and PAG-003 are in
    `etl/validate/integrity.py`, PAG-001 in `etl/validate/findings.py`, DAT in `etl/report/baseline.py`, and all others
    are functions in `etl/validate/rules/`.
    """

    id: str
    table: str
    column: str | None
    severity: Severity
    dimension: Dimension
    title: str
    why: str
    example: str
    advice: str
    condition: Condition | None = None


_RULES = (
    # Pages
    Rule("PAG-001", "profiles", None, "error", "validity", "A page can be read as text",
         "A page that is empty, too large or not UTF-8 would be missing without a trace.",
         example=f"A file of no bytes, one of more than {LONGEST_PAGE >> 20} MiB or {MOST_LINES:,} lines, or one that an editor saved as UTF-16 or Latin-1.",
         advice="Save the page again as plain text in UTF-8. --allow-unreadable publishes without it and lists it in the manifest."),
    Rule("PAG-002", "profiles", "lines", "error", "completeness", "No line of a page is in two rows",
         "A line in two rows is counted twice, or one of the rows is wrong.",
         example="Line 12 of a page is the title of one paper and the abstract of another.",
         advice="This is an error of paperledger, not of the page: please report it with the page."),
    Rule("PAG-003", "profiles", "sha256", "error", "accuracy", "A page can be rebuilt from the tables byte for byte",
         "If it cannot, a line is lost, or a table differs from the page.",
         example="The tables have `On Bells` where line 12 of the page is `On  Bells`.",
         advice="This is an error of paperledger, not of the page: please report it with the page."),
    Rule("PAG-004", "quarantine", "raw_text", "warning", "validity", "Lines belong to the header or to a block",
         "Lines that do not parse are papers that the dataset lacks.",
         example="Advertisement\n\nCLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Open the page at these lines. If they are a paper, save the page again so that badge, title, byline and abstract are on lines below each other; if they are not, leave them."),
    Rule("PAG-005", "profiles", "header", "warning", "validity", "Every line of a header is known",
         "An unknown line may be a figure that the dataset lacks.",
         example="Ann Bell\n\nCL\n2papers\n2.1k stars",
         advice="Look at the line: if it is a figure of the profile that was garbled, save the page again; if the site shows something new, leave it or report it."),
    Rule("PAG-006", "profiles", "listed_papers", "warning", "completeness", "A page lists the papers that it states, up to the site's limit",
         f"The site lists up to {PAPERS_A_PAGE} papers a page; a page with fewer was saved before all had loaded.",
         example="Ann Bell\n\nCL\n12papers\n\n12 Papers",
         advice="Open the profile, scroll to its end so that all papers load, and save the page again."),
    Rule("PAG-007", "profiles", "stated_papers", "warning", "consistency", "A page states its number of papers the same way twice",
         "One of the two figures is old, or the page was saved while it loaded.",
         example="Ann Bell\n\nCL\n2papers\n\n3 Papers",
         advice="Save the page again once it has loaded; both figures are then the same."),
    Rule("PAG-008", "listings", "badge", "warning", "validity", "A badge's flags are known",
         "An unknown flag stays in the badge, but has no column.",
         example="CLMay 1, 2024CodeVideo\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Nothing is lost: the badge is stored as printed. Report the flag if it means something that you want to query."),
    Rule("PAG-009", "profiles", "listed_papers", "warning", "completeness", "Most blocks of a page can be read",
         "A page of which many blocks are damaged was saved in a way that lost lines; saving it again brings the papers back.",
         example="A page of 50 papers whose blank lines were lost when it was copied, so that 30 of them cannot be separated.",
         advice="Save the page again: open it, select all, copy, and paste into a plain text file; keep blank lines."),
    Rule("PAG-010", "profiles", None, "error", "validity", "A page is a researcher's profile page",
         "HTML, another site's text or a page saved while it loaded would replace good data with none.",
         example="<!DOCTYPE html>\n<html><body><p>Ann Bell</p></body></html>",
         advice="Open the profile in a browser, wait until its papers are there, select all, copy, and paste into a plain text file. --allow-unreadable publishes all the same."),
    Rule("PAG-011", "profiles", None, "warning", "validity", "A page's text is decoded once, and rightly",
         "Letters such as Ã© and codes such as &amp; come from a wrong encoding; names and search suffer.",
         example="CLMay 1, 2024\nCafÃ© Bells &amp; Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Save the page again as UTF-8 from the browser; a file that was converted in between cannot be mended."),
    Rule("PAG-012", "profiles", "header", "warning", "validity", "A file holds one page",
         "The owner of the papers behind a second header is unknown; they are read without an owner.",
         example="Eve Fox\n\nCL\nh-index1\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Ropes\n\nEve Fox, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Split the file at the line that the finding names, and give each page a file of its own; remove a copy of the page above."),
    Rule("PAG-013", "profiles", "observed_on", "warning", "validity", "A date in the name of a file or folder exists",
         "Without the day of saving the year of badges that print none is a guess.",
         example="A page in the file ann-bell@2026-02-30.txt.",
         advice="Rename the file or folder to the day on which the page was saved, or give --observed-on."),
    Rule("PAG-014", "profiles", "source", "warning", "uniqueness", "A page is given once",
         "Files of the same bytes are one page; the others were not counted.",
         example="ann.txt and copy-of-ann.txt hold the same bytes.",
         advice="Delete one of the files, or leave both: the page is counted once."),
    Rule("PAG-015", "profiles", "listed_papers", "info", "completeness", "A page lists all papers that it states",
         f"The site lists at most {PAPERS_A_PAGE} papers a page, so that counts over this dataset are lower bounds.",
         example="A page that states 76papers and lists 50.",
         advice="Nothing to do: the site lists no more. Read counts over this dataset as lower bounds."),
    Rule("PAG-016", "quarantine", "raw_text", "info", "validity", "Blank lines are empty",
         "White space between blocks goes to the quarantine, so that the page can be rebuilt.",
         example="A line of two spaces between two blocks.",
         advice="Nothing to do: the white space is stored, and no paper is lost."),
    # Profiles
    Rule("PRO-001", "profiles", "h_index", "warning", "accuracy", "An h-index is at most the number of papers",
         "Each of h papers needs h citations, so one of the two figures is wrong.",
         example="Ann Bell\n\nCL\nh-index87\n76papers",
         advice="Look at the profile: if the site itself prints both figures, leave them; otherwise save the page again.",
         condition=Condition("h_index > stated_papers", value="h_index", line="h_index_line", among="h_index IS NOT NULL AND stated_papers IS NOT NULL",
             message="h-index {h_index} with {stated_papers} papers; an h-index is at most the number of papers, see which figure is wrong")),
    Rule("PRO-002", "profiles", "citations", "warning", "accuracy", "Citations are at least the square of the h-index",
         "Each of h papers has at least h citations, so one of the two figures is wrong.",
         example="Ann Bell\n\nCL\nh-index3\n3papers\n8citations",
         advice="Look at the profile: if the site itself prints both figures, leave them; otherwise save the page again.",
         condition=Condition("1.0 * h_index * h_index > citations", value="citations", line="citations_line", among="h_index IS NOT NULL AND citations IS NOT NULL",
             message="{citations} citations with h-index {h_index}; that index takes {h_index} times {h_index} citations at least, see which figure is wrong")),
    Rule("PRO-003", "profiles", "novelty_pct", "warning", "validity", "Novelty and AI score lie between 0 and 100",
         "A figure outside its scale is damaged, or the scale is another.",
         example="Ann Bell\n\nCL\n2papers\nNovelty101%",
         advice="Look at the profile; if it prints another figure, save the page again."),
    Rule("PRO-004", "profiles", "name", "warning", "completeness", "A page names its owner",
         "Without a name the owner's papers cannot be separated from other people's.",
         example="CL\n2papers\n\n2 Papers",
         advice="Save the page again from its top, which has the name."),
    Rule("PRO-005", "profiles", "field", "warning", "validity", "A page's field is a code of arXiv's",
         "An unknown field has no category to be counted under.",
         example="Ann Bell\n\nXX\n2papers",
         advice="Look at the line under the name; if the site prints a field that paperledger does not know, report it."),
    # Blocks: what breaks one of these goes to the quarantine
    Rule("BLK-001", "quarantine", "raw_text", "warning", "completeness", "A block has a title",
         "A paper without a title cannot be distinguished from others.",
         example="CLMay 1, 2024\n* * *\n\nAnn Bell\n\nThey ring at every full hour.",
         advice="Save the page again; the line behind the badge must be the title."),
    Rule("BLK-002", "quarantine", "raw_text", "warning", "validity", "A byline is a list of names",
         "A line of prose in the byline's place would become people.",
         example="CLMay 1, 2024\nOn Ropes\n\nThey ring the bells.\n\nThey hold every bell in the tower.",
         advice="Look at the line behind the title: it must be the list of authors, names parted by commas. Save the page again if it is another line."),
    Rule("BLK-003", "quarantine", "raw_text", "warning", "validity", "A badge's date exists",
         "A date such as February 30 is damage.",
         example="CLFeb 30, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the profile, and save the page again if it prints another date."),
    Rule("BLK-004", "quarantine", "raw_text", "warning", "validity", "A block's parts have at most the size that papers have",
         "A text of that size is no title, byline or abstract, and would make tables and search slow.",
         example=f"A title of more than {TITLE_LETTERS:,} letters, a byline of more than {BYLINE_NAMES:,} names, an abstract of more than {ABSTRACT_LETTERS:,} letters, or a line of more than {LONGEST_LINE >> 20} MiB.",
         advice="Look at the part that the reason names: it is no text of a paper. Save the page again."),
    Rule("BLK-005", "quarantine", "raw_text", "warning", "validity", "A block's lines are in order: title, byline, abstract",
         "A line too many or two that changed places would shift every field of the paper.",
         example="CLMay 1, 2024\nOn Ropes\n\nShow more\n\nAnn Bell, Cy Dole et al.\n\nThey hold every bell in the tower.",
         advice="Save the page again, so that title, byline and abstract follow the badge in this order, each once."),
    # Papers
    Rule("PAP-001", "papers", "abstract", "warning", "completeness", "A paper has an abstract",
         "Search and reading depend on it; the page may have been cut short.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\n\n",
         advice="Look at the profile: if it shows an abstract, save the page again; if it shows none, leave it."),
    Rule("PAP-002", "papers", "abstract", "warning", "completeness", "An abstract ends in a full sentence",
         "An abstract that ends in a comma, a dash, an open bracket or a word such as \"with\" is cut off; one that only lacks its full stop is not.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower and the",
         advice="Look at the profile: if it shows the whole abstract, save the page again; the site itself cuts some off."),
    Rule("PAP-003", "papers", "year_inferred", "info", "accuracy", "A paper's year is printed, not inferred",
         "The year was inferred from the page: a page leaves out the year in which it was saved.",
         example="CLMay 1\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Nothing to do: the site leaves out the current year. The column year_inferred marks such papers.",
         condition=Condition("year_inferred", value="published", line="line_start",
             message="the badge prints no year; {published} is the latest such day before the page was saved")),
    Rule("PAP-004", "papers", "published", "warning", "completeness", "A paper's year is known",
         "The page prints no year at all, and the day on which it was saved, which decides, is unknown.",
         example="The badge CLMay 1 on a page that prints no year at all and was saved on an unknown day.",
         advice="Give --observed-on DATE, or name the file for the day on which it was saved, such as ann-bell@2026-06-01.txt.",
         condition=Condition("published IS NULL", value="title", line="line_start",
             message="no page prints the year of {title}; say when the page was saved, with --observed-on YYYY-MM-DD")),
    Rule("PAP-005", "listings", "category_resolution", "info", "accuracy", "A badge's code names one category",
         "The code belongs to several categories; the page's other papers and the words of title and abstract decided.",
         example="CVMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Nothing to do; the column category_resolution says how it was resolved. Check the category before you count by it.",
         condition=Condition("category_resolution = 'evidence'", value="code", line="line_start",
             message="the code {code} belongs to several categories; {category_id} was chosen")),
    Rule("PAP-006", "papers", "category_id", "warning", "completeness", "A paper's category is known",
         "The badge's code is unknown, or nothing decides between its categories.",
         example="ZZMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the badge: if the page prints another code, save it again; the paper is published without a category."),
    Rule("PAP-008", "paper_candidates", "evidence", "warning", "uniqueness", "No two papers may be one",
         "Two papers have one title and first author but two dates, or one abstract but two titles; one paper may be counted twice.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.\n\nCLMay 2, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look whether both are one paper, submitted twice or revised; join them in an overrides file ([[paper]] same = [...])."),
    Rule("PAP-009", "papers", "title", "warning", "completeness", f"A title has more than {IN_WORDS[SHORT_TITLE]} letters",
         "A title so short is cut, or a line of another kind is in its place.",
         example="CLMay 1, 2024\nOn\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the profile, and save the page again if it prints a longer title."),
    Rule("PAP-010", "papers", "abstract", "warning", "completeness", f"An abstract has more than {IN_WORDS[SHORT_ABSTRACT]} letters",
         "An abstract so short is cut, or a line of another kind is in its place.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold.",
         advice="Look at the profile, and save the page again if it prints a longer abstract."),
    Rule("PAP-011", "papers", "abstract", "warning", "validity", "TeX in an abstract is balanced",
         "A dollar or a brace without its partner spoils the rendering of all that follows.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold $2\\times as many bells as before.",
         advice="Look at the end of the abstract: it may be cut off. If the author wrote it so, leave it."),
    Rule("PAP-012", "listings", "badge", "warning", "timeliness", "A paper is not dated after its page was saved",
         "Either the badge's date or the day of saving is wrong.",
         example="CLMay 1, 2030\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Correct --observed-on or the day in the file's name; if both are right, the badge is wrong.",
         condition=Condition("published > observed_on", value="badge", line="line_start", among="observed_on IS NOT NULL AND published IS NOT NULL AND NOT year_inferred",
             message="the date {published} is after {observed_on}, when the page was saved; see which of the two is wrong")),
    Rule("PAP-013", "papers", "published", "warning", "timeliness", f"A paper is dated {EARLIEST_YEAR} or later",
         "arXiv began in 1991; an earlier date is damage.",
         example=f"CLMay 1, {EARLIEST_YEAR - 1}\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the badge, and save the page again if it prints another year.",
         condition=Condition(f"extract(year FROM published) < {EARLIEST_YEAR}", value="published", line="line_start",
             message=f"the date {{published}} is before {EARLIEST_YEAR}, and arXiv began in 1991; see whether the badge was saved as the site shows it")),
    Rule("PAP-014", "papers", "abstract", "warning", "validity", "Titles and abstracts have no invisible characters",
         "Control, bidirectional and zero-width characters hide words from search and deceive the eye.",
         example="CLMay 1, 2024\nOn \u202eRopes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Delete the characters from the page if they were not meant; the finding names the first by its number."),
    Rule("PAP-015", "listings", "paper_id", "warning", "uniqueness", "A page lists a paper once",
         "Two listings of the page became one paper; either the page was copied in overlapping parts, or two works are taken for one.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell.\n\nCLMay 1, 2024\nOn ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Delete the second listing from the page, or report it if these are two works."),
    Rule("PAP-016", "papers", "abstract", "warning", "validity", "TeX of titles and abstracts is short and flat enough to be read",
         f"The site shows TeX of more than {LONGEST_TEX:,} letters or {DEEPEST_TEX} levels as printed: reading it could take for ever. No paper writes such TeX.",
         example="CLMay 1, 2024\nOn " + "\\sqrt[" * (DEEPEST_TEX + 1) + "Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the title or abstract on the profile. If the page was damaged, save it again; if the site itself shows such TeX, remove the block from the page or leave it: it is stored as printed."),
    # People
    Rule("AUT-001", "author_names", "matched_by", "info", "consistency", "A person has one spelling",
         "Several spellings were joined to one person; the table author_names has the reasons.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Béll, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the table author_names. If two people were joined, part them in an overrides file (different = [[\"Ann Bell\", \"Ann Béll\"]])."),
    Rule("AUT-002", "merge_candidates", "evidence", "info", "uniqueness", "No two authors may be one person",
         "The names of these authors are like another's, but nothing decides; an overrides file can.",
         example="CLMay 1, 2024\nOn Ropes\n\nEve Fox, C. Dole et al.\n\nThey hold every bell in the tower.",
         advice="Look at the table merge_candidates. If both are one person, say so in an overrides file (same = [[\"Cy Dole\", \"C. Dole\"]])."),
    Rule("AUT-003", "listings", "paper_id", "warning", "uniqueness", "A byline names a person once",
         "One author is counted; two people of one name cannot be distinguished.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole, Cy Dole\n\nThey hold every bell in the tower.",
         advice="Look at the paper: if the byline names two people of one name, nothing can be done; otherwise leave it."),
    Rule("AUT-004", "paper_authors", "position", "warning", "consistency", "A byline that is not cut names the page's owner",
         "The page may list a namesake's paper, which would be counted as the owner's.",
         example="CLMay 1, 2024\nOn Ropes\n\nEve Fox\n\nThey hold every bell in the tower.",
         advice="Look at the paper: if the page's owner did not write it, the site took a namesake's paper for theirs."),
    Rule("AUT-005", "author_names", "name", "warning", "validity", "An override can be carried out",
         "It names a spelling or a paper that is not there, gives a paper to somebody who is no author of it, or asks to part one spelling from itself.",
         example="same = [[\"Ann Bell\", \"Anne Bell\"]] in the overrides file, where no page prints Anne Bell.",
         advice="Go to the line of the overrides file: copy the spelling from the table author_names and the paper's id from papers, or delete the entry; two people of one spelling are parted by [[person]] with papers."),
    Rule("AUT-006", "authors", "name", "warning", "validity", "A byline's commas separate authors, not parts of names",
         "Two neighbours of one word each are mostly one author, whose name a comma splits in two; one such name alone is sound.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Fox, Eve\n\nThey hold every bell in the tower.",
         advice="Look at the byline: if the comma splits one author's name, write the name without it; if these are two people of one name each, leave it."),
    Rule("AUT-007", "authors", "name", "info", "validity", "An author is a person",
         "Collaborations and teams are authors too, but count as no person.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, The Bell Tower Team\n\nThey hold every bell in the tower.",
         advice="Nothing to do; leave groups out where you count people."),
    Rule("AUT-008", "profiles", None, "warning", "validity", "Bylines write given names first",
         "Where family names are first, the comma between family and given name splits one person into two.",
         example="Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Ropes\n\nBell, Ann, Dole, Cy\n\nThey hold every bell in the tower.",
         advice="Write given names first (Ann Bell, Cy Dole), or put a semicolon behind each author (Bell, Ann; Dole, Cy)."),
    Rule("AUT-009", "authors", "name", "warning", "consistency", "Names are few enough to be compared",
         "Where each of a set of names may be that of very many others, no two are compared: each spelling is an author of its own.",
         example="A byline of 1,000 names with the same first and family name, whose middle initials are all combinations of ten letters.",
         advice="Look at the bylines, which no real paper has; leave the page out, or join names in an overrides file (same = [[\"Ann Bell\", \"Ann B. Bell\"]])."),
    # Links
    Rule("LNK-001", "links", "url", "warning", "validity", "A link is one of the web",
         "An address of another scheme than http and https is shown as text, since it can do harm.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell, see ftp://example.org for more.",
         advice="Look at the abstract; open the address only if you trust it."),
    Rule("LNK-002", "links", "host", "warning", "validity", "A link's host is a domain name",
         "An address without a domain opens nothing, or a private network.",
         example="CLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell, see http://localhost/ for more.",
         advice="Look at the abstract: the address may be garbled, or meant for the author's own machine."),
    # The reference
    Rule("REF-001", "listings", "paper_id", "warning", "consistency", "A byline agrees with its record of arXiv's",
         "Where a printed name is not the record's at its place, one of the two is wrong; the byline is not completed.",
         example="A byline of Ann Bell, Eve Fox et al. where the record has Ann Bell, Cy Dole, Eve Fox.",
         advice="Open the record on arXiv: if the page is wrong, save it again; if the names are one person's, leave it."),
    Rule("REF-002", "papers", "paper_id", "warning", "uniqueness", "A paper has one record of arXiv's",
         "Several records fit equally, mostly of a work that was submitted twice; none of them was taken.",
         example="Two records of one title, first author and day under the ids 2401.00001 and 2401.00002.",
         advice="Open the records on arXiv; if one was withdrawn, leave it out of the reference."),
    Rule("REF-003", "paper_identifiers", None, "warning", "validity", "Every record of the reference can be read",
         "The papers of a damaged record are not completed.",
         example="A line that is cut off in the middle of the record.",
         advice="Look at the line of the file that the finding names; download the file again if there are many."),
    # Tables
    Rule("TAB-001", "tables", None, "error", "validity", "Every value has the form that its column promises",
         "Queries rely on the promise.",
         example="A value of papers.published that is no date.",
         advice="This is an error of paperledger, not of the pages: please report it with what the finding says."),
    Rule("TAB-002", "tables", None, "error", "uniqueness", "Keys are unique",
         "A duplicate key makes every join wrong.",
         example="Two rows of papers with the same paper_id.",
         advice="This is an error of paperledger, not of the pages: please report it with what the finding says."),
    Rule("TAB-003", "tables", None, "error", "consistency", "Every foreign key refers to a row",
         "A key without its row loses rows in joins.",
         example="A row of listings whose paper_id no row of papers has.",
         advice="This is an error of paperledger, not of the pages: please report it with what the finding says."),
    Rule("TAB-004", "tables", None, "error", "consistency", "Every author, institution and category is used",
         "A row that nothing refers to is about nothing on any page.",
         example="An author whom no paper and no profile names.",
         advice="This is an error of paperledger, not of the pages: please report it with what the finding says."),
    # The dataset against a baseline: in reports only
    Rule("DAT-001", "dataset", None, "error", "completeness", "No page is missing, and no table loses many rows",
         f"Rows of the baseline would disappear unnoticed; unless a rules file says otherwise, one page or row in {IN_WORDS[LOST_OF]} may go.",
         example="The baseline read eve-fox.txt, and it is not among the pages of this run.",
         advice="Give the missing pages again. If they may go, set a limit for this rule, or take a newer release for the baseline."),
    Rule("DAT-002", "dataset", None, "error", "completeness", "Pages list no smaller share of their papers than in the baseline",
         f"Pages may have been saved before all their papers had loaded; unless a rules file says otherwise, one paper in {IN_WORDS[LOST_OF]} may go.",
         example="In the baseline a page listed 50 of 60 papers, now 10 of 60.",
         advice="Open the page that the finding names, wait until all papers have loaded, and save it again."),
)  # fmt: skip

RULES: dict[str, Rule] = {rule.id: rule for rule in _RULES}
"""All rules by their identifier, in the order in which they are shown."""
