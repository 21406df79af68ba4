"""Titles that name nothing: those that programs write when nobody gave one, and headings that every document has."""

import re
import unicodedata

_BY_PROGRAMS = re.compile(
    r"^\W*(?:anonymous|unknown|unnamed|untitled(?: document| page)?\W*\d*|sem nome|sem título\W*\d*|título|title|"
    r"documento sem título|nov[oa] (?:documento|página)(?: do microsoft word)?\W*\d*|new (?:document|page)\W*\d*|"
    r"documento?\W*\d*|doc\W*\d*|slide \d+|(?:apresentação|presentation|pasta|book|planilha|plan|sheet|livro)\W?\d*|"
    r"(?:word|powerpoint) (?:document|presentation)|documento do (?:microsoft )?word|"
    r"apresentação do (?:microsoft )?powerpoint|microsoft (?:word|powerpoint|excel)\b.*|"
    r"(?:digitalização|digitalizado|scan|scanned document|escaneado|img|image|imagem)[\W\d_]*|"
    r"(?:print|impressão|página inicial do|layout) ?\d*|null|none|undefined|\W+)\W*$"
    r"|^(?:file|https?):|^[a-z]:\\"
    r"|\.(?:docx?|xlsx?|pptx?|odt|ods|indd|tex|dvi|cdr|qxd|pdf|rtf|txt|html?|dot|pub|ppt|wpd|ai|eps|jpe?g|tiff?|png)$",
    re.IGNORECASE,
)
_MIN_TITLE_CHARS = 3
# The first section of very many documents.
_GENERAL_HEADINGS = frozenset(
    """abstract agradecimentos anexo anexos apresentacao background capa capitulo conteudo contents definicao definicoes
    disposicoes escopo finalidade fundamentacao general geral historico indice intro introducao introduction
    justificativa notas objective objectives objetivo objetivos objeto observacoes overview preambulo prefacio preface
    preliminares purpose resumo revisoes scope sumario summary visao""".split()
)
_NAMES_DOCUMENT = re.compile(
    r"\b[A-Z]{2,6}[-–. ]?\d{1,4}\b|\b(?i:norma|manual|procedimento|pol[íi]tica|instru[çc][ãa]o|regimento|regulamento|"
    r"edital|contrato|plano|guia|resolu[çc][ãa]o|portaria|relat[óo]rio|policy|procedure|guideline|report|handbook)\b"
)
_LETTERHEAD = re.compile(r"\b(?:cep|cnpj|tel|telefone|fone|fax|www|e-mail)\b|@", re.IGNORECASE)
_FILLERS = frozenset("a as o os e da das de do dos da geral gerais preliminares inicial iniciais the of and".split())
_WORD = re.compile(r"[^\W\d_]+")
_FILE_BY_PROGRAM = re.compile(
    r"(?:doc(?:umento?)?|untitled|sem t[ií]tulo|scan|img|image|imagem|file|arquivo|download|index|default|novo?|new|"
    r"page|pagina|view|show|print|temp|tmp|copia|copy|anexo|attachment|dsc|whatsapp|\W|\d|_)*",
    re.IGNORECASE,
)


def names_nothing(title: str) -> bool:
    """Whether `title` was written by a program."""
    return len(title) < _MIN_TITLE_CHARS or _BY_PROGRAMS.search(title) is not None


def names_document(line: str) -> bool:
    """Whether a line of a page's head names the document, by a code or by its kind, and is no letterhead."""
    return _NAMES_DOCUMENT.search(line) is not None and _LETTERHEAD.search(line) is None


def is_general(heading: str) -> bool:
    """Whether `heading` opens many documents alike: "1. Objetivo", "Disposições preliminares"."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", heading.lower()) if not unicodedata.combining(sign))
    words = _WORD.findall(plain)
    return not words or (words[0] in _GENERAL_HEADINGS | _FILLERS and set(words) <= _GENERAL_HEADINGS | _FILLERS)


def is_telling_name(stem: str) -> bool:
    """Whether a file's name, without its extension, says what the file is: not "scan0001" or "documento (3)"."""
    return _FILE_BY_PROGRAM.fullmatch(stem) is None and sum(map(str.isalpha, stem)) >= _MIN_TITLE_CHARS
