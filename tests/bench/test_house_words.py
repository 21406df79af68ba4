"""Documents in invented words: the same one everywhere, and questions as they were."""

import json
from pathlib import Path

from bench.house_words import in_house_words

TEXTS = [
    "Os Contratos valem um ano.",
    "O contrato acaba em março.",
    "A vacina protege.",
    "Vacinas e mais vacinas.",
    *(f"Cem metros mais {number}." for number in range(4)),
]


def test_widespread_words_become_invented_ones_in_all_documents_and_in_no_question(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    lines = [json.dumps({"_id": str(number), "text": text}) for number, text in enumerate(TEXTS)]
    (folder / "corpus.jsonl").write_text("\n".join([*lines, "", ""]), "utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "Até quando vale o contrato?"}', "utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\t1\t1", "utf-8")
    found = in_house_words(folder, tmp_path / "b", 1, 0)
    texts = [json.loads(line)["text"] for line in (found / "corpus.jsonl").read_text("utf-8").split("\n")]
    changed = [number for number, text in enumerate(texts) if text != TEXTS[number]]
    assert changed in ([0, 1], [2, 3]), "one word, in the two documents that have it"
    again = in_house_words(folder, tmp_path / "c", 2, 0)
    lines = (again / "corpus.jsonl").read_text("utf-8").split("\n")
    first, second, *others = (json.loads(line)["text"] for line in lines)
    word = second.split()[1]
    assert word != "contrato" and first == f"Os {word.capitalize()}s valem um ano." and others[2:] == TEXTS[4:]
    assert (found / "queries.jsonl").read_bytes() == (folder / "queries.jsonl").read_bytes()
