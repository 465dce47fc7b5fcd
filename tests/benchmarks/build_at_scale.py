"""A build of many papers beside the least that its release costs: `python tests/benchmarks/build_at_scale.py FOLDER`.

For each number of `--papers`, it writes varied invented pages into FOLDER (once) and measures, one after the other:
`paperledger build`, with its steps; the floor (floor.py); `verify`; `diff` with a release of the same pages but one in a
hundred; and with `--peers` what one would write instead (peers.py). Figures stay in FOLDER; the tables of docs/performance.md
are made of all that are there. How processes are measured is in measured.py.
"""

import json
import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import invented_pages
from measured import Measured, measure
from peers import PEERS, missing_packages
from tabulate import tabulate

from etl import __version__
from etl.load.layout import CURRENT, DATABASE_FILE

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "performance.md"
PAPERS = 50_000
LEFT_OUT = 100
"""One page in so many is missing in the release that `diff` compares."""
FIGURES = "figures.json"
PYTHON = sys.executable
BUILD, FLOOR = "`paperledger build`", "floor"
REST = "start, end, and between steps"


@dataclass(frozen=True)
class Figure:
    """What one command or step took: wall and CPU seconds, and peak memory in MB, if that was measured."""

    name: str
    wall: float
    cpu: float
    peak: float | None


@dataclass(frozen=True)
class Run:
    """The figures of one number of papers: counts of the release, commands, and steps of the build."""

    papers: int
    listings: int
    pages: int
    megabytes: float
    machine: str
    commands: list[Figure]
    steps: list[Figure]


def run(folder: Path, papers: int, *, workers: int | None, peers: bool) -> Run:
    """Measure all commands for so many papers, in a folder of their own."""
    pages = _pages(folder, papers)
    release, earlier = folder / "release", folder / "earlier"
    options = ["--workers", str(workers)] if workers else []
    build, steps = _build(folder, pages, release, options)
    commands = [
        _figure(BUILD, build),
        _floor(folder, release),
        *(_peer(folder, name, pages) for name in PEERS if peers),
        _paperledger(folder, "verify", release),
    ]
    _build(folder, _earlier_pages(folder, pages), earlier, options)
    commands.append(_paperledger(folder, "diff", earlier, release, codes=(0, 1)))
    counts = _counts(release)
    megabytes = sum(page.stat().st_size for page in pages.iterdir()) / 1e6
    return Run(papers, counts["listings"], counts["profiles"], megabytes, _machine(), commands, steps)


def _pages(folder: Path, papers: int) -> Path:
    """The folder of the pages, which are written where they are not there."""
    pages, draft = folder / "pages", folder / "pages.draft"
    if not pages.exists():
        shutil.rmtree(draft, ignore_errors=True)
        invented_pages.write(draft, papers, varied=True)
        draft.rename(pages)
    return pages


def _earlier_pages(folder: Path, pages: Path) -> Path:
    earlier = folder / "earlier_pages"
    shutil.rmtree(earlier, ignore_errors=True)
    earlier.mkdir()
    for number, page in enumerate(sorted(pages.iterdir()), 1):
        if number % LEFT_OUT:
            os.link(page, earlier / page.name)
    return earlier


def _build(folder: Path, pages: Path, out: Path, options: Sequence[str]) -> tuple[Measured, list[Figure]]:
    """What a build into a new folder takes, and its steps."""
    log = folder / "steps.tsv"
    log.unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    build, _ = _measure(folder, "build", PYTHON, HERE / "timed_build.py", log, "build", pages, "--out", out, *options)
    lines = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    return build, list(_steps(build, sorted((float(begin), float(end), label) for begin, end, label in lines)))


def _steps(build: Measured, steps: Sequence[tuple[float, float, str]]) -> Iterator[Figure]:
    """The figures of each step in the order of their beginnings, and of the time in which no step ran."""
    begin, until = build.samples[0].at, build.samples[-1].at
    idle = []
    for start, end, label in steps:
        cpu, peak = build.between(start, end)
        yield Figure(label, end - start, cpu, peak / 1e6)
        if start > begin:
            idle.append((begin, start))
        begin = max(begin, end)
    idle.append((begin, until))
    used = [build.between(start, end) for start, end in idle]
    wall = sum(end - start for start, end in idle)
    yield Figure(REST, wall, sum(cpu for cpu, _ in used), max(peak for _, peak in used) / 1e6)


def _floor(folder: Path, release: Path) -> Figure:
    _, printed = _measure(folder, FLOOR, PYTHON, HERE / "floor.py", (release / CURRENT).resolve())
    return Figure(FLOOR, **json.loads(printed), peak=None)


def _paperledger(folder: Path, command: str, *arguments: Path, codes: Sequence[int] = (0,)) -> Figure:
    program = Path(PYTHON).with_name("paperledger")
    return _figure(f"`paperledger {command}`", _measure(folder, command, program, command, *arguments, codes=codes)[0])


def _peer(folder: Path, name: str, pages: Path) -> Figure:
    out = folder / name
    shutil.rmtree(out, ignore_errors=True)
    return _figure(name, _measure(folder, name, PYTHON, HERE / "peers.py", name, pages, out)[0])


def _measure(folder: Path, name: str, *command: object, codes: Sequence[int] = (0,)) -> tuple[Measured, str]:
    """What a command takes, and what it prints; raises where its exit code is none of `codes`."""
    log = folder / f"{name}.log"
    measured = measure(list(map(str, command)), log)
    if measured.code not in codes:
        raise click.ClickException(f"{name}: found exit code {measured.code}, expected {codes[0]}; see {log}")
    return measured, log.read_text(encoding="utf-8")


def _figure(name: str, measured: Measured) -> Figure:
    return Figure(name, measured.wall, measured.cpu, measured.peak / 1e6)


def _counts(out: Path) -> dict[str, int]:
    with sqlite3.connect(f"file:{out / CURRENT / DATABASE_FILE}?mode=ro", uri=True) as database:
        tables = ("profiles", "listings")
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608


def _machine() -> str:
    """The processor, memory and versions; no name of a host or path."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(": ")[2] if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, paperledger {__version__}"
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB of memory, {platform.system()}, {versions}"


def report(runs: Sequence[Run]) -> dict[str, str]:
    """The generated parts of the document by name."""
    sizes = [(one.papers, one.listings, one.pages, round(one.megabytes), one.machine) for one in runs]
    commands = [_command(one, figure) for one in runs for figure in one.commands]
    steps = [(f"{one.papers:,}", step.name, *_cells(step)) for one in runs for step in one.steps]
    taken = ("wall, s", "CPU, s", "peak, MB")
    return {
        "runs": _table(("papers", "listings", "pages", "MB of text", "machine"), sizes),
        "commands": _table(("papers", "command", *taken, "wall / floor", "CPU / floor"), commands),
        "steps": _table(("papers", "step", *taken), steps),
    }


def _command(one: Run, figure: Figure) -> tuple[str, ...]:
    floor = next(other for other in one.commands if other.name == FLOOR)
    ratios = (f"{figure.wall / floor.wall:.2f}", f"{figure.cpu / floor.cpu:.2f}")
    return f"{one.papers:,}", figure.name, *_cells(figure), *ratios


def _cells(figure: Figure) -> tuple[str, ...]:
    peak = "" if figure.peak is None else f"{figure.peak:,.0f}"
    return f"{figure.wall:.1f}", f"{figure.cpu:.1f}", peak


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    return tabulate(cells, names, tablefmt="github", disable_numparse=True)


def _read(figures: Path) -> Run:
    values = json.loads(figures.read_text(encoding="utf-8"))
    parts = {name: [Figure(**figure) for figure in values[name]] for name in ("commands", "steps")}
    return Run(**(values | parts))


def document(text: str, parts: Mapping[str, str]) -> str:
    """The text with each part between `<!-- NAME -->` and `<!-- /NAME -->` made anew."""
    for name, part in parts.items():
        pattern = rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)"
        text, count = re.subn(pattern, lambda _, part=part: f"\n{part}\n\n", text, flags=re.DOTALL)
        if count != 1:
            raise click.ClickException(f"found {count} parts <!-- {name} --> in the document, expected one")
    return text


@click.command()
@click.option("--papers", multiple=True, type=click.IntRange(1), default=[PAPERS], help="How many; may be repeated.")
@click.option("--workers", type=click.IntRange(1), help="Passed to the builds.")
@click.option("--peers", is_flag=True, help="Measure a pandas recipe and a dlt pipeline too.")
@click.option("--document", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=DOCUMENT)
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path, path: Path, papers: Sequence[int], *, workers: int | None, peers: bool) -> None:
    """Measure builds of invented pages in FOLDER, and write the tables of the document."""
    missing = missing_packages() if peers else []
    if missing:
        raise click.ClickException(f"--peers needs {', '.join(missing)}; run pip install -e '.[benchmark]'")
    for number in papers:
        place = folder / str(number)
        place.mkdir(parents=True, exist_ok=True)
        found = run(place, number, workers=workers, peers=peers)
        (place / FIGURES).write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    runs = sorted(map(_read, folder.glob(f"*/{FIGURES}")), key=lambda one: one.papers)
    parts = report(runs)
    path.write_text(document(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
    click.echo("\n\n".join(parts.values()))


if __name__ == "__main__":
    main()
