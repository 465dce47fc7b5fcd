"""Finding pages: files, folders, globs, standard input, and paths that lead to none; reading them in batches."""

import gzip
import hashlib
import io
import os
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import cpu_limit
from page_files import DATA, TEXT, read, read_pages, sources, write, zst

from etl.errors import Exit, PageError, PaperledgerError, UsageError
from etl.extract.page import Page
from etl.extract.reading import read_page, saved_on
from etl.extract.sources import find_others, find_pages


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("ann.txt", bytes),
        ("ann.txt.gz", gzip.compress),
        ("ann.txt.zst", zst),
        ("ann.md", bytes),
        ("ann.gz", gzip.compress),
    ],
)
def test_a_file_is_read_whatever_its_packing(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    page = read(write(tmp_path / name, pack(DATA)))
    assert page == Page(name, None, hashlib.sha256(DATA).hexdigest(), len(DATA), TEXT)
    assert page.profile_id == hashlib.sha256(DATA).hexdigest()[:16]


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_a_compressed_file_of_several_parts_is_one_page(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    ending = ".zst" if pack is zst else ".gz"
    assert read(write(tmp_path / f"ann.txt{ending}", pack(b"Ann ") + pack(b"Bell"))).text == "Ann Bell"


def test_line_breaks_and_a_bom_are_kept(tmp_path: Path) -> None:
    assert read(write(tmp_path / "ann.txt", b"\xef\xbb\xbfAnn\r\nBell\r\n")).text == "\ufeffAnn\r\nBell\r\n"


def test_a_folder_is_searched_whole(tmp_path: Path) -> None:
    for name in ("b.txt", "a/deep/er/c.txt.gz", "a.txt.zst", "a/b.txt"):
        write(tmp_path / name)
    assert sources(tmp_path) == ["a.txt.zst", "a/b.txt", "a/deep/er/c.txt.gz", "b.txt"]


def test_a_folder_gives_no_hidden_and_no_other_files(tmp_path: Path) -> None:
    for name in (".a.txt", ".git/b.txt", "sub/.c/d.txt", "e.md", "f.txt~", "txt", "g.txt.bak", "h.html"):
        write(tmp_path / name)
    (tmp_path / "folder.txt").mkdir()
    write(tmp_path / "ann.txt")
    assert sources(tmp_path) == ["ann.txt"]


def test_files_of_a_folder_are_pages_whatever_the_case_of_their_endings(tmp_path: Path) -> None:
    for name in ("a.TXT", "b.text", "c.Txt.GZ", "d.TEXT"):
        write(tmp_path / name, gzip.compress(DATA) if name.endswith("GZ") else DATA)
    assert sources(tmp_path) == ["a.TXT", "b.text", "c.Txt.GZ", "d.TEXT"]
    assert [page.text for page in read_pages(find_pages([str(tmp_path)]), None) if isinstance(page, Page)] == [TEXT] * 4


def test_files_that_may_be_pages_are_told_where_they_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.txt", "sub/b.MD", "c.html", "d.csv", ".e.md"):
        write(tmp_path / name)
    assert find_others([str(tmp_path), str(tmp_path / "a.txt"), "-"]) == ["c.html", "sub/b.MD"]


def test_a_hidden_folder_that_is_asked_for_is_searched(tmp_path: Path) -> None:
    write(tmp_path / ".pages" / "ann.txt")
    assert sources(tmp_path / ".pages") == ["ann.txt"]


@pytest.mark.parametrize("target", ["/proc/self/environ", "outside.txt", "nowhere.txt"])
def test_a_link_in_a_folder_that_leads_out_of_it_is_told_and_not_read(tmp_path: Path, target: str) -> None:
    write(tmp_path / "outside.txt")
    write(tmp_path / "pages" / "ann.txt")
    (tmp_path / "pages" / "link.txt").symlink_to(tmp_path / target)
    ann, link = read_pages(find_pages([str(tmp_path / "pages")]), None)
    assert isinstance(ann, Page)
    assert isinstance(link, PageError)
    assert str(link).startswith("link.txt: found a link that leads out of the folder, which is not followed")


def test_a_link_within_a_folder_and_one_that_is_named_itself_are_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside.txt")
    (tmp_path / "pages").mkdir()
    write(tmp_path / "pages" / "ann.txt")
    (tmp_path / "pages" / "same.txt").symlink_to("ann.txt")
    (tmp_path / "named.txt").symlink_to(outside)
    read_in_turn = read_pages(find_pages([str(tmp_path / "pages"), str(tmp_path / "named.txt")]), None)
    assert [page.text for page in read_in_turn if isinstance(page, Page)] == [TEXT] * 3


@pytest.mark.parametrize("pattern", ["*.txt", "pages/*.txt", "**/*.txt", "pages/**", "p*/*.txt", "pages/[l]*.txt"])
@pytest.mark.parametrize("target", ["/proc/self/environ", "far/eve.txt"])
def test_a_link_that_a_pattern_finds_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, target: str
) -> None:
    write(tmp_path / "far" / "eve.txt")
    base = tmp_path / "base"
    for folder in (base, base / "pages"):
        write(folder / "ann.txt")
        (folder / "link.txt").symlink_to(tmp_path / target)
    monkeypatch.chdir(base)
    read_in_turn = read_pages(find_pages([pattern]), None)
    assert {page.text for page in read_in_turn if isinstance(page, Page)} <= {TEXT}
    told = {str(problem) for problem in read_in_turn if isinstance(problem, PageError)}
    assert {words.partition(": ")[2].partition(",")[0] for words in told} == {
        "found a link that leads out of the folder"
    }


def test_a_folder_that_a_pattern_reaches_by_a_link_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "far" / "eve.txt")
    write(tmp_path / "base" / "ann.txt")
    (tmp_path / "base" / "far").symlink_to("../far")
    monkeypatch.chdir(tmp_path / "base")
    assert sources("**/*.txt") == ["ann.txt"]
    (file,) = find_pages(["*/*.txt"])
    assert file.refused
    assert sources("far/*.txt") == ["eve.txt"]


@pytest.mark.parametrize("path", [".", "**/*.txt", "**"])
def test_links_in_a_circle_are_told_and_take_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ann.txt")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    for name in "abc":
        (tmp_path / name).symlink_to(".")
    with cpu_limit(1):
        ann, loop = read_pages(find_pages([path]), None)
    assert isinstance(ann, Page)
    assert str(loop) == "loop.txt: found a link to nothing, expected a saved page; remove it"


def test_a_linked_folder_elsewhere_is_among_what_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "far" / "eve.txt")
    write(tmp_path / "pages" / "ann.txt")
    (tmp_path / "pages" / "far").symlink_to("../far")
    (tmp_path / "pages" / "same").symlink_to(".")
    assert sources(tmp_path / "pages") == ["ann.txt"]
    assert find_others([str(tmp_path / "pages")]) == ["far/"]
    (tmp_path / "pages" / "ann.txt").unlink()
    with pytest.raises(UsageError, match="found far/, which is read only where it is named itself"):
        find_pages([str(tmp_path / "pages")])


def test_a_pipe_in_a_folder_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (problem,) = read_pages(find_pages([str(tmp_path)]), None)
    assert str(problem) == "pipe.txt: found a pipe, socket or device, expected a saved page; remove it"


def test_a_glob_gives_files_by_their_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.txt", "d.md"):
        write(tmp_path / name)
    assert sources(tmp_path / "*.txt") == ["a.txt", "b.txt"]
    assert sources(tmp_path / "**" / "*.txt") == ["a.txt", "b.txt", "c.txt"]
    assert sources(tmp_path / "*") == ["a.txt", "b.txt", "d.md"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    write(tmp_path / "ann[1].txt")
    write(tmp_path / "ann1.txt", b"another")
    assert read(tmp_path / "ann[1].txt").text == TEXT


def test_pages_come_in_the_same_order_whatever_the_order_of_the_arguments(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a" / "x.txt"), write(tmp_path / "b" / "x.txt")
    other = write(tmp_path / "c" / "a.txt")
    files = find_pages([str(second), str(other), str(first)])
    assert [(file.path, file.source) for file in files] == [
        (str(other), "a.txt"),
        (str(first), "a/x.txt"),
        (str(second), "b/x.txt"),
    ]
    assert find_pages([str(first), str(second), str(other)]) == files


def test_files_of_one_name_are_told_apart_by_their_folders_and_others_keep_their_names(tmp_path: Path) -> None:
    for name in ("pages-2019/1.txt", "pages-2019/2.txt", "pages-2026/2.txt", "pages-2026/sub/1.txt"):
        write(tmp_path / name)
    folders = [tmp_path / "pages-2019", tmp_path / "pages-2026"]
    names = ["1.txt", "pages-2019/2.txt", "pages-2026/2.txt", "sub/1.txt"]
    assert sources(*folders) == sources(*reversed(folders)) == names
    assert sources(*folders, tmp_path / "pages-2019" / "2.txt") == names


def test_folders_of_one_name_are_told_apart_by_more_of_their_paths(tmp_path: Path) -> None:
    for name in ("a/pages/x.txt", "b/pages/x.txt", "c/y/pages/x.txt", "c/pages/pages/x.txt"):
        write(tmp_path / name)
    folders = [tmp_path / "a/pages", tmp_path / "b/pages", tmp_path / "c/y/pages", tmp_path / "c/pages"]
    assert sources(*folders[:3]) == ["a/pages/x.txt", "b/pages/x.txt", "y/pages/x.txt"]
    assert len(set(sources(*folders))) == 4
    assert sources(*folders) == sources(*reversed(folders))


def test_a_folder_is_called_by_its_own_name_however_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a" / "x.txt")
    write(tmp_path / "b" / "x.txt")
    (tmp_path / "link").symlink_to("b")
    monkeypatch.chdir(tmp_path / "a")
    assert sources(".", "../link") == ["a/x.txt", "b/x.txt"]


def test_one_file_that_is_given_by_two_paths_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a" / "x.txt")
    monkeypatch.chdir(tmp_path)
    assert set(sources("a/x.txt", path, "a")) == {"x.txt"}


def test_standard_input_is_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(DATA)))
    (file,) = find_pages(["-"])
    assert read_page(file) == Page("-", None, hashlib.sha256(DATA).hexdigest(), len(DATA), TEXT)


@pytest.mark.parametrize(
    ("name", "day"),
    {
        "ann@2026-06-01.txt": date(2026, 6, 1),
        "ann@2026-06-01.txt.gz": date(2026, 6, 1),
        "ann@2026-06-01": date(2026, 6, 1),
        "@2024-02-29.txt": date(2024, 2, 29),
        "ann@home@2026-06-01.txt": date(2026, 6, 1),
        "sub/ann@2026-06-01.txt": date(2026, 6, 1),
        "ann@2026-02-30.txt": None,
        "ann@2026-13-01.txt": None,
        "ann@2026-6-1.txt": None,
        "ann@2026-06-011.txt": None,
        "ann-2026-06-01.txt": date(2026, 6, 1),
        "ann@\u0662026-06-01.txt": None,
        "-": None,
    }.items(),
)
def test_a_date_in_the_name_tells_when_the_page_was_saved(name: str, day: date | None) -> None:
    assert saved_on([name.rpartition("/")[2]])[0] == day


@pytest.mark.parametrize(
    ("name", "odd"),
    {
        "odd@2026-7-2.txt": "2026-7-2",
        "de@02.07.2026.txt": "02.07.2026",
        "ann@20260702.txt.gz": "20260702",
        "ann@2026-07.txt": "2026-07",
        "ann@2026_07_02": "2026_07_02",
        "ann@2026-02-30.txt": "2026-02-30",
        "ann@2026-07-02.txt": None,
        "ann@v1.2.txt": None,
        "ann@home.txt": None,
        "ann@12.txt": None,
    }.items(),
)
def test_what_looks_like_a_date_behind_the_at_sign_and_is_none_is_handed_on(name: str, odd: str | None) -> None:
    assert saved_on([name])[1] == odd


def test_a_date_that_is_given_goes_before_the_one_in_the_name(tmp_path: Path) -> None:
    (file,) = find_pages([str(write(tmp_path / "ann@2026-06-01.txt"))])
    assert read_page(file).observed_on == date(2026, 6, 1)
    assert read_page(file, date(2027, 1, 2)).observed_on == date(2027, 1, 2)


@pytest.mark.parametrize(
    "path",
    ["nobody.txt", "no/where", "*.xyz", "[", "sub*", "a\0b", "dangling.txt"],
)
def test_a_path_that_leads_to_no_page_is_a_usage_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "subfolder").mkdir()
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nobody.txt")
    with pytest.raises(UsageError) as caught:
        find_pages([str(tmp_path / path)])
    expected = "no such file or folder; give a saved page, a folder of pages, or - for standard input"
    assert str(caught.value) == f"{tmp_path / path}: {expected}"
    assert caught.value.exit_code == Exit.USAGE


def test_a_path_longer_than_any_file_may_have_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        find_pages([str(tmp_path / ("a" * 300))])


def test_an_empty_path_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ann.txt")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        find_pages([""])


def test_a_folder_without_pages_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path / "ann.md")
    with pytest.raises(UsageError) as caught:
        find_pages([str(tmp_path)])
    expected = (
        f"{tmp_path}: no pages in this folder, expected files ending in .txt, .txt.gz, .txt.zst, .text, .text.gz, .text.zst,"
        " .tar, .tar.gz, .tgz, .tar.zst, .jsonl, .jsonl.gz, .jsonl.zst, .parquet; found ann.md, which is read only where it is named itself"
    )
    assert str(caught.value) == expected
    write(tmp_path / "eve.md")
    with pytest.raises(
        UsageError, match=r"found ann\.md, eve\.md, which are read only where they are named themselves$"
    ):
        find_pages([str(tmp_path)])


def test_a_file_whose_name_is_not_utf8_is_a_page_or_an_error_that_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.txt")
    try:
        path.write_bytes(DATA)
    except OSError:
        pytest.skip("the file system has UTF-8 names only")
    try:
        shown = read(path).source
    except PaperledgerError as error:
        shown = str(error)
    assert b".txt" in shown.encode()


def test_pages_are_read_with_the_date_that_is_given(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.txt")
    pages = read_pages(find_pages([str(tmp_path)]), date(2026, 6, 1))
    assert [page.source for page in pages] == ["0.txt", "1.txt", "2.txt"]
    assert {page.observed_on for page in pages} == {date(2026, 6, 1)}


def test_in_the_place_of_a_page_that_cannot_be_read_stands_its_error(tmp_path: Path) -> None:
    for name, data in {"a.txt": b"", "b.txt": DATA, "c.txt": b"\xff", "d.txt": DATA}.items():
        write(tmp_path / name, data)
    read_in_turn = read_pages(find_pages([str(tmp_path)]), None)
    assert [isinstance(page, PageError) for page in read_in_turn] == [True, False, True, False]
    assert [page.source for page in read_in_turn] == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_a_file_named_as_standard_input_is_read_where_its_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("-"))
    (file,) = find_pages(["./-"])
    assert not file.is_standard_input
    assert read_page(file).text == TEXT


def test_folders_may_lie_deep_in_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        Path("a").mkdir()
        os.chdir("a")
    deepest = Path.cwd()
    write(Path("a.txt"))
    os.chdir(tmp_path)
    for given in (".", "**/*.txt"):
        (file,) = find_pages([given])
        assert read_page(file).text == TEXT
    os.chdir(deepest)
    Path("a.txt").unlink()
    for _ in range(1500):  # pytest would remove them by a function that calls itself
        os.chdir("..")
        Path("a").rmdir()


def test_many_small_bombs_leave_nothing_in_memory(tmp_path: Path) -> None:
    bomb = zst(bytes(1 << 20))
    files = [write(tmp_path / f"{number}.txt.zst", bomb) for number in range(50)]
    tracemalloc.start()
    try:
        errors = read_pages(find_pages([str(file) for file in files]), None)
        assert tracemalloc.get_traced_memory()[0] < 2 << 20
    finally:
        tracemalloc.stop()
    assert all(isinstance(error, PageError) and "unpack to more than 131,072" in str(error) for error in errors)
