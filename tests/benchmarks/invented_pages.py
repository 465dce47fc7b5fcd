"""Invented pages in any number: `python tests/benchmarks/invented_pages.py [--varied] FOLDER [PAPERS]`.

Papers are written in groups of twelve people, and each paper is on the pages of three of them. Same arguments, same bytes.
Pages are clean (50 papers a page, no rule of severity warning or error is broken) or varied: 10 to 50 papers a page, a
vocabulary as skewed as that of real abstracts, people under several spellings, listings that differ, and some damage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from unicodedata import normalize

import click

PAPERS = 100_000
GROUP = 12
PAPERS_A_PAGE = 50
OWNERS_A_PAPER = 3
PAPERS_A_GROUP = GROUP * PAPERS_A_PAGE // OWNERS_A_PAPER
SHOWN_AUTHORS = 3
FIRST_DAY, LAST_DAY = date(2012, 1, 1), date(2026, 5, 31)
SAVED = "2026-06-01"
CODES = ("CL", "LG", "NE", "AI", "IR", "SE", "RO", "CR", "DC", "HC", "AS", "med-ph", "quant-ph", "optics")
TAGS = ("mila", "Tower Lab", "Hill College", "Bell Works")
SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou"]
WORDS = [first + second for first in SYLLABLES for second in SYLLABLES[::3]]
SENTENCE = 16
SENTENCES = 8

PAPERS_OF_VARIED_GROUPS = (40, 80, 120, 160, 200)
OTHERS = 50
"""People of a varied group who have no page."""
COMMON_NAMES = 1000
"""Given names in use, and family names that a third of the people share."""
YEARLESS_DAYS = 350
"""Days before the page was saved within which a badge needs no year."""
VARIED_CODES = (*CODES, "CV", "AP", "ST", "OC")
VOCABULARY = [
    *SYLLABLES[::7],
    *WORDS[::12],
    *(word + end for word in WORDS[::2] for end in SYLLABLES[::40]),
    *(word + end for word in WORDS for end in WORDS[::225]),
]
"""Some 30,000 words; the nth is printed about 1/n as often as the first."""
_CUM_WEIGHTS = list(accumulate(1 / (rank + 3) for rank in range(len(VOCABULARY))))
_ACCENTS = str.maketrans("aeiou", "áéïöü")
_BLOCK = "{badge}\n{title}\n\n{byline}\n\n{abstract}\n"
DAMAGED_BLOCKS = (
    "{badge}\n{title}\n\n{abstract}\n",
    "{badge}\n{title}\n\n{byline}\n\n\n",
    "{badge}\n\n{title}\n\n\n{byline}\n\n{abstract}\n",
    "{badge}\n{title}\n{byline}\n{abstract}\n",
    "{badge}\n{badge}\n\n{byline}\n\n{abstract}\n",
    "{badge}\n{title}\n\n{name},  {name}\n\n{abstract}\n",
    "{badge}Data\n{title}\n\n{byline}\n\n{abstract}\n",
    "CLFeb 30, 2019\n{title}\n\n{byline}\n\n{abstract}\n",
    "{badge}\n{title}\n\n{byline}\n\n{abstract}\n\nShow more\n",
    "{badge}\n{title}\n\n{byline}\n\n{abstract}\n{abstract}\n",
)
_HEADER = "{name}\n\nCL\nh-index{h_index}\n{papers}papers\n{citations:,}citations\nNovelty50%\nAI Score58\n\n{papers} Papers\n\n"
ODD_HEADERS = (
    "CL\nh-index{h_index}\n{papers}papers\n{citations:,}citations\nNovelty50%\nAI Score58\n\n{papers} Papers\n\n",
    "{name}\n\nCL\n{citations:,}citations\nh-index{h_index}\n{papers}papers\n\n{papers} Papers\n\n",
    "{name}\n\nCL\nh-index{h_index}\n{papers}papers\n2.1k stars\nNovelty150%\n\n{papers} Papers\n\n",
    "Follow\n{name}\n\nh-index99\n{papers}papers\n\n\n{papers} Papers\n\n",
)


@dataclass(frozen=True)
class Paper:
    """A paper as every page prints it, but for who owns the page."""

    badge: str
    title: str
    byline: str
    abstract: str
    day: date
    owners: tuple[int, ...]

    @property
    def block(self) -> str:
        """The paper's block on a page."""
        return f"{self.badge}\n{self.title}\n\n{self.byline}\n\n{self.abstract}\n"


def pages(papers: int = PAPERS, *, varied: bool = False) -> Iterator[tuple[str, str]]:
    """The name and the text of each page; clean ones have `papers` rounded up to whole groups of 200."""
    random = Random(papers)  # noqa: S311  it must repeat itself
    if varied:
        yield from _varied_pages(random, papers)
        return
    for group in range(-(-papers // PAPERS_A_GROUP)):
        names = [_name(random, group * GROUP + member) for member in range(GROUP)]
        written = [_paper(random, names, number) for number in range(PAPERS_A_GROUP)]
        for member, name in enumerate(names):
            own = sorted((paper for paper in written if member in paper.owners), key=lambda paper: paper.day)
            yield f"{group:05}-{member:02}@{SAVED}.txt", _page(name, random, own)


def _page(name: str, random: Random, papers: list[Paper]) -> str:
    return _header(random, name, papers) + "\n".join(paper.block for paper in reversed(papers))


def _header(random: Random, name: str, papers: Sequence[Paper], form: str = _HEADER) -> str:
    citations, h_index = random.randint(20_000, 90_000), min(random.randint(5, 40), len(papers))
    return form.format(name=name, h_index=h_index, papers=len(papers), citations=citations)


def _paper(random: Random, names: list[str], number: int) -> Paper:
    owners = _owners(number)
    others = [_name(random, random.randrange(10**9)) for _ in range(random.randint(0, 4))]
    authors = [*(names[owner] for owner in owners), *others]
    random.shuffle(authors)
    byline = _byline(random, authors)
    day = _day(random)
    flag = "Code" if random.random() < 0.1 else ""
    return Paper(
        badge=f"{random.choice(CODES)}{day:%b} {day.day}, {day.year}{flag}",
        title=" ".join(random.choices(WORDS, k=9)).capitalize(),
        byline=byline,
        abstract=_abstract(random),
        day=day,
        owners=owners,
    )


def _owners(number: int) -> tuple[int, ...]:
    """The owners go round, so that every page gets the same number of papers."""
    return tuple((number + step) % GROUP for step in (0, 1 + number // GROUP % 5, 6 + number // GROUP % 5))


def _byline(random: Random, authors: Sequence[str]) -> str:
    cut = " et al." if len(authors) > SHOWN_AUTHORS else ""
    tag = f" · {random.choice(TAGS)}" if random.random() < 0.1 else ""
    return ", ".join(authors[:SHOWN_AUTHORS]) + cut + tag


def _day(random: Random) -> date:
    return FIRST_DAY + timedelta(random.randrange((LAST_DAY - FIRST_DAY).days))


def _abstract(random: Random) -> str:
    sentences = [" ".join(random.choices(WORDS, k=SENTENCE)).capitalize() for _ in range(SENTENCES)]
    return ". ".join(sentences) + r", $32\times$ faster at 15\% of the cost: https://github.com/example/peals."


def _name(random: Random, number: int) -> str:
    """A given and a family name; the number goes into the family name, so that no two people share theirs."""
    given = "".join(random.choices(SYLLABLES, k=2)).capitalize()
    return f"{given} {_family(number)}"


def _family(number: int) -> str:
    family = ""
    while number or not family:
        number, digit = divmod(number, len(SYLLABLES))
        family += SYLLABLES[digit]
    return f"{family.capitalize()}son"


def _varied_pages(random: Random, papers: int) -> Iterator[tuple[str, str]]:
    """Pages of a group are far from each other in the order of their names, as co-authors' pages are."""
    group = 0
    while papers > 0:
        size = min(papers, random.choice(PAPERS_OF_VARIED_GROUPS))
        people = [_spellings(random, group * (GROUP + OTHERS) + member) for member in range(GROUP + OTHERS)]
        written = [_varied_paper(random, people, number) for number in range(size)]
        for member in range(min(GROUP, size)):
            own = sorted((paper for paper in written if member in paper.owners), key=lambda paper: paper.day)
            yield f"{member:02}-{group:05}@{SAVED}.txt", _varied_page(random, people[member][0], own)
        papers, group = papers - size, group + 1


def _spellings(random: Random, number: int) -> tuple[str, ...]:
    """The ways in which a person's name is printed, the usual one first."""
    given = _family(random.randrange(COMMON_NAMES)).removesuffix("son")
    family = _family(random.randrange(COMMON_NAMES) if random.random() < 0.3 else COMMON_NAMES + number // 4)
    if random.random() < 0.05:
        given = f"{given}-{_family(number % 50).removesuffix('son')}"
    if random.random() < 0.1:
        family = family.translate(_ACCENTS)
    middle = f" {random.choice('ABCDEFGHJKLM')}." if random.random() < 0.25 else ""
    usual = f"{given}{middle} {family}"
    others = (f"{given} {family}", f"{given[0]}.{middle} {family}", _plain(usual), usual.replace("-", " "))
    return tuple(dict.fromkeys((usual, *others)))


def _plain(text: str) -> str:
    return normalize("NFKD", text).encode("ascii", "ignore").decode()


def _varied_paper(random: Random, people: Sequence[tuple[str, ...]], number: int) -> Paper:
    owners = _owners(number)
    authors = [people[person] for person in (*owners, *random.sample(range(GROUP, len(people)), random.randint(0, 4)))]
    random.shuffle(authors)
    day = _day(random)
    flag = "Code" if random.random() < 0.1 else ""
    title = _sentence(random, random.randint(5, 13))
    return Paper(
        badge=f"{random.choice(VARIED_CODES)}{day:%b} {day.day}, {day.year}{flag}",
        title=title.replace(" ", "-", 1) if random.random() < 0.3 else title,
        byline=_byline(random, [names[0] if random.random() < 0.9 else random.choice(names) for names in authors]),
        abstract=_varied_abstract(random),
        day=day,
        owners=owners,
    )


def _varied_abstract(random: Random) -> str:
    text = ". ".join(_sentence(random, random.randint(10, 26)) for _ in range(random.randint(5, 13)))
    chance = random.random()
    if chance < 0.15:
        return f"{text}. Code: https://github.com/{random.choice(WORDS)}/{random.choice(WORDS)}."
    return rf"{text}, $32\times$ faster at 15\% of the cost." if chance < 0.4 else f"{text}."


def _sentence(random: Random, words: int) -> str:
    return " ".join(random.choices(VOCABULARY, cum_weights=_CUM_WEIGHTS, k=words)).capitalize()


def _varied_page(random: Random, name: str, papers: Sequence[Paper]) -> str:
    form = random.choice(ODD_HEADERS) if random.random() < 0.02 else _HEADER
    text = _header(random, name, papers, form) + "\n".join(_listing(random, paper) for paper in reversed(papers))
    chance = random.random()
    if chance < 0.01:
        return text.replace("\n", "\r\n")
    if chance < 0.02:
        return f"\ufeff{text}"
    return text[:-200] if chance < 0.03 else text


def _listing(random: Random, paper: Paper) -> str:
    """A paper as one page prints it: in 9 of 10 cases as the others do, and once in 300 damaged."""
    badge, title, byline, abstract = paper.badge, paper.title, paper.byline, paper.abstract
    if (LAST_DAY - paper.day).days < YEARLESS_DAYS and random.random() < 0.5:
        badge = badge.replace(f", {paper.day.year}", "")
    chance = random.random()
    if chance < 0.04:
        title = title.replace("-", "\u2010").title()
    elif chance < 0.07:
        byline = _plain(byline.replace(" · ", "\n")).partition("\n")[0]
    elif chance < 0.09:
        abstract = abstract[: len(abstract) // 2]
    elif chance < 0.1:
        badge = f"CL{badge[badge.index(' ') - 3 :]}"
    elif chance < 0.101:
        badge = badge.replace(f", {paper.day.year}", f", {paper.day.year - 1}")
    form = random.choice(DAMAGED_BLOCKS) if random.random() < 1 / 300 else _BLOCK
    return form.format(badge=badge, title=title, byline=byline, abstract=abstract, name=byline.partition(",")[0])


def write(folder: Path, papers: int = PAPERS, *, varied: bool = False) -> None:
    """Write the pages into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(papers, varied=varied):
        (folder / name).write_bytes(text.encode())


@click.command()
@click.option("--varied", is_flag=True, help="People under several spellings, listings that differ, and damage.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("papers", type=click.IntRange(1), default=PAPERS)
def main(folder: Path, papers: int, *, varied: bool) -> None:
    """Write pages of so many PAPERS into FOLDER."""
    write(folder, papers, varied=varied)


if __name__ == "__main__":
    main()
