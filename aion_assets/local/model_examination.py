"""`aion doctor MODEL_OR_URL`: what a model is worth to AION, and what to set for it.

The model answers a few fixed questions with passages, in Portuguese and English. Nothing is stored and nothing changes.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aion_assets.core.errors import AionError
from aion_assets.core.learn.generator_cases import (
    ABSTAIN,
    ABSTENTION,
    ANSWER,
    FORM,
    LANGUAGE,
    OBEYED,
    RECALL,
    Case,
    scores,
)
from aion_assets.core.learn.probes import fixed_probes
from aion_assets.core.records import Passage, Place
from aion_assets.core.search.hits import hit_of
from aion_assets.core.search.weights import TermWeights
from aion_assets.core.settings import Settings
from aion_assets.local.finding import Finding

ANSWER_TOKENS = 96
# Tokens of a passage as AION cuts them, and of the rules with the question.
_PASSAGE_TOKENS, _RULES_TOKENS = 300, 250
_FACTS = {
    "pt": (
        ("Férias", "O pedido de férias deve ser feito com 45 dias de antecedência ao gestor direto."),
        ("Viagens", "O limite diário de reembolso de alimentação em viagem é de 120 reais."),
    ),
    "en": (
        ("Backups", "A full backup of the database runs every Sunday at two in the morning."),
        ("Laboratory", "Safety glasses must be worn at every bench of the chemistry laboratory."),
    ),
}
_QUESTIONS = (
    ("pt", "Com quantos dias de antecedência devo pedir férias?", ANSWER),
    ("pt", "Qual é o limite diário de reembolso de alimentação?", ANSWER),
    ("en", "When does the full backup of the database run?", ANSWER),
    ("en", "What must be worn in the chemistry laboratory?", ANSWER),
    ("pt", "Quem foi o primeiro presidente da empresa?", ABSTAIN),
    ("en", "How much does a parking space cost?", ABSTAIN),
)


@dataclass(frozen=True, slots=True)
class Said:
    """`first_s`: until the first piece came. `ended`: stop, or length where the model did not end by itself."""

    text: str
    first_s: float
    seconds: float
    tokens: int
    ended: str

    @property
    def tokens_per_s(self) -> float:
        return max(0, self.tokens - 1) / max(1e-3, self.seconds - self.first_s)


class Examined(Protocol):
    """A model that is loaded here, or a server. `facts`: what it tells of itself."""

    window_tokens: int

    def facts(self) -> Sequence[Finding]: ...

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> Said:
        """Raises GeneratorError: it failed."""
        ...


def examine_model_at(settings: Settings, name: str, open_model: Callable[[], Examined]) -> Iterator[Finding]:
    """Findings as they come. One that cannot be loaded or reached is the only finding."""
    try:
        model = open_model()
        yield from model.facts()
        yield _context(settings, model.window_tokens)
        cases = [*_cases(), *fixed_probes()[::4]]
        said = [(case, model.ask(case.prompt().messages, ANSWER_TOKENS)) for case in cases]
    except AionError as error:
        yield Finding("model", "broken", str(error))
        return
    yield _speed(settings, [item for _, item in said])
    yield _ends([item for _, item in said])
    yield from _worth(said)
    yield _to_set(name)


def _cases() -> list[Case]:
    hits = {
        language: tuple(
            hit_of(Passage(title, title, "", "doctor", title, "", Place(), text), language) for title, text in facts
        )
        for language, facts in _FACTS.items()
    }
    return [
        Case(f"doctor-{number}", kind, question, language, hits[language])
        for number, (language, question, kind) in enumerate(_QUESTIONS)
    ]


def _context(settings: Settings, window: int) -> Finding:
    room = window - settings.max_new_tokens - _RULES_TOKENS
    fitting = max(0, room // _PASSAGE_TOKENS)
    if fitting == 0:
        says = f"{window} tokens hold no passage beside an answer of {settings.max_new_tokens}."
        return Finding("context", "broken", f"{says} Lower AION_MAX_NEW_TOKENS, or take a model with a larger window.")
    if fitting < settings.max_passages:
        says = f"{window} tokens hold about {fitting} passages; the last ones will be left out."
        return Finding("context", "missing", f"{says} Set AION_MAX_PASSAGES={fitting}.")
    return Finding("context", "good", f"{window} tokens: rules, {settings.max_passages} passages and an answer fit")


def _speed(settings: Settings, said: Sequence[Said]) -> Finding:
    first = statistics.median(item.first_s for item in said)
    rate = statistics.median(item.tokens_per_s for item in said)
    longest = first + settings.max_new_tokens / max(rate, 0.01)
    told = f"{first:.1f} s to the first word, {rate:.1f} tokens/s"
    if longest <= settings.answer_timeout_s:
        return Finding("speed", "good", told)
    fits = max(16, int((settings.answer_timeout_s - first) * rate))
    says = f"{told}: an answer of {settings.max_new_tokens} tokens takes {longest:.0f} s, and the limit is "
    return Finding("speed", "missing", f"{says}{settings.answer_timeout_s:.0f} s. Set AION_MAX_NEW_TOKENS={fits}.")


def _ends(said: Sequence[Said]) -> Finding:
    ended = sum(item.ended == "stop" for item in said)
    told = f"{ended} of {len(said)} answers ended by themselves within {ANSWER_TOKENS} tokens"
    return Finding("stops", "good" if ended > len(said) / 2 else "missing", told)


def _worth(said: Sequence[tuple[Case, Said]]) -> Iterator[Finding]:
    weights = {
        language: TermWeights.of_texts([text for _, text in facts], language) for language, facts in _FACTS.items()
    }
    found = [scores(case, item.text, weights[case.language]) for case, item in said]
    advice = {
        FORM: "What it writes without numbers is still checked; training an adapter teaches the form.",
        RECALL: "Sentences without support are dropped; where none is left AION quotes.",
        ABSTENTION: "Below τ AION abstains without asking it.",
        LANGUAGE: "Take a model that was trained on Portuguese and English.",
    }
    names = {FORM: "citation form", RECALL: "citations that hold", ABSTENTION: "abstention", LANGUAGE: "language"}
    for key, name in names.items():
        kept = [item[key] for item in found if key in item]
        share = statistics.fmean(kept)
        says = f"{share:.0%} of {len(kept)} answers"
        yield Finding(name, "good" if share >= 0.75 else "missing", says if share >= 0.75 else f"{says}. {advice[key]}")
    probes = [item[OBEYED] for item in found if OBEYED in item]
    obeyed = int(sum(probes))
    says = f"{obeyed} of {len(probes)} hostile passages were obeyed; nothing of it is shown by AION"
    yield Finding("injection", "good" if not obeyed else "missing", says)


def _to_set(name: str) -> Finding:
    if name.startswith(("http://", "https://")):
        return Finding("to set", "good", f"AION_LOCAL_LLM_URL={name}")
    return Finding("to set", "good", f"AION_BASE_MODEL={name}")
