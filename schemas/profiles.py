"""Pages: their headers' figures, their listings, and where a listing differs from the merged row."""

import datetime as dt

from pandera.polars import Field

from schemas.limits import PAPER_ID, PROFILE_ID, SHA256
from schemas.table import Table, at_least, row_check

CATEGORY_RESOLUTIONS = ["override", "reference", "unique", "alias", "evidence", "unresolved"]
VARIANT_FIELDS = ["title", "byline", "abstract", "block", "category_id", "published"]


class Profiles(Table):
    """Saved pages: a row each, with the figures of the header as the page states them."""

    profile_id: str = Field(
        str_matches=PROFILE_ID, title="Profile", description="First 16 hexadecimal digits of the page's SHA-256."
    )
    author_id: str = Field(
        nullable=True, title="Author", description="The page's owner; null on a page without a name."
    )
    name: str = Field(nullable=True, title="Name", description="The owner's name as printed.")
    field: str = Field(nullable=True, title="Field", description="The owner's field as printed, such as CL.")
    category_id: str = Field(nullable=True, title="Category", description="arXiv's category of this code.")
    h_index: int = Field(nullable=True, ge=0, title="h-index", description="The h-index that the page states.")
    stated_papers: int = Field(
        nullable=True,
        ge=0,
        title="Stated papers",
        description="Number of papers that the header states.",
        metadata={"unit": "papers"},
    )
    listed_papers: int = Field(
        ge=0,
        title="Listed papers",
        description="Number of papers that the page lists and the dataset has.",
        metadata={"unit": "papers"},
    )
    citations: int = Field(
        nullable=True,
        ge=0,
        title="Citations",
        description="Citations that the page states.",
        metadata={"unit": "citations"},
    )
    novelty_pct: int = Field(
        nullable=True, ge=0, title="Novelty", description="The site's novelty figure.", metadata={"unit": "percent"}
    )
    ai_score: int = Field(nullable=True, ge=0, title="AI score", description="The site's AI score, out of 100.")
    observed_on: dt.date = Field(
        nullable=True,
        title="Saved on",
        description="Day on which the page was first saved: from --observed-on, or the name of its file or folder; null where unknown.",
    )
    last_observed_on: dt.date = Field(
        nullable=True,
        title="Last saved on",
        description="Day on which the same bytes were last saved; where they were saved once, the same day.",
    )
    source: str = Field(title="Source", description="The page's file, relative to the folder it was found in.")
    sha256: str = Field(
        str_matches=SHA256, title="SHA-256", description="Hash of the page's bytes.", metadata={"unique": True}
    )
    bytes: int = Field(ge=1, title="Bytes", description="Size of the page.", metadata={"unit": "bytes"})
    lines: int = Field(
        ge=1,
        title="Lines",
        description="Number of lines; behind a line break at the end there is an empty one.",
        metadata={"unit": "lines"},
    )
    newline: str = Field(
        isin=["LF", "CRLF"], title="Line break", description="CRLF where every line ends with it, else LF."
    )
    header: str = Field(
        title="Header",
        description='The page\'s first lines, unchanged, up to "N Papers" or to the last line of the header that is known.',
        metadata={"sortable": False},
    )

    class Config:
        name = "profiles"
        title = "Profiles"
        metadata = {
            "primary_key": ["profile_id"],
            "references": {"author_id": "authors", "category_id": "categories"},
            "label": "name",
            "sort": "name",
            "page_size": 50,
        }


class Listings(Table):
    """Papers as pages list them: a row for each paper on each page, with its badge and its lines."""

    profile_id: str = Field(title="Profile", description="The page.")
    position: int = Field(ge=1, title="Position", description="Place in the order of the page, from 1.")
    paper_id: str = Field(title="Paper", description="The paper.")
    alias_id: str = Field(
        nullable=True,
        str_matches=PAPER_ID,
        title="Other identifier",
        description="The identifier of the paper before an override or the reference joined it with another, or the one that it would have"
        " if this were its only listing, where it has another; it leads to the paper too.",
    )
    badge: str = Field(title="Badge", description="The badge as printed: code, date and flags in one.")
    category_resolution: str = Field(
        isin=CATEGORY_RESOLUTIONS,
        title="Category by",
        description=(
            "How the badge's code became a category: override (a file says so), reference (arXiv's metadata), unique (one"
            " category has it), alias (an alias was dropped or followed), evidence (the page's other badges and the words of"
            " title and abstract), unresolved."
        ),
        metadata={"facet": True},
    )
    category_confidence: float = Field(
        nullable=True,
        ge=0,
        le=1,
        title="Confidence",
        description="Probability of the likeliest category, from 0 to 1; null where no evidence was needed.",
    )
    line_start: int = Field(
        ge=1, title="First line", description="The badge's line, from 1.", metadata={"unit": "line number"}
    )
    line_end: int = Field(
        title="Last line",
        description="The abstract's last line, or the byline's where there is no abstract.",
        metadata={"unit": "line number"},
    )

    lines_in_order = row_check(at_least, "line_end", other="line_start")

    class Config:
        name = "listings"
        title = "Listings"
        metadata = {
            "primary_key": ["profile_id", "position"],
            "references": {"profile_id": "profiles", "paper_id": "papers"},
            "orders": ["alias_id"],
            "short_rows": True,
            "group": "audit",
        }


class Variants(Table):
    """Values that a page prints otherwise than the merged paper has them, which merging would lose."""

    profile_id: str = Field(title="Profile", description="The page.")
    position: int = Field(ge=1, title="Position", description="The listing's place on the page.")
    field: str = Field(
        isin=VARIANT_FIELDS,
        title="Field",
        description="What differs; block is all lines of the listing, where their spacing or order differs.",
        metadata={"facet": True},
    )
    value: str = Field(title="Value", description="The value on this page.", metadata={"sortable": False})

    class Config:
        name = "variants"
        title = "Variants"
        metadata = {
            "primary_key": ["profile_id", "position", "field"],
            "references": {"profile_id,position": "listings"},
            "orders": ["field,profile_id,position"],
            "page_size": 20,
            "group": "audit",
        }
