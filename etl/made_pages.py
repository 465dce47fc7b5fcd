"""Pages made from arXiv's metadata alone: the papers of a list of identifiers, or those by a name, newest first.

In: files of metadata, and whose papers to take. Out: the text of a page in the layout that profiles are saved in. What arXiv
does not publish (h-index, citations) is left out. Each paper is written only where reading the page gives the same values.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from etl.engine.embedded import map_batches
from etl.errors import UsageError, refusal
from etl.extract.badge import Badge, render_badge
from etl.extract.blocks import Block
from etl.extract.byline import Byline, render_byline
from etl.extract.page import Page, ParsedPage, parse_page, render_block
from etl.extract.records import RawRecord, Record, Reference, names_of, read_reference
from etl.printable import count, cut, path_text
from etl.resolve.categories import candidates
from etl.resolve.folding import fold, slug
from etl.resolve.names import read_name

_ID = re.compile(
    r"(?<![\w./-])(?:https?://(?:[a-z]+\.)?arxiv\.org/[a-z]+/|arxiv: ?|(?:https?://doi\.org/)?10\.48550/arxiv\.)?"
    r"(?P<id>[0-9]{4}\.[0-9]{4,5}|[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?/[0-9]{7})(?:v[0-9]+)?(?:\.pdf)?(?![\w/-])",
    re.IGNORECASE,
)
"""An identifier of arXiv's, alone, behind `arXiv:`, in an address or in a DOI; version and subject class are no part of it."""
_SUBJECT_CLASS = re.compile(r"\.[a-z]{2}(?=/)")
_SHOWN = 80
_LISTED = 10
"""Identifiers that a message lists."""


@dataclass(frozen=True)
class ListedIds:
    """The identifiers in a text, in order, each once; and the lines that have text but no identifier, by number."""

    ids: tuple[str, ...]
    others: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class MadePage:
    """A page's text, the number of its papers, and the records that no page can show, with the reason."""

    text: str
    papers: int
    left_out: tuple[tuple[str, str], ...]


def _read_ids(path: Path) -> ListedIds:
    """The identifiers in a file; raises `UsageError` where it cannot be read or has none."""
    try:
        found = _ids_in(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise refusal(
            error, "cannot be read", "give a file with an arXiv identifier a line", path_text(str(path))
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path_text(str(path))}: byte {error.start}: found no UTF-8; save it as text in UTF-8"
        ) from None
    if not found.ids:
        first = f"line {found.others[0][0]}: found {cut(found.others[0][1], _SHOWN)}" if found.others else "empty file"
        raise UsageError(
            f"{path_text(str(path))}: {first}, expected arXiv identifiers, one a line, such as 2401.00001 or hep-th/9901001"
        )
    return found


def _ids_in(text: str) -> ListedIds:
    r"""The identifiers in a text: with or without version, `arXiv:` or address; a line that begins with # is a comment.

    >>> _ids_in("2401.00001v2, arXiv:hep-th/9901001\n# mine\nhttps://arxiv.org/abs/math.GT/0309136 (On Bells)").ids
    ('2401.00001', 'hep-th/9901001', 'math/0309136')
    >>> _ids_in("10.1234/5678.91011").others
    ((1, '10.1234/5678.91011'),)
    """
    ids: dict[str, None] = {}
    others = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = [_plain_id(one["id"]) for one in _ID.finditer(line)]
        ids |= dict.fromkeys(found)
        if not found:
            others.append((number, line.strip()))
    return ListedIds(tuple(ids), tuple(others))


def _plain_id(written: str) -> str:
    """An identifier without subject class, its archive in lower case.

    >>> _plain_id("math.GT/0309136"), _plain_id("HEP-TH/9901001")
    ('math/0309136', 'hep-th/9901001')
    """
    return _SUBJECT_CLASS.sub("", written.lower())


@dataclass(frozen=True)
class HasId:
    """Whether a record has one of these identifiers."""

    ids: frozenset[str]

    def __call__(self, record: RawRecord) -> bool:
        """Whether to take the record."""
        return _plain_id(record.id) in self.ids


@dataclass(frozen=True)
class HasAuthor:
    """Whether a record has an author of this name, equal after folding.

    >>> record = RawRecord("2401.00001", "On Bells", authors_parsed=[["Dolé", "Min-Soo", ""]])
    >>> HasAuthor("Min Soo Dole")(record), HasAuthor("M. Dole")(record)
    (True, False)
    """

    name: str

    def __call__(self, record: RawRecord) -> bool:
        """Whether to take the record."""
        if record.authors_parsed and not any(
            self._longest_word in fold(" ".join(author[:3])) for author in record.authors_parsed
        ):
            return False  # As of most records, before names are read and split.
        return any(read_name(name).equal_key == self._key for name in names_of(record))

    @cached_property
    def _longest_word(self) -> str:
        return max(fold(self.name).split(), key=len, default="")

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return read_name(self.name).equal_key


def page_of_ids(files: Sequence[Path], ids: Path, owner: str, workers: int) -> tuple[MadePage, list[str]]:
    """The page of an owner with the papers of a file of identifiers, and its problems, a line each.

    Raises `UsageError` for files that cannot be read or have none of the papers, and for a name that is no person's.
    """
    _require_name(owner)
    listed = _read_ids(ids)
    found = _look_up(files, HasId(frozenset(listed.ids)), workers)
    page = _make_page(owner, found.records)
    _require_papers(page, f"none of the {count(len(listed.ids), 'identifier')} of {path_text(ids.name)}", files)
    return page, [*_problems_of_ids(listed, found.records), *_problems(page, found)]


def page_of_name(files: Sequence[Path], name: str, workers: int) -> tuple[MadePage, list[str]]:
    """The page without an owner of all papers by a name, and its problems, a line each.

    Raises `UsageError` for files that cannot be read or have no paper by the name.
    """
    found = _look_up(files, HasAuthor(name), workers)
    page = _make_page(None, found.records)
    _require_papers(page, f"no paper by {cut(name, _SHOWN)}", files)
    return page, list(_problems(page, found))


def _look_up(files: Sequence[Path], keep: HasId | HasAuthor, workers: int) -> Reference:
    return read_reference(files, keep, partial(map_batches, workers=workers))


def _require_name(owner: str) -> None:
    values = _parsed(owner, []).header.values
    if "name" not in values or values["name"].text != owner:
        raise UsageError(f"{cut(owner, _SHOWN)}: expected a person's name such as Ann B. Bell; give it with --owner")


def _require_papers(page: MadePage, found: str, files: Sequence[Path]) -> None:
    if not page.papers:
        names = ", ".join(path_text(file.name) for file in files)
        left_out = (f"{names}: left out {arxiv_id}, since {reason}" for arxiv_id, reason in page.left_out[:_LISTED])
        hint = "check the spelling, or give a newer or complete file"
        raise UsageError(
            f"{names}: found {found}; {hint}" if not page.left_out else f"{names}: found no paper that a page can show",
            *left_out,
        )


def _problems_of_ids(listed: ListedIds, records: Iterable[Record]) -> Iterator[str]:
    if listed.others:
        number, text = listed.others[0]
        lines = count(len(listed.others), "line")
        yield f"{lines} without an arXiv identifier, the first is line {number:,}: {cut(text, _SHOWN)}"
    found = {_plain_id(record.arxiv_id) for record in records}
    missing = [one for one in listed.ids if one not in found]
    if missing:
        yield f"{count(len(missing), 'identifier')} not in the reference: {_first(missing)}"


def _problems(page: MadePage, found: Reference) -> Iterator[str]:
    if page.left_out:
        first = _first([f"{one} ({why})" for one, why in page.left_out])
        yield f"{count(len(page.left_out), 'paper')} left out: {first}"
    broken = sum(file.damaged for file in found.files)
    if broken:
        one = found.damaged[0]
        place = f"{one.source}, line {one.line:,}"
        yield f"{count(broken, 'damaged record')} skipped, the first is {place}: found {one.problem}"


def _first(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _LISTED:,} more" if len(texts) > _LISTED else ""
    return ", ".join(texts[:_LISTED]) + more


def _make_page(owner: str | None, records: Iterable[Record]) -> MadePage:
    r"""A page of the records, newest first, under its owner's name or under none.

    >>> from datetime import date
    >>> bells = Record("2401.00001", "On Bells", "They ring.", ("Ann Bell", "Cy Dole"), ("cs.CL",), (), date(2024, 1, 1), "a", 1)
    >>> print(_make_page("Ann Bell", [bells]).text.replace("\n\n", "\n").rstrip())
    Ann Bell
    1 Papers
    CLJan 1, 2024
    On Bells
    Ann Bell, Cy Dole
    They ring.
    """
    newest = sorted(records, key=lambda record: (record.day, record.arxiv_id), reverse=True)
    problems = {record.arxiv_id: problem for record in newest if (problem := _why_left_out(owner, record))}
    shown = [record for record in newest if record.arxiv_id not in problems]
    read = list(map(_values, _parsed(owner, shown).blocks))
    for record in [record for record in shown if _recorded(record) not in read]:
        problems[record.arxiv_id] = "it would read otherwise below the other papers"
        shown.remove(record)
    return MadePage(_page(owner, shown), len(shown), tuple(problems.items()))


def file_name(person: str) -> str:
    """The name of a person's page.

    >>> file_name("Ann B. Béll")
    'ann-b-bell.txt'
    """
    return f"{slug(person)}.txt"


def write_page(path: Path, page: MadePage, *, replaces: bool) -> None:
    """Write a page, and its folder; raises `UsageError` where another file is there that may not be replaced."""
    data = page.text.encode()
    try:
        if path.exists() and not replaces and path.read_bytes() != data:
            raise UsageError(
                f"{path_text(str(path))}: another file of this name exists; give --replace, or another --out"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise refusal(error, "cannot be written", "give another folder with --out", path_text(str(path))) from error


def _page(owner: str | None, records: Sequence[Record]) -> str:
    head = [owner] if owner else []
    return "\n\n".join([*head, f"{len(records)} Papers", *map(_block, records)]) + "\n"


def _block(record: Record) -> str:
    lines = 6 if record.abstract else 4
    return "\n".join(render_block(render_badge(_badge(record)), record.title, _byline(record), record.abstract, lines))


def _byline(record: Record) -> str:
    return render_byline(Byline(record.names, truncated=False, tags=()))


def _badge(record: Record) -> Badge:
    """The badge; of an ambiguous code the complete category identifier is printed, as some pages do."""
    category = record.primary or ""
    code = category.rpartition(".")[2]
    code = code if candidates(code)[0] == (category,) else category
    return Badge(code, record.day.month, record.day.day, record.day.year, ())


def _parsed(owner: str | None, records: Sequence[Record]) -> ParsedPage:
    return parse_page(Page("", None, "", 0, _page(owner, records)))


def _recorded(record: Record) -> tuple[object, ...]:
    return _badge(record), record.title, Byline(record.names, truncated=False, tags=()), record.abstract


def _values(block: Block) -> tuple[object, ...]:
    return block.badge_parts, block.title, block.byline_parts._replace(groups=()), block.abstract


def _why_left_out(owner: str | None, record: Record) -> str | None:
    """Why a page cannot show a record; None where reading a page of it alone gives its values."""
    if record.primary is None:
        return "it has no category of arXiv's taxonomy"
    parsed = _parsed(owner, [record])
    if len(parsed.blocks) != 1 or parsed.strays:
        return "its title, authors or abstract would read as other parts of a page"
    names = ("badge", "title", "authors", "abstract")
    pairs = zip(names, _recorded(record), _values(parsed.blocks[0]), strict=True)
    differing = next((name for name, wanted, found in pairs if wanted != found), None)
    return f"its {differing} would read otherwise" if differing else None
