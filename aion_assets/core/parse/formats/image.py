"""Pictures of text: PNG, JPEG, and TIFF of many pages."""

import io
import warnings

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats.ocr import read_image
from aion_assets.core.records import QuarantineReason

# An A4 page at 600 dpi has 35 million pixels. A larger picture is not a page.
MAX_PIXELS = 100_000_000


def parse(raw: RawFile, draft: Draft) -> None:
    from PIL import Image, ImageOps, UnidentifiedImageError

    draft.parser = "ocr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged tags; the size is checked below
        try:
            with Image.open(io.BytesIO(raw.body), formats=("PNG", "JPEG", "TIFF")) as picture:
                pages = getattr(picture, "n_frames", 1)
                for number in range(pages):
                    if number and raw.is_late():
                        what = f"pages {number + 1} to {pages} are not read: the time limit is near"
                        draft.leave_out(ParseError(QuarantineReason.TIMEOUT, what))
                        break
                    picture.seek(number)
                    if picture.width * picture.height > MAX_PIXELS:
                        raise _too_large(picture.width, picture.height)
                    if pages > 1:
                        draft.page(number + 1)
                    draft.paragraph(read_image(ImageOps.exif_transpose(picture), draft.note))
        except Image.DecompressionBombError as error:
            raise ParseError(QuarantineReason.MEMORY, f"The picture is too large: {error}") from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
            raise ParseError(QuarantineReason.BROKEN, f"The picture is damaged: {error}.") from error


def _too_large(width: int, height: int) -> ParseError:
    return ParseError(
        QuarantineReason.MEMORY, f"The picture has {width} × {height} pixels, more than {MAX_PIXELS} in all."
    )
