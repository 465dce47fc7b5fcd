"""A build on Spark beside a build by this machine's processes: `python tests/benchmarks/spark_beside_embedded.py FOLDER`.

Writes varied invented pages into FOLDER (once) and packs them. Then it measures, one after the other, a build of the shards by
processes, a build of a lake by Spark with as many cores on this machine, and the release made of the lake, which must be the
first build's. How processes are measured is in measured.py; Java's are counted too.
"""

import shutil
import sys
from pathlib import Path

import click
import invented_pages
from measured import measure
from tabulate import tabulate

COMMAND = str(Path(sys.executable).with_name("paperledger"))


def run(folder: Path, papers: int, cores: int) -> list[tuple[str, float, float, float]]:
    """For each command its words, wall and CPU seconds, and peak memory in MB."""
    shards, built, lake, made = (folder / name for name in ("shards", "built", "lake", "made"))
    if not shards.exists():
        invented_pages.write(folder / "pages", papers, varied=True)
        _measure(folder, "pack", folder / "pages", "-o", shards)
    for path in (built, lake, made):
        shutil.rmtree(path, ignore_errors=True)
    figures = [
        _measure(folder, "build", shards, "--out", built, "--workers", cores),
        _measure(folder, "build", shards, "--out", lake, "--engine", "spark", "--master", f"local[{cores}]"),
        _measure(folder, "export", "sqlite", "--from", lake, "--out", made),
    ]
    names = [(path / "current").readlink().name for path in (built, made)]
    if names[0] != names[1]:
        raise click.ClickException(f"found the releases {' and '.join(names)}, expected equal ones")
    return figures


def _measure(folder: Path, *words: object) -> tuple[str, float, float, float]:
    log = folder / f"{words[0]}.log"
    measured = measure([COMMAND, *map(str, words)], log)
    if measured.code:
        raise click.ClickException(f"{words[0]}: exit code {measured.code}; see {log}")
    shown = " ".join(str(word) for word in words if not isinstance(word, Path))
    return f"paperledger {shown}", measured.wall, measured.cpu, measured.peak / 1e6


@click.command()
@click.option("--papers", type=click.IntRange(1), default=50_000, show_default=True)
@click.option("--cores", type=click.IntRange(1), default=2, show_default=True)
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path, papers: int, cores: int) -> None:
    """Measure both in FOLDER, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = run(folder, papers, cores)
    click.echo(tabulate(figures, ["command", "wall s", "CPU s", "peak MB"], floatfmt=(None, ".1f", ".1f", ".0f")))


if __name__ == "__main__":
    main()
