"""Blocks before they shape anything: records become frames, and a block that breaks a rule leaves for the quarantine.

In: parsed pages. Out: an `Intake` of profiles (as far as pages tell them), good blocks and quarantined lines.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from etl.errors import BrokenTables, PageError
from etl.extract.fields import parse_badge, parse_byline
from etl.extract.page import byte_length
from etl.records import Block, ParsedPage, Stray
from etl.validate.checks import failures
from schemas import RULES, Blocks, Profiles, Quarantine

STRAY_RULE = "PAG-004"


@dataclass(frozen=True)
class Intake:
    """What is known of the pages before anything is resolved.

    `profiles` has no author, category and count yet. `blocks` are good and numbered in the order of their page.
    """

    profiles: pl.DataFrame
    blocks: pl.DataFrame
    quarantine: pl.DataFrame
    unreadable: tuple[PageError, ...] = ()


def take_in(parsed: Sequence[ParsedPage], unreadable: Sequence[PageError] = ()) -> Intake:
    """Tabulate a batch of pages and part good blocks from broken ones; pages that cannot be read are handed on."""
    distinct = {page.page.profile_id: page for page in parsed}.values()
    blocks = Blocks.frame([row for page in distinct for row in _block_rows(page)])
    broken = _broken_rules(blocks)
    strays = [_stray_row(page, stray) for page in distinct for stray in page.strays]
    good = blocks.with_row_index("row").filter(~pl.col("row").is_in(list(broken))).drop("row")
    return Intake(
        Profiles.frame([_profile_row(page) for page in parsed]),
        good.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("profile_id").alias("position")),
        Quarantine.frame(strays + [_broken_row(blocks.row(row, named=True), rules) for row, rules in broken.items()]),
        tuple(unreadable),
    )


def combine(intakes: Iterable[Intake]) -> Intake:
    """One intake of many, the same page counted once: under its smallest source, saved when it is first known to be."""
    every = list(intakes)
    profiles = pl.concat([intake.profiles for intake in every]).sort("profile_id", "source")
    first_seen = pl.col("observed_on").min().over("profile_id")
    return Intake(
        profiles.with_columns(first_seen).unique("profile_id", keep="first", maintain_order=True),
        pl.concat([intake.blocks for intake in every]).unique(
            ["profile_id", "position"], keep="first", maintain_order=True
        ),
        Quarantine.sorted(
            pl.concat([intake.quarantine for intake in every]).unique(["profile_id", "line_start"], keep="first")
        ),
        tuple(error for intake in every for error in intake.unreadable),
    )


def _profile_row(parsed: ParsedPage) -> dict[str, object]:
    page, values = parsed.page, parsed.header.values
    text = {name: values[name].text if name in values else None for name in ("name", "field")}
    figures = ("h_index", "stated_papers", "citations", "novelty_pct", "ai_score")
    number = {name: values[name].number if name in values else None for name in figures}
    if "stated_papers" not in values and "section_count" in values:
        number["stated_papers"] = values["section_count"].number
    return {
        **text,
        **number,
        "profile_id": page.profile_id,
        "listed_papers": 0,
        "observed_on": page.observed_on,
        "source": page.source,
        "sha256": page.sha256,
        "bytes": page.size,
        "lines": len(parsed.lines),
        "newline": parsed.newline,
        "header": parsed.raw(1, parsed.header.line_count),
    }


def _block_rows(parsed: ParsedPage) -> Iterable[dict[str, object]]:
    for position, block in enumerate(parsed.blocks, start=1):
        yield {
            "profile_id": parsed.page.profile_id,
            "position": position,
            **vars(block),
            **_parts(block),
            "longest_line": max(map(byte_length, parsed.lines[block.line_start - 1 : block.line_end])),
            "raw": parsed.raw(block.line_start, block.line_end),
        }


def _parts(block: Block) -> dict[str, object]:
    badge, byline = parse_badge(block.badge), parse_byline(block.byline)
    return {**vars(badge), **vars(byline)} if badge else vars(byline)


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
    return {row: sorted(broken[row]) for row in sorted(broken)}


def _broken_row(block: dict[str, object], rules: Sequence[str]) -> dict[str, object]:
    reason = "; ".join(f"breaks {rule} ({RULES[rule].title})" for rule in rules)
    return {**block, "rule_ids": json.dumps(rules), "raw_text": block["raw"], "reason": reason}


def _stray_row(parsed: ParsedPage, stray: Stray) -> dict[str, object]:
    return {
        "profile_id": parsed.page.profile_id,
        **vars(stray),
        "rule_ids": json.dumps([STRAY_RULE]),
        "raw_text": parsed.raw(stray.line_start, stray.line_end),
        "reason": _stray_reason(parsed.lines[stray.line_start - 1]),
    }


def _stray_reason(first_line: str) -> str:
    if parse_badge(first_line):
        return (
            "a badge without a block behind it; expected title, byline and abstract with equal gaps around the byline"
        )
    if not first_line.strip():
        return "white space; expected an empty line"
    return "lines outside header and blocks; expected a badge such as CLMar 14, 2025"
