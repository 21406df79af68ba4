"""The parent's end of one parser process."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aion_assets
from aion_assets.core.errors import AionError
from aion_assets.core.process.environment import bare_environment
from aion_assets.core.records import Anchor, ParsedDocument, ParseOutcome, QuarantineReason

_START_TIMEOUT_S = 60.0
_MAX_ANSWER_BYTES = 400_000_000  # the longest text (draft.MAX_TEXT_CHARS) as escaped JSON, with its anchors
_READ_BYTES = 1 << 20
# Libraries leak memory, so a process is renewed after so many jobs.
_MAX_JOBS = 2_000
_RSS_POLL_S = 0.5
_ENVIRONMENT = {
    # One document, one processor: threads would add to the workers, and each reserves address space.
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
}
# Printed by allocators before they abort: C++, Rust, glib and OpenBLAS.
_OUT_OF_MEMORY = (b"bad_alloc", b"memory allocation", b"out of memory", b"Cannot allocate memory", b"MemoryError")


class Worker:
    """A parser process that takes one job at a time. Creating it starts the process, which may not be ready yet."""

    def __init__(self, timeout_s: float, memory_bytes: int) -> None:
        self.key: str | None = None
        self.alive = True
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._ready = False
        self._jobs_done = 0
        self._received = bytearray()
        # Bodies go through a file: a pipe would block the parent while the process does not read.
        self._body = tempfile.TemporaryFile()  # noqa: SIM115 - both files live as long as the process
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        arguments = (memory_bytes, os.getpid(), self._body.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aion_assets.core.parse.sandbox.child", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=bare_environment(**_ENVIRONMENT, PYTHONPATH=str(Path(aion_assets.__file__).parents[1])),
            pass_fds=[self._body.fileno()],
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests = self._process.stdin
        self.answers = self._process.stdout
        os.set_blocking(self.answers.fileno(), False)
        self._deadline = 0.0
        self._started = 0.0

    @property
    def seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        return left if sys.platform == "linux" else min(left, _RSS_POLL_S)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def start(self, key: str, body: bytes, url: str, content_type: str, filename: str) -> None:
        """Hand over one document. Its time limit begins when the process is ready."""
        self.key = key
        self._started = time.monotonic()
        self._deadline = self._started + self._timeout_s + (0.0 if self._ready else _START_TIMEOUT_S)
        self._body.seek(0)
        self._body.truncate()
        self._body.write(body)
        self._body.flush()
        request = {
            "size": len(body),
            "timeout_s": self._timeout_s,
            "url": url,
            "content_type": content_type,
            "filename": filename,
        }
        with suppress(BrokenPipeError):  # the process has ended: poll() finds out why
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()

    def poll(self) -> ParseOutcome | None:
        """The outcome of the current job, if it is there. Sets `alive` to false when the process must be replaced."""
        closed = self._receive()
        while (message := self._next_message()) is not None:
            if message.get("ready"):
                self._ready = True
                self._started = time.monotonic()
                self._deadline = self._started + self._timeout_s
                continue
            self._jobs_done += 1
            # A process that ran out of memory ends by itself after its answer.
            self.alive = message.get("reason") != QuarantineReason.MEMORY and self._jobs_done < _MAX_JOBS
            return self._finish(_read_answer(message))
        if closed:
            self.alive = False
            if not self._ready:
                raise AionError(
                    f"The parser process does not start: {self._last_words()}.",
                    "Raise AION_PARSE_MEMORY_BYTES if it is low, and see that the installation is whole.",
                )
            return self._finish(self._obituary())
        if time.monotonic() >= self._deadline:
            self.alive = False
            detail = f"Parsing took longer than {self._timeout_s:g} s."
            return self._finish(ParseOutcome("", reason=QuarantineReason.TIMEOUT, detail=detail))
        if sys.platform != "linux" and self._resident_bytes() > self._memory_bytes:
            self.alive = False
            detail = f"Parsing took more than {self._memory_bytes} bytes of memory."
            return self._finish(ParseOutcome("", reason=QuarantineReason.MEMORY, detail=detail))
        return None

    def kill(self) -> None:
        """Kill the process and all that it started."""
        self.alive = False
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # PermissionError: macOS, for a group that has ended
            self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._requests.close()
        for file in (self.answers, self._body, self._log):
            file.close()

    def _receive(self) -> bool:
        """Read what has come; True at the end of the stream."""
        while True:
            try:
                part = os.read(self.answers.fileno(), _READ_BYTES)
            except BlockingIOError:
                return False
            if not part or len(self._received) > _MAX_ANSWER_BYTES:
                return True
            self._received += part

    def _next_message(self) -> dict[str, Any] | None:
        """A message is its length in digits, a line break, and JSON of that length."""
        head, line_break, _ = self._received[:20].partition(b"\n")
        if not line_break:
            return None
        end = len(head) + 1 + int(head)
        if len(self._received) < end:
            return None
        message: dict[str, Any] = json.loads(self._received[len(head) + 1 : end])
        del self._received[:end]
        return message

    def _finish(self, outcome: ParseOutcome) -> ParseOutcome:
        assert self.key is not None
        outcome.key, self.key = self.key, None
        outcome.seconds = outcome.seconds or time.monotonic() - self._started
        return outcome

    def _obituary(self) -> ParseOutcome:
        status = self._process.wait()
        words = self._last_words()
        if any(sign in words.encode() for sign in _OUT_OF_MEMORY):
            detail = f"Parsing needs more than {self._memory_bytes} bytes of memory."
            return ParseOutcome("", reason=QuarantineReason.MEMORY, detail=detail)
        if status == -signal.SIGKILL:  # AION itself sends it only after an outcome
            detail = "The parser process was ended from outside, by SIGKILL: by the kernel if memory was short."
            return ParseOutcome("", reason=QuarantineReason.KILLED, detail=detail)
        cause = signal.Signals(-status).name if status < 0 else f"exit code {status}"
        return ParseOutcome("", reason=QuarantineReason.CRASH, detail=f"The parser process ended by {cause}.")

    def _last_words(self) -> str:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 2_000))
        return self._log.read().decode("utf-8", "replace").strip()

    def _resident_bytes(self) -> int:
        listed = subprocess.run(["ps", "-o", "rss=", "-g", str(self._process.pid)], capture_output=True, check=False)
        return sum(int(kilobytes) * 1024 for kilobytes in listed.stdout.split())


def _read_answer(answer: dict[str, Any]) -> ParseOutcome:
    seconds = float(answer["seconds"])
    if "document" not in answer:
        return ParseOutcome("", reason=QuarantineReason(answer["reason"]), detail=answer["detail"], seconds=seconds)
    fields = answer["document"]
    anchors = [Anchor(**anchor) for anchor in fields.pop("anchors")]
    return ParseOutcome("", ParsedDocument(anchors=anchors, **fields), detail=answer["detail"], seconds=seconds)
