"""Start, status and cancel by API: requests that the pipeline picks up."""

from collections.abc import Callable

import httpx
from serving_base import KnowledgeBase

from aion_assets.core.learn.trainings import COMPLETE, NO_GAIN, end_training
from aion_assets.core.settings import Settings

_PATH = "/api/ai/train/lora"


def test_one_training_at_a_time_is_asked_for_shown_and_cancelled(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    client = serve(base.settings)
    assert client.get(f"{_PATH}/status").json() == {
        "running": False, "suspended": False, "watch": {"looked_at": None, "says": ""}, "trainings": [],
    }  # fmt: skip
    asked = client.post(f"{_PATH}/start")
    assert asked.status_code == 202 and asked.json()["state"] == "requested"
    second = client.post(f"{_PATH}/start", json={"learner": "ranker"})
    assert second.status_code == 409 and "aion train cancel" in second.json()["next_step"]
    found = client.get(f"{_PATH}/status").json()
    assert found["running"] and found["trainings"][0]["training_id"] == asked.json()["training_id"]
    assert client.post(f"{_PATH}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{_PATH}/cancel").status_code == 404
    assert client.post(f"{_PATH}/start").status_code == 202


def test_the_outcome_is_told_in_a_sentence(base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]) -> None:
    client = serve(base.settings)
    asked = client.post(f"{_PATH}/start").json()
    end_training(base.home, asked["training_id"], COMPLETE, outcome=NO_GAIN, says="Nothing new was taught.")
    told = client.get(f"{_PATH}/status").json()["trainings"][0]
    assert (told["outcome"], told["says"], told["state"]) == ("no gain", "Nothing new was taught.", "complete")


def test_a_learner_that_does_not_exist_is_refused(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    assert serve(base.settings).post(f"{_PATH}/start", json={"learner": "magic"}).status_code == 422
