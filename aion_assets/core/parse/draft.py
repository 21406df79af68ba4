"""The document being written. Parsers pass headings, paragraphs and pages in reading order.

Every parser writes through a Draft, which normalises, bounds and anchors text alike for all types.
"""

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from aion_assets.core.errors import ParseError
from aion_assets.core.language.fields import named_by_form
from aion_assets.core.parse.formats.struck import REMARK
from aion_assets.core.parse.titles import is_general, is_telling_name, names_nothing
from aion_assets.core.records import Anchor, ParsedDocument, QuarantineReason

# About 5 000 pages. Nobody reads more of one document, and more chunks of one file only crowd the index.
MAX_TEXT_CHARS = 10_000_000
MAX_TITLE_CHARS = 300
_GIVEN_BY_PEOPLE = ("eml", "jsonl", "md")  # parsers of types whose titles no program invents
_SEPARATOR = "\n\n"

_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Controls, surrogates, noncharacters, and characters that a reader does not see but a model reads: zero-width
# characters, bidirectional overrides, and tag characters, which smuggle hidden instructions. Joiners stay: scripts need
# them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufdd0-\ufdef"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")  # icon fonts and symbol bullets: no meaning outside their font
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
# Text struck out character by character, with the strokes that Unicode has for it: two characters or more.
_OVERSTRUCK = re.compile(
    "(?:[^\\s\u0335\u0336][\u0335\u0336]+(?:[^\\S\n][\u0335\u0336]*(?=[^\\s\u0335\u0336][\u0335\u0336]))?){2,}"
)
_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n")


def clean(text: str) -> str:
    """The text in NFC, without ligatures and invisible characters, with `\\n` as the only line break. Spaces stay."""
    text = _LINE_BREAKS.sub("\n", text)
    text = _PRIVATE_USE.sub(" ", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", text.translate(_LIGATURES))


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


class Draft:
    """Collects blocks of text with the anchors that lead back to pages and headings."""

    def __init__(self) -> None:
        self.title = ""
        self.lang = ""  # declared by the document; only a hint
        self.published = ""
        self.parser = ""
        self.notes: list[str] = []
        self._blocks: list[str] = []
        self._anchors: list[Anchor] = []
        self._headings: list[tuple[int, str]] = []
        self._first_heading = ""
        self._head_name = ""
        self._fragment = ""
        self._page = 0
        self._length = 0
        self._place_is_new = False
        self._hindrance: ParseError | None = None

    @property
    def full(self) -> bool:
        """Whether the limit is reached. A parser with more to read may stop then."""
        return self._length >= MAX_TEXT_CHARS

    @property
    def characters(self) -> int:
        return self._length

    def note(self, remark: str) -> None:
        if remark not in self.notes:
            self.notes.append(remark)

    def page(self, number: int) -> None:
        """Begin a page, counted from 1."""
        self._page = number
        self._place_is_new = True

    def heading(self, level: int, text: str, fragment: str = "") -> None:
        """`level` 1 is the outermost. `fragment` is the element's id in the page."""
        self.section(level, text, fragment)
        self._append(one_line(text))

    def section(self, level: int, text: str, fragment: str = "") -> None:
        """Begin a section whose heading is not part of the text."""
        if line := one_line(text):
            self._headings = [(depth, name) for depth, name in self._headings if depth < level]
            self._headings.append((level, line))
            self._first_heading = self._first_heading or line
            self._fragment = fragment
            self._place_is_new = True

    def name_from_head(self, line: str) -> None:
        """A line of the page's head. It is the title where the first heading is one that many documents have."""
        self._head_name = line

    def paragraph(self, text: str) -> None:
        """Add text. Line breaks stay, runs of blanks become one, blank lines separate paragraphs."""
        for part in _BLANK_LINES.split(clean(text)):
            lines = (_BLANKS.sub(" ", line).strip() for line in part.split("\n"))
            self._append("\n".join(line for line in lines if line))

    def verbatim(self, text: str) -> None:
        """Add code. Indentation stays."""
        lines = [line.rstrip() for line in clean(text).expandtabs(4).split("\n")]
        self._append(re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip("\n")))

    def leave_out(self, error: ParseError) -> None:
        """Note that text was skipped for lack of Tesseract or of time. Without other text, this is the outcome."""
        if self._hindrance is None:
            self._hindrance = error
            self.note(error.what)

    def finish(self, *, url: str, filename: str) -> ParsedDocument:
        """The document, with `lang` as declared. The registry decides the language.

        Raises ParseError: NO_TEXT when nothing legible was collected, or the reason that was noted for it.
        """
        text = _SEPARATOR.join(self._blocks)
        if not any(map(str.isalnum, text)):
            if self._hindrance is not None:
                raise self._hindrance
            raise ParseError(QuarantineReason.NO_TEXT, "The document holds no text.", "Nothing of it can be searched.")
        return ParsedDocument(
            title=_with_name(self._best_title(url, filename), named_by_form(text)),
            text=text,
            lang=self.lang,
            parser=self.parser,
            anchors=self._anchors,
            published=self.published,
            is_partial=self._hindrance is not None,
        )

    def _append(self, block: str) -> None:
        if "\u0336" in block or "\u0335" in block:
            block, count = _OVERSTRUCK.subn("", block)
            if count:
                self.note(REMARK)
                block = block.strip()
        if not block.strip():
            return
        offset = self._length + len(_SEPARATOR) if self._blocks else 0
        if offset + len(block) > MAX_TEXT_CHARS:
            self.note(f"the text is cut at {MAX_TEXT_CHARS} characters")
            block = block[: max(0, MAX_TEXT_CHARS - offset)].rstrip()
            self._length = MAX_TEXT_CHARS
            if not block:
                return
        if self._place_is_new:
            path = " > ".join(name for _, name in self._headings)
            self._anchors.append(Anchor(offset, self._page, path, self._fragment))
            self._place_is_new = False
        self._blocks.append(block)
        self._length = max(self._length, offset + len(block))

    def _best_title(self, url: str, filename: str) -> str:
        address = urlsplit(url)
        given = one_line(self.title)
        stem = PurePosixPath(filename).stem or PurePosixPath(unquote(address.path)).stem
        heading = self._first_heading
        tells = bool(heading) and not is_general(heading) and not names_nothing(heading)
        candidates = (
            "" if self.parser not in _GIVEN_BY_PEOPLE and names_nothing(given) else given,
            heading if tells else "",
            self._head_name,
            stem if heading and is_telling_name(stem) else "",
            heading,
            stem,
            address.netloc,
        )
        found = (one_line(candidate)[:MAX_TITLE_CHARS].strip() for candidate in candidates)
        return next((title for title in found if title), "Untitled")


def _with_name(title: str, name: str) -> str:
    """The title of a form says whose it is, as each of its passages is found by it."""
    return title if not name or name.lower() in title.lower() else f"{title} – {name}"[:MAX_TITLE_CHARS]
