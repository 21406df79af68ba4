"""The model server as a process, over HTTP, and with the real client of OpenAI."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from model_servers import model_server
from small_llama import small_llama

TOKEN = "a-token-of-the-house"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    with model_server(small_llama(folder / "tiny"), folder / "home", AION_WORKER_TOKEN=TOKEN) as url:
        yield url


@pytest.fixture(scope="module")
def http(url: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=url, timeout=60, trust_env=False, headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0)


def events(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


def test_health_names_the_model_and_needs_no_token(url: str) -> None:
    said = httpx.get(f"{url}/health", trust_env=False).json()
    assert said["base_model"] == "tiny"
    assert len(said["base_digest"]) == 64
    assert (said["adapter_loaded"], said["adapter_version"]) == (False, "")


def test_whoever_lacks_the_token_is_refused(url: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        refused = httpx.post(f"{url}/generate", json={"prompt": "x"}, headers=headers, trust_env=False)
        assert refused.status_code == 401
        assert "AION_WORKER_TOKEN" in refused.json()["next_step"]


def test_generate_takes_prompt_or_input_with_system_and_context(http: httpx.Client) -> None:
    same = {"max_new_tokens": 8, "temperature": 0}
    by_prompt = http.post("/generate", json={"prompt": "the sea", **same}).json()
    by_input = http.post("/generate", json={"input": "the sea", **same}).json()
    other = http.post("/generate", json={"input": "the sea", "system": "be brief", "context": "waves", **same}).json()
    assert by_prompt["ok"] is True
    assert by_prompt["ms"] >= 0
    assert by_prompt["text"] == by_input["text"] != other["text"]
    assert http.post("/generate", json={"prompt": " "}).status_code == 422


def test_a_context_that_is_too_long_is_cut_and_a_question_that_is_too_long_is_refused(http: httpx.Client) -> None:
    asked = {"prompt": "the sea", "context": ["waves " * 200, "wind " * 200], "max_new_tokens": 8}
    assert http.post("/generate", json=asked).json()["ok"] is True
    refused = http.post("/generate", json={"prompt": "the sea " * 200})
    assert refused.status_code == 400
    assert "tokens" in refused.json()["error"]


def test_the_stream_holds_the_same_text_and_ends_with_done(http: httpx.Client) -> None:
    asked = {"prompt": "the sea", "max_new_tokens": 8, "temperature": 0}
    *tokens, done = events(http.post("/stream", json=asked).text)
    assert done == "[DONE]"
    text = "".join(json.loads(token)["token"] for token in tokens)
    assert text == http.post("/generate", json=asked).json()["text"]
    assert events(http.get("/stream", params={"prompt": "the sea"}).text)[-1] == "[DONE]"


def test_embed_takes_a_list_or_a_text_and_nothing_else(http: httpx.Client) -> None:
    vectors = http.post("/embed", json=["mar", "rio"]).json()["vectors"]
    vector = http.post("/embed", json={"text": "mar"}).json()["vector"]
    assert len(vectors) == 2
    assert vectors[0] == pytest.approx(vector, abs=1e-3)
    assert sum(value * value for value in vector) == pytest.approx(1, abs=1e-3)
    for wrong in ({}, [], {"text": ""}):
        assert http.post("/embed", json=wrong).status_code == 400


def test_the_client_of_openai_lists_chats_streams_and_embeds(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert model.id == "tiny"
    asked = {
        "model": model.id,
        "messages": [{"role": "user", "content": "the sea"}],
        "max_tokens": 8,
        "temperature": 0,
    }
    whole = client.chat.completions.create(**asked)
    chunks = [*client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})]
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == streamed
    assert whole.choices[0].finish_reason in ("stop", "length")
    assert chunks[-1].usage == whole.usage
    embedded = client.embeddings.create(model="any", input=["mar", "rio"])
    assert [len(item.embedding) for item in embedded.data] == [384, 384]


def test_what_is_too_long_is_refused_in_the_words_of_the_protocol(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "the sea " * 200}], stream=True
        )
    assert refused.value.code == "context_length_exceeded"


def test_an_adapter_is_taken_up_while_it_serves_and_a_bad_one_is_refused(tmp_path: Path) -> None:
    import shutil

    from trainer.base_model import load_base_model
    from trainer.sft import SftConfig, train_adapter

    base = small_llama(tmp_path / "tiny")
    rows = [[{"role": "user", "content": "the sea"}, {"role": "assistant", "content": "blue waves"}]] * 4
    quick = SftConfig(rank=4, learning_rate=2e-2, epochs=20, batch_tokens=256, accumulation=1, dropout=0.0)
    record = train_adapter(load_base_model(str(base)), rows, quick, tmp_path / "run").record
    adapters = tmp_path / "home" / "adapters"
    shutil.copytree(tmp_path / "run" / "adapter", adapters / "good")
    shutil.copytree(tmp_path / "run" / "adapter", adapters / "bad")
    (adapters / "bad" / "adapter_config.json").write_text("{}")
    asked = {"prompt": "the sea", "temperature": 0, "max_new_tokens": 12}
    with (
        model_server(base, tmp_path / "home") as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as http,
    ):
        assert http.get("/health").json()["adapter_loaded"] is False
        assert http.post("/generate", json=asked).json()["text"] != "blue waves"
        loaded = http.post("/adapter/reload", json={"name": "good"}).json()
        assert loaded == {"adapter_loaded": True, "adapter_version": record.digest}
        refused = http.post("/adapter/reload", json={"name": "bad"})
        assert refused.status_code == 409
        assert "not those that were trained" in refused.json()["error"]
        for name in ("../adapters/good", "/etc", "nothing"):
            assert http.post("/adapter/reload", json={"name": name}).status_code == 409
        said = http.post("/generate", json=asked).json()
        assert (said["text"], said["adapter"]) == ("blue waves", record.digest)
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        chat = [{"role": "user", "content": "the sea"}]
        answer = client.chat.completions.create(model="tiny", messages=chat, temperature=0, max_tokens=12)
        assert answer.system_fingerprint is not None
        assert answer.system_fingerprint.endswith(f"+{record.digest[:12]}")
        assert http.post("/adapter/reload", json={"none": True}).json()["adapter_loaded"] is False
    (adapters / "current").symlink_to("good")
    with model_server(base, tmp_path / "home") as url:
        assert httpx.get(f"{url}/health", trust_env=False).json()["adapter_version"] == record.digest


def test_a_base_model_is_needed_and_named_when_it_cannot_be_loaded(home: object) -> None:
    import os
    import subprocess
    import sys

    command = [sys.executable, "-m", "aion_assets", "model-server"]
    for value, says in (("", "AION_BASE_MODEL is empty"), ("/no/such.gguf", "/no/such.gguf")):
        environment = os.environ | {"AION_BASE_MODEL": value, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert says in done.stderr.replace("\n", "")
