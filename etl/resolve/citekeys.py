"""Citation keys: `valipour2022dylora`, which a person can remember and a bibliography can use."""

from collections import defaultdict
from collections.abc import Sequence

from etl.resolve.folding import fold
from etl.resolve.names import read_name

LONG_WORD = 4
"""Letters of the shortest title word that says something."""
_NOBODY, _NO_YEAR = "anon", "nd"
_FEWEST_MARKS = 4
"""Characters of the paper's identifier that tell apart keys that would be one."""


def citekeys(papers: Sequence[tuple[str, str, int | None, str]]) -> dict[str, str]:
    """A unique key for each paper, given as identifier, first author, year and title.

    >>> citekeys([("abcdefgh", "Mojtaba Valipour", 2022, "DyLoRA: Tuning"), ("xyz", "Ann Bell", None, "On a Bell")])
    {'abcdefgh': 'valipour2022dylora', 'xyz': 'bellndbell'}
    """
    papers_of: defaultdict[str, list[str]] = defaultdict(list)
    for paper_id, author, year, title in papers:
        papers_of[_key(author, year, title)].append(paper_id)
    return {
        paper_id: key if len(ids) == 1 else f"{key}-{paper_id[: _marks(ids)]}"
        for key, ids in papers_of.items()
        for paper_id in ids
    }


def _key(author: str, year: int | None, title: str) -> str:
    family = _ascii(read_name(author).family_key) or _NOBODY
    words = list(filter(None, map(_ascii, fold(title).split())))
    word = next((word for word in words if len(word) >= LONG_WORD), max(words, key=len, default=""))
    return f"{family}{_NO_YEAR if year is None else year}{word}"


def _ascii(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())


def _marks(ids: list[str]) -> int:
    marks = _FEWEST_MARKS
    while len({paper_id[:marks] for paper_id in ids}) < len(ids):
        marks += 1
    return marks
