"""Who may export now: a few at once, a few who wait, and nobody who has left.

In: work that takes a sign to stop. Out: its result, unless the client leaves first; then the work is told to stop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from io import BufferedRandom
from threading import BoundedSemaphore, Event
from typing import Any

from etl.site.parquet.limits import BUSY, Limits, Refused

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Work = Callable[[Event], BufferedRandom]


class Desk:
    """The threads of the exports, apart from those of Datasette's pages."""

    def __init__(self, limits: Limits) -> None:
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="parquet")
        self._places = BoundedSemaphore(limits.at_once + limits.waiting)

    async def run(self, work: Work, receive: Receive) -> BufferedRandom | None:
        """The file that the work makes, None where the client left; raises `Refused` where too many wait."""
        if not self._places.acquire(blocking=False):
            raise Refused(BUSY, "too many exports at once; try again in a few seconds")
        stop = Event()
        running = self._threads.submit(work, stop)
        running.add_done_callback(lambda _: self._places.release())
        result, left = asyncio.wrap_future(running), asyncio.ensure_future(_left(receive))
        both: set[asyncio.Future[Any]] = {result, left}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return result.result() if result.done() else None
        finally:
            stop.set()
            left.cancel()
            if not result.done():
                result.cancel()
                running.add_done_callback(_close)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _close(done: "Future[BufferedRandom]") -> None:
    """Close the file that nobody waits for."""
    if not done.cancelled() and not done.exception():
        done.result().close()
