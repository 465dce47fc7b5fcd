"""A sound page of three papers, ways to damage it by line number, and what the grammar reads in it."""

from collections.abc import Mapping, Sequence

from helpers import parsed

SOUND = """\
Ann Bell

CL
h-index4
3papers
1,204citations
Novelty50%
AI Score58

3 Papers

CLMar 14, 2025Code
On Bells

Ann Bell, Cy Dole et al. · mila

They ring.

med-phMay 1, 2024
On Towers

Cy Dole, Ann Bell

They stand.

LGJun 2
On Ropes

Eve Fox

They hang."""
LINES = SOUND.split("\n")

Place = tuple[int, int, str]
"""A block: its first and last line, and its title."""
BELLS: Place = (12, 17, "On Bells")
TOWERS: Place = (19, 24, "On Towers")
ROPES: Place = (26, 31, "On Ropes")
WHOLE = [BELLS, TOWERS, ROPES]
NAME = {"name": "Ann Bell"}
FIELD = {"field": "CL"}
FIGURES = {"h_index": "4", "stated_papers": "3", "citations": "1,204", "novelty_pct": "50", "ai_score": "58"}
COUNT = {"section_count": "3"}
HEADER = NAME | FIELD | FIGURES | COUNT


def damaged(changes: Mapping[int, Sequence[str]]) -> str:
    """The sound page with other lines in the place of those that are numbered."""
    return "\n".join(line for number, old in enumerate(LINES, 1) for line in changes.get(number, [old]))


def without(*numbers: int) -> str:
    """The sound page without these lines."""
    return damaged(dict.fromkeys(numbers, ()))


def moved(place: Place, by: int) -> Place:
    """A block so many lines further down."""
    return place[0] + by, place[1] + by, place[2]


def header_of(text: str) -> dict[str, str]:
    """The values of a page's header."""
    return {name: value.text for name, value in parsed(text).header.values.items()}


def blocks_of(text: str) -> list[Place]:
    """The blocks of a page."""
    return [(block.line_start, block.line_end, block.title) for block in parsed(text).blocks]


def strays_of(text: str) -> list[tuple[int, int]]:
    """The first and last lines of a page's strays."""
    return [(stray.line_start, stray.line_end) for stray in parsed(text).strays]
