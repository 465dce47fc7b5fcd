"""How this program was called, so that a hint can be pasted. In: arguments. Out: a command line for a shell.

Light to import: whatever tells somebody to run paperledger says it by this.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "paperledger"


def command(*arguments: str) -> str:
    """The command line that runs paperledger with these arguments, as it was called here.

    >>> command("serve", "--out", "my releases")
    "paperledger serve --out 'my releases'"
    """
    return shlex.join([_program(sys.argv[0]), *arguments])


def _program(called: str) -> str:
    """The plain name where a shell finds this very program by it; else the path by which it was called."""
    # A program of another name is not the command: the library in somebody's script, or a test.
    if os.sep not in called or not Path(os.path.realpath(called)).name.startswith(NAME):
        return NAME
    found = shutil.which(NAME)
    return NAME if found and os.path.realpath(found) == os.path.realpath(called) else called
