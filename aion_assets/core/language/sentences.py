"""Sentence spans of Portuguese and English text.

Own rules, because the segmenters at hand either know no Portuguese or download a model at run time.
"""

import re

# A full stop after these does not end a sentence. Words that can also end a sentence ("no", "mar", "set") are left out.
_ABBREVIATIONS = frozenset(
    "sr sra srs sras dr dra drs prof profa profª exmo exma ilmo av ed vol cap pág pag págs pp fl fls nº núm art arts "
    "inc par tel ex obs séc fig figs tab eq ref cf vs e.g i.e a.c d.c p.ex ltda cia s.a jr mr mrs ms corp co dept "
    "approx aprox máx mín des dep eng arq proc res dec gen cel ten rod trav adv sen gov capt lt st mt ltd op".split(" ")
)
# Neither after these before a number; elsewhere they end sentences.
_BEFORE_NUMBERS = frozenset("no nos nr nrs sec secs ch chap incs alín".split(" "))
# A run of marks, blanks or openings is taken whole and from its beginning only: what fails is not tried at each of its
# characters again, so that the time is linear in the text.
_MARK = r"""(?<![.!?…])[.!?…]++["'”’»)\]]*+"""
_BEFORE_OPENING = r"""["'“‘«(\[\-–—•]*+"""
_END, _END_LOWER_CASE = (
    re.compile(rf"(?P<mark>{_MARK})[^\S\n]++(?={_BEFORE_OPENING}{opening})|(?P<line>(?<![^\S\n])[^\S\n]*+\n\s*+)")
    for opening in ("[A-ZÀ-ÖØ-Þ0-9¿¡§]", r"[\w§]")
)
# A text with a smaller share of capitals among its letters was put into lower case. Prose has many times as many.
_LOWER_CASE_SHARE = 0.003
# The number of an article or of an item, before its text.
_LABEL = re.compile(
    r"(?:(?:arts?\.?|artigo|§|par[áa]grafo|cl[áa]usula|item|inciso|anexo)\s*)?\d{1,4}[ºª°]?(?:[-.]\w{1,3})*",
    re.IGNORECASE,
)
_LABEL_CHARS = 30
_LAST_WORD = re.compile(r"([\w.ªº]+)$")
# A letter after a number, a fraction or a degree is a unit: "1,20 m.", "36 km/h.", "60 °C.". After a year a capital is
# more often the initial of a name: "em 1990 J. Silva".
_UNIT = re.compile(r"(?:\d\s?|[/°º·])[a-zA-Z]$")
_YEAR_AND_INITIAL = re.compile(r"(?<![\d.,])(?:1[0-9]|20)\d\d\s?[A-Z]$")
# A shorter line was not broken by the page's width.
_WRAPPED_LINE_CHARS = 40
# A line as long as this and as the page is wide was broken by its width before a capital or a number, too.
_FULL_LINE_CHARS = 60
_WRAPPED = re.compile(rf"^(.{{{_WRAPPED_LINE_CHARS - 1},}}[^\s.!?:;…|])\n(?=[a-zà-öø-ÿ])", re.MULTILINE)
_STARTS_LINE = re.compile(r"[-–—•*] |\(?\w{1,3}[.)] |[^\n]*\||[^\n:]{1,40}: ")
# Dots that lead the eye to the next column.
_LEADER = re.compile(r"\.{4,}|(?<=\s)\.{3}")
# Signs of a command line. Two lines in a row that begin with the same word and have one are separate commands.
_COMMAND = re.compile(r"(?:^|\s)--?\w|[/=({]|\s# ")
_STARTS_ANEW = re.compile(r"[^a-zà-öø-ÿ]|[^\n:]{1,40}: ")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans (start, end) in order, without the white space around them.

    A line break ends a sentence unless the line looks wrapped: it is long, has no closing mark, and the next line
    begins in lower case, or its first word would not have fitted.
    """
    spans: list[tuple[int, int]] = []
    page_width = max((len(match[1]) for match in _WRAPPED.finditer(text)), default=0)
    start = line_start = 0
    for match in (_END_LOWER_CASE if _is_lower_case(text) else _END).finditer(text):
        if match["line"] is not None:
            wrapped = _is_wrapped(text, line_start, match, page_width)
            line_start = match.end()
            if wrapped:
                continue
        elif _LEADER.match(text, match.start()) or (match["mark"] == "." and _goes_on(text, start, match.start())):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _is_lower_case(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters > 0 and sum(map(str.isupper, text)) / letters < _LOWER_CASE_SHARE


def _is_wrapped(text: str, line_start: int, line_break: re.Match[str], page_width: int) -> bool:
    """`page_width`: of the text's lines, as far as they are known to be wrapped; 0 where none is."""
    before, after = text[line_start : line_break.start()], line_break.end()
    if _COMMAND.search(before) and text.startswith(f"{before.split(maxsplit=1)[0]} ", after):
        return False
    if line_break[0].count("\n") > 1 or len(before) < _WRAPPED_LINE_CHARS or before[-1] in ".!?:;…|":
        return False
    if not _STARTS_ANEW.match(text, after):
        return True
    next_word = text[after : after + page_width].split(maxsplit=1)[:1]
    fills = len(before) + 1 + sum(map(len, next_word)) > page_width and len(before) >= _FULL_LINE_CHARS
    return page_width > 0 and fills and not _STARTS_LINE.match(text, after)


def _goes_on(text: str, start: int, stop: int) -> bool:
    """Whether the full stop at `stop` does not end the sentence that begins at `start`."""
    if stop - start <= _LABEL_CHARS and _LABEL.fullmatch(text[start:stop].strip()):
        return True
    word = _LAST_WORD.search(text[max(0, stop - 20) : stop])
    if word is None:
        return False
    last = word.group(1).lower()
    if last in _BEFORE_NUMBERS and text[stop + 1 :].lstrip()[:1].isdigit():
        return True
    return last in _ABBREVIATIONS or (
        len(last) == 1 and last.isalpha() and not _is_unit(text[max(0, stop - 20) : stop])
    )


def _is_unit(before: str) -> bool:
    """Whether the letter that ends `before` is a unit rather than an initial."""
    return _UNIT.search(before) is not None and _YEAR_AND_INITIAL.search(before) is None


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        offset = start + len(piece) - len(piece.lstrip())
        spans.append((offset, offset + len(stripped)))
