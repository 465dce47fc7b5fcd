"""Invented pages and people, as the tests of identity need them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import polars as pl
from helpers import parsed

from etl.extract.byline import parse_byline
from etl.resolve.authors import People, resolve_authors
from etl.resolve.coauthors import Coauthors, Together
from etl.resolve.overrides import Overrides
from etl.resolve.tables import list_papers, resolve, settle
from etl.validate.staging import combine, stage
from schemas import Frames


def block(byline: str, badge: str = "CLMay 1, 2024", title: str = "On Bells", abstract: str = "They ring.") -> str:
    """A block as pages print it."""
    return f"{badge}\n{title}\n\n{byline}\n\n{abstract}"


def page(owner: str, *blocks: str, field: str = "CL") -> str:
    """A page of these blocks."""
    return "\n\n".join([owner, field, f"{len(blocks)} Papers", *blocks])


def resolved_of(*texts: str, observed_on: Sequence[date | None] = (), overrides: Overrides | None = None) -> Frames:
    """The tables of pages p0.txt, p1.txt, … before they are checked, which takes most of the time."""
    days = observed_on or [None] * len(texts)
    pages = [parsed(text, f"p{number}.txt", day) for number, (text, day) in enumerate(zip(texts, days, strict=True))]
    staged = combine([stage(pages)])
    decided = overrides or Overrides()
    settled = settle(list_papers(staged.profiles, staged.blocks, decided), decided)
    return resolve(staged.profiles, settled, decided).tables | {"quarantine": staged.quarantine}


def listed(*bylines: tuple[Sequence[str], str | None]) -> pl.DataFrame:
    """The names of bylines, each with the owner of its page, as `Coauthors` takes them."""
    return pl.DataFrame(bylines, {"name_keys": pl.List(pl.String), "owner_key": pl.String}, orient="row")


def rooted(roots: Mapping[str, str], groups: Collection[str] = ()) -> pl.DataFrame:
    """Names with their roots, as `Coauthors` takes them."""
    rows = [(name, root, name in groups) for name, root in roots.items()]
    return pl.DataFrame(rows, {"key": pl.String, "root": pl.String, "is_group": pl.Boolean}, orient="row")


def together_of(coauthors: Coauthors, names: Iterable[str]) -> Together:
    """Which of these people one byline names."""
    return Together(coauthors.printed(pl.Series(sorted(set(names)))))


def people_of(*bylines: str, owner: str | None = None, overrides: Overrides | None = None) -> People:
    """Who is who in bylines that all stand on one owner's page."""
    names = [parse_byline(byline).names for byline in bylines]
    spellings = pl.Series([*(name for some in names for name in some), *([owner] if owner else [])], dtype=pl.String)
    return resolve_authors(listed(*((some, owner) for some in names)), spellings, overrides or Overrides())


def who(people: People) -> dict[str, str]:
    """The author of each spelling."""
    return dict(people.author_names.select("name", "author_id").iter_rows())


def candidates(people: People) -> list[tuple[str, str, str]]:
    """The pairs that may be one person, in order, and why they may."""
    return sorted(people.merge_candidates.select("author_id", "other_id", "matched_by").iter_rows())
