"""Is every gradient right? Each is compared with what a small step of ε does to J, in 64-bit floats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import met_rows
from nertool.network.objective import (
    NO_MASKS,
    Batch,
    Masks,
    Objective,
    Parameters,
    dense,
    evaluate,
    loss_and_gradients,
    tables_of,
)

EPS = 1e-5  # about the cube root of float64's precision, where rounding and the ε² error meet
TOLERANCE = 1e-7


class BlockCheck(NamedTuple):
    """One parameter block: coordinates compared, those left out at a kink of f, the relative error
    ‖a − n‖ / (‖a‖ + ‖n‖) of the analytic a against the numeric n, and the worst coordinate."""

    block: str
    coordinates: int
    kinks: int
    error: float
    worst: tuple[int, ...]

    @property
    def passed(self) -> bool:
        return self.coordinates > 0 and self.error <= TOLERANCE


def check_gradients(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    rng: np.random.Generator,
    masks: Masks = NO_MASKS,
    samples: int = 60,
    eps: float = EPS,
) -> list[BlockCheck]:
    """Compare loss_and_gradients with central differences on up to `samples` coordinates a block.

    Of a table, only rows that the batch meets are drawn (elsewhere both sides are 0). A coordinate
    whose step crosses a kink of f has no derivative to compare with: left out and counted. A J
    that is not a finite number fails.
    parameters, masks and batch.y are taken in float64; nothing that is passed in is changed.
    """
    theta = {name: np.array(array, dtype=np.float64) for name, array in parameters.items()}
    batch = batch._replace(y=batch.y.astype(np.float64))
    _, gradients = loss_and_gradients(objective, theta, batch, masks)

    checks = []
    tables = tables_of(theta)
    met = {
        name: met_rows(batch.ids, k, list(tables.values()), objective.columns)
        for k, name in enumerate(tables)
    }
    for name, array in theta.items():
        if name not in gradients:
            continue
        analytic = dense(gradients[name], array)
        flat = _draw(rng, array.shape, met.get(name), samples)
        slopes = [_slope(objective, theta, batch, masks, name, i, eps) for i in flat]
        smooth = np.array([slope is not None for slope in slopes], dtype=bool)
        n = np.array([slope for slope in slopes if slope is not None])
        flat = flat[smooth]
        a = analytic.ravel()[flat]
        scale = float(np.linalg.norm(a) + np.linalg.norm(n))
        error = float(np.linalg.norm(a - n)) / scale if scale else 0.0
        at = np.unravel_index(flat[np.abs(a - n).argmax()], array.shape) if len(flat) else ()
        checks.append(
            BlockCheck(name, len(flat), int((~smooth).sum()), error, tuple(int(i) for i in at))
        )
    return checks


def _draw(rng: np.random.Generator, shape: tuple[int, ...], met: Array | None, samples: int) -> Array:
    """Draw distinct flat coordinates of an array, of the given rows only if there are such."""
    width = int(np.prod(shape[1:]))
    rows = np.arange(shape[0]) if met is None else met
    drawn = rng.choice(len(rows) * width, size=min(samples, len(rows) * width), replace=False)
    return np.sort(rows[drawn // width] * width + drawn % width)


def _slope(
    objective: Objective,
    theta: Parameters,
    batch: Batch,
    masks: Masks,
    name: str,
    flat: int,
    eps: float,
) -> float | None:
    """Return (J(θ_j + ε) − J(θ_j − ε)) / 2ε, or None where f has a kink in between."""
    array = theta[name]
    kept = array.flat[flat]
    array.flat[flat] = kept + eps
    above = evaluate(objective, theta, batch, masks)
    array.flat[flat] = kept - eps
    below = evaluate(objective, theta, batch, masks)
    array.flat[flat] = kept
    f = ACTIVATIONS[objective.activation]
    # Where f is piecewise linear, f′ jumps at the kinks and nowhere else.
    if f.piecewise and not np.array_equal(
        f.f_prime_of_h(above.cache.h), f.f_prime_of_h(below.cache.h)
    ):
        return None
    return (above.J - below.J) / (2.0 * eps)
