"""Mails: sender, recipients, date and subject, the body, forwarded mails, and the names of attachments."""

import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.policy import default
from email.utils import parsedate_to_datetime

from aion_assets.core.parse.charset import decode
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft

_SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject")
_READ = ("text/plain", "text/html", "text/enriched")
_STUB_TIMES = 2  # so much shorter than the page, the plain text only says that there is one
_UNSEEN = re.compile(r"<(?:style|script|title)\b[^<]*", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_MAX_FORWARDS = 8  # depth of mails inside mails


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "eml"
    message = BytesParser(EmailMessage, policy=default).parsebytes(raw.body)
    draft.title = _field(message, "Subject")
    draft.published = _date(str(message["Date"] or ""))
    _write(message, draft, depth=0)
    names = [name for part in message.walk() if (name := part.get_filename())]
    if names:
        draft.paragraph("Attachments: " + ", ".join(names))


def _write(message: MIMEPart, draft: Draft, depth: int) -> None:
    draft.paragraph("\n".join(f"{name}: {_field(message, name)}" for name in _SHOWN_FIELDS if message[name]))
    _write_body(message, draft)
    for forwarded in _forwarded(message):
        if depth == _MAX_FORWARDS:
            draft.note(f"mails inside of {_MAX_FORWARDS} others are not read")
        else:
            _write(forwarded, draft, depth + 1)


def _write_body(message: MIMEPart, draft: Draft) -> None:
    """Write all texts that a mail program shows, in their order: some put pictures between them."""
    for part in _body_parts(message):
        text = _text(part)
        if part.get_content_subtype() == "html":
            from aion_assets.core.parse.formats.html import write_markup

            write_markup(text, draft)
        elif part.get_content_subtype() == "enriched":
            draft.paragraph(_TAG.sub("", text))
        else:
            draft.paragraph(text)
    for part in _own_parts(message):
        if part.get_content_maintype() == "text" and part.get_content_type() not in _READ and not part.get_filename():
            draft.note(f"a part of the type {part.get_content_type()} is not read")


def _own_parts(part: MIMEPart) -> Iterator[MIMEPart]:
    """The parts of a mail itself, not those of mails in it."""
    if not part.is_multipart():
        yield part
    elif part.get_content_type() != "message/rfc822":
        for below in part.iter_parts():
            yield from _own_parts(below)


def _body_parts(part: MIMEPart) -> Iterator[MIMEPart]:
    """The inline texts of a mail. Of alternatives it is the plain one, unless some program left that blank, or wrote in
    it that the reader cannot see the mail.
    """
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        found = [list(_body_parts(below)) for below in part.iter_parts()]
        plain = [texts for texts in found if texts and all(text.get_content_subtype() == "plain" for text in texts)]
        last: list[MIMEPart] = next((texts for texts in reversed(found) if texts), [])
        told = next(iter(plain), [])
        yield from told if _letters(told) * _STUB_TIMES >= _letters(last) else last
    elif part.is_multipart() and kind != "message/rfc822":
        for below in part.iter_parts():
            yield from _body_parts(below)
    elif kind in _READ and not part.is_attachment() and (kind == "text/plain" or not part.get_filename()):
        yield from [part] if _text(part).strip() else []


def _letters(parts: Sequence[MIMEPart]) -> int:
    """How many letters and digits a reader of these texts sees, about."""
    return sum(sum(map(str.isalnum, _TAG.sub("", _UNSEEN.sub("", _text(part))))) for part in parts)


def _text(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    return decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset() or "")


def _forwarded(part: MIMEPart) -> Iterator[MIMEPart]:
    """The mails directly in `part`."""
    if part.get_content_type() == "message/rfc822":
        yield from part.iter_parts()
    else:
        for below in part.iter_parts():
            yield from _forwarded(below)


def _field(message: MIMEPart, name: str) -> str:
    value = str(message[name] or "")
    if "\N{REPLACEMENT CHARACTER}" not in value:
        return value
    # Bytes that were sent without naming their encoding.
    raw = next(str(raw) for key, raw in message.raw_items() if key.lower() == name.lower())
    return " ".join(decode(raw.encode("utf-8", "surrogateescape")).split())


def _date(field: str) -> str:
    try:
        return parsedate_to_datetime(field).date().isoformat()
    except ValueError:
        return ""
