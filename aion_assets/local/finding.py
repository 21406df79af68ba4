"""What the doctor says of one part."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Finding:
    """`state`: good; missing (something optional is absent); broken (something needed does not work)."""

    what: str
    state: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)
