"""A test of the gradient check itself: it must find each known mistake in the backward pass.

The numerical slopes use only the forward pass. So they are measured once for all mistakes.
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
    """The result for one mistake.

    errors: for each method, its largest error over all blocks; blocks: the blocks that failed; harmless: why
    the mistake changes nothing in this network, empty if it does change something.
    """

    mistake: Mistake
    errors: dict[str, float]
    blocks: tuple[str, ...]
    harmless: str = ""

    @property
    def caught(self) -> bool:
        """Whether some block failed."""
        return bool(self.blocks)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as values that JSON can hold."""
        return {
            "mistake": self.mistake.name,
            "what": self.mistake.what,
            "caught": self.caught,
            "harmless": self.harmless,
            "blocks": list(self.blocks),
            "errors": {method: finite(error) for method, error in self.errors.items()},
        }


# The L2 factor and the dropout rate if the case has none: some mistakes forget L2 or a dropout mask.
_L2, _DROPOUT = 0.01, 0.3


def seed_mistakes(
    case: Case, samples: int, ladders: Ladders = STEPS, mistakes: Sequence[Mistake] = MISTAKES
) -> list[Caught]:
    """Check every mistake in turn on the case's network, with dropout and L2 switched on."""
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
