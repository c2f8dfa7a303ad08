"""The check of the check: each known mistake is made in the backward pass, and must be found.

The numerical slopes are measured once, for all mistakes: they use the forward pass alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nertool.gradcheck.case import Case, draw_masks, finite
from nertool.gradcheck.check import STEPS, BlockCheck, Ladders, compare, in_float64, measure
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.network.objective import Masks, loss_and_gradients


class Caught(NamedTuple):
    """What became of a mistake: the largest error that each method found, over all blocks, in which
    blocks a method failed, and why the mistake is none in this network, if so."""

    mistake: Mistake
    errors: dict[str, float]
    blocks: tuple[str, ...]
    harmless: str = ""

    @property
    def caught(self) -> bool:
        """Whether some block failed."""
        return bool(self.blocks)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        return {
            "mistake": self.mistake.name,
            "what": self.mistake.what,
            "caught": self.caught,
            "harmless": self.harmless,
            "blocks": list(self.blocks),
            "errors": {method: finite(error) for method, error in self.errors.items()},
        }


# What a config or model leaves out is switched on, so that there is something to forget.
_L2, _DROPOUT = 0.01, 0.3


def seed_mistakes(
    case: Case, samples: int, ladders: Ladders = STEPS, mistakes: Sequence[Mistake] = MISTAKES
) -> list[Caught]:
    """Make every mistake in turn, on the case's network with dropout and L2 switched on."""
    rng = case.rng
    chosen = case.objective._replace(l2=case.objective.l2 or _L2)
    drawn = draw_masks(rng, chosen, case.parameters, case.batch, _DROPOUT, _DROPOUT)
    masks = Masks(
        *(own if own is not None else new for own, new in zip(case.masks, drawn, strict=True))
    )
    theta, batch, masks = in_float64(case.parameters, case.batch, masks)
    measured = measure(chosen, theta, batch, rng, masks, samples, ladders, directions=3)
    found = []
    for mistake in mistakes:
        harmless = mistake.harmless(chosen, theta, batch)
        if harmless:
            found.append(Caught(mistake, {}, (), harmless))
            continue
        _, gradients = loss_and_gradients(chosen, theta, batch, masks, mistake.chain)
        found.append(_caught(mistake, compare(measured, theta, gradients)))
    return found


def _caught(mistake: Mistake, checks: list[BlockCheck]) -> Caught:
    errors: dict[str, float] = {}
    for check in checks:
        for method, comparison in check.methods.items():
            errors[method] = float(np.max([errors.get(method, 0.0), comparison.error]))
    return Caught(mistake, errors, tuple(check.block for check in checks if not check.passed))
