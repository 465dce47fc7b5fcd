"""What is said of a release, or of results, that another version of the schema made. Its words are the same everywhere."""

from etl import __version__
from etl.errors import UsageError
from schemas.version import SCHEMA_VERSION

FIRST_VERSION = 1
"""The version of what names none."""


def require_schema_version(place: object, found: object, tool: object) -> None:
    """See that what stands at `place` has this version's schema; `tool` is the paperledger that it says it was made by.

    Raises `UsageError` where it has another one.

    >>> require_schema_version("build", SCHEMA_VERSION, "0.1.0")
    """
    if found != SCHEMA_VERSION:
        raise UsageError(
            f"{place}: found schema version {found}, expected version {SCHEMA_VERSION}, that of paperledger {__version__};"
            f" build it again with this version, or use the paperledger that made it ({tool})"
        )
