"""A question as everything after the door sees it: cleaned, with its language and its terms, each found once."""

import re
import string
from dataclasses import dataclass, replace

from aion_assets.core.language.identify import ENGLISH, PORTUGUESE, identify
from aion_assets.core.language.terms import terms

DEFAULT = PORTUGUESE
# The embedder's window holds about as much, and more words only blur a full-text search.
MAX_QUESTION_CHARS = 2_000
_ACCENTED = re.compile("[ãõçáéíóúâêôà]", re.IGNORECASE)
_PUNCTUATION = string.punctuation + "“”‘’«»¿¡…–—"
# Function words of one of the two languages only. In a question of five words they say more than letter statistics.
_PORTUGUESE = frozenset(
    "o os um uma uns umas do da dos das no na nos nas ao aos à às pelo pela pelos pelas de em para com por e é são foi "
    "foram era eram ser está estão que quem qual quais quando onde como quanto quantos quanta quantas porque se não "
    "sim seu sua seus suas este esta isto esse essa isso aquele aquela você vocês eu ele ela eles elas mais muito "
    "também já foi sobre entre até sem num numa nao sao esta voce tem ter pode posso faz fazer devo existe fica meu "
    "minha meus minhas".split()
)
_ENGLISH = frozenset(
    "the an of in on at to for from with by and or is are was were be been being it its this that these those what "
    "which who whom whose when where how why does did has have had can could should would will may might not there "
    "their they he she we you your i my his her our if than then into about between first after before during".split()
)


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is searchable, `language` "pt" or "en"; `terms` are the content terms of that language, in order.
    `tells_language`: its words say which one it is, as those of "TW-4100" or "wifi password" do not.
    """

    text: str
    language: str
    terms: tuple[str, ...]
    tells_language: bool = True

    @classmethod
    def read(cls, text: str) -> "Question":
        cleaned = clean_question(text)
        language = question_language(cleaned)
        return cls(cleaned, language, tuple(terms(cleaned, language)), _tells_language(cleaned))

    def where_spoken(self, language: str) -> "Question":
        """As it is read where everything else is in `language`; "" where several are spoken."""
        if self.tells_language or language in ("", self.language):
            return self
        return replace(self, language=language, terms=tuple(terms(self.text, language)))


def as_question(asked: "Question | str") -> Question:
    return asked if isinstance(asked, Question) else Question.read(asked)


def clean_question(text: str) -> str:
    """The searchable form of a question: valid Unicode on one line. Of a long text only the beginning is kept."""
    return " ".join(text[:MAX_QUESTION_CHARS].encode("utf-8", "replace").decode().replace("\0", " ").split())


def question_language(text: str) -> str:
    """ "pt" or "en". Undecided questions are taken for Portuguese, the default of end-user texts."""
    if balance := _balance(text):
        return PORTUGUESE if balance > 0 else ENGLISH
    return ENGLISH if identify(text) == ENGLISH else DEFAULT


def _tells_language(text: str) -> bool:
    """The identifier prefers Portuguese where it is in doubt, so only its English counts."""
    return _balance(text) != 0 or _ACCENTED.search(text) is not None or identify(text) == ENGLISH


def _balance(text: str) -> int:
    """Function words of Portuguese less those of English."""
    # Whole words only: an identifier such as has_many has no language.
    words = [word.strip(_PUNCTUATION) for word in text.lower().split()]
    return sum(word in _PORTUGUESE for word in words) - sum(word in _ENGLISH for word in words)
