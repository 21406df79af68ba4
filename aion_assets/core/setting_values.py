"""Values of settings that are more than a word or a number."""

import os
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Network = IPv4Network | IPv6Network


class Action(NamedTuple):
    """What the organisation offers below an answer: a label and the address that it opens."""

    label: str
    url: str


def read_action(text: str) -> Action:
    """Of "label: address". Raises ValueError: it is none."""
    label, _, url = (part.strip() for part in text.partition(":"))
    own_path = url.startswith("/") and not url.startswith("//")
    if not label or not (url.startswith(("https://", "http://", "mailto:")) or own_path):
        raise ValueError(
            f"{text.strip()!r} is no action; write a label, a colon and an https address, mailto: or a path"
        )
    return Action(label, url)


def zone_of_machine() -> ZoneInfo:
    """By TZ, or by where /etc/localtime leads; UTC where neither names a zone."""
    link = Path("/etc/localtime")
    linked = str(link.resolve()).partition("/zoneinfo/")[2] if link.exists() else ""
    for name in filter(None, (os.environ.get("TZ", "").removeprefix(":"), linked)):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")
