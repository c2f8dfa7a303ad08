"""Detect a failed training from its epochs, and say in words what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nertool.config.records import Config
from nertool.model.model import outputs
from nertool.training.trainer import EpochRecord

RISE = 1.5  # times the J of the first epoch: more than noise
BEYOND_CHANCE = 3.0  # times chance_loss, which is about the J of an untrained network


def chance_loss(config: Config, K: int) -> float:
    """Return the J of a network that gives every class the same probability.

    That is ln K for a softmax over K outputs, and K ln 2 for K logistic ones.
    """
    return math.log(max(K, 2)) if config.network.output == "softmax" else K * math.log(2)


class Watch:
    """Collects the epochs of each network during a training, to judge them at its end."""

    def __init__(self, config: Config, tags: Sequence[str]) -> None:
        self._config, self._outputs = config, outputs(tags, config)
        self._records: dict[str, list[EpochRecord]] = {}

    def see(self, name: str, record: EpochRecord) -> None:
        """Add an epoch of the network of this name."""
        self._records.setdefault(name, []).append(record)

    def signs(self) -> list[str]:
        """Return a line for each network whose training failed, with the sign that shows it."""
        found = []
        for name, records in self._records.items():
            sign = signs_of_divergence(self._config, records, self._outputs)
            if sign is not None:
                found.append(f"{name}: {sign}" if name else sign)
        return found


def signs_of_divergence(config: Config, records: Sequence[EpochRecord], K: int) -> str | None:
    """Return one line that says why a network's training has failed and what to change, or None if it has
    not.

    records: one network's epochs, in order. K: its number of outputs.
    """
    if not records:
        return None
    first, last = records[0], records[-1]
    rate = f"set training.alpha lower (it is {config.training.alpha:g})"
    if last.loss > RISE * first.loss:
        return (
            f"J rose from {first.loss:.4g} in epoch {first.epoch} to {last.loss:.4g} in epoch {last.epoch}, "
            f"expected it to fall: the steps are too large; {rate}"
        )
    chance = chance_loss(config, K)
    weighted = config.training.l2 or config.training.class_balance  # J has another scale then
    if not weighted and last.loss > BEYOND_CHANCE * chance:
        return (
            f"J is {last.loss:.4g} after epoch {last.epoch}, and {chance:.2g} for a network that knows "
            f"nothing: the steps are too large; {rate}"
        )
    dev = last.dev
    if dev is not None and dev.overall.gold and not dev.overall.predicted:
        return (
            f"after epoch {last.epoch} the network finds no entity in dev, expected some of "
            f"{dev.overall.gold:,}; train longer (training.epochs), set training.alpha higher or lower (it "
            f"is {config.training.alpha:g}), or see nertool corpus check"
        )
    return None
