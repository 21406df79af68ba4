"""A Llama of some thousand random weights with a tokenizer of bytes and a template of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def small_llama(
    folder: Path,
    *,
    seed: int = 0,
    window: int = 512,
    template: str = TEMPLATE,
    words: Sequence[str] = (),
    tokenizer: Any = None,
    width: int = 32,
) -> Path:
    """`words` are texts whose frequent parts become tokens; without them every byte is one. `tokenizer` takes the place
    of that, with its own template.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    fast = tokenizer or bytes_tokenizer(template, words, eos="<|im_end|>", marks=["<|im_start|>"])
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=window,
        initializer_range=0.4,  # large, so that the likeliest token leads clearly
        bos_token_id=None,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.eos_token_id,
    )
    folder.mkdir(parents=True, exist_ok=True)
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def bytes_tokenizer(
    template: str, words: Sequence[str] = (), *, eos: str, marks: Sequence[str], bos: str | None = None
) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={char: number for number, char in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if words:
        trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator(words, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    named = {"bos_token": bos} if bos else {}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=eos, additional_special_tokens=list(marks), **named
    )
    fast.chat_template = template
    return fast
