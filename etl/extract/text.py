"""White space as copies of a page have it: no-break, thin and zero-width spaces, tabs, direction marks, indentation."""

import re

_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters without a width that neither join nor separate; joiners (U+200C, U+200D) stay within words."""
_SPACES = re.compile("[\\s\u115f\u1160\u2800\u3164\uffa0]+")
_BLANK = "\\s\u00ad\u115f\u1160\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\u2800\u3164\ufeff\uffa0"
_EDGES = "".join(re.findall(f"[{_BLANK}]", "".join(map(chr, range(0x10000)))))
"""The same signs one by one: `strip` takes them in one pass from each end, where a pattern begins at each gap anew."""
_SHOWN = re.compile(f"[^{_BLANK}]")
_JOINERS = "\u200c\u200d"
_HYPHENS = re.compile("[\u2010\u2011\u2012\u2013\u2212]")


def clean(text: str) -> str:
    r"""Text without invisible characters, with single spaces between its words and none around them.

    >>> clean("\ufeff  Ann\u00a0 Bell\u200b\t\u200e")
    'Ann Bell'
    """
    # Most lines are plain; in a function of their own these tests would take half as long again.
    if text.isascii() and text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        return text
    return _SPACES.sub(" ", _UNSEEN.sub("", text)).strip(f" {_JOINERS}")


def trimmed(line: str) -> str:
    r"""A line without white space and invisible characters at its ends.

    >>> trimmed("\u200e\tOn\u00a0Bells \u200f\r")
    'On\xa0Bells'
    """
    return line.strip() if line.isascii() else line.strip(_EDGES)


def is_blank(line: str) -> bool:
    r"""Whether a line has no visible character.

    >>> is_blank("\u00a0\t\r"), is_blank("\u200e\u200b"), is_blank(".")
    (True, True, False)
    """
    return _SHOWN.search(line) is None


def with_plain_hyphens(text: str) -> str:
    r"""The text with every hyphen and dash as "-".

    >>> with_plain_hyphens("quant\u2010ph")
    'quant-ph'
    """
    return text if text.isascii() else _HYPHENS.sub("-", text)
