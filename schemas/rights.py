"""Whose the data is, and where it comes from: the honest words for tables, views and releases."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rights:
    """What may be done with a table, where its rows come from, and what to bear in mind; addresses are of real pages."""

    licence: str
    licence_url: str
    source: str
    source_url: str | None
    about: str


PAGES = Rights(
    licence="No licence is granted: what a page says remains its authors' and its site's",
    licence_url="http://rightsstatements.org/vocab/InC/1.0/",
    source="Researchers' profile pages, saved by people",
    source_url=None,
    about="A program read the pages and joined names and papers; it can be wrong, and the audit tables show how it decided",
)
"""Rows that say what pages say: facts, which are nobody's, and texts, which are their authors'."""

TAXONOMY = Rights(
    licence=PAGES.licence,
    licence_url=PAGES.licence_url,
    source="arXiv's category taxonomy",
    source_url="https://arxiv.org/category_taxonomy",
    about="Only those categories that a page of this dataset uses",
)
"""Rows of arXiv's list of categories."""

TOOL = Rights(
    licence="MIT licence",
    licence_url="https://opensource.org/license/mit",
    source="paperledger, the program that made this dataset",
    source_url=None,
    about="The rules' words are the program's own; the counts are this build's",
)
"""Rows that the program itself wrote."""
