"""The grammar within one line: badge, byline, the header's values; each read and written.

In: one line. Out: a record, or None where the line has another shape. Reading what was written
gives the record back: that is what the tests of this module try, both ways.
"""

import re

from etl.records import Badge, Byline
from schemas.limits import NAME_LETTERS, NAME_WORDS, SENTENCE_END

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CODE_FLAG = "Code"
KNOWN_FLAGS = frozenset({CODE_FLAG})
ET_AL = " et al."
TAG_MARK = " · "
BOM = "\ufeff"

_BADGE = re.compile(
    rf"(?P<code>[A-Za-z][A-Za-z-]*?)(?P<month>{'|'.join(MONTHS)}) (?P<day>[0-9]{{1,2}})"
    r"(?:, (?P<year>[0-9]{4}))?(?P<flags>[^0-9,].*)?"
)
_FLAG = re.compile(r"[A-Z]+[^A-Z]*|[^A-Z]+")
_COMMA = re.compile(r",[ \t]*")
_TAGS = re.compile(r"[\s,]·\s")
_CUTS = ("et al.", "et al")
_SUFFIX = re.compile(r"(?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D)\.?")
_DIGITS = r"(?P<value>[0-9][0-9,]{0,20})"
_STATS = {
    "h_index": re.compile(rf"h-index ?{_DIGITS}"),
    "stated_papers": re.compile(rf"{_DIGITS} ?papers?"),
    "citations": re.compile(rf"{_DIGITS} ?citations?"),
    "novelty_pct": re.compile(rf"Novelty ?{_DIGITS} ?%"),
    "ai_score": re.compile(rf"AI Score ?{_DIGITS}"),
    "section_count": re.compile(rf"{_DIGITS} Papers?"),
}
_LARGEST = 2**63 - 1
"""The largest number that a column of whole numbers can hold."""


def parse_badge(line: str) -> Badge | None:
    """Read a badge, or None where the line is none.

    >>> parse_badge("CLMar 14, 2025Code")
    Badge(code='CL', month=3, day=14, year=2025, flags=('Code',))
    >>> parse_badge("med-phOct 3")
    Badge(code='med-ph', month=10, day=3, year=None, flags=())
    >>> parse_badge("March 14, 2025") is None
    True
    """
    match = _BADGE.fullmatch(line.removeprefix(BOM).rstrip())
    if match is None:
        return None
    return Badge(
        code=match["code"],
        month=MONTHS.index(match["month"]) + 1,
        day=int(match["day"]),
        year=int(match["year"]) if match["year"] else None,
        flags=tuple(flag.strip() for flag in _FLAG.findall(match["flags"] or "") if flag.strip()),
    )


def render_badge(badge: Badge) -> str:
    """Write a badge as pages print it.

    >>> render_badge(Badge("CL", 3, 14, 2025, ("Code",)))
    'CLMar 14, 2025Code'
    """
    year = f", {badge.year:04}" if badge.year is not None else ""
    return f"{badge.code}{MONTHS[badge.month - 1]} {badge.day}{year}{''.join(badge.flags)}"


def parse_byline(line: str) -> Byline:
    """Read a byline; a comma before Jr. and the like belongs to the name.

    >>> parse_byline("Ada Bell, Cy Dole, Jr., Eve Fox et al. · mila")
    Byline(names=('Ada Bell', 'Cy Dole, Jr.', 'Eve Fox'), truncated=True, tags=('mila',))
    """
    text = f" {line.strip()} "
    mark = _TAGS.search(text)
    people, tags = (text[: mark.start()], text[mark.end() :]) if mark else (text, "")
    names, truncated = _uncut(people.strip())
    return Byline(tuple(_names(names)), truncated, tuple(_parts(tags)))


def render_byline(byline: Byline) -> str:
    """Write a byline as pages print it.

    >>> render_byline(Byline(("Ada Bell", "Cy Dole"), True, ("mila",)))
    'Ada Bell, Cy Dole et al. · mila'
    """
    tags = TAG_MARK + ", ".join(byline.tags) if byline.tags else ""
    return f"{', '.join(byline.names)}{ET_AL if byline.truncated else ''}{tags}"


def is_name(text: str) -> bool:
    """Whether a line can be one person's name, by the measures that a byline's names are held to, and without a figure.

    >>> is_name("Ada Bell"), is_name("Ada Bell, Cy Dole et al."), is_name("Bells ring."), is_name("1984")
    (True, False, False, False)
    """
    return (
        len(text) <= NAME_LETTERS
        and len(text.split()) <= NAME_WORDS
        and any(map(str.isalpha, text))
        and not any(map(str.isdigit, text))
        and not re.search(SENTENCE_END, text)
        and parse_byline(text) == Byline((text,), truncated=False, tags=())
    )


def is_suffix(word: str) -> bool:
    """Whether a word may stand behind a family name, with a comma before it.

    >>> is_suffix("Jr."), is_suffix("III"), is_suffix("Bell")
    (True, True, False)
    """
    return _SUFFIX.fullmatch(word) is not None


def parse_stat(line: str) -> tuple[str, str] | None:
    """Read a line of the header's figures: which one it is, and its digits as printed.

    >>> parse_stat("17,521citations")
    ('citations', '17,521')
    >>> parse_stat("2.1k stars") is None
    True
    """
    for name, pattern in _STATS.items():
        match = pattern.fullmatch(line.strip())
        if match and int(match["value"].replace(",", "")) <= _LARGEST:
            return name, match["value"]
    return None


def _uncut(people: str) -> tuple[str, bool]:
    """The names without "et al.", and whether it stood there."""
    for cut in _CUTS:
        if people == cut or people.endswith((f" {cut}", f"\t{cut}", f",{cut}")):
            return people.removesuffix(cut), True
    return people, False


def _names(text: str) -> list[str]:
    names: list[list[str]] = []
    for part in _parts(text):
        if names and is_suffix(part):
            names[-1].append(part)
        else:
            names.append([part])
    return [", ".join(parts) for parts in names]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _COMMA.split(text) if part.strip()]
