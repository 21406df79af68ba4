"""Pairs to learn from: questions with a document that somebody found right, each with its way back.

A click is weighed by the inverse of the probability that its rank was looked at (Joachims et al. 2017), because people
click what stands first. What golden questions measure is never learned from.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import delete, insert, or_, select

from aion_assets.core.answer.extractive import EXTRACTIVE
from aion_assets.core.database import learning_tables, tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.ids import digest, short_digest
from aion_assets.core.lake.diff import counted_version
from aion_assets.core.lake.tables import DOCUMENTS
from aion_assets.core.language.question import question_language
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.curated import corrected_documents
from aion_assets.core.learn.examination import ShownPlace, examination
from aion_assets.core.learn.golden import TRAIN, golden_questions
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.metrics import normalised_words
from aion_assets.core.record.passages import CITED
from aion_assets.core.sources.tombstones import read_hidden

CLICK, CITATION, CORRECTION, GOLDEN = "click", "citation", "correction", "golden"
# Weights of a pair by what vouches for it. A curator's judgement counts as several clicks.
_WEIGHT_OF = {CLICK: 1.0, CITATION: 1.0, CORRECTION: 3.0, GOLDEN: 3.0}
# A click far down counts at most so much.
_MOST_WEIGHT = 3.0
_BATCH = 500
_answers, _passages, _events, _feedback = tables.answers, tables.answer_passages, tables.events, tables.feedback
_pairs = learning_tables.training_pairs


@dataclass(frozen=True, slots=True)
class Pair:
    """`origin_id` names the answer, feedback or golden query that the pair comes from."""

    question: str
    language: str
    doc_id: str
    source_id: str
    weight: float
    origin: str
    origin_id: str
    user_id: str = ""

    def pair_id(self, tenant_id: str) -> str:
        return short_digest("pair", tenant_id, self.origin, self.question, self.doc_id)


@dataclass(slots=True)
class Dataset:
    """`left_out` counts rows by the reason why nothing may be learned from them."""

    pairs: list[Pair] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        return counted_version((digest(*map(str, asdict(pair).values())), str(pair.weight)) for pair in self.pairs)[1]

    def counts(self) -> Counter[str]:
        return Counter(pair.origin for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class Barred:
    """What training must not see: documents and texts of golden questions that measure, and what is hidden."""

    doc_ids: frozenset[str]
    texts: frozenset[str]

    @classmethod
    def of_home(cls, home: Home) -> "Barred":
        train = {item.query_id for item in golden_questions(home, TRAIN)}
        held = [item for item in golden_questions(home) if item.query_id not in train]
        documents = frozenset(name for item in by_document(home, held) for name in item.relevant)
        return cls(documents, frozenset(plain(item.text) for item in held))

    def reason(self, pair: Pair) -> str:
        """Why the pair is left out, "" when it may be learned from."""
        if pair.doc_id in self.doc_ids:
            return "golden_document"
        return "golden_text" if self.has_text(pair.question) else ""

    def has_text(self, text: str) -> bool:
        return plain(text) in self.texts


def plain(text: str) -> str:
    """Two questions with the same plain text are the same question."""
    return " ".join(normalised_words(text))


def build_pairs(home: Home) -> Dataset:
    """Gather the pairs anew and store them in the place of those of before."""
    dataset = Dataset()
    barred, hidden, sources = Barred.of_home(home), read_hidden(home.database, home.tenant_id), _sources(home)
    found: dict[tuple[str, str, str], Pair] = {}
    told = (*_clicked(home, dataset.left_out), *_cited(home, dataset.left_out), *_corrected(home))
    for pair in (*told, *_of_golden(home, sources)):
        reason = barred.reason(pair)
        if pair.doc_id not in sources or pair.doc_id in hidden.doc_ids or pair.source_id in hidden.source_ids:
            reason = reason or "document_gone"
        key = (pair.origin, pair.question, pair.doc_id)
        if not reason and key in found and found[key].weight >= pair.weight:
            reason = "repeated"
        if reason:
            dataset.left_out[reason] += 1
        else:
            found[key] = pair
    dataset.pairs = [found[key] for key in sorted(found)]
    _store(home, dataset.pairs)
    return dataset


def read_pairs(home: Home) -> list[Pair]:
    """In a fixed order."""
    columns = [_pairs.c[name] for name in Pair.__dataclass_fields__]
    asked = select(*columns).where(_pairs.c.tenant_id == home.tenant_id).order_by(_pairs.c.pair_id)
    with home.database.read() as connection:
        return [Pair(**row._asdict()) for row in connection.execute(asked)]


def leaked_pairs(home: Home) -> list[str]:
    """Ids of stored pairs that golden questions bar. There must be none."""
    barred = Barred.of_home(home)
    return [pair.pair_id(home.tenant_id) for pair in read_pairs(home) if barred.reason(pair)]


def _store(home: Home, pairs: Sequence[Pair]) -> None:
    stamp = {"tenant_id": home.tenant_id, "created_at": now()}
    rows = [{"pair_id": pair.pair_id(home.tenant_id), **asdict(pair), **stamp} for pair in pairs]
    with home.database.write() as connection:
        connection.execute(delete(_pairs).where(_pairs.c.tenant_id == home.tenant_id))
        for begin in range(0, len(rows), _BATCH):
            connection.execute(insert(_pairs), rows[begin : begin + _BATCH])


def _clicked(home: Home, left_out: Counter[str]) -> Iterator[Pair]:
    """The documents that people opened, but not of answers that were judged bad."""
    judged = thumbs(home)
    joined = _events.join(_answers, _events.c.answer_id == _answers.c.answer_id)
    columns = (_events.c.answer_id, _events.c.body, _answers.c.question, _answers.c.language, _answers.c.user_id)
    asked = select(*columns).select_from(joined).where(_events.c.tenant_id == home.tenant_id, _events.c.kind == CLICK)
    passages = select(_passages.c.answer_id, _passages.c.rank, _passages.c.doc_id, _passages.c.source_id)
    with home.database.read() as connection:
        rows = connection.execute(asked.order_by(_events.c.event_id)).all()
        places = {(row.answer_id, row.rank): row for row in connection.execute(passages)}
    seen = shown_places(home)
    looked_at = examination(seen.values())
    for row in rows:
        place = places.get((row.answer_id, row.body["rank"]))
        if home.settings.learn_clicks == "leave_out":
            left_out["clicks_left_out"] += 1
        elif judged.get(row.answer_id, 0) < 0:
            left_out["bad_answer"] += 1
        elif place is None:
            left_out["passage_gone"] += 1
        else:
            weight = _WEIGHT_OF[CLICK] * looked_at.weight(row.body["number"], seen.get(row.answer_id, ()))
            ids = (place.doc_id, place.source_id, min(_MOST_WEIGHT, weight), CLICK, row.answer_id, row.user_id)
            yield Pair(row.question, row.language, *ids)


def shown_places(home: Home) -> dict[str, list[ShownPlace]]:
    """Answer → its sources as people saw them: of answers whose order was left to chance, or that were clicked."""
    of_clicks = (_events.c.tenant_id == home.tenant_id, _events.c.kind == CLICK)
    columns = (_passages.c.answer_id, _passages.c.rank, _passages.c.number, _passages.c.propensity)
    with home.database.read() as connection:
        rows = connection.execute(select(_events.c.answer_id, _events.c.body).where(*of_clicks)).all()
        clicked = {(row.answer_id, row.body["rank"]) for row in rows}
        answers = select(_events.c.answer_id).where(*of_clicks)
        told = or_(_passages.c.propensity < 1, _passages.c.answer_id.in_(answers))
        shown = connection.execute(select(*columns).where(_passages.c.number > 0, told)).all()
    found: dict[str, list[ShownPlace]] = {}
    for row in shown:
        place = ShownPlace(row.number, row.propensity, (row.answer_id, row.rank) in clicked)
        found.setdefault(row.answer_id, []).append(place)
    return found


def _cited(home: Home, left_out: Counter[str]) -> Iterator[Pair]:
    """The citations of answers that were judged good. A thumb on an answer without verified citations is no evidence.

    The extractive engine quotes word for word, so its citations are verified.
    """
    good = {answer_id for answer_id, thumb in thumbs(home).items() if thumb > 0}
    columns = (_answers.c.answer_id, _answers.c.question, _answers.c.language, _answers.c.user_id, _answers.c.engine)
    answers = select(*columns).where(_answers.c.tenant_id == home.tenant_id).order_by(_answers.c.answer_id)
    cited = select(_passages.c.answer_id, _passages.c.doc_id, _passages.c.source_id, _passages.c.number)
    with home.database.read() as connection:
        rows = [row for row in connection.execute(answers) if row.answer_id in good]
        of_answers: dict[str, list[Any]] = {}
        for row in connection.execute(cited.where(_passages.c.role == CITED).order_by(_passages.c.number)):
            of_answers.setdefault(row.answer_id, []).append(row)
    for row in rows:
        found = of_answers.get(row.answer_id, [])
        if row.engine != EXTRACTIVE or not found:
            left_out["unverified_citations"] += 1
            continue
        for place in found[:1]:  # the passage that leads the answer is what was judged
            ids = (place.doc_id, place.source_id, _WEIGHT_OF[CITATION], CITATION, row.answer_id, row.user_id)
            yield Pair(row.question, row.language, *ids)


def _corrected(home: Home) -> Iterator[Pair]:
    """The documents on which corrections rest that a curator approved."""
    for item, documents in corrected_documents(home):
        for doc_id, source_id, _ in documents:
            ids = (doc_id, source_id, _WEIGHT_OF[CORRECTION], CORRECTION, item.feedback_id, item.user_id)
            yield Pair(item.question, question_language(item.question), *ids)


def thumbs(home: Home) -> dict[str, int]:
    """Answer → sum of the thumbs that stand."""
    stands = (_feedback.c.tenant_id == home.tenant_id, _feedback.c.withdrawn_at.is_(None))
    total: Counter[str] = Counter()
    with home.database.read() as connection:
        for row in connection.execute(select(_feedback.c.answer_id, _feedback.c.thumb).where(*stands)):
            total[row.answer_id] += row.thumb
    return dict(total)


def _of_golden(home: Home, sources: dict[str, str]) -> Iterator[Pair]:
    questions: list[LabelledQuestion] = by_document(home, golden_questions(home, TRAIN))
    for item in questions:
        for doc_id in item.relevant:
            ids = (doc_id, sources.get(doc_id, ""), _WEIGHT_OF[GOLDEN], GOLDEN, item.query_id)
            yield Pair(item.text, question_language(item.text), *ids)


def _sources(home: Home) -> dict[str, str]:
    """doc_id → source_id of every document that is there."""
    return {row["doc_id"]: row["source_id"] for row in home.lake.rows(DOCUMENTS.name, ["doc_id", "source_id"])}
