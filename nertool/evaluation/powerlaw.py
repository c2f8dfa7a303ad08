"""Extrapolate a learning curve: predict F1 for more training text by a power law with a floor.

The error 1 − F1 of most learners falls with the amount of text n as a + b n^−c (Hestness et al. 2017). a is
the error that no amount of text removes. c is searched on a grid; for each c, a ≥ 0 and b ≥ 0 are fitted by
least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXPONENTS = np.geomspace(0.03, 2.0, 80)  # c
DRAWS = 300
LEVEL = 0.9
# Intervals from resampled means are too narrow for few repetitions, since they assume a known standard
# deviation and an unbiased fit. In simulations (five laws, three repetitions) they cover 76 % without this
# factor.
WIDENED = 1.6


@dataclass(frozen=True)
class PowerLaw:
    """The parameters of M fits of 1 − F1 = a + b n^−c: a, b, c (M,)."""

    a: Floats
    b: Floats
    c: Floats

    def f1(self, n: float) -> Floats:
        """Return F1 at n by each fit, (M,), clipped to 0 … 1."""
        return np.clip(1 - self.a - self.b * n**-self.c, 0.0, 1.0)


def fit(n: Floats, f1: Floats, weights: Floats, floor: bool = True) -> PowerLaw:
    """Fit the law to M curves f1 (M, S) at the sizes n (S,) by weighted least squares; weights (S,).

    floor: False fixes a at 0.
    """
    error = 1 - f1
    w = weights / weights.sum()
    best = np.full(len(f1), np.inf)
    a, b, c = (np.zeros(len(f1)) for _ in range(3))
    scale = float(np.exp(np.log(n).mean()))  # keeps b near 1 for every c
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
    """The expected F1 at a size: that of the best fit, and an interval with the coverage LEVEL."""

    size: float
    f1: float
    low: float
    high: float


def forecasts(n: Floats, f1: Floats, sizes: list[float], seed: int = 0) -> list[Forecast]:
    """Extrapolate a learning curve to `sizes`: f1 (R, S) of R repetitions at the sizes n (S,), S ≥ 3.

    The interval is for the mean over trainings, not for a single training. The means are resampled with their
    standard error, which is estimated from all sizes together, since there are few repetitions. Each sample
    is fitted with a floor and, if a law without one agrees with the means, also without. The interval covers
    all these fits.
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
    """Return the standard deviation at each size, (S,).

    Few repetitions give poor estimates, so a straight line is fitted to those of all sizes. It never rises
    with the size.
    """
    R, S = f1.shape
    if R < 2:
        return np.full(S, 0.01)  # one repetition shows no deviation: a typical value
    found = f1.std(axis=0, ddof=1)
    slope, start = np.polyfit(np.arange(S), found, 1)
    if slope >= 0:
        return np.full(S, found.mean())
    return np.asarray(np.maximum(start + slope * np.arange(S), 0.3 * found.mean()))


def _fits(n: Floats, means: Floats, law: PowerLaw, error: Floats) -> bool:
    """Tell whether a law agrees with the means within their errors, by a χ² test."""
    predicted = np.array([law.f1(size)[0] for size in n])
    chi2 = float((((means - predicted) / error) ** 2).sum())
    return bool(chi2 < len(n) + 3 * np.sqrt(2 * len(n)))
