"""What a check of a corpus finds, and the parts that it looks at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

EXAMPLES = 1000  # places that a finding names at most


class Finding(NamedTuple):
    """kind: which check; serious: likely a fault, and what --strict fails by; cases: how many.

    message: what was found, and what to do about it. places: where, up to EXAMPLES of them.
    """

    kind: str
    serious: bool
    message: str
    cases: int = 1
    places: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON can hold it."""
        return {**self._asdict(), "places": list(self.places)}


def some(places: Iterable[str]) -> tuple[str, ...]:
    """Return the first places, EXAMPLES at most."""
    return tuple(place for place, _ in zip(places, range(EXAMPLES), strict=False))
