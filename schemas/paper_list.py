"""The one file that an analyst wants: the view of papers to read, with lists. A Parquet file, no table of SQLite."""

import datetime as dt

from pandera.polars import Field

from schemas.table import Table
from schemas.views import PAPER_LIST

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
