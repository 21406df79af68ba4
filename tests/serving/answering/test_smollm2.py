"""SmolLM2, a real model of one's own, answers over the real chat API: streamed, and with a citation that holds."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest
from model_servers import model_server
from real_models import smollm2
from serving_base import KnowledgeBase

from aion_assets.core.settings import Settings

pytestmark = pytest.mark.timeout(900)
QUESTION = "How often is a restore drill held?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with model_server(smollm2(), tmp_path_factory.mktemp("smollm2") / "home") as url:
        yield url


@pytest.fixture
def chat(shared_base: KnowledgeBase, serve: Callable[[Settings], httpx.Client], served: str) -> httpx.Client:
    """A client of a server that has SmolLM2 write."""
    changed = {"local_llm_url": served, "temperature": 0.0, "max_new_tokens": 48, "answer_timeout_s": 240.0}
    client = serve(shared_base.settings.model_copy(update=changed))
    client.timeout = 300
    return client


def test_a_question_is_answered_by_the_model_piece_by_piece_with_a_citation_that_holds(chat: httpx.Client) -> None:
    with chat.stream("POST", "/api/chat/stream", json={"message": QUESTION}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        kinds, bodies = [], []
        for line in response.iter_lines():
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
            elif line.startswith("data: "):
                bodies.append(json.loads(line.removeprefix("data: ")))
    assert kinds[-1] == "answer"
    answer = bodies[-1]
    assert "".join(body["text"] for body, kind in zip(bodies, kinds, strict=True) if kind == "text") == answer["text"]
    assert (answer["used"], answer["provider"]) == ("generative", "local")
    assert re.fullmatch(r"SmolLM2-135M-Instruct@[0-9a-f]{12}", answer["model"]), "name and digest of its weights"
    assert "every quarter" in answer["text"]
    assert answer["text"].endswith("]")
    first = answer["citations"][0]
    assert "every quarter" in first["quote"]
    assert first["title"] == "Backup procedure"
    why = chat.get(f"/api/answers/{answer['answer_id']}/why").json()
    assert why["passages"][0]["fetch"]["outcome"] == "stored"


def test_the_client_of_openai_gets_the_answer_with_its_sources(chat: httpx.Client) -> None:
    client = openai.OpenAI(base_url=f"{str(chat.base_url).rstrip('/')}/v1", api_key="none", max_retries=0, timeout=300)
    assert [model.id for model in client.models.list().data] == ["aion"]
    asked = {"model": "aion", "messages": [{"role": "user", "content": QUESTION}]}
    whole = client.chat.completions.create(**asked)
    text = whole.choices[0].message.content
    assert text is not None
    assert "every quarter" in text
    assert "Sources:\n[1] Backup procedure" in text
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 0
    extra = whole.model_extra
    assert extra is not None
    assert extra["citations"][0]["number"] == 1
    assert extra["aion"]["used"] == "generative"
    chunks = [*client.chat.completions.create(**asked, stream=True)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].model_extra is not None
    assert chunks[-1].model_extra["citations"] == extra["citations"]
    embedded = client.embeddings.create(model="aion", input="férias")
    assert len(embedded.data[0].embedding) == 384


def test_the_packed_file_is_read_like_the_folder(tmp_path: Path) -> None:
    from real_models import smollm2_gguf

    from trainer.base_model import load_base_model
    from trainer.chat_template import ChatTemplate

    packed = load_base_model(str(smollm2_gguf()))
    template = ChatTemplate(packed.tokenizer)
    assert packed.name.startswith("SmolLM2-135M-Instruct")
    assert packed.context_tokens == 8192
    assert template.is_own
    assert template.end_ids == {packed.tokenizer.convert_tokens_to_ids("<|im_end|>")}
