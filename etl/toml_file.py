"""Read a TOML file that a person wrote: its content, or one clear line about what is wrong with it."""

import tomllib
from pathlib import Path
from typing import Any

from etl.errors import UsageError


def read_toml(path: Path, expected: str) -> tuple[dict[str, Any], bytes]:
    """The content of a TOML file, and its bytes; `expected` tells a person what such a file holds.

    Raises `UsageError` where the file cannot be read or is no TOML.
    """
    try:
        data = path.read_bytes()
        return tomllib.loads(data.decode("utf-8")), data
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the file and its permissions") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: not TOML ({error}); expected {expected}") from error
