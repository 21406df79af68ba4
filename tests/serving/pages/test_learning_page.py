"""Where people touch what AION learns: the learning page in a browser, and reports that need nothing from outside."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from serving_base import KnowledgeBase, serving
from workbench import embedder

from aion_assets.core.index.embedder import Embedder
from aion_assets.core.learn.golden import golden_questions
from aion_assets.core.learn.watch import today_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.steps.quality_report import report_day, report_release

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"
UNSURE = "How often is a restore drill held?"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    base = KnowledgeBase(tmp_path_factory.mktemp("learning"))
    base.ingest()
    return base


@pytest.fixture(scope="module")
def client(base: KnowledgeBase) -> Iterator[httpx.Client]:
    with serving(base.settings) as client:
        yield client


@pytest.fixture
def page(browser: "playwright.Browser", client: httpx.Client) -> Iterator["playwright.Page"]:
    context = browser.new_context(locale="pt-BR", accept_downloads=True)
    page = context.new_page()
    page.goto(f"{client.base_url}/learning")
    yield page
    context.close()


def test_a_curator_approves_and_labels_on_the_page(
    base: KnowledgeBase, client: httpx.Client, page: "playwright.Page"
) -> None:
    answer = client.post("/api/chat", json={"message": QUESTION}).json()
    unsure = client.post("/api/chat", json={"message": UNSURE}).json()
    path = f"/api/answers/{answer['answer_id']}/feedback"
    client.post(path, json={"correction": "<b>São 60 dias.</b>"})
    page.reload()
    card = page.locator("#corrections .card")
    playwright.expect(card).to_contain_text(QUESTION)
    card.get_by_role("textbox").fill("São 60 dias.")
    card.get_by_role("button", name="Aprovar").click()
    playwright.expect(page.locator("#corrections")).to_contain_text("Nenhuma correção espera.")
    assert client.post("/api/chat", json={"message": QUESTION}).json()["text"] == "São 60 dias. [1]"
    label = page.locator("#labels .card", has_text=UNSURE)
    playwright.expect(label.get_by_role("button", name="Guardar")).to_be_disabled()
    label.get_by_role("checkbox").first.check()
    label.get_by_role("button", name="Guardar").click()
    playwright.expect(page.locator("#labels .card", has_text=UNSURE)).to_have_count(0)
    (golden,) = [item for item in golden_questions(base.home) if item.text == UNSURE]
    shown = [*unsure["citations"], *unsure["nearest"]]
    assert shown[0]["url"] == "regras/backup.html"
    assert list(golden.relevant) == [(base.folder / "backup.html").as_uri()]
    with page.expect_download() as download:
        page.get_by_role("link", name="Eventos (JSONL)").click()
    assert answer["answer_id"] in Path(download.value.path()).read_text("utf-8")


def _loaded(_models: ModelManifest) -> Embedder:
    return embedder()


def test_a_report_is_whole_in_itself(base: KnowledgeBase, client: httpx.Client, page: "playwright.Page") -> None:
    day = (today_of(base.home) - timedelta(days=1)).isoformat()
    report_day(base.home, today_of(base.home), _loaded)
    report_day(base.home, today_of(base.home) - timedelta(days=1), _loaded)
    assert report_release(base.home, _loaded) is not None
    listed = client.get("/api/reports").json()["reports"]
    assert {item["kind"] for item in listed} == {"day", "release"} and len(listed) == 3
    for item in listed:
        for language in ("pt", "en"):
            html = client.get(item["page"], params={"lang": language}).text
            assert not re.search(r"(?:src|href)=|@import|url\(|<script", html), "nothing comes from outside"
        assert client.get(f"/api{item['page']}").json()["form"] == 1
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    page.on("console", lambda message: outside.append(message.text))
    page.goto(f"{client.base_url}/reports/day/{today_of(base.home).isoformat()}")
    assert outside == [page.url], "and its style is not refused"
    assert page.locator("main").evaluate("node => getComputedStyle(node).maxWidth") == "820px"
    playwright.expect(page.locator("h1")).to_contain_text("Como o AION foi em")
    assert client.get(f"/reports/day/{day}").status_code == 200
    assert client.get("/reports/day/2020-01-01").status_code == 404
