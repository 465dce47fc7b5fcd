r"""Titles and abstracts to read. In: text as pages print it, TeX and all. Out: HTML that is safe to show.

pylatexenc reads the TeX. Text that is no sound TeX is shown as printed, and so is text that would take long.
"""

import logging
import re
from functools import lru_cache

from markupsafe import Markup, escape
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec
from pylatexenc.latex2text import get_default_latex_context_db as texts_of_macros
from pylatexenc.latexwalker import LatexMacroNode, LatexWalker, LatexWalkerError
from pylatexenc.latexwalker import get_default_latex_context_db as shapes_of_macros
from pylatexenc.macrospec import LatexContextDb, MacroSpec

from etl.printable import visible
from etl.resolve.links import find_links

LONGEST_TEX = 20_000
"""Letters of the longest text that is read as TeX: reading takes some 10 µs a letter."""
DEEPEST_TEX = 20
"""Braces within braces that are still read."""
# Private letters stand for tags and addresses while TeX is read; `visible` leaves none in the text itself.
_ADDRESS, _EM, _END_EM, _STRONG, _END_STRONG = (chr(0xE000 + number) for number in range(5))
_TAGS = {_EM: "<em>", _END_EM: "</em>", _STRONG: "<strong>", _END_STRONG: "</strong>"}
_LINK = Markup('<a href="{0}" rel="nofollow noopener">{0}</a>')
_SWITCHES = ("bf", "em", "it", "rm", "sc", "sf", "sl", "tt", "bfseries", "itshape", "xspace", "small", "large")
"""Macros that change how letters look, or space: what follows reads well without them."""
_TEX = re.compile(r"[\\${}~]|``|''|--")
_OPTIONS = re.compile(r"\\[A-Za-z]+\*? *\[|\]")
DEEPEST_OPTIONS = 5
"""Optional arguments within each other, closed or not, that are read; each more doubles the time."""
_URL = re.compile(r"https?://[^\s<>\"{}|^`$]+", re.IGNORECASE)
_READING_FILES = ("input", "include", "includegraphics")
_LEFT_OVER = re.compile(r"%s|%\(\d")
"""What pylatexenc leaves of a macro that lacks its arguments."""
_TEX_ESCAPE = re.compile(r"\\([_%&#~$])")
_UNESCAPED = re.compile(r"(\\.)|([%#&])", re.DOTALL)
_MATH = re.compile(r"(\\.|(\$\$?)(?=[^\s$])(?:\\.|[^\\$])*?(?<=\S)\2(?!\d))|(\$)|(?<![^\s(\[])(~)", re.DOTALL)
"""Whatever is escaped, math as pandoc knows it (no space within its ends, no figure behind), lone dollars, and about-signs."""


@lru_cache(maxsize=4096)
def readable(text: str) -> Markup:
    r"""The text as HTML: TeX read, emphasis kept, addresses as links, hidden characters in sight.

    >>> readable(r"$n \leq 32$ <b> at 15\% of \textit{almost} all")
    Markup('n ≤ 32 &lt;b&gt; at 15% of <em>almost</em> all')
    >>> readable("Costs {$5 and $10")
    Markup('Costs {$5 and $10')
    """
    addresses: list[str] = []
    marked = _URL.sub(lambda match: _mark(match.group(), addresses), "\n".join(map(visible, text.split("\n"))))
    read = _read_tex(marked)
    if read.count(_ADDRESS) != len(addresses):
        read = marked
    return _html(read, addresses)


def plain(text: str) -> str:
    r"""The text as plain text, for places that hold no HTML.

    >>> plain(r"\textit{On} Bells & $\pi$")
    'On Bells & π'
    """
    return str(readable(text).striptags())


def guarded(text: str) -> str:
    r"""TeX in which %, #, & and $ stand for themselves wherever text means them so.

    >>> print(guarded(r"5% of $x$ and 6\% & $5 or $6, ~9"))
    5\% of $x$ and 6\% \& \$5 or \$6, \textasciitilde{}9
    """
    signs = "%#" if r"\begin" in text else "%#&"
    escaped = _UNESCAPED.sub(lambda match: _escaped(match, signs), text)
    return _MATH.sub(lambda match: match[1] or (r"\$" if match[3] else r"\textasciitilde{}"), escaped)


def is_harmless(macro: str) -> bool:
    """Whether a macro is a known one of letters, signs and emphasis: no other belongs into anybody's document.

    >>> is_harmless("textit"), is_harmless("input"), is_harmless("def")
    (True, False, False)
    """
    return macro in _KNOWN_MACROS and macro not in _READING_FILES


def is_balanced(text: str, deepest: int) -> bool:
    r"""Whether every brace has its partner, none of them deeper than `deepest`.

    >>> is_balanced("{a}{b}", 1), is_balanced("{{a}}", 1), is_balanced("}{", 1), is_balanced(r"\{", 1)
    (True, False, False, True)
    """
    depth = 0
    for brace in re.findall(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if not 0 <= depth <= deepest:
            return False
    return depth == 0


def _opens_few_options(text: str) -> bool:
    """Whether optional arguments are not within each other: pylatexenc reads each open one twice, all it holds included."""
    depth = 0
    for mark in _OPTIONS.findall(text):
        depth = max(0, depth - 1) if mark == "]" else depth + 1
        if depth > DEEPEST_OPTIONS:
            return False
    return True


def _read_tex(text: str) -> str:
    if not _TEX.search(text) or len(text) > LONGEST_TEX or not is_balanced(text, DEEPEST_TEX):
        return text
    if not _opens_few_options(text):
        return text
    try:
        nodes = LatexWalker(guarded(text), latex_context=_SHAPES).get_latex_nodes()[0]
        read = str(_TEXTS.nodelist_to_text(nodes)).strip()
    except (LatexWalkerError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        # pylatexenc stumbles over macros that lack their arguments, each in its own way.
        return text
    return text if not read or _LEFT_OVER.search(read) else read


def _mark(raw: str, addresses: list[str]) -> str:
    """A private letter for an address, and what stands behind it: the sentence's own punctuation."""
    found = find_links(raw)
    if not found:
        return raw
    address = found[0][0]
    addresses.append(address)
    return _ADDRESS + _TEX_ESCAPE.sub(r"\1", raw)[len(address) :]


def _html(text: str, addresses: list[str]) -> Markup:
    html = str(escape(text))
    for letter, tag in _TAGS.items():
        html = html.replace(letter, tag)
    links = (str(_LINK.format(address)) for address in addresses)
    parts = zip(html.split(_ADDRESS), [*links, ""], strict=True)
    return Markup("".join(part + link for part, link in parts))  # noqa: S704


def _escaped(match: re.Match[str], signs: str) -> str:
    return match[1] or ("\\" if match[2] in signs else "") + match[2]


def _unknown(node: LatexMacroNode) -> str:
    """An unknown macro stays in its place; what it does with arguments nobody knows."""
    if node.macroname in _READING_FILES or node.parsing_state.s[node.pos + node.len :].startswith(("{", "[")):
        raise ValueError(node.macroname)
    return str(node.latex_verbatim())


def _shapes() -> LatexContextDb:
    shapes = shapes_of_macros()
    shapes.add_context_category("links", [MacroSpec("url", "{"), MacroSpec("href", "{{")], prepend=True)
    return shapes


def _macros() -> LatexContextDb:
    texts = texts_of_macros()
    emphasis = [MacroTextSpec(name, f"{_EM}%s{_END_EM}") for name in ("emph", "textit", "textsl")]
    strong = MacroTextSpec("textbf", f"{_STRONG}%s{_END_STRONG}")
    links = [MacroTextSpec("url", "%s"), MacroTextSpec("href", "%(2)s (%(1)s)")]
    unread = [MacroTextSpec(name, _unknown) for name in _READING_FILES]
    switches = [MacroTextSpec(name, "") for name in _SWITCHES]
    texts.add_context_category("site", [*emphasis, strong, *links, *unread, *switches], prepend=True)
    return texts


_SHAPES, _MACROS = _shapes(), _macros()
_MACROS.set_unknown_macro_spec(MacroTextSpec("", _unknown))
_KNOWN_MACROS = frozenset(spec.macroname for spec in _MACROS.iter_macro_specs())
_TEXTS = LatexNodes2Text(latex_context=_MACROS, math_mode="text", strict_latex_spaces=False)
logging.getLogger("pylatexenc").setLevel(logging.ERROR)  # A page's broken TeX is no event of the server.
