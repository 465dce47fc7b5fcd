"""Pages: their headers' figures, their listings, and where a listing differs from the merged row."""

import datetime as dt

from pandera.polars import Field

from schemas.limits import PAPER_ID, PROFILE_ID, SHA256
from schemas.table import Table, at_least, row_check

CATEGORY_RESOLUTIONS = ["override", "reference", "unique", "alias", "evidence", "unresolved"]
VARIANT_FIELDS = ["title", "byline", "abstract", "block", "category_id", "published"]


class Profiles(Table):
    """Saved pages: one row each, with the header's figures as the page states them."""

    profile_id: str = Field(
        str_matches=PROFILE_ID, title="Profile", description="First 16 hexadecimal digits of the page's SHA-256."
    )
    author_id: str = Field(
        nullable=True, title="Author", description="The page's owner; null on a page without a name."
    )
    name: str = Field(nullable=True, title="Name", description="The owner's name as printed.")
    field: str = Field(nullable=True, title="Field", description="The owner's field as printed, such as CL.")
    category_id: str = Field(nullable=True, title="Category", description="The category that the field means.")
    h_index: int = Field(nullable=True, ge=0, title="h-index", description="The h-index that the page states.")
    stated_papers: int = Field(
        nullable=True,
        ge=0,
        title="Stated papers",
        description="How many papers the page states.",
        metadata={"unit": "papers"},
    )
    listed_papers: int = Field(
        ge=0,
        title="Listed papers",
        description="How many papers of this page the dataset lists.",
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
        description="When the page was first saved, from the build's option, or its file's or folder's name.",
    )
    last_observed_on: dt.date = Field(
        nullable=True,
        title="Last saved on",
        description="When a page of the same bytes was last saved; where it was saved once, the same day.",
    )
    source: str = Field(title="Source", description="The page's file, relative to the folder it was found in.")
    sha256: str = Field(
        str_matches=SHA256, title="SHA-256", description="Hash of the page's bytes.", metadata={"unique": True}
    )
    bytes: int = Field(ge=1, title="Bytes", description="Size of the page.", metadata={"unit": "bytes"})
    lines: int = Field(
        ge=1,
        title="Lines",
        description="Pieces between line breaks, an empty last one included.",
        metadata={"unit": "lines"},
    )
    newline: str = Field(isin=["LF", "CRLF"], title="Line break", description="CRLF where every line ends so, else LF.")
    header: str = Field(
        title="Header",
        description='The page\'s first lines as they are, through "N Papers" or the last header line that is known.',
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
    """Each paper on each page: its lines, and its badge."""

    profile_id: str = Field(title="Profile", description="The page.")
    position: int = Field(ge=1, title="Position", description="Place in the order of the page, from 1.")
    paper_id: str = Field(title="Paper", description="The paper.")
    alias_id: str = Field(
        nullable=True,
        str_matches=PAPER_ID,
        title="Other identifier",
        description="The identifier that this listing alone would have, where the paper has another; it is an address of the paper too.",
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
        description="The likeliest category's share of the evidence, from 0 to 1; null where none was weighed.",
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
    """The values of a listing that differ from the merged paper's, which merging would lose."""

    profile_id: str = Field(title="Profile", description="The page.")
    position: int = Field(ge=1, title="Position", description="The listing's place on the page.")
    field: str = Field(
        isin=VARIANT_FIELDS,
        title="Field",
        description="What differs; block stands for the listing's raw lines, where spacing or shape differs.",
        metadata={"facet": True},
    )
    value: str = Field(title="Value", description="What this listing says.", metadata={"sortable": False})

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
