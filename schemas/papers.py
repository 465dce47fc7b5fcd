"""Papers, and the tables of their categories, authors, identifiers, institutions and links, joined in `PaperList`."""

import datetime as dt

from pandera.polars import Field

from schemas.limits import PAPER_ID, SLUG, URL
from schemas.table import TAXONOMY, Table
from schemas.views import PAPER_LIST


class Categories(Table):
    """Categories of the arXiv taxonomy that a paper or a profile of this dataset belongs to."""

    category_id: str = Field(title="Category", description="arXiv's identifier of the category, such as cs.CL.")
    badge_code: str = Field(
        title="Badge code",
        description="The code that pages print for it: the part of the identifier after the dot, or all of it where it has no dot.",
    )
    name: str = Field(title="Name", description="arXiv's name of the category.")
    archive: str = Field(
        title="Archive", description="arXiv's identifier of its archive, such as cs.", metadata={"facet": True}
    )
    archive_name: str = Field(title="Archive's name", description="arXiv's name of the archive.")
    group_name: str = Field(
        title="Group", description="The group of archives, such as Physics.", metadata={"facet": True}
    )
    active: bool = Field(title="Active", description="Whether arXiv still takes papers in this category.")

    class Config:
        name = "categories"
        title = "Categories"
        metadata = {"primary_key": ["category_id"], "label": "name", "sort": "category_id", "rights": TAXONOMY}


LINK_KINDS = ["code", "data", "site"]
AUTHOR_SOURCES = ["byline", "owner", "reference"]
CATEGORY_SOURCES = ["badge", "reference"]
IDENTIFIER_SCHEMES = ["arxiv", "doi"]
IDENTIFIER_MATCHES = ["title_author_date", "abstract"]
PAPER_MATCHES = ["other_date", "same_abstract", "same_identifier"]


class Papers(Table):
    """Papers: a row each, taken as a whole from the newest listing on any page."""

    paper_id: str = Field(
        str_matches=PAPER_ID,
        title="Paper",
        description=(
            "Hash of the title without case, diacritics and punctuation, the first author's initial and last name, and the badge's"
            " month and day; of the year too where pages print different ones."
        ),
    )
    title: str = Field(str_length={"min_value": 1}, title="Title", description="Title as printed.")
    abstract: str = Field(
        title="Abstract",
        description="Abstract as printed, with its TeX; empty where the page prints none.",
        metadata={"sortable": False},
    )
    category_id: str = Field(
        nullable=True,
        title="Category",
        description="Primary category; null where the badge's code could not be resolved.",
        metadata={"facet": True},
    )
    published: dt.date = Field(
        nullable=True,
        title="Published",
        description="Date of the badge; null where neither the page nor the day of saving gives the year.",
    )
    year_inferred: bool = Field(
        title="Year inferred",
        description="Whether the year is inferred, since the page prints none.",
        metadata={"facet": True},
    )
    listed_author_count: int = Field(
        ge=1,
        title="Listed authors",
        description="Number of different authors that the byline shows.",
        metadata={"unit": "authors"},
    )
    author_count: int = Field(
        nullable=True,
        ge=1,
        title="Authors",
        description="Number of all authors; null where the byline is cut and no reference completes it.",
        metadata={"unit": "authors"},
    )
    authors_truncated: bool = Field(
        title="Byline cut",
        description='Whether the byline ends in "et al.", so that authors are missing.',
        metadata={"facet": True},
    )
    has_code: bool = Field(
        title="Has code", description="Whether the page flags the paper with Code.", metadata={"facet": True}
    )
    citekey: str = Field(
        title="Citation key",
        description="Key to cite the paper by: family name, year and first long word of the title, such as bell2025bells.",
        metadata={"unique": True},
    )

    class Config:
        name = "papers"
        title = "Papers"
        metadata = {
            "primary_key": ["paper_id"],
            "references": {"category_id": "categories"},
            "label": "title",
            "search": {"tokenizer": "porter unicode61", "title": "title", "abstract": "abstract"},
            "sort": "-published",
            "orders": ["published,category_id"],
            "page_size": 20,
        }


class PaperAuthors(Table):
    """Who wrote which paper: the authors of the byline, and the owners of pages that list the paper though "et al." hides their names."""

    paper_id: str = Field(title="Paper", description="The paper.")
    author_id: str = Field(title="Author", description="The author.")
    position: int = Field(
        nullable=True, ge=1, title="Position", description='Place in the byline, from 1; null where "et al." hides it.'
    )
    name: str = Field(
        title="Name", description="The name as printed: in the byline, on the owner's page, or in the reference."
    )
    source: str = Field(
        isin=AUTHOR_SOURCES,
        title="Known from",
        description="byline, owner (the page's owner, whom the byline does not show), or reference (arXiv's metadata).",
        metadata={"facet": True},
    )

    class Config:
        name = "paper_authors"
        title = "Authors of papers"
        metadata = {
            "primary_key": ["paper_id", "author_id"],
            "references": {"paper_id": "papers", "author_id": "authors"},
            "short_rows": True,
        }


class PaperCategories(Table):
    """The categories of papers: the primary one of the badge, and further ones from a reference."""

    paper_id: str = Field(title="Paper", description="The paper.")
    category_id: str = Field(title="Category", description="The category.")
    is_primary: bool = Field(title="Primary", description="Whether it is the paper's primary category.")
    source: str = Field(
        isin=CATEGORY_SOURCES, title="Known from", description="badge, or reference (arXiv's metadata)."
    )

    class Config:
        name = "paper_categories"
        title = "Categories of papers"
        metadata = {
            "primary_key": ["paper_id", "category_id"],
            "references": {"paper_id": "papers", "category_id": "categories"},
            "short_rows": True,
        }


class PaperIdentifiers(Table):
    """Identifiers of papers at arXiv, and DOIs: from a reference, so that there are none without one."""

    paper_id: str = Field(title="Paper", description="The paper.")
    scheme: str = Field(isin=IDENTIFIER_SCHEMES, title="Scheme", description="arxiv or doi.", metadata={"facet": True})
    value: str = Field(title="Identifier", description="The identifier, such as 2401.00001.")
    url: str = Field(str_matches=URL, title="Address", description="The web address of the identifier.")
    matched_by: str = Field(
        isin=IDENTIFIER_MATCHES,
        title="Matched by",
        description="title_author_date (title, first author and day agree), or abstract (abstract, first author and day).",
    )
    evidence: str = Field(
        title="Evidence", description="The record that was matched, by file and line.", metadata={"sortable": False}
    )

    class Config:
        name = "paper_identifiers"
        title = "Identifiers of papers"
        metadata = {
            "primary_key": ["paper_id", "scheme", "value"],
            "references": {"paper_id": "papers"},
            "label": "value",
        }


class PaperCandidates(Table):
    """Pairs of papers that may be one but were not merged; an overrides file decides them."""

    paper_id: str = Field(title="Paper", description="The paper whose identifier sorts first.")
    other_id: str = Field(title="Other paper", description="The paper that may be the same.")
    matched_by: str = Field(
        isin=PAPER_MATCHES,
        title="Alike by",
        description=(
            "What makes them alike: other_date (title and first author, on another day or in another printed year),"
            " same_abstract (abstract and first author, under another title), same_identifier."
        ),
        metadata={"facet": True},
    )
    evidence: str = Field(
        title="Evidence", description="What they share, and what they do not.", metadata={"sortable": False}
    )

    class Config:
        name = "paper_candidates"
        title = "Paper candidates"
        metadata = {
            "primary_key": ["paper_id", "other_id"],
            "references": {"paper_id": "papers", "other_id": "papers(paper_id)"},
            "short_rows": True,
            "group": "audit",
        }


class Institutions(Table):
    """Institutions that bylines name behind the authors, such as " · mila"."""

    institution_id: str = Field(str_matches=SLUG, title="Institution", description="Slug of the name.")
    name: str = Field(
        title="Name", description="The name as printed; of several forms, the first in alphabetical order."
    )

    class Config:
        name = "institutions"
        title = "Institutions"
        metadata = {"primary_key": ["institution_id"], "label": "name", "sort": "name"}


class PaperInstitutions(Table):
    """Which institutions the byline of a paper names."""

    paper_id: str = Field(title="Paper", description="The paper.")
    institution_id: str = Field(title="Institution", description="The institution.", metadata={"facet": True})

    class Config:
        name = "paper_institutions"
        title = "Institutions of papers"
        metadata = {
            "primary_key": ["paper_id", "institution_id"],
            "references": {"paper_id": "papers", "institution_id": "institutions"},
            "short_rows": True,
        }


class Links(Table):
    """Web addresses in the abstracts."""

    paper_id: str = Field(title="Paper", description="The paper whose abstract contains the address.")
    url: str = Field(
        str_matches=URL,
        title="Address",
        description="The address, without the sentence's punctuation and TeX's escapes.",
    )
    host: str = Field(title="Host", description="The address's host, in lower case.", metadata={"facet": True})
    kind: str = Field(
        isin=LINK_KINDS,
        title="Kind",
        description="What the host is known for: code, data, or site for all others.",
        metadata={"facet": True},
    )

    class Config:
        name = "links"
        title = "Links"
        metadata = {"primary_key": ["paper_id", "url"], "references": {"paper_id": "papers"}, "label": "url"}


_WORDS = PAPER_LIST.columns


class PaperList(Table):
    """Papers with what hangs on them, a row each: the columns of the view paper_list, lists where it has joined text."""

    paper_id: str = Field(title="Paper", description=_WORDS["paper_id"])
    title: str = Field(title="Title", description=_WORDS["title"])
    published: dt.date = Field(nullable=True, title="Published", description=_WORDS["published"])
    category_id: str = Field(nullable=True, title="Category", description=_WORDS["category_id"])
    category: str = Field(nullable=True, title="Category's name", description=_WORDS["category"])
    authors: list[str] = Field(
        title="Authors", description="Names as the byline writes them, in its order; et al. is left out."
    )
    author_names: list[str] = Field(
        title="Author names", description="Every known author's name: the byline's in its order, then all others."
    )
    institutions: list[str] = Field(
        title="Institutions", description="The institutions that the byline is tagged with."
    )
    has_code: bool = Field(title="Has code", description=_WORDS["has_code"])
    citekey: str = Field(title="Citation key", description=_WORDS["citekey"])
    arxiv_id: str = Field(nullable=True, title="Identifier at arXiv", description=_WORDS["arxiv_id"])
    doi: str = Field(nullable=True, title="DOI", description=_WORDS["doi"])

    class Config:
        name = "paper_list"
        title = "Papers, one file"
        metadata = {
            "primary_key": ["paper_id"],
            "references": {"paper_id": "papers", "category_id": "categories"},
        }
