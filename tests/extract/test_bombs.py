"""Files that want all memory: each is one clear line, and what a build holds does not grow with their size or number."""

import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from page_files import write, zst
from serving import COMMAND

from etl.errors import BadData, PageError
from etl.extract.reading import parse_files
from etl.extract.sources import find_pages
from etl.validate.staging import combine, stage, up_to_limit
from schemas.limits import (
    COMPRESSED_PAGE,
    COMPRESSED_TIMES,
    LARGE_PAGE,
    LARGE_PAGES,
    LONGEST_PAGE,
    MOST_LINES,
    MOST_PIECES,
    UNREAD_LINE,
)

MOST_MEMORY_MB = 600
SOUND = "Ann Bell\n\nCL\n1papers\n\n1 Papers\n\nCLMay 1, 2024\nOn Ropes\n\nAnn Bell, Cy Dole\n\nThey hold every bell.\n"
DOZEN = 12
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""Runs a command and prints its peak memory; a process that the tests start themselves would count theirs as its own."""


@dataclass(frozen=True)
class Run:
    """What a run of the command came to."""

    code: int
    said: list[str]
    peak_mb: int


def build(folder: Path, out: Path) -> Run:
    """Build the pages of a folder in a process of its own."""
    command = [sys.executable, "-c", MEASURED, COMMAND, "build", "--out", out, folder]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return Run(run.returncode, run.stderr.splitlines(), int(run.stdout.split()[-1]) >> 10)


def problem(path: Path) -> str:
    """The one error of a file."""
    ((pages, (error,)),) = parse_files(find_pages([str(path)]), None)
    assert pages == []
    assert isinstance(error, PageError)
    return str(error)


def test_a_dozen_compressed_bombs_are_a_line_each_and_no_memory(tmp_path: Path) -> None:
    bomb = zst(bytes(LONGEST_PAGE))
    for number in range(DOZEN):
        write(tmp_path / "pages" / f"{number:02}.txt.zst", bomb)
    run = build(tmp_path / "pages", tmp_path / "out")
    assert run.code == 1
    expected = (
        f"found {len(bomb):,} bytes that unpack to more than {max(COMPRESSED_PAGE, COMPRESSED_TIMES * len(bomb)):,}, over {COMPRESSED_TIMES} times as many; expected"
        " one saved page, which unpacks to a few times its size; leave it out"
    )
    errors = [line.removeprefix("paperledger: ") for line in run.said if expected in line]
    assert errors == [f"{number:02}.txt.zst: {expected}" for number in range(DOZEN)]
    assert run.peak_mb < MOST_MEMORY_MB


@pytest.mark.parametrize("piece", ["\0", "a", "\n", " \n", "a\n", "CLMay 1, 2024\n"], ids=repr)
def test_a_large_file_of_one_piece_again_and_again_is_refused(tmp_path: Path, piece: str) -> None:
    with (tmp_path / "ann.txt").open("w", encoding="utf-8", newline="") as file:
        for _ in range(LONGEST_PAGE >> 20):
            file.write(piece * ((1 << 20) // len(piece)))
    run = build(tmp_path / "ann.txt", tmp_path / "out")
    assert run.code == 1
    assert any(line.startswith("paperledger: ann.txt: ") for line in run.said)
    assert run.peak_mb < MOST_MEMORY_MB


def test_large_pages_with_a_paper_are_kept_up_to_a_bound(tmp_path: Path) -> None:
    """Fifty titles of a mebibyte are a page that is published; the next such page is one too many."""
    large = f"CLMay 2, 2024\n{'a ' * (LARGE_PAGE // 2 - 100)}\n\nAnn Bell\n\nThey ring.\n"
    for number in range(4):
        write(tmp_path / "pages" / f"{number:02}.txt", "\n".join((SOUND, *[large] * 50, f"{number}")).encode())
    run = build(tmp_path / "pages", tmp_path / "out")
    assert run.code == 1
    (line,) = run.said
    size = (tmp_path / "pages" / "01.txt").stat().st_size
    assert line == (
        f"paperledger: 01.txt: found {size:,} bytes, and with them more than {LARGE_PAGES >> 20} MiB in all pages of over"
        f" {LARGE_PAGE >> 20} MiB, which no saved page has; leave such files out"
    )
    assert run.peak_mb < MOST_MEMORY_MB + 200
    for path in sorted((tmp_path / "pages").iterdir())[1:]:
        path.unlink()
    run = build(tmp_path / "pages", tmp_path / "out")
    assert run.code == 0
    assert run.peak_mb < MOST_MEMORY_MB + 200


def test_a_page_of_more_lines_than_any_has_is_an_error(tmp_path: Path) -> None:
    good = write(tmp_path / "good.txt", b"\n" * (MOST_LINES - 1))
    assert [len(pages) for pages, _ in parse_files(find_pages([str(good)]), None)] == [1]
    lines = f"{MOST_LINES + 1:,}"
    expected = f"ann.txt: found {lines} lines, expected one saved page, of {MOST_LINES:,} at most; split the file or leave it out"
    assert problem(write(tmp_path / "ann.txt", b"\n" * MOST_LINES)) == expected


def test_a_large_page_without_a_paper_is_an_error_that_says_what_it_seems_to_be(tmp_path: Path) -> None:
    data = f"<!DOCTYPE html>{'<p>Bells</p>' * 100_000}".encode()
    assert problem(write(tmp_path / "ann.txt", data)).startswith(
        f"ann.txt: found {len(data):,} bytes without a paper, which seem to be HTML code, expected a profile page; open"
    )


def test_a_large_page_with_a_line_that_is_no_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    long = "x" * UNREAD_LINE
    sound = write(tmp_path / "sound.txt", f"{SOUND}\n{long}".encode())
    assert [len(pages) for pages, _ in parse_files(find_pages([str(sound)]), None)] == [1]
    expected = (
        f"found more than {UNREAD_LINE:,} bytes, expected text in lines; save the page again, or leave the file out"
    )
    assert problem(write(tmp_path / "last.txt", f"{SOUND}\n{long}x".encode())) == f"last.txt: line 15: {expected}"
    assert problem(write(tmp_path / "first.txt", f"{long}x\n{SOUND}".encode())) == f"first.txt: line 1: {expected}"


def test_a_page_in_more_pieces_than_any_has_is_an_error(tmp_path: Path) -> None:
    text = SOUND + "\nCLMay 1, 2024\n" * MOST_PIECES
    expected = (
        f"ann.txt: found {MOST_PIECES + 1:,} papers and runs of other lines, expected one saved page, of {MOST_PIECES:,} at most;"
        " split the file or leave it out"
    )
    assert problem(write(tmp_path / "ann.txt", text.encode())) == expected


def test_a_compressed_page_of_any_size_that_a_page_may_have_is_read(tmp_path: Path) -> None:
    words = "".join(sha256(str(number).encode()).hexdigest() for number in range(1000))
    text = f"{SOUND}\n{words * 20}"
    path = write(tmp_path / "ann.txt.zst", zst(text.encode()))
    assert len(text) > LARGE_PAGE
    ((pages, errors),) = parse_files(find_pages([str(path)]), None)
    assert [page.page.text for page in pages] == [text]
    assert errors == []


def test_small_pages_share_a_portion_and_a_large_one_ends_it(tmp_path: Path) -> None:
    for number in range(4):
        text = SOUND + (f"\n{'x' * LARGE_PAGE}" * 9 if number == 1 else "")
        write(tmp_path / f"{number}.txt", text.encode())
    portions = parse_files(find_pages([str(tmp_path)]), None)
    assert [[page.page.source for page in pages] for pages, _ in portions] == [["0.txt", "1.txt"], ["2.txt", "3.txt"]]


def test_intakes_end_with_the_one_that_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.validate.staging.LARGE_PAGES", 2 * LARGE_PAGE)
    for number in range(4):
        write(tmp_path / f"{number}.txt", f"{SOUND}\n{number}{'x' * LARGE_PAGE}".encode())
    files = find_pages([str(tmp_path)])
    batches = [stage(*portion) for file in files for portion in parse_files([file], None)]
    assert len(list(up_to_limit(batches))) == 2
    combine(batches[:1])
    with pytest.raises(BadData, match=r"^1\.txt: found 1,048,\d+ bytes, and with them more than 2 MiB in all pages"):
        combine(batches)
