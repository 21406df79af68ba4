"""From addresses, by which people name documents, to the documents that the base holds of them."""

from collections.abc import Iterable
from dataclasses import replace

from aion_assets.core.home import Home
from aion_assets.core.lake.tables import CURATED_DOCUMENTS, DOCUMENTS
from aion_assets.core.learn.labelled import LabelledQuestion


def documents_by_address(home: Home) -> dict[str, str]:
    """Address → doc_id of the indexed document: that of the primary for a duplicate."""
    curated = home.lake.rows(CURATED_DOCUMENTS.name, ["doc_id", "duplicate_of"])
    primary_of = {row["doc_id"]: row["duplicate_of"] or row["doc_id"] for row in curated}
    found = home.lake.rows(DOCUMENTS.name, ["doc_id", "url"])
    return {row["url"]: primary_of[row["doc_id"]] for row in found if row["doc_id"] in primary_of}


def by_document(home: Home, questions: Iterable[LabelledQuestion]) -> list[LabelledQuestion]:
    """`relevant` names doc_ids. A question whose documents all left the base is left out: it can measure nothing."""
    documents = documents_by_address(home)
    found = []
    for question in questions:
        relevant = {documents[name]: grade for name, grade in question.relevant.items() if name in documents}
        if relevant or not question.answerable:
            found.append(replace(question, relevant=relevant))
    return found
