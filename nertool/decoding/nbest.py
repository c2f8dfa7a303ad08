"""The k best tag sequences of a sentence (Schwartz and Chow 1990)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nertool.decoding.viterbi import Lattice
from nertool.network.activations import Array


def n_best(scores: Array, allowed: Lattice, k: int) -> list[tuple[float, NDArray[np.int32]]]:
    """Return up to k allowed tag sequences of one sentence with their scores, the best first.

    scores (n, T). For each token and tag, the k best partial sequences that end there are kept.
    """
    n, T = scores.shape
    if not n:
        return []
    bar = np.where(allowed.step, 0.0, -np.inf)
    total = np.full((T, k), -np.inf)  # scores of the k best partial sequences that end in each tag
    total[:, 0] = np.where(allowed.start, scores[0].astype(np.float64), -np.inf)
    back = np.zeros((n, T, k), dtype=np.int64)  # the predecessor of each: tag · k + rank
    for t in range(1, n):
        through = (total[:, :, None] + bar[:, None, :]).reshape(T * k, T)
        chosen = np.argsort(-through, axis=0, kind="stable")[:k]  # (k, T)
        back[t] = chosen.T
        total = np.take_along_axis(through, chosen, axis=0).T + scores[t][:, None]
    total = np.where(allowed.end[:, None], total, -np.inf)
    found = []
    for place in np.argsort(-total, axis=None, kind="stable")[:k].tolist():
        score = float(total.flat[place])
        if not np.isfinite(score):
            break
        tags = np.empty(n, dtype=np.int32)
        for t in range(n - 1, -1, -1):
            tags[t] = place // k
            place = int(back[t].flat[place])
        found.append((score, tags))
    return found
