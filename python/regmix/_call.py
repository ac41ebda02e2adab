# SPDX-License-Identifier: Apache-2.0
"""Calls of the library that take a while.

Each runs on a thread of its own, without the interpreter's lock. The caller's thread waits for it:
it issues the warnings, shows the progress, and on Ctrl-C asks the library to stop.
"""

from __future__ import annotations

import _thread
import ctypes as c
import logging
import os
import sys
import threading
import time
import warnings
from queue import SimpleQueue
from typing import Any, Callable, Optional, Union

from ._errors import RegmixWarning, error_of
from ._library import MESSAGE, PART, PROGRESS, Err, Listener, lib
from ._words import in_python

#: What shows progress: None: on a terminal or in a notebook, after a second; True or False: always,
#: never; or a function ``(what, done, total, unit)``.
Progress = Union[None, bool, Callable[[str, float, float, str], Any]]

log = logging.getLogger("regmix")
_INTERRUPTED = 6  # RMX_EINTERRUPTED


class _Gate:
    """The calls that are under way. The library has one wish to stop for the whole process, so
    Ctrl-C ends all of them. The last one to end takes the wish back.

    Threads of this package alone take the lock: a thread of the user may get a Ctrl-C between
    taking a lock and knowing that it has it.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.running = 0
        self.stopping = False

    def enter(self, call: "_Call") -> bool:
        with self.changed:
            while self.stopping and self.running:
                self.changed.wait()
            if self.running == 0:  # a wish that came as its call ended is for no other call
                self.stopping = False
                lib.rmx_uninterrupt()
            if not call.unwanted:
                self.running += 1
                call.entered = True
            return call.entered

    def leave(self) -> None:
        with self.changed:
            self.running -= 1
            if self.running == 0:
                self.stopping = False
                lib.rmx_uninterrupt()
                self.changed.notify_all()

    def stop(self, call: "_Call") -> None:
        call.unwanted = True
        if call.entered and not call.ended:
            self.stopping = True
            lib.rmx_interrupt()

    def settle(self) -> None:
        """Takes back a wish that came as the last call ended."""
        if self.running == 0:
            self.stopping = False
            lib.rmx_uninterrupt()


_gate = _Gate()


def _after_fork() -> None:  # the threads of the parent are not in the child
    global _gate
    _gate = _Gate()
    lib.rmx_uninterrupt()


os.register_at_fork(after_in_child=_after_fork)


def _text(value: Optional[bytes]) -> str:
    return (value or b"").decode("utf-8", "replace")


class _Call:
    def __init__(self, function: Callable[[Any, Any], int], shown: Callable[[str], str]):
        self.function = function  # (listener, err) -> status; it keeps what it borrows alive
        self.shown = shown
        self.events: SimpleQueue = SimpleQueue()
        self.err = Err()
        self.status = 0
        self.started = self.unwanted = self.entered = self.ended = self.over = False
        self.trouble: Optional[BaseException] = None
        self.shown_at = 0.0
        put = self.events.put

        def progress(_: Any, what: Any, done: float, total: float, unit: Any, detail: Any) -> None:
            now = time.monotonic()
            if now - self.shown_at > 0.05 or done >= total:
                self.shown_at = now
                put(("progress", _text(what), done, total, _text(unit)))

        # the callbacks must live as long as the call
        self.listener = Listener(
            None,
            PROGRESS(progress),
            MESSAGE(lambda _, message: put(("note", _text(message)))),
            MESSAGE(lambda _, message: put(("warn", _text(message)))),
            PART(),
            MESSAGE(lambda _, message: put(("detail", _text(message)))),
        )

    def work(self) -> None:
        gate = _gate
        try:
            if gate.enter(self):
                try:
                    self.status = self.function(c.byref(self.listener), c.byref(self.err))
                finally:
                    self.ended = True
                    gate.leave()
            else:
                self.status = _INTERRUPTED
        except BaseException as why:  # a wrong argument: a bug of this package
            self.events.put(("failed", why))
        finally:
            self.over = True
            self.events.put(None)

    def start(self) -> None:
        self.started = True
        try:
            _thread.start_new_thread(self.work, ())
        except RuntimeError:  # no more threads
            self.over = True
            raise

    def refuse(self, why: BaseException) -> None:
        """Remembers what is to be raised at the end, and asks the work to stop."""
        self.trouble = self.trouble or why
        _gate.stop(self)


class _Line:
    """Progress as one line on stderr that is written over."""

    def __init__(self, wanted: Progress):
        self.wanted = wanted
        self.began = time.monotonic()
        self.width = 0
        if wanted is None and not (sys.stderr and sys.stderr.isatty()):
            self.wanted = None if "ipykernel" in sys.modules else False

    def show(self, what: str, done: float, total: float, unit: str) -> None:
        if callable(self.wanted):
            self.wanted(what, done, total, unit)
            return
        if self.wanted is False or not sys.stderr:
            return
        if self.wanted is None and time.monotonic() - self.began < 1:
            return
        share = f"{100 * done / total:3.0f} %" if total > 0 else ""
        line = f"{what}: {share} {done:g} of {total:g} {unit}".rstrip()
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)

    def clear(self) -> None:
        if self.width and sys.stderr:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()
            self.width = 0


def _caller() -> int:
    """The stack level of the code that called this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "regmix":
        frame, level = frame.f_back, level + 1
    return level


def _serve(this: _Call, line: _Line) -> None:
    """Shows what the work reports, until it is over."""
    if not this.started:
        this.start()
    while not (this.over and this.events.empty()):  # an interrupt may swallow the last event
        event = this.events.get()
        if event is None:
            continue
        if event[0] == "progress":
            line.show(*event[1:])
        elif event[0] == "warn":
            line.clear()
            warnings.warn(in_python(this.shown(event[1])), RegmixWarning, stacklevel=_caller())
        elif event[0] == "failed":
            this.trouble = this.trouble or event[1]
        else:
            level = logging.INFO if event[0] == "note" else logging.DEBUG
            log.log(level, "%s", in_python(this.shown(event[1])))


def _wait(this: _Call, line: _Line, depth: int) -> None:
    """Until the work is over, whatever is raised here meanwhile: Ctrl-C, a warning that is an
    error, an error of `progress`. A Ctrl-C may come while another one is handled, which the level
    above catches."""
    while True:
        try:
            if depth:
                _wait(this, line, depth - 1)
            else:
                _serve(this, line)
            return
        except BaseException as why:
            this.refuse(why)


def call(
    function: Callable[[Any, Any], int],
    progress: Progress = None,
    shown: Callable[[str], str] = str,
) -> None:
    """Calls ``function(listener, err)`` and raises what it reports. ``shown(text)`` is what of a
    warning or a note is shown."""
    this = _Call(function, shown)
    line = _Line(progress)
    _wait(this, line, 2)
    if this.unwanted:
        _gate.settle()
    line.clear()
    if this.trouble:
        raise this.trouble
    if this.status:
        raise error_of(this.status, this.err)


def check(status: int, err: Err) -> None:
    """Raises what a quick function reports."""
    if status:
        raise error_of(status, err)
