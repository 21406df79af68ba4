"""Pages that say of themselves that they are none: servers send them with the status 200."""

import re
import unicodedata

MAX_ERROR_PAGE_CHARS = 1_200  # longer pages have something to say
_THING = (
    r"(?:pagina|conteudo|documento|arquivo|endereco|url|link|registro|publicacao|noticia|artigo|recurso|site|page|file|"
    r"content|resource|document)"
)
_SAYS_ERROR = re.compile(
    rf"\b{_THING}s?\b(?: \w+){{0,4}}? (?:nao|not|cannot|can t|could not|doesn t|does not|no longer|is not|was not) "
    r"(?:\w+ ){0,2}?(?:encontrad[ao]|localizad[ao]|existe|existente|disponivel|found|exists?|available|located)\b"
    rf"|\b{_THING}s? (?:indisponivel|inexistente|removid[ao]|invalid[ao]|excluid[ao]|expirad[ao]|unavailable|removed)\b"
    r"|\b(?:erro|error|http) ?(?:4\d\d|50\d)\b|^(?:404|403|410|500|503)\b"
    r"|\b404\b.{0,20}\b(?:not found|nao encontrad[ao])"
    r"|^(?:not found|nao encontrad[ao]|forbidden|unauthorized|access denied|acesso (?:negado|nao autorizado))\b"
    r"|\b(?:erro interno|internal server error|server error|bad gateway|service unavailable)\b"
    r"|\b(?:sessao|session)(?: has)? (?:expirada|expirou|expired)\b"
    r"|\b(?:site|portal|sistema|pagina|servico)(?: esta)? (?:em manutencao|temporariamente indisponivel|fora do ar)\b"
    r"|\bunder maintenance\b|\bjust a moment\b|\battention required\b|\bchecking your browser\b"
)
_SIGNS = re.compile(r"[^\w\s]")


def says_it_is_an_error(title: str, heading: str, characters: int) -> bool:
    """Whether a short page says in its title or first heading that there is no such page, or that it failed."""
    if characters > MAX_ERROR_PAGE_CHARS:
        return False
    return any(_SAYS_ERROR.search(_plain(text)) for text in (title, heading) if len(text) <= 150)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.lower())
    spaced = _SIGNS.sub(" ", "".join(sign for sign in letters if not unicodedata.combining(sign)))
    return " ".join(spaced.split())
