"""A server over a release, as a person starts it: for tests and pictures of the site."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("paperledger")
READY = "Uvicorn running on "


@dataclass(frozen=True)
class Server:
    """A server that runs: its address, its process, and what it said until it was up."""

    address: str
    process: int
    said: str


@contextmanager
def serving(out: Path, *options: str) -> Iterator[Server]:
    """`paperledger serve` over the newest release of an output folder, at a free port unless the options name one."""
    command = [COMMAND, "serve", "--out", out, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if READY in line:
                break
        # Else its log would fill the pipe, and the server wait for a reader.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            assert said, "the server ended before it said anything"
            assert READY in said[-1], "the server ended before it was up"
            yield Server(said[-1].partition(READY)[2].split()[0], process.pid, "".join(said))
        finally:
            process.kill()
