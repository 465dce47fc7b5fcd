"""How much one export may ask for, and how many there may be.

In: Datasette's configuration of the plugin, `"plugins": {"paperledger_parquet": {"seconds": 10}}`. Out: `Limits`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datasette.app import Datasette

PLUGIN = "paperledger_parquet"
BUSY = 503
"""The status of an export that may come back later."""


@dataclass(frozen=True)
class Limits:
    """Limits of an export: seconds of SQL, rows, megabytes (MiB) of values; and how many run at once, and how many wait."""

    seconds: float = 20
    rows: int = 2_000_000
    megabytes: int = 512
    at_once: int = 2
    waiting: int = 8


def limits_of(datasette: "Datasette") -> Limits:
    """The limits that this Datasette is configured for."""
    return msgspec.convert(datasette.plugin_config(PLUGIN) or {}, Limits)


class Refused(Exception):
    """An export that is not to be had: a status of HTTP, and what to do instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
