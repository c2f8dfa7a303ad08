"""An explanation as readable lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nertool.explain.explanation import Explanation, Piece, tag_probabilities
from nertool.explain.graph import as_text
from nertool.network.activations import Array

_UNITS = 6  # hidden units that are shown, unless all are asked for
_NUMBERS = 4  # numbers of a long vector


def lines_of(explanation: Explanation, full: bool = False) -> Iterator[str]:
    """Yield the explanation line by line; full: every number of it."""
    yield from summary(explanation)
    yield "\nHOW SURE THE WHOLE MODEL IS\n"
    yield from (f"  {line}" for line in explanation.certainty.lines())
    yield from _forward(explanation, full)
    yield from _backward(explanation, full)
    yield from _why(explanation)
    yield "\nTHE COMPUTATION GRAPH, through the hidden unit with the largest part in the score\n"
    yield from as_text(explanation.graph)


def summary(e: Explanation) -> list[str]:
    """Say in a few lines what was asked, and what the answer is."""
    marked = " ".join(f"[{w}]" if i == e.token else w for i, w in enumerate(e.sentence))
    lines = [marked, ""]
    which = f"network {e.member} of {e.members} alone" if e.members > 1 else "the network"
    p = tag_probabilities(e.steps.s, e.steps.output)[e.tags.index(e.predicted)]
    lines.append(
        f"{which} says {e.predicted} (p = {p:.4f}); the whole model, over the sentence: {e.decoded}"
    )
    if e.members > 1:
        lines.append("(--member N explains another one; an answer is the mean of all their scores)")
    source = "the file says so" if e.gold else "taken as right here; --class asks about another"
    lines.append(f"explained: the score of {e.tag}; y: {e.target} ({source})")
    return lines


def units_shown(e: Explanation, full: bool) -> Array:
    """Return the hidden units with the largest part u h in the score, or all of them."""
    if full:
        return np.arange(len(e.steps.h))
    return np.argsort(-np.abs(e.steps.weights.U[e.steps.k] * e.steps.h), kind="stable")[:_UNITS]


def classes_shown(e: Explanation, full: bool) -> Array:
    """Return the outputs with the largest p, those that y and the question are about among them."""
    order = np.argsort(-e.steps.p, kind="stable")
    if full:
        return order
    asked = {e.steps.k, *np.flatnonzero(e.steps.y).tolist()}
    kept = [k for k in order.tolist() if k in asked]
    kept += [k for k in order.tolist() if k not in asked][: max(0, 5 - len(kept))]
    return np.array(sorted(kept, key=order.tolist().index))


def output_name(e: Explanation, k: int) -> str:
    """Return the tag of an output."""
    return e.tags[len(e.tags) - len(e.steps.s) + k]


def numbers(values: Array, full: bool) -> str:
    """Write a vector, shortened in the middle unless full."""
    shown = [f"{v:.4f}" for v in values]
    if full or len(shown) <= 2 * _NUMBERS:
        return " ".join(shown)
    return " ".join([*shown[:_NUMBERS], "…", *shown[-2:]])


def place(piece: Piece) -> str:
    """Say where a piece of x stands."""
    if piece.offset is None:
        return "beside"
    return "centre" if piece.offset == 0 else f"{piece.offset:+d}"


def _forward(e: Explanation, full: bool) -> Iterator[str]:
    steps = e.steps
    (H, D), K = steps.weights.W.shape, len(steps.s)
    yield "\nFORWARD\n"
    widths = [piece.width for piece in e.pieces]
    yield f"x ({D} numbers): the window's rows side by side" + (
        ", and what stands beside it" if e.pieces[-1].offset is None else ""
    )
    start = 0
    for piece, width in zip(e.pieces, widths, strict=True):
        vector = f"as {piece.vector}" if piece.vector else ""
        part = steps.x[start : start + width]
        start += width
        yield f"  {place(piece):7} {piece.text:16} {vector:18} {width:4}   {numbers(part, full)}"
    yield f"\nz = W x + b ({H}; W is {H} × {D}),  h = {steps.activation}(z),  s = U h (U is {K} × {H})"
    note = (
        "all units" if full else f"the {_UNITS} units with the largest part in the score of {e.tag}"
    )
    yield f"  {note}:"
    yield f"  {'unit':>6} {'z':>10} {'h':>10} {'u':>10} {'u h':>10}"
    u = steps.weights.U[steps.k]
    for i in units_shown(e, full):
        yield f"  {i:6} {steps.z[i]:10.4f} {steps.h[i]:10.4f} {u[i]:10.4f} {u[i] * steps.h[i]:10.4f}"
    if not full:
        rest = steps.s[steps.k] - (u * steps.h)[units_shown(e, full)].sum()
        yield f"  {'others':>6} {'':10} {'':10} {'':10} {rest:10.4f}"
    yield f"  {'s':>6} {'':10} {'':10} {'':10} {steps.s[steps.k]:10.4f}"
    of = "σ(s), each by itself" if steps.output == "logistic" else "softmax(s)"
    yield f"\np = {of};  J = {steps.J:.6f}"
    yield f"  {'':8} {'s':>10} {'p':>10} {'y':>4} {'∂J/∂s = p − y':>15}"
    for k in classes_shown(e, full):
        yield (
            f"  {output_name(e, k):8} {steps.s[k]:10.4f} {steps.p[k]:10.4f} {steps.y[k]:4.0f} "
            f"{steps.ds[k]:15.4f}"
        )
    if (left := K - len(classes_shown(e, full))) > 0:
        yield f"  and {left} more (--full)"


def _backward(e: Explanation, full: bool) -> Iterator[str]:
    steps, work, update = e.steps, e.work, e.update
    (H, D), K = steps.weights.W.shape, len(steps.s)
    yield "\nBACKWARD: downstream = upstream × local\n"
    yield f"  {'unit':>6} {'∂J/∂h = Uᵀ∂J/∂s':>16} {'× f′(z)':>10} {'= δ':>12}"
    for i in units_shown(e, full):
        yield f"  {i:6} {steps.dh[i]:16.6f} {steps.f_prime[i]:10.4f} {steps.delta[i]:12.6f}"
    yield f"\n  δ ({H}) is made once, and used three times:"
    rows = [
        ("∂J/∂U = ∂J/∂s hᵀ", f"({K}, {H})", steps.dU, ""),
        ("∂J/∂W = δ xᵀ", f"({H}, {D})", steps.dW, "uses δ"),
        ("∂J/∂b = δ", f"({H},)", steps.db, "uses δ"),
        ("∂J/∂x = Wᵀ δ", f"({D},)", steps.dx, "uses δ; into the words' rows"),
    ]
    for name, shape, array, used in rows:
        yield f"  {name:18} {shape:12} ‖·‖ = {np.linalg.norm(array):<10.4g} {used}"
    yield (
        f"\n  multiplications: {work.shared:,} with δ shared; {work.unshared:,} with δ made anew for each; "
        f"{work.whole:,} with whole Jacobian matrices"
    )
    before, after = f"{update.before:.6f}", f"{update.after:.6f}"
    yield "\n  one step of SGD for the weight with the largest gradient, W_ij ← W_ij − α δ_i x_j:"
    weight = f"W[{update.i}, {update.j}]"
    yield f"  {weight}: {before} − {update.alpha:g} × {update.gradient:.6f} = {after}"
    yield f"  with this alone, J: {update.J_before:.6f} → {update.J_after:.6f}"


def sum_note(e: Explanation) -> str:
    """Say how the sum of gradient × input stands to the score."""
    if e.steps.activation == "relu":
        return "with relu, f(z) = f′(z) z, and gradient × input adds up to the score exactly"
    return f"{e.steps.activation} is no straight line, so gradient × input tells it to first order only"


def _why(e: Explanation) -> Iterator[str]:
    units = units_shown(e, False)[:4]
    yield f"\nWHY: each piece's exact share of z, and gradient × input for the score of {e.tag}\n"
    heads = "".join(f"{f'z[{i}]':>10}" for i in units)
    yield f"  {'':24}{heads}   grad × input"
    for piece in e.pieces:
        shares = "".join(f"{piece.share[i]:10.4f}" for i in units)
        yield f"  {place(piece):7} {piece.text:16}{shares}   {piece.attribution:12.4f}"
    b = "".join(f"{e.steps.weights.b[i]:10.4f}" for i in units)
    z = "".join(f"{e.steps.z[i]:10.4f}" for i in units)
    of_b = float(e.steps.score_delta @ e.steps.weights.b)
    total = of_b + sum(piece.attribution for piece in e.pieces)
    yield f"  {'b':24}{b}   {of_b:12.4f}"
    yield f"  {'sum = z':24}{z}   {total:12.4f}"
    yield f"  (s is {e.steps.s[e.steps.k]:.4f}: {sum_note(e)})"
    yield "\n  the nearest words of training, by the cosine of their vectors:"
    for piece in e.pieces:
        if piece.neighbours:
            near = ", ".join(f"{n.word} {n.cosine:.2f}" for n in piece.neighbours)
            yield f"  {place(piece):7} {piece.text:16} {near}"
    yield (
        f"\n  which change of one word flips the answer? (of {e.tried:,} words that training met, the one "
        "nearest to it)"
    )
    for piece in e.pieces:
        if not piece.flippable:
            continue
        flip = piece.flip
        told = (
            f"{flip.word} → {flip.tag} (p {flip.p:.2f}, cosine {flip.cosine:.2f})"
            if flip
            else "none"
        )
        yield f"  {place(piece):7} {piece.text:16} {told}"
