"""White space as copies of a page have it: no-break, thin and zero-width spaces, tabs, indentation."""

import re

_WIDTHLESS = re.compile("[\u200b\u2060\ufeff]")
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    r"""Text with single spaces between its words and none around them; characters without a width are gone.

    >>> clean("\ufeff  Ann\u00a0 Bell\u200b\t")
    'Ann Bell'
    """
    return _SPACES.sub(" ", _WIDTHLESS.sub("", text)).strip() if not _is_plain(text) else text


def is_blank(line: str) -> bool:
    r"""Whether a line shows nothing.

    >>> is_blank("\u00a0\t\r"), is_blank("\u200b"), is_blank(".")
    (True, True, False)
    """
    return not line or not clean(line)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]
