"""The labelled questions of this installation: what a curator says should be found.

`golden_queries.jsonl` in the home, one {"text": …, "urls": [addresses of the documents that answer it]} a line.
"""

import json
from dataclasses import dataclass

from aion_assets.core.errors import SettingsError
from aion_assets.core.settings import Settings

FILE = "golden_queries.jsonl"


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    text: str
    urls: tuple[str, ...]


def load_golden_queries(settings: Settings) -> list[GoldenQuery]:
    """Empty when there is no such file. Raises SettingsError: a line is not what it should be."""
    path = settings.home / FILE
    if not path.is_file():
        return []
    queries = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            queries.append(GoldenQuery(str(entry["text"]), tuple(map(str, entry["urls"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"Line {number} of {path} is no labelled question: {error}.", 'Write {"text": "…", "urls": ["…"]}.'
            ) from error
    return queries
