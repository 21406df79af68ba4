"""What a hostile page, name or body may do: nothing."""

import httpx
import pytest


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    for path in ("/", "/docs", "/health", "/static/chat.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy, path
        assert "unsafe-inline" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert "access-control-allow-origin" not in headers, path


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[::1", "192.0.2.1"]
)
def test_a_foreign_host_name_on_loopback_is_refused(client: httpx.Client, host: str) -> None:
    response = client.get("/api/sources", headers={"host": host})
    assert response.status_code == 400
    assert "error" in response.json()


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_the_names_of_loopback_are_known(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


def test_a_page_of_another_site_cannot_act(client: httpx.Client) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[::"):
        response = client.post(
            "/curation/action", json={"doc_ids": ["x"], "action": "reject"}, headers={"origin": origin}
        )
        assert response.status_code == 403, origin


def test_the_servers_own_page_may_act(client: httpx.Client) -> None:
    origin = f"http://{client.base_url.netloc.decode()}"
    assert client.post("/api/chat", json={"message": "férias?"}, headers={"origin": origin}).status_code == 200


def test_a_monitor_may_ask_for_headers_alone(client: httpx.Client) -> None:
    for path in ("/", "/health", "/ready", "/docs"):
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b""), path
    assert client.head("/nothing").status_code == 404


def test_no_other_site_may_read(client: httpx.Client) -> None:
    asks = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    response = client.options("/api/chat", headers=asks)
    assert "access-control-allow-origin" not in response.headers


def test_a_json_body_beyond_the_limit_is_413(client: httpx.Client) -> None:
    response = client.post("/api/chat", json={"message": "x" * 1_100_000})
    assert response.status_code == 413
    assert response.json()["next_step"]


def test_an_endless_body_without_a_length_is_413(client: httpx.Client) -> None:
    def endless() -> object:
        for _ in range(40):
            yield b"x" * 100_000

    response = client.post("/api/chat", content=endless(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_an_unknown_path_and_a_wrong_method_are_plain_errors(client: httpx.Client) -> None:
    for response, status in ((client.get("/nothing"), 404), (client.get("/api/chat"), 405)):
        assert response.status_code == status
        assert set(response.json()) == {"error", "next_step"}


def test_an_address_with_a_nul_is_refused(client: httpx.Client) -> None:
    for path in ("/api/answers/%00/why", "/kb/items/%00/original"):
        assert client.get(path).status_code == 400
