"""Known mistakes of a backward pass, which the gradient check must find (see selfcheck.py).

A mistake is a chain of functions (network/objective.py) in which one function is replaced by a wrong one.
The functions that training uses are not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nertool.network.activations import Activation, Array
from nertool.network.lookup import (
    Columns,
    RowGradient,
    Rows,
    embed_backward,
    met_rows,
    windows_backward,
)
from nertool.network.objective import (
    PLAIN,
    Batch,
    Chain,
    Objective,
    Parameters,
    tables_of,
    trained_tables,
)
from nertool.network.scorer import Cache, Gradients, Weights, backward

# --- the scorer's backward pass: (weights, f, ds, cache) → Gradients


def _negative_ds(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    return backward(weights, f, -ds, cache)


def _summed_ds(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    return backward(weights, f, ds * len(ds), cache)


def _no_f_prime(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    return backward(weights, f._replace(f_prime_of_h=np.ones_like), ds, cache)


def _f_prime_at_h(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    return backward(weights, f._replace(f_prime_of_h=lambda h: f.f_prime_of_h(f.f(h))), ds, cache)


def _f_prime_of_next_unit(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    shifted = f._replace(f_prime_of_h=lambda h: f.f_prime_of_h(np.roll(h, 1, axis=1)))
    return backward(weights, shifted, ds, cache)


def _stale_delta(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    stale = f._replace(f_prime_of_h=lambda h: f.f_prime_of_h(np.roll(h, 1, axis=0)))
    return backward(weights, stale, ds, cache)


def _stale_delta_for_x(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache)
    return right._replace(x=_stale_delta(weights, f, ds, cache).x)


def _transposed_W(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    W = weights.W
    right = backward(weights, f, ds, cache)
    transposed = weights._replace(W=W.T.reshape(W.shape))  # the same shape, read column by column
    return right._replace(x=backward(transposed, f, ds, cache).x)


def _U_moved_first(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache).weights
    early = backward(weights._replace(U=weights.U - 0.01 * right.U), f, ds, cache)
    return early._replace(weights=early.weights._replace(U=right.U))


def _bias_forgotten(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache)
    return right._replace(weights=right.weights._replace(b=np.zeros_like(right.weights.b)))


def _bias_averaged(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache)
    return right._replace(weights=right.weights._replace(b=right.weights.b / len(ds)))


def _mask_forgotten_in_delta(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache)
    forgetful = backward(weights, f, ds, cache._replace(mask=None))
    return forgetful._replace(weights=forgetful.weights._replace(U=right.weights.U))


def _mask_forgotten_in_U(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    right = backward(weights, f, ds, cache)
    return right._replace(weights=right.weights._replace(U=ds.T @ cache.h))


def _mask_not_scaled(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    assert cache.mask is not None
    unscaled = cache._replace(mask=(cache.mask > 0).astype(cache.mask.dtype))
    return backward(weights, f, ds, unscaled)


def _side_taken_for_words(weights: Weights, f: Activation, ds: Array, cache: Cache) -> Gradients:
    e = cache.side_width
    right = backward(weights, f, ds, cache._replace(side_width=0))
    return right._replace(x=np.roll(right.x, -e, axis=1)[:, :-e])


# --- from windows to words: (windows, ∂J/∂x, n, mask) → ∂J/∂R


def _last_value_wins(slot: Array, values: Array, n: int) -> Array:
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    out[slot] += values
    return out


def _repeated_words(windows: Array, dx: Array, n: int, mask: Array | None) -> Array:
    B, C = windows.shape
    dR = _last_value_wins(windows.ravel(), dx.reshape(B * C, -1), n)
    return dR if mask is None else dR * mask


def _window_reversed(windows: Array, dx: Array, n: int, mask: Array | None) -> Array:
    return windows_backward(windows[:, ::-1], dx, n, mask)


def _input_mask_forgotten(windows: Array, dx: Array, n: int, mask: Array | None) -> Array:
    return windows_backward(windows, dx, n, None)


# --- from words to tables: (tables, ids, ∂J/∂R, columns, frozen) → gradients


def _repeated_rows(
    tables: Sequence[Array], ids: Rows, dR: Array, columns: Columns, frozen: set[int]
) -> list[RowGradient | None]:
    return embed_backward(tables, ids, dR, columns, frozen, add=_last_value_wins)


def _next_row(
    tables: Sequence[Array], ids: Rows, dR: Array, columns: Columns, frozen: set[int]
) -> list[RowGradient | None]:
    found = embed_backward(tables, ids, dR, columns, frozen)
    return [
        g and RowGradient((g.rows + 1) % len(table), g.values)
        for g, table in zip(found, tables, strict=True)
    ]


def _unmet_row(
    tables: Sequence[Array], ids: Rows, dR: Array, columns: Columns, frozen: set[int]
) -> list[RowGradient | None]:
    """Give a word's gradient also to a row that no window uses, such as that of an absent padding."""
    found = embed_backward(tables, ids, dR, columns, frozen)
    for k, (g, table) in enumerate(zip(found, tables, strict=True)):
        if g is not None and len(g.rows) < len(table):
            free = np.setdiff1d(np.arange(len(table)), g.rows)[:1]
            most = np.abs(g.values).sum(axis=1).argmax()
            found[k] = RowGradient(
                np.concatenate([g.rows, free]),
                np.concatenate([g.values, g.values[most : most + 1]]),
            )
            break
    return found


# --- why a mistake changes nothing in a network; an empty text if it does change something


def _of_f_prime_at_h(objective: Objective, theta: Parameters, batch: Batch) -> str:
    if objective.activation in ("relu", "hard_tanh"):
        return f"with {objective.activation}, f(f(z)) = f(z), and f′(h) = f′(z)"
    return ""


def _of_one_window(objective: Objective, theta: Parameters, batch: Batch) -> str:
    return "the batch has one window" if len(batch.windows) == 1 else ""


def _of_tables(objective: Objective, theta: Parameters, batch: Batch) -> str:
    return "" if trained_tables(objective, theta) else "all tables are frozen"


def _of_one_window_in_tables(objective: Objective, theta: Parameters, batch: Batch) -> str:
    return _of_tables(objective, theta, batch) or _of_one_window(objective, theta, batch)


def _of_repeated_words(objective: Objective, theta: Parameters, batch: Batch) -> str:
    if len(np.unique(batch.windows)) == batch.windows.size:
        return _of_tables(objective, theta, batch) or "no two windows of the batch share a word"
    return _of_tables(objective, theta, batch)


def _of_unmet_row(objective: Objective, theta: Parameters, batch: Batch) -> str:
    tables = list(tables_of(theta).values())
    unmet = any(
        len(met_rows(batch.ids, k, tables, objective.columns)) < len(theta[name])
        for k, name in enumerate(tables_of(theta))
        if name not in objective.frozen
    )
    return _of_tables(objective, theta, batch) or ("" if unmet else "the batch meets every row")


def _of_side_inputs(objective: Objective, theta: Parameters, batch: Batch) -> str:
    if batch.side is None:
        return _of_tables(objective, theta, batch) or "the network has no side inputs"
    return _of_tables(objective, theta, batch)


def _of_window_order(objective: Objective, theta: Parameters, batch: Batch) -> str:
    if batch.windows.shape[1] == 1:
        return _of_tables(objective, theta, batch) or "a window of one word has no order"
    return _of_tables(objective, theta, batch)


def _never(objective: Objective, theta: Parameters, batch: Batch) -> str:
    return ""


class Mistake(NamedTuple):
    """A mistake.

    name: a short name; what: a description; chain: the chain with the mistake; spoils: the blocks whose
    gradients are wrong ("W", "b", "U", and "tables" for all tables); harmless: returns why the mistake
    changes nothing in a network, or an empty text if it does.
    """

    name: str
    what: str
    chain: Chain
    spoils: tuple[str, ...]
    harmless: Callable[[Objective, Parameters, Batch], str] = _never


def _back(function: Callable[[Weights, Activation, Array, Cache], Gradients]) -> Chain:
    return PLAIN._replace(backward=function)


def _words(function: Callable[[Array, Array, int, Array | None], Array]) -> Chain:
    return PLAIN._replace(windows_backward=function)


def _tables(function: Callable[..., list[RowGradient | None]]) -> Chain:
    return PLAIN._replace(embed_backward=function)


_BELOW = ("tables", "W", "b")  # the blocks whose gradients are computed from δ
_TABLES = ("tables",)

MISTAKES: tuple[Mistake, ...] = (
    Mistake("sign of p − y", "∂J/∂s is y − p", _back(_negative_ds), (*_BELOW, "U")),
    Mistake("missing 1/B", "∂J/∂s is summed over the batch, J is a mean",
            _back(_summed_ds), (*_BELOW, "U"), _of_one_window),
    Mistake("δ without f′", "δ = Uᵀ ∂J/∂s", _back(_no_f_prime), _BELOW),
    Mistake("f′ at h", "f′(h) where f′(z) is meant", _back(_f_prime_at_h), _BELOW, _of_f_prime_at_h),
    Mistake("f′ of the next unit", "f′(z) one unit out of place",
            _back(_f_prime_of_next_unit), _BELOW),
    Mistake("stale δ", "δ with f′ of another window", _back(_stale_delta), _BELOW, _of_one_window),
    Mistake("stale δ in x alone", "the same, and only ∂J/∂x is made from it",
            _back(_stale_delta_for_x), _TABLES, _of_one_window_in_tables),
    Mistake("transposed W", "∂J/∂x = W δ", _back(_transposed_W), _TABLES, _of_tables),
    Mistake("U moved too early", "U takes its step before δ is made", _back(_U_moved_first), _BELOW),
    Mistake("bias forgotten", "∂J/∂b = 0", _back(_bias_forgotten), ("b",)),
    Mistake("bias averaged", "∂J/∂b divided by B twice", _back(_bias_averaged), ("b",),
            _of_one_window),
    Mistake("hidden mask forgotten in δ", "dropout forward, none back",
            _back(_mask_forgotten_in_delta), _BELOW),
    Mistake("hidden mask forgotten in U", "∂J/∂U from h before dropout",
            _back(_mask_forgotten_in_U), ("U",)),
    Mistake("dropout scale forgotten", "back with 0 and 1, not 0 and 1/(1 − rate)",
            _back(_mask_not_scaled), (*_BELOW, "U")),
    Mistake("input mask forgotten", "dropout of words' rows forward, none back",
            _words(_input_mask_forgotten), _TABLES, _of_tables),
    Mistake("L2 forgotten", "J has the penalty, the gradient has not",
            PLAIN._replace(l2_gradient=lambda l2, theta: 0.0 * theta), ("W", "U")),
    Mistake("L2 doubled", "l2 W + l2 W: the ½ was lost",
            PLAIN._replace(l2_gradient=lambda l2, theta: 2.0 * l2 * theta), ("W", "U")),
    Mistake("repeated words lose gradient", "of a word in several windows the last counts",
            _words(_repeated_words), _TABLES, _of_repeated_words),
    Mistake("repeated rows lose gradient", "of words that share a row the last counts",
            _tables(_repeated_rows), _TABLES, _of_tables),
    Mistake("window reversed", "∂J/∂x goes to the window's words in the wrong order",
            _words(_window_reversed), _TABLES, _of_window_order),
    Mistake("side inputs taken for words", "∂J/∂x is cut at the wrong end",
            _back(_side_taken_for_words), _TABLES, _of_side_inputs),
    Mistake("next row", "∂J/∂L goes to the row after the word's", _tables(_next_row), _TABLES,
            _of_tables),
    Mistake("unmet row", "a row that no window has, such as a padding's, is changed, too",
            _tables(_unmet_row), _TABLES, _of_unmet_row),
)  # fmt: skip
