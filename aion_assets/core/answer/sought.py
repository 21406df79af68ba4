"""The thing that a question wants told, such as a telephone number, a price, a name or a date, and whether a text has
one at all.

A text without it does not hold the answer, however many words of the question it has. So a question is read narrowly
here, and a text widely: what may be such a thing counts as one. `core.answer.asked_for` prefers texts, and may err.
"""

import re
from collections.abc import Callable

from aion_assets.core.answer.asked_for import FIGURE, NAME, TIME, UNITS_OF_TIME
from aion_assets.core.answer.pieces import RECORD
from aion_assets.core.language.terms import fold

_OF = r"(?: (?:numero|numeros|endereco|contato)(?: de| do| da)?)?"
_WHICH = rf"(?:qual|quais|que)(?: e| eh| sao| seria)?(?: o| a| os| as)?{_OF} "
_THE = r"\bwhat(?: is| are| was|'s|s) the(?: [\w']+){0,3} "
_CONTACT = rf"(?:^|\b)(?:{_WHICH}|(?:what|which)(?: is| are|'s|s)?(?: the)?(?: [\w']+){{0,4}} |^)"
_ASKED = {
    "phone": rf"{_CONTACT}(?:telefones?|fones?|whatsapp|celular|ramal|(?:tele)?phone|hotline)\b"
    r"|\bpara (?:qual|que) numero\b|\b(?:qual|que) numero (?:eu )?(?:devo |posso )?(?:ligo|ligar|chamo|chamar)\b"
    r"|\b(?:which|what) number (?:do|should|can) (?:i|we) call\b",
    "email": rf"{_CONTACT}e-?mails?\b|\bpara (?:qual|que) (?:endereco de )?e-?mail\b",
    "link": rf"{_CONTACT}(?:site|url|web ?site|pagina na internet)\b",
    "price": r"\bquanto (?:\w+ )?(?:cust(?:a|am|ara|ar|ou|aram)|sai por|ganha(?:m|va)?|recebe(?:m|u)?|fatur(?:a|ou)|"
    r"pag(?:a|am|o|ou|amos))\b|\bquanto (?:e|eh) cobrado\b"
    rf"|(?:^|\b){_WHICH}(?:precos?|custos?|mensalidade|anuidade|valor|valores)\b|\bquanto\b.*\bcobra(?:m|va|ram)?\b"
    r"|\bhow much (?:does|do|did|will) .*\b(?:costs?|charge)\b|\bhow much (?:is|are|was|were)\b(?! (?:left|due|known))|"
    r"\bwhat(?: is| are| was|'s|s) the (?:prices?|costs?|fees?|fares?)\b",
    "amount": r"\bquant[oa]s\b|\bhow many\b",
    "person": r"\bquem (?:e|eh|foi|era) (?:o|a)\b|\bquem (?:\w+ )?(?:aprovou|assin\w+|escreveu|criou|fundou|dirig\w+"
    r"|presid\w+|coorden\w+|elabor\w+|invent\w+|descobr\w+|constru\w+|projet\w+|chefi\w+|autoriz\w+|nome\w+)\b"
    # "Quem pode apresentar recurso?" asks for no person.
    r"|\bquem (?:(?:apresent|ministr|lecion|trein)(?:a|am|ou|aram|ava)|conduz|conduziu|rege|regeu)\b"
    r"|\bqual (?:e |foi |era )?o nome d[aoe]\b|\bwho(?: is|'s| was) the\b|\bwho (?:\w+ )?(?:approve[sd]|signe?[sd]?"
    r"|wrote|founded|built|created|designed|invented|discovered|runs|leads|chairs|heads|manages|owns"
    r"|present(?:s|ed)|host(?:s|ed)|teaches|taught|train(?:s|ed)|conduct(?:s|ed)|curate[sd])\b",
    # "Quando atrasa, quanto pago?" asks for no time.
    "time": r"(?:^|[,;] |\b(?:desde|ate|e) )quando\b(?![^?]*,)"
    r"|\b(?:em )?que (?:dia|data|ano|mes)\b"
    r"|\b(?:qual|quais) (?:e |foi |sao |sera )?(?:a |as )?(?:datas?|hora)\b"
    r"|^when (?:is|are|was|were|did|does|do|will|can|should|has|have)\b"
    r"|\b(?:what|which) (?:year|date|day|month)\b",
    "clock": r"\b(?:a |ate )?que horas\b|\b(?:at )?what time\b",
    "duration": r"\b(?:por |em )?quanto tempo\b|^how long (?:is|are|was|does|do|did|will|can|may|must|should)\b",
    "address": rf"(?:^|\b){_WHICH}?endereco\b(?! de e-?mail)|{_THE}(?<!mail )address\b",
    "secret": rf"(?:^|\b){_WHICH}(?:(?:senha|pin)\b|codigo (?:de acesso|d[ao] (?:porta|portao|alarme|cofre|wi-?fi))\b)"
    rf"|{_THE}(?:password|pin|(?:gate|door|access|entry|alarm|safe) code|code (?:of|for) the (?:gate|door|safe))\b",
}
_LENGTHS = r"(?:(?:centi|mili|quilo)?metros|(?:centi|milli|kilo)?met(?:re|er)s|cm|mm|km|miles|feet|inches|yards)"
_EXTENTS = "altura|largura|comprimento|profundidade|distancia|espessura|height|width|length|depth|distance|thickness"
# A field that is called so tells it without a unit: "Altura: 1,20".
_FIELD = r"[^:;|\n]*[:|] ?\d[\d.,]*"
# What asks for a measure, and its units.
_MEASURES = {
    "weight": (
        rf"(?:^|\b){_WHICH}peso\b|\bquanto pesa\w*\b|\bquant[oa]s (?:quilos|kg|gramas|toneladas)\b|{_THE}weight\b"
        r"|\bhow heavy\b|\bhow much (?:does|do|did|can|may) .*\bweigh\b"
        r"|\bhow many (?:kilos|kilograms|grams|kg|tons|tonnes)\b",
        r"kg|quilos?|kilos?|kilograms?|g|gr|gramas?|grams?|mg|t|toneladas?|tons?|tonnes?|lbs?|pounds?|oz|peso \d+"
        rf"|(?:peso|weight){_FIELD}",
    ),
    "length": (
        rf"(?:^|\b){_WHICH}(?:{_EXTENTS})\b|{_THE}(?:{_EXTENTS})\b"
        r"|\bhow (?:tall|wide|deep|thick)\b"
        rf"|\bhow far (?:is|are|away|from)\b|\b(?:quant[oa]s|how many|em|in) {_LENGTHS}\b",
        rf"{_LENGTHS}|m[23²³]?|metro|met(?:re|er)|milha|ft|foot|(?<=\d )in|(?<=\d)in|inch|yard|min|{UNITS_OF_TIME}"
        rf"|(?:{_EXTENTS}){_FIELD}",
    ),
    "temperature": (
        rf"(?:^|\b){_WHICH}temperatura\b|\bquantos graus\b|{_THE}temperature\b|\bhow (?:hot|cold) is\b",
        r"°|º|graus?|degrees?|celsius|fahrenheit|c|f"
        rf"|(?:temperatura|temperature){_FIELD}",
    ),
}
_ASKED |= {kind: asked for kind, (asked, _) in _MEASURES.items()}
_ASKED_FOR = {kind: re.compile(pattern) for kind, pattern in _ASKED.items()}
_PHONE = re.compile(r"(?<![\d,.])(?!(?:19|20)\d\d\b)(?:\+?\(?\d[\d ().-]{5,}\d|1\d\d|0[38]00|\d{3,5})(?![\d,])")
# "Av. Rio Branco, 3040" is no telephone number.
_STREET_NUMBER = re.compile(
    r"\b(?:rua|r|av|avenida|praca|travessa|rodovia|estrada|alameda|largo|sala|bloco|lote|cep|km|room|suite|unit)\b"
    r"[^;|\n\d]{0,60}?\d[\d.-]*|\b\d{1,5} (?:[\w']+ ){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|square)\b"
)
_MAIL = re.compile(r"\S@\S|\S(?: at |\(at\)|\[at\])\S")
_LINK = re.compile(r"https?://|www\.|\w\.(?:com|org|net|gov|edu|br|io|pt)\b", re.IGNORECASE)


def _words(whole: str, beginnings: str = "") -> str:
    """A pattern for any of the words, and for any word that begins so."""
    begun = [rf"{word}\w*" for word in beginnings.split()]
    return rf"\b(?:{'|'.join([*whole.split(), *begun])})\b"


_MONEY = re.compile(
    r"[$€£¥]|\d[.,]\d\d\b|\d ?%|\d ?[pck]\b|\d.* \| | \| .*\d|\bsem (?:custo|cobranca|onus)\b|\bno charge\b"
    r"|\bnao (?:(?:e|sao) (?:pag|cobrad)[oa]s?|se (?:paga|cobra))\b"
    r"|\bnao (?:paga|pagam|cobra|cobram)\b(?! \w)|\bnao (?:paga|pagam) (?:taxa|entrada|ingresso|passagem|tarifa|por)\b|"
    + _words(
        "brl usd eur reais real centavo centavos dolar dolares dollar dollars cent cents euro euros pound pounds "
        "pence gratis free nothing nada zero metade meia half",
        "gratuit isent",
    )
)
# "Sócio: 35" is a price; of a record's fields only those are that are called so.
_PRICED = re.compile(r": ?\d")
_PRICED_FIELD = re.compile(
    r"\b(?:preco|valor|custo|taxa|tarifa|aluguel|mensalidade|diaria|price|cost|fee|fare|rate|rent)\w*[^:;]*: ?\d"
)
_AMOUNT = re.compile(
    _words(
        "um uma uns umas a an ambos ambas both unico unica only todos todas all dupla par pair duzia dozen several "
        "many nenhum nenhuma none no zero dezenas centenas milhares hundreds thousands half single sem",
        "vari muit",
    )
)
_WHEN = re.compile(
    r"\d|\bassim que\b|\ba partir\b|\bas soon\b|\bno (?:inicio|fim|final|comeco)\b|"
    + _words(
        "apos depois antes ate durante enquanto logo momento data dia sempre nunca quando hoje ontem amanha manha "
        "tarde noite madrugada desde primavera verao outono inverno vez vezes ocasiao periodo epoca guerra fase era "
        "after before during until till while once since upon always never when today morning evening night noon "
        "spring summer autumn fall winter daily weekly monthly annually early late later war age now currently",
        "imediat immediat diari semana mensa anua atualmente",
    )
)
_HOURS = "|".join(
    "uma duas tres quatro cinco seis sete oito nove dez onze doze one two three four five six seven eight nine ten "
    "eleven twelve".split()
)
_CLOCK = re.compile(
    r"\b\d{1,2} ?(?:h|hs|horas?|:\d\d|am|pm|a\.m|p\.m|o.?clock)"
    rf"|\b(?:as|das|at|from|until|till|by) (?:\d|{_HOURS})|"
    + _words("meio-dia meia-noite noon midnight amanhecer anoitecer dusk dawn sunset sunrise sempre always 24/7")
)
_DURATION = re.compile(
    rf"\b{UNITS_OF_TIME}\b|\b(?:min|h|hs)\b|\d(?:min|h)\b|\d:\d\d\b|\b(?:duracao|tempo|duration)\b[^:;]*: ?\d|"
    + _words(
        "ate until till while enquanto sempre always never nunca forever permanente permanent overnight hoje today",
        "imediat immediat indefini indetermin vitalici",
    )
)
_ADDRESS = re.compile(
    r"\d|@|"
    + _words(
        "rua av avenida praca travessa rodovia estrada alameda largo quadra bairro cep km bloco sala andar predio "
        "esquina street st avenue ave road square lane drive floor building suite corner"
    )
)
# Whoever does something without having a name: offices, bodies and groups of people.
_AGENTS = re.compile(
    _words(
        "ele ela eles elas he she they his her their alguem ninguem nobody someone todos todas qualquer cada anyone "
        "everyone pai mae rei rainha papa king queen pope man woman men women people homem mulher povo dono dona juiz "
        "junta camara estado uniao brother sister wife husband son daughter father mother marido irmao irma head user",
        "diret direc geren presid secret coorden chef prefeit governador minist conselh comite comiss assembl equip "
        "setor departament superintend ordenador respons gest fiscal procurador tesour sindic administra autoridade "
        "servidor empresa consultor engenh arquitet medic enferm professor reitor proprietari usuari alun famil "
        "colegiad plenari orgao agencia institut governo imperador filh espos board committee council manager officer "
        "chair team departm owner trustee mayor judge treasurer govern company agency emperor parliament congress "
        "staff member captain engineer architect author",
    )
)
_STEM_CHARS = 6  # "coordenador" and "coordenação" are the same office
# Written with a capital without being the name of a person.
_NO_NAMES = frozenset(
    "o a os as um uma uns umas em no na nos nas de do da dos das por pelo pela para com sem se quando como ao este "
    "esta esse essa isto isso art artigo the an this that these those in on at of by for with from if when it its "
    "there here all each every to and e ou or but mas lei decreto portaria resolucao norma capitulo secao anexo inciso "
    "law act".split()
)


class Sought:
    """What a question wants told: `kinds` of things, mostly none."""

    def __init__(self, question: str) -> None:
        self._asked = fold(question)
        self.kinds = frozenset(kind for kind, pattern in _ASKED_FOR.items() if pattern.search(self._asked))

    def lacking_in(self, text: str) -> frozenset[str]:
        """The kinds that a text has nothing of. What the question says itself is no answer to it."""
        if not self.kinds:
            return self.kinds
        folded = fold(text)
        return frozenset(kind for kind in self.kinds if not _HAS[kind](text, folded, self._asked))


def _has_figure(_: str, folded: str, asked: str) -> bool:
    known = {match[0] for match in FIGURE.finditer(asked)}
    return any(match[0] not in known for match in FIGURE.finditer(folded)) or _AMOUNT.search(folded) is not None


def _has_person(text: str, folded: str, asked: str) -> bool:
    names = (fold(match[0]) for match in NAME.finditer(text))
    if any(name not in asked and name not in _NO_NAMES and not TIME.fullmatch(name) for name in names):
        return True
    # The first word of a sentence has a capital anyway.
    first = re.match(r"\W*([A-ZÀ-Ý][\w'’-]+)(?![\w'’-]* [a-zà-ÿ])", text)
    if first and (word := fold(first[1])) not in _NO_NAMES and word not in asked and not TIME.fullmatch(word):
        return True
    return any(match[0][:_STEM_CHARS] not in asked for match in _AGENTS.finditer(folded))


def _has_price(text: str, folded: str, _: str) -> bool:
    priced = _PRICED_FIELD if RECORD.match(text) else _PRICED
    return _MONEY.search(folded) is not None or priced.search(folded) is not None


def _has_time(_: str, folded: str, asked: str) -> bool:
    known = {match[0] for match in TIME.finditer(asked)}
    return any(match[0] not in known for match in TIME.finditer(folded)) or _WHEN.search(folded) is not None


def _has_phone(_: str, folded: str, asked: str) -> bool:
    return any(match[0] not in asked for match in _PHONE.finditer(_STREET_NUMBER.sub(" ", folded)))


def _has_measure(units: str) -> Callable[[str, str, str], bool]:
    """A number that the question does not name, in a text that has one of the units."""
    # "altura_cm: 120" and "12kg" have one, "10 km" has no metres.
    unit = re.compile(rf"(?<![a-z])(?:{units})(?![a-z])")
    return lambda text, folded, asked: _has_figure(text, folded, asked) and unit.search(folded) is not None


def _has(kind: re.Pattern[str]) -> Callable[[str, str, str], bool]:
    return lambda _, folded, asked: any(match[0] not in asked for match in kind.finditer(folded))


_HAS: dict[str, Callable[[str, str, str], bool]] = {
    "phone": _has_phone,
    "email": _has(_MAIL),
    "link": _has(_LINK),
    "price": _has_price,
    "amount": _has_figure,
    "person": _has_person,
    "time": _has_time,
    "clock": lambda _, folded, __: _CLOCK.search(folded) is not None,
    "duration": lambda _, folded, __: _DURATION.search(folded) is not None,
    "address": lambda _, folded, __: _ADDRESS.search(folded) is not None,
    "secret": lambda _, folded, __: re.search(r"\d|:|[\"“«]", folded) is not None,
}
_HAS |= {kind: _has_measure(units) for kind, (_, units) in _MEASURES.items()}
