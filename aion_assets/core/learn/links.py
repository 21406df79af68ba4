"""What pages call the pages that they link to: the text of a link asks for its target, as a question would."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from aion_assets.core.collect.web.link_texts import link_texts
from aion_assets.core.home import Home
from aion_assets.core.ids import doc_id
from aion_assets.core.lake.conditions import both, quoted
from aion_assets.core.lake.tables import BODIES, DOCUMENTS
from aion_assets.core.learn.addressed import documents_by_address
from aion_assets.core.learn.metrics import normalised_words

_HTML = "(content_type LIKE 'text/html%' OR content_type LIKE 'application/xhtml%')"
# Pages that are read for their links; more repeat the same navigation.
_MOST_PAGES = 5_000
# So many bodies are in memory at once.
_AT_ONCE = 32
# One word names a thing, and no page on it.
_LEAST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Link:
    """`doc_id` is what the link leads to, `found_in` the document that has it."""

    text: str
    doc_id: str
    found_in: str


def read_links(home: Home, left_out: Counter[str]) -> list[Link]:
    """Each text that names one page of the base, once. `left_out` counts the others by reason."""
    targets = documents_by_address(home)
    by_text: dict[str, dict[str, Link]] = {}
    for found_in, address, text in _of_pages(home):
        key = " ".join(normalised_words(text))
        target = targets.get(address, "")
        if not target or target == found_in:
            left_out["link_leads_out"] += 1
        elif len(key.split()) < _LEAST_WORDS:
            left_out["link_says_too_little"] += 1
        else:
            by_text.setdefault(key, {}).setdefault(target, Link(text, target, found_in))
    named = {key: found for key, found in by_text.items() if len(found) == 1}
    # "Read more" leads to many pages and names none.
    left_out["link_names_several_pages"] += len(by_text) - len(named)
    return [link for key in sorted(named) for link in named[key].values()]


def _of_pages(home: Home) -> Iterator[tuple[str, str, str]]:
    """(document, address, text) of the links of the pages that are in the base, in a fixed order."""
    of_tenant = f"tenant_id = {quoted(home.tenant_id)}"
    addresses = {row["doc_id"]: row["url"] for row in home.lake.rows(DOCUMENTS.name, ["doc_id", "url"], of_tenant)}
    pages = [row["page_key"] for row in home.lake.rows(BODIES.name, ["page_key"], both(of_tenant, _HTML))]
    taken = sorted(key for key in pages if doc_id(key) in addresses)[:_MOST_PAGES]
    found: dict[str, list[tuple[str, str]]] = {}
    columns = ["page_key", "content_type", "body"]
    for row in home.lake.rows_by_key(BODIES.name, columns, {"page_key": taken}, at_once=_AT_ONCE):
        document = doc_id(row["page_key"])
        found[document] = [*link_texts(bytes(row["body"] or b""), row["content_type"] or "", addresses[document])]
    for document in sorted(found):
        for address, text in found[document]:
            yield document, address, text
