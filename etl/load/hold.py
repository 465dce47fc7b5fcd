"""A release that is in use stays: a server holds it, and a build removes none that is held.

In: a release's folder. Out: a lock on it that lives as long as the process, and whatever program that becomes.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def hold(release: Path) -> None:
    """Hold a release for as long as this process lives, even where it becomes Datasette; many may hold one.

    Raises `OSError` where the folder is not there.
    """
    handle = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    os.set_inheritable(handle, True)


@contextmanager
def unheld(release: Path) -> Iterator[bool]:
    """Whether nobody holds a release; while the block runs, nobody gets it."""
    handle = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
