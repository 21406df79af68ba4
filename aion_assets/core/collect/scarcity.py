"""Why a collected site gave hardly any page: it should not look complete when it is not."""

import re
from collections import Counter

from aion_assets.core.records import Outcome

FEW_PAGES = 2
_MIN_SHARE = 0.2  # of the addresses that were visited
_ADDRESS = re.compile(r"\S*://\S+")
_NO_PAGE = (
    Outcome.DUPLICATE, Outcome.ROBOTS, Outcome.ERROR, Outcome.GONE, Outcome.WRONG_TYPE, Outcome.CAPPED, Outcome.TOO_BIG,
    Outcome.OFF_DOMAIN,
)  # fmt: skip


class ReasonCount:
    """Counts outcomes with their reasons, addresses left out of them."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {}

    def add(self, outcome: str, reason: str) -> None:
        self.outcomes[outcome] += 1
        if reason:
            self._reasons.setdefault(outcome, Counter())[_ADDRESS.sub("…", reason)] += 1

    def remark(self) -> str:
        """A sentence where few pages of a site were taken, or few of its addresses; "" otherwise."""
        pages = self.outcomes[Outcome.STORED] + self.outcomes[Outcome.UNCHANGED]
        others = sum(self.outcomes[outcome] for outcome in _NO_PAGE)
        if pages > FEW_PAGES and pages >= _MIN_SHARE * (pages + others):
            return ""
        told = [
            f"{count} {outcome} ({self._usual(outcome)})"
            for outcome, count in self.outcomes.most_common()
            if outcome in _NO_PAGE
        ]
        if told:
            return f"only {_pages(pages)} taken of {pages + others} addresses: {', '.join(told[:4])}"
        if pages:
            why = "no link of the site leads further, and links that scripts make are not seen"
            return f"only {_pages(pages)} found: {why}"
        if redirects := self.outcomes[Outcome.REDIRECT]:
            why = "led to none, as where a site wants a cookie or a password that it did not get"
            return f"no page was found: redirects ({redirects}) {why}"
        return ""

    def _usual(self, outcome: str) -> str:
        found = self._reasons.get(outcome)
        return found.most_common(1)[0][0].rstrip(" .…") if found else "no reason"


def _pages(number: int) -> str:
    return "1 page was" if number == 1 else f"{number or 'no'} pages were"
