"""Run a model's checks over a frame of any size, batch by batch, and say which rows fail which.

pandera checks values only on eager frames, and exact rows stand only in each error's `check_output`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from schemas import Table
from schemas.limits import ROWS_PER_BATCH


@dataclass(frozen=True)
class Failure:
    """A check that rows of a frame fail: its column and name, and the rows by their index in the frame.

    Where the frame's shape is wrong (a column missing, of another type) there is no column and no row.
    """

    column: str | None
    check: str
    rows: tuple[int, ...]


def failures(model: type[Table], frame: pl.DataFrame) -> Iterator[Failure]:
    """Every check of the model that the frame fails.

    >>> from schemas import Institutions
    >>> list(failures(Institutions, Institutions.frame([("mila", "mila"), ("M!", "M!")])))
    [Failure(column='institution_id', check='str_matches', rows=(1,))]
    """
    schema = model.to_schema()
    for start in range(0, max(len(frame), 1), ROWS_PER_BATCH):
        try:
            schema.validate(frame.slice(start, ROWS_PER_BATCH), lazy=True)
        except SchemaErrors as errors:
            for error in errors.schema_errors:
                yield _failure(error, start)


def _failure(error: SchemaError, start: int) -> Failure:
    check = getattr(error.check, "name", None) or str(error.check)
    if error.column_name is None or not isinstance(error.check_output, pl.DataFrame):
        return Failure(None, f"{check}: {error}", ())
    passed = error.check_output.to_series()
    rows = (~passed.fill_null(value=True)).arg_true() + start
    return Failure(error.column_name, check, tuple(rows.to_list()))
