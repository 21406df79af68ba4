"""The words that AION puts around its quotes, in Portuguese and English."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    see_also: str
    not_found: str
    nearest: str
    empty_question: str
    no_source: str
    sources: str
    source_in: Mapping[str, str]
    curated: str  # {by}, {day}


_WORDINGS = {
    "pt": Wording(
        see_also="Veja também:",
        not_found="Não encontrei a resposta na base de conhecimento.",
        nearest="O que há de mais próximo:",
        empty_question="Escreva uma pergunta para que eu procure na base de conhecimento.",
        no_source="(sem fonte)",
        sources="Fontes:",
        source_in={"pt": "A fonte está em português.", "en": "A fonte está em inglês."},
        curated="Correção aprovada por {by} em {day}",
    ),
    "en": Wording(
        see_also="See also:",
        not_found="I did not find the answer in the knowledge base.",
        nearest="The nearest it holds:",
        empty_question="Write a question, and I will look it up in the knowledge base.",
        no_source="(no source)",
        sources="Sources:",
        curated="Correction approved by {by} on {day}",
        source_in={"pt": "The source is in Portuguese.", "en": "The source is in English."},
    ),
}


def wording(language: str) -> Wording:
    """Portuguese, the default of end-user texts, for every language but English."""
    return _WORDINGS.get(language, _WORDINGS["pt"])
