"""Plain text: as it stands."""

from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "plain"
    draft.paragraph(raw.text())
