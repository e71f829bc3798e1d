"""A process beside the run for verifiers that may hang, die, or evaluate what a model wrote."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from shutil import which
from threading import Lock, Thread
from typing import TypeAlias
from weakref import finalize

from sharpen.core.errors import WorkerDied
from sharpen.core.records import Json

Reply: TypeAlias = dict[str, Json]

TIMED_OUT: Reply = {"failed": "timed out"}
DIED: Reply = {"failed": "the verifier died on it"}
_ROOT = str(Path(__file__).parents[2])
_PROGRAM = f"import sys; sys.path.insert(0, {_ROOT!r}); from sharpen.tasks.verify_worker import serve; serve()"


class Worker:
    """One process that answers JSON lines; started when first asked, killed when late, started again when needed.

    hello: what every new process is told first. It is a wall of time and crashes, not a sandbox: the process has the
    rights of the user. Any thread may ask; one question is answered at a time.
    """

    def __init__(self, hello: Mapping[str, Json] | None = None, deaths: int = 3, patience: float = 300.0) -> None:
        self._hello = hello
        self._most_deaths = deaths
        self._patience = patience
        self._deaths = 0
        self._line: _Line | None = None
        self._lock = Lock()

    def ask(self, request: Mapping[str, Json], seconds: float) -> Reply:
        """The reply, or TIMED_OUT after `seconds`, or DIED; raises WorkerDied after `deaths` deaths in a row."""
        with self._lock:
            line, greeting = self._started()
            reply = DIED if "failed" in greeting else line.exchange(request, seconds)
            if reply is TIMED_OUT or reply is DIED:
                line.close()
                self._line = None
            self._deaths = self._deaths + 1 if reply is DIED else 0
            if self._deaths >= self._most_deaths:
                self._deaths = 0
                raise WorkerDied(
                    f"expected the verifying process to answer, but it ended {self._most_deaths} times in a row; "
                    "run `python -c 'import reasoning_gym, math_verify'` to see whether its libraries load"
                )
            return reply

    def greet(self) -> Reply:
        """What the process says to its hello: the settings it refuses, or that all is well; starts it if needed."""
        with self._lock:
            line, greeting = self._started()
            if "failed" in greeting:
                line.close()
                self._line = None
                raise WorkerDied(
                    "expected the verifying process to start, but it ended or was silent; "
                    "run `python -c 'import reasoning_gym, math_verify'` to see whether its libraries load"
                )
            return greeting

    def _started(self) -> "tuple[_Line, Reply]":
        """The running process, and what it said to its hello."""
        if self._line is None:
            self._line = _Line()
            finalize(self, self._line.close)
            hello = self._hello or {"do": "nothing"}
            self._line.greeting = self._line.exchange(hello, self._patience)
        return self._line, self._line.greeting


class _Line:
    """A running process and the lines it has said."""

    def __init__(self) -> None:
        # A fixed hash seed: some generators walk over sets, whose order would differ from process to process.
        fixed = [env, "PYTHONHASHSEED=0"] if (env := which("env")) else []
        self._process = subprocess.Popen(
            [*fixed, sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._said: SimpleQueue[str | None] = SimpleQueue()
        self.greeting: Reply = {}
        Thread(target=_listen, args=(self._process, self._said), daemon=True).start()

    def exchange(self, request: Mapping[str, Json], seconds: float) -> Reply:
        if self._process.stdin is None:
            return DIED
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:  # nobody reads any more
            return DIED
        try:
            said = self._said.get(timeout=seconds)
        except Empty:
            return TIMED_OUT
        if said is None:
            return DIED
        reply: Reply = json.loads(said)
        return reply

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                return  # what was not yet written has no reader any more


def _listen(process: "subprocess.Popen[str]", said: "SimpleQueue[str | None]") -> None:
    """Passes on every line the process says, and None when it ends."""
    if process.stdout is not None:
        with process.stdout:
            for line in process.stdout:
                said.put(line)
    said.put(None)
