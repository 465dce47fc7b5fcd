"""Whatever a page, a file's name, an option or a settings file says, no terminal and no CI server obeys what is printed."""

import io
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result
from helpers import run
from rich.text import Text

from etl.cli import release
from etl.cli.output import Output
from etl.printable import inert, visible
from etl.report import terminal, wording

HOSTILE = {
    "escape": "\x1b[31m\x1b]0;no\x07",
    "c1": "\x9b31m\x85",
    "backspace": "a\x08\x7f",
    "return": "a\r::error::no",
    "line feed": "a\n::error::no\n##[error]no",
    "separators": "a\u2028::error::no\u2029\x0b\x0c",
    "directions": "\u202e\u2066\u200e\u200f\u061c",
    "unseen": "\u200b\ufeff\u2060\u00ad\U000e0001",
    "command": "::error::no",
    "indented command": "\u3000 ::add-mask::no",
    "stopped commands": "##[stop-commands]no",
    "command of Azure": "##vso[task.setvariable variable=PATH]no",
    "command of TeamCity": "##teamcity[progressMessage 'no']",
    "markup": "[bold]no[/bold] [/foo]",
}
EVERY = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
SOUND = "Ann Bell\n\nCL\n3papers\n\n3 Papers\n\nCLMay 1, 2024\nOn Bells\n\nAnn Bell, Cy Dole · mila\n\nThey ring."
PLACES: dict[str, Callable[[str], str]] = {
    "name": lambda text: SOUND.replace("Ann Bell", text),
    "header": lambda text: SOUND.replace("3papers", f"3papers\n{text}"),
    "badge": lambda text: SOUND.replace("2024", f"2024{text}"),
    "title": lambda text: SOUND.replace("On Bells", text),
    "author": lambda text: SOUND.replace("Cy Dole", text),
    "tag": lambda text: SOUND.replace("mila", text),
    "abstract": lambda text: SOUND.replace("They ring.", text),
    "address": lambda text: SOUND.replace("They ring.", f"See https://example.org/{text}."),
    "stray line": lambda text: SOUND.replace("CLMay", f"{text}\n\nCLMay"),
}
RUNNER = re.compile(r"^\s*::(?P<name>[^:\s]+)[^:]*::|##\[(?P<old>[^\] ]+)")
"""A command as GitHub's runner finds it in a line."""
OTHERS = re.compile(r"##\w+\[")
OWN = ("error", "warning", "notice")


def commands_in(output: str) -> list[str]:
    """The commands that GitHub's runner obeys in what was printed."""
    stop, found = None, []
    for line in re.split(r"\r\n|\r|\n", output):
        match = RUNNER.search(line)
        name = match and (match["name"] or match["old"])
        if stop is not None:
            stop = None if name == stop else stop
        elif name == "stop-commands":
            stop = line.rpartition(":")[2]
        elif name:
            found.append(name)
    assert stop is None, "commands stay stopped"
    return found


def assert_harmless(result: Result) -> None:
    """Each line of either output is printable, and commands nothing but what annotations do."""
    assert isinstance(result.exception, SystemExit | None)
    for output in (result.stdout, result.stderr):
        lines = output.split("\n")
        assert [line for line in lines if visible(line) != line] == []
        assert [line for line in lines if OTHERS.search(line) and not line.startswith("::")] == []
        assert set(commands_in(output)) <= set(OWN)
    assert commands_in(result.stderr) == []
    assert {line for line in result.stderr.splitlines() if not line.startswith("paperledger: ")} == set()


def name_of(text: str) -> str:
    """The text as a file's name."""
    return text.replace("/", "_")[:60] + ".txt"


@EVERY
def test_a_page_says_nothing_to_a_terminal_or_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for name in ("SHOWN_FINDINGS", "SHOWN_WARNINGS"):
        monkeypatch.setattr(terminal, name, 1000)
    monkeypatch.setattr(wording, "SHOWN", 1000)
    for place, page in PLACES.items():
        (tmp_path / f"{place}.txt").write_text(page(text), encoding="utf-8", newline="")
    result = run("check", tmp_path, "--annotate", "github", "--fail-on", "warning")
    assert_harmless(result)
    told = set(re.findall(r"^paperledger: ([a-z ]+)\.txt", result.stderr, re.MULTILINE))
    assert told == set(PLACES)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two releases of pages with every hostile text in every place, under hostile names; other abstracts in the second."""
    folder = tmp_path_factory.mktemp("releases")
    for place, page in PLACES.items():
        for number, text in enumerate(HOSTILE.values()):
            (folder / f"{place} {number} {name_of(text)}").write_text(page(text), encoding="utf-8", newline="")
    assert_harmless(run("build", folder, "--out", folder / "old", "--allow-unreadable"))
    for number, path in enumerate(sorted(folder.glob("*.txt"))):
        text = path.read_bytes().decode().replace("They ring.", "They ring \u202e##[group]no often.")
        path.write_text(
            text.replace("Cy Dole", "Cy Dole" if number % 2 else "C. Dole").replace("On Bells", "On Bells ##[x]"),
            encoding="utf-8",
            newline="",
        )
    assert_harmless(run("build", folder, "--out", folder / "new", "--allow-unreadable", "--baseline", folder / "old"))
    return folder / "old", folder / "new"


def test_commands_that_read_a_release_say_nothing_either(releases: tuple[Path, Path]) -> None:
    old, new = releases
    results = [
        run("diff", old, new),
        run("verify", new),
        run("authors", new, "--limit", "1000"),
        run("authors", new, "--review"),
    ]
    for result in results:
        assert_harmless(result)
        assert result.exit_code in (0, 1)
        assert result.stdout
    told = results[0].stdout + results[2].stdout
    assert "\\x1b" in told
    assert "U+202E" in told
    assert "\\x23#[" in told


def test_why_says_nothing_either(releases: tuple[Path, Path]) -> None:
    for path in sorted((releases[1] / "current").glob("*.parquet")):
        if path.stem == "paper_list":
            continue
        missing = run("why", path.stem, "\x1b##[x]\u202e", releases[1])
        assert_harmless(missing)
        keys = re.findall(r"perhaps (\S+)", run("why", path.stem, "", releases[1]).stderr)
        for key in keys:
            assert_harmless(run("why", path.stem, key, releases[1]))


def test_a_difference_as_json_has_the_same_content(releases: tuple[Path, Path]) -> None:
    result = run("diff", *releases, "--format", "json")
    assert_harmless(result)
    assert "\u202e##[group]no" in json.dumps(json.loads(result.stdout), ensure_ascii=False)


def test_what_is_left_to_decide_can_be_pasted_into_a_file(releases: tuple[Path, Path]) -> None:
    lines = run("authors", releases[1], "--review").stdout.splitlines()
    entries = [line.replace("#", "", 1) for line in lines if re.match(r" *#\[(?!\[)", line)]
    assert entries
    assert tomllib.loads("\n".join(["same = [", *entries, "]"]))


@EVERY
def test_paths_and_options_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "data" / "ann-bell.txt", "ann.txt")
    for command in (
        ["check", text],
        ["check", f"{text}*"],
        ["check", "ann.txt", "--overrides", text],
        ["check", "ann.txt", "--rules", text],
        ["check", "ann.txt", "--baseline", text],
        ["build", "ann.txt", "--out", f"ann.txt/{text}"],
        ["check", "ann.txt", "--report", f"ann.txt/{text}"],
        ["page", text, text],
        ["why", text, text, text],
        ["authors", text],
        ["verify", text],
        ["serve", text],
        ["diff", text, text],
        ["rules", text],
    ):
        result = run(*command)
        assert result.exit_code in (1, 2, 4), command
        assert_harmless(result)
        assert result.stderr.count("\n") == 1


@EVERY
def test_usage_errors_say_nothing(text: str) -> None:
    for command in (
        [text],
        [f"--{text}"],
        ["check", "--fail-on", text],
        ["check", "--workers", text],
        ["page", "a", "b", text],
    ):
        result = run(*command)
        output = result.stderr
        assert result.exit_code == 2
        assert [line for line in output.split("\n") if inert(line) != line] == []
        assert commands_in(output) == []


@pytest.mark.parametrize("kind", ["escape", "line feed", "unseen", "indented command", "stopped commands"])
def test_settings_and_baselines_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    text = HOSTILE[kind]
    monkeypatch.chdir(tmp_path)
    Path("ann.txt").write_text(SOUND, encoding="utf-8")
    quoted = msgspec.json.encode(text.replace("\x7f", "")).decode()
    for option, content in (
        ("--overrides", f"same = [[{quoted}, 'Ann Bell']]"),
        ("--overrides", f"{quoted} = 1"),
        ("--overrides", f"[[person]]\nname = 'Cy Dole'\nas = {quoted}"),
        ("--overrides", f"[[paper]]\nid = {quoted}\ncategory_id = {quoted}"),
        ("--overrides", text),
        ("--rules", f"[{quoted}]\nseverity = 'off'"),
        ("--rules", f"[PAP-002]\nseverity = {quoted}"),
    ):
        Path("settings.toml").write_text(content, encoding="utf-8", newline="")
        assert_harmless(
            run("check", "ann.txt", option, "settings.toml", "--fail-on", "warning", "--annotate", "github")
        )
    Path(name_of(text)).write_text(SOUND.replace("Ann Bell", "Eve Fox"), encoding="utf-8")
    run("check", ".", "--report", name_of("report" + text))
    Path(name_of(text)).unlink()
    lost = run("check", "ann.txt", "--baseline", Path(name_of("report" + text), "results.json"))
    assert_harmless(lost)
    assert "was read in the baseline" in lost.stdout
    Path("results.json").write_text(text, encoding="utf-8")
    assert_harmless(run("check", "ann.txt", "--baseline", "results.json"))


def test_a_deep_file_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ann.txt").write_text(SOUND, encoding="utf-8")
    Path("deep").write_text("a = " + "[" * 100_000, encoding="utf-8")
    Path("deep.json").write_text('{"version": "1", "findings": ' + "[" * 100_000, encoding="utf-8")
    for option, name in (("--overrides", "deep"), ("--rules", "deep"), ("--baseline", "deep.json")):
        result = run("check", "ann.txt", option, name)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert_harmless(result)


def test_no_page_can_guess_what_ends_the_stop_of_commands(tmp_path: Path) -> None:
    (tmp_path / "ann.txt").write_text(SOUND, encoding="utf-8")
    first, second = (run("check", tmp_path, "--annotate", "github").stdout for _ in range(2))
    token = re.match(r"::stop-commands::([0-9a-f]{32})\n", first)
    assert token
    assert f"\n::{token[1]}::\n::warning " in first
    assert token[1] not in second


def test_a_page_is_written_as_it_is_but_shown_by_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = SOUND.replace("They ring.", "\x1b[31mThey ring. \u202e").replace("\n", "\r\n").encode()
    (tmp_path / "ann.txt").write_bytes(page)
    run("build", tmp_path, "--out", tmp_path / "out")
    assert run("page", "ann.txt", tmp_path / "out").stdout_bytes == page
    monkeypatch.setattr(release, "is_terminal", lambda: True)
    shown = run("page", "ann.txt", tmp_path / "out").stdout_bytes.decode()
    assert shown == SOUND.replace("They ring.", "\\x1b[31mThey ring. U+202E")


def test_hints_can_be_pasted_whatever_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ann.txt").write_text(SOUND, encoding="utf-8")
    out = "a\x1b[1m'b'\u202e##[c] \\d"
    (line,) = re.findall(r"^Rebuild (.*)$", run("build", ".", "--out", out).stdout, re.MULTILINE)
    assert inert(line) == line
    read = [shutil.which("bash") or "bash", "-c", f"printf '%s\\0' {line}"]
    name, *arguments = subprocess.run(read, check=True, capture_output=True).stdout.decode().split("\0")[:-1]
    assert name == "paperledger"
    assert run(*arguments).stdout_bytes == SOUND.encode()


def test_a_line_that_a_terminal_breaks_begins_with_no_command() -> None:
    printed = io.StringIO()
    console = Output(file=printed, force_terminal=True, width=12)
    console.print(Text("Bells ring ::error::no and ##[group]no", style="bold"))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue()).splitlines()
    assert [line.strip() for line in lines[:2]] == ["Bells ring", r"\x3a:error::no"]
    assert commands_in("\n".join(lines)) == []
