"""A server over a release, as a person starts it: for tests and pictures of the site."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = Path(sys.executable).with_name("paperledger")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def serving(out: Path, *options: str) -> Iterator[str]:
    """The address of `paperledger serve` over the newest release of an output folder, while the block runs."""
    command = [COMMAND, "serve", "--out", out, "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:
        assert server.stderr
        try:
            yield next(match[0] for line in server.stderr if (match := ADDRESS.search(line)))
        finally:
            server.terminate()
