"""Citation keys: `valipour2022dylora`, which a person can remember and a bibliography can use."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from etl.resolve.folding import fold
from etl.resolve.names import read_name

LONG_WORD = 4
"""Letters of the shortest title word that says something."""
_NOBODY, _NO_YEAR = "anon", "nd"
_FEWEST_MARKS = 4
"""Characters of the paper's identifier that tell apart keys that would be one."""
Keyed = tuple[str, str, date | None, str]
"""A paper by identifier, first author, day and title."""


def citekeys(papers: Sequence[Keyed]) -> dict[str, str]:
    """A unique key for each paper. Of those that collide the earliest keeps the plain one, so that later papers change none.

    >>> day = date(2022, 5, 1)
    >>> citekeys([("abcdefgh", "Mojtaba Valipour", day, "DyLoRA: Tuning"), ("xyz", "Ann Bell", None, "On a Bell")])
    {'abcdefgh': 'valipour2022dylora', 'xyz': 'bellndbell'}
    """
    papers_of: defaultdict[str, list[tuple[date, str]]] = defaultdict(list)
    for paper_id, author, published, title in papers:
        key = _key(author, published.year if published else None, title)
        papers_of[key].append((published or date.max, paper_id))
    keys: dict[str, str] = {}
    for key, found in papers_of.items():
        (_, first), *others = sorted(found)
        keys[first] = key
        taken: set[str] = set()
        for _, paper_id in others:
            keys[paper_id] = _marked(key, paper_id, taken)
    return keys


def _marked(key: str, paper_id: str, taken: set[str]) -> str:
    """The key with as much of the paper's identifier as no earlier paper has."""
    marked = next(f"{key}-{paper_id[:count]}" for count in range(_FEWEST_MARKS, 99) if paper_id[:count] not in taken)
    taken.add(marked.rpartition("-")[2])
    return marked


def _key(author: str, year: int | None, title: str) -> str:
    family = _ascii(read_name(author).family_key) or _NOBODY
    words = list(filter(None, map(_ascii, fold(title).split())))
    word = next((word for word in words if len(word) >= LONG_WORD), max(words, key=len, default=""))
    return f"{family}{_NO_YEAR if year is None else year}{word}"


def _ascii(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())
