r"""TeX of titles and abstracts: its limits for the site and a rule, escapes of signs that are text, balance of braces."""

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
_UNESCAPED = re.compile(r"(\\.)|([%#&])", re.DOTALL)
_MATH = re.compile(r"(\\.|(\$\$?)(?=[^\s$])(?:\\.|[^\\$])*?(?<=\S)\2(?!\d))|(\$)|(?<![^\s(\[])(~)", re.DOTALL)
"""Escaped signs, math as pandoc defines it (no space within its ends, no digit behind), lone dollars, and tildes for about."""


def tex_beyond_bounds(text: str) -> str | None:
    r"""How a text's TeX exceeds the limits, in words; None where it does not.

    >>> tex_beyond_bounds(r"$\sqrt[3]{x}$"), tex_beyond_bounds("{" * 11)
    (None, '11 levels deep, expected at most 10')
    """
    if not _TEX.search(text):
        return None
    if len(text) > LONGEST_TEX:
        return f"{len(text):,} letters long, expected at most {LONGEST_TEX:,}"
    depth = _tex_depth(text)
    return f"{depth:,} levels deep, expected at most {DEEPEST_TEX}" if depth > DEEPEST_TEX else None


def _tex_depth(text: str) -> int:
    r"""How deep TeX is nested: groups, options of macros, environments and math in brackets, closed or not.

    >>> _tex_depth(r"\sqrt[{a}]{b}"), _tex_depth(r"\{ [0, 1)"), _tex_depth(r"\begin{a}\(")
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


def guarded(text: str) -> str:
    r"""TeX in which %, #, & and $ are escaped where they are text.

    >>> print(guarded(r"5% of $x$ and 6\% & $5 or $6, ~9"))
    5\% of $x$ and 6\% \& \$5 or \$6, \textasciitilde{}9
    """
    signs = "%#" if r"\begin" in text else "%#&"
    escaped = _UNESCAPED.sub(lambda match: _escaped(match, signs), text)
    return _MATH.sub(lambda match: match[1] or (r"\$" if match[3] else r"\textasciitilde{}"), escaped)


def is_balanced(text: str) -> bool:
    r"""Whether every brace has its partner.

    >>> is_balanced("{a}{b}"), is_balanced("{"), is_balanced("}{"), is_balanced(r"\{")
    (True, False, False, True)
    """
    depth = 0
    for brace in re.findall(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if depth < 0:
            return False
    return depth == 0


def _escaped(match: re.Match[str], signs: str) -> str:
    return match[1] or ("\\" if match[2] in signs else "") + match[2]
