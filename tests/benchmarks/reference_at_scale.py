"""Reading a reference beside a bare decode of the same file: `python tests/benchmarks/reference_at_scale.py FOLDER`.

Writes into FOLDER (once) a file of invented records in the shape of arXiv's metadata, about 1,500 bytes each, and pages that
list one in 600 of them. Then it measures `paperledger check` of the pages without and with the reference, and a process that
decodes each line of the file with msgspec and does no more. How processes are measured is in measured.py.
"""

import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import click
from invented_pages import PAPERS_A_PAGE, WORDS
from measured import Measured, measure
from tabulate import tabulate

from etl.extract.badge import MONTHS

TIMED = Path(__file__).resolve().with_name("timed_build.py")
RECORDS = 3_000_000
ONE_IN = 600
"""One record in so many is a paper of a page."""
FIRST_DAY, DAYS = date(2007, 4, 1), 7000
ABSTRACTS = 1000
"""Different ends of abstracts; the beginnings are all different."""
BARE = """
import sys, msgspec
decode = msgspec.json.Decoder(dict).decode
with open(sys.argv[1], "rb") as file:
    for line in file:
        decode(line)
"""


def records(number: int) -> Iterator[dict[str, Any]]:
    """So many invented records; same number, same records."""
    random = Random(7)  # noqa: S311  no secret
    ends = [" ".join(random.choices(WORDS, k=150)) for _ in range(ABSTRACTS)]
    for place in range(number):
        title = " ".join(random.choices(WORDS, k=7)).capitalize()
        people = [
            [one.capitalize(), two.capitalize(), ""]
            for one, two in zip(*(random.choices(WORDS, k=5) for _ in range(2)), strict=True)
        ]
        day = FIRST_DAY + timedelta(place * DAYS // number)
        created = f"{day:%a}, {day.day} {day:%b} {day.year} 19:18:42 GMT"
        yield {
            "id": f"{day:%y%m}.{place % 100_000:05}",
            "submitter": " ".join(people[0][1::-1]),
            "authors": ", ".join(f"{given} {family}" for family, given, _ in people),
            "title": f"{title}\n  {place}",
            "comments": "12 pages, 3 figures",
            "journal-ref": None,
            "doi": None,
            "report-no": None,
            "categories": "cs.CL cs.LG",
            "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
            "abstract": f"  {title} of {place} rings\n{random.choice(ends)}.\n",
            "versions": [{"version": f"v{count}", "created": created} for count in (1, 2)],
            "update_date": day.isoformat(),
            "authors_parsed": people,
        }


def write(folder: Path, number: int) -> tuple[Path, Path]:
    """The file and the folder of pages, written once."""
    file, pages = folder / f"arxiv-{number}.jsonl", folder / f"pages-{number}"
    if pages.exists():
        return file, pages
    folder.mkdir(parents=True, exist_ok=True)
    listed: list[str] = []
    with file.open("w", encoding="utf-8") as stream:
        for place, record in enumerate(records(number)):
            stream.write(json.dumps(record) + "\n")
            if place % ONE_IN == 0:
                listed.append(_block(record))
    pages.mkdir()
    for start in range(0, len(listed), PAPERS_A_PAGE):
        blocks = listed[start : start + PAPERS_A_PAGE]
        (pages / f"{start:05}.txt").write_text("\n\n".join([f"{len(blocks)} Papers", *blocks]) + "\n", encoding="utf-8")
    return file, pages


def _block(record: dict[str, Any]) -> str:
    day = date.fromisoformat(record["update_date"])
    names = ", ".join(f"{given} {family}" for family, given, _ in record["authors_parsed"][:3])
    title, abstract = (" ".join(record[part].split()) for part in ("title", "abstract"))
    return f"CL{MONTHS[day.month - 1]} {day.day}, {day.year}\n{title}\n\n{names} et al.\n\n{abstract}"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--records", "number", type=click.IntRange(1), default=RECORDS, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
def main(folder: Path, number: int, workers: int) -> None:
    """Write records and pages into FOLDER, measure, and print the figures."""
    file, pages = write(folder, number)
    steps = folder / "steps.txt"
    steps.unlink(missing_ok=True)
    check = [sys.executable, str(TIMED), str(steps), "check", str(pages), "--workers", str(workers)]
    bare = _measured([sys.executable, "-c", BARE, str(file)], folder)
    without = _measured(check, folder)
    added = _measured([*check, "--reference", str(file)], folder)
    start, end = next(_times(steps, "Reading the reference"))
    cpu, peak = added.between(start, end)
    rows = [
        ("bare decode", bare.wall, bare.cpu, bare.peak / 1e6),
        ("check without the reference", without.wall, without.cpu, without.peak / 1e6),
        ("check with it", added.wall, added.cpu, added.peak / 1e6),
        ("its step Reading the reference", end - start, cpu, peak / 1e6),
    ]
    click.echo(f"{number:,} records, {file.stat().st_size / 1e9:.2f} GB\n")
    click.echo(tabulate(rows, ("command", "wall s", "CPU s", "peak MB"), floatfmt=("", ".1f", ".1f", ".0f")))
    times = (end - start) / bare.wall
    click.echo(f"\n{number / (end - start):,.0f} records a second are read, in {times:.2f} times the bare decode;")
    click.echo(f"the reference adds {added.wall - without.wall:.1f} s and {(added.peak - without.peak) / 1e6:.0f} MB")


def _times(steps: Path, wanted: str) -> Iterator[tuple[float, float]]:
    """Start and end of the steps of this label."""
    for line in steps.read_text(encoding="utf-8").splitlines():
        start, end, label = line.split("\t")
        if label == wanted:
            yield float(start), float(end)


def _measured(command: list[str], folder: Path) -> Measured:
    measured = measure(command, folder / "log.txt")
    if measured.code:
        log = (folder / "log.txt").read_text(encoding="utf-8")
        raise click.ClickException(f"{' '.join(command[:4])}: exit code {measured.code}\n{log}")
    return measured


if __name__ == "__main__":
    main()
