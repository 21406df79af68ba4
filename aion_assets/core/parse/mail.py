"""Mails: who wrote what to whom when, the body, and the names of what was attached."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import parsedate_to_datetime

from aion_assets.core.parse.charset import decode
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft

_SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject")


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "eml"
    message = BytesParser(EmailMessage, policy=default).parsebytes(raw.body)
    draft.title = _field(message, "Subject")
    draft.published = _date(str(message["Date"] or ""))
    draft.paragraph("\n".join(f"{name}: {_field(message, name)}" for name in _SHOWN_FIELDS if message[name]))
    body = message.get_body(preferencelist=("plain", "html"))
    if body is not None:
        payload = body.get_payload(decode=True)
        text = decode(payload if isinstance(payload, bytes) else b"", body.get_content_charset() or "")
        if body.get_content_subtype() == "html":
            from aion_assets.core.parse.html import write_markup

            write_markup(text, draft)
        else:
            draft.paragraph(text)
    names = [name for part in message.walk() if (name := part.get_filename())]
    if names:
        draft.paragraph("Attachments: " + ", ".join(names))


def _field(message: EmailMessage, name: str) -> str:
    value = str(message[name] or "")
    if "\N{REPLACEMENT CHARACTER}" not in value:
        return value
    # Letters that were sent without saying in which encoding.
    raw = next(str(raw) for key, raw in message.raw_items() if key.lower() == name.lower())
    return " ".join(decode(raw.encode("utf-8", "surrogateescape")).split())


def _date(field: str) -> str:
    try:
        return parsedate_to_datetime(field).date().isoformat()
    except ValueError:
        return ""
