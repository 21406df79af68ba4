"""Turn messages into the tokens that a model was trained to read, and find what ends its turn."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Message = Mapping[str, str]

# For base models, which come without a template.
_PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
_PLAIN_STOPS = ("\nUser:", "\nSystem:")
_THOUGHT = re.compile(r"(<(?:think|thinking|reasoning)>)\s*$")
_MARK = "A7k9"  # a word that no template holds
_ZERO_WIDTH_SPACE = "\u200b"


@dataclass
class ChatTemplate:
    """The template of one tokenizer."""

    tokenizer: Any
    _specials: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        added = (str(token) for token in self.tokenizer.added_tokens_decoder.values() if token.special)
        names = {*added, *self.tokenizer.all_special_tokens}
        self._specials = tuple(sorted((name for name in names if len(name) > 1), key=len, reverse=True))

    @property
    def is_own(self) -> bool:
        """Whether the model brings its template, as models that were trained to converse do."""
        return bool(self.tokenizer.chat_template)

    @cached_property
    def takes_system(self) -> bool:
        """Some templates (Gemma, old Mistral) refuse a system message or drop it."""
        from jinja2 import TemplateError

        try:
            return _MARK in self._apply([{"role": "system", "content": _MARK}, {"role": "user", "content": "x"}], True)
        except TemplateError:
            return False

    @cached_property
    def stops(self) -> tuple[str, ...]:
        """Texts that end an answer, where no token does."""
        return () if self.is_own else _PLAIN_STOPS

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """Tokens that end the model's turn: those that its files name, and the one that its template writes there."""
        named = self.tokenizer.eos_token_id
        found = {named} if isinstance(named, int) else set()
        if self.is_own:
            turn = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _MARK}]
            after = self._apply(turn, False).rpartition(_MARK)[2].lstrip()
            found |= {self.tokenizer.convert_tokens_to_ids(name) for name in self._specials if after.startswith(name)}
        return frozenset(found)

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """Token ids up to where the model's answer begins."""
        ids: list[int] = self.tokenizer(self.text(messages), add_special_tokens=not self.is_own)["input_ids"]
        return ids

    def opened_thought(self, messages: Sequence[Message]) -> str:
        """The tag with which the template has the model begin to think aloud; "" where it does not."""
        found = _THOUGHT.search(self.text(messages))
        return found[1] if found else ""

    def text(self, messages: Sequence[Message], *, begin_answer: bool = True) -> str:
        return self._apply(self._acceptable(messages), begin_answer)

    def _apply(self, messages: Sequence[Message], begin_answer: bool) -> str:
        template = None if self.is_own else _PLAIN
        text: str = self.tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=begin_answer, chat_template=template
        )
        return text

    def _acceptable(self, messages: Sequence[Message]) -> list[dict[str, str]]:
        """Neighbours of one role become one message, a system text that the template refuses becomes part of the
        question, and no content can forge a mark of the template.
        """
        merged: list[dict[str, str]] = []
        for message in messages:
            role = message["role"]
            if role == "system" and not self.takes_system:
                role = "user"
            content = self._disarmed(message["content"])
            if merged and merged[-1]["role"] == role:
                merged[-1]["content"] += f"\n\n{content}"
            else:
                merged.append({"role": role, "content": content})
        return merged

    def _disarmed(self, content: str) -> str:
        for token in self._specials:
            if token in content:
                content = content.replace(token, f"{token[0]}{_ZERO_WIDTH_SPACE}{token[1:]}")
        return content
