"""RIS, which reference managers read. In: a paper. Out: its record, a tag a line."""

from collections.abc import Iterator

from etl.export.readable_text import plain
from etl.export.selection import OTHERS, CitedAuthor, CitedPaper
from etl.printable import visible


def ris(paper: CitedPaper) -> str:
    r"""The paper's record; the format's lines end in CRLF.

    >>> ris(CitedPaper("k3m", "bell2025bells", "On Bells", [CitedAuthor("Ann", "Bell")])).splitlines()
    ['TY  - GEN', 'ID  - bell2025bells', 'TI  - On Bells', 'AU  - Bell, Ann', 'ER  - ']
    """
    return "".join(f"{tag}  - {visible(value)}\r\n" for tag, value in _fields(paper))


def _fields(paper: CitedPaper) -> Iterator[tuple[str, str]]:
    yield "TY", "GEN"
    yield "ID", paper.citekey
    yield "TI", plain(paper.title)
    for name in [*map(_name, paper.authors), *([OTHERS] if paper.has_others else [])]:
        yield "AU", name
    day = paper.published
    facts = {
        "PY": day and f"{day.year}",
        "DA": day and f"{day:%Y/%m/%d}",
        "AB": plain(paper.abstract),
        "KW": paper.category_id,
        "PB": paper.arxiv_id and "arXiv",
        "AN": paper.arxiv_id and f"arXiv:{paper.arxiv_id}",
        "DO": paper.doi,
        "UR": paper.url,
    }
    yield from ((tag, value) for tag, value in facts.items() if value)
    yield "ER", ""


def _name(author: CitedAuthor) -> str:
    return f"{author.family}, {author.given}" if author.given and not author.is_group else author.name
