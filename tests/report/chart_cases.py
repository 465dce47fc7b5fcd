"""Tables for the tests of charts, from nothing to more than any chart shows. Invented people only."""

from itertools import product

from helpers import tables_of

from schemas import Frames

CODES = ["CL", "LG", "CV", "RO", "SE", "DB", "HC", "CR", "CY"]
GIVEN = ["Ann", "Cy", "Eve", "Ida", "Lew", "Mo", "Una", "Vic", "Wes", "Zoe"]
FAMILY = ["Bell", "Dole", "Fox", "Hale", "Kerr", "Lund", "Moss", "Nash", "Orr"]
PEOPLE = [f"{given} {family}" for family, given in product(FAMILY, GIVEN)]
SOUND = "Ann Bell\n\nCL\n1paper\n\n1 Paper\n\nCLFeb 29, 2024\nOn Bells\n\nAnn Bell, Cy Dole\n\nThey ring at noon, and often."
UNDATED = SOUND.replace(", 2024", "")
ALONE = SOUND.replace("Ann Bell, Cy Dole", "Ann Bell")


def block(badge: str, title: str, byline: str) -> str:
    return f"{badge}\n{title}\n\n{byline}\n\nBells ring at noon, and often."


def page(number: int) -> str:
    """A page with three papers: cut bylines, several years and categories, and a number of papers that it does not list."""
    owner = PEOPLE[number]
    blocks = [
        block(
            f"{CODES[(number + part) % len(CODES)]}Mar {part + 1}, {1970 + number + part}",
            f"On Bells of Tower {number * 3 + part:03}",
            f"{owner}, {PEOPLE[(number * 7 + part) % 60]}, {PEOPLE[(number + 2 * part + 1) % 80]} et al.",
        )
        for part in range(3)
    ]
    return "\n\n".join([f"{owner}\n\nCL\n{4 + number % 5}papers\n\n{4 + number % 5} Papers", *blocks])


def many() -> Frames:
    """More pages, years, categories and people than a chart shows, and a byline of too many names."""
    crowd = block("CLApr 1, 2020", "On Bells of All Towers", ", ".join(PEOPLE[:51]))
    fewer = block("CLApr 2, 2020", "On Bells of Most Towers", ", ".join(PEOPLE[30:79]))  # and the owner
    pages = [page(number) for number in range(45)]
    return tables_of(*pages, f"{SOUND}\n\n{crowd}\n\n{fewer}", UNDATED.replace("On", "Of"))


CASES = {
    "nothing": tables_of,
    "one paper": lambda: tables_of(SOUND),
    "one paper of one person": lambda: tables_of(ALONE),
    "no date": lambda: tables_of(UNDATED),
    "many": many,
}
