"""Find personal data in a text, so that nothing of a person is trained into a model."""

import re

# A name is taken for one where the words before it say so; a list of names would bar half the dictionary.
_NAMED = re.compile(
    r"\b(?:meu nome (?:é|e)|me chamo|aqui (?:é|e) (?:o|a)|sou (?:o|a)|my name is|i am called|this is|i'm)\s+"
    r"(?-i:[A-ZÀ-Þ][\wà-ÿ'’-]+)",
    re.IGNORECASE,
)
# Each run is tried from its beginning only, so that the time is linear in the text.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]+)+")
_CPF = re.compile(r"(?<![\w.])\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?![\w-])")
_CNPJ = re.compile(r"(?<![\w.])[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}(?![\w-])")
_CARD = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w-])")
# Brazil's with area code, and international ones with a plus sign.
_PHONE = re.compile(r"(?<![\w.])(?:\+\d{1,3}[ -]?)?\(?\b\d{2}\)?[ -]?9?\d{4}[ -]?\d{4}(?![\w-])|\+\d[\d -]{8,15}\d")


def personal_data_in(text: str) -> str:
    """The first kind that is found: email, cpf, cnpj, card, phone or name; "" for none.

    Numbers count only when their check digits are right, so that amounts and article numbers pass.
    """
    from stdnum import luhn
    from stdnum.br import cnpj, cpf

    if _EMAIL.search(text):
        return "email"
    if any(cpf.is_valid(match[0]) for match in _CPF.finditer(text)):
        return "cpf"
    if any(cnpj.is_valid(match[0]) for match in _CNPJ.finditer(text)):
        return "cnpj"
    if any(luhn.is_valid(re.sub(r"\D", "", match[0])) for match in _CARD.finditer(text)):
        return "card"
    if _PHONE.search(text):
        return "phone"
    return "name" if _NAMED.search(text) else ""
