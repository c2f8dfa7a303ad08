"""Format an explanation as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nertool.explain.explanation import Explanation
from nertool.explain.graph import as_text
from nertool.explain.numbers import short
from nertool.explain.pieces import Piece, tag_probabilities
from nertool.explain.steps import Work, units_by_delta
from nertool.network.activations import Array

_UNITS = 6  # hidden units shown without `full`
_NUMBERS = 4  # numbers shown at the beginning of a long vector


def lines_of(explanation: Explanation, full: bool = False) -> Iterator[str]:
    """Yield the lines of the explanation. full: show all numbers."""
    yield from summary(explanation)
    yield "\nPROBABILITIES OF THE WHOLE MODEL\n"
    yield from (f"  {line}" for line in explanation.certainty.lines())
    yield from _forward(explanation, full)
    yield from _backward(explanation, full)
    yield from _why(explanation)
    yield "\nTHE COMPUTATION GRAPH, through the two hidden units with the largest |δ| and one number of x\n"
    yield from as_text(explanation.graph)


def summary(e: Explanation) -> list[str]:
    """Return a summary in a few lines: the word, the predicted tag, and the explained tag."""
    marked = " ".join(f"[{w}]" if i == e.token else w for i, w in enumerate(e.sentence))
    lines = [marked, ""]
    which = f"network {e.member} of {e.members} alone" if e.members > 1 else "the network"
    p = tag_probabilities(e.steps.s, e.steps.output)[e.tags.index(e.predicted)]
    lines.append(
        f"{which} predicts {e.predicted} (p = {p:.4f}); the whole model, decoded over the sentence, "
        f"predicts {e.decoded}"
    )
    if e.members > 1:
        lines.append("(--member N explains another one; an answer is the mean of all their scores)")
    source = "the file says so" if e.gold else "assumed to be right; --class chooses another"
    lines.append(f"explained: {score_name(e)}; y: {e.target} ({source})")
    return lines


def units_shown(e: Explanation, full: bool) -> Array:
    """Return the _UNITS hidden units with the largest |δ|, in descending order; if `full`, all units."""
    return np.arange(len(e.steps.h)) if full else units_by_delta(e.steps)[:_UNITS]


def score_name(e: Explanation) -> str:
    """Return a description of the explained score."""
    if e.steps.sign > 0:
        return f"the score s of {e.tag}"
    other = output_name(e, e.steps.k)
    return f"the score of {e.tag}, which is −s: the one output has s for {other}, and p({e.tag}) = σ(−s)"


def classes_shown(e: Explanation, full: bool) -> Array:
    """Return the outputs with the largest p. The explained output, and those where y is 1, are included."""
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
    """Format a vector; unless `full`, a long one is shortened in the middle."""
    shown = [short(v) for v in values]
    if full or len(shown) <= 2 * _NUMBERS:
        return " ".join(shown)
    return " ".join([*shown[:_NUMBERS], "…", *shown[-2:]])


def place(piece: Piece) -> str:
    """Return the position of a piece of x: "centre", an offset such as "+1", or "beside" for side inputs."""
    if piece.offset is None:
        return "beside"
    return "centre" if piece.offset == 0 else f"{piece.offset:+d}"


def _forward(e: Explanation, full: bool) -> Iterator[str]:
    steps = e.steps
    (H, D), K = steps.weights.W.shape, len(steps.s)
    yield "\nFORWARD\n"
    widths = [piece.width for piece in e.pieces]
    yield f"x ({D} numbers): the window's rows side by side" + (
        ", then the side inputs" if e.pieces[-1].offset is None else ""
    )
    start = 0
    for piece, width in zip(e.pieces, widths, strict=True):
        vector = f"as {piece.vector}" if piece.vector else ""
        part = steps.x[start : start + width]
        start += width
        yield f"  {place(piece):7} {piece.text:16} {vector:18} {width:4}   {numbers(part, full)}"
    yield f"\nz = W x + b ({H}; W is {H} × {D}),  h = {steps.activation}(z),  s = U h (U is {K} × {H})"
    note = "all units" if full else f"the {_UNITS} units with the largest |δ|"
    yield f"  {note}:"
    yield f"  {'unit':>6} {'z':>10} {'h':>10} {'u':>10} {'u h':>10}"
    u = steps.weights.U[steps.k]
    for i in units_shown(e, full):
        row = (steps.z[i], steps.h[i], u[i], u[i] * steps.h[i])
        yield f"  {i:6} " + " ".join(f"{short(v):>10}" for v in row)
    if not full:
        rest = steps.s[steps.k] - (u * steps.h)[units_shown(e, full)].sum()
        yield f"  {'others':>6} {'':10} {'':10} {'':10} {short(rest):>10}"
    yield f"  {'s':>6} {'':10} {'':10} {'':10} {short(steps.s[steps.k]):>10}"
    of = "σ(s), each by itself" if steps.output == "logistic" else "softmax(s)"
    yield f"\np = {of};  J = {short(steps.J)}"
    yield f"  {'':8} {'s':>10} {'p':>10} {'y':>4} {'∂J/∂s = p − y':>15}"
    for k in classes_shown(e, full):
        yield (
            f"  {output_name(e, k):8} {short(steps.s[k]):>10} {short(steps.p[k]):>10} {steps.y[k]:4.0f} "
            f"{short(steps.ds[k]):>15}"
        )
    if (left := K - len(classes_shown(e, full))) > 0:
        yield f"  and {left} more (--full)"


def _backward(e: Explanation, full: bool) -> Iterator[str]:
    steps, work, update = e.steps, e.work, e.update
    (H, D), K = steps.weights.W.shape, len(steps.s)
    yield "\nBACKWARD: downstream = upstream × local\n"
    yield f"  {'unit':>6} {'∂J/∂h = Uᵀ∂J/∂s':>16} {'× f′(z)':>10} {'= δ = ∂J/∂z':>12}"
    for i in units_shown(e, full):
        yield (
            f"  {i:6} {short(steps.dh[i]):>16} {short(steps.f_prime[i]):>10} {short(steps.delta[i]):>12}"
        )
    yield f"\n  δ ({H}) is made once, and used three times:"
    rows = [
        ("∂J/∂U = ∂J/∂s hᵀ", f"({K}, {H})", steps.dU, ""),
        ("∂J/∂W = δ xᵀ", f"({H}, {D})", steps.dW, "uses δ"),
        ("∂J/∂b = δ", f"({H},)", steps.db, "uses δ"),
        ("∂J/∂x = Wᵀ δ", f"({D},)", steps.dx, "uses δ; into the words' rows"),
    ]
    for name, shape, array, used in rows:
        yield f"  {name:18} {shape:12} ‖·‖ = {np.linalg.norm(array):<10.4g} {used}"
    yield ""
    yield from (f"  {line}" for line in work_notes(work))
    if full:
        yield from _matrices(e)
    before, after, gradient = map(short, (update.before, update.after, update.gradient))
    yield "\n  one step of SGD for the weight with the largest gradient, W_ij ← W_ij − α δ_i x_j:"
    weight = f"W[{update.i}, {update.j}]"
    yield f"  {weight}: {before} − {update.alpha:g} × {gradient} = {after}"
    yield f"  J after this step alone: {short(update.J_before)} → {short(update.J_after)}"


def work_notes(work: Work) -> list[str]:
    """Return lines on the number of multiplications, and on what sharing δ saves."""
    saved = 100 * (1 - work.shared / work.unshared)
    return [
        f"multiplications: {work.forward:,} forward; {work.shared:,} backward with δ shared, "
        f"{work.shared / work.forward:.1f} times as many",
        f"{work.unshared:,} with δ recomputed for each gradient: sharing saves {saved:.1f} % with one hidden "
        "layer, most of n² / 2 with n layers",
        f"{work.whole:,} with whole Jacobian matrices, which are never built: this saves the most",
    ]


def _matrices(e: Explanation) -> Iterator[str]:
    """Yield W and its gradient, with a line for each row."""
    for name, matrix in (("W", e.steps.weights.W), ("∂J/∂W = δ xᵀ", e.steps.dW)):
        yield f"\n  {name} ({matrix.shape[0]} × {matrix.shape[1]}), a row for each unit:"
        for i, row in enumerate(matrix):
            yield f"  {i:6} {numbers(row, True)}"


def sum_note(e: Explanation) -> str:
    """Return a sentence on how the sum of gradient × input relates to the score."""
    if e.steps.activation == "relu":
        return "with relu, f(z) = f′(z) z, and gradient × input adds up to the score exactly"
    return f"{e.steps.activation} is not linear, so gradient × input is a first-order approximation"


def _why(e: Explanation) -> Iterator[str]:
    units = units_shown(e, False)[:4]
    yield f"\nWHY: each piece's exact share of z, and gradient × input for {score_name(e)}\n"
    heads = "".join(f"{f'z[{i}]':>10}" for i in units)
    yield f"  {'':24}{heads}   grad × input"
    for piece in e.pieces:
        shares = "".join(f"{short(piece.share[i]):>10}" for i in units)
        yield f"  {place(piece):7} {piece.text:16}{shares}   {short(piece.attribution):>12}"
    b = "".join(f"{short(e.steps.weights.b[i]):>10}" for i in units)
    z = "".join(f"{short(e.steps.z[i]):>10}" for i in units)
    of_b = float(e.steps.score_dz @ e.steps.weights.b)
    total = of_b + sum(piece.attribution for piece in e.pieces)
    yield f"  {'b':24}{b}   {short(of_b):>12}"
    yield f"  {'sum = z':24}{z}   {short(total):>12}"
    yield f"  (the score is {short(e.steps.sign * e.steps.s[e.steps.k])}: {sum_note(e)})"
    yield "\n  the nearest words of the training text, by cosine similarity of their vectors:"
    for piece in e.pieces:
        if piece.neighbours:
            near = ", ".join(f"{n.word} {n.cosine:.2f}" for n in piece.neighbours)
            yield f"  {place(piece):7} {piece.text:16} {near}"
    yield (
        f"\n  which replacement of one word changes the answer? (the nearest of {e.tried:,} words of the "
        "training text)"
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
