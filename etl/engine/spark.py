"""The engine of a cluster: Apache Spark 4 runs a function over batches, and writes folders of Parquet files.

In: batches that name files which every worker can read; Arrow files. Out: results in the order of the batches; Parquet files.
Only the DataFrame API is used, so that Spark Connect does too. Batches and results are files in a folder that the driver and
all workers share. Each batch is one task, and Spark commits the output of one attempt: one that is lost with its worker, its
executor or its machine changes nothing.
"""

import logging
import os
import pickle
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from etl.engine import Batch, InFrames, Result
from etl.errors import UsageError, WorkerDied, in_words

_RESULTS = pa.schema([pa.field("result", pa.binary(), nullable=False)])
_ARROW_BYTES = 64 << 20
"""Bytes of the rows that Spark passes to a worker's Python process at once, but for a larger row."""
_FILES = "part-*.parquet"
_PARTS = 4
"""The fewest parts of a shuffle, so that several workers share them."""
_FUNCTION = "function"
SHARED = "the driver and all workers must have this folder at the same path"
_PORTS = {"spark": 7077, "sc": 15002}
"""The port of an address without one, for addresses of a host."""
_ANSWER_SECONDS = 10
Rows = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Spark:
    """A Spark session, and a folder that its driver and all its workers can read and write."""

    session: SparkSession
    shared: Path
    takes_text: bool = False

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """The function's result for each batch, in the order of the batches.

        Raises `WorkerDied` where the job fails after Spark's own retries.
        """
        folder = Path(mkdtemp(prefix="map-", dir=self.shared))
        number = _write_batches(folder, batches)
        # A file too: with what it is given it may have more bytes than Spark takes as a function.
        (folder / _FUNCTION).write_bytes(pickle.dumps(function))
        for path in self._tasks(folder / "results", partial(_apply, folder), number, _RESULTS):
            (row,) = pq.read_table(path).to_pylist()
            path.unlink()
            yield pickle.loads(row["result"])  # noqa: S301  our own bytes

    def shuffle_map(
        self, function: InFrames, rows: pl.DataFrame, key: str, parts: int, schema: pl.Schema
    ) -> pl.DataFrame:
        """As `etl.engine.Engine`; raises `WorkerDied` as `map` does."""
        folder = Path(mkdtemp(prefix="shuffle-", dir=self.shared))
        (folder / _FUNCTION).write_bytes(pickle.dumps((function, rows.schema)))
        rows.write_parquet(folder / "rows.parquet")
        made, found = from_arrow_schema(pl.DataFrame(schema=schema).to_arrow().schema), folder / "results"
        with _failures_reported():
            shuffled = self.session.read.parquet((folder / "rows.parquet").as_uri()).repartition(
                max(parts, _PARTS), key
            )
            shuffled.mapInArrow(partial(_in_frames, folder, to_arrow_schema(made)), made).write.parquet(found.as_uri())
        frames = [pl.read_parquet(path) for path in sorted(found.glob(_FILES))]
        rmtree(folder)
        return pl.concat([pl.DataFrame(schema=schema), *frames])

    def write(self, folder: Path, schema: pa.Schema, files: Sequence[Path]) -> Sequence[Path]:
        """Write the rows of Arrow files into a new folder, each a Parquet file; returns these in the order of the files."""
        return self._tasks(folder.absolute(), partial(_read, [path.absolute() for path in files]), len(files), schema)

    def _tasks(self, folder: Path, rows: Callable[[int], Rows], number: int, schema: pa.Schema) -> Sequence[Path]:
        """Run a task for each of so many numbers, and write its rows into a new folder, a file for each number."""
        if not number:
            return []
        with _failures_reported():
            tasks = self.session.range(0, number, 1, number)
            made = tasks.mapInArrow(partial(_rows_of, rows), from_arrow_schema(schema))
            made.write.mode("error").option("compression", "zstd").parquet(folder.as_uri())
        found = sorted(folder.glob(_FILES), key=_number_of)
        if len(found) != number:
            raise WorkerDied(f"{folder}: found {len(found):,} of {number:,} results; {SHARED}")
        return found


@contextmanager
def spark_engine(shared: Path, master: str | None = None, remote: str | None = None) -> Iterator[Spark]:
    """An engine on a master's cluster, on a Spark Connect server (`remote`), or on what Spark's own settings name.

    A session that runs already, as in a notebook, is used and not stopped. Raises `UsageError` where Spark cannot be started.
    """
    _require_answer(remote or master or "")
    before = SparkSession.getActiveSession()
    # Workers run the Python of this process, unless Spark's settings name another.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("paperledger").config("spark.ui.showConsoleProgress", "false")
    if remote:
        builder = SparkSession.builder.remote(remote)
    elif master:
        builder = builder.master(master)
    with warnings.catch_warnings(), _no_traces():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        session = _started(builder, remote or master)
        try:
            session.conf.set("spark.sql.execution.arrow.maxBytesPerBatch", str(_ARROW_BYTES))
            yield Spark(session, shared.absolute())
        finally:
            if before is None:
                session.stop()


def _require_answer(address: str) -> None:
    """Raise `UsageError` where no host of an address answers: Spark would try for a minute, Spark Connect for an hour."""
    for place in (places := _places(address)):
        try:
            socket.create_connection(place, _ANSWER_SECONDS).close()
        except OSError as error:
            if place == places[-1]:
                problem = f"cannot be reached ({in_words(error)}); see whether it runs, and the address"
                raise UsageError(f"Spark at {address}: {problem}") from error
        else:
            return


def _places(address: str) -> list[tuple[str, int]]:
    """The hosts and ports of an address, if it has any.

    >>> _places("spark://ann:7077,bell:7078"), _places("sc://cy/;token=x"), _places("local[4]")
    ([('ann', 7077), ('bell', 7078)], [('cy', 15002)], [])
    """
    scheme, _, rest = address.partition("://")
    hosts = [urlsplit(f"//{host}") for host in rest.partition("/")[0].split(",")]
    return [(host.hostname or "", host.port or _PORTS[scheme]) for host in hosts if scheme in _PORTS]


@contextmanager
def _no_traces() -> Iterator[None]:
    """Keep py4j from printing the traceback of an interrupt, as it does where logging is not set up."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _started(builder: Any, address: str | None) -> SparkSession:
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        session: SparkSession = builder.getOrCreate()
        if threading.current_thread() is threading.main_thread():
            # Not pyspark's handler, which calls the JVM in the middle of another call.
            signal.signal(signal.SIGINT, interrupted)
        session.range(1).collect()
    except (PySparkException, Py4JError, RuntimeError, OSError) as error:
        place = f"Spark at {address}" if address else "Spark"
        raise UsageError(
            f"{place}: cannot be started ({in_words(error) if isinstance(error, OSError) else _cause(str(error))}); see whether Java 17 or newer is installed, and the address"
        ) from error
    return session


@contextmanager
def _failures_reported() -> Iterator[None]:
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise WorkerDied(f"Spark: the job failed ({_cause(str(error))}); see its log, and build again") from error


def _cause(message: str) -> str:
    r"""The first line of Spark's message, or of the error in a worker that it quotes.

    >>> _cause("Job aborted.\n  File x\nModuleNotFoundError: No module named 'etl'\n")
    "ModuleNotFoundError: No module named 'etl'"
    >>> _cause("An error occurred.\n: org.apache.spark.SparkException: Could not parse Master URL\n\tat a.b")
    'org.apache.spark.SparkException: Could not parse Master URL'
    """
    lines = [line.strip().removeprefix(": ") for line in message.split("\n") if line.strip()]
    errors = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    return (errors or lines or ["no message"])[-1 if errors else 0]


def _write_batches(folder: Path, batches: Iterable[Batch]) -> int:
    """Write each batch to a file, and return how many there are."""
    number = 0
    for batch in batches:
        _batch_path(folder, number).write_bytes(pickle.dumps(batch))
        number += 1
    return number


def _batch_path(folder: Path, number: int) -> Path:
    return folder / f"batch-{number}"


def _rows_of(rows: Callable[[int], Rows], tasks: Rows) -> Rows:
    """The rows of each task's number, in a worker."""
    for task in tasks:
        for number in task["id"].to_numpy():
            yield from rows(int(number))


def _apply(folder: Path, number: int) -> Rows:
    try:
        function = _unpickled(folder / _FUNCTION)
        batch = pickle.loads(_batch_path(folder, number).read_bytes())  # noqa: S301  our own bytes
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{folder}: not found by a worker; {SHARED}") from error
    yield pa.RecordBatch.from_pydict({"result": [pickle.dumps(function(batch))]}, _RESULTS)


@lru_cache(maxsize=1)
def _unpickled(path: Path) -> Any:
    """What a file contains; a worker reads one function for many batches."""
    return pickle.loads(path.read_bytes())  # noqa: S301  our own bytes


def _in_frames(folder: Path, schema: pa.Schema, rows: Rows) -> Rows:
    """The rows that the function makes of all rows of a part, in a worker."""
    some = list(rows)
    if some:
        function, columns = _unpickled(folder / _FUNCTION)
        # Spark has no unsigned numbers.
        part = pl.DataFrame(pl.from_arrow(pa.Table.from_batches(some))).cast(columns)
        yield from function(part).to_arrow().cast(schema).to_batches()


def _read(files: Sequence[Path], number: int) -> Rows:
    with pa.ipc.open_file(str(files[number])) as file:
        yield from map(file.get_batch, range(file.num_record_batches))


def _number_of(part: Path) -> int:
    """The number of the task that wrote a file.

    >>> _number_of(Path("part-00012-6a1c-c000.zstd.parquet"))
    12
    """
    return int(part.name.split("-")[1])
