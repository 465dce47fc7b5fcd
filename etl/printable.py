"""Text from pages where there is little room. In: any text. Out: the beginning of it, as one line that no terminal obeys."""

from etl.validate.reports.text import visible

ELLIPSIS = "…"


def cut(text: str, letters: int) -> str:
    """The text's beginning as one line; an ellipsis tells that there is more.

    >>> cut("On Bells", 8), cut("On Bells", 5)
    ('On Bells', 'On B…')
    """
    # What is cut off need not be looked at: an abstract may be long.
    line = visible(text[: letters + 1])
    return line if len(line) <= letters else line[: letters - 1] + ELLIPSIS
