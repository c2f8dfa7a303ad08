"""The scorer: s = U f(W x + b), and its backpropagation by hand.

The letters, with one meaning throughout (a row per example, so that x is (B, D)):

    B examples (windows) in the batch      C words in a window     d width of one word's row
    D = C·d                                H hidden units          K outputs
    x (B, D)   the windows: C words' rows side by side, the word to be classified in the centre
    W (H, D), b (H,)                       z (B, H) = W x + b      h (B, H) = f(z)
    U (K, H)   one u for each output       s (B, K) = U h
    ds (B, K)  ∂J/∂s                       delta (B, H)  δ, the local error signal at z
"""

from __future__ import annotations

from typing import NamedTuple

from nertool.network.activations import ACTIVATIONS, Array


class Weights(NamedTuple):
    """The scorer's own parameters, or, in the same shapes, their gradients."""

    W: Array  # (H, D)
    b: Array  # (H,)
    U: Array  # (K, H)


class Cache(NamedTuple):
    """What forward keeps for backward. mask is the hidden layer's dropout mask, or None; side_width:
    many of x's last entries are not words' rows, so that nothing asks for their gradient."""

    x: Array  # (B, D)
    h: Array  # (B, H), before dropout
    mask: Array | None  # (B, H)
    side_width: int = 0


class Gradients(NamedTuple):
    """∂J/∂W, ∂J/∂b and ∂J/∂U, summed over the batch, and ∂J/∂x (B, D − side_width) for each window."""

    weights: Weights
    x: Array


def scores(weights: Weights, activation: str, x: Array) -> Array:
    """Return s (B, K) for windows x (B, D), keeping nothing: the forward pass of prediction."""
    W, b, U = weights
    return ACTIVATIONS[activation].f(x @ W.T + b) @ U.T


def forward(
    weights: Weights, activation: str, x: Array, mask: Array | None = None, side_width: int = 0
) -> tuple[Array, Cache]:
    """Return s (B, K) and the cache that backward needs; mask (B, H) is applied to h, for dropout."""
    W, b, U = weights
    z = x @ W.T
    z += b                                                 # (B, H)  z = W x + b
    h = ACTIVATIONS[activation].f(z, out=z)                # (B, H)  h = f(z), in z's place
    kept = h if mask is None else h * mask                 # (B, H)
    return kept @ U.T, Cache(x, h, mask, side_width)            # (B, K)  s = U h


def backward(weights: Weights, activation: str, ds: Array, cache: Cache) -> Gradients:
    """Return every gradient from ds = ∂J/∂s (B, K), with δ computed once and used three times.

    With ds = 1 these are the gradients of the score itself (∂s/∂b = δ = u ∘ f′(z), ∂s/∂W = δ xᵀ,
    ∂s/∂x = Wᵀδ); training passes (p − y) / B. Changes nothing.
    """
    W, _, U = weights
    x, h, mask, side_width = cache
    dh = ds @ U                                            # (B, H)  ∂J/∂h = Uᵀ ds
    kept = h
    if mask is not None:
        dh *= mask
        kept = h * mask                                    # dropout scales both ways alike
    delta = dh
    delta *= ACTIVATIONS[activation].f_prime_of_h(h)       # (B, H)  δ = (Uᵀ ds) ∘ f′(z)
    return Gradients(
        Weights(
            W=delta.T @ x,                                 # (H, D)  δ xᵀ, summed over the batch
            b=delta.sum(axis=0),                           # (H,)    δ
            U=ds.T @ kept,                                 # (K, H)  ds hᵀ
        ),
        x=delta @ W[:, : x.shape[1] - side_width],              # (B, D)  Wᵀ δ, back into the words' rows
    )
