"""Match papers with records of arXiv's metadata, and complete their bylines.

In: listings with paper ids, and records. Out: the record of each paper that has exactly one; papers with several that fit
equally, and bylines that contradict their record, which therefore stay as printed.

A record fits a paper if the folded titles are equal, the first authors are compatible and the badge's day is that of the
record's first version, or the day before or after; or if the abstracts are equal in place of the titles.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter

import polars as pl
from pylatexenc.latexencode import get_builtin_uni2latex_dict

from etl.extract.byline import is_group
from etl.extract.records import RawRecord, Record
from etl.resolve.dates import day_in_year
from etl.resolve.folding import fold_long, fold_title, letters
from etl.resolve.names import group_key, may_be_one, read_name
from etl.resolve.papers import LEAST_ABSTRACT, abstract_start, author_key, with_papers

_TEX = re.compile(r"[\\${^_⁻]")
_MACRO = re.compile(r"\\([A-Za-z]+)(?:\{\}| (?=[a-z]))?")
_ACCENTED = {"i": "i", "j": "j", "aa": "å", "AA": "Å"}
"""Letters that the table has with or as an accent."""
_LETTER = re.compile(r"(?:\\ensuremath\{)?\\([A-Za-z]+)\}?")
_NUMERAL = re.compile(r" ?\b(?:[0-9]+|[ivx]+|[a-d])\b")
"""A part's number in a folded title."""
_WORDS = {"title_author_date": "title, first author and day", "abstract": "abstract, first author and day"}


@dataclass(frozen=True)
class Wanted:
    """The letters of titles and of the beginnings of abstracts of all papers: a record with none of them matches no paper.

    Letters and digits of folded texts distinguish fewer titles than folded texts do, but are found ten times as fast.
    """

    titles: frozenset[bytes]
    starts: frozenset[bytes]

    def __call__(self, record: RawRecord) -> bool:
        """Whether a record may match a paper."""
        return (
            _title_letters(record.title) in self.titles
            or abstract_start(record.abstract or "") in self.starts
            or ("\\" in record.title and not self.titles.isdisjoint(map(letters, _folded_titles(record.title))))
        )


def wanted(listings: pl.DataFrame) -> Wanted:
    r"""What to look up in a reference for these listings.

    >>> sought = wanted(pl.DataFrame({"work": ["on bells\na bell"], "abstract": [""]}))
    >>> sought(RawRecord("2401.00001", "On  Bells.")), sought(RawRecord("2401.00002", "On Ropes"))
    (True, False)
    """
    titles = (letters(_title_of(work)) for work in listings["work"].unique())
    starts = map(abstract_start, listings["abstract"].unique())
    return Wanted(frozenset(titles), frozenset(filter(None, starts)))


def _title_of(work: str) -> str:
    return work.partition("\n")[0]


def _title_letters(title: str) -> bytes:
    return letters(title if title.isascii() and not _TEX.search(title) else fold_title.__wrapped__(title))


def _folded_titles(title: str) -> tuple[str, ...]:
    r"""A record's title folded, as it is and with Unicode in place of TeX's names of letters.

    >>> _folded_titles(r"On M{\o}ller"), _folded_titles("On Bells")
    (('on m oller', 'on moller'), ('on bells',))
    """
    spelled = _MACRO.sub(lambda macro: _letter_macros().get(macro[1], macro[0]), title) if "\\" in title else title
    return tuple(map(fold_title, dict.fromkeys((title, spelled))))


@cache
def _letter_macros() -> dict[str, str]:
    """Letters by the names that TeX has for them, from pylatexenc's table."""
    written = ((chr(code), _LETTER.fullmatch(tex)) for code, tex in sorted(get_builtin_uni2latex_dict().items()))
    return {name[1]: letter for letter, name in written if name and letter.isalpha()} | _ACCENTED


@dataclass(frozen=True)
class Match:
    """A record of a paper, the columns that are equal (`matched_by`), and how well it fits: the smallest `rank` is best."""

    paper_id: str
    record: Record
    matched_by: str
    rank: tuple[int, ...] = field(compare=False)

    @property
    def evidence(self) -> str:
        """What is equal, and where the record is."""
        return f"{_WORDS[self.matched_by]} of {self.record.source}, line {self.record.line}"


@dataclass(frozen=True)
class Matches:
    """The match of each paper, and the papers with several records that fit equally."""

    of_paper: Mapping[str, Match]
    ambiguous: Mapping[str, list[Match]]


def _match(listings: pl.DataFrame, records: Iterable[Record]) -> Matches:
    r"""The record of each paper; none where several fit equally well.

    In: listings with paper_id, is_winner, profile_id, work, names, abstract, code, year, month, day, published, observed_on.

    >>> bells = {"paper_id": "p", "profile_id": "ann", "work": "on bells\na bell", "names": ["Ann Bell"], "abstract": "", "code": "CL"}
    >>> dated = {"year": None, "month": 12, "day": 31, "published": None, "observed_on": None, "is_winner": True}
    >>> record = Record("2001.00001", "On Bells", "", ("Ann Bell", "Cy Dole"), ("cs.CL",), (), date(2020, 1, 1), "arxiv.jsonl", 7)
    >>> _match(pl.DataFrame([bells | dated]), [record]).of_paper["p"].evidence
    'title, first author and day of arxiv.jsonl, line 7'
    """
    by_title: defaultdict[str, list[Record]] = defaultdict(list)
    by_start: defaultdict[bytes, list[Record]] = defaultdict(list)
    for record in records:
        for title in _folded_titles(record.title):
            by_title[title].append(record)
        by_start[abstract_start(record.abstract)].append(record)
    found: dict[str, Match] = {}
    ambiguous: dict[str, list[Match]] = {}
    for paper in listings.filter("is_winner").select(_COMPARED).sort("paper_id").iter_rows():
        known = _Paper(*paper)
        start = abstract_start(known.abstract)
        candidates = [*by_title.get(_title_of(known.work), ()), *(by_start.get(start, ()) if start else ())]
        if not candidates:
            continue
        fitting = sorted(_fitting(known, candidates), key=attrgetter("rank", "record.arxiv_id"))
        best = [one for one in fitting if one.rank == fitting[0].rank]
        if len(best) > 1:
            ambiguous[known.paper_id] = best
        elif best:
            found[known.paper_id] = best[0]
    return Matches(dict(_once_a_page(found, listings)), ambiguous)


_COMPARED = ("paper_id", "work", "names", "abstract", "code", "year", "month", "day", "published", "observed_on")


@dataclass(frozen=True)
class _Paper:
    paper_id: str
    work: str
    names: list[str]
    abstract: str
    code: str
    year: int | None
    month: int
    day: int
    published: date | None
    observed_on: date | None


def _fitting(paper: _Paper, candidates: Iterable[Record]) -> Iterator[Match]:
    """The candidates that fit a paper, each once."""
    title, abstract = _title_of(paper.work), fold_long(paper.abstract)
    for record in {one.arxiv_id: one for one in candidates}.values():
        same_title = title in _folded_titles(record.title)
        same_abstract = len(paper.abstract) >= LEAST_ABSTRACT and fold_long(record.abstract) == abstract
        days = _days_apart(paper, record)
        is_one = same_title or (same_abstract and _may_be_retitled(title, fold_title(record.title), abstract))
        if is_one and days <= 1 and _may_be_first(paper.names[0], record.names[0]):
            other_code = paper.code not in {record.primary, (record.primary or "").rpartition(".")[2]}
            rank = (not same_title, not same_abstract, days, other_code)
            yield Match(
                paper.paper_id, record, "title_author_date" if same_title else "abstract", tuple(map(int, rank))
            )


def _may_be_retitled(title: str, other: str, abstract: str) -> bool:
    """Whether equal abstracts show one paper: not those of two parts of a work, nor notes of withdrawal.

    >>> [_may_be_retitled("on bells ii", title, "") for title in ("on bells iii", "on bells 2", "on the bells of the tower")]
    [False, False, True]
    """
    return "withdraw" not in abstract and _NUMERAL.sub("", title) != _NUMERAL.sub("", other)


def _days_apart(paper: _Paper, record: Record) -> int:
    """The days between a badge and the record's first version.

    Where the page prints no year and was saved on an unknown day, the year is the one that fits best.
    """
    if paper.published and (paper.year or paper.observed_on):
        return abs((paper.published - record.day).days)
    near = nearest_day(record.day, paper.month, paper.day)
    return abs((near - record.day).days) if near else 366


def nearest_day(day: date, month: int, of_month: int) -> date | None:
    """The day of this month and number that is nearest to another day; None for February 29 far from a leap year.

    >>> nearest_day(date(2020, 1, 1), 12, 31), nearest_day(date(2022, 3, 1), 2, 29)
    (datetime.date(2019, 12, 31), None)
    """
    years = range(max(1, day.year - 1), min(9999, day.year + 1) + 1)
    days = [found for year in years if (found := day_in_year(year, month, of_month))]
    return min(days, key=lambda found: abs((found - day).days), default=None)


def _may_be_first(printed: str, name: str) -> bool:
    return author_key(printed) == author_key(name) or may_be_name(printed, name)


def _once_a_page(found: Mapping[str, Match], listings: pl.DataFrame) -> Iterator[tuple[str, Match]]:
    """The matches, of several papers of one record on one page only the best: a page lists a paper once.

    Where two of them fit equally, neither is matched.
    """
    by_record = sorted(found.values(), key=lambda one: (one.record.arxiv_id, one.rank, one.paper_id))
    pages: dict[str, set[str]] = {}
    several = {key for key, ones in groupby(by_record, key=lambda one: one.record.arxiv_id) if len(list(ones)) > 1}
    if several:
        shared = [one.paper_id for one in by_record if one.record.arxiv_id in several]
        grouped = listings.filter(pl.col("paper_id").is_in(shared)).group_by("paper_id").agg("profile_id")
        pages = {paper: set(profiles) for paper, profiles in grouped.iter_rows()}
    for _, same in groupby(by_record, key=lambda one: one.record.arxiv_id):
        ones = list(same)
        for one in ones:
            rivals = [
                other
                for other in ones
                if other is not one and not pages[one.paper_id].isdisjoint(pages[other.paper_id])
            ]
            if all(one.rank < other.rank for other in rivals):
                yield one.paper_id, one


@lru_cache(maxsize=1 << 16)
def may_be_name(printed: str, name: str) -> bool:
    """Whether a printed name may be a record's: equal after folding, with initials, in another order, or the same group.

    >>> [may_be_name("A. Bell", name) for name in ("Ann Bell", "Bell A.", "Eve Bell")]
    [True, True, False]
    """
    if is_group(printed) or is_group(name):
        return group_key(printed) == group_key(name)
    return may_be_one(read_name(printed), read_name(name))


_CONTRADICTIONS = {
    "profile_id": pl.String,
    "position": pl.Int64,
    "arxiv_id": pl.String,
    "printed": pl.String,
    "recorded": pl.String,
}
_AMBIGUOUS = {"paper_id": pl.String, "arxiv_ids": pl.String}


@dataclass(frozen=True)
class Completed:
    """The listings with the columns that a reference completes, and what it contradicts.

    `all_names` are a listing's names and, if it is cut and its record has no other name at a printed one's place, those
    behind the cut; `is_cut` is whether names are still missing. `contradictions` has a row for each listing whose names
    differ from the record's: its key, the printed name and the record's.
    """

    listings: pl.DataFrame
    of_paper: Mapping[str, Match] = field(default_factory=dict)
    ambiguous: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_AMBIGUOUS))
    contradictions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_CONTRADICTIONS))


def complete(listings: pl.DataFrame, records: Sequence[Record]) -> Completed:
    r"""Join the papers of one record, and complete the bylines of matched papers.

    Without records the listings have their names as printed.

    >>> bells = {"paper_id": "p", "profile_id": "ann", "position": 1, "work": "on bells\na bell", "names": ["Ann Bell"]}
    >>> bells |= {"truncated": True, "abstract": "", "code": "CL", "year": 2020, "month": 1, "day": 1}
    >>> bells |= dict.fromkeys(("alias_id", "published", "observed_on", "last_observed_on"))
    >>> bells |= {"is_winner": True, "own_id": "p"}
    >>> record = Record("2001.00001", "On Bells", "", ("Ann Bell", "Cy Dole"), (), (), date(2020, 1, 1), "a.jsonl", 7)
    >>> complete(pl.DataFrame([bells]), [record]).listings["all_names"].item().to_list()
    ['Ann Bell', 'Cy Dole']
    """
    plain = listings.with_columns(pl.col("names").alias("all_names"), pl.col("truncated").alias("is_cut"))
    if not records:
        return Completed(plain)
    matches = _match(listings, records)
    joined = _joined(matches.of_paper.values())
    of_paper = {joined.get(paper, paper): one for paper, one in sorted(matches.of_paper.items(), reverse=True)}
    ambiguous = [(paper, ", ".join(one.record.arxiv_id for one in ones)) for paper, ones in matches.ambiguous.items()]
    named, contradictions = _with_names(with_papers(plain, joined), of_paper)
    return Completed(
        named,
        of_paper,
        pl.DataFrame(ambiguous, _AMBIGUOUS, orient="row"),
        pl.DataFrame(contradictions, _CONTRADICTIONS, orient="row"),
    )


def _joined(matches: Iterable[Match]) -> dict[str, str]:
    """For each paper whose record is another paper's too, the smallest id of them."""
    papers: defaultdict[str, list[str]] = defaultdict(list)
    for one in matches:
        papers[one.record.arxiv_id].append(one.paper_id)
    return {paper: min(same) for same in papers.values() if len(same) > 1 for paper in same}


def _with_names(
    listings: pl.DataFrame, of_paper: Mapping[str, Match]
) -> tuple[pl.DataFrame, list[tuple[str, int, str, str, str]]]:
    """The listings with `all_names` and `is_cut`, and their contradictions."""
    contradictions, completed = [], []
    numbered = listings.with_row_index("row").select("row", "profile_id", "position", "paper_id", "names", "truncated")
    for row, profile_id, position, paper_id, names, truncated in numbered.filter(
        pl.col("paper_id").is_in(list(of_paper))
    ).iter_rows():
        record = of_paper[paper_id].record
        differing = _difference(names, truncated, record.names)
        if differing:
            contradictions.append((profile_id, position, record.arxiv_id, *differing))
        elif record.is_whole:
            completed.append((row, [*names, *record.names[len(names) :]]))
    known = pl.DataFrame(completed, {"row": pl.UInt32, "known": pl.List(pl.String)}, orient="row")
    named = numbered.join(known, on="row", how="left", maintain_order="left").select(
        pl.coalesce("known", "names").alias("all_names"),
        (pl.col("truncated") & pl.col("known").is_null()).alias("is_cut"),
    )
    return listings.with_columns(named.get_columns()), contradictions


def _difference(names: Sequence[str], truncated: bool, recorded: Sequence[str]) -> tuple[str, str] | None:
    """The first printed name that is not the record's at its place, with that; or the numbers of names of a whole byline."""
    pairs = zip(names, recorded, strict=False)
    differing = next(((one, other) for one, other in pairs if not may_be_name(one, other)), None)
    if differing is None and (len(names) > len(recorded) or (len(names) < len(recorded) and not truncated)):
        return f"{len(names):,} names", f"{len(recorded):,} names"
    return differing
