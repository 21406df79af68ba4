"""Training an adapter of an embedding model: to the bit, resumed or not, and merged into a model like any other."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from models import minilm_model
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from aion_assets.core.errors import AdapterError, EmbedderError
from aion_assets.core.index.adapted_model import Adaptation, merge_adapter, remove_adapted, root_of
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.learn.contrastive_rows import ContrastiveRows, Passage, Row
from trainer.contrastive import ContrastiveConfig, hard_negatives, train_contrastive
from trainer.embedder import Embedder
from trainer.encoder import TrainableEncoder

WORDS = ("sea", "river", "road", "wind", "hill", "lake", "snow", "rain")
SMALL = {"rank": 4, "learning_rate": 3e-3, "epochs": 3, "least_steps": 0, "batch": 4, "checkpoint_every": 2}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingModel:
    """MiniLM's first layer, a third as wide."""
    folder = tmp_path_factory.mktemp("base") / "small"
    shutil.copytree(minilm_model().folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"num_hidden_layers": 1, "hidden_size": 128, "num_attention_heads": 4, "intermediate_size": 256}
    (folder / "config.json").write_text(json.dumps(config))
    weights = {
        name: value[tuple(slice(None, {384: 128, 1536: 256}.get(size, size)) for size in value.shape)]
        for name, value in load_file(folder / "model.safetensors").items()
        if ".layer." not in name or ".layer.0." in name
    }
    tensors = {name: np.ascontiguousarray(value) for name, value in weights.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return find_embedding_model(str(folder), folder.parent)


@pytest.fixture(scope="module")
def data(base: EmbeddingModel) -> ContrastiveRows:
    texts = [f"The {word} is near the town." for word in WORDS]
    passages = [Passage(f"c{number}", f"d{number}", text) for number, text in enumerate(texts)]
    rows = [Row(f"what about {word}", number, 1.0, "click", f"a{number}") for number, word in enumerate(WORDS)]
    return ContrastiveRows(passages, Embedder(base, "fp32").embed(texts), rows)


@pytest.mark.parametrize("mode", ["query", "full"])
def test_the_same_rows_give_the_same_bytes_also_when_resumed(
    base: EmbeddingModel, data: ContrastiveRows, tmp_path: Path, mode: str
) -> None:
    config = ContrastiveConfig(mode=mode, **SMALL)  # type: ignore[arg-type]
    whole = train_contrastive(TrainableEncoder(base), data, config, tmp_path / "whole")
    assert whole.losses[-1] < whole.losses[0]

    def killed(step: int, _steps: int, _loss: float) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_contrastive(TrainableEncoder(base), data, config, tmp_path / "killed", killed)
    steps: list[int] = []
    again = train_contrastive(
        TrainableEncoder(base), data, config, tmp_path / "killed", lambda step, _steps, _loss: steps.append(step)
    )
    assert steps[0] == 5, "from the checkpoint after step 4"
    assert again.record.digest == whole.record.digest
    weights = [(tmp_path / name / "adapter" / "adapter_model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("mode", ["query", "full"])
def test_the_cosines_of_a_question_keep_their_level(
    base: EmbeddingModel, data: ContrastiveRows, tmp_path: Path, mode: str
) -> None:
    """The softmax looks at differences alone, but ranker, quotes and confidence were fitted on cosines as they are."""
    questions = [row.question for row in data.rows]

    def cosines(model: EmbeddingModel) -> NDArray[np.float32]:
        passages = Embedder(model, "fp32").embed([passage.text for passage in data.passages])
        return (
            np.stack([Embedder(model, "fp32").embed_query(text) for text in questions])
            @ (passages if mode == "full" else data.vectors).T
        )

    def moved(level: float) -> float:
        folder = tmp_path / str(level)
        config = ContrastiveConfig(mode=mode, level=level, **SMALL | {"epochs": 12})  # type: ignore[arg-type]
        result = train_contrastive(TrainableEncoder(base), data, config, folder)
        name = merge_adapter(
            base, folder / "adapter", Adaptation(base.embedder_id, result.record.digest, 1.0), tmp_path / "models"
        )
        after = cosines(find_embedding_model(name, tmp_path))
        return float(np.abs((after - cosines(base)).mean(axis=1)).mean() / cosines(base).std())

    assert 3 * moved(0.1) < moved(0.0)


def test_a_merged_model_embeds_as_base_and_adapter_together(
    base: EmbeddingModel, data: ContrastiveRows, tmp_path: Path
) -> None:
    config = ContrastiveConfig(mode="full", **SMALL)  # type: ignore[arg-type]
    encoder = TrainableEncoder(base)
    result = train_contrastive(encoder, data, config, tmp_path)
    models = tmp_path / "home" / "models"
    found = {}
    for scale in (1.0, 0.25):
        wanted = Adaptation(base.embedder_id, result.record.digest, scale)
        name = merge_adapter(base, tmp_path / "adapter", wanted, models)
        assert root_of(name, models) == base.embedder_id
        found[scale] = find_embedding_model(name, tmp_path / "home")
    texts = ("Qual é o prazo?", "The answer is in the second paragraph.", "artigo 5º, inciso II")
    whole, part = (np.stack([Embedder(found[scale], "fp32").embed_query(text) for text in texts]) for scale in found)
    assert np.abs(whole - result.record.fingerprint.with_it).max() < 1e-4
    apart = (np.linalg.norm(each - result.record.fingerprint.without) for each in (whole, part))
    assert next(apart) > next(apart) > 0
    assert found[1.0].encoder == base.encoder and found[1.0].max_tokens == base.max_tokens

    gone = remove_adapted(models, frozenset([found[1.0].name]))
    assert gone == [found[0.25].name] and [path.name for path in models.iterdir()] == [found[1.0].name]
    (models / found[1.0].name / "tokenizer.json").write_text("{}")
    find_embedding_model.__globals__["_find"].cache_clear()
    with pytest.raises(EmbedderError, match="is not as it was written"):
        find_embedding_model(found[1.0].name, tmp_path / "home")
    with pytest.raises(EmbedderError, match="is not there"):
        find_embedding_model("adapted-0123456789abcdef", tmp_path / "home")


def test_a_broken_or_foreign_adapter_leaves_no_model(base: EmbeddingModel, tmp_path: Path) -> None:
    models = tmp_path / "models"
    wanted = Adaptation(base.embedder_id, "d", 1.0)
    with pytest.raises(AdapterError, match="no whole adapter"):
        merge_adapter(base, tmp_path / "adapter", wanted, models)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"r": 1, "lora_alpha": 1}')
    layer = "base_model.model.encoder.layer.0.attention.self.query"
    tensors = {f"{layer}.lora_{part}.weight": np.zeros((1, 7), np.float32) for part in "AB"}
    save_file(tensors, tmp_path / "adapter" / "adapter_model.safetensors")
    with pytest.raises(AdapterError, match="does not fit"):
        merge_adapter(base, tmp_path / "adapter", wanted, models)
    assert not models.exists() or not [*models.iterdir()]


def test_a_hard_wrong_passage_is_of_another_document_and_not_nearly_the_right_one() -> None:
    def unit(*values: float) -> np.ndarray:
        return np.array(values, dtype=np.float32) / np.linalg.norm(values)

    vectors = np.stack([unit(1, 0, 0), unit(1, 0.01, 0), unit(1, 1, 0), unit(0, 1, 0)])
    passages = [Passage(f"c{number}", doc, "") for number, doc in enumerate(("a", "b", "a", "c"))]
    data = ContrastiveRows(passages, vectors, [Row("q", 0, 1.0, "click", "x")])
    assert hard_negatives(data, unit(1, 0, 0)[None], 0.95, 2) == [[3]]
