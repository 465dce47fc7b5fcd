"""Invented pages in any number: `python tests/benchmarks/invented_pages.py FOLDER [PAPERS]`.

Papers are written in groups of twelve people whose pages list fifty papers each, so that every paper stands on three
pages. The pages are clean: no rule of severity warning or error is broken. Same number, same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import click

PAPERS = 100_000
GROUP = 12
PAPERS_A_PAGE = 50
OWNERS_A_PAPER = 3
PAPERS_A_GROUP = GROUP * PAPERS_A_PAGE // OWNERS_A_PAPER
SHOWN_AUTHORS = 3
FIRST_DAY, LAST_DAY = date(2012, 1, 1), date(2026, 5, 31)
SAVED = "2026-06-01"
CODES = ("CL", "LG", "CV", "AI", "IR", "SE", "RO", "CR", "DC", "HC", "AS", "med-ph", "quant-ph", "optics")
TAGS = ("mila", "Tower Lab", "Hill College", "Bell Works")
SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvwz" for vowel in "aeiou"]
WORDS = [first + second for first in SYLLABLES for second in SYLLABLES[::3]]
SENTENCE = 16
SENTENCES = 8


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


def pages(papers: int = PAPERS) -> Iterator[tuple[str, str]]:
    """The name and the text of each page; `papers` is rounded up to whole groups of 200."""
    random = Random(papers)  # noqa: S311  it must repeat itself
    for group in range(-(-papers // PAPERS_A_GROUP)):
        names = [_name(random, group * GROUP + member) for member in range(GROUP)]
        written = [_paper(random, names, number) for number in range(PAPERS_A_GROUP)]
        for member, name in enumerate(names):
            own = sorted((paper for paper in written if member in paper.owners), key=lambda paper: paper.day)
            yield f"{group:05}-{member:02}@{SAVED}.txt", _page(name, random, own)


def _page(name: str, random: Random, papers: list[Paper]) -> str:
    cited = random.randint(20_000, 90_000)
    stats = ["CL", f"h-index{random.randint(5, 40)}", f"{len(papers)}papers", f"{cited:,}citations", "Novelty50%"]
    head = [name, "", *stats, "AI Score58", "", f"{len(papers)} Papers", ""]
    return "\n".join(head) + "\n" + "\n".join(paper.block for paper in reversed(papers))


def _paper(random: Random, names: list[str], number: int) -> Paper:
    # The owners go round, so that every page gets the same number of papers.
    owners = tuple((number + step) % GROUP for step in (0, 1 + number // GROUP % 5, 6 + number // GROUP % 5))
    others = [_name(random, random.randrange(10**9)) for _ in range(random.randint(0, 4))]
    authors = [*(names[owner] for owner in owners), *others]
    random.shuffle(authors)
    cut = " et al." if len(authors) > SHOWN_AUTHORS else ""
    tag = f" · {random.choice(TAGS)}" if random.random() < 0.1 else ""
    day = FIRST_DAY + timedelta(random.randrange((LAST_DAY - FIRST_DAY).days))
    flag = "Code" if random.random() < 0.1 else ""
    return Paper(
        badge=f"{random.choice(CODES)}{day:%b} {day.day}, {day.year}{flag}",
        title=" ".join(random.choices(WORDS, k=9)).capitalize(),
        byline=", ".join(authors[:SHOWN_AUTHORS]) + cut + tag,
        abstract=_abstract(random),
        day=day,
        owners=owners,
    )


def _abstract(random: Random) -> str:
    sentences = [" ".join(random.choices(WORDS, k=SENTENCE)).capitalize() for _ in range(SENTENCES)]
    return ". ".join(sentences) + r", $32\times$ faster at 15\% of the cost: https://github.com/example/peals."


def _name(random: Random, number: int) -> str:
    """A given and a family name; the number goes into the family name, so that no two people share theirs."""
    given = "".join(random.choices(SYLLABLES, k=2)).capitalize()
    family = ""
    while number or not family:
        number, digit = divmod(number, len(SYLLABLES))
        family += SYLLABLES[digit]
    return f"{given} {family.capitalize()}son"


def write(folder: Path, papers: int = PAPERS) -> None:
    """Write the pages into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(papers):
        (folder / name).write_text(text, encoding="utf-8")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("papers", type=click.IntRange(1), default=PAPERS)
def main(folder: Path, papers: int) -> None:
    """Write pages of so many PAPERS into FOLDER."""
    write(folder, papers)


if __name__ == "__main__":
    main()
