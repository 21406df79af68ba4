"""The program of a parser process. It reads requests from standard input and writes answers to standard output.

A request is one line of JSON; its body is in an open file. An answer is a line with a length, then JSON of that length.
Only JSON goes back: a parser that a hostile file took over must not make its parent load objects.
"""

import ctypes
import json
import os
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from aion_assets.core.process.lifetime import die_with_parent

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# Optional work, page upon page of OCR, stops here, so that what was read is not lost to the time limit.
_WORKING_SHARE = 0.7
_MAX_WRITTEN_BYTES = 1 << 30  # of one file; Tesseract's input goes through the disk


def main() -> None:
    """`argv`: memory limit in bytes, process id of the parent, file descriptor of the body."""
    memory_bytes, parent, body_file = map(int, sys.argv[1:])
    _leave_network()
    die_with_parent(parent, whole_group=True)  # Tesseract goes, too
    _limit(memory_bytes)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    _answer(answers, {"ready": True})
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        answer = _handle(body_file, request)
        _answer(answers, answer)
        if answer.get("reason") == "memory":
            break  # the heap may be damaged; a fresh process takes over


def _handle(body_file: int, request: dict[str, Any]) -> dict[str, Any]:
    from aion_assets.core.errors import ParseError
    from aion_assets.core.parse.detect import RawFile
    from aion_assets.core.parse.registry import parse_noted
    from aion_assets.core.records import QuarantineReason

    started = time.monotonic()
    answer: dict[str, Any] = {}
    try:
        raw = RawFile(
            os.pread(body_file, request["size"], 0),
            request["url"],
            request["content_type"],
            request["filename"],
            read_until=started + _WORKING_SHARE * request["timeout_s"],
        )
        document, remark = parse_noted(raw)
        answer = {"document": asdict(document), "detail": remark}
    except ParseError as error:
        answer = {"reason": _blame_memory(error.reason), "detail": str(error)}
    except MemoryError:
        answer = {"reason": QuarantineReason.MEMORY, "detail": "Parsing needs more memory than it may have."}
    except Exception as error:  # a parser may raise anything on a broken file; only that file fails
        detail = f"The file cannot be read: {type(error).__name__}: {error}"
        answer = {"reason": _blame_memory(QuarantineReason.BROKEN), "detail": detail}
    answer["seconds"] = time.monotonic() - started
    return answer


def _answer(stream: BinaryIO, answer: dict[str, Any]) -> None:
    payload = json.dumps(answer).encode()
    view = memoryview(b"%d\n" % len(payload) + payload)
    while view:
        view = view[stream.write(view) :]


def _leave_network() -> None:
    """Enter an empty network namespace, where the kernel grants one: a file that runs code cannot send data."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _blame_memory(reason: str) -> str:
    """Correct C libraries that report a failed allocation as a damaged file: the peak of the address space tells."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform != "linux" or limit == resource.RLIM_INFINITY or reason != "broken":
        return reason
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    peak = next(line for line in status.splitlines() if line.startswith("VmPeak"))
    return "memory" if int(peak.split()[1]) * 1024 > 0.9 * limit else reason


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_WRITTEN_BYTES, _MAX_WRITTEN_BYTES))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


if __name__ == "__main__":
    main()
