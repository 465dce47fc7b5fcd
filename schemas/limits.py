"""The sizes beyond which text is not what it claims to be, each written once."""

LONGEST_PAGE = 64 << 20
"""Bytes of the largest page (64 MiB)."""
LONGEST_LINE = 1 << 20
"""Bytes of the longest line that a row may hold (1 MiB)."""
PAPERS_A_PAGE = 50
"""Papers that the site lists on a page at most, however many there are."""
NAME_LETTERS = 100
NAME_WORDS = 12
"""Letters and words of the longest name: prose in a name's place has longer pieces."""
BYLINE_LETTERS = 100_000
"""Letters of the longest byline that is read: the largest collaborations have 5,000 names of some 15 letters."""
SENTENCE_END = r"[a-z]{3}[.!?]$"
"""How prose ends and names do not: a full stop behind a word (initials, Jr. and Ph.D. are shorter)."""
ROWS_PER_BATCH = 100_000
"""Rows of the largest frame that is validated or written at once."""
LONGEST_TEX = 5_000
"""Letters of the longest title or abstract whose TeX is read: twice the longest of arXiv's, which end at some 2,000."""
DEEPEST_TEX = 10
"""Levels of braces, options, environments and math within each other that are read: arXiv's texts have four."""
