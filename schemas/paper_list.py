"""The one file that an analyst wants: papers with their authors as lists. A Parquet file, no table of SQLite."""

import datetime as dt

from pandera.polars import Field

from schemas.table import Table


class PaperList(Table):
    """Papers with all that hangs on them, a row each; lists where SQLite has tables of their own."""

    paper_id: str = Field(title="Paper", description="The paper.")
    title: str = Field(title="Title", description="Title as printed.")
    published: dt.date = Field(nullable=True, title="Published", description="Date of the badge.")
    category_id: str = Field(nullable=True, title="Category", description="Primary category.")
    category: str = Field(nullable=True, title="Category's name", description="arXiv's name of the category.")
    authors: list[str] = Field(title="Authors", description="Names as the byline writes them, in its order.")
    authors_truncated: bool = Field(title="Byline cut", description='Whether the byline ends in "et al.".')
    author_ids: list[str] = Field(
        title="Author identifiers",
        description="Every known author: the byline's in its order, then those behind the cut.",
    )
    author_names: list[str] = Field(title="Author names", description="Those authors' names, in the same order.")
    institutions: list[str] = Field(title="Institutions", description="The byline's institutions.")
    has_code: bool = Field(title="Has code", description="Whether the page flags the paper with Code.")
    links: list[str] = Field(title="Links", description="Web addresses in the abstract.")
    citekey: str = Field(title="Citation key", description="Citation key.")
    abstract: str = Field(title="Abstract", description="Abstract as printed, TeX and all.")

    class Config:
        name = "paper_list"
        title = "Papers, one file"
        metadata = {
            "primary_key": ["paper_id"],
            "references": {"paper_id": "papers", "category_id": "categories"},
        }
