"""Text from pages as a terminal may show it. In: any text. Out: one line that no terminal obeys."""

ELLIPSIS = "…"


def one_line(text: str) -> str:
    r"""The text with its control characters, line breaks and invisible signs shown escaped.

    >>> one_line("a\x1b[31m\nb\u202e")
    'a\\x1b[31m\\nb\\u202e'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def cut(text: str, letters: int) -> str:
    """The text's beginning as one line; an ellipsis tells that there is more.

    >>> cut("On Bells", 8), cut("On Bells", 5)
    ('On Bells', 'On B…')
    """
    # What is cut off need not be escaped: an abstract may be long, and escaping looks at every letter.
    line = one_line(text[: letters + 1])
    return line if len(line) <= letters else line[: letters - 1] + ELLIPSIS


def count(number: int, thing: str) -> str:
    """A number of things in words.

    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
