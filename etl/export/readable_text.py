r"""Titles and abstracts for readers. In: text as pages print it, with TeX. Out: plain text on one line, or safe HTML.

pylatexenc parses the TeX. Text that is not valid TeX remains as printed, and so does text beyond the bounds of `etl.tex`. The
work of pylatexenc for a text within them is bounded too: it may read options many times, and accents multiply letters.
"""

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from operator import add
from typing import Any

from markupsafe import Markup, escape
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec
from pylatexenc.latex2text import get_default_latex_context_db as texts_of_macros
from pylatexenc.latexwalker import LatexMacroNode, LatexWalker, LatexWalkerError
from pylatexenc.latexwalker import get_default_latex_context_db as shapes_of_macros
from pylatexenc.macrospec import LatexContextDb, MacroSpec

from etl.printable import visible
from etl.resolve.links import find_links
from etl.tex import guarded, is_balanced, tex_beyond_bounds
from schemas.limits import LONGEST_TEX

TOKENS_A_LETTER = 2
"""Tokens that may be read for each letter of a text: valid TeX takes one, broken TeX is read many times."""
LONGEST_READ = 2 * LONGEST_TEX
"""Letters of a result: nested accents double them, and the cells of a matrix are as wide as the widest."""
# Private letters represent tags and addresses while TeX is parsed; `visible` leaves none in the text itself.
_ADDRESS, _EM, _END_EM, _STRONG, _END_STRONG = (chr(0xE000 + number) for number in range(5))
_TAGS = {_EM: "<em>", _END_EM: "</em>", _STRONG: "<strong>", _END_STRONG: "</strong>"}
_LINK = Markup('<a href="{0}" rel="nofollow noopener">{0}</a>')
_PLAIN = str.maketrans(dict.fromkeys(_TAGS, ""))
_SWITCHES = ("bf", "em", "it", "rm", "sc", "sf", "sl", "tt", "bfseries", "itshape", "xspace", "small", "large")
"""Macros of fonts and spacing, which are left out."""
_TEX = re.compile(r"[\\${}~]|``|''|--")
_URL = re.compile(r"https?://[^\s<>\"{}|^`$]+", re.IGNORECASE)
_READING_FILES = ("input", "include", "includegraphics")
_NOT_EVALUATED = (*_READING_FILES, "title", "author", "date", "maketitle", "today")
"""Macros that are not evaluated: they would read a file, the clock, or what another text has set."""
_LEFT_OVER = re.compile(r"%s|%\(\d")
"""Remains of a macro without its arguments in pylatexenc's result."""
_TEX_ESCAPE = re.compile(r"\\([_%&#~$])")


@lru_cache(maxsize=4096)
def _marked(text: str) -> tuple[str, tuple[str, ...]]:
    r"""The text with its TeX as text, `_TAGS` around what is emphasized, and `_ADDRESS` in place of each of its addresses.

    >>> _marked(r"$n \leq 32$ at http://x.org/a_b.")
    ('n ≤ 32 at \ue000.', ('http://x.org/a_b',))
    """
    addresses: list[str] = []
    printed = _URL.sub(lambda match: _mark(match.group(), addresses), "\n".join(map(visible, text.split("\n"))))
    read = printed if tex_beyond_bounds(text) else _read_tex(printed)
    return (read if read.count(_ADDRESS) == len(addresses) else printed), tuple(addresses)


def plain(text: str) -> str:
    r"""The text as plain text on one line.

    >>> plain(r"\textit{On} Bells & $\pi$"), plain("Costs {$5 and $10")
    ('On Bells & π', 'Costs {$5 and $10')
    """
    read, addresses = _marked(text)
    words = read.translate(_PLAIN).split(_ADDRESS)
    return " ".join("".join(map(add, words, [*addresses, ""])).split())


@lru_cache(maxsize=4096)
def readable(text: str) -> Markup:
    r"""The text as HTML: TeX as text with its emphasis, addresses as links, invisible characters written out.

    >>> readable(r"$n \leq 32$ <b> at 15\% of \textit{almost} all")
    Markup('n ≤ 32 &lt;b&gt; at 15% of <em>almost</em> all')
    >>> readable("Costs {$5 and $10")
    Markup('Costs {$5 and $10')
    """
    read, addresses = _marked(text)
    html = str(escape(read))
    for letter, tag in _TAGS.items():
        html = html.replace(letter, tag)
    links = (str(_LINK.format(address)) for address in addresses)
    parts = zip(html.split(_ADDRESS), [*links, ""], strict=True)
    return Markup("".join(part + link for part, link in parts))  # noqa: S704


class _TooCostly(ValueError):
    """The TeX takes more work than its length allows."""


class _Walker(LatexWalker):  # type: ignore[misc]  # pylatexenc has no types
    """Parses TeX in time linear in its length.

    pylatexenc reads the text behind an option that is never closed twice, behind a second such option four times, and so on.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text, latex_context=_SHAPES)
        self._tokens_left = TOKENS_A_LETTER * len(text) + 100

    def get_token(self, *arguments: Any, **named: Any) -> Any:
        """The next token; raises `_TooCostly` beyond the limit of tokens."""
        self._tokens_left -= 1
        if self._tokens_left < 0:
            raise _TooCostly
        return super().get_token(*arguments, **named)


class _Texts(LatexNodes2Text):  # type: ignore[misc]  # the same
    """Turns TeX into text of bounded length."""

    def nodelist_to_text(self, nodes: Sequence[Any]) -> str:
        """The text of nodes; raises `_TooCostly` where it is too long."""
        text = str(super().nodelist_to_text(nodes))
        if len(text) > LONGEST_READ:
            raise _TooCostly
        return text


def _read_tex(text: str) -> str:
    if not _TEX.search(text) or not is_balanced(text) or tex_beyond_bounds(text):
        return text
    try:
        nodes = _Walker(guarded(text)).get_latex_nodes()[0]
        read = _TEXTS.nodelist_to_text(nodes).strip()
    except (LatexWalkerError, RecursionError, LookupError, ValueError, TypeError, AttributeError):
        # pylatexenc raises various errors for macros without their arguments.
        return text
    return text if not read or _LEFT_OVER.search(read) else read


def _mark(raw: str, addresses: list[str]) -> str:
    """A private letter for an address, with the punctuation behind it."""
    found = find_links(raw)
    if not found:
        return raw
    address = found[0][0]
    addresses.append(address)
    return _ADDRESS + _TEX_ESCAPE.sub(r"\1", raw)[len(address) :]


def _unknown(node: LatexMacroNode) -> str:
    """An unknown macro as printed; raises `ValueError` where it has arguments, whose meaning is unknown."""
    if node.macroname in _NOT_EVALUATED or node.parsing_state.s[node.pos + node.len :].startswith(("{", "[")):
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
    unread = [MacroTextSpec(name, _unknown) for name in _NOT_EVALUATED]
    switches = [MacroTextSpec(name, "") for name in _SWITCHES]
    texts.add_context_category("site", [*emphasis, strong, *links, *unread, *switches], prepend=True)
    return texts


_SHAPES, _MACROS = _shapes(), _macros()
_MACROS.set_unknown_macro_spec(MacroTextSpec("", _unknown))
_TEXTS = _Texts(latex_context=_MACROS, math_mode="text", strict_latex_spaces=False)
logging.getLogger("pylatexenc").setLevel(logging.ERROR)  # A page's broken TeX is not an event for the log.
