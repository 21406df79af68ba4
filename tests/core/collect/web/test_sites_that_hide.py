"""Sites that browsers show and crawlers lose: gates, names that mislead, redirects of pages, types that are wrong."""

import io
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote, unquote

import brotli
import pytest
from collecting import Page, Site, collect, html, source_of

from aion_assets.core.collect.scarcity import ReasonCount
from aion_assets.core.collect.web.markup import asks_not_to_be_indexed
from aion_assets.core.fetch.error_pages import says_it_is_an_error
from aion_assets.core.fetch.media import type_of_answer
from aion_assets.core.records import Outcome
from aion_assets.core.settings import Settings

Route = Callable[[BaseHTTPRequestHandler], None]


def gated(page: Page, gate: str = "", cookie: str = "visto=sim; Path=/") -> Route:
    """A page behind a gate: an address of its own, or the page's when none is given."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        passed = "visto=sim" in (request.headers.get("Cookie") or "")
        request.send_response(200 if passed else 302)
        if not passed:
            request.send_header("Location", gate or request.path)
            request.send_header("Set-Cookie", cookie if not gate else "inicio=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT")
        body = page.body if passed else b""
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def handing_out(target: str) -> Route:
    """A gate: it sets the cookie that opens the page, and leads back."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        assert "inicio=1" in (request.headers.get("Cookie") or "")
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Set-Cookie", "visto=sim; Path=/")
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def test_a_gate_that_leads_back_with_a_cookie_is_passed_and_a_loop_is_not(
    site: Site, loopback_settings: Settings
) -> None:
    site.pages = {
        "/": gated(html("/a", "/loop", text="início")),
        "/a": gated(html(text="página a")),
        "/loop": gated(html(), cookie="outro=1"),
    }
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.outcomes() == {"/": "stored", "/a": "stored", "/loop": "stored"}
    site.pages = {"/": gated(html(), cookie="outro=1")}
    assert collect(source_of("web", site.root), loopback_settings).outcomes() == {"/": "error"}


def test_a_gate_at_an_address_of_its_own_is_passed(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/": gated(html("/b", text="início"), gate="/aviso?de=/"),
        "/aviso?de=/": handing_out("/"),
        "/b": gated(html(text="página b"), gate="/aviso?de=/b"),
    }
    assert collect(source_of("web", site.root), loopback_settings).outcomes() == {"/": "stored", "/b": "stored"}


def test_a_gate_that_hands_out_its_cookie_at_its_own_address_only_is_passed(
    site: Site, loopback_settings: Settings
) -> None:
    def gate(request: BaseHTTPRequestHandler) -> None:
        consented = "consentimento=sim" in (request.headers.get("Cookie") or "")
        at_gate, _, back = request.path.partition("?volta=")
        body = site.pages["/texto"].body if consented else b""
        request.send_response(200 if consented and at_gate != "/aviso" else 302)
        if at_gate == "/aviso":
            request.send_header("Location", unquote(back))
            request.send_header("Set-Cookie", "consentimento=sim; Path=/")
        elif not consented:
            request.send_header("Location", f"/aviso?volta={quote(request.path, safe='')}")
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages = {"/": gate, "/aviso?volta=%2F": gate, "/texto": html(text="depois do aviso")}
    assert collect(source_of("web", site.root), loopback_settings).outcomes()["/"] == "stored"


def test_cookies_that_no_gate_asked_for_are_not_sent(site: Site, loopback_settings: Settings) -> None:
    sent: list[str] = []

    def page(request: BaseHTTPRequestHandler) -> None:
        sent.append(request.headers.get("Cookie") or "")
        body = b"<html><body><p>texto</p><a href=/lingua>x</a><a href=/c>x</a></body></html>" + request.path.encode()
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Set-Cookie", "lingua=en")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    language = Page(status=302, headers={"Location": "/d", "Set-Cookie": "lingua=en"})
    site.pages = {"/": page, "/c": page, "/d": page, "/lingua": language}
    outcomes = collect(source_of("web", site.root), loopback_settings).outcomes()
    assert outcomes == {"/": "stored", "/c": "stored", "/d": "stored", "/lingua": "redirect"}
    # The gate is tried once with the cookie; the page itself is then visited without.
    assert sorted(sent)[:3] == ["", "", ""]


@pytest.mark.parametrize(
    "head",
    [
        '<meta http-equiv="refresh" content="0; /dentro">',
        "<meta http-equiv=Refresh content=\"2 ,URL = '/dentro'\">",
        "<noscript><meta http-equiv='refresh' content='0;url=/dentro'></noscript>",
        "<script>if (top == self) { window.location.href = '/dentro'; }</script>",
        '<script>location.replace("/dentro")</script>',
    ],
)
def test_a_page_that_only_leads_on_is_a_redirect(site: Site, loopback_settings: Settings, head: str) -> None:
    site.pages = {"/": Page(f"<html><head>{head}</head><body></body></html>".encode()), "/dentro": html(text="dentro")}
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.outcomes() == {"/": "redirect", "/dentro": "stored"}
    assert collected.report.complete


def test_a_page_that_reloads_itself_or_has_a_text_is_a_page(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/": html("/x", text="agora", head='<meta http-equiv="refresh" content="300">'),
        "/x": html(text="Leia antes. " * 20, head='<meta http-equiv="refresh" content="20;url=/">'),
    }
    assert collect(source_of("web", site.root), loopback_settings).outcomes() == {"/": "stored", "/x": "stored"}


def test_queries_are_sent_in_the_encoding_of_their_page_and_paths_in_utf_8(
    site: Site, loopback_settings: Settings
) -> None:
    links = '<a href="/lista.asp?cidade=São Luís">x</a><a href="/água.html">x</a><a href="/p?q=€">x</a>'
    page = f'<html><head><meta charset="windows-1252"></head><body>{links}</body></html>'.encode("cp1252")
    site.pages = {
        "/": Page(page, headers={"Content-Type": "text/html"}),
        "/lista.asp?cidade=S%E3o%20Lu%EDs": html(text="São Luís"),
        "/%C3%A1gua.html": html(text="água"),
        "/p?q=%80": html(text="euro"),
    }
    assert set(collect(source_of("web", site.root), loopback_settings).outcomes().values()) == {"stored"}


def test_pages_that_ask_not_to_be_indexed_are_left_out_and_their_links_followed(
    site: Site, loopback_settings: Settings
) -> None:
    robots = '<meta name="ROBOTS" content="{}">'
    site.pages = {
        "/": html("/lista", "/rascunho", "/cabecalho", "/outro", "/print.html", text="início"),
        "/lista": html("/item", text="uma lista", head=robots.format("noindex")),
        "/item": html(text="um item"),
        "/rascunho": html("/segredo", text="rascunho", head=robots.format("none")),
        "/segredo": html(text="segredo"),
        "/cabecalho": Page(b"<p>x", headers={"Content-Type": "text/html", "X-Robots-Tag": "noindex, nofollow"}),
        "/outro": Page(b"<p>y", headers={"Content-Type": "text/html", "X-Robots-Tag": "googlebot: noindex"}),
        "/print.html": html(text="tudo de uma vez", head=robots.format("noindex")),
    }
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.outcomes() == {
        "/": "stored",
        "/lista": "robots",
        "/item": "stored",
        "/rascunho": "robots",
        "/cabecalho": "robots",
        "/outro": "stored",
        "/print.html": "stored",
    }
    assert collected.rows[f"{site.root}/lista"].reason == "the page asks not to be indexed (noindex)"


@pytest.mark.parametrize(
    ("header", "asks"),
    [
        ("noindex", True),
        ("none", True),
        ("nofollow", False),
        ("aion: noindex", True),
        ("bingbot: noindex", False),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noindex", True),
    ],
)
def test_a_robots_header_holds_for_all_or_for_the_robot_that_it_names(header: str, asks: bool) -> None:
    assert asks_not_to_be_indexed(header, "AION/1.0 (contact)") is asks


@pytest.mark.parametrize(
    ("title", "heading", "characters", "is_error"),
    [
        ("Ops! Página não encontrada – Prefeitura", "", 120, True),
        ("Portal", "Erro 404", 90, True),
        ("O conteúdo que você procura não está mais disponível", "", 200, True),
        ("Page not found | Site", "Oh no", 300, True),
        ("Site em manutenção", "", 60, True),
        ("Acesso negado", "", 60, True),
        ("Sua sessão expirou", "Sua sessão expirou", 60, True),
        ("Achados e perdidos", "Objetos encontrados na rodoviária", 400, False),
        ("Lei 404 de 2003", "Lei 404", 900, False),
        ("Manual de erros", "Página não encontrada: o que fazer", 5_000, False),
    ],
)
def test_a_short_page_that_says_it_is_an_error_is_recognised(
    title: str, heading: str, characters: int, is_error: bool
) -> None:
    assert says_it_is_an_error(title, heading, characters) is is_error


def test_a_page_that_turned_into_an_error_page_is_gone(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html("/taxas", text="início"), "/taxas": html(text="a taxa é de R$ 3,00", etag='"1"')}
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)
    site.pages["/taxas"] = html(text="Volte ao início.", head="<title>Página não encontrada</title>")
    assert collect(source, loopback_settings, first.known(), "second").outcomes()["/taxas"] == "gone"


def office(part: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("declared", "name", "body", "taken"),
    [
        ("application/msword", "edital.docx", office("word/document.xml"), WORD),
        ("application/msword", "baixar", office("word/document.xml"), WORD),
        ("application/octet-stream", "", office("xl/workbook.xml"), EXCEL),
        ("application/vnd.ms-excel", "vagas.csv", b"cargo;vagas\nvigia;2\n", "text/csv"),
        ("application/vnd.ms-excel", "", b"cargo;vagas\nvigia;2\n", "text/csv"),
        ("application/vnd.ms-excel", "rel.xls", b"<html><table><tr><td>1</table>", "text/html"),
        ("text/html", "vagas.csv", b"cargo;vagas\nvigia;2\n", "text/csv"),
        ("application/x-pdf", "", b"%PDF-1.4", "application/pdf"),
        ("application/msword", "velho.doc", OLE, ""),
        ("application/vnd.ms-excel", "velho.xls", OLE, ""),
        ("application/zip", "tudo.zip", office("foto.png"), ""),
        ("video/mp4", "a.docx", office("word/document.xml"), ""),
    ],
)
def test_the_body_tells_the_type_where_the_header_is_wrong(declared: str, name: str, body: bytes, taken: str) -> None:
    assert type_of_answer(declared, name, body) == taken


def test_brotli_is_unpacked_though_nobody_asked_for_it_and_a_bomb_is_stopped(
    site: Site, loopback_settings: Settings
) -> None:
    headers = {"Content-Type": "text/html", "Content-Encoding": "br"}
    page = brotli.compress(("<p>" + "Quadra a quarenta reais. " * 400).encode())
    site.pages = {
        "/": html("/ok", "/bomba", "/cortada", text="início"),
        "/ok": Page(page, headers=headers),
        "/bomba": Page(brotli.compress(b"\0" * 50_000_000), headers=headers),
        "/cortada": Page(page[:-20], headers=headers),
    }
    settings = loopback_settings.model_copy(update={"max_fetch_bytes": 200_000})
    collected = collect(source_of("web", site.root), settings)
    assert collected.outcomes() == {"/": "stored", "/ok": "stored", "/bomba": "too-big", "/cortada": "error"}


def test_a_site_that_gave_hardly_a_page_says_why() -> None:
    count = ReasonCount()
    count.add(Outcome.STORED, "")
    assert count.remark().startswith("only 1 page was found: no link of the site leads further")
    for number in range(9):
        count.add(Outcome.DUPLICATE, f"same content as http://x.br/{number}")
    count.add(Outcome.ROBOTS, "robots.txt disallows it")
    assert count.remark() == (
        "only 1 page was taken of 11 addresses: 9 duplicate (same content as), 1 robots (robots.txt disallows it)"
    )
    for _ in range(20):
        count.add(Outcome.STORED, "")
    assert count.remark() == ""
    count = ReasonCount()
    count.add(Outcome.REDIRECT, "302 to http://x.br/entrar")
    assert count.remark().startswith("no page was found: redirects (1) led to none")
