"""Fixtures of the network's tests: parameters, a batch, masks, and ways to compute gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from nertool.network.dropout import dropout_mask
from nertool.network.objective import Batch, Masks, loss_and_gradients
from nertool.network.shards import sharded_loss_and_gradients
from tests.support.objectives import (
    E_GIVEN,
    FULL_COLUMNS,
    FULL_D,
    FULL_TABLES,
    TABLES,
    B,
    C,
    H,
    K,
    d,
    n,
)

COMPUTATIONS: dict[str, Callable[..., tuple[float, dict]]] = {
    "plain": loss_and_gradients,
    "one shard": sharded_loss_and_gradients,
    "several shards": partial(sharded_loss_and_gradients, shard_size=5),
}


@pytest.fixture(params=COMPUTATIONS)
def computed(request) -> Callable[..., tuple[float, dict]]:
    """Let a test hold for the plain computation, and for that of training."""
    return COMPUTATIONS[request.param]


@pytest.fixture
def parameters() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    made = {name: rng.normal(size=size) for name, size in TABLES.items()}
    return {
        **made,
        "W": rng.normal(size=(H, C * d)) / 2,
        "b": rng.normal(size=H),
        "U": rng.normal(size=(K, H)),
    }


@pytest.fixture
def batch() -> Batch:
    """Words that repeat: within a window, between windows, and as two entries of one row."""
    rng = np.random.default_rng(2)
    ids = np.stack([rng.integers(0, V - 1, size=n) for V, _ in TABLES.values()], axis=1)
    ids[1] = ids[0]
    windows = rng.integers(0, n, size=(B, C))
    windows[0] = [0, 1, 0]
    windows[1] = [2, 2, 2]
    return Batch(ids.astype(np.int32), windows, np.eye(K)[rng.integers(0, K, size=B)])


@pytest.fixture
def masks() -> Masks:
    rng = np.random.default_rng(3)
    return Masks(
        dropout_mask(rng, (n, d), 0.25, np.float64), dropout_mask(rng, (B, H), 0.5, np.float64)
    )


@pytest.fixture(scope="session")
def torch() -> Any:
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


@pytest.fixture
def full() -> tuple[dict[str, np.ndarray], Batch, Masks]:
    rng = np.random.default_rng(8)
    parameters = {name: rng.normal(size=size) for name, size in FULL_TABLES.items()}
    D = C * FULL_D + E_GIVEN
    parameters |= {"W": rng.normal(size=(H, D)) / 3, "b": rng.normal(size=H)}
    parameters["U"] = rng.normal(size=(K, H))
    numbers = zip(FULL_TABLES.values(), FULL_COLUMNS, strict=True)
    ids = np.concatenate([rng.integers(0, V - 1, size=(n, c)) for (V, _), c in numbers], axis=1)
    ids[1] = ids[0]
    windows = rng.integers(0, n, size=(B, C))
    windows[0] = [0, 1, 0]
    y = np.eye(K)[rng.integers(0, K, size=B)]
    batch = Batch(ids.astype(np.int32), windows, y, rng.normal(size=(B, E_GIVEN)))
    masks = Masks(
        dropout_mask(rng, (n, FULL_D), 0.25, np.float64), dropout_mask(rng, (B, H), 0.5, np.float64)
    )
    return parameters, batch, masks
