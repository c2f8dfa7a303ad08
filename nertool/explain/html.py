"""Render an explanation as one self-contained HTML page: no scripts, no network access, all text escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from nertool.explain.explanation import Explanation
from nertool.explain.numbers import short
from nertool.explain.pieces import Piece
from nertool.explain.svg import as_svg
from nertool.explain.text import (
    classes_shown,
    numbers,
    output_name,
    place,
    score_name,
    sum_note,
    summary,
    units_shown,
    work_notes,
)
from nertool.pages.page import escaped, render

TEMPLATES = Path(__file__).parent / "templates"


def page(explanation: Explanation, full: bool = False) -> str:
    """Return the HTML of the page. All text of the input and the model is escaped. full: show all numbers."""
    from markupsafe import Markup

    e = explanation
    parts = [_head(e), _why(e), _graph(e), _forward(e, full), _backward(e, full)]
    return render(
        "explain.html",
        TEMPLATES,
        title=f"Why is {e.word} tagged {e.predicted}?",
        e=e,
        content=Markup("\n".join(parts)),
    )


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    foot: Sequence[Sequence[str]] = (),
    kind: str = "",
) -> str:
    """Return an HTML table. The cells must be HTML already."""
    name = re.sub("<[^>]+>", "", " ".join(head)).strip()
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
    last = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in foot)
    region = f'<div class="scroll" tabindex="0" role="region" aria-label="{escaped(name)}">'
    return (
        f'{region}<table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{body}</tbody><tfoot>{last}</tfoot></table></div>"
    )


def _head(e: Explanation) -> str:
    m = max((piece.offset or 0 for piece in e.pieces), default=0)
    words = []
    for i, word in enumerate(e.sentence):
        text = escaped(word)
        if i == e.token:
            text = f"<mark>{text}</mark>"
        elif abs(i - e.token) <= m:
            text = f'<span class="near">{text}</span>'
        words.append(text)
    told = "".join(f"<p>{escaped(line)}</p>" for line in summary(e)[2:])
    return f'<p class="sentence">{" ".join(words)}</p>{told}'


def _piece(piece: Piece) -> str:
    return f'<span class="note">{place(piece)}</span> {escaped(piece.text)}'


def _why(e: Explanation) -> str:
    steps = e.steps
    most = max((abs(piece.attribution) for piece in e.pieces), default=0.0) or 1.0
    rows = []
    for piece in e.pieces:
        sign = "plus" if piece.attribution >= 0 else "minus"
        bar = f'<span class="bar {sign}" style="width:{7 * abs(piece.attribution) / most:.2f}rem"></span>'
        near = ", ".join(f"{escaped(n.word)}&nbsp;{n.cosine:.2f}" for n in piece.neighbours[:4])
        flip = ""
        if piece.flip:
            flip = f"{escaped(piece.flip.word)} → {escaped(piece.flip.tag)} (p&nbsp;{piece.flip.p:.2f})"
        rows.append(
            (
                _piece(piece),
                f"{short(piece.attribution)}",
                bar,
                near,
                flip or ("none" if piece.offset is not None and piece.flippable else ""),
            )
        )
    of_b = float(steps.score_dz @ steps.weights.b)
    total = of_b + sum(piece.attribution for piece in e.pieces)
    rows.append(("b", f"{short(of_b)}", "", "", ""))
    units = units_shown(e, False)[:5]
    shares = [
        (_piece(piece), *(f"{short(piece.share[i])}" for i in units)) for piece in e.pieces
    ] + [("b", *(f"{short(steps.weights.b[i])}" for i in units))]
    sums = [("sum = z", *(f"{short(steps.z[i])}" for i in units))]
    return (
        f"<h2>Why this answer</h2><p>Gradient × input: how much {escaped(score_name(e))} "
        "hangs on each word, to first order; the nearest words that training met; and the nearest word "
        f"of {e.tried:,} that, put in its place, changes the answer.</p>"
        + _table(
            ("word", "grad × input", "", "nearest words", "what flips it"),
            rows,
            [("sum", f"{short(total)}", "", "", "")],
            "wide",
        )
        + f'<p class="note">The score is {short(steps.sign * steps.s[steps.k])}: {escaped(sum_note(e))}.</p>'
        + "<p>Before f everything is linear, so z is the exact sum of each word’s part "
        "(the units with the largest |δ|):</p>"
        + _table(("part of z", *(f"z<sub>{i}</sub>" for i in units)), shares, sums)
    )


def _graph(e: Explanation) -> str:
    return (
        "<h2>The computation graph</h2><p>Through the two hidden units with the largest |δ|, and one number "
        "of x. "
        '<span style="color:var(--blue)">Values go forward</span>, '
        '<span style="color:var(--red)">gradients ∂J/∂node come back</span>: along each edge, downstream = '
        "upstream × local; a node that is used twice sums what comes back; a sum passes its gradient on "
        'unchanged.</p><div class="graph" tabindex="0" role="region" aria-label="the graph">'
        f"{as_svg(e.graph)}</div>"
    )


def _forward(e: Explanation, full: bool) -> str:
    steps = e.steps
    (H, D), K = steps.weights.W.shape, len(steps.s)
    start, rows = 0, []
    for piece in e.pieces:
        part = steps.x[start : start + piece.width]
        start += piece.width
        cell = f'<span class="note">{numbers(part, full)}</span>'
        rows.append((_piece(piece), escaped(piece.vector) or "–", str(piece.width), cell))
    u = steps.weights.U[steps.k]
    units = [
        (
            str(i),
            f"{short(steps.z[i])}",
            f"{short(steps.h[i])}",
            f"{short(u[i])}",
            f"{short(u[i] * steps.h[i])}",
        )
        for i in units_shown(e, full)
    ]
    rest = steps.s[steps.k] - (u * steps.h)[units_shown(e, full)].sum()
    foot = [("s", "", "", "", f"{short(steps.s[steps.k])}")]
    if not full:
        foot.insert(0, ("other units", "", "", "", f"{short(rest)}"))
    classes = [
        (
            escaped(output_name(e, k)),
            f"{short(steps.s[k])}",
            f"{short(steps.p[k])}",
            f"{steps.y[k]:.0f}",
            f"{short(steps.ds[k])}",
        )
        for k in classes_shown(e, full)
    ]
    of = "σ(s), each output by itself" if steps.output == "logistic" else "softmax(s)"
    return (
        f"<h2>Forward</h2><p>x, {D} numbers: the rows of the window’s words, side by side.</p>"
        + _table(("word", "its vector", "numbers", ""), rows, kind="rows")
        + f'<p class="formula">z = W x + b &nbsp; h = {escaped(steps.activation)}(z) &nbsp; s = U h'
        f" &nbsp; W is {H} × {D}, b {H}, U {K} × {H}</p>"
        + _table(("unit", "z", "h", "u", "u h"), units, foot)
        + f'<p class="formula">p = {of} &nbsp; J = {short(steps.J)}</p>'
        + _table(("class", "s", "p", "y", "∂J/∂s = p − y"), classes)
    )


def _matrices(e: Explanation) -> str:
    """Return the HTML of W and its gradient, with all numbers."""
    return "".join(
        f'<p>{name}:</p><div class="scroll"><pre>'
        + "\n".join(numbers(row, True) for row in matrix)
        + "</pre></div>"
        for name, matrix in (("W", e.steps.weights.W), ("∂J/∂W = δ xᵀ", e.steps.dW))
    )


def _backward(e: Explanation, full: bool) -> str:
    steps, work, update = e.steps, e.work, e.update
    (H, D), K = steps.weights.W.shape, len(steps.s)
    units = [
        (str(i), f"{short(steps.dh[i])}", f"{short(steps.f_prime[i])}", f"{short(steps.delta[i])}")
        for i in units_shown(e, full)
    ]
    gradients = [
        ("∂J/∂U", "∂J/∂s hᵀ", f"{K} × {H}", f"{np.linalg.norm(steps.dU):.4g}", ""),
        ("∂J/∂W", "δ xᵀ", f"{H} × {D}", f"{np.linalg.norm(steps.dW):.4g}", "uses δ"),
        ("∂J/∂b", "δ", f"{H}", f"{np.linalg.norm(steps.db):.4g}", "uses δ"),
        ("∂J/∂x", "Wᵀ δ", f"{D}", f"{np.linalg.norm(steps.dx):.4g}", "uses δ"),
    ]
    return (
        '<h2>Backward</h2><p class="formula">δ = ∂J/∂z = (Uᵀ ∂J/∂s) ∘ f′(z): made once, used three times</p>'
        + _table(("unit", "upstream ∂J/∂h", "local f′(z)", "downstream δ"), units)
        + "<p>Every gradient has the shape of its parameter:</p>"
        + _table(("gradient", "is", "shape", "norm", ""), gradients)
        + "".join(f"<p>{escaped(line)}.</p>" for line in work_notes(work))
        + (_matrices(e) if full else "")
        + "<p>One step of stochastic gradient descent, for the weight with the largest gradient:</p>"
        f'<p class="formula">W<sub>{update.i},{update.j}</sub> ← {short(update.before)} − '
        f"{update.alpha:g} × {short(update.gradient)} = {short(update.after)}</p>"
        f"<p>With this alone, J goes from {short(update.J_before)} to {short(update.J_after)}.</p>"
    )
