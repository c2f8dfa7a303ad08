"""One example through the network and back, with every value kept, in the letters of docs/mathematics.md.

Forward and backward are the shipping ones, in 64-bit floats; what is added is only what they don't
keep: the parts that z is the sum of, the multiplications, and one weight's step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.network.activations import ACTIVATIONS, Array, sigma
from nertool.network.losses import LOSSES
from nertool.network.scorer import Weights, backward, forward


class Steps(NamedTuple):
    """All values of one example, for the output k.

    x (D,); z, h, f_prime (H,); s, p, y, ds = ∂J/∂s (K,); dh = ∂J/∂h (H,); delta (H,) is δ = ∂J/∂z; dU
    (K, H); dW (H, D); db (H,); dx (D,). sign: the score that is explained is sign · s_k; it is −1 for the
    class O of a network with a single output, whose score is that of not being the other class.
    score_dz (H,) = sign · u_k ∘ f′(z) and score_dx (D,) are that score's gradients.
    """

    activation: str
    output: str
    weights: Weights
    k: int
    x: Array
    z: Array
    h: Array
    f_prime: Array
    s: Array
    p: Array
    y: Array
    J: float
    ds: Array
    dh: Array
    delta: Array
    dU: Array
    dW: Array
    db: Array
    dx: Array
    sign: int
    score_dz: Array
    score_dx: Array


def work_through(
    weights: Weights, activation: str, output: str, x: Array, y: Array, k: int = 0, sign: int = 1
) -> Steps:
    """Go forward and back with one example: x (D,), y (K,); sign: −1 to explain −s_k."""
    W, b, U = weights = Weights(*(np.asarray(array, dtype=np.float64) for array in weights))
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    f = ACTIVATIONS[activation]
    s, cache = forward(weights, f, x[None])
    J, ds = LOSSES[output](s, y[None])
    back = backward(weights, f, ds, cache)
    of_score = backward(weights, f, sign * np.eye(len(U))[k : k + 1], cache)
    return Steps(
        activation=activation,
        output=output,
        weights=weights,
        k=k,
        x=x,
        z=W @ x + b,
        h=cache.h[0],
        f_prime=f.f_prime_of_h(cache.h[0]),
        s=s[0],
        p=probabilities(s[0], output),
        y=y,
        J=J,
        ds=ds[0],
        dh=ds[0] @ U,
        delta=back.weights.b,
        dU=back.weights.U,
        dW=back.weights.W,
        db=back.weights.b,
        dx=back.x[0],
        sign=sign,
        score_dz=of_score.weights.b,
        score_dx=of_score.x[0],
    )


def probabilities(s: Array, output: str) -> Array:
    """Return p from s (…, K): σ(s) of each output, or a softmax over all."""
    if output == "logistic":
        return sigma(s)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def parts_of_z(W: Array, b: Array, x: Array, widths: list[int]) -> Array:
    """Return the parts (parts + 1, H) that z = b + Σ_c W_c x_c is the exact sum of: each piece of x, of
    the given widths, and b at the end. Before f everything is linear, so nothing is shared out by
    guess."""
    ends = np.cumsum(widths).tolist()
    pieces = [slice(a, e) for a, e in zip([0, *ends], ends, strict=False)]
    return np.stack([*(W[:, piece] @ x[piece] for piece in pieces), b])


def gradient_times_input(steps: Steps, widths: list[int]) -> Array:
    """Return ∂s/∂x · x (parts,) of each piece of x: how much s_k would change, to first order, without
    it. It is each piece's part of z, weighed by ∂s/∂z = u ∘ f′(z)."""
    ends = np.cumsum(widths).tolist()
    products = steps.score_dx * steps.x
    return np.array([products[a:e].sum() for a, e in zip([0, *ends], ends, strict=False)])


class Work(NamedTuple):
    """Multiplications of one example: of the forward pass, and of the backward pass with δ made once; with δ
    made again for each of W, b and x; and with every Jacobian as a whole matrix."""

    forward: int
    shared: int
    unshared: int
    whole: int


def multiplications(D: int, H: int, K: int) -> Work:
    """Count the multiplications of one example, forward and back."""
    delta = K * H + H  # Uᵀ ∂J/∂s, then ∘ f′(z)
    outer = K * H + H * D  # ∂J/∂U = ∂J/∂s hᵀ and ∂J/∂W = δ xᵀ
    down = H * D  # ∂J/∂x = Wᵀ δ
    # As matrices: (1 × K)(K × H), then diag f′(z) (H × H), then I (H × H) for b, W (H × D) for x,
    # and for W a Jacobian of H × HD.
    whole = K * H + H * H + H * H + H * D + H * H * D + K * H
    forward = H * D + K * H  # W x and U h
    return Work(forward, delta + outer + down, 3 * delta + outer + down, whole)


def units_by_delta(steps: Steps) -> Array:
    """Return the hidden units (H,), those with the largest |δ| first; where δ is the same, by |u h|."""
    part = np.abs(steps.weights.U[steps.k] * steps.h)
    return np.lexsort((-part, -np.abs(steps.delta)))


class Update(NamedTuple):
    """One weight's step of stochastic gradient descent, W_ij ← W_ij − α δ_i x_j, and J before it and
    after it, all else as it was."""

    i: int
    j: int
    before: float
    gradient: float
    alpha: float
    after: float
    J_before: float
    J_after: float


def sgd_update(steps: Steps, alpha: float) -> Update:
    """Step the entry of W that has the largest gradient."""
    W, b, U = steps.weights
    i, j = (int(n) for n in np.unravel_index(np.abs(steps.dW).argmax(), steps.dW.shape))
    before, gradient = float(W[i, j]), float(steps.dW[i, j])
    after = before - alpha * gradient
    moved = W.copy()
    moved[i, j] = after
    s, _ = forward(Weights(moved, b, U), ACTIVATIONS[steps.activation], steps.x[None])
    J_after = LOSSES[steps.output](s, steps.y[None])[0]
    return Update(i, j, before, gradient, alpha, after, steps.J, J_after)
