"""Which part of a passage supports an answer best."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.terms import TermWeights
from aion_assets.core.sentences import sentence_spans

MAX_QUOTE_CHARS = 400
# A line without a full stop that is shorter than this is a heading or a label: it names what follows and says nothing.
_HEADING_CHARS = 80
# Decides between quotes that hold the same terms, and no more: one term of a short question weighs more than this.
_TO_THE_POINT = 0.1
_CLOSED = re.compile(r"""[.!…]["'”’»)\]]*$""")
_CLAUSE_START = re.compile(r"(?<=[,;:–—] )\S")


@dataclass(slots=True)
class Quote:
    """`text` stands verbatim in `hit.text`, but for white space and a "…" where a long sentence was cut."""

    hit: Hit
    text: str
    score: float


def best_quotes(question: str, hits: Sequence[Hit], weights: TermWeights) -> list[Quote]:
    """The best quote of every document among `hits`, best first.

    A quote scores by the weight of the question's terms it holds, title and heading included, plus the score of its
    passage; of two that hold the same, the one whose first line speaks of nothing else is the better. The cosine of the
    sentence adds nothing to that, neither for citing the right passage nor for the words of the answer (measured on
    four sets), and costs thirty times the rest.
    """
    wanted = set(weights.terms(question))
    best: dict[str, Quote] = {}
    for hit in hits:
        above = weights.terms(f"{hit.title} {hit.heading}")
        for text, introduction in _quotable(hit.text):
            covered = weights.coverage(wanted, [*weights.terms(text), *above])
            quote = Quote(hit, text, hit.score + covered + _TO_THE_POINT * _share(weights.terms(introduction), wanted))
            if hit.doc_id not in best or quote.score > best[hit.doc_id].score:
                best[hit.doc_id] = quote
    ranked = sorted(best.values(), key=lambda quote: -quote.score)
    for quote in ranked:
        quote.text = _shortened(quote.text, wanted, weights)
    return ranked


def _share(found: Sequence[str], wanted: set[str]) -> float:
    return sum(term in wanted for term in found) / len(found) if found else 0.0


def _quotable(passage: str) -> Iterator[tuple[str, str]]:
    """Sentences; a question, heading or line with a colon together with what it introduces, which is given beside."""
    spans = sentence_spans(passage)
    for index, (start, end) in enumerate(spans):
        following = index + 1
        while following < len(spans) and _introduces(passage[start : spans[following - 1][1]]):
            if spans[following][1] - start > MAX_QUOTE_CHARS:
                break
            end = spans[following][1]
            following += 1
        introduction = passage[slice(*spans[index])] if following > index + 1 else ""
        yield " ".join(passage[start:end].split()), introduction


def _introduces(text: str) -> bool:
    last_line = text.rsplit("\n", 1)[-1].strip()
    return last_line.endswith(("?", ":")) or (len(text) < _HEADING_CHARS and not _CLOSED.search(last_line))


def _shortened(text: str, wanted: set[str], weights: TermWeights) -> str:
    """Of a sentence longer than MAX_QUOTE_CHARS, the stretch from the start of a clause that covers most."""
    if len(text) <= MAX_QUOTE_CHARS:
        return text
    starts = [0, *(match.start() for match in _CLAUSE_START.finditer(text))]
    stretches = [_stretch(text, start) for start in starts]
    return max(stretches, key=lambda stretch: weights.coverage(wanted, weights.terms(stretch)))


def _stretch(text: str, start: int) -> str:
    rest = text[start:]
    cut = rest if len(rest) <= MAX_QUOTE_CHARS else rest[:MAX_QUOTE_CHARS].rpartition(" ")[0] + "…"
    return f"…{cut}" if start else cut
