"""The scorer: s = U f(W x + b), and its backpropagation by hand.

Each letter has one meaning throughout. A batch has one row for each example, so x is (B, D):

    B examples (windows) in the batch      C words in a window     d width of one word's row
    D = C·d + e                            e side inputs           H hidden units    K outputs
    x (B, D)   the window: the rows of its C words side by side, then the side inputs of its centre
    W (H, D), b (H,)                       z (B, H) = W x + b      h (B, H) = f(z)
    U (K, H)   one u for each output       s (B, K) = U h
    ds (B, K)  ∂J/∂s                       delta (B, H)  δ = ∂J/∂z, the error signal at z

docs/mathematics.md has the equations for one example. The code computes them for all rows of a batch:
W x is written x @ W.T, Uᵀ ds is ds @ U, and δ xᵀ, summed over the batch, is delta.T @ x.
"""

from __future__ import annotations

from typing import NamedTuple

from nertool.network.activations import Activation, Array


class Weights(NamedTuple):
    """The scorer's parameters, or their gradients, which have the same shapes."""

    W: Array  # (H, D)
    b: Array  # (H,)
    U: Array  # (K, H)


class Cache(NamedTuple):
    """The values that forward keeps for backward."""

    x: Array  # (B, D)
    h: Array  # (B, H), before dropout
    mask: Array | None  # (B, H), the dropout mask of the hidden layer
    side_width: int = 0  # e: how many of x's last columns are side inputs, which need no gradient


class Gradients(NamedTuple):
    """The gradients of a batch.

    weights: ∂J/∂W, ∂J/∂b and ∂J/∂U, summed over the batch; x: ∂J/∂x (B, D − e), without the side inputs.
    """

    weights: Weights
    x: Array


def scores(weights: Weights, activation: Activation, x: Array) -> Array:
    """Return s (B, K) for windows x (B, D), without a cache for a backward pass."""
    W, b, U = weights
    return activation.f(x @ W.T + b) @ U.T


def forward(
    weights: Weights, activation: Activation, x: Array, mask: Array | None = None, side_width: int = 0
) -> tuple[Array, Cache]:
    """Return s (B, K) and the cache that backward needs.

    mask (B, H): the dropout mask that h is multiplied by, None for no dropout.
    """
    W, b, U = weights
    z = x @ W.T
    z += b                                                 # (B, H)  z = W x + b
    h = activation.f(z, out=z)                             # (B, H)  h = f(z), in z's memory
    kept = h if mask is None else h * mask                 # (B, H)
    return kept @ U.T, Cache(x, h, mask, side_width)       # (B, K)  s = U h


def backward(weights: Weights, activation: Activation, ds: Array, cache: Cache) -> Gradients:
    """Return all gradients from ds = ∂J/∂s (B, K). δ is computed once and used three times.

    Training passes ds = (p − y) / B. With ds = 1, the result is the gradients of the score itself:
    ∂s/∂b = u ∘ f′(z), ∂s/∂W = (∂s/∂b) xᵀ, ∂s/∂x = Wᵀ ∂s/∂b. No argument is changed.
    """
    W, _, U = weights
    x, h, mask, side_width = cache
    dh = ds @ U                                            # (B, H)  ∂J/∂h = Uᵀ ds
    kept = h
    if mask is not None:
        dh *= mask                                         # dropout multiplies in both directions
        kept = h * mask
    delta = dh
    delta *= activation.f_prime_of_h(h)                    # (B, H)  δ = (Uᵀ ds) ∘ f′(z)
    return Gradients(
        Weights(
            W=delta.T @ x,                                 # (H, D)  δ xᵀ, summed over the batch
            b=delta.sum(axis=0),                           # (H,)    δ
            U=ds.T @ kept,                                 # (K, H)  ds hᵀ
        ),
        x=delta @ W[:, : x.shape[1] - side_width],         # (B, C d)  Wᵀ δ, for the words' rows
    )
