"""Helpers for the tests of the gradient check: a small network with two tables, and its checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nertool.gradcheck.check import ALL, BlockCheck, check_gradients
from nertool.network.dropout import dropout_mask
from nertool.network.objective import NO_MASKS, PLAIN, Batch, Chain, Masks, Objective
from nertool.network.scorer import backward

n, C, d, H, K, B = 7, 2, 4, 8, 3, 10  # H = D, so that a transposed W has the right shape

TABLES = {"L": (9, 2), "E.affixes": (8, 1)}

COLUMNS = (1, 2)  # a word has one row of L and two rows of the affixes': d = 2 + 2·1

TANH = Objective("tanh", "softmax", columns=COLUMNS)


class Problem(NamedTuple):
    parameters: dict[str, np.ndarray]
    batch: Batch
    masks: Masks


def problem(seed: int = 1) -> Problem:
    """Return two tables, words that repeat as one entry and as two, and masks."""
    rng = np.random.default_rng(seed)
    parameters = {name: rng.normal(size=size) for name, size in TABLES.items()}
    parameters["W"] = rng.normal(size=(H, C * d)) / 2
    parameters["b"] = rng.normal(size=H) / 2
    parameters["U"] = rng.normal(size=(K, H))
    numbers = zip(TABLES.values(), COLUMNS, strict=True)
    ids = np.concatenate([rng.integers(0, V - 1, size=(n, c)) for (V, _), c in numbers], axis=1)
    ids[1] = ids[0]
    ids[2, 2] = ids[2, 1]
    windows = rng.integers(0, n, size=(B, C))
    windows[0], windows[1] = [0, 1], [2, 2]
    masks = Masks(
        dropout_mask(rng, (n, d), 0.3, np.float64), dropout_mask(rng, (B, H), 0.3, np.float64)
    )
    labels = rng.integers(0, K, size=B)
    return Problem(parameters, Batch(ids.astype(np.int32), windows, np.eye(K)[labels]), masks)


def check(
    chosen: Objective,
    given: Problem,
    masks: Masks = NO_MASKS,
    samples: int = 300,
    chain: Chain = PLAIN,
) -> dict[str, BlockCheck]:
    rng = np.random.default_rng(0)
    checks = check_gradients(
        chosen, given.parameters, given.batch, rng, masks, samples, chain=chain
    )
    return {block.block: block for block in checks}


def failed(checks: dict[str, BlockCheck]) -> set[str]:
    return {name for name, block in checks.items() if not block.passed} - {ALL}


def coordinates(checks: dict[str, BlockCheck]) -> dict[str, int]:
    return {name: b.methods["central"].compared for name, b in checks.items() if name != ALL}


def kinks(checks: dict[str, BlockCheck]) -> dict[str, int]:
    return {name: len(b.methods["central"].kinks) for name, b in checks.items() if name != ALL}


def changing(change: Callable) -> Chain:
    """Return a chain whose scorer's gradients are changed by `change(gradients, weights, ds, cache)`."""

    def mistaken(weights, f, ds, cache):
        return change(backward(weights, f, ds, cache), weights, ds, cache)

    return PLAIN._replace(backward=mistaken)
