"""The words that AION puts around its quotes, in Portuguese and English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    see_also: str
    not_found: str
    nearest: str
    empty_question: str
    no_source: str
    sources: str


_WORDINGS = {
    "pt": Wording(
        see_also="Veja também:",
        not_found="Não encontrei a resposta na base de conhecimento.",
        nearest="O que há de mais próximo:",
        empty_question="Escreva uma pergunta para que eu procure na base de conhecimento.",
        no_source="(sem fonte)",
        sources="Fontes:",
    ),
    "en": Wording(
        see_also="See also:",
        not_found="I did not find the answer in the knowledge base.",
        nearest="The nearest it holds:",
        empty_question="Write a question, and I will look it up in the knowledge base.",
        no_source="(no source)",
        sources="Sources:",
    ),
}


def wording(language: str) -> Wording:
    """Portuguese, the default of end-user texts, for every language but English."""
    return _WORDINGS.get(language, _WORDINGS["pt"])
