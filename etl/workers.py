"""Run a function over batches, in this process or in several; the results come in the order of the batches."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def map_batches(function: Callable[[Batch], Result], batches: Sequence[Batch], workers: int) -> Iterator[Result]:
    """The function's result for each batch.

    >>> list(map_batches(len, ["a", "bb"], workers=1))
    [1, 2]
    """
    if workers == 1 or len(batches) < 2:
        yield from map(function, batches)
        return
    # Not forked: the threads of polars would not be there in the child, but their locks would.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(batches)), mp_context=context) as pool:
        yield from pool.map(function, batches)
