"""What a command and all its descendants take: wall and CPU seconds, and peak memory. Linux only.

The measuring process becomes the subreaper of all that it starts: whoever loses its parent (a forkserver and its children
too) becomes its child. So a walk of /proc from parents to children finds all of them, and CPU seconds are exact: those that wait4 reports
of every child reaped here, in which each child's own reaped children are counted. Memory is the sum of Pss, in which a
page that several processes share counts once. A sample reads page tables, which slows the measured processes: one is taken
every 50 ms, or if it takes more than 5 ms of CPU, ten times as long as it takes after the last.
"""

import ctypes
import os
import select
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

INTERVAL = 0.05
SPARSELY = 10
GRACE = 10.0
"""Seconds in which what a command left behind must have ended."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Sample:
    """CPU seconds used so far, and memory in bytes, of all processes at a moment of the monotonic clock."""

    at: float
    cpu: float
    memory: int


@dataclass(frozen=True)
class Reaped:
    """A child that has ended: its exit code, and the CPU seconds of it and of the children that it reaped."""

    pid: int
    code: int
    cpu: float


@dataclass(frozen=True)
class Measured:
    """Wall and CPU seconds of a command, its exit code, and the samples taken while it ran, at least one."""

    wall: float
    cpu: float
    code: int
    samples: Sequence[Sample]

    @property
    def peak(self) -> int:
        """The most memory, in bytes, that all processes had together."""
        return max(sample.memory for sample in self.samples)

    def between(self, start: float, end: float) -> tuple[float, int]:
        """CPU seconds and peak memory between two moments, as precise as the samples are near."""
        before = [sample for sample in self.samples if sample.at <= start] or self.samples[:1]
        within = [sample for sample in self.samples if start < sample.at <= end] or before[-1:]
        return within[-1].cpu - before[-1].cpu, max(sample.memory for sample in within)


def measure(command: Sequence[str], log: Path) -> Measured:
    """Run a command with its output in `log`; raises where it leaves processes behind."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start = time.monotonic()
    writing = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[writing, (os.POSIX_SPAWN_DUP2, 1, 2)])
    reaped: list[Reaped] = []
    samples = [Sample(start, 0.0, 0)]
    with os.fdopen(os.pidfd_open(pid), "rb", 0) as ended:
        pause = 0.0
        while not select.select([ended], [], [], pause)[0]:
            begin = time.thread_time()
            reaped += _reap()
            samples.append(_sample(reaped))
            pause = max(INTERVAL, SPARSELY * (time.thread_time() - begin))
    end = time.monotonic()
    while left := [*_family()]:
        if time.monotonic() > end + GRACE:
            raise click.ClickException(f"{command[0]}: found processes left behind {left}, expected none")
        time.sleep(INTERVAL / 10)
        reaped += _reap()
    cpu = sum(child.cpu for child in reaped)
    code = next(child.code for child in reaped if child.pid == pid)
    return Measured(end - start, cpu, code, (*samples, Sample(end, cpu, 0)))


def _reap() -> Iterator[Reaped]:
    """Every child that has ended."""
    with suppress(ChildProcessError):
        while (ended := os.wait4(-1, os.WNOHANG))[0]:
            pid, status, usage = ended
            yield Reaped(pid, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)


def _sample(reaped: Sequence[Reaped]) -> Sample:
    processes = _family()
    cpu = sum(child.cpu for child in reaped) + sum(processes.values())
    return Sample(time.monotonic(), cpu, sum(map(_memory, processes)))


def _family() -> dict[int, float]:
    """The ids of all descendants, with the CPU seconds of each and of its own reaped children."""
    found: dict[int, float] = {}
    waiting = _children(os.getpid())
    while waiting:
        process = waiting.pop()
        with suppress(OSError):  # it has just ended
            stat = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
            found[process] = sum(map(int, stat[11:15])) / _TICKS
            waiting += _children(process)
    return found


def _children(process: int) -> list[int]:
    """The ids of the children that each of a process's threads started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_bytes().split()]


def _memory(process: int) -> int:
    """The proportional set size of a process, in bytes; 0 where it has just ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0
