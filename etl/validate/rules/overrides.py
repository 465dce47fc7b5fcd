"""Whether overrides can be carried out. In: tables and overrides. Out: entries without effect, by their line in the file."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from etl.resolve.names import read_name
from etl.resolve.overrides import NameGroup, Overrides, PaperOverride, PersonOverride
from etl.resolve.papers import paper_by_any_id
from etl.validate.rule_results import RuleContext, RuleResult, at_line, rule_result

_UNPRINTED = "no page prints this spelling; copy it from the table author_names"
_UNKNOWN = "there is no such paper; copy its id from the table papers"
_SEVERAL = "several papers had this id; copy that of one of them from the table papers"
_NO_AUTHOR = "this paper has no author of that name; look at the table paper_authors"
_ONE_SPELLING = "a spelling cannot differ from itself; part two people of one spelling by [[person]] with papers"


@dataclass(frozen=True)
class _Problem:
    """An entry that cannot be carried out: what it names, and a message about it."""

    value: str
    line: int | None
    message: str


def overrides_take_effect(context: RuleContext) -> RuleResult:
    """AUT-005: an override that names what is not there, or parts two people of one spelling without their papers."""
    problems = list(dict.fromkeys(_problems(context)))
    failed = pl.DataFrame(
        [(one.value, one.line, one.message) for one in problems],
        schema={"value": pl.String, "line": pl.Int64, "message": pl.String},
        orient="row",
    )
    names = context.tables["author_names"].group_by("name").agg(pl.col("author_id").min())
    keyed = failed.join(names, left_on="value", right_on="name", how="left", maintain_order="left")
    return rule_result(
        "AUT-005",
        _stated(context.overrides),
        at_line(keyed, "line").with_columns(
            pl.lit(context.overrides.source, dtype=pl.String).alias("source"), pl.col("author_id").fill_null("")
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


def _problems(context: RuleContext) -> Iterator[_Problem]:
    overrides = context.overrides
    if not (overrides.name_groups or overrides.persons or overrides.papers):
        return
    dataset = _Dataset(context)
    for group in overrides.name_groups:
        yield from _of_group(group, dataset.spellings)
    for person in overrides.persons:
        yield from _of_person(person, dataset)
    yield from _of_persons(overrides.persons, dataset)
    yield from _of_papers(overrides.papers, dataset)


def _of_group(group: NameGroup, spellings: set[str]) -> Iterator[_Problem]:
    stated = list(zip(group.names, group.lines, strict=True))
    for name, line in stated:
        if name not in spellings:
            yield _of_name(name, line, _UNPRINTED)
    seen: set[str] = set()
    for name, line in stated if group.key == "different" else ():
        if name in seen and name in spellings:
            yield _of_name(name, line, _ONE_SPELLING)
        seen.add(name)


def _of_person(person: PersonOverride, dataset: "_Dataset") -> Iterator[_Problem]:
    """The problems of a person's entry; its papers are not checked where no page prints its name."""
    if not dataset.prints(person.name):
        yield _of_name(person.name, person.line, _UNPRINTED)
        return
    for written in person.papers:
        if written not in dataset.ids:
            yield _of_persons_paper(person, written, dataset.problem_of(written))
        elif _key(person.name) not in dataset.names_of[dataset.ids[written]]:
            yield _of_persons_paper(person, written, _NO_AUTHOR)


def _of_persons(persons: tuple[PersonOverride, ...], dataset: "_Dataset") -> Iterator[_Problem]:
    """Entries that give one paper, under two ids or two equal names, to two people."""
    given: dict[tuple[object, str], PersonOverride] = {}
    for person in persons:
        for written in person.papers:
            first = given.setdefault((_key(person.name), dataset.ids.get(written, written)), person)
            if replace(first, name="", line=0, papers=()) != replace(person, name="", line=0, papers=()):
                problem = f"line {first.line} gives this paper to another person of that name; keep one of the two"
                yield _of_persons_paper(person, written, problem)


def _of_papers(entries: tuple[PaperOverride, ...], dataset: "_Dataset") -> Iterator[_Problem]:
    """Papers that do not exist, and papers that are corrected in two ways under two ids."""
    ids = dataset.ids
    corrected: dict[tuple[str, str], tuple[object, int]] = {}
    for entry in entries:
        for written in entry.same or (entry.paper_id or "",):
            if written not in ids:
                yield _of_paper(written, entry.line, dataset.problem_of(written))
        for key, value in (("category_id", entry.category_id), ("published", entry.published)):
            if value is None or entry.paper_id not in ids:
                continue
            first, line = corrected.setdefault((key, ids[entry.paper_id]), (value, entry.line))
            if first != value:
                problem = f"line {line} corrects {key} of this paper in another way; keep one of the two"
                yield _of_paper(entry.paper_id, entry.line, problem)


def _of_name(name: str, line: int | None, problem: str) -> _Problem:
    return _Problem(name, line, f"the override of {name} has no effect: {problem}")


def _of_paper(written: str, line: int, problem: str) -> _Problem:
    return _Problem(written, line, f"the override of the paper {written} has no effect: {problem}")


def _of_persons_paper(person: PersonOverride, written: str, problem: str) -> _Problem:
    return _Problem(written, person.line, f"the override of {person.name} has no effect on {written}: {problem}")


def _key(name: str) -> tuple[object, ...]:
    """The key that names of one person share in an override."""
    return read_name(name).equal_key


@dataclass(frozen=True)
class _Dataset:
    """The spellings, and the papers that overrides name."""

    context: RuleContext

    @cached_property
    def spellings(self) -> set[str]:
        """Every spelling that a page prints."""
        return {*self.context.tables["author_names"]["name"], *self.context.listings["names"].explode()}

    @cached_property
    def _keys(self) -> set[tuple[object, ...]]:
        return {_key(name) for name in self.spellings if name is not None}

    def prints(self, name: str) -> bool:
        """Whether a page prints this name, or one that is equal after folding."""
        return name in self.spellings or _key(name) in self._keys

    @cached_property
    def ids(self) -> dict[str, str]:
        """The id of each paper by what an override may call it: its id, one that a listing had alone, or arXiv's."""
        tables = self.context.tables
        identifiers = tables.get("paper_identifiers")
        arxiv = (
            dict(identifiers.filter(scheme="arxiv").select("value", "paper_id").iter_rows())
            if identifiers is not None
            else {}
        )
        meant = arxiv | paper_by_any_id(tables["listings"])
        return {written: meant[written] for written in self._wanted if written in meant}

    def problem_of(self, written: str) -> str:
        """Why an id refers to no paper: there is none, or several had it."""
        several = written in self.context.tables["listings"]["alias_id"]
        return _SEVERAL if several else _UNKNOWN

    @cached_property
    def _wanted(self) -> list[str]:
        persons, papers = self.context.overrides.persons, self.context.overrides.papers
        named = {written for person in persons for written in person.papers}
        return sorted(named | {written for paper in papers for written in (*paper.same, paper.paper_id or "")})

    @cached_property
    def names_of(self) -> dict[str, set[tuple[object, ...]]]:
        """The names of each paper's authors, as compared: those of any byline, and of owners of pages that list it."""
        tables = self.context.tables
        wanted = pl.col("paper_id").is_in(sorted(set(self.ids.values())))
        owned = tables["listings"].filter(wanted).join(tables["profiles"].select("profile_id", "name"), on="profile_id")
        bylines = self.context.listings.filter(wanted).select("paper_id", pl.col("names").alias("name")).explode("name")
        names: defaultdict[str, set[tuple[object, ...]]] = defaultdict(set)
        for frame in (tables["paper_authors"].filter(wanted), owned, bylines):
            for paper_id, name in frame.select("paper_id", "name").drop_nulls().iter_rows():
                names[paper_id].add(_key(name))
        return names
