"""A hint names the command as it was called, so that a newcomer can paste it."""

import shlex
import sys
from pathlib import Path

import pytest

from etl.printable import command


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of our name, not on the path yet."""
    path = tmp_path / "bin of Ann" / "paperledger"
    path.parent.mkdir()
    path.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return path


def test_a_program_that_the_shell_does_not_find_is_named_by_the_path_it_was_called_by(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for called in (str(program), "bin of Ann/paperledger", "./bin of Ann/paperledger"):
        monkeypatch.setattr(sys, "argv", [called, "build"])
        assert command("serve", "--out", "my releases") == f"'{called}' serve --out 'my releases'"
        assert shlex.split(command("serve")) == [called, "serve"]


def test_a_program_that_the_shell_finds_is_named_plainly(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(sys, "argv", [str(program), "build"])
    assert command("serve") == "paperledger serve"


def test_another_program_of_our_name_on_the_path_is_not_this_one(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "paperledger").touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "build"])
    assert command("serve") == f"'{program}' serve"


@pytest.mark.parametrize("called", ["-c", "", "paperledger", "/usr/bin/pytest", "-m"])
def test_where_the_command_was_not_called_by_a_path_the_plain_name_is_given(
    called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    assert command("build") == "paperledger build"


def test_a_link_of_another_name_is_named_as_it_was_called(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = program.with_name("pl")
    link.symlink_to(program)
    monkeypatch.setattr(sys, "argv", [str(link)])
    assert command("build") == f"'{link}' build"
