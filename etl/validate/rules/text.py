"""Rules about text: letters that a wrong encoding garbled, and addresses that cannot be opened."""

import re
from collections.abc import Iterator
from html.entities import name2codepoint

import polars as pl

from etl.resolve.papers import ABSTRACT_CODE
from etl.resolve.rendering import listing_lines
from etl.validate.rule_results import PROFILE_KEY, RuleContext, RuleResult, at_line, rows_where, rule_result

REPLACEMENT = "\ufffd"
"""The character that programs write in place of bytes that they could not decode."""
WORD_LETTERS = 20
"""Letters on either side of a fault that a finding shows."""
_HIGH = bytes(range(0x80, 0xA0)).decode("cp1252", errors="ignore")
"""The signs of Windows-1252 that are no letters of Latin-1."""
_BYTES = {sign: sign.encode("cp1252") for sign in _HIGH} | {chr(code): bytes([code]) for code in range(0x80, 0x100)}
_TAIL = rf"[\x80-\xbf{_HIGH}]"
_LEFT_ALONE = "²³¹º·°®©»\u203a\u2013\u2014\u2019\u201d…™•"
"""Signs that follow a capital such as Å in sound text: 5 Å², 5 Å-6 Å with a dash, the quote that closes behind CAFÉ."""
_TELLTALE = rf"[\x{{c2}}-\x{{f4}}][\x{{80}}-\x{{bf}}{_HIGH} ]|\x{{fffd}}|&[#A-Za-z]"
_GARBLED = re.compile(
    rf"[\xc2-\xdf]{_TAIL}|[\xe0-\xef]{_TAIL}{{2}}|[\xf0-\xf4]{_TAIL}{{3}}|â€|(?<=[a-z0-9.,;:)%])[ÂÃ](?= )"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|([A-Za-z]{2,8}[0-9]{0,2}));")
_FAULTS = {
    "encoding": ("shows UTF-8 that was read as Windows-1252", "save the page again as UTF-8"),
    "lost": ("has letters that were lost when the page was saved", "save the page again as UTF-8"),
    "entity": ("has HTML's code for a sign", "copy the text that the browser shows, not the page's source"),
}
"""The fault of a text by its kind, and what to do."""


def _text_is_decoded_once(context: RuleContext) -> RuleResult:
    """PAG-011: letters such as Ã©, the replacement character, or HTML entities in names, titles, bylines and abstracts."""
    rows = [(*found, *place) for *place, text, first in _texts(context) for found in _first_fault(text, first)]
    faults = pl.DataFrame(
        rows,
        schema={"value": pl.String, "kind": pl.String, "line": pl.Int64}
        | {"profile_id": pl.String, "source": pl.String, "is_paper": pl.Int64},
        orient="row",
    )
    first = faults.sort("profile_id", "line", maintain_order=True).unique(
        "profile_id", keep="first", maintain_order=True
    )
    papers = faults.group_by("profile_id").agg(pl.sum("is_paper").alias("papers"))
    listed = context.profiles.select("profile_id", pl.col("listed_papers").alias("listed"))
    pages = first.join(papers, on="profile_id", how="left", maintain_order="left").join(
        listed, on="profile_id", how="left", maintain_order="left"
    )
    what, advice = (
        pl.col("kind").replace_strict({kind: fault[at] for kind, fault in _FAULTS.items()}) for at in (0, 1)
    )
    return rule_result(
        "PAG-011",
        context.profiles.height,
        at_line(pages, "line"),
        PROFILE_KEY,
        value="value",
        message=pl.format(
            "{} {} ({} of {} papers of this page are affected); {}", "value", what, "papers", "listed", advice
        ),
    )


def find_garbled(text: str) -> str | None:
    """The first letters of a text that are UTF-8 read as Windows-1252, or None.

    >>> find_garbled("RenÃ©e Bell"), find_garbled("Renée Bell, 5 Å² wide")
    ('Ã©', None)
    """
    return next((match[0] for match in _GARBLED.finditer(text) if _is_garbled(match[0])), None)


def find_entity(text: str) -> str | None:
    r"""The first HTML entity in a text, or None.

    >>> find_entity("Bells &amp; towers"), find_entity(r"A&B; Bells \& towers")
    ('&amp;', None)
    """
    return next((match[0] for match in _ENTITY.finditer(text) if match[1] is None or match[1] in name2codepoint), None)


def _is_garbled(signs: str) -> bool:
    if signs in ("â€", "Â", "Ã"):
        return True
    data = b"".join(_BYTES[sign] for sign in signs)
    try:
        letter = data.decode()
    except UnicodeDecodeError:
        return False
    plain = all(sign in _LEFT_ALONE for sign in signs[1:]) and signs[0] not in "ÂÃÎÏâ"
    return not plain and (letter.isprintable() or letter.isspace())


def _first_fault(text: str, first_line: int) -> Iterator[tuple[str, str, int]]:
    """The first fault in a text of several lines: the word, the kind of fault, and the line."""
    for number, line in enumerate(text.split("\n"), start=first_line):
        found = {
            "encoding": find_garbled(line),
            "lost": REPLACEMENT if REPLACEMENT in line else None,
            "entity": find_entity(line),
        }
        for kind, signs in found.items():
            if signs:
                yield _word(line, line.index(signs), len(signs)), kind, number
                return


def _word(line: str, at: int, length: int) -> str:
    """The word around the signs at an index, cut where it is long."""
    start = max(line.rfind(" ", 0, at) + 1, at - WORD_LETTERS)
    end = line.find(" ", at + length)
    return line[start : min(end if end >= 0 else len(line), at + length + WORD_LETTERS)]


def _texts(context: RuleContext) -> Iterator[tuple[str, str, int, str, int]]:
    """The owners' names and the listings with a telltale sign: page, source, 1 for a paper, text, first line."""
    headers = context.profiles.filter(pl.col("name").str.contains(_TELLTALE)).select(
        "profile_id", "source", "name", "header"
    )
    for profile_id, source, name, header in headers.iter_rows():
        lines = header.split("\n")
        at = next((number for number, line in enumerate(lines, start=1) if name in line), 1)
        yield profile_id, source, 0, name, at
    # Not of whole rows: a third of the listings would be in memory twice.
    distinct = context.listings.select(ABSTRACT_CODE, "abstract").filter(pl.col(ABSTRACT_CODE).is_first_distinct())
    abstracts = rows_where(distinct, pl.col("abstract").str.contains(_TELLTALE))[ABSTRACT_CODE]
    parts = (pl.col(part).str.contains(_TELLTALE) for part in ("badge", "title", "byline", "raw"))
    odd = pl.any_horizontal(*parts, pl.col(ABSTRACT_CODE).is_in(abstracts.implode()))
    for row in rows_where(context.listings, odd).iter_rows(named=True):
        lines = listing_lines({**row, "block": row["raw"]})
        yield row["profile_id"], row["source"], 1, "\n".join(lines), row["line_start"]


WEB = r"(?i)^https?://"
DOMAIN = r"^(?:[^.\s:/\[\]]{1,63}\.){1,10}[^.\s:/0-9\[\]]{2,63}$"
_KEY = ("paper_id", "url")


def _scheme_is_the_webs(context: RuleContext) -> RuleResult:
    """LNK-001: a scheme other than http and https."""
    other = _links(context).filter(~pl.col("url").str.contains(WEB))
    return rule_result(
        "LNK-001",
        context.tables["links"].height,
        at_line(other, "line_end"),
        _KEY,
        value="url",
        message=pl.format(
            "the address {} begins with neither http nor https, so that it is shown as text; see whether it was meant",
            "url",
        ),
    )


def _host_is_a_domain(context: RuleContext) -> RuleResult:
    """LNK-002: a host that is no domain name."""
    other = _links(context).filter(~pl.col("host").str.contains(DOMAIN))
    return rule_result(
        "LNK-002",
        context.tables["links"].height,
        at_line(other, "line_end"),
        _KEY,
        value="url",
        message=pl.format(
            "the address {} leads nowhere: {} is no domain name; see what the abstract's source prints", "url", "host"
        ),
    )


def _links(context: RuleContext) -> pl.DataFrame:
    places = context.papers.select("paper_id", "profile_id", "source", "line_start", "line_end")
    return context.tables["links"].join(places, on="paper_id", how="left")


CHECKS = (_text_is_decoded_once, _scheme_is_the_webs, _host_is_a_domain)
