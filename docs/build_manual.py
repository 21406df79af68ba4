"""Build the user manual, AION's first source: `python docs/build_manual.py FOLDER`.

The chapters are Markdown in `docs/pt` and `docs/en`. Each is written once per language, in the format FORMATS names, so
that the folder shows what an organisation's files look like without saying anything twice. The same chapters give the
same bytes on every run: an unchanged manual is unchanged knowledge.
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from manual_formats.blocks import Chapter, ManualError, read_chapter, slug
from manual_formats.pdf import render_pdf
from manual_formats.scan import render_scan
from manual_formats.table import render_csv
from manual_formats.web_page import render_html
from manual_formats.word import render_docx

DOCS = Path(__file__).resolve().parent
LANGUAGES = ("pt", "en")
FORMATS = {
    "01-overview": "md",
    "02-quick-start": "html",
    "03-sources": "html",
    "04-crawling": "html",
    "05-file-types": "pdf",
    "06-curation": "docx",
    "07-index-and-releases": "pdf",
    "08-asking": "md",
    "09-api": "html",
    "10-settings": "md",
    "11-settings-table": "csv",
    "12-dagster": "docx",
    "13-postgresql": "md",
    "14-measuring": "pdf",
    "15-troubleshooting": "html",
    "16-operator-card": "png",
    "17-glossary": "docx",
    "18-models": "html",
    "19-learning": "html",
    "20-reliability": "html",
}
RENDERERS: dict[str, Callable[[Chapter], bytes]] = {
    "md": lambda chapter: chapter.source.encode(),
    "html": render_html,
    "pdf": render_pdf,
    "docx": render_docx,
    "csv": render_csv,
    "png": render_scan,
}
_BUILT_NAME = re.compile(rf"\d\d-[a-z0-9-]+\.({'|'.join(RENDERERS)})")


def render_manual() -> dict[Path, bytes]:
    """Every file of the manual by its path below the output folder.

    Raises ManualError: a chapter is missing, has no format, or holds something its format cannot show.
    """
    files: dict[Path, bytes] = {}
    for lang in LANGUAGES:
        found = {path.stem for path in (DOCS / lang).glob("*.md")}
        if found != FORMATS.keys():
            raise ManualError(f"docs/{lang} and FORMATS differ in {sorted(found ^ FORMATS.keys())}.")
        for stem, kind in FORMATS.items():
            chapter = read_chapter(DOCS / lang / f"{stem}.md", lang)
            # Named by its title: what has none inside, such as a scan, is cited by its file's name.
            name = f"{stem[:2]}-{slug(chapter.title)}.{kind}"
            files[Path(lang, name)] = RENDERERS[kind](chapter)
    return files


def write_manual(out: Path, files: dict[Path, bytes]) -> int:
    """Make `out` hold exactly these files of the manual, and return how many were written.

    A file that is already right is not touched; a chapter of an earlier build that is no more is removed; whatever else
    lies in the folder stays.
    """
    written = 0
    for name, body in files.items():
        path = out / name
        if path.is_file() and path.read_bytes() == body:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(body)
        part.replace(path)
        written += 1
    for lang in LANGUAGES:
        for path in (out / lang).iterdir():
            if _BUILT_NAME.fullmatch(path.name) and path.relative_to(out) not in files:
                path.unlink()
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description="Build AION's user manual into a folder.")
    parser.add_argument("folder", type=Path, help="where the files go; made if absent")
    out: Path = parser.parse_args().folder
    try:
        files = render_manual()
        written = write_manual(out, files)
    except (ManualError, OSError) as error:
        sys.stderr.write(f"The manual was not built: {error}\n")
        return 1
    sys.stdout.write(f"{len(files)} files in {out}, {written} new or changed.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
