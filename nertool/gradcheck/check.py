"""Is every gradient right? Each is compared with what small steps do to J, in 64-bit floats.

Three methods, which share nothing with the backward pass:

    central       (J(θ_j + ε) − J(θ_j − ε)) / 2ε, coordinate by coordinate, on a ladder of ε
    complex       Im J(θ_j + iε) / ε, coordinate by coordinate: no subtraction to lose digits in
    directional   both of these along a random direction v, against ∂J/∂θ · v: one number that every
                  coordinate has a part in, so that no block is too large to be covered whole

The steps are measured once, and then compared with whatever gradients are at hand.
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

FAIL = 1e-6   # a relative error from here on fails
WARN = 1e-7   # and from here on is worth a look
ALL = "all at once"
CENTRAL, COMPLEX, DIRECTIONAL, DIRECTIONAL_COMPLEX = METHODS = (
    "central", "complex", "directional", "directional complex",
)


class Ladders(NamedTuple):
    """The steps ε that are tried: the best of the central ones lies where rounding, which grows as
    1/ε, and the ε² error of the difference meet; the complex one has no rounding to fear."""

    central: tuple[float, ...] = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
    complex: tuple[float, ...] = (1e-20,)


STEPS = Ladders()

# From a step that is far too large down to one that is lost in rounding, or that is not: for a plot.
WIDE = Ladders(
    tuple(10.0 ** -np.arange(1, 13.5, 0.5)), tuple(10.0 ** -np.arange(1, 20.5, 0.5))
)


class Rung(NamedTuple):
    """One ε: the relative error there, and how many coordinates (or directions) it is of."""

    eps: float
    error: float
    compared: int


class Comparison(NamedTuple):
    """One method on one block: the relative error ‖a − n‖ / (‖a‖ + ‖n‖) of the analytic a against the
    numeric n at the best ε, every rung of the ladder, the worst coordinate (the number of the worst
    direction), and those left out because their ±ε crosses a kink of f."""

    method: str
    eps: float
    error: float
    compared: int
    worst: tuple[int, ...]
    kinks: tuple[tuple[int, ...], ...]
    ladder: tuple[Rung, ...]

    @property
    def passed(self) -> bool:
        """Whether the error is below FAIL; it is not where it is not a number."""
        return self.error < FAIL


class BlockCheck(NamedTuple):
    """One parameter block, by each method; the block ALL is all of them at once."""

    block: str
    methods: dict[str, Comparison]

    @property
    def error(self) -> float:
        """The largest error over the methods; not a number where one of them is not."""
        return float(np.max([c.error for c in self.methods.values() if c.compared], initial=0.0))

    @property
    def passed(self) -> bool:
        """Whether something was compared, and every method's error is below FAIL."""
        return any(c.compared for c in self.methods.values()) and self.error < FAIL

    @property
    def warned(self) -> bool:
        """Whether it passed with an error of WARN or more."""
        return self.passed and self.error >= WARN


class Slopes(NamedTuple):
    """∂J/∂θ along n coordinates or directions, found by steps: central (E, n) and whether each is
    smooth (E, n), without a kink within ±ε; complex (E', n)."""

    central: Array
    smooth: NDArray[np.bool_]
    complex: Array


class Measured(NamedTuple):
    """What steps found: for each block its flat coordinates and their slopes; directions v (k, …) in
    each block, and the slopes along them, of each block by itself and of ALL."""

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
    """Compare loss_and_gradients with steps on up to `samples` coordinates a block, and on `directions`
    random directions through each block and through all of them.

    Of a table, only rows that the batch meets are drawn; the directions go through all rows. A J or a
    gradient that is not a finite number fails. chain: the functions that compute the gradients, such as
    those with a mistake. parameters, masks and batch.y are taken in float64;
    nothing that is passed in is changed.
    """
    theta, batch, masks = in_float64(parameters, batch, masks)
    measured = measure(objective, theta, batch, rng, masks, samples, ladders, directions)
    _, gradients = loss_and_gradients(objective, theta, batch, masks, chain)
    return compare(measured, theta, gradients)


def in_float64(
    parameters: Parameters, batch: Batch, masks: Masks
) -> tuple[Parameters, Batch, Masks]:
    """Return copies in float64, in which ε's digits are not lost."""

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
    """Take the steps; theta, batch and masks in float64. Knows nothing of any backward pass."""
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
    """Draw distinct flat coordinates of an array, of the given rows only if there are such."""
    width = int(np.prod(shape[1:]))
    rows = np.arange(shape[0]) if met is None else met
    drawn = rng.choice(len(rows) * width, size=min(samples, len(rows) * width), replace=False)
    return np.sort(rows[drawn // width] * width + drawn % width)


# Return the parameters a step away from θ, along the i-th coordinate or direction.
Move = Callable[[int, complex], Parameters]


def _one_coordinate(theta: Parameters, name: str) -> Move:
    """Step one flat coordinate of a block: in copies made once, since a table may be large."""
    original = theta[name].reshape(-1)
    copies: dict[type, tuple[Array, list[int]]] = {}   # and the coordinate that was stepped last

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
    """Step some blocks along their i-th direction, together."""
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
            # Where f is piecewise linear, f′ jumps at the kinks and nowhere else.
            if piece is not None:
                smooth[e, k] = np.array_equal(piece(above.cache.h), piece(below.cache.h))
        for e, eps in enumerate(ladders.complex):
            by_complex[e, k] = reference_J(objective, move(i, 1j * eps), batch, masks).imag / eps
    return Slopes(central, smooth, by_complex)


def compare(
    measured: Measured, theta: Parameters, gradients: ParameterGradients
) -> list[BlockCheck]:
    """Compare gradients with what the steps found, block by block and at last all at once."""
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
    """Compare a (n,) with the slopes n (E, n) of each rung, and take the best rung; None where the
    method was not asked for."""
    if not n.size:
        return None
    rungs = tuple(
        Rung(float(eps), relative_error(a[at], slopes[at]), int(at.sum()))
        for eps, slopes, at in zip(ladder, n, smooth, strict=True)
    )
    # A rung that had to leave many coordinates out must not win by them.
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
    """Return ‖a − n‖ / (‖a‖ + ‖n‖); 0 where both are 0."""
    scale = float(np.linalg.norm(a) + np.linalg.norm(n))
    return float(np.linalg.norm(a - n)) / scale if scale else 0.0
