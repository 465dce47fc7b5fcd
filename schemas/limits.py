"""The limits beyond which text is no page, or no part of one, each defined once.

A size called real is the largest of 601 pages in the layout of the site, with 13,000 papers of arXiv on them, and of
5,200 further records of arXiv.
"""

LONGEST_PAGE = 64 << 20
"""Bytes of the largest page (64 MiB)."""
MOST_LINES = 200_000
"""Lines of the longest page; a real one has 458."""
MOST_PIECES = 10_000
"""Papers and runs of other lines of the longest page; a real one has 50."""
LARGE_PAGE = 1 << 20
"""Bytes beyond which a page is large (1 MiB): it must list a paper, since a real one has 79,481."""
LARGE_PAGES = 96 << 20
"""Bytes of all large pages of a run together (96 MiB), since a run holds in memory what it reads."""
COMPRESSED_PAGE = 128 << 10
COMPRESSED_TIMES = 100
"""Bytes (128 KiB) that any compressed page may have; beyond them it may have so many times its compressed size.

A real one has 79,481 bytes, three or four times its compressed size.
"""
COMPRESSED_ARCHIVE = LONGEST_PAGE
"""Bytes (64 MiB) that any compressed archive or shard may have; beyond them `COMPRESSED_TIMES` its compressed size."""
ROW_BYTES = 512
"""Bytes that a row of a shard counts for beside its text, as a header in an archive does."""
LONGEST_JSON = 2 * LONGEST_PAGE
"""Bytes of the longest line of JSON, in which a letter may be an escape."""
SOURCE_LETTERS = 4096
"""Letters of the longest name of a page in an archive or a shard."""
BATCH_PAGES = 1000
BATCH_BYTES = 4 << 20
"""Pages, and bytes of pages, with which a batch for one worker is full."""
LONGEST_LINE = 1 << 20
"""Bytes of the longest line that a row may hold (1 MiB), and of a whole block."""
UNREAD_LINE = 4 << 20
"""Bytes of a line beyond which a large file is no text in lines; the site shows values up to this size."""
LONGEST_RUN = LONGEST_LINE * 3 // 2
"""Bytes of lines that a row of the quarantine holds, but for one line that is longer."""
PAPERS_A_PAGE = 50
"""Papers that the site lists on a page at most, however many there are."""
NAME_LETTERS = 100
NAME_WORDS = 12
"""Letters and words of the longest name: prose in a name's place has longer pieces."""
MOST_RETURNS = 1000
"""Lines of only a carriage return that a row contains behind its other lines."""
BADGE_LETTERS = 120
"""Letters of the longest badge; a real one has 22."""
TITLE_LETTERS = 1000
"""Letters of the longest title; a real one has 245."""
SHORT_TITLE = 2
SHORT_ABSTRACT = 20
"""Letters of a title, and of an abstract, that is so short that it must be cut."""
IN_WORDS = {1: "one", 2: "two", 20: "twenty"}
"""Numbers as texts write them; such a limit that gets another value needs its word here."""
EARLIEST_YEAR = 1990
"""The year before which no paper is dated: arXiv began in 1991."""
LOST_OF = 20
"""One of so many pages, rows or listed papers of a baseline may be missing, unless a rules file sets another share."""
BYLINE_LETTERS = 100_000
BYLINE_NAMES = 6000
"""Letters and names of the longest byline: the largest collaboration on arXiv has 5,154 names of some 15 letters."""
BYLINE_TAGS = 100
TAG_LETTERS = 200
"""Institutions behind a byline, and letters of the longest: real ones are two, of ten letters."""
ABSTRACT_LETTERS = 20_000
"""Letters of the longest abstract; a real one has 2,560."""
HEADER_LETTERS = 20_000
"""Letters of the longest header, a menu and all; a real one has 108."""
URL_LETTERS = 2000
"""Letters of the longest address; a real one has 129."""
SHOWN_LETTERS = 400
"""Letters of a page's line that a finding shows."""
SENTENCE_END = r"[a-z]{3}[.!?]$"
"""How prose ends and names do not: a full stop behind a word (initials, Jr. and Ph.D. are shorter)."""
ROWS_PER_BATCH = 100_000
"""Rows of the largest frame that is validated or written at once."""
SQLITE_PAPERS = 3_000_000
"""Papers of the largest SQLite file that is made from a lake: as many as arXiv has, some 10 GB with their abstracts."""
LONGEST_TEX = 5_000
"""Letters of the longest title or abstract whose TeX is read: twice the longest of arXiv's, which end at some 2,000."""
DEEPEST_TEX = 10
"""Levels of braces, options, environments and math within each other that are read: arXiv's texts have four."""


PROFILE_ID = r"^(?:[0-9a-f]{16})$"
PAPER_ID = r"^(?:[a-z2-7]{16})$"
SLUG = r"^(?:[a-z0-9][a-z0-9-]*)$"
SHA256 = r"^(?:[0-9a-f]{64})$"
RULE_ID = r"^(?:[A-Z]{3}-[0-9]{3})$"
URL = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://\S+)$"
