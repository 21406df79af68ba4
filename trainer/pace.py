"""How fast this machine trains a model: measured on the first layers of it, with random weights.

A step is products of matrices, which some processors compute ten times faster than others, and much that is limited by
memory. So no figure of a machine tells its pace for a model; a few layers of that model do.
"""

import statistics
import time
from collections.abc import Sequence
from typing import Any

from trainer.base_model import ModelFiles, configuration_of, training_precision
from trainer.sft import Sample, SftConfig, answer_loss, batches, lora_of

# The difference between the two is that of one layer, and the rest that of embeddings, head and loss.
_LAYERS = (2, 6)
# The first one of a model finds memory and chooses kernels, and other work may come between.
_TRIES = 4


def seconds_per_token(files: ModelFiles, samples: Sequence[Sample], config: SftConfig) -> float:
    """Of training on these samples, padding included, as a plan counts its tokens."""
    chosen = _middle_batch(samples, config)
    few, more = (_seconds(files, layers, chosen, config) for layers in _LAYERS)
    layers = configuration_of(files).get_text_config().num_hidden_layers
    return of_layers(layers, few, more) / (len(chosen) * max(len(sample.ids) for sample in chosen))


def of_layers(layers: int, few: float, more: float) -> float:
    """Seconds of so many layers, from those of the two numbers of layers that were measured."""
    one = max(0.0, more - few) / (_LAYERS[1] - _LAYERS[0])
    return few + one * (layers - _LAYERS[0])


def _middle_batch(samples: Sequence[Sample], config: SftConfig) -> list[Sample]:
    made = sorted(batches(samples, config.batch_tokens, config.seed), key=lambda batch: _tokens(samples, batch))
    return [samples[number] for number in made[len(made) // 2]]


def _tokens(samples: Sequence[Sample], batch: Sequence[int]) -> int:
    return sum(len(samples[number].ids) for number in batch)


def _seconds(files: ModelFiles, layers: int, chosen: Sequence[Sample], config: SftConfig) -> float:
    """Of one batch, forwards and back, through so many layers."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    shape = configuration_of(files)
    text = shape.get_text_config()
    text.num_hidden_layers = layers
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:layers]
    device, precision = training_precision()
    model_class: Any = AutoModelForCausalLM
    model = model_class.from_config(shape, trust_remote_code=False, dtype=precision).to(device)
    wrapped: Any = get_peft_model(model, lora_of(config)).train()
    seconds = []
    for _try in range(_TRIES):
        begin = time.perf_counter()
        loss: Any = answer_loss(wrapped, chosen)
        loss.backward()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])
