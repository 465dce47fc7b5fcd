"""arXiv's metadata, as arXiv publishes it: JSON Lines (plain, gzip, zstd) or Parquet with the same columns, one record a paper.

In: files and a test of which records to return. Out: these records, the facts of each file, and the places of damaged
records. A file is read as a stream and in chunks, by worker processes, so that memory does not grow with it. The format is
described at https://www.kaggle.com/datasets/Cornell-University/arxiv; names are taken from `authors_parsed`.
"""

import codecs
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pylatexenc.latex2text import LatexNodes2Text

from etl.errors import UsageError
from etl.extract.byline import parse_byline
from etl.extract.taxonomy import taxonomy
from etl.printable import cut, path_text

_CHUNK = 8 << 20
"""Bytes of lines that a worker decodes at once."""
LONGEST_RECORD = 16 << 20
"""Bytes of the longest record; arXiv's longest, of 3,000 authors, has less than 1 MiB."""
_ROWS = 10_000
MOST_DAMAGED = 100
"""Damaged records of a file that are listed; all are counted."""
_SHOWN = 80
_ID = r"^([0-9]{4}\.[0-9]{4,5}|[a-z-]+(\.[A-Z]{2})?/[0-9]{7})\Z"
_DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]{1,9})*/\S+")
_LONGEST_DOIS = 1000
_NO_NAMES = frozenset({"et al", "et al.", "others", "and others"})
"""Words in a list of authors that replace further names."""
_AFFILIATION = re.compile(r"\([^()]*(?:\)|$)")
_NESTED = 3
"""How deep brackets of affiliations are nested at most."""
_LEADING_AND = re.compile("^(?:and )+")
_SPACED_HYPHEN = re.compile(r"\.\s+-")
_MAGIC: dict[bytes, Literal["gzip", "zstd"]] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_SHAPE = (
    'expected arXiv\'s metadata, a record a line such as {"id": "2401.00001", "title": "On Bells", "categories": "cs.CL",'
    ' "versions": [{"created": "Mon, 1 Jan 2024 19:18:42 GMT"}], "authors_parsed": [["Bell", "Ann", ""]]}'
)


class _Version(msgspec.Struct, gc=False):
    created: str


class RawRecord(msgspec.Struct, gc=False):
    """A record as published, without the fields that nothing here needs."""

    id: Annotated[str, msgspec.Meta(pattern=_ID)]
    title: Annotated[str, msgspec.Meta(min_length=1)]
    authors: str | None = None
    authors_parsed: list[list[str]] | None = None
    categories: str = ""
    abstract: str | None = None
    doi: str | None = None
    versions: list[_Version] = []


@dataclass(frozen=True)
class Record:
    """A record: its paper's id, names in order, categories as it lists them, DOIs, and the day of its first version.

    `source` and `line` are its file's name and its line, or its row in Parquet.
    """

    arxiv_id: str
    title: str
    abstract: str
    names: tuple[str, ...]
    categories: tuple[str, ...]
    dois: tuple[str, ...]
    day: date
    source: str
    line: int
    is_whole: bool = True
    """Whether the names are all authors: the list does not end in "et al."."""

    @property
    def known_categories(self) -> tuple[str, ...]:
        """The categories that the shipped taxonomy has."""
        return tuple(filter(taxonomy().__contains__, self.categories))

    @property
    def primary(self) -> str | None:
        """The first category, if it is known; never one that is another name of a category.

        >>> day = date(2020, 5, 1)
        >>> Record("2005.00001", "On Bells", "", ("Ann Bell",), ("cs.SY",), (), day, "arxiv.jsonl", 1).primary
        'eess.SY'
        """
        first = taxonomy().get(self.categories[0]) if self.categories else None
        return (first.alias_of or first.category_id) if first else None


@dataclass(frozen=True)
class DamagedRecord:
    """A record that cannot be read: its file's name, its line, and the problem."""

    source: str
    line: int
    problem: str


@dataclass(frozen=True)
class ReferenceFile:
    """A file of records: name, SHA-256, and how many records it has, and how many of them are damaged."""

    name: str
    sha256: str
    records: int
    damaged: int


@dataclass(frozen=True)
class Reference:
    """The returned records of all files in order, the first of each id; and what was found in the files."""

    files: tuple[ReferenceFile, ...] = ()
    records: tuple[Record, ...] = ()
    damaged: tuple[DamagedRecord, ...] = ()


Keep = Callable[[RawRecord], bool]
"""Whether to return a record; workers receive it once."""


@dataclass(frozen=True)
class Chunk:
    """Whole lines of a file, or a batch of rows, and the number of the first."""

    source: str
    first: int
    data: bytes | pa.RecordBatch


@dataclass
class Part:
    """The result of a chunk, or of a file: the numbers of sound and broken records, and the first broken ones."""

    records: int = 0
    broken: int = 0
    kept: list[Record] = field(default_factory=list)
    damaged: list[DamagedRecord] = field(default_factory=list)


MapChunks = Callable[[Callable[[Chunk], Part], Iterable[Chunk]], Iterable[Part]]
"""Runs a function over chunks in order, as `map` does."""


def read_reference(paths: Sequence[Path], keep: Keep, run: MapChunks = map) -> Reference:
    """Read the records of the files that `keep` selects; `run` may use several processes.

    The order of the files does not matter: they are sorted by name and hash, and of records of one id the first counts.

    Raises `UsageError` for a file that is missing, cannot be read to its end, or has no record of arXiv's.
    """
    read = sorted((_read_file(path, keep, run) for path in paths), key=lambda one: (one[0].name, one[0].sha256))
    records: dict[str, Record] = {}
    for _, part in read:
        for record in part.kept:
            records.setdefault(record.arxiv_id, record)
    damaged = tuple(one for _, part in read for one in part.damaged)
    return Reference(tuple(file for file, _ in read), tuple(records.values()), damaged)


def _read_file(path: Path, keep: Keep, run: MapChunks) -> tuple[ReferenceFile, Part]:
    digest = hashlib.sha256()
    whole = Part()
    for part in run(partial(_decoded, keep=keep), _chunks(path, digest.update)):
        whole.records += part.records
        whole.broken += part.broken
        whole.kept += part.kept
        whole.damaged += part.damaged[: MOST_DAMAGED - len(whole.damaged)]
        _require_records(path, whole)
    if not whole.records:
        raise _other_shape(path, "found no record")
    return ReferenceFile(path_text(path.name), digest.hexdigest(), whole.records, whole.broken), whole


def _require_records(path: Path, part: Part) -> None:
    """Raise `UsageError` where a file begins with many lines and no record: it is of another shape."""
    if part.damaged and not part.records:
        first = part.damaged[0]
        raise _other_shape(path, f"line {first.line:,}: found {first.problem}")


def _other_shape(path: Path, found: str) -> UsageError:
    return UsageError(f"{path_text(str(path))}: {found}, {_SHAPE}; give the file that arXiv publishes")


def _chunks(path: Path, hashed: Callable[[bytes], object]) -> Iterator[Chunk]:
    try:
        with path.open("rb") as file:
            magic = file.peek(4)[:4]
            if magic == b"PAR1":
                yield from _batches(path, file, hashed)
            else:
                codec = next((codec for start, codec in _MAGIC.items() if magic.startswith(start)), None)
                raw = _Hashed(file, hashed)
                yield from _lines(path, pa.CompressedInputStream(raw, codec) if codec else raw)
    except (OSError, pa.ArrowException) as error:
        problem = (isinstance(error, OSError) and error.strerror) or str(error)
        raise UsageError(
            f"{path_text(str(path))}: cannot be read ({problem}); see whether the file is whole and may be read"
        ) from error


class _Hashed(io.RawIOBase):
    """A stream whose bytes are hashed as they are read."""

    def __init__(self, stream: io.BufferedReader, hashed: Callable[[bytes], object]) -> None:
        self._stream, self._hashed = stream, hashed

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._stream.read(size)
        self._hashed(data)
        return data


def _lines(path: Path, stream: Any) -> Iterator[Chunk]:
    source, first, rest = path_text(path.name), 1, b""
    data = bytes(stream.read(_CHUNK)).removeprefix(codecs.BOM_UTF8)
    while data:
        whole, mark, tail = data.rpartition(b"\n")
        if mark:
            lines = rest + whole + mark
            yield Chunk(source, first, lines)
            first, rest = first + lines.count(b"\n"), tail
        else:
            rest += data
        if len(rest) > LONGEST_RECORD:
            if first == 1:
                raise _other_shape(path, f"line {first:,}: found more than {LONGEST_RECORD:,} bytes on one line")
            yield Chunk(source, first, rest[:_SHOWN])  # Its beginning is no record, and is reported as such.
            first, rest = first + 1, _behind_line(stream)
        data = bytes(stream.read(_CHUNK))
    if rest:
        yield Chunk(source, first, rest)


def _behind_line(stream: Any) -> bytes:
    """What was read behind the end of the present line, whose rest is passed over."""
    while data := bytes(stream.read(_CHUNK)):
        _, mark, tail = data.partition(b"\n")
        if mark:
            return bytes(tail)
    return b""


def _batches(path: Path, file: io.BufferedReader, hashed: Callable[[bytes], object]) -> Iterator[Chunk]:
    while data := file.read(_CHUNK):
        hashed(data)
    table = pq.ParquetFile(path, pre_buffer=False)
    names = set(table.schema_arrow.names)
    if not {"id", "title"} <= names:
        raise _other_shape(path, f"found the columns {', '.join(sorted(names))}")
    columns = [name for name in RawRecord.__struct_fields__ if name in names]
    first = 1
    for batch in table.iter_batches(_ROWS, columns=columns):
        yield Chunk(path_text(path.name), first, batch)
        first += len(batch)


def _decoded(chunk: Chunk, keep: Keep) -> Part:
    """The records of a chunk that `keep` selects."""
    kept: list[Record] = []
    damaged: list[DamagedRecord] = []
    records = broken = 0
    for line, raw in _raw_records(chunk):
        try:
            if isinstance(raw, str):
                raise ValueError(raw)
            if keep(raw):
                kept.append(_record(raw, chunk.source, line))
            records += 1
        except (ValueError, RecursionError) as error:
            broken += 1
            if len(damaged) < MOST_DAMAGED:
                damaged.append(DamagedRecord(chunk.source, line, str(error)))
    return Part(records, broken, kept, damaged)


def _raw_records(chunk: Chunk) -> Iterator[tuple[int, RawRecord | str]]:
    """The records of a chunk by line, each or what is wrong with it."""
    if isinstance(chunk.data, bytes):
        records = _one_a_line(chunk.data)
        yield from enumerate(records, chunk.first) if records else _one_by_one(chunk.data.split(b"\n"), chunk.first)
    else:
        for place in range(len(chunk.data)):
            try:
                (row,) = chunk.data.slice(place, 1).to_pylist()
                yield chunk.first + place, msgspec.convert(_row(row), RawRecord)
            except (ValueError, RecursionError) as error:
                yield chunk.first + place, f"a row that is no record ({error})"


_DECODER = msgspec.json.Decoder(RawRecord)


def _one_a_line(data: bytes) -> list[RawRecord]:
    """The records of lines all of which are sound; none where a line is blank, damaged, or has two."""
    try:
        records = _DECODER.decode_lines(data)
    except (ValueError, RecursionError):
        return []
    return records if len(records) == data.count(b"\n") + (data[-1:] != b"\n") else []


def _one_by_one(lines: Iterable[bytes], first: int) -> Iterator[tuple[int, RawRecord | str]]:
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        try:
            yield number, _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            shown = cut(line[: 4 * _SHOWN].decode(errors="replace").strip(), _SHOWN)
            yield number, f"{shown} ({error})"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Parquet, in which lists may be JSON."""
    decoded = {
        name: msgspec.json.decode(row[name])
        for name in ("versions", "authors_parsed")
        if isinstance(row.get(name), str)
    }
    return {name: value for name, value in (row | decoded).items() if value is not None}


def _record(raw: RawRecord, source: str, line: int) -> Record:
    """A record; raises `ValueError` where it has no author or no day."""
    listed = names_of(raw)
    names = tuple(takewhile(lambda name: name.casefold() not in _NO_NAMES, listed))
    if not names:
        raise ValueError(f"no author in the record {raw.id}, expected authors_parsed or authors")
    if not raw.versions:
        raise ValueError(f"no version in the record {raw.id}, expected versions with the day of the first")
    try:
        day = parsedate_to_datetime(raw.versions[0].created).date()
    except (ValueError, OverflowError):
        found = cut(raw.versions[0].created, _SHOWN)
        raise ValueError(
            f"the day {found} in the record {raw.id}, expected one such as Mon, 2 Apr 2007 19:18:42 GMT"
        ) from None
    return Record(
        raw.id,
        " ".join(raw.title.split()),
        " ".join((raw.abstract or "").split()),
        names,
        tuple(dict.fromkeys(raw.categories.split())),
        tuple(dict.fromkeys(found[0].rstrip(",;.") for found in map(_DOI.search, _dois(raw)) if found)),
        day,
        source,
        line,
        is_whole=len(names) == len(listed),
    )


def names_of(raw: RawRecord) -> tuple[str, ...]:
    r"""The authors' names in order, as pages spell them: given names first, without affiliations and colons.

    >>> names_of(RawRecord("2401.00001", "On Bells", authors_parsed=[["Tower Team", "", ""], [":", "", ""], ["Bell", "C. -P.", "Jr."]]))
    ('Tower Team', 'C.-P. Bell Jr.')
    >>> names_of(RawRecord("2401.00001", "On Bells", authors="Zo\\'e Bell (Tower Hall), Cy Dole and Eve Fox"))
    ('Zoé Bell', 'Cy Dole', 'Eve Fox')
    """
    if raw.authors_parsed:
        parts = (
            " ".join(filter(None, (given, family, *suffix[:1])))
            for family, given, *suffix in map(_three, raw.authors_parsed)
        )
        names = (_LEADING_AND.sub("", piece.strip()) for part in parts for piece in _plain(part).split(":"))
        return tuple(name for name in names if any(map(str.isalpha, name)))
    text = _plain(raw.authors or "")
    for _ in range(_NESTED):
        text = _AFFILIATION.sub("", text)
    return parse_byline(text).names


def _dois(raw: RawRecord) -> list[str]:
    """The words of the field of DOIs."""
    return (raw.doi or "")[:_LONGEST_DOIS].split()


def _three(author: Sequence[str]) -> Sequence[str]:
    return [*author, "", ""]


def _plain(text: str) -> str:
    """Text without TeX and without spaces inside of initials."""
    text = _untexed(text) if "\\" in text or "{" in text else text
    return _SPACED_HYPHEN.sub(".-", " ".join(text.split()))


@lru_cache(maxsize=1 << 14)
def _untexed(text: str) -> str:
    found: str = LatexNodes2Text(math_mode="verbatim").latex_to_text(text)
    return found


def facts_of(files: Iterable[ReferenceFile]) -> list[Mapping[str, object]]:
    """What the manifest has of each file.

    >>> facts_of([ReferenceFile("arxiv.jsonl", "0a1b", 2, 0)])
    [{'name': 'arxiv.jsonl', 'sha256': '0a1b', 'records': 2}]
    """
    return [{"name": file.name, "sha256": file.sha256, "records": file.records} for file in files]
