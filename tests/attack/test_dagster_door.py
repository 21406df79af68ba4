"""Dagster's user interface obeys its own pages in a browser on this machine, and no one else."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any
from urllib.parse import quote

import counts
import httpx
import psutil
import pytest
from dagster_server import REPOSITORY, DagsterServer, dagster_server, wait_for
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from aion_assets.local.foreground import dagster_home, dagster_instance

_STOP = 'mutation { stopRunningSensor(id: "x") { __typename } }'
_LAUNCH = """mutation { launchRun(executionParams: {selector: {repositoryName: "__repository__",
    repositoryLocationName: "aion_assets.definitions", jobName: "reindex"}}) { __typename } }"""
_READ = "{ runsOrError { ... on Runs { results { runId } } } }"
_RUNS = "{ runsOrError { ... on Runs { results { runId jobName tags { key } } } } }"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterServer]:
    folder = tmp_path_factory.mktemp("dagster")
    environment = {
        "AION_HOME": str(folder / "home"),
        "DAGSTER_HOME": str(dagster_home()),
        "PYTHONPATH": str(REPOSITORY),
        "AION_DATABASE_URL": "",
        "AION_DAGSTER_DB": "",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with dagster_instance():
            pass
        with dagster_server(environment, folder) as made:
            yield made


def runs(server: DagsterServer) -> list[dict[str, Any]]:
    """Those that somebody asked for; the daemon's own are marked."""
    own = {"dagster/sensor_name", "dagster/schedule_name", "dagster/from_automation_condition"}
    return [run for run in server.ask(_RUNS)["results"] if not own & {tag["key"] for tag in run["tags"]}]


def foreign(server: DagsterServer) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Method, path, headers and body of what pages of other sites, images, forms and rebound names can send."""
    own, host = server.url, server.url.removeprefix("http://")
    text = json.dumps({"query": _LAUNCH}).encode()
    encoded = quote(_LAUNCH)
    origins = ("", "null", "https://evil.example", "http://127.0.0.1:1", "http://localhost", f"{own}.example", own)
    types = (
        "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/graphql", "application/json", "text/plain; application/json", "application/jsonp",
    )  # fmt: skip
    port = host.partition(":")[2]
    hosts = ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "192.0.2.1", "[::1]x")
    paths, methods = ("/graphql", "/graphql/", f"/graphql?query={encoded}"), ("POST", "PUT", "PATCH", "DELETE")
    for path, method in product(paths, methods):
        for origin, kind in product(origins, types):
            if (origin, kind, method) == (own, "application/json", "POST"):
                continue
            headers = {"Origin": origin, "Content-Type": kind}
            body = _LAUNCH.encode() if kind == "application/graphql" else text
            yield method, path, {name: value for name, value in headers.items() if value}, body
    for name, method in product(hosts, ("GET", "POST")):
        headers = {"Host": name, "Origin": f"http://{name}", "Content-Type": "application/json"}
        yield method, f"/graphql?query={quote(_READ)}", headers, text if method == "POST" else b""
        yield "GET", "/runs", headers, b""
    for asked, accept, method in product((_LAUNCH, _STOP, _READ), ("*/*", "image/*", "text/html"), ("GET", "HEAD")):
        yield method, f"/graphql?query={quote(asked)}", {"Accept": accept, "Origin": "https://evil.example"}, b""
    for path in ("/report_asset_materialization/a", "/report_asset_check/a?check_name=b&passed=true",
                 "/report_asset_observation/a"):  # fmt: skip
        yield "POST", path, {"Origin": "https://evil.example", "Content-Type": "application/json"}, b"{}"
        yield "POST", path, {}, b""
    for mode, site in product(("no-cors", "cors", "websocket"), ("cross-site", "same-site")):
        yield "GET", "/server_info", {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}, b""


def test_nothing_that_a_foreign_page_can_send_is_obeyed(server: DagsterServer) -> None:
    tried = harmed = 0
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        assert client.get("/server_info").headers["cache-control"] == "no-store"
        for method, path, headers, body in foreign(server):
            response = client.request(method, path, headers=headers, content=body or None)
            tried += 1
            harmed += response.text.startswith('{"data"') or "launchRun" in response.text
    harmed += len(runs(server))
    counts.note("requests of foreign pages to Dagster", tried, harmed)
    assert not harmed


def test_a_socket_is_opened_for_its_own_pages_only(server: DagsterServer) -> None:
    address = server.url.replace("http", "ws") + "/graphql"
    opened = []
    origins: list[str | None] = [None, "null", "https://evil.example", "http://127.0.0.1:1", f"{server.url}0"]
    for origin in origins:
        try:
            with connect(address, origin=origin, subprotocols=["graphql-ws"], proxy=None):  # type: ignore[arg-type, list-item]
                opened.append(origin)
        except (WebSocketException, OSError):
            pass
    counts.note("requests of foreign pages to Dagster", len(origins), len(opened))
    assert not opened
    with connect(address, origin=server.url, subprotocols=["graphql-ws"], proxy=None) as socket:  # type: ignore[arg-type, list-item]
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(10))["type"] == "connection_ack"


def test_there_is_no_port_beside_the_guarded_one(server: DagsterServer) -> None:
    port = int(server.url.rpartition(":")[2])
    family = [child for child in psutil.Process().children(recursive=True) if child.is_running()]
    listening = {
        one.laddr.port for child in family for one in child.net_connections("inet") if one.status == psutil.CONN_LISTEN
    }
    assert listening == {port}


class _EvilPage(BaseHTTPRequestHandler):
    """What a page of another site may try against Dagster at `target`."""

    target = ""

    def do_GET(self) -> None:
        launch, stop = quote(_LAUNCH), quote(_STOP)
        body = f"""<html><body>
            <img src="{self.target}/graphql?query={launch}"><img src="{self.target}/graphql?query={stop}">
            <iframe name="hidden"></iframe><iframe src="{self.target}/runs"></iframe>
            <form id="f" method="post" target="hidden" action="{self.target}/graphql?query={launch}"></form>
            <form id="g" method="post" target="hidden" enctype="text/plain" action="{self.target}/graphql">
              <input name='{json.dumps({"query": _LAUNCH})[:-1]}, "x":"' value='"}}'></form>
            <script>
              window.read = [];
              for (const form of document.forms) form.submit();
              const body = JSON.stringify({{query: {json.dumps(_LAUNCH)}}});
              for (const mode of ["no-cors", "cors"])
                for (const type of ["text/plain", "application/json"])
                  fetch("{self.target}/graphql", {{method: "POST", mode, body, headers: {{"Content-Type": type}}}})
                    .then(a => a.text()).then(t => t && window.read.push(t)).catch(() => 0);
              navigator.sendBeacon("{self.target}/graphql?query={launch}");
              const socket = new WebSocket("{self.target.replace("http", "ws")}/graphql", "graphql-ws");
              socket.onopen = () => window.read.push("a socket was opened");
            </script></body></html>""".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def evil_site(target: str) -> Iterator[int]:
    handler = type("Handler", (_EvilPage,), {"target": target})
    site = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield site.server_address[1]
    finally:
        site.shutdown()
        site.server_close()


@pytest.fixture(scope="module")
def browser(server: DagsterServer) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    rules = "--host-resolver-rules=MAP *.example 127.0.0.1"
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium, args=["--no-sandbox", rules])
        yield launched
        launched.close()


def test_a_page_of_another_site_in_a_browser_can_do_nothing(server: DagsterServer, browser: Any) -> None:
    port = server.url.rpartition(":")[2]
    targets = (server.url, f"http://localhost:{port}", f"http://rebound.example:{port}")
    for target in targets:
        with evil_site(target) as site_port:
            page = browser.new_page()
            page.goto(f"http://evil.example:{site_port}/")
            page.wait_for_timeout(2_000)
            assert page.evaluate("window.read") == []
            framed = [
                frame.evaluate("document.body.innerText") for frame in page.frames[1:] if frame.url != "about:blank"
            ]
            assert not any("Queued" in text or "Runs" in text for text in framed)
            page.close()
    page = browser.new_page()
    page.goto(f"http://rebound.example:{port}/graphql?query={quote(_READ)}")
    assert "not known by that host name" in page.inner_text("body")
    page.close()
    counts.note("requests of foreign pages to Dagster", 11 * len(targets) + 1, len(runs(server)))
    assert runs(server) == []


def test_its_own_pages_show_assets_launch_a_run_and_follow_it_live(server: DagsterServer, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1_400, "height": 900})
    errors: list[str] = []
    sockets: list[str] = []
    page.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{server.url}/assets")
    page.get_by_text("Approved primaries, cut so that").wait_for(timeout=60_000)
    page.goto(f"{server.url}/locations/__repository__@aion_assets.definitions/jobs/reindex")
    page.get_by_role("button", name="Materialize all").click(timeout=60_000)
    page.get_by_role("button", name="Confirm").click(timeout=60_000)  # nothing was collected in this home
    wait_for(lambda: runs(server), "the run that the page launches", 60)
    (run,) = runs(server)
    assert run["jobName"] == "reindex"
    page.goto(f"{server.url}/runs/{run['runId']}")
    page.get_by_text(re.compile("^(Success|Failure)$")).first.wait_for(timeout=120_000)  # it came over the socket
    assert sockets and errors == []
    page.close()
    counts.note("pages of Dagster in a browser", 3)
