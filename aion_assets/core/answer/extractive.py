"""The built-in engine: it quotes and cites the best supported sentences, or says that nothing was found."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aion_assets.core.answer.citations import Locate, cite, where_passages_begin
from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.evidence import quotes_of
from aion_assets.core.answer.wording import wording
from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.records import Citation, Interleaved
from aion_assets.core.search.hits import Retrieval

EXTRACTIVE, ABSTENTION, CURATED = "extractive", "abstention", "curated"
MAX_CITATIONS = 3
# Further quotes are shown when their log-odds are at most so much smaller. Showing always three cites the right passage
# hardly more often.
_NEARLY_AS_GOOD = 3.0
# Marks of footnotes. Elsewhere a number in brackets may be an index of code, an interval or a year.
_FOOTNOTE = re.compile(r"(?<=[.!?,;”»])(?:\[\d{1,3}(?:[,–-] ?\d{1,3})*\])+")


@dataclass(frozen=True, slots=True)
class Answer:
    """`nearest`: the passages that an abstention offers instead. They support nothing and have no marker. `opening`:
    the text of an abstention. `source_language`: that of the first quote if it is not the answer's, else "".

    `written` is the text of a model, `provider` and `model` who wrote it, and `dropped` how many of its sentences are
    not shown, by reason. `reason`: why the engine before this one did not answer, or why the text ends early.
    `cancelled`: a person stopped it. `expired`: why a correction that was approved for this question does not answer it
    any more, else "". `interleaved`: who picked which source, where two rankers did.
    """

    used: str
    confidence: float
    tau: float
    language: str
    citations: list[Citation] = field(default_factory=list)
    nearest: list[Citation] = field(default_factory=list)
    opening: str = ""
    source_language: str = ""
    written: str = ""
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    reason: str = ""
    cancelled: bool = False
    expired: str = ""
    interleaved: Interleaved | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        if self.written:
            return self.written
        words = wording(self.language)
        if self.nearest:
            return "\n".join([f"{self.opening} {words.nearest}", *(f"- {_place(item)}" for item in self.nearest)])
        if not self.citations:
            return self.opening
        lead, *others = [f"“{_without_footnotes(item.quote)}” [{item.number}]" for item in self.citations]
        see_also = [f"- {_indented(other)}" for other in others]
        if self.source_language:
            lead = f"{lead}\n\n{words.source_in[self.source_language]}"
        return "\n".join([lead, "", words.see_also, *see_also]) if see_also else lead


def answer_question(
    retrieval: Retrieval,
    *,
    calibration: Calibration,
    tau: float,
    language: str = "",
    locate: Locate = where_passages_begin,
) -> Answer:
    """`language` "" means that of the question. Texts of passages are quoted, never obeyed."""
    spoken = language or retrieval.language
    words = wording(spoken)
    if not retrieval.question.text:
        return Answer(ABSTENTION, 0.0, tau, spoken, opening=words.empty_question)
    quotes = quotes_of(retrieval)[:MAX_CITATIONS]
    confidence = calibration.confidence(retrieval.features, retrieval.language)
    if confidence < tau or not quotes:
        return Answer(
            ABSTENTION, confidence, tau, spoken, nearest=cite(quotes, locate(quotes)), opening=words.not_found
        )
    shown = [quote for quote in quotes if quote.score >= quotes[0].score - _NEARLY_AS_GOOD]
    answer = Answer(EXTRACTIVE, confidence, tau, spoken, cite(shown, locate(shown)))
    return replace(answer, source_language=other_language(shown[0].hit.lang, spoken))


def other_language(lang: str, spoken: str) -> str:
    """`lang`, if it is one that AION speaks and not the one that is spoken."""
    return lang if lang in (PORTUGUESE, ENGLISH) and lang != spoken else ""


def _indented(quoted: str) -> str:
    """Indent the further lines of a list item as far as the text of its first line."""
    return quoted.replace("\n", "\n  ")


def _without_footnotes(quote: str) -> str:
    """Remove a passage's own footnote marks: they could be taken for citations."""
    return _FOOTNOTE.sub("", quote)


def _place(item: Citation) -> str:
    passage = item.passage
    return " – ".join(part for part in (passage.title, passage.place.heading) if part) or passage.url
