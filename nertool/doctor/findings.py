"""The record of what a check of a corpus has found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

EXAMPLES = 1000  # the maximum number of places in a finding


class Finding(NamedTuple):
    """One finding of a check.

    kind: the short name of the kind of finding. serious: whether it is likely an error; --strict fails on
    these. message: what was found, and what to do. cases: the number of cases. places: where they are, up to
    EXAMPLES of them.
    """

    kind: str
    serious: bool
    message: str
    cases: int = 1
    places: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as a dictionary for JSON."""
        return {**self._asdict(), "places": list(self.places)}


def some(places: Iterable[str]) -> tuple[str, ...]:
    """Return the first EXAMPLES places."""
    return tuple(place for place, _ in zip(places, range(EXAMPLES), strict=False))
