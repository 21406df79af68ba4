"""Tokens per second of the generator: eight answers at once, beside one after the other through `model.generate`.

python -m bench.generation MODEL [--threads N]
"""

import argparse
import threading
import time

from trainer.base_model import BaseModel, load_base_model
from trainer.generation import Limits
from trainer.generator import Generator

_QUESTIONS = ("the sea", "the moon", "bread", "a river", "old books", "the wind", "a garden", "trains")
_TOKENS = 48


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("model")
    options.add_argument("--threads", type=int, default=1)
    given = options.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    base = load_base_model(given.model)
    alone, together = _one_by_one(base), _at_once(base)
    print(f"threads {given.threads}: one by one {alone:.1f} tokens/s, eight at once {together:.1f} tokens/s, "  # noqa: T201
          f"ratio {together / alone:.1f}")  # fmt: skip


def _messages(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Write a long story about {question}."}]


def _one_by_one(base: BaseModel) -> float:
    import torch

    generator = Generator(base)
    prompts = [generator.template.tokens(_messages(question)) for question in _QUESTIONS[:3]]
    generator.close()
    started, tokens = time.monotonic(), 0
    for prompt in prompts:
        ids = torch.tensor([prompt], device=base.device)
        made = base.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=_TOKENS, do_sample=False)
        tokens += made.shape[1] - ids.shape[1]
    return tokens / (time.monotonic() - started)


def _at_once(base: BaseModel) -> float:
    generator = Generator(base)
    limits = Limits(max_new_tokens=_TOKENS, temperature=0, timeout_s=600)
    counts: list[int] = []

    def ask(question: str) -> None:
        text = "".join(generator.stream(_messages(question), limits))
        counts.append(len(base.tokenizer(text, add_special_tokens=False)["input_ids"]))

    threads = [threading.Thread(target=ask, args=(question,)) for question in _QUESTIONS]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    generator.close()
    return sum(counts) / seconds


if __name__ == "__main__":
    main()
