"""What the full-text indexes read of a passage and of a question."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.language.lemmas import in_dictionary_form
from aion_assets.core.language.terms import content_words

FULL_TEXT_LANGUAGES = {"pt": "Portuguese", "en": "English"}
# The chunk itself, and the chunk with the text around it. The sum of both scores ranks better than the chunk alone: a
# passage is better when its neighbours speak of the question, too.
FULL_TEXT_COLUMNS = tuple(f"{kind}_{lang}" for kind in ("text", "context") for lang in FULL_TEXT_LANGUAGES)


def index_columns(row: Mapping[str, Any]) -> dict[str, str | None]:
    """The full-text columns of a chunk: its text below title and heading, in the columns of its language.

    All languages but English go to the Portuguese columns. The query is analysed as the texts of a column are. So a
    wrongly guessed language costs stemming, never a hit.
    """
    mine = "en" if row["lang"] == "en" else "pt"
    above = "\n".join(part for part in (row["title"], row["heading"]) if part)
    return {
        f"{kind}_{lang}": in_dictionary_form(f"{above}\n{row[kind] or ''}", lang) if lang == mine else None
        for kind in ("text", "context")
        for lang in FULL_TEXT_LANGUAGES
    }


def analysed(question: str, column: str, language: str) -> str:
    """The question, which is in `language`, analysed as the texts of this column are.

    Its function words are searched only in texts of their own language. In others they are so rare that they would
    outweigh what the question is about.
    """
    its_language = column[-2:]
    return in_dictionary_form(question if its_language == language else content_words(question), its_language)


@cache
def analysis_version() -> str:
    """Rows of another analysis version are written again: a question would not find their words."""
    names = (__name__, "aion_assets.core.language.lemmas")
    return f"{source_version(*names)[:8]}-{version('simplemma')}"
