"""Dropout masks (Srivastava et al. 2014), already divided by the share of units that are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import network as kernels
from nertool.network.activations import Array


def dropout_mask(
    rng: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: type[np.floating]
) -> Array | None:
    """Draw a mask of 0 and 1/(1 − rate), which leaves the expected value unchanged; None at rate 0."""
    if not rate:
        return None
    # Each entry takes 16 random bits, so the rate is exact to 1/65,536. Numbers that SplitMix64 computes
    # from one seed cost a fraction of the generator's own numbers.
    size = int(np.prod(shape))
    seed = int(rng.integers(0, 1 << 64, dtype=np.uint64))
    below, scale = round(rate * (1 << 16)), dtype(1.0 / (1.0 - rate))
    mask = np.empty(size, dtype=dtype)
    if not kernels.dropout_mask(seed, below, float(scale), mask):
        bits = splitmix64(seed, -(-size // 4)).astype("<u8", copy=False).view("<u2")[:size]
        np.multiply(bits >= below, scale, out=mask)
    return mask.reshape(shape)


def splitmix64(seed: int, n: int) -> NDArray[np.uint64]:
    """Return n random numbers of 64 bits, computed from a seed by SplitMix64 (Steele, Lea and Flood 2014)."""
    z = np.arange(1, n + 1, dtype=np.uint64)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64(seed)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    return z ^ (z >> np.uint64(31))
