"""The one form of an answer and of a hit, for the API and for `--json`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from aion_assets.core.record.answers import AnswerRecord
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Hit


class CitationReply(BaseModel):
    """One passage shown with an answer, and everything needed to show its source."""

    number: int = Field(description="The number in brackets in the answer's text.", examples=[1])
    chunk_id: str
    doc_id: str
    title: str = Field(description="Title of the document.", examples=["Norma 12"])
    url: str = Field(description="Address of the page; of a file its place in its source, such as manual/intro.html.")
    link: str = Field(description="Address that a browser opens, at the page or heading where there is one.")
    page: int = Field(description="Page number from 1; 0 where the document has no pages.")
    heading: str = Field(description='Path of headings, "H1 > H2"; empty where there is none.')
    fragment: str = Field(description="Id of the heading inside the page; empty where there is none.")
    quote: str = Field(description="The sentence, word for word.")
    passage: str = Field(description="The whole passage that the sentence stands in.")


class SuggestionReply(BaseModel):
    """What the reader may want next; shown below the answer."""

    suggestion_id: str = Field(description="To be used with `POST /api/suggestions/{id}/click`.")
    kind: str = Field(description='"question", to be asked as it is, or "action", whose `url` is opened.')
    text: str
    url: str = Field(description="Empty for a question.")


class AnswerReply(BaseModel):
    """An answer with its citations, or an abstention with the nearest passages."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answer_id": "5d0c1f2ab3e84f1c9a7d6e5f4c3b2a10",
                    "text": "“O prazo do recurso é de 15 dias.” [1]",
                    "used": "extractive",
                    "C": 0.93,
                    "tau": 0.62,
                    "language": "pt",
                    "release_id": "48579a4ceb9d…",
                    "citations": [],
                    "nearest": [],
                    "suggestions": [],
                }
            ]
        }
    )

    answer_id: str = Field(description="To be used with `GET /api/answers/{id}/why`.")
    text: str = Field(description="Plain text; the number in brackets after a quote refers to `citations`.")
    used: str = Field(
        description='What produced it: "generative" (a model), "extractive" (quotes), "curated" (a correction that a '
        'curator approved for this question), or "abstention" where the base does not hold it.'
    )
    C: float = Field(description="Calibrated confidence from 0 to 1 that the passages found hold the answer.")
    tau: float = Field(description="The threshold: below it AION abstains.")
    language: str = Field(description="Language of the answer, pt or en.")
    release_id: str = Field(description="The release that produced it.")
    citations: list[CitationReply]
    provider: str = Field("", description='Where the model runs that wrote it, such as "local"; empty for quotes.')
    model: str = Field("", description="The model that wrote it; empty for quotes.")
    state: str = Field("complete", description="complete, abstained, or cancelled where somebody stopped it.")
    notice: str = Field("", description="Why an older release answered: the newest cannot be read. Mostly empty.")
    reason: str = Field("", description="Why a model did not write it, or why its text ends early; mostly empty.")
    nearest: list[CitationReply] = Field(description="Passages offered by an abstention; they support nothing.")
    expired_correction: str = Field(
        "",
        description="Why a correction that was approved for this question does not answer it any more: "
        "source_changed, source_gone or taken_back; mostly empty.",
    )
    suggestions: list[SuggestionReply] = Field(description="Follow-up questions and the organisation's actions.")


class HitReply(BaseModel):
    """A passage that a search found."""

    score: float = Field(description="In [0, 1]; hits are ordered by it.")
    url: str = Field(description="Address of the page; of a file its place in its source, such as manual/intro.html.")
    link: str = Field(description="Address that a browser opens.")
    title: str
    page: int
    heading: str
    fragment: str
    text: str
    chunk_id: str
    doc_id: str
    source_id: str
    lang: str


class SearchReply(BaseModel):
    query: str
    hits: list[HitReply]
    notice: str = Field("", description="Why an older release was searched: the newest cannot be read. Mostly empty.")


# Gives the address of a document as it is shown, from its address and its source. By default as it was collected.
Show = Callable[[str, str], str]


def _as_collected(url: str, _source_id: str) -> str:
    return url


def answer_reply(record: AnswerRecord, show: Show = _as_collected) -> AnswerReply:
    return AnswerReply(
        answer_id=record.answer_id,
        text=record.text,
        used=record.used,
        C=round(record.confidence, 4),
        tau=record.tau,
        language=record.language,
        release_id=record.release_id,
        provider=record.provider,
        state=record.state,
        model=record.model,
        reason=record.reason,
        notice=record.notice,
        expired_correction=record.expired,
        citations=[citation_reply(item, show) for item in record.citations],
        nearest=[citation_reply(item, show) for item in record.nearest],
        suggestions=[
            SuggestionReply(
                suggestion_id=shown.suggestion_id,
                kind=shown.suggestion.kind,
                text=shown.suggestion.text,
                url=shown.suggestion.url,
            )
            for shown in record.suggestions
        ],
    )


def search_reply(query: str, hits: list[Hit], notice: str = "", show: Show = _as_collected) -> SearchReply:
    return SearchReply(query=query, hits=[_hit(hit, show) for hit in hits], notice=notice)


def place_in(url: str, page: int, fragment: str) -> str:
    """The address of a page or heading inside a document."""
    anchor = fragment or (f"page={page}" if page else "")
    return f"{url}#{anchor}" if anchor else url


def browser_link(doc_id: str, url: str, page: int, fragment: str) -> str:
    """The address to open in a browser. Web pages cannot open file://, so AION serves collected files itself."""
    is_file = urlsplit(url).scheme == "file"
    return place_in(f"/kb/items/{doc_id}/original" if is_file else url, page, fragment)


def citation_reply(item: Citation, show: Show = _as_collected) -> CitationReply:
    passage, place = item.passage, item.passage.place
    return CitationReply(
        number=item.number,
        chunk_id=passage.chunk_id,
        doc_id=passage.doc_id,
        title=passage.title,
        url=show(passage.url, passage.source_id),
        link=browser_link(passage.doc_id, passage.url, place.page, place.fragment),
        page=place.page,
        heading=place.heading,
        fragment=place.fragment,
        quote=item.quote,
        passage=passage.text,
    )


def _hit(hit: Hit, show: Show) -> HitReply:
    names = ("url", "title", "page", "heading", "fragment", "text", "chunk_id", "doc_id", "source_id", "lang")
    facts: dict[str, Any] = {name: getattr(hit, name) for name in names}
    facts["url"] = show(hit.url, hit.source_id)
    return HitReply(**facts, score=round(hit.score, 4), link=browser_link(hit.doc_id, hit.url, hit.page, hit.fragment))
