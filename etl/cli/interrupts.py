"""Ctrl-C: one line, exit code 130, and soon. Imported before all else, so it imports nothing that takes time.

A KeyboardInterrupt can come up in places where it is lost or ends in a traceback: in a library's start, in a finalizer.
So the process that the command owns ends at once, without one, as long as it has nothing to clear away.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

from etl.errors import Exit, Interrupted

GRACE = 0.5
"""Seconds that clearing away may take."""
NOTHING = "interrupted; nothing was published"
_SHOW_CURSOR = "\x1b[?25h"
"""A progress bar hides a terminal's cursor."""


def _nothing() -> str:
    return NOTHING


def leave_at_once(words: Callable[[], str] = _nothing) -> None:
    """From now on Ctrl-C ends the process with these words; nothing changes where something else takes care of it."""
    if _is_main_thread() and _is_replaceable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, partial(_leave, words))


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Ctrl-C ends the process while the block runs."""
    before = signal.getsignal(signal.SIGINT)
    leave_at_once()
    try:
        yield
    finally:
        if _is_main_thread() and before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def clearing_away(words: Callable[[], str] = _nothing) -> Iterator[None]:
    """Ctrl-C raises `KeyboardInterrupt` in the block, which comes out as `Interrupted` with these words.

    Where the block does not end soon, be it in a long computation or because the exception was lost, the process does.
    Only in a process that is to leave at once otherwise; elsewhere the exception passes as it is.
    """
    if not (_is_main_thread() and _leaves(signal.getsignal(signal.SIGINT))):
        yield
        return
    caught: list[int] = []
    with _watched(words):
        signal.signal(signal.SIGINT, partial(_interrupt, caught))
        try:
            yield
        except BaseException as error:
            # What a library makes of the interrupt, or what fails since it came, is no error of its own.
            if caught:
                raise Interrupted(words()) from error
            raise
        else:
            if caught:
                raise Interrupted(words())
        finally:
            if not caught:
                signal.signal(signal.SIGINT, partial(_leave, words))


def _interrupt(caught: list[int], number: int, _: object) -> NoReturn:
    """Once is enough: who presses Ctrl-C again would disturb the clearing away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.unraisablehook = lambda _: None
    caught.append(number)
    raise KeyboardInterrupt


@contextmanager
def _watched(words: Callable[[], str]) -> Iterator[None]:
    """A thread learns of Ctrl-C from the system itself, whatever this one is at, and ends the process when time is up."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    over = threading.Event()
    threading.Thread(target=_watch, args=(reader, over, words), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(-1)
        os.close(writer)


def _watch(reader: int, over: threading.Event, words: Callable[[], str]) -> None:
    while told := os.read(reader, 1):
        if told[0] == signal.SIGINT and not over.wait(GRACE):
            _leave(words)
    os.close(reader)


def _leave(words: Callable[[], str], *_: object) -> NoReturn:
    cursor = _SHOW_CURSOR if os.isatty(2) else ""
    with suppress(OSError):
        os.write(2, f"{cursor}paperledger: {words()}\n".encode())
    if "multiprocessing" in sys.modules:
        for child in sys.modules["multiprocessing"].active_children():
            child.kill()
            child.join(GRACE)
    os._exit(Exit.INTERRUPTED)


def _leaves(handler: object) -> bool:
    return isinstance(handler, partial) and handler.func is _leave


def _is_replaceable(handler: object) -> bool:
    return handler is signal.default_int_handler or _leaves(handler)


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
