"""How many words a full-text search may have. In: a statement of a request, and its parameters. Out: why it is refused, if it is.

FTS5 compares the places of all words in one step, which nothing interrupts, and NEAR takes the square of the words: 1,000 took 21 s
in an abstract of 20,000 letters. SQLite's authorizer does not see what is searched for. So SQL of a person's own is compiled
first: the program that SQLite makes of it shows where each search gets its words.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from math import inf
from typing import NamedTuple

from etl.site.safety.statement_time import SqlQuery

MOST_WORDS = 100
"""Words and signs of a search: to rank papers or mark words takes some 0.3 s in an abstract of 20,000 letters that repeats them."""
NEAR_TIMES = 5
"""How many words a word counts for beside NEAR: twenty take 0.3 s in an author's 40,000 spellings, a hundred 8 s."""
WORD = re.compile(r"[^\W_\u19b0-\u19c9]+|[^\w\s]+")
"""A word or sign. FTS5 splits words at `_` and at vowels of New Tai Lue, which are letters for Python only."""
CONSTRAINT = re.compile(r"[MLG]\d+|[r=<>]")
"""How FTS5 names what a search asks: words in a column (MATCH, LIKE, GLOB), how to rank, or a range of rows."""
ROWS = "=<>"
COMPUTED = inf
"""The number of words that SQL computes."""
JUMPS = {"Goto", "NotNull", "IsNull", "If", "IfNot", "IfNullRow", "Once"}
"""Operations by which SQLite leaves out the last part of a value (CASE, coalesce) and goes on at the address `p2`."""
ESCAPED = "escape_fts(1)"
"""The function of Datasette that quotes each word of a table's search."""


class Operation(NamedTuple):
    """One operation of SQLite's program, as EXPLAIN prints it; `p1` to `p3` are registers, addresses or numbers."""

    address: int
    opcode: str
    p1: int
    p2: int
    p3: int
    p4: str | None


def words_of(text: str) -> int:
    """The number of words and signs to search for; beside NEAR each counts for `NEAR_TIMES`.

    >>> words_of("ring_a bell + rope*"), words_of("NEAR(a b)")
    (6, 25)
    """
    return len(WORD.findall(text)) * (NEAR_TIMES if "NEAR" in text else 1)


def parameters_refusal(query: SqlQuery) -> str | None:
    """Why a statement that searches is refused for its parameters; None where it is allowed."""
    return _refusal(_words_of_parameters(query))


def search_refusal(connection: sqlite3.Connection, query: SqlQuery) -> str | None:
    """Why SQL of a person's own is refused for what it searches; None where it is allowed."""
    program, of_parameters = _program(connection, query), _words_of_parameters(query)
    # Only full-text tables name their constraints.
    searches = [operation for operation in program if operation.opcode == "VFilter" and operation.p4 is not None]
    return _refusal(max((_words_of_search(program, search, of_parameters) for search in searches), default=0))


def _program(connection: sqlite3.Connection, query: SqlQuery) -> list[Operation]:
    """What SQLite makes of a statement; empty for an EXPLAIN, which searches nothing, and for what is no SQL."""
    with closing(connection.cursor()) as cursor:
        cursor.row_factory = None
        try:
            return [Operation(*row[:6]) for row in cursor.execute(f"EXPLAIN {query.sql}", query.parameters)]
        except sqlite3.OperationalError as error:
            if "syntax error" in str(error):
                return []
            raise


def _words_of_search(program: Sequence[Operation], search: Operation, of_parameters: int) -> float:
    """The number of words that a VFilter searches for.

    SQLite puts the values into registers from `search.p3 + 2` on, by one operation each unless it computes them; then it puts two
    numbers in front of them.
    """
    constraints = CONSTRAINT.findall(search.p4 or "")
    first = search.address - 2 - len(constraints)
    if "".join(constraints) != search.p4 or any(
        one.opcode in JUMPS and first < one.p2 <= search.address for one in program
    ):
        return COMPUTED
    return sum(
        _words_of_value(program, program[first + place], search.p3 + 2 + place, of_parameters)
        for place, constraint in enumerate(constraints)
        if constraint not in ROWS
    )


def _words_of_value(program: Sequence[Operation], value: Operation, register: int, of_parameters: int) -> float:
    """The number of words that an operation puts into a register; `COMPUTED` where it is none that does so."""
    if value.opcode == "Function" and value.p4 == ESCAPED and value.p3 == register:
        constants = program[program[0].p2 :]
        given = next((one for one in constants if one.p2 == value.p2), value)
        return _words_of_value(program, given, value.p2, of_parameters)
    words = {"String8": words_of(value.p4 or ""), "Variable": of_parameters, "Integer": 1}
    return words.get(value.opcode, COMPUTED) if value.p2 == register else COMPUTED


def _words_of_parameters(query: SqlQuery) -> int:
    """The number of words of all parameters in the SQL; Datasette's own (`_size`) are not in it."""
    named = query.parameters
    values = [named[name] for name in named if name in query.sql] if isinstance(named, Mapping) else named
    return sum(words_of(value) for value in values if isinstance(value, str))


def _refusal(words: float) -> str | None:
    if words <= MOST_WORDS:
        return None
    if words == COMPUTED:
        return (
            "The words of a full-text search are computed by SQL; expected a text or a parameter: write MATCH 'some words' or"
            " MATCH :words, where it helps in a subquery of its own (rowid IN (SELECT rowid …))"
        )
    return (
        f"There are {words:,} words and signs to search for, each counted {NEAR_TIMES} times beside NEAR; expected at most"
        f" {MOST_WORDS}: search for fewer"
    )
