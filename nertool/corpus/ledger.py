"""The ledger: counts what a command has read, altered, refused and left out, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from nertool.errors import CorpusError, without_controls


class Ledger:
    """Count the data read, and count and report each case of data altered, refused or left out.

    refused: data that could not be read. left_out: data that was read, but that the output's format can't
    hold.

    report: a function that takes each case as a line `file:line<TAB>verdict<TAB>what<TAB>detail`.
    keep: store all cases, so that another ledger can merge them. Otherwise only the counts and the first
    position of each kind are stored, so that memory does not grow with the input.
    """

    def __init__(self, report: Callable[[str], None] | None = None, keep: bool = False) -> None:
        self.read: Counter[str] = Counter()
        self.altered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._report = report
        self._kept: list[tuple[str, str, str, str, int]] | None = [] if keep else None

    def merge(self, other: Ledger) -> None:
        """Add the counts and cases of another ledger, which must have been made with keep=True."""
        self.read.update(other.read)
        for case in other._kept or ():
            self._note(*case)

    def alter(self, place: str, what: str, detail: str = "") -> None:
        """Count something that was read with a change."""
        self._note("altered", place, what, detail)

    def refuse(self, place: str, what: str, detail: str = "") -> None:
        """Count something that could not be read, and was skipped."""
        self._note("refused", place, what, detail)

    def leave_out(self, place: str, what: str, detail: str = "", number: int = 1) -> None:
        """Count `number` items that the output's format can't hold."""
        if number:
            self._note("left out", place, what, detail, number)

    @property
    def changed(self) -> bool:
        """Whether anything was altered, refused or left out."""
        return bool(self.altered or self.refused or self.left_out)

    def note(self, place: str, what: str, detail: str) -> None:
        """Report something of interest that changed no data. It is not counted."""
        self._send(place, "found", what, detail)

    def _note(self, verdict: str, place: str, what: str, detail: str, number: int = 1) -> None:
        self._counts[verdict][what] += number
        self._first.setdefault(what, place)
        if self._kept is not None:
            self._kept.append((verdict, place, what, detail, number))
        self._send(place, verdict, what if number == 1 else f"{number:,} × {what}", detail)

    @property
    def _counts(self) -> dict[str, Counter[str]]:
        return {"altered": self.altered, "refused": self.refused, "left out": self.left_out}

    def _send(self, *cells: str) -> None:
        if self._report is not None:
            self._report("\t".join(without_controls(" ".join(cell.split())) for cell in cells))

    def lines(self) -> list[str]:
        """Return the summary: a line for the data read, then a line for each kind of case."""
        read = ", ".join(counted(n, noun) for noun, n in self.read.items() if n)
        clean = [verdict for verdict in ("altered", "refused") if not self._counts[verdict]]
        none = f"; nothing {' or '.join(clean)}" if clean and not self.left_out else ""
        return [f"read {read or 'nothing'}{none}"] + [
            f"{verdict}: {n:,} × {what} (first at {self._first[what]})"
            for verdict, counts in self._counts.items()
            for what, n in counts.items()
        ]


def pass_over(
    fault: CorpusError,
    place: str,
    skip: bool,
    ledger: Ledger,
    what: str = "records that can't be read",
) -> None:
    """With `skip`, count input that can't be read as refused; without it, raise the fault."""
    if not skip:
        raise fault
    ledger.refuse(place, what, str(fault))


def counted(n: int, plural: str) -> str:
    """Return a number with its noun, such as "1 entity found" and "2 entities found"."""
    noun, blank, rest = plural.partition(" ")
    if n == 1:
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{n:,} {noun}{blank}{rest}"
