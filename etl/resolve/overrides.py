"""The overrides file: decisions of a person about names and papers, in TOML; they take precedence over all rules.

same = [["Ann Bell", "A. Bell"]]
different = [["Wei Li", "Wei A. Li"]]

[[person]]                       # two people of one spelling, separated by their papers
name = "Wei Li"
as = "Wei Li (Tower Lab)"
papers = ["kemu6opsraxxk7cm"]

[[paper]]
same = ["kemu6opsraxxk7cm", "2222casicunfxqcw"]

[[paper]]
id = "kemu6opsraxxk7cm"
category_id = "math.CO"
published = 2019-05-01
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec

from etl.errors import UsageError
from etl.extract.taxonomy import taxonomy
from etl.printable import either, near, path_text, visible
from etl.resolve.folding import digest
from etl.resolve.same_groups import SameAs, SameGroups
from etl.toml_file import Entry, TomlLines, TomlMistake, read_toml, shown, text_of, toml_lines, unexpected
from schemas.limits import NAME_LETTERS

_MARK_DIGITS = 16


@dataclass(frozen=True)
class PersonOverride:
    """A decision about the person of a spelling: in some papers, or in all if none is given.

    `name_as` becomes the author's name, and its slug the id; `given` and `family` replace its parts.
    `line` is the entry's first line in the file, from 1.
    """

    name: str
    line: int
    name_as: str | None = None
    given: str | None = None
    family: str | None = None
    papers: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """The identifier of the person, independent of the entry's line; entries with one `name_as` are about one person."""
        return digest(self.name_as or "\n".join((self.name, *sorted(self.papers))), _MARK_DIGITS)


@dataclass(frozen=True)
class PaperOverride:
    """A decision about papers: those of `same` are one, or the paper `paper_id` has this category and day."""

    line: int
    same: tuple[str, ...] = ()
    paper_id: str | None = None
    category_id: str | None = None
    published: date | None = None


@dataclass(frozen=True)
class NameGroup:
    """The spellings of one entry of `same` or `different`, each with its line; lines are None without a file."""

    key: str
    names: tuple[str, ...]
    lines: tuple[int | None, ...]

    @property
    def line(self) -> int | None:
        """The line of the first spelling."""
        return self.lines[0]


@dataclass(frozen=True)
class Overrides:
    """The content of an overrides file: groups of spellings of one person, groups of different people, and all entries.

    `groups_read` are the entries of `same` and `different` in the file's order, each spelling with its line.
    """

    same: tuple[tuple[str, ...], ...] = ()
    different: tuple[tuple[str, ...], ...] = ()
    source: str | None = None
    sha256: str | None = None
    persons: tuple[PersonOverride, ...] = ()
    papers: tuple[PaperOverride, ...] = ()
    groups_read: tuple[NameGroup, ...] = ()

    @property
    def provenance(self) -> dict[str, object]:
        """The entry about the file in a release's manifest."""
        return {"overrides": {"source": self.source, "sha256": self.sha256} if self.source else None}

    def groups(self) -> list[list[str]]:
        """The groups of spellings of one person; groups that share a spelling are joined."""
        return _united(self.same)

    def person(self, mark: str) -> PersonOverride:
        """The merged entries of one mark."""
        return self._by_mark[mark]

    @cached_property
    def _by_mark(self) -> dict[str, PersonOverride]:
        entries: defaultdict[str, list[PersonOverride]] = defaultdict(list)
        for person in self.persons:
            entries[person.mark].append(person)
        return {mark: merged_persons(same) for mark, same in entries.items()}

    @property
    def names(self) -> list[str]:
        """Every spelling in the file, sorted."""
        grouped = {name for group in (*self.same, *self.different) for name in group}
        return sorted(grouped | {person.name for person in self.persons})

    @property
    def name_groups(self) -> tuple[NameGroup, ...]:
        """The entries of `same` and `different`; lines are None if none were read.

        >>> Overrides(same=(("Ann Bell", "A. Bell"),)).name_groups
        (NameGroup(key='same', names=('Ann Bell', 'A. Bell'), lines=(None, None)),)
        """
        made = [("same", group) for group in self.same] + [("different", pair) for pair in self.different]
        return self.groups_read or tuple(NameGroup(key, names, (None,) * len(names)) for key, names in made)


def merged_persons(entries: Iterable[PersonOverride]) -> PersonOverride:
    """Merge consistent entries about one person; their order does not matter.

    >>> merged_persons([PersonOverride("B. Li", 5, given="Bo"), PersonOverride("Bo Li", 1, name_as="Bo Xi Li")]).given
    'Bo'
    """
    first, *others = sorted(entries, key=lambda entry: (entry.name, entry.papers, entry.line))
    for entry in others:
        first = replace(
            first,
            name_as=first.name_as or entry.name_as,
            given=first.given or entry.given,
            family=first.family or entry.family,
        )
    return first


def read_overrides(path: Path | None) -> Overrides:
    """Read an overrides file; without a path there are no overrides.

    Raises `UsageError` if the file cannot be read, is no TOML, has other keys or shapes, or contradicts itself.
    """
    if path is None:
        return Overrides()
    content, data = read_toml(path, 'lines such as same = [["Ann Bell", "A. Bell"]]')
    try:
        overrides = _overrides(
            content, toml_lines(text_of(data)), path_text(path.name), hashlib.sha256(data).hexdigest()
        )
        _require_no_name_both(overrides)
        _require_agreement(_statements(overrides))
    except TomlMistake as mistake:
        raise UsageError(f"{path}: {mistake}") from mistake
    return overrides


def _overrides(content: Mapping[str, Any], lines: TomlLines, source: str, sha256: str) -> Overrides:
    for key in content:
        if key not in _TOP:
            raise TomlMistake(
                f"found the key {visible(key)}, expected only {either(_TOP)}{near(key, _TOP)}", lines.keys[key]
            )
    groups = {key: _name_groups(key, content.get(key, []), lines) for key in ("same", "different")}
    return Overrides(
        same=tuple(group.names for group in groups["same"]),
        different=tuple(group.names for group in groups["different"]),
        source=source,
        sha256=sha256,
        persons=tuple(_person(*entry) for entry in _tables("person", content.get("person", []), lines)),
        papers=tuple(_paper(*entry) for entry in _tables("paper", content.get("paper", []), lines)),
        groups_read=(*groups["same"], *groups["different"]),
    )


# The shapes of entries: the type of each value, and its description in messages.

_Text = Annotated[str, msgspec.Meta(pattern=r"\S")]
_NewName = Annotated[
    str, msgspec.Meta(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", max_length=NAME_LETTERS)
]
_Names = Annotated[tuple[_Text, ...], msgspec.Meta(min_length=2)]
_Ids = Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
_NAMES = 'a list of two names or more, such as ["Ann Bell", "A. Bell"]'
_PERSON: dict[str, tuple[Any, str]] = {
    "name": (_Text, 'a name as pages print it, such as "Ann Bell"'),
    "as": (_NewName, 'the name that it becomes, such as "Ann Bell (Tower Lab)"'),
    "given": (_NewName, 'given names, such as "Ann"'),
    "family": (_NewName, 'a family name, such as "Bell"'),
    "papers": (_Ids, 'a list of papers, such as ["kemu6opsraxxk7cm"]; leave it out where all are meant'),
}
_PAPER: dict[str, tuple[Any, str]] = {
    "same": (_Names, 'a list of two papers or more, such as ["kemu6opsraxxk7cm", "2222casicunfxqcw"]'),
    "id": (_Text, 'a paper, such as "kemu6opsraxxk7cm"'),
    "category_id": (_Text, 'a category of arXiv, such as "math.CO"'),
    "published": (date, "a day without quotes, such as 2019-05-01"),
}
_TOP = ("same", "different", "person", "paper")
_SHAPES = {"person": _PERSON, "paper": _PAPER}


def _name_groups(key: str, found: Any, lines: TomlLines) -> list[NameGroup]:
    """The entries of `same` or `different`."""
    if not isinstance(found, list):
        raise unexpected(
            key, found, f'a list of lists of names, such as {key} = [["Ann Bell", "A. Bell"]]', lines.keys[key]
        )
    return [_name_group(key, *entry) for entry in zip(found, lines.entries.get(key, ()), strict=True)]


def _name_group(key: str, found: Any, entry: Entry) -> NameGroup:
    names = _converted(found, _Names)
    if names is None:
        raise unexpected(key, found, _NAMES, entry.values[0] if entry.values else entry.line)
    return NameGroup(key, names, entry.values)


def _tables(key: str, found: Any, lines: TomlLines) -> Iterator[tuple[dict[str, Any], int]]:
    """The entries of [[person]] or [[paper]], validated, each with its line."""
    if not isinstance(found, list):
        raise unexpected(key, found, f"[[{key}]] with {either(_SHAPES[key])} under it", lines.keys[key])
    for facts, entry in zip(found, lines.entries.get(key, ()), strict=True):
        yield _values(key, facts, entry.line), entry.line


def _values(key: str, facts: Any, line: int) -> dict[str, Any]:
    """The validated values of an entry by key."""
    shape = _SHAPES[key]
    if not isinstance(facts, dict):
        raise unexpected(key, facts, f"[[{key}]] with {either(shape)} under it", line)
    values = {}
    for name, found in facts.items():
        if name not in shape:
            raise TomlMistake(
                f"[[{key}]]: found the key {visible(name)}, expected {either(shape)}{near(name, shape)}", line
            )
        kind, expected = shape[name]
        values[name] = _converted(found, kind)
        if values[name] is None:
            raise unexpected(f"[[{key}]] {name}", found, expected, line)
    return values


def _converted(found: Any, kind: Any) -> Any:
    """The value converted to the type `kind`, or None if it is of another."""
    try:
        return msgspec.convert(found, kind, builtin_types=(date,))
    except msgspec.ValidationError:
        return None


def _person(values: dict[str, Any], line: int) -> PersonOverride:
    if "name" not in values:
        raise TomlMistake(f"[[person]]: found no name, expected {_PERSON['name'][1]}", line)
    if not values.keys() & {"as", "given", "family"}:
        raise TomlMistake(f"[[person]] {shown(values['name'])}: found none of as, given and family, expected one", line)
    return PersonOverride(
        values["name"], line, values.get("as"), values.get("given"), values.get("family"), values.get("papers", ())
    )


def _paper(values: dict[str, Any], line: int) -> PaperOverride:
    if "same" in values:
        if len(values) > 1:
            raise TomlMistake(
                f"[[paper]]: found {either(values, 'and')}, expected same alone; correct a paper in an entry of its own",
                line,
            )
        if len(set(values["same"])) == 1:
            raise unexpected("[[paper]] same", list(values["same"]), "papers that differ", line)
    elif "id" not in values:
        raise TomlMistake("[[paper]]: found neither same nor id, expected one of the two", line)
    elif len(values) == 1:
        raise TomlMistake(
            f"[[paper]] {shown(values['id'])}: found neither category_id nor published, expected one or both", line
        )
    category_id = values.get("category_id")
    if category_id is not None:
        _require_category(category_id, line)
    return PaperOverride(line, values.get("same", ()), values.get("id"), category_id, values.get("published"))


def _require_category(found: str, line: int) -> None:
    category = taxonomy().get(found)
    if category is None:
        hint = near(found, taxonomy())
        raise unexpected("[[paper]] category_id", found, f"{_PAPER['category_id'][1]}{hint}", line)
    if category.alias_of:
        raise unexpected("[[paper]] category_id", found, f"{category.alias_of}, of which it is an alias", line)


# Contradictions within the file.


def _require_no_name_both(overrides: Overrides) -> None:
    root_of = _roots(overrides.same)
    for entry in overrides.name_groups:
        first: dict[str, str] = {}
        for name in entry.names if entry.key == "different" else ():
            other = first.setdefault(root_of[name], name) if name in root_of else name
            if other != name:
                both = either((visible(other), visible(name)), "and")
                raise TomlMistake(f"{both} are both same and different; keep one of the two", entry.line)


@dataclass(frozen=True)
class _Statement:
    """A value on which all entries with the key `about` must agree; `of` describes the key in messages."""

    about: tuple[str, ...]
    value: Any
    line: int
    place: str
    of: str


def _require_agreement(statements: Iterable[_Statement]) -> None:
    first: dict[tuple[str, ...], _Statement] = {}
    for found in statements:
        before = first.setdefault(found.about, found)
        if before.value != found.value:
            expected = f"{shown(before.value)}, as line {before.line} says of {found.of}; keep one of the two"
            raise unexpected(found.place, found.value, expected, found.line)


def _statements(overrides: Overrides) -> Iterator[_Statement]:
    for person in overrides.persons:
        yield from _of_papers(person)
        yield from _of_new_name(person)
    root_of = _roots(overrides.same)
    for person in overrides.persons:
        if person.name_as is not None and not person.papers:
            about = "as", root_of.get(person.name, person.name)
            yield _Statement(about, person.name_as, person.line, "[[person]] as", "the same person")
    root_of = _roots(paper.same for paper in overrides.papers)
    for paper in overrides.papers:
        for key, value in (("category_id", paper.category_id), ("published", paper.published)):
            if paper.paper_id is not None and value is not None:
                about = key, root_of.get(paper.paper_id, paper.paper_id)
                yield _Statement(about, value, paper.line, f"[[paper]] {key}", "the same paper")


def _of_papers(person: PersonOverride) -> Iterator[_Statement]:
    """The statements about the author of each paper of a spelling, or of all its papers."""
    decided = {"as": person.name_as, "given": person.given, "family": person.family}
    value = {key: part for key, part in decided.items() if part is not None}
    place = f"[[person]] {shown(person.name)}"
    for paper in person.papers:
        yield _Statement(("paper", person.name, paper), value, person.line, place, f"the paper {visible(paper)}")
    if not person.papers:
        yield _Statement(("papers", person.name), value, person.line, place, "all its papers")


def _of_new_name(person: PersonOverride) -> Iterator[_Statement]:
    """The statements about the parts of a new name."""
    for key, part in (("given", person.given), ("family", person.family)):
        if person.name_as is not None and part is not None:
            about, place = (key, person.name_as), f"[[person]] {key}"
            yield _Statement(about, part, person.line, place, shown(person.name_as))


def _roots(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """For each member the first member of its group."""
    return {member: group[0] for group in _united(groups) for member in group}


def _united(groups: Iterable[Sequence[str]]) -> list[list[str]]:
    """The groups; those that share a member are joined."""
    joins, members = SameGroups(), set[str]()
    for group in groups:
        members.update(group)
        for name, other in pairwise(group):
            joins.join(SameAs(name, other, "override", ""))
    return [joins.group(root) for root in sorted({joins.root(name) for name in members})]
