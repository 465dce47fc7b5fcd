"""Text from pages in a picture. In: any text. Out: one short line whose characters can all be seen."""

import unicodedata
from itertools import accumulate, takewhile

UNSEEN = "\ufffd"
"""Stands for a character that cannot be seen."""
ELLIPSIS = "…"


def visible(text: str) -> str:
    r"""The text with every character in sight: controls, direction marks and zero widths are replaced.

    >>> visible("Ann\u202e\u00a0Bell")
    'Ann� Bell'
    """
    return text if text.isprintable() else "".join(map(_seen, text))


def label(text: str, cells: int) -> str:
    """Visible text, its end cut off where it is wider than so many letters; those of East Asia are two wide.

    >>> label("Ann Bell", 8), label("Ann Bell", 6), label("鐘の音の研究", 7)
    ('Ann Bell', 'Ann B…', '鐘の音…')
    """
    shown = visible(text[: cells + 1])
    widths = list(accumulate(map(_width, shown)))
    if not widths or widths[-1] <= cells:
        return shown
    return shown[: sum(1 for _ in takewhile(lambda width: width < cells, widths))] + ELLIPSIS


def _seen(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    return character if character.isprintable() else UNSEEN


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
