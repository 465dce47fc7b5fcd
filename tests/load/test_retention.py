"""Old releases go, the newest stay, and none goes that somebody uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import tables_of

from etl.load.publish import KEPT_RELEASES, newest_first, publish
from etl.release.release import newest_release
from schemas import Frames

PROVENANCE = {"overrides": None}
HOLDER = """
import os, sys
from pathlib import Path
from etl.load.publish import take_shared_lock
take_shared_lock(Path(sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-c", "print('held', flush=True); input()"])
"""


@pytest.fixture(scope="module")
def small() -> Frames:
    return tables_of("Cy Dole\n\nCLMay 1, 2024\nOn Ropes\n\nCy Dole\n\nRopes hold.\n")


def published(out: Path, tables: Frames, number: int) -> Path:
    """A release of its own name; its folder's time is its number, as if builds were far apart."""
    path = publish(out, tables, PROVENANCE | {"number": number})
    os.utime(path, (number, number))
    return path


def kept(out: Path) -> set[str]:
    return {path.name for path in (out / "releases").iterdir()}


def test_the_newest_releases_stay_and_older_ones_go(small: Frames, tmp_path: Path) -> None:
    made = [published(tmp_path, small, number) for number in range(KEPT_RELEASES + 3)]
    assert KEPT_RELEASES >= 2
    assert kept(tmp_path) == {path.name for path in made[-KEPT_RELEASES:]}
    assert [path.name for path in newest_first(tmp_path)] == [path.name for path in reversed(made[-KEPT_RELEASES:])]


def test_current_and_the_one_before_stay_however_old_their_folders_look(small: Frames, tmp_path: Path) -> None:
    made = [published(tmp_path, small, number) for number in range(KEPT_RELEASES)]
    os.utime(made[-1], (0, 0))
    newest = publish(tmp_path, small, PROVENANCE)
    os.utime(newest, (1, 1))
    assert {made[-1].name, newest.name} <= kept(tmp_path)
    after = published(tmp_path, small, KEPT_RELEASES + 1)
    assert {newest.name, after.name} <= kept(tmp_path)
    assert newest_release(tmp_path) == after.resolve()


def test_a_release_that_is_built_again_counts_as_the_newest(small: Frames, tmp_path: Path) -> None:
    first, *_ = [published(tmp_path, small, number) for number in range(KEPT_RELEASES)]
    publish(tmp_path, small, PROVENANCE | {"number": 0})
    for number in range(KEPT_RELEASES, 2 * KEPT_RELEASES - 2):
        published(tmp_path, small, number)
    assert newest_first(tmp_path)[0] == first


def test_a_release_that_a_server_holds_stays_until_the_server_ends(small: Frames, tmp_path: Path) -> None:
    held = published(tmp_path, small, 0)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        assert server.stdout.readline() == "held\n"
        for number in range(1, KEPT_RELEASES + 2):
            published(tmp_path, small, number)
        assert held.name in kept(tmp_path)
        server.communicate("\n")
    published(tmp_path, small, KEPT_RELEASES + 2)
    assert held.name not in kept(tmp_path)


def test_nothing_goes_that_is_no_release(small: Frames, tmp_path: Path) -> None:
    (tmp_path / "releases" / "notes").mkdir(parents=True)
    (tmp_path / "releases" / "README").touch()
    (tmp_path / "releases" / "0123456789abcdef").symlink_to(tmp_path)
    for number in range(KEPT_RELEASES + 1):
        published(tmp_path, small, number)
    assert {"notes", "README", "0123456789abcdef"} <= kept(tmp_path)
