"""Stage parsed pages: records become frames, and a block that breaks a rule goes to the quarantine.

In: parsed pages. Out: a `StagedBatch` of profiles (as their pages state them), good blocks and quarantined lines.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from itertools import pairwise, starmap
from typing import Any

import polars as pl

from etl.errors import BadData, BrokenTables, PageError
from etl.extract.archives import Found, read_parts, require_there
from etl.extract.badge import Badge
from etl.extract.blocks import Block
from etl.extract.byline import Byline
from etl.extract.page import ParsedPage, Stray, byte_length, diagnose, in_rows, last_bare_return, render_block
from etl.extract.reading import parse_files
from etl.on_disk import TextFile, on_disk
from etl.resolve.papers import ABSTRACT_CODE, with_paper_keys
from etl.resolve.rendering import listing_lines
from etl.validate.integrity import failures
from schemas import Blocks, Profiles, Quarantine
from schemas.limits import LARGE_PAGE, LARGE_PAGES, ROWS_PER_BATCH

UNREAD_RULE, SECOND_RULE, DATE_RULE, TWICE_RULE = "PAG-010", "PAG-012", "PAG-013", "PAG-014"
SIZE_RULE = "BLK-004"
_SIZES = [column for column in Blocks.definition().columns if column.rule == SIZE_RULE]
"""The columns that only this rule needs."""
MOST_SECOND = 100
"""Further headers of a page that are reported one by one; splitting the file shows the others."""


@dataclass(frozen=True)
class Note:
    """A fault of a page found by reading it (of all pages where `profile_id` is None): the rule, the place, the message."""

    rule_id: str
    profile_id: str | None
    source: str | None
    line: int | None
    value: str | None
    message: str


_VALUES = ("field", "h_index", "stated_papers", "citations", "novelty_pct", "ai_score", "section_count")
HEADER_LINES = pl.Schema(
    {
        "profile_id": pl.String(),
        **{f"{name}_line": pl.Int64() for name in _VALUES},
        "section_count": pl.Int64(),
        "unknown_lines": pl.List(pl.Int64()),
    }
)
"""A page's lines of header values, the section's count, and its unknown header lines."""


@dataclass(frozen=True)
class StagedBatch:
    """What is known of the pages before anything is resolved.

    `profiles` has no author, category and count yet; `headers` has for each profile the lines of its header's values
    (`HEADER_LINES`). `blocks` are good and numbered in the order of their page. `notes` are about pages that were read,
    `unreadable` about files that were not.
    """

    profiles: pl.DataFrame
    headers: pl.DataFrame
    blocks: pl.DataFrame
    quarantine: pl.DataFrame
    unreadable: tuple[PageError, ...] = ()
    notes: tuple[Note, ...] = ()


def stage_files(batch: Iterable[Found], observed_on: date | None) -> list[StagedBatch]:
    """Read, parse and stage files; ends after the page with which the large pages together exceed `LARGE_PAGES`."""
    return list(up_to_limit(starmap(stage, parse_files(read_parts(batch), observed_on))))


def stage_elsewhere(batch: Sequence[Found], observed_on: date | None) -> list[StagedBatch]:
    """As `stage_files`, on a machine that may be another than that which listed the files; raises `FileNotFoundError`."""
    require_there(batch)
    return stage_files(batch, observed_on)


def stage(parsed: Sequence[ParsedPage], unreadable: Sequence[PageError] = ()) -> StagedBatch:
    r"""Tabulate a batch of pages, with broken blocks in the quarantine; `unreadable` pages are passed through.

    >>> from etl.extract.page import Page, parse_page
    >>> page = parse_page(Page("ann.txt", None, "", 0, "Ann Bell\n\n1 Papers\n\nCLMay 1\n* *\n\nAnn Bell\n\nThey ring."))
    >>> stage([page]).quarantine["reason"].item()
    'the line under the badge has no letter, expected a title'
    """
    distinct = {page.page.profile_id: page for page in parsed}.values()
    blocks = _tabulated(distinct)
    broken = _broken_rules(blocks)
    good = (
        blocks.with_row_index("row")
        .filter(~pl.col("row").is_in(list(broken)))
        .drop("row", *(size.name for size in _SIZES))
    )
    read = set(good["profile_id"])
    unread = {page.page.profile_id for page in distinct if page.page.profile_id not in read and _must_have_papers(page)}
    kept = [_stray_row(page, stray, unread) for page in distinct for stray in page.strays]
    kept += [part for row, rules in broken.items() for part in _broken_rows(blocks.row(row, named=True), rules)]
    quarantine = Quarantine.sorted(Quarantine.frame(kept))
    return StagedBatch(
        Profiles.frame([_profile_row(page) for page in parsed]),
        pl.DataFrame([_header_row(page) for page in distinct], schema=HEADER_LINES),
        with_paper_keys(good).with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("profile_id").alias("position")
        ),
        quarantine,
        tuple(unreadable),
        tuple(note for page in parsed for note in _notes(page, unread, quarantine)),
    )


def combine(batches: Iterable[StagedBatch]) -> StagedBatch:
    r"""One batch of many; a page given twice counts once, under its smallest source, with its first and last day of saving.

    Raises `BadData` where large pages exceed `LARGE_PAGES` together, or different pages have one name.

    >>> from etl.extract.page import Page, parse_page
    >>> pages = [parse_page(Page(source, None, "", 0, "Ann Bell\n\n1 Papers")) for source in ("b.txt", "a.txt")]
    >>> combine(stage([page]) for page in pages).profiles["source"].to_list()
    ['a.txt']
    """
    every, blocks = _gathered(up_to_limit(batches))
    _require_limit(every)
    profiles = pl.concat([staged.profiles for staged in every]).sort("profile_id", "source")
    _require_names(profiles)
    day = pl.col("observed_on")
    saved = profiles.with_columns(
        day.min().over("profile_id"), day.max().over("profile_id").alias("last_observed_on")
    ).unique("profile_id", keep="first", maintain_order=True)
    is_empty = profiles.height > 0 and blocks.is_empty()
    return StagedBatch(
        Profiles.select(saved),
        _distinct(pl.concat([staged.headers for staged in every]), ["profile_id"]),
        blocks,
        Quarantine.sorted(_distinct(pl.concat([staged.quarantine for staged in every]), ["profile_id", "line_start"])),
        tuple(error for staged in every for error in staged.unreadable),
        (*_once(every, saved), *_given_twice(profiles), *(_without_papers(every) if is_empty else ())),
    )


def _gathered(batches: Iterable[StagedBatch]) -> tuple[list[StagedBatch], pl.DataFrame]:
    """The batches without their blocks, and all blocks in order; these are sorted from a file, since sorting copies them."""
    every: list[StagedBatch] = []
    pieces: list[pl.DataFrame] = []
    found: list[pl.DataFrame] = []
    with TextFile() as file:
        abstracts = _DistinctAbstracts(file)
        for staged in batches:
            found.append(abstracts.coded(staged.blocks))
            every.append(replace(staged, blocks=staged.blocks.clear()))
            if sum(blocks.height for blocks in found) > ROWS_PER_BATCH:
                pieces.append(on_disk(pl.concat(found), in_pieces=True))
                found.clear()
        texts = file.column()
    blocks = pl.concat([*pieces, *found])
    del pieces, found
    distinct = _distinct(blocks, ["profile_id", "position"]).sort("profile_id", "position")
    return every, _shared(distinct.with_columns(texts.gather(distinct[ABSTRACT_CODE]).alias("abstract")))


def _distinct(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The first of the rows with each key; the rows themselves where all differ, as they do if no page is given twice."""
    is_distinct = rows.select(key).is_unique().all()
    return rows if is_distinct else rows.unique(key, keep="first", maintain_order=True)


_RECURRING = ("profile_id", "badge", "title", "byline", "work", "alone")
"""Columns of blocks whose longer texts are on several rows."""


def _shared(blocks: pl.DataFrame) -> pl.DataFrame:
    """The blocks, in which equal texts of a column share their memory: a third of what blocks take without abstracts."""
    return blocks.with_columns(_once_each(blocks[name]) for name in _RECURRING)


def _once_each(texts: pl.Series) -> pl.Series:
    distinct = texts.unique()
    numbers = distinct.to_frame().with_row_index("number")
    return distinct.gather(texts.to_frame().join(numbers, on=texts.name, how="left", maintain_order="left")["number"])


class _DistinctAbstracts:
    """The abstracts of blocks, each once, in a file: a paper is on several pages, and abstracts are most of the text."""

    def __init__(self, texts: TextFile) -> None:
        self._codes: dict[bytes, int] = {}
        self._texts = texts

    def coded(self, blocks: pl.DataFrame) -> pl.DataFrame:
        """The blocks with `abstract_code` in place of their abstracts."""
        codes = [self._code(text.encode()) for text in blocks["abstract"]]
        return blocks.drop("abstract").with_columns(pl.Series(ABSTRACT_CODE, codes, dtype=pl.UInt32))

    def _code(self, text: bytes) -> int:
        # 128 bits: texts of Python's own would take more memory than all else here.
        key = blake2b(text, digest_size=16).digest()
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = self._texts.append(text)
        return code


def up_to_limit(batches: Iterable[StagedBatch]) -> Iterator[StagedBatch]:
    """The batches through the one with which large pages exceed `LARGE_PAGES` together.

    >>> [batch.profiles.height for batch in up_to_limit([stage([]), stage([])])]
    [0, 0]
    """
    size = 0
    for staged in batches:
        yield staged
        size += sum(large for _, large in _large_pages([staged]))
        if size > LARGE_PAGES:
            return


def _require_limit(batches: Iterable[StagedBatch]) -> None:
    """Raise `BadData` at the page with which large pages exceed `LARGE_PAGES` together."""
    size = 0
    for source, large in _large_pages(batches):
        size += large
        if size > LARGE_PAGES:
            raise BadData(
                f"{source}: found {large:,} bytes, and with them more than {LARGE_PAGES >> 20} MiB in all pages of over"
                f" {LARGE_PAGE >> 20} MiB, which no saved page has; leave such files out"
            )


def _require_names(profiles: pl.DataFrame) -> None:
    """Raise `BadData` for a name of different pages, which rows of shards may have."""
    shared = profiles.filter(pl.col("profile_id").n_unique().over("source") > 1)
    if shared.height:
        name, *others = sorted(set(shared["source"]))
        more = f" (and so for {len(others):,} others)" if others else ""
        raise BadData(
            f"{name}: found different pages of this name, expected a name for each{more}; put a folder or the day of saving"
            " into the name, such as 2026/ann@2026-06-01.txt"
        )


def _large_pages(batches: Iterable[StagedBatch]) -> Iterator[tuple[str, int]]:
    """The large pages, with their bytes."""
    for staged in batches:
        yield from staged.profiles.filter(pl.col("bytes") > LARGE_PAGE).select("source", "bytes").iter_rows()


def _without_papers(batches: Sequence[StagedBatch]) -> Iterator[Note]:
    """A note that no page lists a paper, where no other one reports that pages cannot be read."""
    is_reported = any(
        staged.unreadable or any(note.rule_id == UNREAD_RULE for note in staged.notes) for staged in batches
    )
    if not is_reported:
        message = "none of these pages lists a paper, expected one at least; see whether the right pages were given"
        yield Note(UNREAD_RULE, None, None, None, None, message)


def _once(batches: Sequence[StagedBatch], profiles: pl.DataFrame) -> Iterator[Note]:
    """The notes about each page, once, under the source that it is counted under."""
    sources = dict(profiles.select("profile_id", "source").iter_rows())
    notes = {(note.rule_id, note.profile_id, note.source, note.line): note for one in batches for note in one.notes}
    yield from (note for note in notes.values() if note.rule_id == DATE_RULE or sources[note.profile_id] == note.source)


def _given_twice(profiles: pl.DataFrame) -> Iterator[Note]:
    """A note for each file of the same bytes and day as another one; only the first is counted."""
    first: dict[tuple[str, object], str] = {}
    for profile_id, source, day in profiles.select("profile_id", "source", "observed_on").iter_rows():
        known = first.setdefault((profile_id, day), source)
        if known != source:
            message = f"{source} has the same bytes as {known}, so that it was not counted; remove one of the two files"
            yield Note(TWICE_RULE, profile_id, source, None, source, message)


def _must_have_papers(parsed: ParsedPage) -> bool:
    """Whether a page must list papers: it does not state that there are none."""
    stated = _stated_papers(parsed)
    return stated is None or stated > 0


def _stated_papers(parsed: ParsedPage) -> int | None:
    values = parsed.header.values
    value = values.get("stated_papers") or values.get("section_count")
    return value.number if value else None


def _notes(parsed: ParsedPage, unread: set[str], quarantine: pl.DataFrame) -> Iterator[Note]:
    page = parsed.page
    if page.profile_id in unread:
        yield _unread_note(parsed, quarantine.filter(profile_id=page.profile_id))
    if page.odd_date:
        message = (
            f"found the date {page.odd_date} in the name of the file or its folder, expected a day that exists, as"
            " YYYY-MM-DD such as 2026-07-02; rename it to the day on which the page was saved, or give --observed-on"
        )
        yield Note(DATE_RULE, page.profile_id, page.source, None, page.odd_date, message)
    if parsed.second_headers:
        yield from _second_notes(parsed)


def _second_notes(parsed: ParsedPage) -> Iterator[Note]:
    """A note for each further page of a file: what to do with it depends on whether it is a copy of one above."""
    page, above = parsed.page, set[tuple[str, ...]]()
    ends = (*parsed.second_headers, len(parsed.lines) + 1)
    for start, end in pairwise((1, *ends[: MOST_SECOND + 1])):
        lines = tuple(text for line in parsed.lines[start - 1 : end - 1] if (text := line.strip()))
        if start > 1:
            what = _COPY if lines in above else _OTHER_PAGE
            yield Note(SECOND_RULE, page.profile_id, page.source, start, lines[0], what.format(lines[0]))
        above.add(lines)


_COPY = "the page is here again, from this line on, with {}; remove this copy (until then its papers are read without an owner)"
_OTHER_PAGE = (
    "another page begins on this line, with {}; one file holds one page, so move it from here on into a file of its own"
    " (until then its papers are read without an owner)"
)


def _unread_note(parsed: ParsedPage, quarantine: pl.DataFrame) -> Note:
    """Why a page has no paper: what is wrong with its first block, or what its text seems to be."""
    page, stated = parsed.page, _stated_papers(parsed)
    states = f", though the page states {stated:,}" if stated else ""
    damaged = quarantine.filter(~pl.col("rule_ids").str.contains(UNREAD_RULE))
    if damaged.height:
        line, reason = damaged.select("line_start", "reason").row(0)
        message = f"no paper could be read{states}; the first is damaged, on line {line}: {reason}"
        return Note(UNREAD_RULE, page.profile_id, page.source, line, None, message)
    what, advice = diagnose(page.text, has_header=bool(parsed.header.values))
    message = f"no paper was found{states}; this seems to be {what}, expected a researcher's profile page; {advice}"
    return Note(UNREAD_RULE, page.profile_id, page.source, 1, what, message)


def _profile_row(parsed: ParsedPage) -> dict[str, object]:
    page, values = parsed.page, parsed.header.values
    text = {name: values[name].text if name in values else None for name in ("name", "field")}
    figures = ("h_index", "citations", "novelty_pct", "ai_score")
    number = {name: values[name].number if name in values else None for name in figures}
    return {
        **text,
        **number,
        "profile_id": page.profile_id,
        "stated_papers": _stated_papers(parsed),
        "listed_papers": 0,
        "observed_on": page.observed_on,
        "source": page.source,
        "sha256": page.sha256,
        "bytes": page.size,
        "lines": len(parsed.lines),
        "newline": parsed.newline,
        "header": parsed.raw(1, last_bare_return(parsed.lines, parsed.header.line_count)),
    }


def _header_row(parsed: ParsedPage) -> dict[str, object]:
    values = parsed.header.values
    section = values.get("section_count")
    return {
        "profile_id": parsed.page.profile_id,
        **{f"{name}_line": values[name].line for name in _VALUES if name in values},
        "section_count": section.number if section else None,
        "unknown_lines": list(parsed.header.unknown),
    }


def _tabulated(pages: Collection[ParsedPage]) -> pl.DataFrame:
    """The blocks of all pages, column by column."""
    blocks = [block for page in pages for block in page.blocks]
    raws = [_raw_block(page, block) for page in pages for block in page.blocks]
    columns = {
        **_columns(Block, blocks),
        **_columns(Badge, [block.badge_parts for block in blocks]),
        **_columns(Byline, [block.byline_parts for block in blocks]),
    }
    return Blocks.frame(
        {
            **columns,
            "profile_id": [page.page.profile_id for page in pages for _ in page.blocks],
            "position": [position for page in pages for position in range(1, len(page.blocks) + 1)],
            "badge_letters": list(map(len, columns["badge"])),
            "title_letters": list(map(len, columns["title"])),
            "byline_letters": list(map(len, columns["byline"])),
            "name_count": list(map(len, columns["names"])),
            "tag_count": list(map(len, columns["tags"])),
            "abstract_letters": list(map(len, columns["abstract"])),
            "block_bytes": list(map(byte_length, raws)),
            "raw": [None if raw == _rendered(block) else raw for raw, block in zip(raws, blocks, strict=True)],
        }
    )


def _columns(kind: type[Block | Badge | Byline], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(kind._fields)}


def _raw_block(page: ParsedPage, block: Block) -> str:
    return page.raw(block.line_start, last_bare_return(page.lines, block.line_end))


def _rendered(block: Block) -> str:
    lines = block.line_end - block.line_start + 1
    return "\n".join(render_block(block.badge, block.title, block.byline, block.abstract, lines))


def _broken_rules(blocks: pl.DataFrame) -> dict[int, list[str]]:
    """The rules that each broken block breaks, by the block's row."""
    rules = {column.name: column.rule for column in Blocks.definition().columns}
    broken: defaultdict[int, set[str]] = defaultdict(set)
    for failure in failures(Blocks, blocks):
        rule = rules.get(failure.column or "")
        if rule is None:
            raise BrokenTables(
                f"blocks.{failure.column}: fails {failure.check}; this is an error of the program, please report it"
            )
        for row in failure.rows:
            broken[row].add(rule)
    # A part that is too long is not parsed, so that the other rules do not apply.
    return {row: [SIZE_RULE] if SIZE_RULE in broken[row] else sorted(broken[row]) for row in sorted(broken)}


_REASONS = {
    "BLK-001": "the line under the badge has no letter, expected a title",
    "BLK-002": "the line in the byline's place has no name ({byline}), expected names such as Ann Bell, Cy Dole et al.",
    "BLK-003": "the badge {badge} has a date that does not exist",
    SIZE_RULE: "longer than any paper's: {sizes}",
}


def _broken_rows(block: dict[str, object], rules: Sequence[str]) -> Iterator[dict[str, object]]:
    """The rows of a broken block: one, or several where its lines are more than a row may hold."""
    found = {name: _shortened(str(block[name])) for name in ("badge", "byline")}
    reason = "; ".join(_REASONS[rule].format(**found, sizes=_sizes(block)) for rule in rules)
    for first, raw in in_rows(listing_lines({**block, "block": block["raw"]}), int(str(block["line_start"]))):
        yield {
            "profile_id": block["profile_id"],
            "line_start": first,
            "line_end": first + raw.count("\n"),
            "rule_ids": json.dumps(rules),
            "raw_text": raw,
            "reason": reason,
        }


def _sizes(block: dict[str, object]) -> str:
    """The sizes of a block that are beyond their bounds, each with its bound."""
    bounds = [(column, facts["max_value"]) for column in _SIZES for _, facts in column.checks]
    found = [(column.title.lower(), int(str(block[column.name])), bound) for column, bound in bounds]
    return "; ".join(f"{name}: {size:,}, expected at most {bound:,}" for name, size, bound in found if size > bound)


def _shortened(text: str, letters: int = 80) -> str:
    return text if len(text) <= letters else f"{text[:letters]}…"


def _stray_row(parsed: ParsedPage, stray: Stray, unread: set[str]) -> dict[str, object]:
    unread_page = parsed.page.profile_id in unread and not stray.has_badge and stray.rule.startswith("PAG")
    return {
        "profile_id": parsed.page.profile_id,
        "line_start": stray.line_start,
        "line_end": stray.line_end,
        "rule_ids": json.dumps([UNREAD_RULE if unread_page else stray.rule]),
        "raw_text": parsed.raw(stray.line_start, stray.line_end),
        "reason": stray.reason,
    }
