"""Batches that several processes work on: results in order, errors as they are, and no process left behind."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from etl.engine.embedded import Processes, map_batches
from etl.errors import PageError, WorkerDied


class NoPickle(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def slowest_first(number: int) -> tuple[int, int]:
    time.sleep(0.05 * max(0, 3 - number))
    return number, os.getpid()


def fails(number: int) -> int:
    if number == 1:
        raise PageError("a.txt", "empty file", 7)
    return number


def fails_in_its_own_way(_: int) -> None:
    raise NoPickle("no ", "way")


def dies(number: int) -> bytes:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return bytes(1 << 20)


def waits(_: int) -> None:
    time.sleep(60)


def interrupts_its_parents_group(number: int) -> int:
    os.kill(os.getppid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
    return number


def test_results_come_in_the_order_of_the_batches_whoever_is_first() -> None:
    results = list(map_batches(slowest_first, range(8), workers=3))
    assert [number for number, _ in results] == list(range(8))
    assert len({process for _, process in results} - {os.getpid()}) > 1
    assert multiprocessing.active_children() == []


def each_whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Each block, its number of rows, and the process that has them."""
    return rows.group_by("block").agg(pl.len().cast(pl.Int64)).with_columns(pl.lit(os.getpid()).alias("process"))


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("parts", [1, 5, 40])
def test_all_rows_of_a_block_are_in_one_place_and_several_processes_share_many_parts(workers: int, parts: int) -> None:
    rows = pl.DataFrame({"block": [f"block {row % 17}" for row in range(170)]})
    schema = pl.Schema({"block": pl.String(), "len": pl.Int64(), "process": pl.Int32()})
    found = Processes(workers).shuffle_map(each_whole, rows, "block", parts, schema)
    assert sorted(found.select("block", "len").rows()) == sorted((f"block {number}", 10) for number in range(17))
    assert (set(found["process"]) == {os.getpid()}) == (workers == 1 or parts == 1)


def test_an_error_is_raised_as_it_is() -> None:
    with pytest.raises(PageError) as error:
        list(map_batches(fails, range(3), workers=2))
    assert (error.value.source, error.value.problem, error.value.line) == ("a.txt", "empty file", 7)
    assert multiprocessing.active_children() == []


def test_an_error_that_does_not_pickle_is_told_with_its_trace() -> None:
    with pytest.raises(RuntimeError, match=r"NoPickle: no way"):
        list(map_batches(fails_in_its_own_way, range(3), workers=2))


def test_a_worker_that_the_system_ends_is_told_in_one_line() -> None:
    with pytest.raises(WorkerDied, match=r"a worker process died, perhaps for lack of memory; give fewer --workers"):
        list(map_batches(dies, range(4), workers=2))
    assert multiprocessing.active_children() == []


def test_batches_and_results_larger_than_a_pipe_holds_pass() -> None:
    batches = [[b"bell" * 500_000] * 2] * 5
    assert list(map_batches(list, batches, workers=2)) == batches


def test_a_caller_that_stops_early_leaves_no_worker_behind() -> None:
    results = map_batches(slowest_first, range(8), workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_ctrl_c_ends_workers_at_their_work_and_none_of_them_sees_it() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(map_batches(interrupts_its_parents_group, range(4), workers=2))
    assert multiprocessing.active_children() == []
    assert time.monotonic() - started < 5


def test_ctrl_c_while_workers_start_is_heard_once_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    launch = multiprocessing.get_context("spawn").Process.start

    def start(process: multiprocessing.Process) -> None:
        signal.raise_signal(signal.SIGINT)
        launch(process)  # type: ignore[arg-type]
        started.append(process.pid)

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", start)
    with pytest.raises(KeyboardInterrupt):
        list(map_batches(waits, range(2), workers=2))
    assert len(started) == 2
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
