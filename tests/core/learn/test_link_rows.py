"""What pages call the pages that they link to is learned from, with its way back, and without golden pages."""

from collections import Counter

import pytest
from collecting import Page, Site
from workbench import Workbench

from aion_assets.core.learn.contrastive_rows import LINK, contrastive_rows
from aion_assets.core.learn.golden import OF_IMPORT, store_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.links import read_links
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import Settings

TOLD = {
    "/": "This page leads to what the office of the town does for its people.",
    "/waste": "The bins are emptied every second Tuesday before seven in the morning.",
    "/tax": "The tax on dogs is due in March and is paid at the counter.",
    "/pool": "The pool opens in May; children swim for nothing until noon.",
}
LINKS = {
    "/": '<a href="/waste">When the <b>rubbish</b> is fetched</a> <a href="/tax">read more</a>'
    '<a href="/pool">Read  more</a> <a href="https://elsewhere.example/a">another town hall</a>'
    '<a href="/pool"><img alt="where to swim in summer"></a>',
    "/waste": '<a href="/tax">duty for keepers of dogs</a> <a href="/pool">pool</a>',
    "/tax": '<a href="/waste">when the rubbish is fetched</a> <a href="/">back to the start</a>',
    "/pool": "",
}  # fmt: skip


@pytest.fixture
def town(site: Site, loopback_settings: Settings) -> Workbench:
    for path, text in TOLD.items():
        body = f"<body><main><p>{text}</p>{LINKS[path]}</main></body>"
        site.pages[path] = Page(f"<html><head><title>Office {path}</title></head>{body}</html>".encode())
    made = Workbench(loopback_settings)
    made.run(made.add(site.root))
    return made


def test_the_text_of_a_link_asks_for_its_page(town: Workbench, site: Site) -> None:
    url_of = {row["doc_id"]: row["url"].removeprefix(site.root) for row in town.rows("documents", "doc_id url")}
    left_out: Counter[str] = Counter()
    assert {(link.text.lower(), url_of[link.doc_id]) for link in read_links(town.home, left_out)} == {
        ("when the rubbish is fetched", "/waste"),
        ("duty for keepers of dogs", "/tax"),
        ("where to swim in summer", "/pool"),
        ("back to the start", "/"),
    }
    assert left_out == {"link_leads_out": 1, "link_says_too_little": 1, "link_names_several_pages": 1}

    golden = LabelledQuestion("When must a dog be paid for?", {f"{site.root}/tax": 1})
    store_golden(town.home, [golden], OF_IMPORT)
    release = current_release(town.database, town.tenant_id)
    data = contrastive_rows(town.home, release, [])
    linked = {row.question.lower(): data.passages[row.passage] for row in data.rows if row.origin == LINK}
    assert linked.keys() <= {"when the rubbish is fetched", "where to swim in summer"}
    assert linked["where to swim in summer"].text.endswith("until noon.")
    assert data.left_out["golden_document"] >= 2, "neither what leads to a golden page nor what stands on it"
    assert all(url_of[row.origin_id] in ("/", "/waste") for row in data.rows if row.origin == LINK)
    town.database.engine.dispose()
