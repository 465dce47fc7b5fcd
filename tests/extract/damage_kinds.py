"""Invented pages of which every part is known, and the kinds of damage that copying and saving do to them.

Each kind takes a page and says which of its blocks it hits; what is read afterwards is compared with the page as it was.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random

OWNER = "Ann B. Bell"
PEOPLE = ["Cy Dole", "Eve Fox", "Gil Hart", "Ida van der Joy", "Kai Lee", "Mo O'Nash", "Pia Quist", "Rui Sá", "李伟"]
NOUNS = ["Bells", "Towers", "Ropes", "Clappers", "Belfries", "Chimes", "Hammers", "Steeples"]
CODES = ["CL", "LG", "med-ph", "quant-ph", "CV", "AS"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
LONG_MONTHS = dict(zip(MONTHS, ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"], strict=True))  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """A block's four parts as the page prints them, and the lines between them."""

    badge: str
    title: str
    byline: str
    abstract: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> list[str]:
        """The block's lines: those given, or in the order of the grammar."""
        return list(self.lines) or [self.badge, self.title, "", self.byline, "", self.abstract]


@dataclass(frozen=True)
class Invented:
    """A page: the lines of its header, and its blocks."""

    header: tuple[str, ...]
    blocks: tuple[Printed, ...]

    @property
    def text(self) -> str:
        """The page as it is saved."""
        return "\n".join([*self.header, *(line for block in self.blocks for line in ("", *block.text))])


Change = Callable[[Printed], Printed]
Whole = Callable[[Invented], str]


def invent(seed: int, papers: int = 8) -> Invented:
    """A sound page."""
    random = Random(seed)  # noqa: S311  it must repeat itself
    blocks = [_printed(random, number) for number in range(papers)]
    figures = ["CL", "h-index4", f"{papers}papers", "1,204citations", "Novelty50%", "AI Score58"]
    return Invented((OWNER, "", *figures, "", f"{papers} Papers"), tuple(blocks))


def _printed(random: Random, number: int) -> Printed:
    names = random.sample(PEOPLE, random.randint(0, 3))
    cut = len(names) == 3
    if not cut:
        names.insert(random.randint(0, len(names)), OWNER)
    day, month = random.randint(1, 28), random.choice(MONTHS)
    year = random.choice(["", f", {random.randint(2010, 2025)}", f", {random.randint(2010, 2025)}"])
    title = random.choice(
        [
            f"On {random.choice(NOUNS)} and {random.choice(NOUNS)}, Part {number + 1}",
            f"{random.choice(NOUNS)} Are All You Need {number}",
            f"How {random.choice(NOUNS).lower()} ring when nobody hears them: a study of {number} cases",
            f"A Comment on Hart et al. and Their {number} {random.choice(NOUNS)}",
        ]
    )
    tags = random.choice(["", "", " · mila", " · tower lab, mila"])
    return Printed(
        badge=f"{random.choice(CODES)}{month} {day}{year}{random.choice(['', '', 'Code'])}",
        title=title,
        byline=", ".join(names) + (" et al." if cut else "") + tags,
        abstract=f"We ring {number} bells, as Eve Fox and Gil Hart did, and show that $x^{number}$ of them sound"
        f" at every full hour, in {random.choice(NOUNS).lower()} of all kinds. Code: https://example.org/{number}.",
    )


def each(change: Change) -> Whole:
    """The page with all its blocks changed."""
    return lambda page: replace(page, blocks=tuple(map(change, page.blocks))).text


def one(change: Change, at: int = 3) -> Whole:
    """The page with one of its blocks changed."""
    return lambda page: (
        replace(page, blocks=tuple(change(block) if n == at else block for n, block in enumerate(page.blocks))).text
    )


def badge(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Change:
    """A change of the badge's text."""
    return lambda block: replace(block, badge=re.sub(pattern, replacement, block.badge))


def byline(pattern: str, replacement: str) -> Change:
    """A change of the byline's text."""
    return lambda block: replace(block, byline=re.sub(pattern, replacement, block.byline))


def order(*parts: str) -> Change:
    """The block's lines in another order: names of parts, or text as it is."""
    return lambda block: replace(block, lines=tuple(vars(block).get(part, part) for part in parts))


def header(*lines: str) -> Whole:
    """The page with another header."""
    return lambda page: replace(page, header=lines).text


def _parted(block: Printed) -> Printed:
    code, date, flag = re.fullmatch(r"([A-Za-z-]+?)([A-Z][a-z]{2} .*?)(Code)?", block.badge).groups()  # type: ignore[union-attr]
    return replace(block, lines=(code, date, *filter(None, [flag]), *block.text[1:]))


def _blank_lines(text: str, blank: Iterable[str]) -> str:
    source = iter(blank)
    return "\n".join(line or next(source) for line in text.split("\n"))


def _mixed(page: Invented) -> str:
    return "\n".join(line + "\r" * (number % 3 != 0) for number, line in enumerate(page.text.split("\n")))


def _random_gaps(page: Invented) -> str:
    random = Random(len(page.text))  # noqa: S311  it must repeat itself
    filled = [line for line in page.text.split("\n") if line]
    return "".join(line + "\n" * random.randint(1, 4) for line in filled)


MENU = ("Home", "", "Papers", "Sign in", "")
FIGURES = ("h-index", "4", "8", "papers", "1,204", "citations", "Novelty", "50%", "AI Score", "58")
HEAD = invent(0).header

READ: dict[str, Whole] = {
    "sound": lambda page: page.text,
    "badge: a space behind the code": each(badge(r"(?<=[a-zLVSG])(?=[A-Z][a-z]{2} )", " ")),
    "badge: no-break and thin spaces": each(badge(" ", "\u00a0")),
    "badge: thin spaces": each(badge(" ", "\u2009")),
    "badge: characters without width": each(badge(r"^|$|(?<=,)", "\u200b")),
    "badge: indented by a tab": each(badge("^", "\t")),
    "badge: spaces behind": each(badge("$", "  ")),
    "badge: a full stop behind the month": each(badge(r"(?<=[A-Z][a-z]{2}) ", ". ")),
    "badge: whole months": each(badge(r"([A-Z][a-z]{2})(?= )", lambda match: LONG_MONTHS[match[1]])),
    "badge: months in capitals": each(badge(r"[A-Z][a-z]{2}(?= )", lambda match: match[0].upper())),
    "badge: months in small letters": each(badge(r"[A-Z][a-z]{2}(?= )", lambda match: match[0].lower())),
    "badge: a year without its comma": each(badge(", ", " ")),
    "badge: a year without comma and space": each(badge(", ", "")),
    "badge: a year without its space": each(badge(", ", ",")),
    "badge: parts on lines of their own": each(_parted),
    "indented": lambda page: "\n".join("    " + line if line else "" for line in page.text.split("\n")),
    "no-break spaces around lines": lambda page: page.text.replace("\n", "\u00a0\n\u00a0"),
    "figures on lines of their own": header(HEAD[0], "", "CL", *FIGURES, "", "8 Papers"),
    "a menu above": lambda page: "\n".join([*MENU, page.text]),
    "no header": lambda page: replace(page, header=()).text.strip("\n"),
    "gaps: all doubled": lambda page: page.text.replace("\n\n", "\n\n\n"),
    "gaps: all missing": lambda page: re.sub("\n+", "\n", page.text),
    "gaps: a blank behind every line": lambda page: re.sub("\n+", "\n\n", page.text),
    "gaps: of any size": _random_gaps,
    "gaps: one doubled before the byline": each(order("badge", "title", "", "", "byline", "", "abstract")),
    "gaps: one doubled behind the byline": each(order("badge", "title", "", "byline", "", "", "abstract")),
    "gaps: none before the byline": each(order("badge", "title", "byline", "", "abstract")),
    "gaps: none behind the byline": each(order("badge", "title", "", "byline", "abstract")),
    "gaps: one behind the badge": each(order("badge", "", "title", "", "byline", "", "abstract")),
    "gaps: spaces on them": lambda page: _blank_lines(page.text, iter(lambda: " \u00a0", None)),
    "gaps: carriage returns on them": lambda page: _blank_lines(page.text, iter(lambda: "\r", None)),
    "line breaks of both kinds": _mixed,
    "line breaks of CRLF": lambda page: page.text.replace("\n", "\r\n"),
    "byline: and": each(byline(r", (?=[^,]*$)(?!mila)", " and ")),
    "byline: and behind a comma": each(byline(r", (?=[^,]*$)(?!mila)", ", and ")),
    "byline: &": each(byline(r"(?<! lab), (?!mila)", " & ")),
    "byline: ;": each(byline(r"(?<! lab), (?!mila)", "; ")),
    "byline: ，": each(byline(r"(?<! lab), (?!mila)", "，")),
    "byline: 、": each(byline(r"(?<! lab), (?!mila)", "、")),
    "byline: ،": each(byline(r"(?<! lab), (?!mila)", "، ")),
    "byline: two spaces": each(byline(r",", ", ")),
    "byline: a no-break space in et al.": each(byline(r"et al\.", "et\u00a0al.")),
    "byline: ET AL": each(byline(r"et al\.", "ET AL")),
    "byline: +5 more": each(byline(r" et al\.", " +5 more")),
    "byline: and 12 others": each(byline(r" et al\.", " and 12 others")),
    "byline: By": each(byline("^", "By ")),
    "byline: a colon": each(byline(r", (?=[^,]*$)(?!mila)", ", :, ")),
    "badge: ordinals": each(badge(r"(?<= )([0-9]{1,2})(?=,|$|C)", r"\1th")),
    "badge: bullets before": each(badge("^", "• ")),
    "badge: numbers before": each(badge("^", "12. ")),
    "badge: direction marks": each(badge("^|$", "\u200e")),
    "direction marks on lines": lambda page: "\n".join(
        f"\u200e{line}\u200e" if line else line for line in page.text.split("\n")
    ),
    "byline: footnote numbers": each(byline(r"(?<=[a-zèé])(?=, (?!mila)| et al| · )", "1")),
    "byline: slashes": each(byline(r"(?<! lab), (?!mila)", " / ")),
    "byline: a cut with a stop apart": each(byline(r"et al\.", "et al .")),
    "byline: a cut in brackets": each(byline(r"et al\.", "(et al.)")),
    "byline: 5 more": each(byline(r" et al\.", ", 5 more")),
    "a line of the site under each abstract": each(
        order("badge", "title", "", "byline", "", "abstract", "Cited by 12")
    ),
    "titles over two lines": each(
        lambda block: replace(
            block, lines=(block.badge, *block.title.split(" ", 1), "", block.byline, "", block.abstract)
        )
    ),
    "a footer behind a gap": lambda page: f"{page.text}\n\nAbout us\n\nTerms of use",
    "a footer, and a blank behind every line": lambda page: re.sub(
        "\n+", "\n\n", f"{page.text}\nAbout us\nTerms of use"
    ),
    "a button under each abstract": each(order("badge", "title", "", "byline", "", "abstract", "Show more")),
    "a button behind each abstract": each(order("badge", "title", "", "byline", "", "abstract", "", "Show more")),
}
"""Damage after which every block is read as it was."""
HIT: dict[str, Whole] = {
    "a lost badge": one(order("title", "", "byline", "", "abstract")),
    "a lost title": one(order("badge", "", "byline", "", "abstract")),
    "a lost title and gap": one(order("badge", "byline", "", "abstract")),
    "a lost byline": one(order("badge", "title", "", "", "abstract")),
    "a lost byline and gap": one(order("badge", "title", "", "abstract")),
    "a badge twice": one(order("badge", "badge", "title", "", "byline", "", "abstract")),
    "a title twice": one(order("badge", "title", "title", "", "byline", "", "abstract")),
    "a title and gap twice": one(order("badge", "title", "", "title", "", "byline", "", "abstract")),
    "a title twice and no abstract": one(order("badge", "title", "", "title", "", "byline")),
    "a byline twice": one(order("badge", "title", "", "byline", "byline", "", "abstract")),
    "a byline and gap twice": one(order("badge", "title", "", "byline", "", "byline", "", "abstract")),
    "a byline twice and no abstract": one(order("badge", "title", "", "byline", "", "byline")),
    "title and byline changed about": one(order("badge", "byline", "", "title", "", "abstract")),
    "byline and abstract changed about": one(order("badge", "title", "", "abstract", "", "byline")),
    "badge and title changed about": one(order("title", "badge", "", "byline", "", "abstract")),
    "a button behind the title": one(order("badge", "title", "Show more", "", "byline", "", "abstract")),
    "a button before the byline": one(order("badge", "title", "", "Show more", "", "byline", "", "abstract")),
    "a button before the abstract": one(order("badge", "title", "", "byline", "", "Show more", "", "abstract")),
    "a title glued to its badge": one(lambda b: replace(b, lines=(b.badge + b.title, *b.text[2:]))),
    "a title glued to its badge, no gaps": one(lambda b: replace(b, lines=(b.badge + b.title, b.byline, b.abstract))),
    "a byline glued to its title": one(lambda b: replace(b, lines=(b.badge, b.title + b.byline, "", b.abstract))),
    "an abstract over lines with a gap": one(
        order("badge", "title", "", "byline", "", "abstract", "", "It ends here.")
    ),
    "every line twice": lambda page: "\n".join(line for line in page.text.split("\n") for _ in range(1 + bool(line))),
    "an abstract that is a badge": one(order("badge", "title", "", "byline", "", "badge")),
    "a cut in the abstract's place": one(order("badge", "title", "", "byline", "", "et al.", "", "abstract")),
    "title and abstract changed about": one(
        lambda b: replace(b, lines=(b.badge, f"{b.abstract} They ring. {b.abstract}", "", b.byline, "", b.title))
    ),
    "a lost badge and no gaps": one(order("title", "byline", "abstract")),
    "all in one line": one(lambda b: replace(b, lines=(" ".join(b.text),))),
}
"""Damage to one block, which is then read as it was or not at all; its neighbours are read."""
ALL: dict[str, Whole] = {
    "every line twice": HIT.pop("every line twice"),
    "badges below their papers": lambda page: "\n".join(
        [*page.header, *(line for block in page.blocks for line in ("", *block.text[1:], "", block.badge))]
    ),
}
"""Damage to all blocks, of which none may be read otherwise than it was."""
