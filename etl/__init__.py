"""paperledger turns saved researcher profile pages into a checked dataset of papers, from which each page can be rebuilt.

`from etl import build, check, open_release` is the interface for programs. Importing this package imports nothing else: what
it offers is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

from etl.version import __version__

if TYPE_CHECKING:
    from etl.api import OpenRelease, build, check, open_release

__all__ = ["OpenRelease", "__version__", "build", "check", "open_release"]

if not TYPE_CHECKING:
    from importlib import import_module

    def __getattr__(name: str) -> Any:
        """The functions of `etl.api`; hidden from type checkers, which would take any name for one of them."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("etl.api"), name)

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
