"""An account of what a command did with its input: read, altered, refused, with every case's place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from nertool.errors import without_controls


class Ledger:
    """Counts what was read, and counts and hands on each case of data altered or refused.

    report: takes each case as a line `file:line<TAB>verdict<TAB>what<TAB>detail`. Only counts
    and each kind's first place are kept, so that any amount of input can be accounted for; with `keep`
    all cases are, for another to take over.
    """

    def __init__(self, report: Callable[[str], None] | None = None, keep: bool = False) -> None:
        self.read: Counter[str] = Counter()
        self.altered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._report = report
        self._kept: list[tuple[str, str, str, str]] | None = [] if keep else None

    def merge(self, other: Ledger) -> None:
        """Take over another's account; it must have kept its cases."""
        self.read.update(other.read)
        counts = {"altered": self.altered, "refused": self.refused}
        for verdict, place, what, detail in other._kept or ():
            self._note(counts[verdict], verdict, place, what, detail)

    def alter(self, place: str, what: str, detail: str = "") -> None:
        """Note that something was taken otherwise than it stood there."""
        self._note(self.altered, "altered", place, what, detail)

    def refuse(self, place: str, what: str, detail: str = "") -> None:
        """Note that something was left out."""
        self._note(self.refused, "refused", place, what, detail)

    def note(self, place: str, what: str, detail: str) -> None:
        """Hand on something worth knowing that changed nothing."""
        self._send(place, "found", what, detail)

    def _note(self, counts: Counter[str], verdict: str, place: str, what: str, detail: str) -> None:
        counts[what] += 1
        self._first.setdefault(what, place)
        if self._kept is not None:
            self._kept.append((verdict, place, what, detail))
        self._send(place, verdict, what, detail)

    def _send(self, *cells: str) -> None:
        if self._report is not None:
            self._report("\t".join(without_controls(" ".join(cell.split())) for cell in cells))

    def lines(self) -> list[str]:
        """Sum up: a line of what was read, and one for each kind of case, with its first place."""
        read = ", ".join(counted(n, noun) for noun, n in self.read.items() if n)
        kinds = [("altered", self.altered), ("refused", self.refused)]
        clean = [verdict for verdict, counts in kinds if not counts]
        none = f"; nothing {' or '.join(clean)}" if clean else ""
        return [f"read {read or 'nothing'}{none}"] + [
            f"{verdict}: {n:,} × {what} (first at {self._first[what]})"
            for verdict, counts in kinds
            for what, n in counts.items()
        ]


def counted(n: int, plural: str) -> str:
    """Write a number with its noun: 1 entity found, 2 entities found."""
    noun, blank, rest = plural.partition(" ")
    if n == 1:
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{n:,} {noun}{blank}{rest}"
