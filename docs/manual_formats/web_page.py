"""A chapter as a web page."""

from html import escape
from itertools import pairwise

from manual_formats.blocks import Chapter, markdown_parser, slug

_LANG = {"pt": "pt-BR", "en": "en"}


def render_html(chapter: Chapter) -> bytes:
    """UTF-8. Every heading has an id, so that a citation can link to its section."""
    parser = markdown_parser()
    tokens = parser.parse(chapter.source)
    taken: set[str] = set()
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        anchor = base = slug("".join(child.content for child in inline.children or []))
        number = 1
        while anchor in taken:
            number += 1
            anchor = f"{base}-{number}"
        taken.add(anchor)
        token.attrSet("id", anchor)
    body = parser.renderer.render(tokens, parser.options, {})
    page = f"""<!doctype html>
<html lang="{_LANG[chapter.lang]}">
<head>
<meta charset="utf-8">
<title>{escape(chapter.title)}</title>
</head>
<body>
<main>
<article>
{body}</article>
</main>
</body>
</html>
"""
    return page.encode()
