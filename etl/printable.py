"""Text for people: untrusted text made visible and inert on one line, counts, and commands to paste."""

import json
import os
import re
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path

ELLIPSIS = "…"
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)")
"""How commands to CI servers begin: :: at a line's beginning (GitHub); ##[, ##vso[ and the like anywhere (GitHub, Azure, TeamCity)."""
_PERHAPS_UNSEEN = re.compile(r"[^ -~\n]")


def visible(text: str) -> str:
    r"""The text on one line, with code points in place of controls, direction marks and zero-width characters.

    >>> print(visible("a\x1bb\nc\u202ed"))
    a\x1bb\ncU+202Ed
    """
    return "".join(part for part, _ in parts(text))


def inert(text: str) -> str:
    r"""Visible text that no CI server reads as a command, at the start of a line or within.

    >>> print(inert(" ::add-mask::a"), inert("a ##vso[b] \x1b"), inert("a::b # ## c"), sep="\n")
     \x3a:add-mask::a
    a \x23#vso[b] \x1b
    a::b # ## c
    """
    return _COMMAND.sub(lambda found: (found[1] or "") + _number(found[0][-1]), visible(text))


def path_text(path: str) -> str:
    r"""A path as text: bytes that are not UTF-8 are written as escapes.

    >>> print(path_text("a\udcff"))
    a\xff
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def inert_json(text: str) -> str:
    r"""JSON of the same content, with escapes for invisible characters and commands to CI servers.

    >>> print(inert_json('{"a": "\u202e ##[b]"}'))
    {"a": "\u202e #\u0023[b]"}
    """
    return _PERHAPS_UNSEEN.sub(_json_escape, text).replace("##", r"#\u0023")


def cut(text: str, letters: int) -> str:
    """The text on one line, cut to so many letters, the last an ellipsis where there is more.

    >>> cut("On Bells", 8), cut("On Bells", 5)
    ('On Bells', 'On B…')
    """
    # The rest is not escaped: an abstract may be long.
    line = visible(text[: letters + 1])
    return line if len(line) <= letters else line[: letters - 1] + ELLIPSIS


def parts(text: str) -> Iterator[tuple[str, bool]]:
    r"""The text in parts, each with whether it is the escape of an invisible character.

    >>> list(parts("ab\x00c"))
    [('ab', False), ('\\x00', True), ('c', False)]
    """
    if text.isprintable():
        yield text, False
        return
    for seen, run in groupby(text, key=_is_seen):
        if seen:
            yield "".join(run), False
        else:
            yield from ((_number(character), True) for character in run)


def count(number: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "finding"), count(1200, "finding")
    ('1 finding', '1,200 findings')
    """
    return f"{number:,} {noun}" + "s" * (number != 1)


def either(names: Iterable[str], word: str = "or") -> str:
    """The names as a list in words.

    >>> either(["given", "family", "as"]), either(["id"]), either(["same", "id"], "and")
    ('given, family or as', 'id', 'same and id')
    """
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def near(found: str, known: Iterable[str], most: int = 1) -> str:
    """The known names most similar to the one that was found, as a question in brackets; empty if there is none.

    >>> near("pap-02", ["PAP-002", "LNK-001"]), near("x", ["PAP-002"])
    (' (did you mean PAP-002?)', '')
    """
    names = {name.lower(): name for name in known}
    similar = [names[one] for one in get_close_matches(found.lower(), names, n=most)]
    return f" (did you mean {either(similar)}?)" if similar else ""


def _is_seen(character: str) -> bool:
    # Spaces of other widths, as between a number and its unit, are harmless.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _json_escape(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _number(character: str) -> str:
    number = ord(character)
    if character.isascii() and character.isprintable():
        return f"\\x{number:02x}"
    return character.encode("unicode_escape").decode() if number < 0xA0 else f"U+{number:04X}"


NAME = "paperledger"


def command(*arguments: str) -> str:
    """The command line that runs paperledger with these arguments, as it was called here.

    >>> command("serve", "--out", "my releases")
    "paperledger serve --out 'my releases'"
    """
    return " ".join(map(_quoted, (_program(sys.argv[0]), *arguments)))


def _quoted(argument: str) -> str:
    r"""An argument quoted for a shell, in visible characters that no CI server reads as a command.

    >>> print(_quoted("my releases"), _quoted("\x1b'\udcff"), _quoted("\u202e##[a]"))
    'my releases' $'\x1b\'\xff' $'\xe2\x80\xae\x23\x23[a]'
    """
    if inert(argument) == argument:
        return shlex.quote(argument)
    return "$'" + "".join(map(_escaped, argument)) + "'"


def _escaped(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable() and character not in "#:":
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


def _program(called: str) -> str:
    """The plain name where a shell finds this very program by it; else the path by which it was called."""
    # A program of another name is not the command: the library in another script, or a test.
    if os.sep not in called or not Path(os.path.realpath(called)).name.startswith(NAME):
        return NAME
    found = shutil.which(NAME)
    return NAME if found and os.path.realpath(found) == os.path.realpath(called) else called
