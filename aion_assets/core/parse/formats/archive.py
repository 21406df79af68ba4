"""Office files are zip archives of XML, and an archive can unpack to anything."""

import io
import zipfile

from aion_assets.core.errors import ParseError
from aion_assets.core.records import QuarantineReason

# Real office files unpack to far less, and most of that is pictures.
MAX_UNPACKED_BYTES = 500_000_000


def check_unpacked_size(body: bytes) -> None:
    """Sum the sizes in the directory. They can be trusted: zipfile never unpacks more of a member than its entry says.

    Raises ParseError: MEMORY.
    """
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_UNPACKED_BYTES:
        raise ParseError(
            QuarantineReason.MEMORY,
            f"The archive of {len(body)} bytes unpacks to {unpacked}, more than {MAX_UNPACKED_BYTES} bytes.",
        )


def is_strict(body: bytes) -> bool:
    """Whether the package is of the strict variant of Open XML, whose namespaces python-docx does not know."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return b"http://purl.oclc.org/ooxml/" in archive.read("_rels/.rels")
