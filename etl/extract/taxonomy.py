"""arXiv's taxonomy: every category by identifier, and the codes that pages print for them."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Category:
    """One line of the taxonomy."""

    category_id: str
    name: str
    archive: str
    archive_name: str
    group_name: str
    alias_of: str
    active: bool

    @property
    def badge_code(self) -> str:
        """What a page prints: the part after the dot, or the whole where there is none."""
        return self.category_id.rpartition(".")[2]


@cache
def taxonomy() -> dict[str, Category]:
    """All categories of arXiv by identifier, as https://arxiv.org/category_taxonomy lists them.

    >>> len(taxonomy()), taxonomy()["eess.AS"].badge_code
    (176, 'AS')
    """
    text = files("etl").joinpath("data/arxiv_taxonomy.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["code"]: Category(row.pop("code"), **(row | {"active": row["active"] == "true"})) for row in rows}


@cache
def field_codes() -> frozenset[str]:
    """Every code that a page may print on a badge or as its owner's field.

    >>> "CL" in field_codes(), "quant-ph" in field_codes(), "cs.CL" in field_codes()
    (True, True, False)
    """
    return frozenset(category.badge_code for category in taxonomy().values())


@cache
def known_codes() -> frozenset[str]:
    """The codes, and the whole identifiers that some copies of a page print instead.

    >>> "CL" in known_codes(), "cs.CL" in known_codes(), "On" in known_codes()
    (True, True, False)
    """
    return field_codes() | taxonomy().keys()
