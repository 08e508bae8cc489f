"""Ctrl-C, where it must not break in two what is just being done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["ignore_interrupts", "interrupted_later"]


@contextmanager
def interrupted_later(*, second_breaks: bool = False) -> Iterator[list[bool]]:
    """What is done here is done whole: Ctrl-C comes when it is.

    Parameters
    ----------
    second_breaks : bool
        Whether who presses a second time need not wait.

    Yields
    ------
    list of bool
        Empty until Ctrl-C is pressed. Who has stopped for that reason clears it; then nothing comes in the end.
    """
    pressed: list[bool] = []
    if threading.current_thread() is not threading.main_thread():  # which alone gets Ctrl-C
        yield pressed
        return

    def note(number: int, frame: Any) -> None:
        if second_breaks and pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def ignore_interrupts(worker: int = 0) -> None:
    """In a process that works for another one: Ctrl-C reaches them all, and the first decides what it means."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
