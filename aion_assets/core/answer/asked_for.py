"""What kind of thing a question asks for, and whether a text has one: a figure, a time, a person, a place, a reason, a
condition.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from aion_assets.core.language.number_words import spelled_out
from aion_assets.core.language.spelling import ALIKE, likeness, trigrams
from aion_assets.core.language.terms import fold

_FIGURE_ASKED = re.compile(
    r"\b(quant[oa]s?|qual (?:e |eh |sao |foi |era )?(?:o |a )?(?:valor|preco|taxa|multa|custo|numero|percentual|"
    r"porcentagem|limite|total|idade|altura|largura|peso|distancia|area|tamanho|populacao|adicional|aliquota|salario|"
    r"piso|teto|vazao|temperatura|velocidade|capacidade)|how (?:many|much|long|far|old|big|tall)|"
    r"what (?:is |was |are )?(?:the )?(?:price|cost|fee|number|amount|percentage|limit|size|population|rate))\b"
)
_TIME_ASKED = re.compile(
    r"\b(quando|que (?:dia|data|hora|horas|ano|mes|seculo|periodo|epoca)|qual (?:e |foi |era )?(?:o |a )?"
    r"(?:prazo|data|dia|ano|mes|seculo|horario|vencimento|validade|periodo)|ate quando|quanto tempo|"
    r"com que frequencia|how often|horarios?|prazo|"
    r"when|what (?:year|date|day|time|century|month)|which (?:year|date|day|month)|how long|deadline)\b"
)
# "How many" asks for no sum of money, unless it names the coins.
_COUNT_ASKED = re.compile(r"\b(?:quantos|quantas|how many)\b(?! (?:reais|centavos|dolares|euros|dollars|pounds|cents))")
_PERSON_ASKED = re.compile(r"\b(quem|who|whom|whose)\b")
_PLACE_ASKED = re.compile(r"\b(onde|aonde|em que (?:lugar|cidade|pais|estado|local|sala|rua)|where)\b")
_REASON_ASKED = re.compile(r"\b(por ?que|porque|qual (?:e |foi )?(?:o |a )?(?:motivo|razao|causa)|why)\b")
_CONDITION_ASKED = re.compile(
    r"\b(?:em|sob) (?:que|quais) (?:casos?|situac(?:ao|oes)|condic(?:ao|oes)|circunstancias?|hipoteses?)\b"
    r"|\b(?:in|under) (?:what|which) (?:cases?|situations?|conditions?|circumstances?)\b"
)
_STEPS_ASKED = re.compile(
    r"(?:^|[,.;:?!] *|\b(?:saber|explique|explica|diga|mostre|ver|ensine) )como\b"
    r"(?! (?:e|eh|era|eram|foi|foram|sao|esta|estao|se chama\w*)\b)"
    r"|\bpasso a passo\b|\bquais (?:sao )?(?:os )?passos\b|\bprocedimento (?:para|de)\b"
    r"|\bo que (?:eu )?(?:devo|preciso|posso|tenho (?:que|de)|e preciso|e necessario) fazer\b"
    r"|\bhow (?:do|can|could|should|would|must|to)\b|\b(?:the )?steps? (?:to|for|by)\b"
    r"|\bwhat (?:do|should|must|can) (?:i|we|you) do\b"
)
# Something that the question does not say itself: none of yes or no.
_TOLD_ASKED = re.compile(
    r"(?:^|[,.;:?!] *)(?:(?:e|mas|and|but) )?"
    r"(?:(?:o|a|os|as|em|de|para|com|por|desde|ate|in|at|on|for|from|by|to|with) )?"
    r"(?:qual|quais|que|onde|aonde|como|what|which|where|how|why)\b"
)
_NUMBER_WORDS = (
    "um dois duas tres quatro cinco seis sete oito nove dez onze doze treze quatorze catorze quinze dezesseis "
    "dezessete dezoito dezenove vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento "
    "duzentos trezentos quatrocentos quinhentos mil milhao milhoes bilhao bilhoes metade dobro triplo terco "
    "nenhum one two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty "
    "fifty sixty seventy eighty ninety hundred thousand million billion half twice "
).split()
FIGURE = re.compile(rf"\d+(?:[.,]\d+)*|\b(?:{'|'.join(word for word in _NUMBER_WORDS if word != 'um')})\b")
_SUM = re.compile(
    r"(?:r\$|us\$|[$€£¥]) ?\d[\d.,]*|\d[\d.,]* ?(?:%|p\b|€|£|reais\b|centavos\b|euros?\b|dollars?\b|pounds?\b|pence\b)"
)
_MONTHS = (
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro january february march "
    "april june july august september october november december"
).split()
UNITS_OF_TIME = (
    r"(?:dia|dias|mes|meses|ano|anos|hora|horas|minutos?|semanas?|bimestres?|semestres?|trimestres?|seculos?|decadas?|"
    r"days?|months?|years?|hours?|minutes?|weeks?|century|centuries|decades?)"
)
# Not the verb: "may be sold".
_MAY = (
    r"\bmay\b(?= (?:\d|to|until|or june|and june))"
    r"|(?:(?<=\bin )|(?<=\bof )|(?<=\bby )|(?<=\bto )|(?<=\bfrom )|(?<=\buntil )|(?<=\d )|(?<=\dst )|(?<=\dth ))may\b"
)
TIME = re.compile(
    rf"\b(?:{'|'.join(_MONTHS)})\b|{_MAY}|\b(?:1[0-9]|20)\d\d\b|\b\d{{1,2}}[/.-]\d{{1,2}}\b|"
    r"\b\d{1,2} ?(?:h|hs|:\d\d|am|pm)\b|\bdias? \d{1,2}\b|\b\d{1,2}(?:st|nd|rd|th)\b|"
    rf"\b(?:segunda|terca|quarta|quinta|sexta|sabado|domingo|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
    rf"(?:s|-feiras?)?\b|\b{UNITS_OF_TIME}\b|\bseculo\b"
)
_THOUSANDS = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
_NUMBER = re.compile(r"\d+(?:,\d+)?")
# Letters and digits in one word. A year or an amount with its unit, "30min", begins with the digits.
_CODE = re.compile(r"(?<![\w.@/-])([A-Z]{1,4})[-–.]?(\d{2,6}[A-Z]?)(?![\w-])")
# As programs write names: "should_panic", "thread::spawn", "--oneline", "Cargo.lock", but no address.
_FILES = "py|rs|rb|go|js|ts|sh|exe|dll|toml|ya?ml|json|lock|conf|cfg|ini|env|log|sql"
_IDENTIFIER = re.compile(
    r"(?<![\w@/.:-])(?:\w+(?:::\w+)+|[^\W_]\w*_\w*[^\W_]|--[a-z][\w-]+"
    rf"|[A-Za-z][\w-]*\.(?:{_FILES}))(?![\w@/:-]|\.\w)"
)
_NAMED = re.compile(
    r"\b(?:art|arts|artigos?|articles?|sections?|items?|itens|inciso|paragrafo|clausula|contratos?|contracts?|lei|law|"
    r"decreto|portaria|resolucao|norma|nr|nbr|iso|processo|edital|anexo|capitulo|chapter|rule|form|formulario)"
    r"\.?[ -]*(?:n[.o]*[ ]*)?\d[\d./-]*"
)
NAME = re.compile(r"(?<=[\w,;:(] )[A-ZÀ-ÖØ-Þ][\w'’-]+")
# Names with the same beginning are taken for one, "Londres" and "London", but "source" does not name Sourcetree.
_NAME_CHARS, _LETTERS_APART = 4, 3
_FEASTS = frozenset("natal pascoa carnaval reveillon corpus christi christmas easter halloween thanksgiving".split())
# What a sentence begins with after a greeting without a comma: "Bom dia Gostaria de saber".
_BEGINNINGS = frozenset(
    "gostaria quero queria preciso tenho estou como qual quais quando onde quem quanto quantos quantas posso pode "
    "podem existe voce voces what which when where does could would please need want have".split()
)
_PLACE = re.compile(r"\b(?:em|no|na|nos|nas|ao|à|in|at|on|near|rua|avenida|sala|praça|to)\s+(?:[oa]\s+)?[A-ZÀ-ÖØ-Þ0-9]")
_REASON = re.compile(
    r"\b(porque|pois|devido|por causa|ja que|uma vez que|para que|a fim de|because|since|due to|so that)\b"
)
_CONDITION = re.compile(
    r"\b(?:quando|(?<!-)se|caso|salvo|exceto|desde que|sempre que|a menos que|na hipotese|nos? casos?|em casos?|"
    r"apenas|somente|when|whenever|if|unless|except|provided|as long as|in (?:the )?(?:case|event)|only)\b"
)


@dataclass(frozen=True, slots=True)
class AskedFor:
    """Several may hold at once. "quanto tempo" asks for a time, not for any figure. `least_told`: how many terms of its
    own a text needs to tell it. A count and a group of people may be told without one: "All members do."
    """

    figure: bool
    time: bool
    person: bool
    place: bool
    reason: bool
    condition: bool
    steps: bool
    least_told: int

    @classmethod
    def of(cls, question: str) -> "AskedFor":
        text = fold(question)
        time = bool(_TIME_ASKED.search(text))
        figure = bool(_FIGURE_ASKED.search(text)) and not time
        person, reason = bool(_PERSON_ASKED.search(text)), bool(_REASON_ASKED.search(text))
        steps = bool(_STEPS_ASKED.search(text))
        counted = figure or time or person
        return cls(
            figure=figure,
            time=time,
            person=person,
            place=bool(_PLACE_ASKED.search(text)),
            reason=reason,
            condition=bool(_CONDITION_ASKED.search(text)),
            steps=steps,
            least_told=2 if reason or steps else int(not counted and bool(_TOLD_ASKED.search(text))),
        )

    def found_in(self, text: str, asked: str) -> dict[str, bool]:
        """Of every kind that is asked for, whether a text has a thing of it which the question does not name itself.
        `asked` is the question, folded.
        """
        folded = fold(text)
        found: dict[str, bool] = {}
        if self.figure:
            counted = _SUM.sub(" ", folded) if _COUNT_ASKED.search(asked) else folded
            found["figure"] = _has_other(FIGURE, counted, asked)
        if self.time:
            found["time"] = _has_other(TIME, folded, asked)
        if self.person:
            found["person"] = any(fold(match[0]) not in asked for match in NAME.finditer(text))
        if self.place:
            found["place"] = _PLACE.search(text) is not None
        if self.reason:
            found["reason"] = _REASON.search(folded) is not None
        if self.condition:
            found["condition"] = _CONDITION.search(folded) is not None
        return found


def _has_other(kind: re.Pattern[str], folded: str, asked: str) -> bool:
    known = {match[0] for match in kind.finditer(asked)}
    return any(match[0] not in known for match in kind.finditer(folded))


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text in one form: "12.721" is "12721", "054/2023" is "54" and "2023", "três" is "3"."""
    joined = _THOUSANDS.sub("", text)
    return frozenset(number.lstrip("0") or "0" for number in _NUMBER.findall(joined)) | spelled_out(text)


def named_codes(question: str) -> frozenset[str]:
    """Codes by which a question names a thing, such as "E-422" or "PM138": folded, a blank before the digits."""
    return frozenset(fold(f"{letters} {digits}") for letters, digits in _CODE.findall(question))


def has_code(text: str, code: str) -> bool:
    """Whether a text has a code of `named_codes`, however its parts are joined there."""
    letters, digits = code.split()
    return re.search(rf"(?<!\w){letters}[-–./ ]?{digits}(?!\w)", fold(text)) is not None


def named_identifiers(question: str) -> frozenset[str]:
    """Names of options, functions, variables and files by which a question names a thing, folded."""
    return frozenset(fold(name) for name in _IDENTIFIER.findall(question))


def has_identifier(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?!-?\w)", fold(text)) is not None


def named_names(question: str) -> frozenset[str]:
    """Proper names within a question, folded; none where most words have a capital. Acronyms, which a text may write
    out, and days, months and feasts, which it may tell by a date, are none.
    """
    capitals = sum(word[0].isupper() for word in question.split())
    if 2 * capitals > len(question.split()):
        return frozenset()
    parts = chain.from_iterable(re.split(r"['’-]", match[0]) for match in NAME.finditer(question))
    names = {fold(part) for part in parts if _is_name(part)}
    return frozenset(name for name in names if not TIME.search(name) and name not in _FEASTS | _BEGINNINGS)


def _is_name(part: str) -> bool:
    return len(part) >= _NAME_CHARS and part[0].isupper() and not part.isupper()


def has_name(words: Collection[str], name: str) -> bool:
    """Whether one of the folded words begins with the name of `named_names`, or differs from it by its end or by a
    letter or two.
    """
    if any(word.startswith(name) for word in words):
        return True
    near = [word for word in words if abs(len(word) - len(name)) <= _LETTERS_APART]
    if any(word.startswith(name[:_NAME_CHARS]) for word in near):
        return True
    parts = trigrams(name)
    return any(likeness(trigrams(word), parts) >= ALIKE for word in near)


def named_numbers(question: str) -> frozenset[str]:
    """Those by which a question names a thing: an article, a contract, a standard, an item."""
    return frozenset(chain.from_iterable(numbers(match[0]) for match in _NAMED.finditer(fold(question))))
