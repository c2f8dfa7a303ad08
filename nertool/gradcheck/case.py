"""A case of the gradient check (a network, a batch and its dropout masks), and the verdict on it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from nertool.gradcheck.audit import Snapshot
from nertool.gradcheck.check import STEPS, BlockCheck, Comparison, Ladders, check_gradients
from nertool.network.dropout import dropout_mask
from nertool.network.lookup import row_width
from nertool.network.objective import PLAIN, Batch, Chain, Masks, Objective, Parameters, tables_of

_SHORT = Ladders(central=(1e-4, 1e-5))


class Case(NamedTuple):
    """A network and a batch to check, with fixed dropout masks.

    rng: draws the coordinates and directions; own: whether activation and loss are those of the config or
    model; network: the name of the network, if a model has several.
    """

    objective: Objective
    parameters: Parameters
    batch: Batch
    masks: Masks
    rng: np.random.Generator
    own: bool = True
    network: str = ""


class Verdict(NamedTuple):
    """The checks of one case."""

    activation: str
    output: str
    own: bool
    checks: list[BlockCheck]
    network: str = ""

    @property
    def passed(self) -> bool:
        """Whether every block passed."""
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as values that JSON can hold."""
        return {
            "activation": self.activation,
            "output": self.output,
            "network": self.network,
            "own": self.own,
            "passed": self.passed,
            "blocks": {
                check.block: {
                    "passed": check.passed,
                    "warned": check.warned,
                    "error": finite(check.error),
                    "methods": {m: _as_dict(c) for m, c in check.methods.items()},
                }
                for check in self.checks
            },
        }


def finite(number: float) -> float | None:
    """Return the number, or None if it is not finite: JSON has no such numbers."""
    return number if math.isfinite(number) else None


def _as_dict(comparison: Comparison) -> dict[str, Any]:
    return {
        "error": finite(comparison.error),
        "eps": comparison.eps,
        "compared": comparison.compared,
        "worst": list(comparison.worst),
        "kinks": [list(place) for place in comparison.kinks],
        "ladder": [[eps, finite(error), n] for eps, error, n in comparison.ladder],
    }


def check_case(case: Case, samples: int, ladders: Ladders = STEPS, chain: Chain = PLAIN) -> Verdict:
    """Check every gradient of a case by every method.

    A case with another activation or loss than the config's (own is False) gets a quarter of the coordinates
    and only two central steps. The directions cover all coordinates, and the check takes only seconds.
    """
    if not case.own:
        samples, ladders = -(-samples // 4), _SHORT
    checks = check_gradients(
        case.objective,
        case.parameters,
        case.batch,
        case.rng,
        case.masks,
        samples,
        ladders,
        chain=chain,
    )
    activation, output = case.objective.activation, case.objective.output
    return Verdict(activation, output, case.own, checks, case.network)


def case_of_snapshot(snapshot: Snapshot) -> Case:
    """Return the case for a batch that training saved."""
    _, objective, parameters, batch, masks = snapshot
    return Case(objective, parameters, batch, masks, np.random.default_rng(0))


def draw_masks(
    rng: np.random.Generator,
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    dropout_input: float,
    dropout_hidden: float,
) -> Masks:
    """Draw dropout masks for a batch, in float64."""
    d = row_width(list(tables_of(parameters).values()), objective.columns)
    B, H = len(batch.windows), len(parameters["b"])
    return Masks(
        dropout_mask(rng, (len(batch.ids), d), dropout_input, np.float64),
        dropout_mask(rng, (B, H), dropout_hidden, np.float64),
    )
