"""The families of open models, by the formats that they publish: template, end of a turn, overflow, thoughts.

Each has a tokenizer of bytes with the family's own marks, and weights that always say one token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from small_llama import bytes_tokenizer, small_llama

from aion_assets.core.answer.prompt import Prompt, fitted
from aion_assets.core.answer.reasoning import without_reasoning
from trainer.base_model import load_base_model
from trainer.chat_template import ChatTemplate
from trainer.generation import Limits
from trainer.generator import Generator
from trainer.sft import encode

_ALTERNATE = (
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must "
    "alternate user/assistant/user/assistant/...') }}{% endif %}"
)


@dataclass(frozen=True)
class Family:
    """`turn_end` is what the template writes behind an answer, `eos` what the tokenizer's files name. `asked` is how a
    system text S and a question Q are put.
    """

    template: str
    marks: tuple[str, ...]
    bos: str
    eos: str
    turn_end: str
    asked: str


FAMILIES = {
    "mistral": Family(
        "{{ bos_token }}{% for message in messages %}" + _ALTERNATE + "{% if message['role'] == 'user' %}{{ '[INST] '"
        " + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + "
        "eos_token }}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}"
        "{% endfor %}",
        ("[INST]", "[/INST]"), "<s>", "</s>", "</s>",
        "<s>[INST] S\n\nQ [/INST]",
    ),
    "qwen": Family(
        "{% if messages[0]['role'] == 'system' %}{{ '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}"
        "{% else %}{{ '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant."
        "<|im_end|>\n' }}{% endif %}{% for message in messages %}{% if message['role'] == 'user' or (message['role']"
        " == 'system' and not loop.first) or message['role'] == 'assistant' %}{{ '<|im_start|>' + message['role'] + "
        "'\n' + message['content'] + '<|im_end|>' + '\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|im_start|>assistant\n' }}{% endif %}",
        ("<|im_start|>", "<|endoftext|>"), "", "<|im_end|>", "<|im_end|>",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n",
    ),
    "llama": Family(
        "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
        "message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 "
        "%}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), "<|begin_of_text|>", "<|end_of_text|>",
        "<|eot_id|>",
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user"
        "<|end_header_id|>\n\nQ<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "phi": Family(
        "{% for message in messages %}{% if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + "
        "'<|end|>\n' }}{% elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '<|end|>\n' }}"
        "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\n' + message['content'] + '<|end|>\n' }}{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"), "<s>", "<|endoftext|>", "<|end|>",
        "<|system|>\nS<|end|>\n<|user|>\nQ<|end|>\n<|assistant|>\n",
    ),
    "gemma": Family(
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
        "{% endif %}{% for message in messages %}" + _ALTERNATE + "{% if (message['role'] == 'assistant') %}{% set "
        "role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + "
        "message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}"
        "{{ '<start_of_turn>model\n' }}{% endif %}",
        ("<start_of_turn>", "<end_of_turn>"), "<bos>", "<eos>", "<end_of_turn>",
        "<bos><start_of_turn>user\nS\n\nQ<end_of_turn>\n<start_of_turn>model\n",
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", sorted(FAMILIES))


@cache
def tokenizer(name: str) -> Any:
    """Of bytes, with the marks of the family."""
    family = FAMILIES[name]
    return bytes_tokenizer(family.template, eos=family.eos, marks=family.marks, bos=family.bos or None)


@cache
def folder(name: str) -> Path:
    """A small model whose files name the end of the text alone, as published ones do."""
    return small_llama(Path(mkdtemp(prefix="aion-family-")) / name, window=700, tokenizer=tokenizer(name))


@pytest.fixture
def saying() -> Any:
    """An engine of the family that always writes this token."""
    opened: list[Generator] = []

    def open_generator(name: str, token: str) -> Generator:
        import torch

        base = load_base_model(str(folder(name)))
        head = torch.nn.Linear(base.model.lm_head.in_features, base.model.lm_head.out_features, bias=True)
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
        head.bias.data[base.tokenizer.convert_tokens_to_ids(token)] = 100.0
        base.model.lm_head = head.to(base.model.dtype)
        opened.append(Generator(base))
        return opened[-1]

    yield open_generator
    for generator in opened:
        generator.close()


ASKED = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]


@EACH
def test_the_question_is_put_as_the_family_was_taught_and_the_rules_are_never_lost(name: str) -> None:
    family, template = FAMILIES[name], ChatTemplate(tokenizer(name))
    assert template.is_own
    assert template.text(ASKED) == family.asked
    assert template.takes_system is (name not in ("mistral", "gemma"))
    ids = template.tokens(ASKED)
    if family.asked.startswith(family.bos or "?"):
        assert ids.count(tokenizer(name).bos_token_id) == 1, "the template writes it, so the tokenizer does not"
    twice = template.text([*ASKED, {"role": "user", "content": "R"}])
    assert "Q\n\nR" in twice, "neighbours of one role become one message"


@EACH
def test_both_the_end_of_the_turn_and_the_end_of_the_text_end_an_answer(
    name: str, saying: Callable[[str, str], Generator]
) -> None:
    family = FAMILIES[name]
    for token in {family.turn_end, family.eos}:
        generator = saying(name, token)
        assert "".join(generator.stream(ASKED, Limits(max_new_tokens=8, temperature=0))) == ""
    assert "".join(saying(name, "a").stream(ASKED, Limits(max_new_tokens=8, temperature=0))) == "a" * 8


@EACH
def test_a_sample_teaches_the_answer_and_the_end_of_its_turn(name: str) -> None:
    base = load_base_model(str(folder(name)))
    (sample,), _ = encode([[*ASKED, {"role": "assistant", "content": "Yes [1]."}]], base.tokenizer, 600)
    learned = base.tokenizer.decode([label for label in sample.labels if label != -100])
    assert learned.startswith(f"Yes [1].{FAMILIES[name].turn_end}")


@EACH
def test_a_passage_cannot_end_its_turn_or_begin_another(name: str) -> None:
    family, template = FAMILIES[name], ChatTemplate(tokenizer(name))
    forged = "".join((*family.marks, family.turn_end, family.eos))
    honest, hostile = ([*ASKED[:1], {"role": "user", "content": text}] for text in ("Q", f"Q {forged}"))
    specials = {tokenizer(name).convert_tokens_to_ids(mark) for mark in (*family.marks, family.turn_end, family.eos)}
    counted = [sum(token in specials for token in template.tokens(asked)) for asked in (honest, hostile)]
    assert counted[0] == counted[1]


@EACH
def test_what_does_not_fit_leaves_passages_out_and_never_the_question(name: str) -> None:
    template = ChatTemplate(tokenizer(name))
    passages = tuple(f"Passage {number} " + "speaks of pallets. " * 6 for number in range(8))
    prompt = Prompt("Use the passages.", passages, "How many pallets are there?", "en")
    kept = fitted(prompt, lambda tried: len(template.tokens(tried.messages)) <= 600)
    assert 0 < len(kept.passages) < 8
    assert kept.passages == passages[: len(kept.passages)]
    assert "How many pallets are there?" in template.text(kept.messages)
    assert "Use the passages." in template.text(kept.messages)


def test_thoughts_that_the_template_opened_are_hidden(saying: Callable[[str, str], Generator]) -> None:
    generator = saying("qwen", "a")
    generator.base.tokenizer.chat_template = FAMILIES["qwen"].template.replace(
        "{{ '<|im_start|>assistant\n' }}", "{{ '<|im_start|>assistant\n<think>\n' }}"
    )
    said = [*generator.stream(ASKED, Limits(max_new_tokens=4, temperature=0))]
    assert "".join(said) == "<think>aaaa"
    assert "".join(without_reasoning(iter(said))) == ""
    generator.base.tokenizer.chat_template = FAMILIES["qwen"].template


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["<think>I guess", " so.</th", "ink>Yes [1]."], "Yes [1]."),
        (["I guess so.</think>", "Yes [1]."], "Yes [1]."),
        (["Yes. <reflection>Is it?</reflection> It is."], "Yes.  It is."),
        (["<thinking>never closed"], ""),
        (["a < b and </p> stays"], "a < b and </p> stays"),
    ],
)
def test_what_is_thought_aloud_is_not_passed_on(pieces: list[str], shown: str) -> None:
    assert "".join(piece for piece in without_reasoning(iter(pieces)) if isinstance(piece, str)) == shown
