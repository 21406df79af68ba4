"""Texts that no database and no JSON can carry are refused at the door, before anything of them is stored.

JSON can spell half of a surrogate pair, NUL, and numbers that are none. Once stored, each answer that holds one fails.
"""

import json
import re
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

# Whatever does not match holds none of them.
_SUSPICIOUS = re.compile(rb"\\u(?:d[89a-f]|0000)|NaN|Infinity", re.IGNORECASE)
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")


def unstorable_body(body: bytes) -> str:
    """What is wrong with a JSON body, "" where nothing is, or where it is not JSON, which others find out."""
    if not _SUSPICIOUS.search(body):
        return ""
    try:
        content = json.loads(body, parse_constant=_refuse)
    except _NoNumberError:
        return "a number that is none"
    except (ValueError, RecursionError):
        return ""
    fields = content.items() if isinstance(content, dict) else (("", content),)
    for name, value in fields:
        if _holds_unstorable(name):
            return "NUL or half a character in the name of a field"
        if _holds_unstorable(value):
            return f"NUL or half a character in {f'body.{name[:40]}' if name else 'body'}"
    return ""


def unstorable_address(path: str, query: bytes) -> str:
    """`path` is decoded, `query` is as it came."""
    return "a NUL character" if "\0" in path or b"\0" in unquote_to_bytes(query) else ""


class _NoNumberError(Exception):
    pass


def _refuse(_constant: str) -> NoReturn:
    raise _NoNumberError


def _holds_unstorable(content: Any) -> bool:
    waiting = [content]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            if _UNSTORABLE.search(found):
                return True
        elif isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            waiting += found
    return False
