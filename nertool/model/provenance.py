"""Descriptions of a model's origin, from the entry `provenance` of its header."""

from __future__ import annotations

from statistics import median_high
from typing import Any


def usual_epoch(epoch: int | list[int]) -> int:
    """Return the best epoch of a network, or the (high) median of several networks' best epochs."""
    return median_high(epoch) if isinstance(epoch, list) else epoch


def describe_refit(provenance: dict[str, Any]) -> str:
    """Return a line about the final fit on train and dev, or an empty text if there was none."""
    found = provenance.get("refit")
    if not isinstance(found, dict):
        return ""
    epochs = usual_epoch(found["epochs"])
    return (
        f"refit: trained once more on train and dev ({found['tokens']:,} tokens) for "
        f"{epochs} epoch{'s' * (epochs != 1)}; what was measured on dev is of the model before"
    )
