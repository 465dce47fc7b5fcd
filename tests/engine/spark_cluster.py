"""Spark on this machine, for tests: a standalone master with two workers, a Connect server, and commands that use them.

What a test starts has a mark in its environment, as has all that this starts in turn. By the mark it is found, and ended.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

COMMAND = Path(sys.executable).with_name("paperledger")
EXECUTOR = "CoarseGrainedExecutorBackend"
PYTHON_WORKER = "pyspark.daemon"
LONGEST = 120
"""Seconds in which what is waited for comes, however much else the machine does."""
_DEPLOY = "org.apache.spark.deploy"
_CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
_ELSEWHERE = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs "$0" && exec "$@"')
_MARK = "PAPERLEDGER_TESTS"
_ENVIRONMENT = os.environ | {
    "PYSPARK_PYTHON": sys.executable,
    "SPARK_LOCAL_IP": "127.0.0.1",
    # Java that ends soon takes half the time where it compiles little.
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
"""As it was before tests/conftest.py hid pandas, without which there is no Spark Connect."""
Found = TypeVar("Found")


def java_version() -> int:
    """The version of the Java that Spark would start, or 0 without one."""
    java = shutil.which("java", path=f"{os.environ['JAVA_HOME']}/bin" if os.environ.get("JAVA_HOME") else None)
    if java is None:
        return 0
    printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    number = re.search(r'version "(\d+)', printed)
    return int(number[1]) if number else 0


def may_hide_folders() -> bool:
    """Whether a process may be started for which a folder is another one."""
    asked = (*_ELSEWHERE, "/mnt", "true")
    return bool(shutil.which("unshare")) and subprocess.run(asked, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class Process:
    """A process of this machine."""

    pid: int

    @property
    def command(self) -> str:
        return self._read("cmdline").replace("\0", " ")

    @property
    def parent(self) -> "Process":
        return Process(int(self._stat[1]))

    @property
    def cpu_seconds(self) -> float:
        return (int(self._stat[11]) + int(self._stat[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def mark(self) -> str:
        return dict(entry.split("=", 1) for entry in self._read("environ").split("\0") if "=" in entry).get(_MARK, "")

    def has_open(self, pattern: str) -> bool:
        """Whether it has a file open whose path the pattern is found in."""
        return any(re.search(pattern, str(link.readlink())) for link in Path(f"/proc/{self.pid}/fd").iterdir())

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    @property
    def _stat(self) -> list[str]:
        return self._read("stat").rpartition(")")[2].split()

    def _read(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Marked:
    """The processes that are started here and all that these start; `log` is a file of what they print."""

    log: Path
    mark: str = field(default_factory=lambda: uuid4().hex)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                list(map(str, command)),
                env=_ENVIRONMENT | environment | {_MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def start_spark(self, script: str, *options: str | Path, before: Sequence[str | Path] = ()) -> None:
        """Start one of Spark's scripts, with the words of another command before it."""
        (home,) = find_spec("pyspark").submodule_search_locations  # type: ignore[union-attr]
        self.start(*before, Path(home) / "bin" / script, *options)

    @property
    def printed(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def living(self, word: str = "") -> list[Process]:
        """The processes that run and whose command contains this word."""
        pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        return _those(map(Process, pids), lambda one: one.mark == self.mark and word in one.command)

    def python_workers(self) -> list[Process]:
        """Python processes that work for executors, without those that start them."""
        return _those(self.living(PYTHON_WORKER), lambda one: PYTHON_WORKER in one.parent.command)

    def first(self, among: Callable[[], list[Process]], that: Callable[[Process], bool]) -> Process:
        """The first process for which a condition holds."""
        return self.until(lambda: next(iter(_those(among(), that)), None))

    def until(self, there: Callable[[], Found | None]) -> Found:
        """What is waited for; fails where it does not come, or a command ends before."""
        ends = time.monotonic() + LONGEST
        while not (found := there()):
            assert time.monotonic() < ends, f"waited for {LONGEST} s; {self.printed[-2000:]}"
            assert all(one.poll() is None for one in self.started), self.printed[-2000:]
            time.sleep(0.005)
        return found

    def end(self) -> None:
        """End all of them."""
        while found := self.living():
            _those(found, Process.kill)
            time.sleep(0.01)
        for one in self.started:
            one.wait()


def _those(among: Iterable[Process], that: Callable[[Process], bool | None]) -> list[Process]:
    """The processes for which a condition holds; it may read of one that has ended."""
    found = []
    for process in among:
        with suppress(OSError, IndexError):
            if that(process):
                found.append(process)
    return found


@contextmanager
def marked(log: Path) -> Iterator[Marked]:
    """Processes that end with the block, whatever happens."""
    processes = Marked(log)
    try:
        yield processes
    finally:
        processes.end()


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[tuple[str, Marked]]:
    """A master and two workers of a core each: the master's address, and the processes, executors among them."""
    local = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    with marked(folder / "cluster.log") as cluster:
        cluster.start_spark("spark-class", f"{_DEPLOY}.master.Master", *local)
        address = cluster.until(lambda: re.search(r"spark://[\d.:]+", cluster.printed))[0]
        for number in range(2):
            options = (*local, "--cores", "1", "--memory", "1g", "--work-dir", folder / f"worker-{number}")
            cluster.start_spark("spark-class", f"{_DEPLOY}.worker.Worker", *options, address)
        cluster.until(lambda: cluster.printed.count("Registering worker ") == 2)
        yield address, cluster


@contextmanager
def connect_server(folder: Path, hidden: Path | None = None) -> Iterator[str]:
    """The address of a Spark Connect server with two cores, for which a folder is another one, as on another machine."""
    settings = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": "0"}
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    with marked(folder / "connect.log") as server:
        asked = ("--class", _CONNECT, "--master", "local[2]", *options, "spark-internal")
        server.start_spark("spark-submit", *asked, before=(*_ELSEWHERE, hidden) if hidden else ())
        port = server.until(lambda: re.search(r"Spark Connect server started at: \S+:(\d+)", server.printed))[1]
        yield f"sc://127.0.0.1:{port}"


def run(*command: str | Path, log: Path) -> int:
    """The exit code of a command."""
    with marked(log) as driver:
        return driver.start(*command).wait()
