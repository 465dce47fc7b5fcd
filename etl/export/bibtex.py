r"""BibTeX. In: a paper. Out: its entry for BibTeX and biber.

TeX macros of letters, signs, math and emphasis remain. Unmatched braces, dollars and per cent signs would break the entry and
are escaped, and so are all other macros: a title is untrusted, and no macro may open a file, run a program or define another.
"""

import re
import string
from collections.abc import Iterator
from urllib.parse import quote

from pylatexenc.latex2text import get_default_latex_context_db

from etl.export.selection import CitedAuthor, CitedPaper
from etl.printable import visible
from etl.tex import guarded, is_balanced

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""BibTeX's macros of months."""
_DEEPEST = 100
_VERBATIM = "".join(set(string.punctuation) - set("\\{}^"))
"""The signs of identifiers and addresses, which TeX reads without its macros; all others are escaped as in addresses."""
_ACCENTS = "' ` \" ^ = . ~ c k b d r u v H vec dot ddot hat check breve acute grave tilde bar not".split()  # noqa: SIM905
_STYLES = """
emph textbf textit textsl textrm textsc texttt text mbox mathrm mathbf mathit mathsf mathbb mathtt mathcal mathscr mathfrak
boldsymbol operatorname bf em it rm sc sf sl tt cal frak
""".split()  # noqa: SIM905
_MATH = """
frac sqrt overline underline widehat widetilde overbrace underbrace left right big Big bigl bigr ensuremath ket bra braket
""".split()  # noqa: SIM905
_SIGNS = ["%", "!", "\\", "-"]
_BRACES = {"{": r"\textbraceleft ", "}": r"\textbraceright "}
_UNSAFE = re.compile(r"(\\\\)|\\?([{}])")
_MACRO = re.compile(r"(?:\\([A-Za-z]+|(?!\^\^).)|(\\?)\^\^+)", re.DOTALL)
_LONE_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_LONE_SCRIPT = re.compile(r"(\$[^$]*\$|\\.)|([_^])", re.DOTALL)


def bibtex(paper: CitedPaper) -> str:
    r"""The paper's entry.

    >>> print(bibtex(CitedPaper("k3m", "bell2025bells", "On {Bells} & 5%", [CitedAuthor("Ann", "Bell")], has_others=True)))
    @misc{bell2025bells,
      title = {{On {Bells} \& 5\%}},
      author = {Bell, Ann and others},
    }
    <BLANKLINE>
    """
    fields = "".join(f"  {name} = {value},\n" for name, value in _fields(paper))
    return f"@misc{{{paper.citekey},\n{fields}}}\n"


def _fields(paper: CitedPaper) -> Iterator[tuple[str, str]]:
    # The inner braces preserve the title's capitals.
    yield "title", f"{{{{{_value(paper.title)}}}}}"
    yield "author", "{" + " and ".join([*map(_author, paper.authors), *(["others"] if paper.has_others else [])]) + "}"
    if paper.published:
        yield "year", f"{{{paper.published.year}}}"
        yield "month", _MONTHS[paper.published.month - 1]
    of_arxiv = {"eprint": paper.arxiv_id, "archivePrefix": "arXiv", "primaryClass": paper.category_id}
    identifiers = {**(of_arxiv if paper.arxiv_id else {}), "doi": paper.doi, "url": paper.url}
    for name, value in identifiers.items():
        if value:
            yield name, f"{{{quote(value, safe=_VERBATIM)}}}"


def _author(author: CitedAuthor) -> str:
    """Family name first; in braces if it is a group or contains a word or comma at which BibTeX would split."""
    given, family = _value(author.given or ""), _value(author.family)
    name = f"{family}, {given}"
    if author.is_group or not given or " and " in f" {name.lower()} ".replace(",", " ") or name.count(",") > 2:
        return "{" + " ".join(filter(None, (given, family))) + "}"
    return name


def _value(text: str) -> str:
    """Text for between braces; TeX in it remains, unless its braces would end the value."""
    text = _LONE_SCRIPT.sub(_escaped_script, _MACRO.sub(_harmless, guarded(visible(text))))
    if not _is_sound(text):
        text = _UNSAFE.sub(lambda match: match[1] or _BRACES[match[2]], text)
    return _LONE_BACKSLASH.sub(lambda match: match.group()[:-1] + r"\textbackslash", text)


def _harmless(match: re.Match[str]) -> str:
    macro = match[1]
    if macro is None:  # ^^ and a character denote another character, also after a backslash
        return r"\textbackslash " * len(match[2]) + r"\^{}" * (len(match.group()) - len(match[2]))
    return match.group() if macro in ALLOWED_MACROS or macro in "{}" else rf"\textbackslash {macro}"


def _escaped_script(match: re.Match[str]) -> str:
    return match[1] or {"_": r"\_", "^": r"\^{}"}[match[2]]


def _is_sound(text: str) -> bool:
    """Whether braces match for TeX, and for BibTeX, which ignores a backslash before a brace."""
    if not is_balanced(text):
        return False
    depth = 0
    for brace in re.findall("[{}]", text):
        depth += 1 if brace == "{" else -1
        if not 0 <= depth <= _DEEPEST:
            return False
    return depth == 0


def _symbols() -> set[str]:
    """The macros that print a sign, according to pylatexenc."""
    specs = get_default_latex_context_db().iter_macro_specs(categories=("latex-base", "advanced-symbols"))
    fixed = {spec.macroname: spec.simplify_repl for spec in specs if isinstance(spec.simplify_repl, str)}
    return {name for name, sign in fixed.items() if sign and "%" not in sign} - {"today"}


ALLOWED_MACROS = frozenset({*_symbols(), *_ACCENTS, *_STYLES, *_MATH, *_SIGNS})
"""The macros that are not escaped."""
