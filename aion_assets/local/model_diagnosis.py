"""Whether the model that writes answers is there, and writes with the adapter that the release names."""

from collections.abc import Mapping
from typing import Any

from aion_assets.core.settings import Settings
from aion_assets.local.finding import Finding

_TIMEOUT_S = 3.0


def examine_model(settings: Settings) -> Finding:
    if not settings.llm_url:
        return Finding("model", "good", "none: answers are quotes")
    url = settings.llm_url.removesuffix("/").removesuffix("/v1")
    served = _health(url)
    if served is None:
        says = f"{url} does not answer, so answers are quotes. Start it: 'aion up' or 'aion model-server'."
        return Finding("model", "missing", says)
    if "adapter_version" not in served:
        return Finding("model", "good", f"{url} answers; it is no model server of AION's")
    wanted, has = _named_adapter(settings), str(served["adapter_version"])
    if wanted and wanted != has:
        refused = str(served.get("adapter_refused") or "The AION server, which has it taken up, may not run.")
        says = f"The release names adapter {wanted[:12]}, and {url} writes with {has[:12] or 'none'}. {refused}"
        return Finding("model", "broken", says)
    adapter = f"adapter {has[:12]}" if has else "no adapter"
    return Finding("model", "good", f"{served.get('base_model')} with {adapter} at {url}")


def _health(url: str) -> Mapping[str, Any] | None:
    """None where nothing answers; {} where what answers has no such route."""
    import httpx

    try:
        reply = httpx.get(f"{url}/health", timeout=_TIMEOUT_S, trust_env=False)
    except httpx.HTTPError:
        return None
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _named_adapter(settings: Settings) -> str:
    from aion_assets.core.home import Home
    from aion_assets.core.release.models import serving_release

    release = serving_release(Home(settings))
    return release.models.generator_adapter if release else ""
