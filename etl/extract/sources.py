"""Find pages: files, folders, globs, archives, shards and standard input become `PageFile`s.

In: paths as given. Out: files, each with its name in the dataset, relative to the folder given.
"""

import fnmatch
import glob
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile
from pathlib import Path

from etl.errors import UsageError, is_refusal, refusal
from etl.extract.archives import ARCHIVE_ENDINGS, is_other_table
from etl.extract.reading import PAGE_ENDINGS, PageFile
from etl.printable import path_text

STANDARD_INPUT = "-"
ENDINGS = (*PAGE_ENDINGS, *ARCHIVE_ENDINGS)
"""Endings of files in a folder that are read, in any letter case."""
OTHER_ENDINGS = (".md", ".html", ".htm", ".mhtml", ".pdf", ".rtf", ".doc", ".docx", ".odt", ".json")
"""Endings of files that may be saved pages too, but are read only where a path names them."""
_SHOWN_OTHERS = 3


def find_pages(paths: Sequence[str]) -> list[PageFile]:
    """Every file that the paths name: files, folders (searched for text files, archives and shards), globs, - for standard input.

    Different files of one name have as many of their folders before it as make the names differ.

    Raises `UsageError` for a path that does not exist and for a folder or glob without pages.
    """
    try:
        files = {file for path in paths for file in _expand(path)}
    except RecursionError as error:
        raise UsageError(f"{', '.join(paths)}: folders are nested too deep to be read; move the pages up") from error
    except OSError as error:
        problem = "cannot be read" if is_refusal(error) else "no such file or folder"
        raise refusal(error, problem, "give a saved page or a folder that may be read") from error
    return sorted(_with_distinct_names(files), key=lambda file: (file.source, file.path))


def _with_distinct_names(files: Iterable[PageFile]) -> Iterator[PageFile]:
    """The files, each with as many folders before its name as make it differ from all others."""
    real = cache(os.path.realpath)
    names = {file: file.source for file in files}
    above: dict[PageFile, list[str]] = {}
    while same := _of_one_name(names, real):
        above |= {file: _folders_above(file, real) for file in same if file not in above}
        longer = {file: f"{above[file].pop()}/{names[file]}" for file in same if above[file]}
        if not longer:
            break
        names |= longer
    yield from (file if file.source == name else replace(file, source=name) for file, name in names.items())


def _of_one_name(names: Mapping[PageFile, str], real: Callable[[str], str]) -> list[PageFile]:
    """The files that share a name with another file; several paths to a file are one file."""
    counted = Counter(names.values())
    groups: defaultdict[str, dict[PageFile, str]] = defaultdict(dict)
    for file, name in names.items():
        if counted[name] > 1 and not file.is_standard_input:
            folder, base = os.path.split(file.path)
            path = os.path.realpath(file.path) if os.path.islink(file.path) else f"{real(folder)}/{base}"  # noqa: PTH114
            groups[name][file] = path
    return [file for group in groups.values() if len(set(group.values())) > 1 for file in group]


def _folders_above(file: PageFile, real: Callable[[str], str]) -> list[str]:
    """The names of the folder that the file's source is relative to and of those above it, the nearest last."""
    given = str(Path(file.path).parents[file.source.count("/")])
    return [path_text(part) for part in real(given).split("/") if part]


def find_others(paths: Sequence[str]) -> list[str]:
    """What may be pages in the folders among the paths but is not read: files such as notes.md, linked folders such as far/."""
    return sorted({other for path in paths if path and Path(path).is_dir() for other in _others_in(Path(path))})


def _others_in(folder: Path) -> Iterator[str]:
    for place, folders, files in _walk(folder):
        above = _prefix(place.relative_to(folder))
        yield from (path_text(above + file.name) for file in files if _is_named(file.name, OTHER_ENDINGS))
        yield from (path_text(f"{above}{name}/") for name in folders if _leads_out(place / name, folder))


def _is_named(name: str, endings: tuple[str, ...]) -> bool:
    """Whether a file that is not hidden has such an ending.

    >>> _is_named("ann.TXT", ENDINGS), _is_named(".ann.txt", ENDINGS)
    (True, False)
    """
    return name.lower().endswith(endings) and not name.startswith(".")


def _is_other_table(file: "os.DirEntry[str]") -> bool:
    """Whether a file of a folder is a table of another kind, such as those of a release."""
    return file.name.lower().endswith(ARCHIVE_ENDINGS) and file.is_file() and is_other_table(file.path)


def _expand(path: str) -> Iterator[PageFile]:
    place = Path(path)
    if not path:
        raise UsageError("an empty path; give a saved page, a folder of pages, or - for standard input")
    if path == STANDARD_INPUT:
        yield PageFile(path, STANDARD_INPUT, is_standard_input=True)
    elif place.is_dir():
        yield from _pages_in(place)
    elif place.exists():
        yield _named(place)
    else:
        yield from _matches(path)


def _named(file: Path, refused: str | None = None) -> PageFile:
    return PageFile(str(file), path_text(file.name), (file.name, _folder_name(file.parent)), refused=refused)


def _folder_name(folder: Path) -> str:
    """The name of a folder, as resolved, as `PageFile.names` has it."""
    return f"{Path(os.path.realpath(folder)).name}/"


def _prefix(folder: Path) -> str:
    """What is before the names of files in paths that begin with this folder.

    >>> _prefix(Path("a/b")), _prefix(Path("."))
    ('a/b/', '')
    """
    return str(folder / "_")[:-1]


def _pages_in(folder: Path) -> Iterator[PageFile]:
    is_empty = True
    for place, _, files in _walk(folder):
        path, source = _prefix(place), path_text(_prefix(place.relative_to(folder)))
        holder = _folder_name(place) if place == folder else f"{place.name}/"  # no link
        for file in files:
            name = file.name
            if _is_named(name, ENDINGS) and not _is_other_table(file):
                is_empty = False
                refused = None if file.is_file(follow_symlinks=False) else _why_refused(place / name, folder)
                size = file.stat(follow_symlinks=False).st_size
                yield PageFile(path + name, source + path_text(name), (name, holder), size, refused)
    if is_empty:
        raise UsageError(_no_pages(folder))


def _no_pages(folder: Path) -> str:
    others = find_others([str(folder)])[:_SHOWN_OTHERS]
    only = (
        "is read only where it is named itself" if len(others) == 1 else "are read only where they are named themselves"
    )
    found = f"; found {', '.join(others)}, which {only}" if others else ""
    return f"{folder}: no pages in this folder, expected files ending in {', '.join(ENDINGS)}{found}"


def _why_refused(file: Path, folder: Path) -> str | None:
    """Why a file of a folder is not read: a link out of it would publish a file that nobody named, a pipe would never end."""
    if _leads_out(file, folder):
        return "found a link that leads out of the folder, which is not followed; name the file itself, or copy it here"
    if not file.is_file():
        found = "a link to nothing" if file.is_symlink() else "a pipe, socket or device"
        return f"found {found}, expected a saved page; remove it"
    return None


def _leads_out(path: Path, folder: Path) -> bool:
    # Not Path.resolve, which raises where links lead in a circle.
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list["os.DirEntry[str]"]]]:
    """A folder and its subfolders, with the names of folders and the files in each; hidden folders are left out.

    Not by `os.walk`, which is recursive and skips what cannot be read.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        with os.scandir(place) as entries:
            found = [(entry, _is_folder(entry)) for entry in sorted(entries, key=lambda entry: entry.name)]
        folders = [entry for entry, is_folder in found if is_folder and not entry.name.startswith(".")]
        yield place, [entry.name for entry in folders], [entry for entry, is_folder in found if not is_folder]
        waiting += [place / entry.name for entry in reversed(folders) if not entry.is_symlink()]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    # A link may lead in a circle, which `DirEntry.is_dir` raises for.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112


def _matches(pattern: str) -> Iterator[PageFile]:
    """The files that match a pattern; links out of the folder that it names are refused."""
    folder = _folder_of(pattern)
    files = [file for file in _found(pattern, folder) if not file.is_dir()] if glob.has_magic(pattern) else []
    if not files:
        raise UsageError(
            f"{pattern}: no such file or folder; give a saved page, a folder of pages, or - for standard input"
        )
    yield from (_named(file, _why_refused(file, folder)) for file in files)


def _found(pattern: str, folder: Path) -> list[Path]:
    """The files and folders that match a pattern, without hidden ones; raises `OSError` for a folder that cannot be read.

    Not by `glob`, which skips such a folder, and follows circular links: two of them make 2 ** 40 paths.
    """
    parts = Path(pattern).relative_to(folder).parts
    return sorted(set(_matching(folder, (*parts, "*") if parts[-1] == "**" else parts)))


def _matching(place: Path, parts: Sequence[str]) -> Iterator[Path]:
    """The paths below a folder whose names match the parts one by one; ** is any number of folders."""
    head, *rest = parts
    if head == "**":
        for below, _, _ in _walk(place):
            yield from _matching(below, rest)
        return
    names = sorted(os.listdir(place)) if glob.has_magic(head) else [head]  # noqa: PTH208  names that are not UTF-8 too
    for name in names:
        is_meant = name == head or (not name.startswith(".") and fnmatch.fnmatch(name, head))
        if is_meant and os.path.lexists(place / name):  # a link to nothing is reported
            if not rest:
                yield place / name
            elif (place / name).is_dir():
                yield from _matching(place / name, rest)


def _folder_of(pattern: str) -> Path:
    """The folder that a pattern names before its first part with a sign such as *.

    >>> _folder_of("../pages/2026-*/*.txt").as_posix(), _folder_of("*.txt").as_posix()
    ('../pages', '.')
    """
    return Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
