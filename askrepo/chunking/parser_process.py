"""A process to parse in: grammars are native code, which a hostile text can crash or fill the memory with."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from askrepo.errors import StorageError

# Real files of up to 1 MB take 0.1 GB. What a text takes depends on it alone: it fails everywhere or nowhere. Time goes
# with it: at the end of a text that is none, python's grammar fills a GB in 17 s, and nothing stops it sooner.
MAX_MEMORY_BYTES = 512 * 1024**2
# The parser's own limits end it after seconds. This one only finds a grammar that hangs; it never decides a content.
MAX_SILENCE_S = 600.0
_ROOT = str(Path(__file__).parent.parent.parent)


class ParserProcess:
    """Answers requests, each a line, one after the other.

    The process starts with the first request, and is replaced when it died. A request that it died of is tried once
    more in a new one, so that what came before decides nothing.
    """

    def __init__(self, code: str) -> None:
        """:param code: what the process runs: a call of `serve`."""
        self._code = code
        self._child: subprocess.Popen[str] | None = None
        self._is_fresh = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def ask(self, request: str, *, name: str) -> str | None:
        """The line that answers; None when a new process died of this very request.

        :param name: of what the request is about, for messages.
        :raises StorageError: the process cannot be started, or somebody killed it.
        """
        answer = self._asked(request, name)
        if not answer and not self._is_fresh:
            self._stop()
            answer = self._asked(request, name)
        if not answer:
            self._stop()
            return None
        self._is_fresh = False
        return answer

    def _asked(self, request: str, name: str) -> str:
        """The answer; "" when the process died."""
        if self._child is None:
            self._child, self._is_fresh = _started(self._code), True
        child = self._child
        watch = threading.Timer(MAX_SILENCE_S, child.kill)
        watch.daemon = True
        watch.start()
        try:
            answer = _exchanged(child, request)
        finally:
            watch.cancel()
        if not answer and child.wait() in {-signal.SIGKILL, -signal.SIGTERM}:
            raise StorageError(
                f"the process that parses was killed at {name}, for want of memory or after {MAX_SILENCE_S:g} s: "
                "run again with more memory, or exclude the file"
            )
        return answer

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        child.wait()


def serve(answer: Callable[[str], str]) -> None:
    """Answer the lines of stdin until it ends, within bounded memory."""
    _limit_memory()
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        answers.write(answer(line) + "\n")
        answers.flush()


def _started(code: str) -> subprocess.Popen[str]:
    """A process of its own session: Ctrl-C is for us, and the end of its stdin ends it."""
    path = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        return subprocess.Popen(
            # -P: a folder in which somebody stands must not replace our modules.
            (sys.executable, "-P", "-c", code),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
            start_new_session=True,
        )
    except OSError as error:
        raise StorageError(f"cannot start a process to parse files in: {error}; run again") from error


def _exchanged(child: subprocess.Popen[str], request: str) -> str:
    """The line that answers; "" when the process ended."""
    if child.stdin is None or child.stdout is None:
        raise ValueError("the process was started without pipes")
    try:
        child.stdin.write(request + "\n")
        child.stdin.flush()
    except BrokenPipeError:
        return ""
    return child.stdout.readline()


def _limit_memory() -> None:
    """Bound what is allocated: a text that needs more ends the process."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MAX_MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
