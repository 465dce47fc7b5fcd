r"""Which TeX is read: the bounds that the site keeps, and that a rule checks. In: a title or an abstract. Out: what is beyond them."""

import re

from schemas.limits import DEEPEST_TEX, LONGEST_TEX

_MARKS = re.compile(
    r"(?P<environment>\\begin(?![A-Za-z]))|(?P<end_environment>\\end(?![A-Za-z]))"
    r"|(?P<option>\\(?:[A-Za-z]+|\\)\*?\s*\[|(?<=[}\]])\[)|(?P<end_option>\])"
    r"|(?P<math>\\[(\[])|(?P<end_math>\\[)\]])"
    r"|\\.|(?P<group>\{)|(?P<end_group>\})",
    re.DOTALL,
)
_TEX = re.compile(r"[\\{$]")


def tex_beyond_bounds(text: str) -> str | None:
    r"""Why a text's TeX is not read, in words; None where it is, or where there is none.

    >>> tex_beyond_bounds(r"$\sqrt[3]{x}$"), tex_beyond_bounds("{" * 11)
    (None, '11 levels deep, expected at most 10')
    """
    if not _TEX.search(text):
        return None
    if len(text) > LONGEST_TEX:
        return f"{len(text):,} letters long, expected at most {LONGEST_TEX:,}"
    depth = tex_depth(text)
    return f"{depth:,} levels deep, expected at most {DEEPEST_TEX}" if depth > DEEPEST_TEX else None


def tex_depth(text: str) -> int:
    r"""How deep TeX is nested: groups, options of macros, environments and math in brackets, closed or not.

    >>> tex_depth(r"\sqrt[{a}]{b}"), tex_depth(r"\{ [0, 1)"), tex_depth(r"\begin{a}\(")
    (2, 0, 2)
    """
    levels = dict.fromkeys(("environment", "option", "math", "group"), 0)
    deepest = 0
    for mark in _MARKS.finditer(text):
        kind = mark.lastgroup or ""
        if kind in levels:
            levels[kind] += 1
            deepest = max(deepest, sum(levels.values()))
        elif kind:
            closed = kind.removeprefix("end_")
            levels[closed] = max(0, levels[closed] - 1)
    return deepest
