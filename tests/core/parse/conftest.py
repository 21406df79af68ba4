"""Short ways to parse one file in this process."""

from collections.abc import Callable

import pytest

from aion_assets.core.errors import ParseError
from aion_assets.core.parse import parse_bytes
from aion_assets.core.records import ParsedDocument

Parse = Callable[..., ParsedDocument]
ReasonOf = Callable[..., str]


@pytest.fixture
def parse() -> Parse:
    def run(body: bytes, filename: str = "", content_type: str = "", url: str = "") -> ParsedDocument:
        return parse_bytes(body, url=url, content_type=content_type, filename=filename)

    return run


@pytest.fixture
def reason_of(parse: Parse) -> ReasonOf:
    """The reason for which a file is quarantined."""

    def run(body: bytes, filename: str = "", content_type: str = "") -> str:
        with pytest.raises(ParseError) as caught:
            parse(body, filename, content_type)
        return caught.value.reason

    return run
