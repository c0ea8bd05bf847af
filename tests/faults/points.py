"""The moments at which a process can be hit: the calls of askrepo's functions, and what they do to disk and store.

Nothing in askrepo knows of them: they are seen through the interpreter's profiling hook, so that a new function is a
new moment by itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import askrepo

HOME = str(Path(askrepo.__file__).parent)
OBSTORE = frozenset({"put", "get", "list", "list_with_delimiter", "head", "delete"})
SYSTEM = frozenset({"open", "mkdir", "rmdir", "unlink", "rename", "replace", "fork_exec", "statvfs"})
PREPARATIONS = ("Text", "Int32", "Embedding")

Census = dict[str, dict[str, int]]
"""How often each point is reached, by task (without its number)."""


@dataclass(frozen=True)
class Moment:
    """One moment of a refresh.

    :ivar task: `clone`, `embed`, …
    :ivar point: a function of askrepo, or `!name` for an effect: a call that leaves Python.
    :ivar number: of the point's occurrences in that task, from 1.
    :ivar when: as it begins, as it ends, or a little after it began.
    """

    task: str
    point: str
    number: int
    when: str = "before"
    delay_s: float = 0.0


class Watcher:
    """Sees every point of this thread, counts it, and acts at one moment.

    :param act: what to do at the moment, such as `kill`.
    """

    def __init__(self, moment: Moment | None = None, act: Callable[[], None] | None = None) -> None:
        self.census: dict[str, Counter[str]] = {}
        self._moment = moment
        self._act = act
        self._names: dict[CodeType, str | None] = {}
        self._counts: Counter[str] = Counter()
        self._task = ""

    def start(self) -> None:
        sys.setprofile(self._profile)

    def stop(self) -> None:
        self.begin("")
        sys.setprofile(None)

    def begin(self, task: str) -> None:
        """From here on everything belongs to this task: `embed-3` counts on from `embed-2`.

        A moment of the task before that did not come, since how often git is waited for varies, comes now.
        """
        before, self._task = self._task, task.rpartition("-")[0] or task
        if self._moment is not None and before == self._moment.task != self._task:
            self._reached(self._moment)
        self._counts = self.census.setdefault(self._task, Counter())

    def _profile(self, frame: FrameType, event: str, function: Any) -> None:
        is_native = event in ("c_call", "c_return")
        point = effect(function) if is_native else self._own(frame.f_code)
        if point is None or event == "c_exception" or not self._task:
            return
        is_begin = event in ("call", "c_call")
        if is_begin:
            self._counts[point] += 1
        moment = self._moment
        if moment is None or (moment.task, moment.point) != (self._task, point):
            return
        if self._counts[point] == moment.number and is_begin == (moment.when != "after"):
            self._reached(moment)

    def _reached(self, moment: Moment) -> None:
        assert self._act is not None
        self._moment = None
        if moment.when == "during":
            threading.Thread(target=_later, args=(moment.delay_s, self._act), daemon=True).start()
        else:
            self._act()

    def _own(self, code: CodeType) -> str | None:
        """The name of a function of askrepo, None for any other."""
        if code not in self._names:
            own = code.co_filename.startswith(HOME) and not code.co_name.startswith("<")
            self._names[code] = f"{Path(code.co_filename).stem}.{code.co_qualname}" if own else None
        return self._names[code]


def effect(function: Any) -> str | None:
    """The name of a native function that touches the disk, the store or another process; None for any other."""
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", None) or ""
    if name in OBSTORE and not module and getattr(function, "__self__", None) is None:
        return f"!obstore.{name}"
    if module.startswith("deeplake") and name not in PREPARATIONS:
        return f"!deeplake.{name}"
    if name in SYSTEM and module in ("posix", "io", "_io", "_posixsubprocess"):
        return f"!{name}"
    return None


def kill() -> None:
    """End this process as `kill -9` and the kernel's out-of-memory killer do."""
    os.kill(os.getpid(), signal.SIGKILL)


def pause() -> None:
    """Stand still until somebody sends SIGCONT, as a machine that is suspended does."""
    os.kill(os.getpid(), signal.SIGSTOP)


def fill(disk: Path, room_bytes: int) -> None:
    """Fill the file system up to a little room; `disk/filler` is what to remove afterwards."""
    state = os.statvfs(disk)
    free = state.f_bavail * state.f_frsize
    with (disk / "filler").open("ab") as file:
        size = file.tell()
        if free > room_bytes:
            os.posix_fallocate(file.fileno(), size, free - room_bytes)


def _later(delay_s: float, act: Callable[[], None]) -> None:
    time.sleep(delay_s)
    act()
