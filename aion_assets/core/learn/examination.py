"""How probable it is that a reader looks at a place of an answer, as far as swaps have measured it.

Swapped neighbours stand at each other's places by chance, so the ratio of their clicks at the two places is that of
being looked at (Joachims et al. 2017). Until enough was swapped the usual prior holds, 1/place. A click is weighed by
the inverse of how probably its source was looked at over all the places where chance could have put it (Oosterhuis and
de Rijke 2020), so that a click on a swapped source does not count for many.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# So many swapped answers count as much as the prior.
_PRIOR_ANSWERS = 50
_LEAST = 0.05
# Of two places that were swapped each is below, of those that were not each is above.
_SWAPPED_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class ShownPlace:
    """Of one source of an answer: the place where people saw it, from 1, and how probable that was."""

    number: int
    propensity: float
    clicked: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """`looked_at` of the places from 1 on; later ones are looked at as 1/place says."""

    looked_at: tuple[float, ...] = (1.0,)

    def at(self, place: int) -> float:
        known = len(self.looked_at)
        return self.looked_at[place - 1] if place <= known else self.looked_at[-1] * known / place

    def weight(self, number: int, answer: Sequence[ShownPlace]) -> float:
        """Of a click on what stood at `number` among these sources of its answer."""
        places = {item.number: item for item in answer}
        if number not in places:
            return 1 / self.at(number)
        before, each = natural_places(answer)[number], _each(answer)
        around = [place for place in (before - 1, before + 1) if place in places]
        expected = (1 - each * len(around)) * self.at(before) + each * sum(self.at(place) for place in around)
        return 1 / expected


def natural_places(answer: Sequence[ShownPlace]) -> dict[int, int]:
    """Place → the place that the order of the ranker would have given to what stands there."""
    swapped = sorted(item.number for item in answer if item.propensity < _SWAPPED_BELOW)
    natural = {item.number: item.number for item in answer}
    if len(swapped) == 2:
        natural |= {swapped[0]: swapped[1], swapped[1]: swapped[0]}
    return natural


def examination(answers: Iterable[Sequence[ShownPlace]]) -> Examination:
    """From the sources of answers that people saw. Answers without chance in their order tell nothing."""
    shown: Counter[tuple[int, int]] = Counter()
    clicks: Counter[tuple[int, int]] = Counter()
    swaps: Counter[int] = Counter()
    for answer in answers:
        if not _each(answer):
            continue
        natural = natural_places(answer)
        for item in answer:
            seen = (natural[item.number], item.number)
            shown[seen] += 1
            clicks[seen] += item.clicked
            swaps[min(seen)] += seen[0] < seen[1]
    looked_at = [1.0]
    for place in range(1, max(swaps, default=0) + 1):
        prior = place / (place + 1)
        count = swaps[place]
        measured = _ratio(shown, clicks, place) if count else None
        ratio = prior if measured is None else (measured * count + prior * _PRIOR_ANSWERS) / (count + _PRIOR_ANSWERS)
        looked_at.append(max(_LEAST, min(1.0, looked_at[-1] * ratio)))
    return Examination(tuple(looked_at))


def _ratio(shown: Mapping[tuple[int, int], int], clicks: Mapping[tuple[int, int], int], place: int) -> float | None:
    """Clicks at the next place over those at this one, for the sources of both; None where nobody clicked."""
    rates: dict[int, float] = defaultdict(float)
    for at in (place, place + 1):
        for natural in (place, place + 1):
            if count := shown.get((natural, at), 0):
                rates[at] += clicks.get((natural, at), 0) / count
    return rates[place + 1] / rates[place] if rates[place] else None


def _each(answer: Sequence[ShownPlace]) -> float:
    """The probability with which each pair of neighbours was swapped, as the propensities tell it."""
    last = max((item.number for item in answer), default=0)
    for item in answer:
        if item.propensity < _SWAPPED_BELOW:
            return item.propensity
        if item.propensity < 1:
            return (1 - item.propensity) / ((item.number > 1) + (item.number < last) or 1)
    return 0.0
