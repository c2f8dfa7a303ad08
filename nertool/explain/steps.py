"""The forward and backward pass for one example, with all values, in the notation of docs/mathematics.md.

`forward` and `backward` are those of training, in 64-bit floats. This file adds only what they do not return:
the parts of z, the number of multiplications, and the step of one weight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.network.activations import ACTIVATIONS, Array, sigma
from nertool.network.losses import LOSSES
from nertool.network.scorer import Weights, backward, forward


class Steps(NamedTuple):
    """All values of the forward and the backward pass for one example; output k is explained.

    x (D,); z, h, f_prime (H,); s, p, y, ds = ∂J/∂s (K,); dh = ∂J/∂h (H,); delta = δ = ∂J/∂z (H,); dU (K, H);
    dW (H, D); db (H,); dx (D,).
    sign: the explained score is sign · s_k. It is −1 for the class O of a network with one output, whose
    score is that of the other class.
    score_dz (H,) = sign · u_k ∘ f′(z), score_dx (D,): the gradients of the explained score.
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
    """Compute all values of one example: x (D,), y (K,).

    k: the output that is explained. sign: −1 to explain −s_k.
    """
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
    """Return p (…, K) from s (…, K): σ(s) for each output if `output` is logistic, else softmax(s)."""
    if output == "logistic":
        return sigma(s)
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def parts_of_z(W: Array, b: Array, x: Array, widths: list[int]) -> Array:
    """Return the parts (pieces + 1, H) of z = b + Σ_c W_c x_c: one for each piece of x, then b.

    widths: the widths of the pieces. z is linear in x, so it is the exact sum of the parts.
    """
    ends = np.cumsum(widths).tolist()
    pieces = [slice(a, e) for a, e in zip([0, *ends], ends, strict=False)]
    return np.stack([*(W[:, piece] @ x[piece] for piece in pieces), b])


def gradient_times_input(steps: Steps, widths: list[int]) -> Array:
    """Return ∂s/∂x · x for each piece of x, (pieces,): the first-order change of the score without it.

    This is the piece's part of z, multiplied by ∂s/∂z = u ∘ f′(z). s stands for the explained score.
    """
    ends = np.cumsum(widths).tolist()
    products = steps.score_dx * steps.x
    return np.array([products[a:e].sum() for a, e in zip([0, *ends], ends, strict=False)])


class Work(NamedTuple):
    """The number of multiplications for one example.

    forward: of the forward pass. shared: of the backward pass, where δ is computed once. unshared: of a
    backward pass that computes δ again for each of W, b and x. whole: of one that builds every Jacobian
    matrix.
    """

    forward: int
    shared: int
    unshared: int
    whole: int


def multiplications(D: int, H: int, K: int) -> Work:
    """Count the multiplications for one example. D, H, K: the sizes of x, h and s."""
    delta = K * H + H  # Uᵀ ∂J/∂s, then ∘ f′(z)
    outer = K * H + H * D  # ∂J/∂U = ∂J/∂s hᵀ and ∂J/∂W = δ xᵀ
    down = H * D  # ∂J/∂x = Wᵀ δ
    # As matrices: (1 × K)(K × H), then diag f′(z) (H × H), then I (H × H) for b, W (H × D) for x,
    # and for W a Jacobian of H × HD.
    whole = K * H + H * H + H * H + H * D + H * H * D + K * H
    forward = H * D + K * H  # W x and U h
    return Work(forward, delta + outer + down, 3 * delta + outer + down, whole)


def units_by_delta(steps: Steps) -> Array:
    """Return the hidden units (H,), sorted by |δ| from large to small, then by |u h|."""
    part = np.abs(steps.weights.U[steps.k] * steps.h)
    return np.lexsort((-part, -np.abs(steps.delta)))


class Update(NamedTuple):
    """One step of stochastic gradient descent for one weight, W_ij ← W_ij − α δ_i x_j.

    before, after: the weight. J_before, J_after: the loss, where all other parameters stay the same.
    """

    i: int
    j: int
    before: float
    gradient: float
    alpha: float
    after: float
    J_before: float
    J_after: float


def sgd_update(steps: Steps, alpha: float) -> Update:
    """Return the step of the entry of W with the largest absolute gradient. alpha: the learning rate."""
    W, b, U = steps.weights
    i, j = (int(n) for n in np.unravel_index(np.abs(steps.dW).argmax(), steps.dW.shape))
    before, gradient = float(W[i, j]), float(steps.dW[i, j])
    after = before - alpha * gradient
    moved = W.copy()
    moved[i, j] = after
    s, _ = forward(Weights(moved, b, U), ACTIVATIONS[steps.activation], steps.x[None])
    J_after = LOSSES[steps.output](s, steps.y[None])[0]
    return Update(i, j, before, gradient, alpha, after, steps.J, J_after)
