"""Whether overrides can be carried out. In: the tables and the overrides. Out: what names nothing, by its line in the file."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import polars as pl

from etl.resolve.overrides import NameGroup, Overrides, PaperOverride, PersonOverride
from etl.validate.outcomes import Outcome, at_line, outcome
from etl.validate.subject import Subject

_UNPRINTED = "no page prints this spelling; copy it from the table author_names"
_UNKNOWN = "there is no such paper; copy its id from the table papers"
_NO_AUTHOR = "this paper has no author of that name; look at the table paper_authors"
_ONE_SPELLING = "a spelling cannot differ from itself; part two people of one spelling by [[person]] with papers"


@dataclass(frozen=True)
class _Problem:
    """An entry that cannot be carried out: what it names, and a message about it."""

    value: str
    line: int | None
    message: str


def overrides_take_effect(subject: Subject) -> Outcome:
    """AUT-005: an override that names what is not there, or parts two people of one spelling without their papers."""
    problems = list(dict.fromkeys(_problems(subject)))
    failed = pl.DataFrame(
        [(one.value, one.line, one.message) for one in problems],
        schema={"value": pl.String, "line": pl.Int64, "message": pl.String},
        orient="row",
    )
    names = subject.tables["author_names"].group_by("name").agg(pl.col("author_id").min())
    keyed = failed.join(names, left_on="value", right_on="name", how="left", maintain_order="left")
    return outcome(
        "AUT-005",
        _stated(subject.overrides),
        at_line(keyed, "line").with_columns(
            pl.lit(subject.overrides.source, dtype=pl.String).alias("source"), pl.col("author_id").fill_null("")
        ),
        ("value", "author_id"),
        value="value",
        message=pl.col("message"),
    )


def _stated(overrides: Overrides) -> int:
    """How many names and papers the entries name."""
    names = sum(len(group.names) for group in overrides.name_groups)
    of_persons = sum(1 + len(person.papers) for person in overrides.persons)
    return names + of_persons + sum(len(paper.same) or 1 for paper in overrides.papers)


def _problems(subject: Subject) -> Iterator[_Problem]:
    overrides = subject.overrides
    if not (overrides.name_groups or overrides.persons or overrides.papers):
        return
    known = {*subject.tables["author_names"]["name"], *subject.listings["names"].explode()}
    papers = _Papers(subject)
    for group in overrides.name_groups:
        yield from _of_group(group, known)
    yield from _of_persons(overrides.persons, known, papers)
    yield from _of_papers(overrides.papers, papers)


def _of_group(group: NameGroup, known: set[str]) -> Iterator[_Problem]:
    for name, line in zip(group.names, group.lines, strict=True):
        if name not in known:
            yield _of_name(name, line, _UNPRINTED)
    for (name, _), (other, line) in combinations(zip(group.names, group.lines, strict=True), 2):
        if group.key == "different" and name == other and name in known:
            yield _of_name(name, line, _ONE_SPELLING)


def _of_persons(persons: tuple[PersonOverride, ...], known: set[str], papers: "_Papers") -> Iterator[_Problem]:
    given: dict[tuple[str, str], PersonOverride] = {}
    for person in persons:
        if person.name not in known:
            yield _of_name(person.name, person.line, _UNPRINTED)
            continue
        for written in person.papers:
            problem = papers.problem_of(written, person.name)
            first = given.setdefault((person.name, papers.ids.get(written, written)), person)
            if not problem and (first.name_as, first.given, first.family) != (
                person.name_as,
                person.given,
                person.family,
            ):
                problem = f"line {first.line} says under another id of this paper who wrote it; keep one of the two"
            if problem:
                message = f"the override of {person.name} has no effect on {written}: {problem}"
                yield _Problem(written, person.line, message)


def _of_papers(entries: tuple[PaperOverride, ...], papers: "_Papers") -> Iterator[_Problem]:
    corrected: dict[tuple[str, str], tuple[object, int]] = {}
    for entry in entries:
        for written in entry.same or (entry.paper_id or "",):
            if written not in papers.ids:
                yield _of_paper(written, entry.line, _UNKNOWN)
        for key, value in (("category_id", entry.category_id), ("published", entry.published)):
            if value is None or entry.paper_id not in papers.ids:
                continue
            first, line = corrected.setdefault((key, papers.ids[entry.paper_id]), (value, entry.line))
            if first != value:
                problem = f"line {line} corrects {key} of this paper under another id; keep one of the two"
                yield _of_paper(entry.paper_id, entry.line, problem)


def _of_name(name: str, line: int | None, problem: str) -> _Problem:
    return _Problem(name, line, f"the override of {name} has no effect: {problem}")


def _of_paper(written: str, line: int, problem: str) -> _Problem:
    return _Problem(written, line, f"the override of the paper {written} has no effect: {problem}")


@dataclass(frozen=True)
class _Papers:
    """The papers that overrides name."""

    subject: Subject

    def problem_of(self, written: str, name: str) -> str | None:
        """What keeps a person of this name from being an author of the paper that is written so."""
        if written not in self.ids:
            return _UNKNOWN
        return None if name in self._names[self.ids[written]] else _NO_AUTHOR

    @cached_property
    def ids(self) -> dict[str, str]:
        """The id of each paper by what an override may call it: its id, one that a listing had alone, or arXiv's."""
        tables = self.subject.tables
        listings, identifiers = tables["listings"], tables.get("paper_identifiers")
        frames = [listings.select("alias_id", "paper_id"), tables["papers"].select("paper_id", other="paper_id")]
        if identifiers is not None:
            frames.insert(0, identifiers.filter(scheme="arxiv").select("value", "paper_id"))
        wanted = pl.first().is_in(self._wanted)
        return {written: paper_id for frame in frames for written, paper_id in frame.filter(wanted).iter_rows()}

    @cached_property
    def _wanted(self) -> list[str]:
        persons, papers = self.subject.overrides.persons, self.subject.overrides.papers
        named = {written for person in persons for written in person.papers}
        return sorted(named | {written for paper in papers for written in (*paper.same, paper.paper_id or "")})

    @cached_property
    def _names(self) -> dict[str, set[str]]:
        """The spellings under which each paper's authors stand: in any byline, and as owners of pages that list it."""
        tables = self.subject.tables
        wanted = pl.col("paper_id").is_in(sorted(set(self.ids.values())))
        owned = tables["listings"].join(tables["profiles"].select("profile_id", "name"), on="profile_id")
        bylines = self.subject.listings.select("paper_id", pl.col("names").alias("name"))
        names: defaultdict[str, set[str]] = defaultdict(set)
        for frame in (tables["paper_authors"], owned, bylines.filter(wanted).explode("name")):
            for paper_id, name in frame.filter(wanted).select("paper_id", "name").iter_rows():
                names[paper_id].add(name)
        return names
