"""CSL-JSON, which Zotero, pandoc and citeproc read. In: papers. Out: a list of items, one a line."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from etl.export.readable_text import plain
from etl.export.selection import OTHERS, CitedAuthor, CitedPaper


def csl_json(papers: Iterable[CitedPaper]) -> Iterator[str]:
    """The list, in pieces of one paper each.

    >>> print("".join(csl_json([CitedPaper("k3m", "bell2025bells", "On Bells", [CitedAuthor("Ann", "Bell")])])))
    [
    {"id": "bell2025bells", "type": "article", "title": "On Bells", "author": [{"family": "Bell", "given": "Ann"}]}
    ]
    <BLANKLINE>
    """
    before = "[\n"
    for paper in papers:
        yield before + json.dumps(_item(paper), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _item(paper: CitedPaper) -> dict[str, Any]:
    """The item of a paper; a preprint is of type `article`."""
    day = paper.published
    item = {
        "id": paper.citekey,
        "type": "article",
        "title": plain(paper.title),
        "author": [*map(_name, paper.authors), *([{"literal": OTHERS}] if paper.has_others else [])],
        "issued": {"date-parts": [[day.year, day.month, day.day]]} if day else None,
        "abstract": plain(paper.abstract),
        "keyword": paper.category_id,
        "publisher": "arXiv" if paper.arxiv_id else None,
        "number": f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else None,
        "DOI": paper.doi,
        "URL": paper.url,
    }
    return {name: value for name, value in item.items() if value}


def _name(author: CitedAuthor) -> dict[str, str]:
    if author.is_group:
        return {"literal": author.name}
    return {"family": author.family, **({"given": author.given} if author.given else {})}
