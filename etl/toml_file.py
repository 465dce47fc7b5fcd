"""Read a TOML file that a person wrote: its content and the lines of its entries, or an error of one line."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.printable import cut
from schemas.limits import LONGEST_PAGE

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|'
    r"'''.*?'{3,5}|"
    r'"(?:\\.|[^"\\])*"|'
    r"'[^']*'|"
    r"#[^\n]*|"
    r"[\n\[\]{}=,]|"
    r"""[^\n\[\]{}=,#"']+""",
    re.DOTALL,
)
"""A string of one of the four kinds, a comment, a sign or a run of anything else."""
_BITS = 64
_SHOWN_LETTERS = 80
_OPENING, _CLOSING = ("[", "{"), ("]", "}")
_Token = tuple[str, int]
"""A token and the line on which it begins."""


@dataclass(frozen=True)
class Entry:
    """An element of a list at the top of a file: its first line, and the lines of the values in it."""

    line: int
    values: tuple[int, ...] = ()


@dataclass
class TomlLines:
    """For each key at the top of a file its first line, and the entries of its list or of its [[headers]]."""

    keys: dict[str, int] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)


def read_toml(path: Path, expected: str) -> tuple[dict[str, Any], bytes]:
    """The content of a TOML file, and its bytes; `expected` describes such a file in errors.

    Raises `UsageError` where the file cannot be read or is no TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_PAGE + 1)
        if len(data) > LONGEST_PAGE:
            raise UsageError(f"{path}: larger than {LONGEST_PAGE >> 20} MiB; expected {expected}")
        content = tomllib.loads(text_of(data))
        _require_small_numbers(content)
        return content, data
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not TOML ({error}); expected {expected}") from error


class TomlMistake(ValueError):
    """A key or value that is not as expected, on a line if that is known; the message has no name of a file."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")


def unexpected(place: str, found: Any, expected: str, line: int | None = None) -> TomlMistake:
    """The mistake of a value that is found at a place of the file.

    >>> str(unexpected("[[paper]] id", 7, "a text", line=3))
    'line 3: [[paper]] id: found 7, expected a text'
    """
    return TomlMistake(f"{place}: found {shown(found)}, expected {expected}", line)


def shown(found: Any) -> str:
    """A value as JSON, which is close to TOML, on one line and cut if it is long.

    >>> shown("Ann Bell"), shown(["A. Bell", 7])
    ('"Ann Bell"', '["A. Bell", 7]')
    """
    return cut(json.dumps(found, ensure_ascii=False, default=str), _SHOWN_LETTERS)


def _require_small_numbers(value: Any) -> None:
    """Raise `ValueError` where a whole number has more than the 64 bits of TOML's."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _require_small_numbers(part)
    elif isinstance(value, int) and value.bit_length() > _BITS:
        raise ValueError(f"a whole number of {value.bit_length():,} bits, where TOML has {_BITS}")


def text_of(data: bytes) -> str:
    r"""The text of a TOML file, without the byte order mark that some editors write.

    >>> text_of(b"\xef\xbb\xbfsame = []")
    'same = []'
    """
    return data.decode("utf-8-sig")


def toml_lines(text: str) -> TomlLines:
    r"""The lines of keys and entries in a valid TOML file, which `tomllib` does not report; lines count from 1.

    >>> toml_lines('a = [["x",\n "y"]]\n\n[[b]]\nc = "[[b]]"').entries
    {'a': [Entry(line=1, values=(1, 2))], 'b': [Entry(line=4, values=())]}
    """
    lines, is_top = TomlLines(), True
    for statement in _statements(text):
        is_header = statement[0][0] == "["
        if is_header or is_top:
            _note(lines, statement, is_header=is_header)
        is_top = is_top and not is_header
    return lines


def _note(lines: TomlLines, statement: list[_Token], *, is_header: bool) -> None:
    """Record the line of a statement's key, and the entries of its value or header."""
    line = statement[0][1]
    if is_header:
        is_entry = statement[1][0] == "["
        parts = _key_parts(statement[2:-2] if is_entry else statement[1:-1])
        found = [Entry(line)] if is_entry and len(parts) == 1 else []
    else:
        end = next(place for place, (sign, _) in enumerate(statement) if sign == "=")
        parts = _key_parts(statement[:end])
        found = list(_elements(statement[end + 1 :])) if len(parts) == 1 else []
    lines.keys.setdefault(parts[0], line)
    if found:
        lines.entries.setdefault(parts[0], []).extend(found)


def _key_parts(tokens: list[_Token]) -> list[str]:
    """The parts of a dotted key, read as TOML reads them."""
    parts: list[str] = []
    content: Any = tomllib.loads("".join(token for token, _ in tokens) + "=0")
    while isinstance(content, dict):
        ((key, content),) = content.items()
        parts.append(key)
    return parts


def _elements(value: list[_Token]) -> Iterator[Entry]:
    """The elements of a list; of a value that is no list, none."""
    depth, element = 0, list[int]()
    for token, line in value if value[0][0] == "[" else ():
        is_end = depth == 1 and token in ("]", ",")
        if is_end and element:
            yield Entry(element[0], tuple(element[1:]))
            element = []
        elif depth and not is_end and (not element or token not in ("[", "]", ",")):
            element.append(line)
        depth += (token in _OPENING) - (token in _CLOSING)


def _statements(text: str) -> Iterator[list[_Token]]:
    """The statements of a file: its tokens without blanks and comments, up to the ends of lines outside of brackets."""
    statement, depth = list[_Token](), 0
    for part, line in chain(_tokens(text), [("\n", 0)]):
        depth += (part in _OPENING) - (part in _CLOSING)
        if part == "\n" and not depth and statement:
            yield statement
            statement = []
        elif part.strip():
            statement.append((part, line))


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of a text without its comments, each with its line."""
    line = 1
    for token in _TOKEN.findall(text):
        if not token.startswith("#"):
            yield token, line
        line += token.count("\n")
