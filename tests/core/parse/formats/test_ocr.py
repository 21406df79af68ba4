"""Pictures of text."""

import io
import os
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from shutil import which

import numpy as np
import pytest
import reportlab
from PIL import Image, ImageDraw, ImageFont

from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats import ocr
from aion_assets.core.parse.formats.image import parse as parse_image
from aion_assets.core.parse.formats.ocr import binarise, join_lines, otsu_threshold
from aion_assets.core.records import ParsedDocument, QuarantineReason

Parse = Callable[..., ParsedDocument]
needs_tesseract = pytest.mark.skipif(which("tesseract") is None, reason="Tesseract is not installed")


def picture(*lines: str, ink: str = "black", paper: str = "white") -> Image.Image:
    font = ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"), 42)
    image = Image.new("RGB", (1400, 120 + 70 * len(lines)), paper)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 60 + 70 * number), line, ink, font)
    return image


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_otsu_splits_two_classes_between_them() -> None:
    histogram = [0] * 40 + [5] * 20 + [0] * 120 + [20] * 40 + [0] * 36
    assert 59 <= otsu_threshold(histogram) < 180


def test_binarised_letters_are_black_on_white_whatever_the_colours() -> None:
    for ink, paper in (("black", "white"), ("#404040", "#c0c0c0"), ("yellow", "navy")):
        pixels = np.asarray(binarise(picture("texto", ink=ink, paper=paper)))
        assert set(np.unique(pixels)) == {0, 255} and pixels.mean() > 200


def test_hyphenated_words_are_made_whole() -> None:
    assert join_lines(["a biblio-", "teca abre às", "segundas-", "Feiras"]) == "a biblioteca abre às segundas- Feiras"


@needs_tesseract
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_portuguese_in_a_picture_is_read(parse: Parse, form: str) -> None:
    document = parse(saved(picture("A raposa marrom rápida salta", "sobre o cão preguiçoso."), form), "foto.png")
    assert document.text == "A raposa marrom rápida salta sobre o cão preguiçoso."
    assert document.lang == "pt"


@needs_tesseract
@pytest.mark.parametrize(("kind", "black", "white"), [("u2", 20_000, 40_000), ("f4", 0.0, 1.0), ("i4", 70_000, 90_000)])
def test_gray_of_more_than_eight_bits_is_read(parse: Parse, kind: str, black: float, white: float) -> None:
    gray = np.asarray(picture("Primeira folha do processo").convert("L")) / 255 * (white - black) + black
    assert parse(saved(Image.fromarray(gray.astype(kind)), "TIFF")).text == "Primeira folha do processo"


@needs_tesseract
def test_each_picture_of_a_tiff_is_a_page(parse: Parse) -> None:
    pages = [picture("Primeira folha do processo"), picture("Segunda folha do processo")]
    document = parse(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert document.text == "Primeira folha do processo\n\nSegunda folha do processo"
    assert [anchor.page for anchor in document.anchors] == [1, 2]


@needs_tesseract
def test_pages_for_which_no_time_is_left_are_remarked_and_the_others_kept() -> None:
    pages = [picture("Primeira folha"), picture("Segunda folha")]
    draft = Draft()
    parse_image(RawFile(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), read_until=0), draft)
    document = draft.finish(url="", filename="")
    assert document.text == "Primeira folha" and document.is_partial
    assert draft.notes == ["pages 2 to 2 are not read: the time limit is near"]


@needs_tesseract
def test_a_picture_whose_tesseract_is_killed_from_outside_is_not_called_broken(
    reason_of: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(f'#!/bin/sh\ncase "$1" in --*) exec {which("tesseract")} "$@";; esac\nkill -9 $$\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert reason_of(saved(picture("texto"), "PNG")) == QuarantineReason.KILLED


@needs_tesseract
def test_a_picture_without_text_has_none(reason_of: Callable[..., str]) -> None:
    assert reason_of(saved(Image.new("RGB", (300, 300), "white"), "PNG")) == QuarantineReason.NO_TEXT


def test_a_picture_of_too_many_pixels_is_refused(reason_of: Callable[..., str]) -> None:
    assert reason_of(saved(Image.new("1", (14_000, 8_000)), "PNG")) == QuarantineReason.MEMORY


def test_a_damaged_picture_is_broken(reason_of: Callable[..., str]) -> None:
    assert reason_of(saved(picture("texto"), "PNG")[:400]) == QuarantineReason.BROKEN


@needs_tesseract
@pytest.mark.parametrize("name", ["phototest.tif", "phototest-rotated-L.png", "phototest-rotated-180.png"])
def test_real_scans_are_read_whichever_way_up(parse: Parse, shared_data: Path, name: str) -> None:
    folder = shared_data / "ocr" / "tesseract_test" / "testing"
    true = (folder / "phototest.gold.txt").read_text().split()
    assert SequenceMatcher(None, true, parse((folder / name).read_bytes(), name).text.split()).ratio() > 0.95


def shaded(image: Image.Image, darkest: float) -> Image.Image:
    """The picture as a camera sees it with the lamp to the left."""
    light = np.linspace(1.0, darkest, image.width)[None, :, None]
    return Image.fromarray((np.asarray(image) * light).astype(np.uint8))


@needs_tesseract
def test_a_picture_in_uneven_light_is_read_to_its_dark_edge(parse: Parse) -> None:
    lines = ("Recibo da oficina do Horácio", "Troca de óleo e de duas velas", "Total a pagar até o dia doze")
    text = parse(saved(shaded(picture(*lines), 0.3), "PNG"), "a.png").text
    assert " ".join(text.split()) == " ".join(lines)


def test_even_pictures_and_light_letters_on_dark_paper_are_left_as_they_are() -> None:
    for ink, paper in (("black", "white"), ("#404040", "#c0c0c0"), ("yellow", "navy")):
        gray = picture("texto", ink=ink, paper=paper).convert("L")
        assert ocr._evenly_lit(gray) is gray
