"""How this program was called, so that a hint can be pasted. In: arguments. Out: a command line for a shell.

Light to import: whatever tells somebody to run paperledger says it by this.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

from etl.printable import inert

NAME = "paperledger"


def command(*arguments: str) -> str:
    """The command line that runs paperledger with these arguments, as it was called here.

    >>> command("serve", "--out", "my releases")
    "paperledger serve --out 'my releases'"
    """
    return " ".join(map(quoted, (_program(sys.argv[0]), *arguments)))


def quoted(argument: str) -> str:
    r"""An argument as a shell reads it, in characters that can be seen and command nothing.

    >>> print(quoted("my releases"), quoted("\x1b'\udcff"), quoted("\u202e##[a]"))
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
    # A program of another name is not the command: the library in somebody's script, or a test.
    if os.sep not in called or not Path(os.path.realpath(called)).name.startswith(NAME):
        return NAME
    found = shutil.which(NAME)
    return NAME if found and os.path.realpath(found) == os.path.realpath(called) else called
