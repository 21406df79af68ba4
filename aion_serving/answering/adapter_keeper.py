"""Has the model server write with the adapter that the current release names.

The model server hot-swaps: answers under way end with the adapter that they began with. One that it refuses leaves the
one before, and the reason is logged once.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import httpx

from aion_assets.core.home import Home
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.models import released_adapters

_ASK_TIMEOUT_S = 2.0
# Loading and proving an adapter takes seconds on a slow machine.
_LOAD_TIMEOUT_S = 120.0
# A refused adapter is tried again after this pause: its folder may have been brought meanwhile.
_RETRY_S = 30.0
_log = logging.getLogger(__name__)


class AdapterKeeper:
    """Of one model server. `says`: why the adapter of the release does not serve, "" where it does."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.removesuffix("/").removesuffix("/v1")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._retry_at = 0.0
        self.says = ""

    def keep(self, home: Home, models: ModelManifest) -> None:
        """Have the server take up the adapter of these models where it has another one. Never raises."""
        wanted = models.generator_adapter
        served = self._served()
        if served is None:
            return  # it is not up yet; the next look finds it
        if "adapter_version" not in served:
            self._tell("It takes no adapters from AION." if wanted else "")
            return
        now_serving = str(served["adapter_version"])
        if now_serving == wanted:
            self._tell("")
        elif not wanted and now_serving not in released_adapters(home):
            return  # a person took it up by hand, and no release says otherwise
        elif time.monotonic() >= self._retry_at:
            self._swap(wanted)

    def _swap(self, wanted: str) -> None:
        body = {"digest": wanted} if wanted else {"none": True}
        try:
            url = f"{self._url}/adapter/reload"
            reply = httpx.post(url, json=body, headers=self._headers, timeout=_LOAD_TIMEOUT_S, trust_env=False)
            reason = "" if reply.is_success else _reason(reply)
        except httpx.HTTPError as error:
            reason = f"It did not answer: {type(error).__name__}."
        self._retry_at = time.monotonic() + _RETRY_S if reason else 0.0
        self._tell(reason)
        if not reason:
            _log.info(
                "The model at %s writes with %s.", self._url, f"adapter {wanted[:12]}" if wanted else "no adapter"
            )

    def _served(self) -> Mapping[str, Any] | None:
        try:
            reply = httpx.get(f"{self._url}/health", timeout=_ASK_TIMEOUT_S, trust_env=False)
            body = reply.json()
        except (httpx.HTTPError, ValueError):
            return None
        return body if isinstance(body, dict) else {}

    def _tell(self, reason: str) -> None:
        if reason and reason != self.says:
            _log.error("The adapter of the release does not serve at %s, the one before goes on: %s", self._url, reason)
        self.says = reason


def _reason(reply: httpx.Response) -> str:
    try:
        return str(reply.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"Status {reply.status_code}."
