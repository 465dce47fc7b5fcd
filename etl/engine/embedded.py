"""Run a function over batches, in this process or in several; the results come in the order of the batches.

Each worker has a pipe of its own and one batch at a time, so that no dying process leaves a shared queue locked or half
written: a worker that dies closes its pipe, and a parent that dies closes all of them, which ends the workers.
"""

import gc
import multiprocessing
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic

import polars as pl

from etl.engine import Batch, InFrames, Result
from etl.errors import WorkerDied

_PARTS = 4
"""The fewest parts of a second's work that are worth the second in which workers start."""


@dataclass(frozen=True)
class Processes:
    """The engine of one machine: so many worker processes, or this process alone where there is one batch or one worker.

    >>> list(Processes(1).map(len, ["a", "bb"]))
    [1, 2]
    """

    workers: int = 1
    takes_text: bool = True

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """As `map_batches`."""
        return map_batches(function, batches, self.workers)

    def shuffle_map(
        self, function: InFrames, rows: pl.DataFrame, key: str, parts: int, schema: pl.Schema
    ) -> pl.DataFrame:
        """As `etl.engine.Engine`; in this process where the parts are few.

        >>> frame = pl.DataFrame({"block": ["bell", "dole", "bell"]})
        >>> Processes().shuffle_map(lambda rows: rows.unique(), frame, "block", 2, frame.schema).height
        2
        """
        if self.workers == 1 or parts < _PARTS:
            return function(rows).match_to_schema(schema)
        part = pl.col(key).hash() % parts
        some = (rows.filter(part == number) for number in range(parts))
        return pl.concat([one.match_to_schema(schema) for one in self.map(function, some)])

    @contextmanager
    def beside(self, function: Callable[[Batch], Result]) -> Iterator[Callable[[Batch], Result]]:
        """The function in a process of its own, from start to end of the block.

        A thread may call it. Its errors are raised there, and `WorkerDied` where the system ends the process.

        >>> with Processes().beside(len) as length:
        ...     length("bb")
        2
        """
        with _started(function, 1) as (link,):
            yield partial(_ask, link)


def map_batches(function: Callable[[Batch], Result], batches: Iterable[Batch], workers: int) -> Iterator[Result]:
    """The function's result for each batch, which is taken when a worker is free; its errors are raised here.

    Raises `WorkerDied` where the system ends a worker. No worker outlives the iterator.

    >>> list(map_batches(len, ["a", "bb"], workers=1))
    [1, 2]
    """
    batches = iter(batches)
    first = list(islice(batches, workers))
    if len(first) < 2:
        yield from map(function, chain(first, batches))
        return
    with _started(function, len(first)) as links:
        yield from _Run[Batch, Result](chain(first, batches)).results(links)


class _Run(Generic[Batch, Result]):
    """Batches sent to workers, and results that are ahead of their turn."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._left = enumerate(batches)
        self._next = next(self._left, None)
        self._given: dict[Connection, int] = {}
        self._done: dict[int, Result] = {}

    def results(self, links: Sequence[Connection]) -> Iterator[Result]:
        """The results in order, from idle workers."""
        for link in links:
            self._give(link)
        turn = 0
        while self._given or self._done:
            while turn not in self._done:
                self._take()
            yield self._done.pop(turn)
            turn += 1

    def _give(self, link: Connection) -> None:
        """Send the next batch to an idle worker, and prepare another: one that sends its result would not read, a deadlock."""
        if self._next is not None:
            number, batch = self._next
            _send(link, batch)
            self._given[link] = number
            self._next = next(self._left, None)

    def _take(self) -> None:
        ready = set(wait(self._given))
        for link in [link for link in self._given if link in ready]:
            self._done[self._given.pop(link)] = _received(link)
            self._give(link)


def _ask(link: Connection, batch: Any) -> Any:
    """A worker's result for a batch."""
    _send(link, batch)
    return _received(link)


def _send(link: Connection, batch: Any) -> None:
    try:
        link.send(batch)
    except OSError as error:
        raise _died() from error


def _received(link: Connection) -> Any:
    """The result that a worker sends; raises its error."""
    try:
        result, error = link.recv()
    except (EOFError, OSError) as problem:
        raise _died() from problem
    if error:
        raise error
    return result


@contextmanager
def _started(function: Callable[[Any], Any], number: int) -> Iterator[list[Connection]]:
    """The pipes to that many workers, which end with the block."""
    # Not forked: the threads of polars would not be there in the child, but their locks would.
    context = multiprocessing.get_context("spawn")
    children, links = [], []
    try:
        with _interrupts_deferred():
            for _ in range(number):
                ours, theirs = context.Pipe()
                child = context.Process(target=_work, args=(theirs, function), daemon=True)
                child.start()
                theirs.close()
                children.append(child)
                links.append(ours)
        yield links
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.join()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Defer Ctrl-C, which reaches the whole process group, to the end of the block; processes started in it ignore it.

    The signal is masked, since children inherit that. Another thread may still receive it for this process, so the
    handler is deferred too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # The tracker unmasks the signal once it runs, and would otherwise be started by the first child.
    resource_tracker.ensure_running()
    caught: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if caught:
            signal.raise_signal(signal.SIGINT)


def _work(link: Connection, function: Callable[[Any], Any]) -> None:
    """Answer batches until the parent closes the pipe."""
    with rare_collection():
        try:
            while True:
                link.send(_answer(function, link.recv()))
        except (EOFError, OSError):
            return


@contextmanager
def rare_collection() -> Iterator[None]:
    """Look for cycles of objects seldom: a build makes millions of objects and hardly a cycle, and looking takes a fifth of resolving."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _answer(function: Callable[[Any], Any], batch: Any) -> tuple[Any, BaseException | None]:
    try:
        return function(batch), None
    except Exception as error:  # noqa: BLE001  any error is raised again in the parent
        trace = traceback.format_exc()
        error.add_note(f"In a worker process:\n{trace}")
        return None, error if _pickles(error) else RuntimeError(trace)


def _pickles(error: Exception) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except (pickle.PickleError, TypeError, AttributeError):
        return False
    return True


def _died() -> WorkerDied:
    return WorkerDied("a worker process died, perhaps for lack of memory; give fewer --workers, or free some memory")
