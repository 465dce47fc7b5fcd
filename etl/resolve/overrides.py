"""The overrides file: what a person decided about names and papers, in TOML. It always wins.

same = [["Ann Bell", "A. Bell"]]
different = [["Wei Li", "Wei A. Li"]]

[[person]]                       # two people of one spelling, parted by their papers
name = "Wei Li"
as = "Wei Li (Tower Lab)"
papers = ["kemu6opsraxxk7cm"]

[[paper]]
same = ["kemu6opsraxxk7cm", "2222casicunfxqcw"]
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.resolve.joins import Join, Joins
from etl.toml_file import read_toml

_KEYS = ("same", "different")


@dataclass(frozen=True)
class PersonOverride:
    """What is decided about the person of a spelling: in some papers, or in all where none is given.

    `name_as` becomes the author's name, and its slug the id; `given` and `family` are its parts where they are given.
    `line` is the entry's first line in the file, from 1.
    """

    name: str
    line: int
    name_as: str | None = None
    given: str | None = None
    family: str | None = None
    papers: tuple[str, ...] = ()


@dataclass(frozen=True)
class PaperOverride:
    """What is decided about papers: that those of `same` are one, or what category and day the one of `paper_id` has."""

    line: int
    same: tuple[str, ...] = ()
    paper_id: str | None = None
    category_id: str | None = None
    published: date | None = None


@dataclass(frozen=True)
class Overrides:
    """Groups of spellings that are one person, pairs that are two, and the file that says so."""

    same: tuple[tuple[str, ...], ...] = ()
    different: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    sha256: str | None = None
    persons: tuple[PersonOverride, ...] = ()
    papers: tuple[PaperOverride, ...] = ()

    @property
    def provenance(self) -> dict[str, object]:
        """What a release's manifest says of the file."""
        return {"overrides": {"source": self.source, "sha256": self.sha256} if self.source else None}

    def groups(self) -> list[list[str]]:
        """The groups that are one person, those that share a spelling made one."""
        joins = Joins()
        for group in self.same:
            for name, other in pairwise(group):
                joins.join(Join(name, other, "override", ""))
        roots = sorted({joins.root(name) for group in self.same for name in group})
        return [joins.group(root) for root in roots]

    @property
    def names(self) -> list[str]:
        """Every spelling that the file mentions, in order."""
        return sorted({name for group in (*self.same, *self.different) for name in group})


def read_overrides(path: Path | None) -> Overrides:
    """Read an overrides file; without one nothing is overridden.

    Raises `UsageError` where the file cannot be read, is no TOML, has other keys or shapes, or contradicts itself.
    """
    if path is None:
        return Overrides()
    content, data = read_toml(path, 'lines such as same = [["Ann Bell", "A. Bell"]]')
    for key, groups in content.items():
        _check(path, key, groups)
    overrides = Overrides(
        same=tuple(tuple(group) for group in content.get("same", [])),
        different=tuple(pair for group in content.get("different", []) for pair in combinations(group, 2)),
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
    )
    _check_consistent(path, overrides)
    return overrides


def _check(path: Path, key: str, groups: Any) -> None:
    if key not in _KEYS:
        raise UsageError(f"{path}: found the key {key}, expected only {' and '.join(_KEYS)}")
    for group in groups if isinstance(groups, list) else [groups]:
        if not (isinstance(group, list) and len(group) > 1 and all(isinstance(name, str) and name for name in group)):
            raise UsageError(
                f'{path}: {key}: found {group!r}, expected a list of two names or more, such as ["Ann Bell", "A. Bell"]'
            )


def _check_consistent(path: Path, overrides: Overrides) -> None:
    for group in overrides.groups():
        for name, other in overrides.different:
            if name != other and {name, other} <= set(group):
                raise UsageError(f"{path}: {name} and {other} are both same and different; keep one of the two")
