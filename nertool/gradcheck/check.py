"""The gradient check: compare each gradient with the effect of small steps on J, in 64-bit floats.

Three methods, none of which uses the backward pass:

    central       (J(θ_j + ε) − J(θ_j − ε)) / 2ε for single coordinates j, at several ε (a ladder)
    complex       Im J(θ_j + iε) / ε for single coordinates j; no digits are lost in a subtraction
    directional   both of these along a random direction v, compared with ∂J/∂θ · v. Every coordinate
                  contributes to this number, so that even the largest block is covered completely

`measure` takes the steps once. `compare` then compares any gradients with the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.gradcheck.reference import PIECE, reference_J
from nertool.network.activations import Array
from nertool.network.lookup import met_rows
from nertool.network.objective import (
    NO_MASKS,
    PLAIN,
    Batch,
    Chain,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    dense,
    forward_loss,
    loss_and_gradients,
    tables_of,
)

FAIL = 1e-6   # a relative error of this size or more is a failure
WARN = 1e-7   # a relative error of this size or more is a warning
ALL = "all at once"
CENTRAL, COMPLEX, DIRECTIONAL, DIRECTIONAL_COMPLEX = METHODS = (
    "central", "complex", "directional", "directional complex",
)


class Ladders(NamedTuple):
    """The steps ε that each method tries.

    The central difference has a rounding error, which grows as 1/ε, and an error of order ε². Its best ε is
    where both are about equal. The complex step has no such rounding error.
    """

    central: tuple[float, ...] = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
    complex: tuple[float, ...] = (1e-20,)


STEPS = Ladders()

# For plots: from steps that are far too large down to steps at which a central difference is all rounding.
WIDE = Ladders(
    tuple(10.0 ** -np.arange(1, 13.5, 0.5)), tuple(10.0 ** -np.arange(1, 20.5, 0.5))
)


class Rung(NamedTuple):
    """One ε of a ladder: the relative error, and the number of coordinates (or directions) compared."""

    eps: float
    error: float
    compared: int


class Comparison(NamedTuple):
    """The result of one method on one block.

    error: the relative error ‖a − n‖ / (‖a‖ + ‖n‖) of the analytic gradient a and the numerical n at the
    best step, eps; compared: the number of coordinates, or directions; worst: the coordinate, or direction,
    with the largest difference; kinks: those left out because ±ε crosses a kink of f; ladder: all steps.
    """

    method: str
    eps: float
    error: float
    compared: int
    worst: tuple[int, ...]
    kinks: tuple[tuple[int, ...], ...]
    ladder: tuple[Rung, ...]

    @property
    def passed(self) -> bool:
        """Whether the error is below FAIL. An error that is not a number does not pass."""
        return self.error < FAIL


class BlockCheck(NamedTuple):
    """The results of all methods on one parameter block. The block ALL is all blocks together."""

    block: str
    methods: dict[str, Comparison]

    @property
    def error(self) -> float:
        """The largest error of the methods, or NaN if one of them is NaN."""
        return float(np.max([c.error for c in self.methods.values() if c.compared], initial=0.0))

    @property
    def passed(self) -> bool:
        """Whether something was compared and the errors of all methods are below FAIL."""
        return any(c.compared for c in self.methods.values()) and self.error < FAIL

    @property
    def warned(self) -> bool:
        """Whether the block passed with an error of WARN or more."""
        return self.passed and self.error >= WARN


class Slopes(NamedTuple):
    """Numerical derivatives of J along n coordinates or directions.

    central (E, n): for each ε of the central ladder; smooth (E, n): whether f has no kink within ±ε;
    complex (E', n): for each ε of the complex ladder.
    """

    central: Array
    smooth: NDArray[np.bool_]
    complex: Array


class Measured(NamedTuple):
    """The result of all steps.

    flat, coordinates: for each block, the flat indices of its coordinates and the slopes along them;
    v: for each block, k random directions (k, …); along: the slopes along v, for each block and for ALL.
    """

    ladders: Ladders
    flat: dict[str, NDArray[np.int64]]
    coordinates: dict[str, Slopes]
    v: dict[str, Array]
    along: dict[str, Slopes]


def check_gradients(
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    rng: np.random.Generator,
    masks: Masks = NO_MASKS,
    samples: int = 60,
    ladders: Ladders = STEPS,
    directions: int = 3,
    chain: Chain = PLAIN,
) -> list[BlockCheck]:
    """Compare the gradients of loss_and_gradients with numerical ones.

    For each block, up to `samples` coordinates are drawn at random, and `directions` random directions; the
    same number of directions goes through all blocks together. In a table, coordinates are drawn only from
    rows that the batch uses; directions cover all rows. A J or a gradient that is not finite fails. chain:
    the functions that compute the gradients, for example with a mistake. All numbers are converted to
    float64. No argument except rng is changed.
    """
    theta, batch, masks = in_float64(parameters, batch, masks)
    measured = measure(objective, theta, batch, rng, masks, samples, ladders, directions)
    _, gradients = loss_and_gradients(objective, theta, batch, masks, chain)
    return compare(measured, theta, gradients)


def in_float64(
    parameters: Parameters, batch: Batch, masks: Masks
) -> tuple[Parameters, Batch, Masks]:
    """Return copies in float64, which has enough digits for small steps ε."""

    def wide(array: Array | None) -> Array | None:
        return None if array is None else np.array(array, dtype=np.float64)

    return (
        {name: np.array(array, dtype=np.float64) for name, array in parameters.items()},
        batch._replace(
            y=batch.y.astype(np.float64), side=wide(batch.side), weights=wide(batch.weights)
        ),
        Masks(wide(masks.input), wide(masks.hidden)),
    )


def measure(
    objective: Objective,
    theta: Parameters,
    batch: Batch,
    rng: np.random.Generator,
    masks: Masks,
    samples: int,
    ladders: Ladders,
    directions: int,
) -> Measured:
    """Compute numerical derivatives without a backward pass. theta, batch and masks are in float64."""
    tables = tables_of(theta)
    met = {
        name: met_rows(batch.ids, k, list(tables.values()), objective.columns)
        for k, name in enumerate(tables)
    }
    trained = [name for name in theta if name not in objective.frozen]
    v = {name: rng.standard_normal((directions, *theta[name].shape)) for name in trained}
    flat = {name: _draw(rng, theta[name].shape, met.get(name), samples) for name in trained}

    def slopes(move: Move, steps: list[int]) -> Slopes:
        return _slopes(objective, batch, masks, move, steps, ladders)

    return Measured(
        ladders,
        flat,
        {name: slopes(_one_coordinate(theta, name), flat[name].tolist()) for name in trained},
        v,
        {
            name: slopes(_along(theta, v, trained if name == ALL else [name]), list(range(directions)))
            for name in [*trained, ALL]
        },
    )


def _draw(
    rng: np.random.Generator, shape: tuple[int, ...], met: Array | None, samples: int
) -> NDArray[np.int64]:
    """Draw up to `samples` distinct flat coordinates of an array, from the rows `met` if they are given."""
    width = int(np.prod(shape[1:]))
    rows = np.arange(shape[0]) if met is None else met
    drawn = rng.choice(len(rows) * width, size=min(samples, len(rows) * width), replace=False)
    return np.sort(rows[drawn // width] * width + drawn % width)


# A function (i, step) → the parameters a step away from θ, along the i-th coordinate or direction.
Move = Callable[[int, complex], Parameters]


def _one_coordinate(theta: Parameters, name: str) -> Move:
    """Return a Move along single flat coordinates of a block. It reuses a copy: a table may be large."""
    original = theta[name].reshape(-1)
    copies: dict[type, tuple[Array, list[int]]] = {}   # each with the coordinate that was stepped last

    def move(i: int, step: complex) -> Parameters:
        if type(step) not in copies:
            copies[type(step)] = theta[name].astype(type(step), order="C"), [i]
        stepped, last = copies[type(step)]
        flat = stepped.reshape(-1)
        flat[last[0]] = original[last[0]]
        flat[i] = original[i] + step
        last[0] = i
        return theta | {name: stepped}

    return move


def _along(theta: Parameters, v: dict[str, Array], names: list[str]) -> Move:
    """Return a Move of the named blocks together, along their i-th directions."""
    return lambda i, step: theta | {name: theta[name] + step * v[name][i] for name in names}


def _slopes(
    objective: Objective, batch: Batch, masks: Masks, move: Move, steps: list[int], ladders: Ladders
) -> Slopes:
    """Return J's slope at each step, by central differences and by the complex step."""
    piece = PIECE.get(objective.activation)
    central = np.empty((len(ladders.central), len(steps)))
    smooth = np.ones(central.shape, dtype=bool)
    by_complex = np.empty((len(ladders.complex), len(steps)))
    for k, i in enumerate(steps):
        for e, eps in enumerate(ladders.central):
            above = forward_loss(objective, move(i, eps), batch, masks)
            below = forward_loss(objective, move(i, -eps), batch, masks)
            central[e, k] = (above.J - below.J) / (2.0 * eps)
            # A piecewise linear f is smooth between the two points if both are on the same piece.
            if piece is not None:
                smooth[e, k] = np.array_equal(piece(above.cache.h), piece(below.cache.h))
        for e, eps in enumerate(ladders.complex):
            by_complex[e, k] = reference_J(objective, move(i, 1j * eps), batch, masks).imag / eps
    return Slopes(central, smooth, by_complex)


def compare(
    measured: Measured, theta: Parameters, gradients: ParameterGradients
) -> list[BlockCheck]:
    """Compare gradients with the measured slopes: each block, and last all blocks together."""
    checks = []
    total: Array = np.zeros(0)
    for name, flat in measured.flat.items():
        a = dense(gradients[name], theta[name])
        places = [
            tuple(int(p) for p in np.unravel_index(i, a.shape)) for i in flat.tolist()
        ]
        along = np.array([(a * v).sum() for v in measured.v[name]])
        total = total + along if len(total) else along
        methods = _both(measured.ladders, (CENTRAL, COMPLEX), a.reshape(-1)[flat],
                        measured.coordinates[name], places)
        checks.append(BlockCheck(name, methods | _directional(measured, name, along)))
    return [*checks, BlockCheck(ALL, _directional(measured, ALL, total))]


def _directional(measured: Measured, block: str, along: Array) -> dict[str, Comparison]:
    numbers: list[tuple[int, ...]] = [(k,) for k in range(len(along))]
    methods = (DIRECTIONAL, DIRECTIONAL_COMPLEX)
    return _both(measured.ladders, methods, along, measured.along[block], numbers)


def _both(
    ladders: Ladders,
    methods: tuple[str, str],
    a: Array,
    slopes: Slopes,
    places: list[tuple[int, ...]],
) -> dict[str, Comparison]:
    central, by_complex = methods
    everywhere = np.ones(slopes.complex.shape, dtype=bool)
    found = {
        central: _comparison(central, ladders.central, a, slopes.central, slopes.smooth, places),
        by_complex: _comparison(by_complex, ladders.complex, a, slopes.complex, everywhere, places),
    }
    return {method: comparison for method, comparison in found.items() if comparison is not None}


def _comparison(
    method: str,
    ladder: tuple[float, ...],
    a: Array,
    n: Array,
    smooth: NDArray[np.bool_],
    places: list[tuple[int, ...]],
) -> Comparison | None:
    """Compare a (n,) with the slopes n (E, n) at each ε, and choose the best ε.

    Return None if the method is not used: its ladder or its list of coordinates is empty.
    """
    if not n.size:
        return None
    rungs = tuple(
        Rung(float(eps), relative_error(a[at], slopes[at]), int(at.sum()))
        for eps, slopes, at in zip(ladder, n, smooth, strict=True)
    )
    # A rung must not be the best only because it leaves out many coordinates.
    most = max(rung.compared for rung in rungs)
    e = min(
        (e for e, rung in enumerate(rungs) if rung.compared >= 0.9 * most),
        key=lambda e: (np.isnan(rungs[e].error), rungs[e].error),
    )
    eps, error, compared = rungs[e]
    off = np.where(smooth[e], np.abs(a - n[e]), -1.0)
    worst = places[int(off.argmax())] if compared else ()
    kinks = tuple(place for place, at in zip(places, smooth[e], strict=True) if not at)
    return Comparison(method, eps, error, compared, worst, kinks, rungs)


def relative_error(a: Array, n: Array) -> float:
    """Return ‖a − n‖ / (‖a‖ + ‖n‖), or 0 if both are 0."""
    scale = float(np.linalg.norm(a) + np.linalg.norm(n))
    return float(np.linalg.norm(a - n)) / scale if scale else 0.0
