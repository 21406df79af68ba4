"""A base in words that its release has not met: invented ones, as houses have for what they deal with every day.

Of the words that stand in many documents, each becomes an invented one, the same in all of them; plurals keep their s.
Readers go on asking in the ordinary words. Neither full text nor the embedding model can know what the new words stand
for; who learns from pairs of questions and documents can, also for documents of which it has seen no pair.
"""

import json
import re
from collections import Counter
from pathlib import Path
from shutil import copyfile

from aion_assets.core.ids import digest

_WORD = re.compile(r"[^\W\d_]{5,}")
# What stands in more documents says little of any of them.
_MOST_DOCUMENTS = 0.3
_SYLLABLES = [consonant + vowel for consonant in "bdfgjklmnprtvz" for vowel in "aeiou"]


def in_house_words(folder: Path, target: Path, count: int, seed: int) -> Path:
    """A copy of the labelled set whose corpus has `count` words replaced; questions and judgements are the same."""
    target.mkdir(parents=True)
    for name in ("queries.jsonl", "qrels.tsv"):
        copyfile(folder / name, target / name)
    lines = (folder / "corpus.jsonl").read_text("utf-8").split("\n")
    entries = [json.loads(line) for line in lines if line.strip()]
    replaced = _replaced([f"{entry.get('title', '')} {entry['text']}" for entry in entries], count, seed)
    for entry in entries:
        entry |= {name: _translated(entry[name], replaced) for name in ("title", "text") if entry.get(name)}
    text = "\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (target / "corpus.jsonl").write_text(text, "utf-8")
    return target


def _replaced(texts: list[str], count: int, seed: int) -> dict[str, str]:
    """Word → invented word, of the most widespread ones."""
    spread = Counter(word for text in texts for word in {_singular(found) for found in _WORD.findall(text)})
    common = [word for word, documents in spread.most_common() if documents <= _MOST_DOCUMENTS * len(texts)]
    return {word: _invented(word, seed) for word in sorted(common[:count])}


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")


def _invented(word: str, seed: int) -> str:
    number = int(digest("house word", str(seed), word)[:12], 16)
    syllables = []
    for _ in range(3):
        number, place = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[place])
    return "".join(syllables)


def _translated(text: str, replaced: dict[str, str]) -> str:
    def other(found: re.Match[str]) -> str:
        word = found[0]
        invented = replaced.get(_singular(word))
        if invented is None:
            return word
        plural = invented + ("s" if word.lower().endswith("s") else "")
        return plural.capitalize() if word[0].isupper() else plural

    return _WORD.sub(other, text)
