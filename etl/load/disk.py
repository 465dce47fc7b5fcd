"""Files and folders that are on the disk for good: each step of a publication, and what makes it last.

In: paths. Out: nothing but what stands on the disk; every function raises `OSError` where it cannot be done.
"""

import errno
import os
import shutil
from pathlib import Path

HIDDEN = ".build-"
"""How the name of a folder begins that is no release yet, or none any more; nobody reads it."""


def write_text(path: Path, text: str) -> None:
    """Write a new file; one that is there already is an error, since two writers would then claim one name."""
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems know no fsync of folders; they keep names in step by themselves.
        if not (error.errno == errno.EINVAL and path.is_dir()):
            raise
    finally:
        os.close(handle)


def point(link: Path, target: Path) -> None:
    """Make a link lead to `target` in one step, for good."""
    new = link.with_name(f".{link.name}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    try:
        new.replace(link)
    except OSError:
        new.unlink()
        raise
    sync(link.parent)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
