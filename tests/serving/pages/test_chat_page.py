"""The chat page in a real browser."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving_base import KnowledgeBase
from sqlalchemy import select
from stub_model import stub_model

from aion_assets.core.database import tables
from aion_assets.core.settings import Settings
from aion_serving.pages.wording import WORDING, choose_language

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
HOSTILE = """# Aviso de teste

O aviso <img src=x onerror="document.title='owned'"><script>document.title='owned'</script> foi publicado na terça-feira
pelo setor de comunicação interna.
"""
CODE = """# Senha do roteador

A senha do roteador do laboratório é trocada no terminal com estes comandos:

```
passwd roteador
    systemctl restart roteador
```
"""


@pytest.fixture
def page(browser: "playwright.Browser") -> Iterator["playwright.Page"]:
    """Fails the test when the page says an error on its console, a broken security policy included."""
    context = browser.new_context(locale="pt-BR")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def ask(page: "playwright.Page", question: str) -> "playwright.Locator":
    page.get_by_role("textbox").fill(question)
    page.keyboard.press("Enter")
    page.locator(".answer.loading, .answer.writing").wait_for(state="detached")
    return page.locator(".answer").last


@in_browser
def test_a_question_typed_on_the_page_is_answered_with_sources_and_their_way(
    client: httpx.Client, page: "playwright.Page"
) -> None:
    page.goto(str(client.base_url))
    assert page.locator("html").get_attribute("lang") == "pt-BR"
    assert page.evaluate("document.activeElement.id") == "question"
    answer = ask(page, "Com quantos dias de antecedência o pedido de férias deve ser feito?")
    assert "45 dias" in answer.locator(".prose").inner_text()
    card = answer.locator(".card").first
    assert "Política de férias" in card.inner_text()
    assert "45 dias" in card.locator("mark").inner_text()
    link = card.get_by_role("link")
    assert "/original" in str(link.get_attribute("href"))
    assert link.get_attribute("rel") == "noopener noreferrer"
    answer.locator(".marker").first.click()
    assert page.evaluate("document.activeElement.classList.contains('card')")
    answer.get_by_role("button", name=WORDING["pt"]["why"]).click()
    answer.locator(".why section").first.wait_for()
    assert "policy:auto-approve" in answer.locator(".why").inner_text()


@in_browser
def test_an_abstention_looks_different_and_offers_the_nearest_passages(
    client: httpx.Client, page: "playwright.Page"
) -> None:
    page.goto(str(client.base_url))
    answer = ask(page, "Qual é a capital da Mongólia?")
    assert "abstained" in str(answer.get_attribute("class"))
    assert WORDING["pt"]["not_found_badge"] in answer.inner_text()
    assert answer.locator(".card").count() > 0


@in_browser
def test_markup_in_a_document_is_shown_as_text(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client], page: "playwright.Page"
) -> None:
    (base.folder / "aviso.txt").write_text(HOSTILE)
    base.ingest()
    page.goto(str(serve(base.settings).base_url))
    answer = ask(page, "Quando o aviso de teste foi publicado pelo setor de comunicação interna?")
    assert "<script>" in answer.inner_text()
    assert answer.locator("img, script").count() == 0
    assert "owned" not in page.title()


@in_browser
def test_the_lines_of_code_and_lists_in_a_passage_stay_lines(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client], page: "playwright.Page"
) -> None:
    (base.folder / "senha.md").write_text(CODE)
    base.ingest()
    page.goto(str(serve(base.settings).base_url))
    answer = ask(page, "Como a senha do roteador do laboratório é trocada no terminal?")
    card = answer.locator(".card", has_text="Senha do roteador")
    assert "passwd roteador\n" in card.locator(".passage").inner_text()


@in_browser
def test_an_error_is_shown_and_can_be_tried_again(client: httpx.Client, browser: "playwright.Browser") -> None:
    page = browser.new_page()
    page.goto(str(client.base_url))
    page.route("**/api/chat/stream", lambda route: route.abort())
    answer = ask(page, "Férias?")
    assert WORDING["en"]["offline"] in answer.inner_text()
    page.unroute("**/api/chat/stream")
    answer.get_by_role("button", name=WORDING["en"]["retry"]).click()
    page.locator(".card").first.wait_for()
    page.close()


@in_browser
def test_an_empty_base_says_what_to_do_and_notices_the_first_release(
    tmp_path: Path, serve: Callable[[Settings], httpx.Client], browser: "playwright.Browser"
) -> None:
    base = KnowledgeBase(tmp_path)
    page = browser.new_page()
    page.goto(str(serve(base.settings).base_url))
    assert "aion source add" in page.locator("#empty").inner_text()
    assert "aion curate approve" in page.locator("#empty").inner_text()
    assert page.get_by_role("textbox").is_disabled()
    base.ingest()
    page.locator("#question:enabled").wait_for()
    assert page.locator("#empty").is_hidden()
    page.close()


@in_browser
def test_the_page_can_be_used_on_a_narrow_screen_without_scrolling_sideways(
    client: httpx.Client, browser: "playwright.Browser"
) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(str(client.base_url))
    ask(page, "Qual é o limite diário de alimentação em viagem?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()


@in_browser
def test_a_call_can_be_tried_on_the_reference_page(client: httpx.Client, page: "playwright.Page") -> None:
    page.goto(f"{client.base_url}/docs")
    call = page.locator("details", has_text="/api/search")
    call.locator("summary").click()
    call.locator("input[name=q]").fill("férias")
    call.get_by_role("button").click()
    call.locator(".result", has_text="200 OK").wait_for()
    assert "ferias.md" in call.locator(".result").inner_text()


@pytest.mark.parametrize(
    ("chosen", "header", "language"),
    [
        ("", "", "pt"),
        ("", "en-US,en;q=0.9", "en"),
        ("", "de-DE,pt;q=0.4,en;q=0.6", "en"),
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("", "de,fr", "pt"),
        ("", "en;q=x", "pt"),
        ("pt", "en-US", "pt"),
        ("en", "pt-BR", "en"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_that_chosen_else_that_of_the_browser(chosen: str, header: str, language: str) -> None:
    assert choose_language(chosen, header) == language


def test_a_chosen_language_is_remembered(client: httpx.Client) -> None:
    page = client.get("/", params={"lang": "en"})
    assert '<html lang="en"' in page.text
    assert "aion_lang=en" in page.headers["set-cookie"]
    client.cookies.clear()


def test_both_languages_have_the_same_words() -> None:
    assert WORDING["pt"].keys() == WORDING["en"].keys()


@in_browser
def test_a_reader_says_what_an_answer_was_worth_and_takes_it_back(
    page: "playwright.Page", client: httpx.Client, shared_base: KnowledgeBase
) -> None:
    page.goto(str(client.base_url))
    answer = ask(page, "Qual é o limite diário de reembolso de alimentação?")
    answer.get_by_role("button", name="Não ajudou").click()
    answer.get_by_label("Como deveria ser a resposta?").fill("São 120 reais por dia.")
    answer.get_by_role("button", name="Enviar correção").click()
    answer.get_by_text("Obrigado!").wait_for()
    answer.get_by_label("Como deveria ser a resposta?").wait_for(state="hidden")
    answer.get_by_role("button", name="Desfazer").click()
    answer.get_by_text("Desfeito.").wait_for()
    with shared_base.database.read() as connection:
        rows = connection.execute(select(tables.feedback).where(tables.feedback.c.correction != "")).all()
    assert ("São 120 reais por dia.", True) in [(row.correction, row.withdrawn_at is not None) for row in rows]


SLOW = (
    "A full backup of the database runs every Sunday at 02:00. An incremental backup runs on every other night. The "
    "operator on duty checks the report of the backup before nine. A restore drill is held every quarter."
)


@in_browser
def test_a_page_that_is_loaded_again_in_mid_answer_shows_all_of_it(
    page: "playwright.Page", serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase
) -> None:
    with stub_model(says=SLOW, pause_s=0.15) as stub:
        client = serve(shared_base.settings.model_copy(update={"local_llm_url": stub.url}))
        page.goto(str(client.base_url))
        page.get_by_role("textbox").fill("When does the full backup of the database run?")
        page.keyboard.press("Enter")
        page.locator(".answer.writing").get_by_text("Sunday at 02:00").wait_for()
        page.reload()
        page.locator(".from-user").get_by_text("When does the full backup").wait_for()
        page.locator(".answer.writing").get_by_text("Sunday at 02:00").wait_for()
        answer = page.locator(".answer:not(.loading):not(.writing)")
        answer.get_by_text("Escrita por stub").wait_for()
        text = answer.locator(".prose").inner_text()
        assert text.count("Sunday at 02:00") == 1
        assert "A restore drill is held every quarter." in text
        answer.locator(".marker").first.click()
        assert len(stub.asked) == 1, "the answer was resumed, not asked for again"
        page.reload()
        page.get_by_role("textbox").wait_for()
        assert page.locator(".answer").count() == 0


@in_browser
def test_the_stop_button_ends_an_answer_and_keeps_what_was_written(
    page: "playwright.Page", serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase
) -> None:
    with stub_model(says=SLOW, pause_s=0.3) as stub:
        client = serve(shared_base.settings.model_copy(update={"local_llm_url": stub.url}))
        page.goto(str(client.base_url))
        page.get_by_role("textbox").fill("When does the full backup of the database run?")
        page.keyboard.press("Enter")
        page.locator(".answer.writing").get_by_text("Sunday at 02:00").wait_for()
        page.get_by_role("button", name="Parar").click()
        answer = page.locator(".answer:not(.loading):not(.writing)")
        answer.get_by_text("Você parou esta resposta.").wait_for()
        assert "Sunday at 02:00" in answer.locator(".prose").inner_text()
        assert "quarter" not in answer.locator(".prose").inner_text()
        assert page.get_by_role("textbox").is_enabled()
