"""Engines run a function over batches: `embedded` in processes of this machine, `spark` in those of a cluster.

Stages know no engine: the pipeline gives their functions to one.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

import polars as pl

Batch = TypeVar("Batch")
Result = TypeVar("Result")
InFrames = Callable[[pl.DataFrame], pl.DataFrame]


class Engine(Protocol):
    """What runs functions over batches.

    Functions and batches are pickled. Where `takes_text` is False, batches name files, which each worker reads itself.
    """

    @property
    def takes_text(self) -> bool:
        """Whether batches may contain the text of pages."""

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """The function's result for each batch, in the order of the batches; its errors are raised here."""

    def shuffle_map(
        self, function: InFrames, rows: pl.DataFrame, key: str, parts: int, schema: pl.Schema
    ) -> pl.DataFrame:
        """The function's rows, of the schema and in any order, where all rows with one value of `key` are in one of `parts`.

        A part may have no row. The function's result must depend neither on the order of rows nor on what else is in a part.
        """
