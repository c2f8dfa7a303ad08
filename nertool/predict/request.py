"""What `predict` is asked to do with every input."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nertool.corpus.record import Reading
from nertool.tagging.annotate import Details


@dataclass(frozen=True)
class Tagging:
    """What is to be done to every input. to, scheme: None for as it came, as in training."""

    form: str = "auto"
    to: str | None = None
    scheme: str | None = None
    replace_tags: bool = False
    details: Details = field(default_factory=Details)
    reading: Reading = field(default_factory=Reading)
    exact: bool = False
    source: bool = False

    def unlabelled(self) -> Reading:
        """Return how inputs are read: without their own labels."""
        return replace(self.reading, labelled=False)
