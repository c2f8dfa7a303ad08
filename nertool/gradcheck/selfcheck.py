"""The check checks itself: known mistakes are put into the shipping backward pass, one at a time, and
each must be caught.

The steps are measured once, on the right network; a mistake spoils only what they are compared with.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nertool.gradcheck.case import Case, draw_masks, finite
from nertool.gradcheck.check import STEPS, BlockCheck, Ladders, compare, in_float64, measure
from nertool.gradcheck.mistakes import MISTAKES, Mistake
from nertool.network.lookup import met_rows
from nertool.network.objective import Batch, Masks, Objective, Parameters, tables_of


class Caught(NamedTuple):
    """What became of a mistake: the largest error that each method found, over all blocks, in which
    blocks a method failed, and why the mistake is none in this network, if so."""

    mistake: Mistake
    errors: dict[str, float]
    blocks: tuple[str, ...]
    harmless: str = ""

    @property
    def caught(self) -> bool:
        return bool(self.blocks)

    def as_dict(self) -> dict[str, Any]:
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


def seed_mistakes(case: Case, samples: int, ladders: Ladders = STEPS) -> list[Caught]:
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
    for mistake in MISTAKES:
        harmless = _harmless(mistake, chosen, theta, batch)
        if harmless:
            found.append(Caught(mistake, {}, (), harmless))
            continue
        gradients = mistake.backward(chosen, theta, batch, masks)
        found.append(_caught(mistake, compare(measured, theta, gradients)))
    return found


def _caught(mistake: Mistake, checks: list[BlockCheck]) -> Caught:
    errors: dict[str, float] = {}
    for check in checks:
        for method, comparison in check.methods.items():
            errors[method] = float(np.max([errors.get(method, 0.0), comparison.error]))
    return Caught(mistake, errors, tuple(check.block for check in checks if not check.passed))


def _harmless(mistake: Mistake, chosen: Objective, theta: Parameters, batch: Batch) -> str:
    """Say why a mistake is none in this network, by what it is; empty where it is one."""
    tables = [name for name in tables_of(theta) if name not in chosen.frozen]
    if mistake.name == "f′ at h" and chosen.activation in ("relu", "hard_tanh"):
        return f"with {chosen.activation}, f(f(z)) = f(z), and f′(h) = f′(z)"
    if mistake.spoils == ("tables",) and not tables:
        return "all tables are frozen"
    shared = len(np.unique(batch.windows)) < batch.windows.size
    if mistake.name == "repeated words lose gradient" and not shared:
        return "no two windows of the batch share a word"
    if mistake.name == "unmet row" and all(
        len(met_rows(batch.ids, k, list(tables_of(theta).values()), chosen.columns))
        == len(theta[name])
        for k, name in enumerate(tables_of(theta))
        if name in tables
    ):
        return "the batch meets every row"
    if mistake.name == "side inputs taken for words" and batch.side is None:
        return "nothing stands beside the windows"
    if mistake.name == "window reversed" and batch.windows.shape[1] == 1:
        return "a window of one word has no order"
    of_batches = ("stale δ", "stale δ in x alone", "bias averaged", "missing 1/B")
    if mistake.name in of_batches and len(batch.windows) == 1:
        return "the batch has one window"
    return ""
