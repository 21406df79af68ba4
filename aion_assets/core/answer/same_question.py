"""When two questions ask the same, so that what a person approved for one may answer the other.

Deliberately narrow: an answer to almost the same question is a wrong answer. Two questions are the same when they have
the same content words in the same order, apart from words that only frame a question, and the same words that turn its
sense: who, where, when, why, how, not, without, before, after. A vector would not do: "artigo 5" and "artigo 6" lie
closer together than two wordings of one question.
"""

import re
from dataclasses import dataclass

from aion_assets.core.language.question import Question
from aion_assets.core.language.terms import fold, terms

# With fewer content words the wording itself must be the same.
_FEW_TERMS = 2
_WORD = re.compile(r"\w+")
# Words that frame a question and say nothing of what is asked.
_FRAMES = (
    "gostaria gostar queria quero querer preciso precisa precisamos precisar saber sei dizer diga informar informe "
    "favor gentileza pergunta duvida existe existem existir poderia poderiam would like want need know tell please "
    "question wonder say exist there"
).split()
# What is counted says as much without the unit: "com quantos dias de antecedência", "qual a antecedência".
_COUNTED = re.compile(r"\b(quant[oa]s|how many) (?:dias?|horas?|mes|meses|anos?|days?|hours?|months?|years?)\b")
_BY_WHICH = re.compile(r"\b(qual|quais|que|quant[oa]s?|which|what)\b")
_BY_HOW = re.compile(r"\bhow (many|much|long|often|far|old)\b")  # of these only the second word counts
# Words that turn the sense of a question, by one name for all their forms.
_TURNS = {
    "who": "quem who whom whose", "where": "onde aonde where", "when": "quando when", "why": "porque porquê why",
    "how": "como how", "not": "nao nunca jamais nem not never no", "without": "sem without", "before": "antes before",
    "after": "depois apos after", "until": "ate until till", "since": "desde since", "between": "entre between",
    "more": "mais more most", "less": "menos less least", "only": "so somente apenas only", "each": "cada each every",
    "all": "todo toda todos todas all", "other": "outro outra outros outras other another", "or": "ou or",
    "do": "faz fazem fazer fez feito", "count": "quanto quanta quantos quantas",
}  # fmt: skip
_TURN_OF = {form: turn for turn, forms in _TURNS.items() for form in fold(forms).split()}
_MODALS = {
    "must": "devo deve devem deveria must should", "may": "posso pode podem podemos can may could",
}  # fmt: skip
_MODAL_OF = {form: modal for modal, forms in _MODALS.items() for form in forms.split()}
_WHY = re.compile(r"\bpor que\b")
# A letter that names a thing, although it is a word elsewhere: "alínea e", "Turma A"; and C++ beside C#.
_LETTER = re.compile(
    r"\b(?:alinea|item|inciso|letra|grupo|classe|tipo|anexo|sala|bloco|turma|opcao|section|class|group|type|annex|room|"
    r"part|option|appendix) ([a-z])\b"
)
_SYMBOLS = re.compile(r"\b[a-z]\w*[+#]+|[<>=≤≥]=?|(?<!\w)-\d+")


@dataclass(frozen=True, slots=True)
class Sense:
    """Two questions with equal senses are the same question."""

    language: str
    terms: tuple[str, ...]
    turns: tuple[str, ...]
    marks: tuple[str, ...]


def sense_of(question: Question) -> Sense:
    folded = fold(question.text)
    words = _WORD.findall(folded)
    counted = _COUNTED.sub("", folded)
    content = tuple(terms(_without_frames(question, counted), question.language))
    if len(content) < _FEW_TERMS:
        return Sense(question.language, tuple(words), (), ())
    turns = [_TURN_OF[word] for word in _WORD.findall(_BY_HOW.sub(r"\1", counted)) if word in _TURN_OF]
    turns += ["why"] * bool(_WHY.search(folded))
    if not turns and not _BY_WHICH.search(folded):
        turns = [_MODAL_OF[word] for word in words if word in _MODAL_OF]
    marks = (*_LETTER.findall(folded), *_SYMBOLS.findall(folded))
    return Sense(question.language, content, tuple(turns), marks)


def _without_frames(question: Question, counted: str) -> str:
    """The words as they were written, as dictionaries know accents, without those that only frame."""
    kept, framing = set(_WORD.findall(counted)), {*_FRAMES, *_MODAL_OF, *_TURN_OF}
    return " ".join(word for word in _WORD.findall(question.text) if fold(word) in kept and fold(word) not in framing)
