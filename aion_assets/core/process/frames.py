"""Frames of bytes between a process and its child."""

import json
import struct
from collections.abc import Mapping
from typing import IO, Any

_LENGTHS = struct.Struct(">II")


def write_frame(stream: IO[bytes], header: Mapping[str, Any], body: bytes = b"") -> None:
    packed = json.dumps(header).encode("ascii")
    stream.write(_LENGTHS.pack(len(packed), len(body)) + packed)
    stream.write(body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end of the stream, even when the writer died inside a frame."""
    start = stream.read(_LENGTHS.size)
    if len(start) < _LENGTHS.size:
        return None
    header_bytes, body_bytes = _LENGTHS.unpack(start)
    packed, body = stream.read(header_bytes), stream.read(body_bytes)
    if len(packed) < header_bytes or len(body) < body_bytes:
        return None
    return json.loads(packed), body
