"""Papers: listings of one paper become one row; values of a listing that differ from the row become variants.

In: listings (valid blocks with category and date). Out: frames of papers, of merged listings, of variants and of pairs of
papers that may be one.
"""

import hashlib
import re
from base64 import b32encode
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise

import polars as pl

from etl.extract.byline import is_group, is_suffix
from etl.resolve.categories import RANKS
from etl.resolve.folding import fold, fold_long, fold_title, letters
from etl.resolve.names import group_key, read_name
from etl.resolve.overrides import Overrides
from etl.resolve.same_groups import SameAs, SameGroups
from schemas import PaperCandidates, Variants
from schemas.limits import ROWS_PER_BATCH

ABSTRACT_CODE = "abstract_code"
"""The column of listings with a number for each distinct abstract: to compare numbers reads no text."""
IN_FILE = ("abstract",)
"""The columns whose texts are in a file from the start."""
PAPER_ID_LENGTH = 16
LEAST_ABSTRACT = 100
"""Letters of the shortest abstract that identifies a paper; shorter ones, such as notes of withdrawal, are shared by many."""
_FIRST_LETTERS, _COMPARED_LETTERS = 240, 60
"""Letters of an abstract that are read to look it up, and letters and digits among them that are compared."""
SHOWN_TITLE = 80
WINNER_ORDER = {
    "has_abstract": True,
    "last_observed_on": True,
    "abstract_length": True,
    "profile_id": False,
    "position": False,
}
"""The order of the listings of a paper, the first of which becomes the merged row; True: descending.

Listings with an abstract first, then the page that was saved last, the longest abstract, the smallest key.
"""


@lru_cache(maxsize=1 << 16)
def author_key(name: str) -> str:
    """The first author in a paper's identity: initial and last word of the folded name, without a suffix.

    >>> author_key("Ann B. Bell"), author_key("A. Bell, Jr."), author_key("The Tower Collaboration")
    ('a bell', 'a bell', 't collaboration')
    """
    words = group_key(name).split() if is_group(name) else _without_suffix(name)
    return f"{words[0][0]} {words[-1]}" if words else name


def work_key(title: str, first_author: str) -> str:
    """The identity of a work without its date: the folded title and the key of the first author.

    >>> work_key("On Bells", "Ann B. Bell") == work_key("ON BELLS!", "A. Bell")
    True
    """
    return f"{fold_title(title) or title}\n{author_key(first_author)}"


def paper_id(work: str, month: int, day: int, year: int | None = None) -> str:
    """The identity of a paper: its work, and month and day of the badge; the year only if pages print different years.

    >>> paper_id(work_key("On Bells", "Ann B. Bell"), 5, 1)
    'l7toebx2qsg2yijp'
    """
    day_key = f"{month:02}-{day:02}" if year is None else f"{year:04}-{month:02}-{day:02}"
    digest = hashlib.sha256(f"{work}\n{day_key}".encode()).digest()
    return b32encode(digest[: PAPER_ID_LENGTH * 5 // 8]).decode().lower()


def with_paper_keys(blocks: pl.DataFrame) -> pl.DataFrame:
    r"""Add to blocks their `work`, and the id that each would have alone (`alone`).

    >>> block = {"title": "On Bells", "names": ["Ann B. Bell"], "month": 5, "day": 1}
    >>> with_paper_keys(pl.DataFrame([block])).select("work", "alone").row(0)
    ('on bells\na bell', 'l7toebx2qsg2yijp')
    """
    rows = blocks.select("title", pl.col("names").list.first(), "month", "day")
    works = list(map(work_key, rows["title"], rows["names"]))
    alone = list(map(paper_id, works, rows["month"], rows["day"]))
    return blocks.with_columns(pl.Series("work", works, pl.String), pl.Series("alone", alone, pl.String))


def identify(blocks: pl.DataFrame, overrides: Overrides) -> pl.DataFrame:
    r"""Blocks with `paper_id` and `alias_id`, and with the winner of each paper, as `with_winners` marks it.

    `own_id` is the id of the paper without overrides.

    In: blocks with `work`, `alone` and `published`, and what `winner_first` takes.

    >>> bells = {"work": "on bells\na bell", "alone": "p2", "month": 5, "day": 1, "year": 2024, "published": date(2024, 5, 1)}
    >>> page = {"profile_id": "ann", "position": 1, "last_observed_on": None, "abstract": ""}
    >>> blocks = pl.DataFrame([{**bells, **page}, {**bells, **page, "alone": "p1", "position": 2}])
    >>> from etl.resolve.overrides import PaperOverride
    >>> same = Overrides(papers=(PaperOverride(1, same=("p1", "p2")),))
    >>> identify(blocks, same).select("position", "paper_id", "alias_id", "is_winner").rows()
    [(1, 'p1', 'p2', True), (2, 'p1', None, False)]
    """
    dated = _dated_ids(blocks)
    ids = dated.replace(_joined(blocks["alone"], dated, overrides))
    named = blocks.with_columns(
        dated.alias("own_id"), ids.alias("paper_id"), pl.when(pl.col("alone") != ids).then("alone").alias("alias_id")
    )
    return with_winners(_with_own_ids(named).drop("alone"))


def with_papers(listings: pl.DataFrame, joined: Mapping[str, str]) -> pl.DataFrame:
    """The listings with other paper ids, by their present ones, and new winners; `alias_id` has the former ids.

    >>> listing = {"paper_id": "p2", "own_id": "p2", "alias_id": None, "abstract": "", "last_observed_on": None, "profile_id": "ann", "position": 1}
    >>> with_papers(pl.DataFrame([listing]), {"p2": "p1"}).select("paper_id", "alias_id").row(0)
    ('p1', 'p2')
    """
    return with_winners(_with_own_ids(listings.with_columns(pl.col("paper_id").replace(joined))))


def _with_own_ids(listings: pl.DataFrame) -> pl.DataFrame:
    """The listings, with the ids of papers that are joined with others as `alias_id`, so that they still lead there."""
    is_joined = pl.col("own_id") != pl.col("paper_id")
    return listings.with_columns(pl.when(is_joined).then("own_id").otherwise("alias_id").alias("alias_id"))


def _dated_ids(blocks: pl.DataFrame) -> pl.Series:
    """The ids of blocks, with the year in those of which pages print several years."""
    differ = pl.col("year").min().over("alone") < pl.col("year").max().over("alone")
    several = blocks.select(differ & pl.col("published").is_not_null()).to_series().fill_null(value=False)
    rows = blocks.filter(several).select("work", "month", "day", pl.col("published").dt.year()).iter_rows()
    return blocks["alone"].scatter(several.arg_true(), [paper_id(*row) for row in rows])


def paper_by_any_id(listings: pl.DataFrame) -> dict[str, str]:
    """The paper of each id in `listings`: the paper with that `paper_id`, else the only paper with that `alias_id`.

    Where listings have an `arxiv_id`, the paper of each such id too.

    >>> paper_by_any_id(pl.DataFrame({"paper_id": ["bells"], "alias_id": ["chimes"]}))
    {'chimes': 'bells', 'bells': 'bells'}
    """
    alone = listings.drop_nulls("alias_id").group_by("alias_id").agg(pl.col("paper_id").unique())
    meant = {alias: papers[0] for alias, papers in alone.iter_rows() if len(papers) == 1}
    if "arxiv_id" in listings.columns:
        meant |= dict(
            listings.drop_nulls("arxiv_id").select("arxiv_id", "paper_id").unique().sort("paper_id").iter_rows()
        )
    return meant | {one: one for one in listings["paper_id"].unique()}


def winner_first(listings: pl.DataFrame) -> pl.DataFrame:
    """Sort listings by paper, the one that becomes the merged row first.

    In: at least paper_id, abstract, last_observed_on, profile_id, position.

    >>> listings = {"paper_id": ["bells"] * 2, "last_observed_on": [None] * 2, "profile_id": ["ann", "cy"], "position": [1, 1]}
    >>> winner_first(pl.DataFrame({**listings, "abstract": ["", "They ring."]}))["profile_id"].to_list()
    ['cy', 'ann']
    """
    return listings[_winner_order(listings)]


def with_winners(listings: pl.DataFrame) -> pl.DataFrame:
    """The listings, unmoved, each with its `place` in the order of `winner_first`, and whether it `is_winner` of its paper.

    In: as for `winner_first`. Listings are wide: to sort them takes as much memory as they do.

    >>> listings = {"paper_id": ["bells"] * 2, "last_observed_on": [None] * 2, "profile_id": ["ann", "cy"], "position": [1, 1]}
    >>> with_winners(pl.DataFrame({**listings, "abstract": ["", "They ring."]})).select("place", "is_winner").rows()
    [(1, False), (0, True)]
    """
    placed = listings.with_columns(_winner_order(listings).arg_sort().alias("place"))
    is_first = pl.col("place") == pl.col("place").min().over("paper_id")
    return placed.with_columns(is_first.alias("is_winner"))


def _winner_order(listings: pl.DataFrame) -> pl.Series:
    """The numbers of the rows in the order of papers, and of `WINNER_ORDER` within a paper."""
    ranked = listings.select(
        "paper_id",
        "last_observed_on",
        "profile_id",
        "position",
        (pl.col("abstract") != "").alias("has_abstract"),
        pl.col("abstract").str.len_chars().alias("abstract_length"),
    ).with_row_index("row")
    order = ("paper_id", *WINNER_ORDER)
    return ranked.sort(order, descending=[False, *WINNER_ORDER.values()], nulls_last=True)["row"]


def merge(listings: pl.DataFrame, corrected: Mapping[str, date]) -> pl.DataFrame:
    """One row a paper: the winning listing, but with the category and the date of the most certain listings.

    `corrected` are days from overrides, by paper.

    >>> category = {"category_id": "cs.CL", "category_resolution": "unique", "category_confidence": None}
    >>> bells = {"paper_id": "bells", "published": date(2025, 5, 1), "year_inferred": True, "place": 0, "is_winner": True, **category}
    >>> merge(pl.DataFrame([bells]), {"bells": date(2024, 5, 1)}).select("published", "year_inferred").row(0)
    (datetime.date(2024, 5, 1), False)
    """
    winners = listings.filter("is_winner").sort("paper_id")
    rank = pl.col("category_resolution").replace_strict(RANKS, return_dtype=pl.Int64)
    doubt = 1 - pl.col("category_confidence").fill_null(1)
    category = _surest(
        listings.with_columns(rank.alias("rank"), doubt.alias("doubt")), ["category_id", "category_resolution"]
    )
    unsure = pl.when(pl.col("published").is_null()).then(2).when("year_inferred").then(1).otherwise(0)
    day = _surest(listings.with_columns(unsure.alias("rank"), pl.lit(0).alias("doubt")), ["published", "year_inferred"])
    given = pl.col("paper_id").replace_strict(dict(corrected), default=None, return_dtype=pl.Date)
    return (
        winners.drop("category_id", "category_resolution", "published", "year_inferred")
        .join(category, on="paper_id", how="left", maintain_order="left")
        .join(day, on="paper_id", how="left", maintain_order="left")
        .with_columns(given.alias("given"))
        .with_columns(
            pl.coalesce("given", "published").alias("published"), pl.col("year_inferred") & pl.col("given").is_null()
        )
        .drop("given")
    )


def find_variants(listings: pl.DataFrame, papers: pl.DataFrame, bylines: pl.DataFrame) -> pl.DataFrame:
    """The values of listings that cannot be rebuilt from their merged papers: the frame of `variants`.

    In: `bylines` are the merged ones, as `merged_bylines` returns them.

    >>> printed = {"paper_id": "p", "title": "On Bells", "abstract_code": 0, "category_id": "cs.CL", "published": None}
    >>> listing = {**printed, "profile_id": "ann", "position": 1, "byline": "Ann Bell", "raw": None, "year": None, "abstract": ""}
    >>> listings = pl.DataFrame([{**listing, "title": "ON BELLS"}])
    >>> find_variants(listings, pl.DataFrame([printed]), pl.DataFrame({"paper_id": "p", "byline": "Ann Bell"})).rows()
    [('ann', 1, 'title', 'ON BELLS')]
    """
    merged = papers.select("paper_id", *_MERGED).join(bylines, on="paper_id").rename(lambda name: f"{name}_merged")
    printed = listings.select("profile_id", "position", "paper_id", *_MERGED, "byline", "abstract", "year", "raw")
    return pl.concat([Variants.frame(), *(_variants(part, merged) for part in printed.iter_slices(ROWS_PER_BATCH))])


def _variants(printed: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """The variants of some listings."""
    pairs = printed.join(merged, left_on="paper_id", right_on="paper_id_merged", how="left")
    found = (
        pairs.filter(differs).with_columns(pl.lit(part).alias("field"), pl.col(column).alias("value"))
        for part, column, differs in _VARIANTS
    )
    return pl.concat(map(Variants.select, found))


_MERGED = ("title", ABSTRACT_CODE, "category_id", "published")
_VARIANTS = (
    *((part, part, pl.col(part) != pl.col(f"{part}_merged")) for part in ("title", "byline")),
    ("abstract", "abstract", pl.col(ABSTRACT_CODE) != pl.col(f"{ABSTRACT_CODE}_merged")),
    ("block", "raw", pl.col("raw").is_not_null()),
    (
        "category_id",
        "category_id",
        pl.col("category_id").is_not_null() & pl.col("category_id").ne_missing(pl.col("category_id_merged")),
    ),
    (
        "published",
        "published",
        pl.col("year").is_not_null() & pl.col("published").ne_missing(pl.col("published_merged")),
    ),
)
"""For each field of a variant the column of its value, and whether a listing differs there from its merged row."""


def find_candidates(papers: pl.DataFrame, identifiers: pl.DataFrame) -> pl.DataFrame:
    r"""Pairs of papers that may be one, each paper with the next similar one by date.

    In: merged rows with paper_id, work, title, abstract, published; and the rows of `paper_identifiers`, of which two papers
    may share one. Out: the frame of `paper_candidates`.

    >>> from schemas import PaperIdentifiers
    >>> days = {"p1": date(2024, 5, 1), "p2": date(2025, 5, 1)}
    >>> bells = {"paper_id": list(days), "published": list(days.values())}
    >>> papers = pl.DataFrame({**bells, "work": "on bells\na bell", "title": "On Bells", "abstract": ""})
    >>> find_candidates(papers, PaperIdentifiers.frame()).row(0)[:3]
    ('p1', 'p2', 'other_date')
    """
    dated = papers.select("paper_id", "title", "published", pl.col("work").alias("key"))
    identified = dated.drop("key").join(_shared(identifiers), on="paper_id")
    groups = (("other_date", dated), ("same_abstract", _with_abstracts(papers)), ("same_identifier", identified))
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for reason, group in groups:
        for one, title, day, other, other_title, other_day in _neighbours(group):
            words = (
                f"{_short(title)} is dated {_day(day)} and {_day(other_day)}, with one first author"
                if reason == "other_date"
                else f"{_short(title)} and {_short(other_title)} have one {_SHARED[reason]}"
            )
            found.setdefault((min(one, other), max(one, other)), (reason, words))
    return PaperCandidates.frame([(*pair, *row) for pair, row in found.items()])


_SHARED = {"same_abstract": "abstract and first author", "same_identifier": "identifier"}


def _with_abstracts(papers: pl.DataFrame) -> pl.DataFrame:
    """The papers whose abstract may be another's of the first author too, with both, folded, as `key`."""
    is_long = pl.col("abstract").str.len_chars() >= LEAST_ABSTRACT
    long = papers.filter(is_long).with_columns(pl.col("work").str.split("\n").list.last().alias("author"))
    starts = map(abstract_start, long["abstract"].str.head(_FIRST_LETTERS))
    started = long.with_columns(pl.Series("start", starts, pl.Binary))
    alike = started.filter(pl.struct("start", "author").is_duplicated())
    keys = [f"{fold_long(abstract)}\n{author}" for abstract, author in alike.select("abstract", "author").iter_rows()]
    return alike.select("paper_id", "title", "published", pl.Series("key", keys, pl.String))


def _shared(identifiers: pl.DataFrame) -> pl.DataFrame:
    """The identifiers that several papers have, as `key`, and these papers."""
    several = identifiers.filter(pl.col("paper_id").n_unique().over("scheme", "value") > 1)
    return several.select("paper_id", pl.col("value").alias("key"))


def _neighbours(papers: pl.DataFrame) -> Iterator[tuple[str, str, date | None, str, str, date | None]]:
    """Each paper of a key with the next by date: n papers make n - 1 pairs, not n(n - 1)/2."""
    several = papers.filter(pl.col("key").is_duplicated())
    ordered = several.sort("key", pl.col("published").fill_null(date.max), "paper_id")
    shown = pl.col("paper_id", "title", "published")
    pairs = ordered.select("key", shown, shown.shift(-1).name.prefix("next_")).filter(
        pl.col("key") == pl.col("key").shift(-1)
    )
    return pairs.drop("key").iter_rows()


def abstract_start(abstract: str) -> bytes:
    """The first letters of an abstract that is long enough to identify a paper, else nothing.

    >>> abstract_start("They ring."), len(abstract_start("They ring in towers. " * 30)) == _COMPARED_LETTERS
    (b'', True)
    """
    if len(abstract) < LEAST_ABSTRACT:
        return b""
    beginning = abstract[:_FIRST_LETTERS]
    start = letters(beginning if beginning.isascii() else fold_long(beginning))[:_COMPARED_LETTERS]
    return start if len(start) == _COMPARED_LETTERS else b""


def _without_suffix(name: str) -> list[str]:
    words = name.replace(",", " ").split()
    while len(words) > 1 and is_suffix(words[-1]):
        words.pop()
    return fold(" ".join(words)).split()


def _joined(alone: pl.Series, dated: pl.Series, overrides: Overrides) -> dict[str, str]:
    """For each identity that an override joins with others, the smallest of them."""
    reached: defaultdict[str, set[str]] = defaultdict(set)
    wanted = {one for entry in overrides.papers for one in entry.same}
    for one, found in zip(alone, dated, strict=True) if wanted else ():
        for name in wanted & {one, found}:
            reached[name].add(found)
    # The alias of several papers joins nothing, unless it is the id of one of them.
    meant = {name: name if name in ids else min(ids) for name, ids in reached.items() if name in ids or len(ids) == 1}
    joins = SameGroups()
    for entry in overrides.papers:
        for one, other in pairwise(sorted({meant[name] for name in entry.same if name in meant})):
            joins.join(SameAs(one, other, "override", ""))
    return {found: joins.root(found) for ids in reached.values() for found in ids}


def _surest(ranked: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The columns of each paper's listing with the lowest `rank` and `doubt`; of equal ones, the first by `place`."""
    order = ranked.select("paper_id", *columns, "rank", "doubt", "place")
    first = order.sort("paper_id", "rank", "doubt", "place").unique("paper_id", keep="first", maintain_order=True)
    return first.select("paper_id", *columns)


def _short(title: str) -> str:
    return title if len(title) <= SHOWN_TITLE else f"{title[:SHOWN_TITLE]}…"


def _day(day: date | None) -> str:
    return "an unknown day" if day is None else day.isoformat()


LONG_WORD = 4
"""Letters of the shortest title word that is used in a key."""
_WORD, _LONG_WORD = re.compile("[a-z0-9]+"), re.compile(f"[a-z0-9]{{{LONG_WORD},}}")
_NOBODY, _NO_YEAR = "anon", "nd"
_FEWEST_MARKS = 4
"""Characters of the paper's identifier in the suffix of a key that would not be unique."""
Keyed = tuple[str, str, date | None, str]
"""A paper by identifier, first author, day and title."""


def citekeys(papers: Sequence[Keyed]) -> dict[str, str]:
    """A unique citation key for each paper; if keys collide, the earliest paper has no suffix, so later papers change none.

    >>> day = date(2022, 5, 1)
    >>> citekeys([("abcdefgh", "Mojtaba Valipour", day, "DyLoRA: Tuning"), ("xyz", "Ann Bell", None, "On a Bell")])
    {'abcdefgh': 'valipour2022dylora', 'xyz': 'bellndbell'}
    """
    papers_of: defaultdict[str, list[tuple[date, str]]] = defaultdict(list)
    for paper_id, author, published, title in papers:
        key = _key(author, published.year if published else None, title)
        papers_of[key].append((published or date.max, paper_id))
    keys: dict[str, str] = {}
    for key, found in papers_of.items():
        (_, first), *others = sorted(found)
        keys[first] = key
        taken: set[str] = set()
        for _, paper_id in others:
            keys[paper_id] = _marked(key, paper_id, taken)
    return keys


def _marked(key: str, paper_id: str, taken: set[str]) -> str:
    """The key with the shortest prefix of the paper's identifier that is not in `taken`, which is updated."""
    marked = next(f"{key}-{paper_id[:count]}" for count in range(_FEWEST_MARKS, 99) if paper_id[:count] not in taken)
    taken.add(marked.rpartition("-")[2])
    return marked


def _key(author: str, year: int | None, title: str) -> str:
    text = title.casefold() if title.isascii() else " ".join(map(_ascii, fold_long(title).split()))
    long = _LONG_WORD.search(text)
    word = long.group() if long else max(_WORD.findall(text), key=len, default="")
    return f"{_family(author)}{_NO_YEAR if year is None else year}{word}"


@lru_cache(maxsize=1 << 16)
def _family(author: str) -> str:
    return _ascii(read_name(author).family_key) or _NOBODY


def _ascii(text: str) -> str:
    return (
        text
        if text.isascii() and text.isalnum()
        else "".join(letter for letter in text if letter.isascii() and letter.isalnum())
    )
