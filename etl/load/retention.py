"""Which releases are kept, and what is taken away: older releases, and what killed builds left behind.

In: the output folder, held by this build. Out: the folder, with less in it.
"""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from etl.load.disk import HIDDEN, remove, sync
from etl.load.hold import unheld
from etl.load.layout import CURRENT, RELEASES, is_release_id

KEPT_RELEASES = 5
"""How many of the newest releases stay.

Two would do for a reader who is half-way through the last one when the next is published. A Datasette that somebody
started by hand holds no lock, though, and must be given time to be started anew: five survive four more builds.
"""


def newest_first(out: Path) -> list[Path]:
    """The folders of all releases, the one that was published last first.

    The time stands on the folder and not in it: a release itself knows no clock.
    """
    folders = [path for path in (out / RELEASES).iterdir() if is_release_id(path.name) and not path.is_symlink()]
    return sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)


def remove_older(out: Path, spared: Collection[str]) -> None:
    """Remove releases beyond the newest `KEPT_RELEASES`, oldest first, but for those spared by name or held."""
    for folder in reversed(newest_first(out)[KEPT_RELEASES:]):
        # The new release is published by now; a folder that cannot be removed is tried again by the next build.
        with suppress(OSError), unheld(folder) as free:
            if free and folder.name not in spared:
                _remove_release(folder)


def clear_debris(out: Path) -> None:
    """Take away what killed builds left; the lock says that no build is at work. Raises `OSError`."""
    for path in [out / f".{CURRENT}", *(out / RELEASES).glob(f"{HIDDEN}*")]:
        remove(path)


def _remove_release(folder: Path) -> None:
    """Hide a release before its files go, so that nobody sees half of it even where this build is killed."""
    hidden = folder.with_name(f"{HIDDEN}{folder.name}")
    folder.rename(hidden)
    sync(folder.parent)
    remove(hidden)
