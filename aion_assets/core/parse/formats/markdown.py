"""Markdown: rendered to HTML and read as that."""

import re

from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats.html import prepare
from aion_assets.core.parse.formats.html_blocks import write_blocks

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"^(title|lang|language|date)\s*:\s*[\"']?(.*?)[\"']?\s*$", re.IGNORECASE | re.MULTILINE)


def parse(raw: RawFile, draft: Draft) -> None:
    from lxml import html
    from markdown_it import MarkdownIt

    draft.parser = "md"
    text = raw.text().replace("\r\n", "\n")
    if front_matter := _FRONT_MATTER.match(text):
        fields = {name.lower(): value for name, value in _FIELD.findall(front_matter.group(1))}
        draft.title = fields.get("title", "")
        draft.lang = fields.get("lang", "") or fields.get("language", "")
        draft.published = fields.get("date", "")[:10]
        text = text[front_matter.end() :]
    # Deeper nesting is left out with all that follows it. 20 is a list of ten levels.
    rendered = MarkdownIt("commonmark", {"maxNesting": 200}).enable(["table", "strikethrough"]).render(text)
    if rendered.strip():
        tree = html.fragment_fromstring(rendered, create_parent="div")
        prepare(tree, draft)
        write_blocks(tree, draft)
