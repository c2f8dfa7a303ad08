"""How F1 grows with the training text, and what more of it would bring: a power law with a floor.

The error 1 − F1 of most learners falls with the amount of text n as a + b n^−c (Hestness et al. 2017): a is
what no amount of text removes. c is tried on a grid; a and b ≥ 0 are then least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXPONENTS = np.geomspace(0.03, 2.0, 80)  # c
DRAWS = 300
LEVEL = 0.9
# Intervals by drawing means anew are too narrow for few repetitions: they take the spread for known, and a
# fit for unbiased. By simulation (five laws, three repetitions) they cover 76 % without this factor.
WIDENED = 1.6


@dataclass(frozen=True)
class PowerLaw:
    """Fits of 1 − F1 = a + b n^−c: a, b, c (M,) of M fits side by side."""

    a: Floats
    b: Floats
    c: Floats

    def f1(self, n: float) -> Floats:
        """Return what each fit says of n, (M,), between 0 and 1."""
        return np.clip(1 - self.a - self.b * n**-self.c, 0.0, 1.0)


def fit(n: Floats, f1: Floats, weights: Floats, floor: bool = True) -> PowerLaw:
    """Fit the law to M curves f1 (M, S) at the sizes n (S,), each size with its weight (S,).

    floor: False leaves a at 0. The error's distance is squared and weighted.
    """
    error = 1 - f1
    w = weights / weights.sum()
    best = np.full(len(f1), np.inf)
    a, b, c = (np.zeros(len(f1)) for _ in range(3))
    scale = float(np.exp(np.log(n).mean()))  # so that b stays near 1 whatever c is
    for exponent in EXPONENTS:
        x = (n / scale) ** -exponent
        mean_x, mean_y = w @ x, error @ w
        slope = ((error - mean_y[:, None]) * (x - mean_x)) @ w / (w @ (x - mean_x) ** 2)
        start = mean_y - slope * mean_x
        through_zero = (error * x) @ w / (w @ x**2)
        bad = (start < 0) | (not floor)
        slope, start = np.where(bad, through_zero, slope), np.where(bad, 0.0, start)
        flat = slope < 0
        slope, start = np.where(flat, 0.0, slope), np.where(flat, mean_y, start)
        loss = ((error - start[:, None] - slope[:, None] * x) ** 2) @ w
        better = loss < best - 1e-15
        best = np.where(better, loss, best)
        a = np.where(better, start, a)
        b = np.where(better, slope * scale**exponent, b)
        c = np.where(better, exponent, c)
    return PowerLaw(a, b, c)


@dataclass(frozen=True)
class Forecast:
    """What F1 to expect at a size: the best fit's, and an interval at LEVEL."""

    size: float
    f1: float
    low: float
    high: float


def forecasts(n: Floats, f1: Floats, sizes: list[float], seed: int = 0) -> list[Forecast]:
    """Extend a learning curve: F1 (R, S) of R repetitions at the sizes n (S,), S ≥ 3.

    The interval holds the mean over trainings, not a single one. The means are drawn anew with the standard
    error that the repetitions show (the spread of all sizes taken together, since there are few repetitions),
    and fitted with and without a floor; it spans what both kinds of fit say.
    """
    R = len(f1)
    means = f1.mean(axis=0)
    spread = _spread(f1)
    error = np.maximum(spread, 1e-6) / np.sqrt(R)
    weights = error**-2
    rng = np.random.default_rng([seed, 17])
    drawn = means + rng.standard_normal((DRAWS, len(n))) * error * WIDENED
    tail = (1 - LEVEL) / 2
    best = fit(n, means[None], weights)
    laws = [fit(n, drawn, weights, floor) for floor in (True, False)]
    plain = _fits(n, means, fit(n, means[None], weights, floor=False), error)
    laws = laws if plain else laws[:1]
    out = []
    for size in sizes:
        ends = [np.quantile(law.f1(size), [tail, 1 - tail]) for law in laws]
        guess = float(best.f1(size)[0])
        low, high = min(e[0] for e in ends), max(e[1] for e in ends)
        out.append(Forecast(size, guess, float(min(low, guess)), float(max(high, guess))))
    return out


def _spread(f1: Floats) -> Floats:
    """Return the standard deviation at each size, (S,): a straight line through what the sizes show, since
    few repetitions show it badly. It falls, or stays, as the text grows."""
    R, S = f1.shape
    if R < 2:
        return np.full(S, 0.01)  # nothing is known of it: a usual one
    found = f1.std(axis=0, ddof=1)
    slope, start = np.polyfit(np.arange(S), found, 1)
    if slope >= 0:
        return np.full(S, found.mean())
    return np.asarray(np.maximum(start + slope * np.arange(S), 0.3 * found.mean()))


def _fits(n: Floats, means: Floats, law: PowerLaw, error: Floats) -> bool:
    """Tell whether a law goes through the means, as far as their errors tell: χ² is no surprise."""
    predicted = np.array([law.f1(size)[0] for size in n])
    chi2 = float((((means - predicted) / error) ** 2).sum())
    return bool(chi2 < len(n) + 3 * np.sqrt(2 * len(n)))
