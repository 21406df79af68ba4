"""Rows a second of the generator's training, beside a plain Trainer that pads every row to 1 024 tokens.

python -m bench.training_speed MODEL FOLDER [--rows N] [--threads N]

FOLDER is a labelled set: a row is a question with its right passage, and the first expected answer. Both sides train a
LoRA adapter of one configuration on the same rows in the same process, one after the other, each once over all rows.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aion_assets.core.answer.prompt import render_prompt
from aion_assets.core.learn.labelled import load_labelled_set
from aion_assets.core.records import Passage, Place
from trainer.base_model import load_base_model
from trainer.sft import Conversation, Sample, SftConfig, encode, lora_of, train_adapter

_LENGTH = 1024
# Samples that the plain Trainer computes at once: two of them have the tokens of one batch of `SftConfig`.
_BATCH, _ACCUMULATION = 2, 4


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("model")
    options.add_argument("folder", type=Path)
    options.add_argument("--rows", type=int, default=64)
    options.add_argument("--threads", type=int, default=1)
    given = options.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    base = load_base_model(given.model)
    rows = _rows(given.folder, given.rows)
    samples, _ = encode(rows, base.tokenizer, _LENGTH)
    tokens = sum(len(sample.ids) for sample in samples)
    plain = _plain_trainer(given.model, samples)
    with TemporaryDirectory() as folder:
        started = time.monotonic()
        train_adapter(base, rows, SftConfig(), Path(folder))
        own = time.monotonic() - started
    found = {"rows": len(samples), "tokens_of_a_row": round(tokens / len(samples)), "threads": given.threads}
    speed = {"plain": round(len(samples) / plain, 3), "aion": round(len(samples) / own, 3)}
    print(json.dumps({**found, "rows_per_second": speed, "ratio": round(plain / own, 2)}))  # noqa: T201


def _rows(folder: Path, most: int) -> list[Conversation]:
    found = load_labelled_set(folder, most)
    documents = (json.loads(line) for line in (folder / "corpus.jsonl").read_text("utf-8").split("\n") if line)
    texts = {str(document["_id"]): str(document["text"]) for document in documents}
    rows: list[Conversation] = []
    for question in found.queries:
        if question.answers and question.relevant:
            name = next(iter(question.relevant))
            passage = Passage(name, name, "", "", "", "", Place(), texts[name])
            prompt = render_prompt(question.text, [passage], "en")
            rows.append([*prompt.messages, {"role": "assistant", "content": f"{question.answers[0]} [1]"}])
    return rows


def _plain_trainer(model: str, samples: list[Sample]) -> float:
    """Seconds of one epoch."""
    import torch
    from peft import get_peft_model
    from transformers import Trainer, TrainingArguments

    config = SftConfig()
    wrapped: Any = get_peft_model(load_base_model(model).model, lora_of(config))

    def padded(sample: Sample) -> dict[str, Any]:
        rest = _LENGTH - len(sample.ids)
        return {
            "input_ids": torch.tensor([*sample.ids, *[0] * rest]),
            "attention_mask": torch.tensor([*[1] * len(sample.ids), *[0] * rest]),
            "labels": torch.tensor([*sample.labels, *[-100] * rest]),
        }

    with TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=_BATCH,
            gradient_accumulation_steps=_ACCUMULATION,
            learning_rate=config.learning_rate,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = Trainer(model=wrapped, args=arguments, train_dataset=[padded(sample) for sample in samples])
        started = time.monotonic()
        trainer.train()
        return time.monotonic() - started


if __name__ == "__main__":
    main()
