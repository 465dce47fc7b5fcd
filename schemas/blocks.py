"""The internal table of blocks, with all rules that one block can break by itself.

A block that breaks one goes to the quarantine whole, before any other table is made from it. A column's metadata names
the rule of its checks; a column without one cannot fail.
"""

from pandera.polars import Field

from schemas.limits import (
    ABSTRACT_LETTERS,
    BADGE_LETTERS,
    BYLINE_LETTERS,
    BYLINE_NAMES,
    BYLINE_TAGS,
    LONGEST_LINE,
    NAME_LETTERS,
    NAME_WORDS,
    SENTENCE_END,
    TITLE_LETTERS,
)
from schemas.table import Table, at_least, day_exists, reads_like_names, row_check, says_something

WORDED = r"[\p{L}\p{N}]"
"""Letters and digits of any script, of which a title contains at least one."""


class Blocks(Table):
    """Blocks as printed on the pages, parsed but not yet interpreted."""

    profile_id: str = Field(title="Profile", description="The page.")
    position: int = Field(ge=1, title="Position", description="Place among the page's blocks, from 1.")
    line_start: int = Field(ge=1, title="First line", description="The badge's line.")
    line_end: int = Field(title="Last line", description="The block's last line.")
    badge: str = Field(title="Badge", description="The badge as printed.")
    code: str = Field(title="Code", description="The badge's category code.")
    month: int = Field(ge=1, le=12, title="Month", description="The badge's month.", metadata={"rule": "BLK-003"})
    day: int = Field(
        title="Day",
        description="The badge's day of the month.",
        metadata={"rule": "BLK-003"},
    )
    year: int = Field(nullable=True, title="Year", description="The badge's year; null where it prints none.")
    flags: list[str] = Field(title="Flags", description="The badge's flags, in order.")
    title: str = Field(title="Title", description="The title's line.", metadata={"rule": "BLK-001"})
    title_line: int = Field(ge=1, title="Title's line", description="The line of the title.")
    byline: str = Field(title="Byline", description="The byline's line.")
    byline_line: int = Field(ge=1, title="Byline's line", description="The line of the byline.")
    names: list[str] = Field(
        title="Names",
        description="The byline's names, in order.",
        metadata={"rule": "BLK-002"},
    )
    truncated: bool = Field(title="Cut", description='Whether the byline ends in "et al.".')
    tags: list[str] = Field(title="Tags", description="The byline's institutions, in order.")
    odd: list[str] = Field(title="Odd items", description="Items of the byline that can be no name.")
    groups: list[str] = Field(title="Groups", description="Names of the byline behind which a colon stands.")
    owned: bool = Field(
        title="Owned", description="Whether the page's owner wrote it, which is not known behind a further header."
    )
    abstract: str = Field(
        title="Abstract", description="The abstract's lines, joined by a line feed; empty where there are none."
    )
    abstract_line: int = Field(
        nullable=True, title="Abstract's line", description="The abstract's first line; null where there is none."
    )
    badge_letters: int = Field(
        le=BADGE_LETTERS,
        title="Letters of the badge",
        description="How long the badge is.",
        metadata={"rule": "BLK-004"},
    )
    title_letters: int = Field(
        le=TITLE_LETTERS,
        title="Letters of the title",
        description="How long the title is.",
        metadata={"rule": "BLK-004"},
    )
    byline_letters: int = Field(
        le=BYLINE_LETTERS,
        title="Letters of the byline",
        description="How long the byline is.",
        metadata={"rule": "BLK-004"},
    )
    name_count: int = Field(
        le=BYLINE_NAMES,
        title="Names in the byline",
        description="How many names the byline has.",
        metadata={"rule": "BLK-004"},
    )
    tag_count: int = Field(
        le=BYLINE_TAGS,
        title="Institutions behind the byline",
        description="How many institutions the byline has.",
        metadata={"rule": "BLK-004"},
    )
    abstract_letters: int = Field(
        le=ABSTRACT_LETTERS,
        title="Letters of the abstract",
        description="How long the abstract is.",
        metadata={"rule": "BLK-004"},
    )
    block_bytes: int = Field(
        le=LONGEST_LINE,
        title="Bytes of the block",
        description="How long the block is, white space and all.",
        metadata={"rule": "BLK-004"},
    )
    raw: str = Field(
        nullable=True,
        title="Raw text",
        description="The block's lines as they are, joined by a line feed; null where its parts render as these lines.",
    )

    lines_in_order = row_check(at_least, "line_end", other="line_start")
    date_exists = row_check(day_exists, "day", month="month", year="year")
    title_is_there = row_check(says_something, "title", by=WORDED)
    byline_is_names = row_check(reads_like_names, "names", letters=NAME_LETTERS, words=NAME_WORDS, unlike=SENTENCE_END)

    class Config:
        name = "blocks"
        title = "Blocks"
        metadata = {"primary_key": ["profile_id", "position"]}
