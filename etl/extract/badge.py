"""The badge over a block: `CLMar 14, 2025Code` is a category's code, a date and flags, glued together.

    badge := CODE MON " " DAY [", " YEAR] FLAG*

Copies print it in other ways: white space between the parts, whole or abbreviated months, the parts on lines of
their own. A code that arXiv has is then required, since a title may begin like such a badge.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from etl.extract.taxonomy import known_codes
from etl.extract.text import clean, is_blank, trimmed, with_plain_hyphens
from schemas.limits import BADGE_LETTERS


class Badge(NamedTuple):
    """A parsed badge: `CLMar 14, 2025Code` has code CL, month 3, day 14, year 2025 and the flag Code."""

    code: str
    month: int
    day: int
    year: int | None
    flags: tuple[str, ...]


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CODE_FLAG = "Code"
KNOWN_FLAGS = frozenset({CODE_FLAG})
FLAG_LETTERS = 24
"""Letters of all flags of a badge together; more are a title glued to it."""

_MONTH_NAMES = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Sept|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
)
_DATE = (
    rf"(?P<month>(?i:{_MONTH_NAMES})\.?)(?P<space> ?)(?P<day>[0-9]{{1,2}})(?P<ordinal>(?i:st|nd|rd|th)(?![a-z]))?"
    r"(?:(?:, (?P<year>[0-9]{4})|(?P<comma> ?,)? ?(?P<bare_year>(?:19|20)[0-9]{2}))(?![0-9]))?(?P<flags>(?:[^0-9].*)?)"
)
_PRINTED = re.compile(
    rf"(?!-)([A-Za-z-]*?[A-Za-z])({'|'.join(MONTHS)}) ([0-9]{{1,2}})(?:, ([0-9]{{4}}))?({'|'.join(KNOWN_FLAGS)}|)"
)
"""A badge as the site prints it; `_BADGE` divides it in the same way, but is slower."""
_DATED = re.compile(rf"[^A-Za-z]*[A-Za-z][A-Za-z.-]*?[^A-Za-z]*(?i:{'|'.join(MONTHS)})")
"""How the start of an ASCII badge reads at a glance: a word, and a month in it or behind it."""
_LEAD = re.compile(r"(?:[-–•*>#·]+|[0-9]{1,3}[.)]) ?")
"""Marks of lists and quotations at the start of a line."""
_DIGIT = re.compile("[0-9]")
_BADGE = re.compile(rf"(?P<code>[A-Za-z][A-Za-z.-]*?)(?P<gap>[ \])]*(?:[-·|,:–] ?)?){_DATE}")
_DATE_LINE = re.compile(_DATE)
_FLAG = re.compile(r"[A-Z]+[^A-Z]*|[^A-Z]+")


def may_be_badge(line: str) -> bool:
    """Whether a line may be a badge, with text behind it or not, or the first part of one; quick, and true for many other lines.

    >>> may_be_badge("CLMar 14, 2025"), may_be_badge("CL"), may_be_badge("On the Ringing of Bells")
    (True, True, False)
    """
    start = line[:BADGE_LETTERS]
    return _may_have_date(start) or " " not in trimmed(start)


def parse_badge(line: str) -> Badge | None:
    """Parse a badge on one line; None for any other line.

    >>> parse_badge("CLMar 14, 2025Code")
    Badge(code='CL', month=3, day=14, year=2025, flags=('Code',))
    >>> parse_badge("cs.CL Sept. 3 2019")
    Badge(code='cs.CL', month=9, day=3, year=2019, flags=())
    >>> parse_badge("March 14, 2025") is None, parse_badge("On May 1, 2024") is None
    (True, True)
    """
    badge = _parse(line) if len(line) <= BADGE_LETTERS else None
    return badge if badge and sum(map(len, badge.flags)) <= FLAG_LETTERS else None


def is_glued(line: str) -> bool:
    """Whether the line is a badge and, behind it, text too long for a flag, such as the title.

    >>> is_glued("CLMar 14, 2025On the Ringing of Bells, and of Other Things"), is_glued("CLMar 14, 2025")
    (True, False)
    """
    badge = _parse(line)
    return badge is not None and (len(line) > BADGE_LETTERS or sum(map(len, badge.flags)) > FLAG_LETTERS)


def read_badge(lines: Sequence[str], at: int) -> tuple[Badge, int] | None:
    """The badge that begins at index `at`, on one or several lines, and the index behind it; None where there is none.

    >>> read_badge(["CL", "Mar 14, 2025", "Code", "On Bells"], 0)
    (Badge(code='CL', month=3, day=14, year=2025, flags=('Code',)), 3)
    """
    badge, end = parse_badge(lines[at]), at + 1
    if badge is None:
        found = _parse_parted(lines, at)
        if found is None:
            return None
        badge, end = found
    behind = end
    while behind < len(lines) and _short(lines[behind]) in KNOWN_FLAGS:
        behind += 1
    flags = map(clean, lines[end:behind])
    return (badge if behind == end else badge._replace(flags=(*badge.flags, *flags))), behind


def render_badge(badge: Badge) -> str:
    """Write a badge as pages print it.

    >>> render_badge(Badge("CL", 3, 14, 2025, ("Code",)))
    'CLMar 14, 2025Code'
    """
    year = f", {badge.year:04}" if badge.year is not None else ""
    return f"{badge.code}{MONTHS[badge.month - 1]} {badge.day}{year}{''.join(badge.flags)}"


def known_code(text: str) -> str | None:
    """The code of arXiv that equals a text in any letter case, or None.

    >>> known_code("cl"), known_code("MED-PH"), known_code("On")
    ('CL', 'med-ph', None)
    """
    plain = with_plain_hyphens(text)
    return plain if plain in known_codes() else _codes_by_case().get(plain.casefold())


@cache
def _codes_by_case() -> dict[str, str]:
    return {code.casefold(): code for code in sorted(known_codes())}


def _parse(line: str) -> Badge | None:
    """A badge with flags of any length."""
    start = line[:BADGE_LETTERS]
    if printed := _PRINTED.fullmatch(start):
        code, *parts = printed.groups()
        return _badge(known_code(code) or code, *parts)
    if not _may_have_date(start):
        return None
    text = clean(start)
    text = text if text.isascii() else with_plain_hyphens(unicodedata.normalize("NFKC", text))
    lead = _LEAD.match(text)
    bare = text[lead.end() :] if lead else text
    match = _BADGE.fullmatch(bare.lstrip("[(") if bare[:1] in {"[", "("} else bare)
    if match is None or not _are_flags(match["flags"]):
        return None
    code = match["code"]
    is_strict = bare == text and not match["gap"] and match["space"] and match["month"] in MONTHS and "." not in code
    code = known_code(code) or (code if is_strict else "")
    return _badge(code, *_parts(match)) if code else None


def _may_have_date(start: str) -> bool:
    """Whether there is a digit (or a sign that is a form of one), and a month where a badge has it."""
    if start.isascii():
        return _DIGIT.search(start) is not None and _DATED.match(start) is not None
    return _DIGIT.search(unicodedata.normalize("NFKC", start)) is not None


def _are_flags(text: str) -> bool:
    """Whether the text behind a date can be flags: it begins with a letter and contains no year or other number."""
    bare = text.strip(" []()*·|")
    return not bare or (bare[0].isalpha() and not re.search("[0-9]{3}", bare))


def _parse_parted(lines: Sequence[str], at: int) -> tuple[Badge, int] | None:
    """A badge on several lines: a code of arXiv alone, then the date on the next line that is not blank."""
    code = known_code(_short(lines[at]))
    if code is None:
        return None
    end = next((index for index in range(at + 1, min(at + 3, len(lines))) if not is_blank(lines[index])), at)
    match = _DATE_LINE.fullmatch(_short(lines[end])) if end > at else None
    badge = _badge(code, *_parts(match)) if match else None
    return (badge, end + 1) if badge and sum(map(len, badge.flags)) <= FLAG_LETTERS else None


def _short(line: str) -> str:
    """The cleaned line; empty where it is too long for a badge."""
    return clean(line) if len(line) <= BADGE_LETTERS else ""


def _parts(match: re.Match[str]) -> tuple[str, str, str | None, str]:
    return match["month"], match["day"], match["year"] or match["bare_year"], match["flags"]


def _badge(code: str, month: str, day: str, year: str | None, flags: str) -> Badge:
    number = MONTHS.index(month[:3].capitalize()) + 1
    return Badge(code, number, int(day), int(year) if year else None, _flags(flags) if flags else ())


def _flags(text: str) -> tuple[str, ...]:
    """The flags one by one; a known one is recognised in any letter case and in brackets."""
    known = {flag.casefold(): flag for flag in KNOWN_FLAGS}
    whole = text.strip(" []()*·|")
    if whole.casefold() in known:
        return (known[whole.casefold()],)
    return tuple(flag.strip() for flag in _FLAG.findall(whole) if flag.strip())
