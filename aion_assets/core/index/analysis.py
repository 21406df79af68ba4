"""What the full-text indexes are given of a passage, and of a question put to them."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.language.lemmas import in_dictionary_form
from aion_assets.core.language.terms import content_words

FULL_TEXT_LANGUAGES = {"pt": "Portuguese", "en": "English"}
# The chunk itself, and the chunk with the text around it: a passage whose neighbours speak of the question, too, is
# the better one. On five sets the sum of both ranks up to .01 nDCG@10 above the chunk alone and never below.
FULL_TEXT_COLUMNS = tuple(f"{kind}_{lang}" for kind in ("text", "context") for lang in FULL_TEXT_LANGUAGES)


def index_columns(row: Mapping[str, Any]) -> dict[str, str | None]:
    """What the full-text indexes read of a chunk: under its title and heading, in the columns of its language.

    Texts of other languages than English go to the Portuguese columns; the query analysed for a column meets texts
    analysed alike, so that a wrong guess of the language costs stemming and never a hit.
    """
    mine = "en" if row["lang"] == "en" else "pt"
    above = "\n".join(part for part in (row["title"], row["heading"]) if part)
    return {
        f"{kind}_{lang}": in_dictionary_form(f"{above}\n{row[kind] or ''}", lang) if lang == mine else None
        for kind in ("text", "context")
        for lang in FULL_TEXT_LANGUAGES
    }


def analysed(question: str, column: str, language: str) -> str:
    """The question, which is in `language`, as the texts of this column are.

    Its function words are asked only of texts in their own language: in others they are so rare that they would
    outweigh what the question is about. Over a base of three sites in two languages full text gains .20 nDCG@10 by it.
    """
    its_language = column[-2:]
    return in_dictionary_form(question if its_language == language else content_words(question), its_language)


@cache
def analysis_version() -> str:
    """Rows that were analysed by another version are written anew: a question would not find their words."""
    names = (__name__, "aion_assets.core.language.lemmas")
    return f"{source_version(*names)[:8]}-{version('simplemma')}"
