"""All evidence that an answer is right: that of the passages, and that of the quotes."""

from collections.abc import Mapping

from aion_assets.core.answer.quotes import QUOTE_EVIDENCE, Quote, choose
from aion_assets.core.search.features import FEATURES
from aion_assets.core.search.hits import Retrieval

# What a calibration may read, in the order of the coefficients of one that is fitted today.
EVIDENCE = (*FEATURES, *QUOTE_EVIDENCE)


def quotes_of(retrieval: Retrieval) -> list[Quote]:
    """The best quote of every document, best first, chosen once. What was seen of them stands in `retrieval.features`
    afterwards, from where it is recorded with the answer.
    """
    if retrieval.quotes is None:
        choice = choose(retrieval)
        retrieval.features = {**retrieval.features, **choice.evidence}
        retrieval.quotes = choice.quotes
    return [*retrieval.quotes]


def evidence_of(retrieval: Retrieval) -> Mapping[str, float]:
    """EVIDENCE by name, {} when nothing was found; the quotes are chosen where nobody has done so yet."""
    if retrieval.features and QUOTE_EVIDENCE[0] not in retrieval.features:
        quotes_of(retrieval)
    return retrieval.features
