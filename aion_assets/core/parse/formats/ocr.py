"""Text in pictures, read by Tesseract in Portuguese and English."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import ParseError
from aion_assets.core.records import QuarantineReason

if TYPE_CHECKING:
    from PIL.Image import Image

_LANGUAGES = ("por", "eng")
# Tesseract gives specks in photographs a lower confidence and most real words a far higher one.
_MIN_WORD_CONFIDENCE = 30.0
_MIN_PAGE_CONFIDENCE = 45.0
_DOUBTFUL_SHARE = 0.1  # of the words; specks and rules give a few on every page
# Letters under 20 pixels are misread. A picture smaller than this is a screenshot or clipping with such letters.
_SMALL_PIXELS = 1_000_000
# The ground is looked at in a smaller copy, around each place as far as some letters reach.
_GROUND_SCALE = 8
_GROUND_REACH = 9
_UNEVEN_LEVELS = 60  # of 255, between the ground's light and dark parts
_MIN_PAPER_LEVEL = 110


def read_image(image: "Image", remark: Callable[[str], None] = lambda _: None) -> str:
    """Paragraphs of `image`, separated by blank lines; "" where nothing is legible. `remark` takes what was left out.

    Raises ParseError: OCR_MISSING, KILLED.
    """
    import pytesseract

    languages = _installed_languages()
    mode = "--psm 1" if "osd" in languages else "--psm 3"  # 1 also rotates pages that lie on their side
    try:
        data = pytesseract.image_to_data(
            binarise(_enlarge(_to_bytes(image))),
            lang="+".join(language for language in _LANGUAGES if language in languages),
            config=mode,
            output_type=pytesseract.Output.DICT,
        )
    except pytesseract.TesseractError as error:
        if error.status != -signal.SIGKILL:
            raise
        raise ParseError(QuarantineReason.KILLED, "Tesseract was ended from outside, by SIGKILL.") from error
    doubtful = sum(_is_word(word) and float(conf) < _MIN_WORD_CONFIDENCE for word, conf in _words(data))
    if doubtful > _DOUBTFUL_SHARE * sum(_is_word(word) for word, _ in _words(data)):
        remark(f"{doubtful} words in pictures could not be read; a sharper picture helps")
    return _paragraphs(data)


def _words(data: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    return zip(map(str, data["text"]), data["conf"], strict=True)


def _is_word(text: str) -> bool:
    return sum(map(str.isalnum, text)) > 2


def can_read_images() -> bool:
    """Whether Tesseract and its languages are installed. Looked up once in a process."""
    try:
        _installed_languages()
    except ParseError:
        return False
    return True


def binarise(image: "Image") -> "Image":
    """Make black letters on white: grayscale, even light, then the threshold of Otsu (1979)."""
    import numpy as np
    from PIL import Image

    gray = _evenly_lit(_flatten(image).convert("L"))
    white = np.asarray(gray) > otsu_threshold(gray.histogram())
    if white.mean() < 0.5:  # light letters on a dark ground
        white = ~white
    return Image.fromarray(white.astype(np.uint8) * 255)


def _evenly_lit(gray: "Image") -> "Image":
    """Divide a picture by its blurred ground, where light falls unevenly: one threshold would turn the shade black.

    The ground is the lightest level around each place, as paper is lighter than letters. Even scans stay as they are,
    and so do light letters on a dark ground.
    """
    import numpy as np
    from PIL import Image, ImageFilter

    small = gray.resize(
        (max(1, gray.width // _GROUND_SCALE), max(1, gray.height // _GROUND_SCALE)), Image.Resampling.BOX
    )
    ground = small.filter(ImageFilter.MaxFilter(_GROUND_REACH)).filter(ImageFilter.GaussianBlur(_GROUND_REACH))
    levels = np.asarray(ground, dtype=np.float32)
    dark, light = np.percentile(levels, (2, 98))
    if light - dark < _UNEVEN_LEVELS or light < _MIN_PAPER_LEVEL:
        return gray
    whole = np.asarray(ground.resize(gray.size, Image.Resampling.BICUBIC), dtype=np.float32)
    even = np.asarray(gray, dtype=np.float32) * (255 / np.maximum(whole, 1.0))
    return Image.fromarray(np.clip(even, 0, 255).astype(np.uint8))


def otsu_threshold(histogram: Sequence[int]) -> int:
    """The gray level t that maximises the variance between levels ≤ t and levels > t."""
    import numpy as np

    counts = np.array(histogram, dtype=float)
    weights = counts.cumsum()
    sums = (counts * np.arange(counts.size)).cumsum()
    above = weights[-1] - weights
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * weights / weights[-1] - sums) ** 2 / (weights * above)
    return int(np.nan_to_num(between, posinf=0.0).argmax())


def _flatten(image: "Image") -> "Image":
    """Replace transparency by white: otherwise black letters on a transparent ground vanish."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        picture = image.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture)
    return image


def _to_bytes(image: "Image") -> "Image":
    """Scale gray levels of more than 8 bits from the darkest to the lightest in use. Pillow would cut them at 255."""
    import numpy as np
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image
    levels = np.nan_to_num(np.array(image, dtype=np.float32), posinf=0, neginf=0)
    levels -= levels.min()
    levels *= 255 / max(levels.max(), 1e-6)  # 0 where all are equal
    return Image.fromarray(levels.astype(np.uint8))


def _enlarge(image: "Image") -> "Image":
    if image.width * image.height >= _SMALL_PIXELS:
        return image
    if image.mode in ("1", "P"):
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image.resize((image.width * 2, image.height * 2))


@cache
def _installed_languages() -> frozenset[str]:
    import pytesseract

    try:
        installed = frozenset(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, OSError) as error:
        raise ParseError(
            QuarantineReason.OCR_MISSING,
            "The text is in pictures, and Tesseract is not installed.",
            "Install tesseract-ocr with the languages por and eng, then run again.",
        ) from error
    if not installed & set(_LANGUAGES):
        raise ParseError(
            QuarantineReason.OCR_MISSING,
            f"The text is in pictures, and Tesseract knows only {', '.join(sorted(installed)) or 'no language'}.",
            "Install its languages por and eng (tesseract-ocr-por, tesseract-ocr-eng), then run again.",
        )
    return installed


def _paragraphs(data: dict[str, list[Any]]) -> str:
    """Join words of Tesseract's table to lines and paragraphs, without doubtful words and without hyphenation."""
    paragraphs: dict[tuple[int, int], dict[int, list[str]]] = {}
    sure, letters = 0.0, 0
    for block, paragraph, line, confidence, word in zip(
        data["block_num"], data["par_num"], data["line_num"], data["conf"], data["text"], strict=True
    ):
        if float(confidence) >= _MIN_WORD_CONFIDENCE and str(word).strip():
            paragraphs.setdefault((block, paragraph), {}).setdefault(line, []).append(str(word))
            sure += float(confidence) * len(word)
            letters += len(word)
    if not letters or sure / letters < _MIN_PAGE_CONFIDENCE:
        return ""
    return "\n\n".join(join_lines(" ".join(words) for words in lines.values()) for lines in paragraphs.values())


def join_lines(lines: Iterable[str]) -> str:
    """Join the lines of one printed paragraph, and words that were hyphenated at a line's end."""
    text = ""
    for line in lines:
        if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    return text
