"""Ctrl-C: one line and exit code 130, immediately. Imported before all other modules, so it imports nothing slow.

A KeyboardInterrupt can be lost or end in a traceback: during the import of a library, in a finalizer. So the process of the
command exits immediately, without raising one, while it has nothing to clean up.
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
"""Seconds that cleaning up may take."""
NOTHING = "interrupted; nothing was published"
_SHOW_CURSOR = "\x1b[?25h"
"""A progress bar hides a terminal's cursor."""


def _nothing() -> str:
    return NOTHING


def leave_at_once(words: Callable[[], str] = _nothing) -> None:
    """Make Ctrl-C print these words and exit; nothing changes if another handler is installed."""
    if _is_main_thread() and _is_replaceable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, partial(_leave, words))


@contextmanager
def leaving_at_once() -> Iterator[None]:
    """Make Ctrl-C exit while the block runs."""
    before = signal.getsignal(signal.SIGINT)
    leave_at_once()
    try:
        yield
    finally:
        if _is_main_thread() and before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def clearing_away(words: Callable[[], str] = _nothing) -> Iterator[None]:
    """Make Ctrl-C raise `KeyboardInterrupt` in the block, and raise `Interrupted` with these words from it.

    If the block does not end within `GRACE` seconds (a long computation, or a lost exception), the process exits. Has no
    effect without a previous `leave_at_once`.
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
            # After an interrupt every other error is a consequence of it.
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
    """Raise `KeyboardInterrupt`, and ignore further ones, which would interrupt cleaning up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.unraisablehook = lambda _: None
    caught.append(number)
    raise KeyboardInterrupt


@contextmanager
def _watched(words: Callable[[], str]) -> Iterator[None]:
    """Start a thread that gets Ctrl-C through a pipe, whatever this thread does, and exits when the time is up."""
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
    while number := os.read(reader, 1):
        if number[0] == signal.SIGINT and not over.wait(GRACE):
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
