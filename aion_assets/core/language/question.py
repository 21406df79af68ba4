"""The language of a question: Portuguese or English, the two that AION speaks."""

import string

from aion_assets.core.language.identify import identify

PORTUGUESE, ENGLISH = "pt", "en"
DEFAULT = PORTUGUESE
# The embedder's window holds about as much, and more words only blur a full-text search.
MAX_QUESTION_CHARS = 2_000
_PUNCTUATION = string.punctuation + "“”‘’«»¿¡…–—"
# Function words of one of the two languages only. In a question of five words they say more than letter statistics.
_PORTUGUESE = frozenset(
    "o os um uma uns umas do da dos das no na nos nas ao aos à às pelo pela pelos pelas de em para com por e é são foi "
    "foram era eram ser está estão que quem qual quais quando onde como quanto quantos quanta quantas porque se não "
    "sim seu sua seus suas este esta isto esse essa isso aquele aquela você vocês eu ele ela eles elas mais muito "
    "também já foi sobre entre até sem num numa nao sao esta voce tem ter pode posso faz fazer devo existe fica".split()
)
_ENGLISH = frozenset(
    "the an of in on at to for from with by and or is are was were be been being it its this that these those what "
    "which who whom whose when where how why does did has have had can could should would will may might not there "
    "their they he she we you your i my his her our if than then into about between first after before during".split()
)


def clean_question(text: str) -> str:
    """The searchable form of a question: valid Unicode on one line. Of a long text only the beginning is kept."""
    return " ".join(text[:MAX_QUESTION_CHARS].encode("utf-8", "replace").decode().replace("\0", " ").split())


def question_language(text: str) -> str:
    """ "pt" or "en". Undecided questions are taken for Portuguese, the default of end-user texts."""
    # Whole words only: an identifier such as has_many has no language.
    words = [word.strip(_PUNCTUATION) for word in text.lower().split()]
    balance = sum(word in _PORTUGUESE for word in words) - sum(word in _ENGLISH for word in words)
    if balance != 0:
        return PORTUGUESE if balance > 0 else ENGLISH
    return ENGLISH if identify(text) == ENGLISH else DEFAULT
