"""What of a passage can be quoted: a sentence, or a line that names something with what it names."""

import re
from collections.abc import Iterator
from itertools import pairwise

from aion_assets.core.language.sentences import sentence_spans

MAX_QUOTE_CHARS = 400
# A line without a full stop that is shorter than this is a heading or label: it names what follows and asserts nothing.
_HEADING_CHARS = 80
_CLOSED = re.compile(r"""[.!…]["'”’»)\]]*$""")
_LIST_ITEM = re.compile(r"[-–•*] |\d+[.)] ")


def quotable(passage: str) -> Iterator[tuple[str, str]]:
    """Pairs of a quotable text and its introduction. A question, heading or line with a colon is quoted with what
    follows it.

    Line breaks of the passage stay, unless they only wrap a line.
    """
    spans = sentence_spans(passage)
    gaps = [passage[before[1] : after[0]] for before, after in pairwise(spans)]
    lines = [" ".join(passage[start:end].split()) for start, end in spans]
    for index, (start, _) in enumerate(spans):
        quoted, following = lines[index], index + 1
        while following < len(spans) and spans[following][1] - start <= MAX_QUOTE_CHARS:
            if not _goes_on(quoted, gaps[following - 1], lines[following]):
                break
            quoted += ("\n" if "\n" in gaps[following - 1] else " ") + lines[following]
            following += 1
        yield quoted, lines[index] if following > index + 1 else ""


def _goes_on(quoted: str, gap: str, line: str) -> bool:
    """Whether `line`, which comes `gap` after `quoted`, belongs to it."""
    if "\n" not in gap and line.endswith("?") and len(quoted) < _HEADING_CHARS:
        return True  # "I lost my password. What now?" is one question, and is quoted with its answer
    *above, last = quoted.split("\n")
    # A label names its own paragraph. Another paragraph is another subject.
    if above and gap.count("\n") > 1 and not last.endswith(("?", ":")):
        return False
    if not any(one.endswith(":") for one in above):
        return _introduces(quoted)
    # A list or code follows the line that announces it.
    return gap == "\n" and bool(_LIST_ITEM.match(line)) == bool(_LIST_ITEM.match(last))


def _introduces(text: str) -> bool:
    last_line = text.rsplit("\n", 1)[-1].strip()
    return last_line.endswith(("?", ":")) or (len(text) < _HEADING_CHARS and not _CLOSED.search(last_line))
