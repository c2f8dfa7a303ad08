"""Known mistakes of a backward pass, for the check to find (see selfcheck.py).

Nothing here touches the shipping backward pass itself: a mistake replaces one function for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from nertool.network import lookup, objective, shards
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import RowGradient
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    Batch,
    Masks,
    Objective,
    ParameterGradients,
    Parameters,
    tables_of,
)
from nertool.network.scorer import Cache, Gradients, Weights, backward
from nertool.network.shards import Share

# The backward pass as the check calls it, without J.
Backward = Callable[[Objective, Parameters, Batch, Masks], ParameterGradients]
Change = Callable[[Gradients, Weights, str, Array, Cache], Gradients]


def shipping(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    """The right one."""
    return shards.loss_and_gradients(chosen, parameters, batch, masks)[1]


@contextmanager
def _replaced(holder: Any, name: str, value: Any) -> Iterator[None]:
    """Let holder's attribute (or a dictionary's entry) be another one for a moment."""
    space = holder if isinstance(holder, dict) else vars(holder)
    kept = space[name]
    space[name] = value
    try:
        yield
    finally:
        space[name] = kept


def _replacing(holder: Any, name: str, value: Any) -> Backward:
    def mistaken(
        chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
    ) -> ParameterGradients:
        with _replaced(holder, name, value):
            return shipping(chosen, parameters, batch, masks)

    return mistaken


def _scorer(change: Change) -> Backward:
    """Let `change` have the last word on what the scorer's backward pass returns."""

    def mistaken(weights: Weights, activation: str, ds: Array, cache: Cache) -> Gradients:
        right = backward(weights, activation, ds, cache)
        return change(right, weights, activation, ds, cache)

    return _replacing(shards, "backward", mistaken)


def _transposed_W(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    W = weights.W
    transposed = weights._replace(W=W.T.reshape(W.shape))  # the same shape, read column by column
    return right._replace(x=backward(transposed, activation, ds, cache).x)


def _bias_forgotten(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    return right._replace(weights=right.weights._replace(b=np.zeros_like(right.weights.b)))


def _bias_averaged(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    return right._replace(weights=right.weights._replace(b=right.weights.b / len(ds)))


def _mask_forgotten_in_delta(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    forgetful = backward(weights, activation, ds, cache._replace(mask=None))
    return forgetful._replace(weights=forgetful.weights._replace(U=right.weights.U))


def _mask_forgotten_in_U(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    return right._replace(weights=right.weights._replace(U=ds.T @ cache.h))


def _mask_not_scaled(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    assert cache.mask is not None
    unscaled = cache._replace(mask=(cache.mask > 0).astype(cache.mask.dtype))
    return backward(weights, activation, ds, unscaled)


def _stale_delta(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    stale = backward(weights, activation, ds, cache._replace(h=np.roll(cache.h, 1, axis=0)))
    return stale._replace(weights=stale.weights._replace(U=right.weights.U))


def _stale_delta_for_x(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    return right._replace(x=_stale_delta(right, weights, activation, ds, cache).x)


def _U_moved_first(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    moved = weights._replace(U=weights.U - 0.01 * right.weights.U)
    early = backward(moved, activation, ds, cache)
    return early._replace(weights=early.weights._replace(U=right.weights.U))


def _f_prime_of_next_unit(
    right: Gradients, weights: Weights, activation: str, ds: Array, cache: Cache
) -> Gradients:
    f_prime = ACTIVATIONS[activation].f_prime_of_h
    shifted = ACTIVATIONS[activation]._replace(
        f_prime_of_h=lambda h: f_prime(np.roll(h, 1, axis=1))
    )
    with _replaced(ACTIVATIONS, activation, shifted):
        return backward(weights, activation, ds, cache)


def _own_f_prime(change: Callable[[str], Callable[[Array], Array]]) -> Backward:
    """Give the activation in use another f′."""

    def mistaken(
        chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
    ) -> ParameterGradients:
        f = ACTIVATIONS[chosen.activation]
        wrong = f._replace(f_prime_of_h=change(chosen.activation))
        with _replaced(ACTIVATIONS, chosen.activation, wrong):
            return shipping(chosen, parameters, batch, masks)

    return mistaken


def _f_prime_of_h(activation: str) -> Callable[[Array], Array]:
    f, f_prime = ACTIVATIONS[activation][:2]
    return lambda h: f_prime(f(h))


def _own_ds(change: Callable[[Array, Array], Array]) -> Backward:
    """Let the loss in use return another ∂J/∂s: change(ds, y)."""

    def mistaken(
        chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
    ) -> ParameterGradients:
        right = LOSSES[chosen.output]

        def wrong(s: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
            J, ds = right(s, y, weights)
            return J, change(ds, y)

        with _replaced(LOSSES, chosen.output, wrong):
            return shipping(chosen, parameters, batch, masks)

    return mistaken


def _last_one_wins(place: Array, values: Array, n: int) -> Array:
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    out[place] += values
    return out


def _input_mask_forgotten(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    right, forward_loss = shards.share_of, objective.forward_loss

    def wrong(
        chosen: Objective, theta: Parameters, part: Batch, masks: Masks, of: float, trained: bool
    ) -> Share:
        def with_mask(*arguments: Any) -> Any:
            return forward_loss(chosen, theta, part, masks)

        # Forward with the mask, and back without.
        with _replaced(shards, "forward_loss", with_mask):
            return right(chosen, theta, part, Masks(None, masks.hidden), of, trained)

    with _replaced(shards, "share_of", wrong):
        return shipping(chosen, parameters, batch, masks)


def _l2_times(factor: float) -> Backward:
    def mistaken(
        chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
    ) -> ParameterGradients:
        return shipping(chosen._replace(l2=factor * chosen.l2), parameters, batch, masks)

    return mistaken


def _window_reversed(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    right = lookup.scatter_add

    def wrong(place: Array, values: Array, n: int) -> Array:
        C, d = batch.windows.shape[1], values.shape[1]
        return right(place, values.reshape(-1, C, d)[:, ::-1].reshape(-1, d), n)

    with _replaced(shards, "scatter_add", wrong):
        return shipping(chosen, parameters, batch, masks)


def _given_taken_for_words(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    assert batch.side is not None
    e = batch.side.shape[1]

    def wrong(weights: Weights, activation: str, ds: Array, cache: Cache) -> Gradients:
        right = backward(weights, activation, ds, cache._replace(side_width=0))
        return right._replace(x=np.roll(right.x, -e, axis=1)[:, :-e])

    with _replaced(shards, "backward", wrong):
        return shipping(chosen, parameters, batch, masks)


def _next_row(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    gradients = shipping(chosen, parameters, batch, masks)
    for name in tables_of(parameters):
        if isinstance(gradient := gradients.get(name), RowGradient):
            V = len(parameters[name])
            gradients[name] = RowGradient((gradient.rows + 1) % V, gradient.values)
    return gradients


def _unmet_row(
    chosen: Objective, parameters: Parameters, batch: Batch, masks: Masks
) -> ParameterGradients:
    """A row that no window has (such as a padding's that is not there) gets a word's gradient."""
    gradients = shipping(chosen, parameters, batch, masks)
    for name in tables_of(parameters):
        gradient = gradients.get(name)
        if isinstance(gradient, RowGradient) and len(gradient.rows) < len(parameters[name]):
            free = np.setdiff1d(np.arange(len(parameters[name])), gradient.rows)[:1]
            most = np.abs(gradient.values).sum(axis=1).argmax()
            gradients[name] = RowGradient(
                np.concatenate([gradient.rows, free]),
                np.concatenate([gradient.values, gradient.values[most : most + 1]]),
            )
            break
    return gradients


class Mistake(NamedTuple):
    """name; what went wrong, in words; the mistaken backward pass; the blocks that it spoils: W, b, U,
    and "tables" for all of them."""

    name: str
    what: str
    backward: Backward
    spoils: tuple[str, ...]


_BELOW = ("tables", "W", "b")  # all that δ flows into

MISTAKES: tuple[Mistake, ...] = (
    Mistake("sign of p − y", "∂J/∂s is y − p", _own_ds(lambda ds, y: -ds), (*_BELOW, "U")),
    Mistake("missing 1/B", "∂J/∂s is summed over the batch, J is a mean",
            _own_ds(lambda ds, y: ds * len(y)), (*_BELOW, "U")),
    Mistake("δ without f′", "δ = Uᵀ ∂J/∂s", _own_f_prime(lambda f: np.ones_like), _BELOW),
    Mistake("f′ at h", "f′(h) where f′(z) is meant", _own_f_prime(_f_prime_of_h), _BELOW),
    Mistake("f′ of the next unit", "f′(z) one unit out of place",
            _scorer(_f_prime_of_next_unit), _BELOW),
    Mistake("stale δ", "δ with f′ of another window", _scorer(_stale_delta), _BELOW),
    Mistake("stale δ in x alone", "the same, and only ∂J/∂x is made from it",
            _scorer(_stale_delta_for_x), ("tables",)),
    Mistake("transposed W", "∂J/∂x = W δ", _scorer(_transposed_W), ("tables",)),
    Mistake("U moved too early", "U takes its step before δ is made", _scorer(_U_moved_first), _BELOW),
    Mistake("bias forgotten", "∂J/∂b = 0", _scorer(_bias_forgotten), ("b",)),
    Mistake("bias averaged", "∂J/∂b divided by B twice", _scorer(_bias_averaged), ("b",)),
    Mistake("hidden mask forgotten in δ", "dropout forward, none back",
            _scorer(_mask_forgotten_in_delta), _BELOW),
    Mistake("hidden mask forgotten in U", "∂J/∂U from h before dropout",
            _scorer(_mask_forgotten_in_U), ("U",)),
    Mistake("dropout scale forgotten", "back with 0 and 1, not 0 and 1/(1 − rate)",
            _scorer(_mask_not_scaled), (*_BELOW, "U")),
    Mistake("input mask forgotten", "dropout of words' rows forward, none back",
            _input_mask_forgotten, ("tables",)),
    Mistake("L2 forgotten", "J has the penalty, the gradient has not", _l2_times(0.0), ("W", "U")),
    Mistake("L2 doubled", "l2 W + l2 W: the ½ was lost", _l2_times(2.0), ("W", "U")),
    Mistake("repeated words lose gradient", "of a word in several windows the last counts",
            _replacing(shards, "scatter_add", _last_one_wins), ("tables",)),
    Mistake("repeated rows lose gradient", "of words that share a row the last counts",
            _replacing(lookup, "scatter_add", _last_one_wins), ("tables",)),
    Mistake("window reversed", "∂J/∂x goes to the window's words in the wrong order",
            _window_reversed, ("tables",)),
    Mistake("side inputs taken for words", "∂J/∂x is cut at the wrong end",
            _given_taken_for_words, ("tables",)),
    Mistake("next row", "∂J/∂L goes to the row after the word's", _next_row, ("tables",)),
    Mistake("unmet row", "a row that no window has, such as a padding's, is changed, too",
            _unmet_row, ("tables",)),
)  # fmt: skip
