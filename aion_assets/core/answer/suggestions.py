"""What a reader may want next: questions that the neighbouring sections answer, and actions of the organisation."""

from collections.abc import Sequence
from dataclasses import dataclass

from aion_assets.core.language.terms import terms
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Retrieval
from aion_assets.core.setting_values import Action

QUESTION, ACTION = "question", "action"
MAX_FOLLOW_UPS = 3
# Shorter headings ("Notes") ask nothing, longer ones are sentences.
_MIN_TERMS, _MAX_CHARS = 2, 80
# A passage that scores less than this share of the best is about something else.
_NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`kind` is question, which is put as it is, or action, whose `url` is opened."""

    kind: str
    text: str
    url: str = ""


def suggest(retrieval: Retrieval, citations: Sequence[Citation], actions: Sequence[Action]) -> list[Suggestion]:
    """At most MAX_FOLLOW_UPS questions, then every action. An abstention is followed by no question: what lies near
    did not answer the first one either.
    """
    asked = follow_ups(retrieval, citations) if citations else []
    return [
        *(Suggestion(QUESTION, text) for text in asked),
        *(Suggestion(ACTION, action.label, action.url) for action in actions),
    ]


def follow_ups(retrieval: Retrieval, citations: Sequence[Citation]) -> list[str]:
    """Headings of passages near the answer, in the language of the question, best first. None repeats the question, the
    cited section or another heading.
    """
    question = retrieval.question
    cited = (item.passage.place.heading for item in citations)
    seen = [set(question.terms), *(set(terms(heading, question.language)) for heading in cited)]
    found: list[str] = []
    for hit in retrieval.hits:
        text = _last(hit.heading)
        words = set(terms(text, question.language))
        near = hit.score >= _NEAR * retrieval.hits[0].score and hit.lang == question.language
        if not near or not _asks(text, words) or any(words <= known for known in seen):
            continue
        seen.append(words)
        found.append(text)
    return found[:MAX_FOLLOW_UPS]


def _asks(text: str, words: set[str]) -> bool:
    return len(words) >= _MIN_TERMS and len(text) <= _MAX_CHARS


def _last(heading: str) -> str:
    return heading.rsplit(" > ", 1)[-1].strip()
