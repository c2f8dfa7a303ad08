"""An interactive page about backpropagation, with the lesson's network and a trained model, as one HTML file.

The scripts in templates/play/ compute everything in the browser. arithmetic.js has the forward and the
backward pass in the notation of docs/mathematics.md. Tests compare it with network/.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nertool.explain.explanation import input_of, network_inputs
from nertool.explain.pieces import tag_probabilities
from nertool.inputs.text import Text
from nertool.model.model import Model
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.objective import weights_of
from nertool.network.scorer import Weights, scores
from nertool.pages.page import render

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = (
    "arithmetic", "complex", "mistakes", "draw", "page", "graph", "nudge", "forward", "backward",
    "matrices", "step", "check", "real", "questions",
)  # fmt: skip

# Each view: its name, its heading, a sentence on what it shows, and a suggestion of what to try.
VIEWS = (
    ("nudge", "Nudge, and look", "A derivative says how many times as fast the output moves as the input.",
     "Move x to −1: which way does z go when x grows? Then make the nudge smaller, and watch the last column "
     "settle."),
    ("forward", "Forward: the values", "Each value is computed from those before it, and kept.",
     "Drag x₁ from 1 to 2. Before you look: does p rise or fall? u₁ and u₂ say what each unit speaks for."),
    ("backward", "Backward: the gradients",
     "At each value, downstream = upstream × local; a value that is used twice gets the sum.",
     "Begin at s: type the product, and press Enter. The right number opens the next node."),
    ("matrices", "The same, as matrices",
     "The chain rule multiplies Jacobians; the first three are always the same, and their product is δ.",
     "Switch between x, b and W. Which factors change? Then find the entry of ∂J/∂W whose weight is 0."),
    ("step", "A step", "A step moves every parameter a little against its gradient.",
     "Find the α from which the straight line can’t be true. Then let two examples disagree, and take steps "
     "with α = 1."),
    ("check", "Is it right?", "A gradient is right if it says what a small nudge does.",
     "Find the best ε of the central difference. Then put in a mistake, and see which blocks turn red."),
    ("real", "A trained model",
     "Here x is the vectors of a window’s words, and everything else is as before.",
     "Choose a word, then call another answer right. What happens to δ? Which words’ vectors move most?"),
    ("questions", "Ten questions", "Say what you expect, then see why.",
     "Answer before you try it on the page."),
)  # fmt: skip

_TITLE = "Backpropagation, to play with"
WEIGHTS, INPUTS = 33_000, 16_000  # the most numbers on the page, of W and of all words' x


def lesson_network() -> tuple[Weights, Array, Array]:
    """Return the network of docs/lesson.md, and its example x (3,) and y (1,)."""
    weights = Weights(
        W=np.array([[2.0, 1.0, 0.0], [1.0, -1.0, -1.0]]),
        b=np.array([np.log(2.0), -np.log(3.0)]),
        U=np.array([[4.0, 3.0]]),
    )
    return weights, np.array([1.0, -2.0, 3.0]), np.array([1.0])


def play_page(real: Mapping[str, Any] | None, lesson: str | None = None) -> str:
    """Return the HTML of the page.

    real: a trained model's numbers, from model_numbers. None: leave out the view of a trained model. lesson:
    the URL of the lesson's text, or None for no link.
    """
    from markupsafe import Markup

    weights, x, y = lesson_network()
    network = {name: array.tolist() for name, array in weights._asdict().items()}
    data = {
        "network": {**network, "activation": "tanh", "output": "logistic"},
        "example": {"x": x.tolist(), "y": y.tolist()},
        "other": {"x": [0.0, -1.0, 1.0], "y": [0.0]},
        "real": real,
    }
    left_out = () if real else ("real",)
    files = {name: f"play/{name}.js" for name in SCRIPTS if name not in left_out}
    return render(
        "play.html",
        TEMPLATES,
        title=_TITLE,
        lesson=lesson,
        views=[view for view in VIEWS if view[0] not in left_out],
        data=data,
        style=Markup(_source("play/style.css")),
        scripts=[Markup(_source(file)) for file in files.values()],
    )


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").rstrip()


def model_numbers(
    model: Model,
    text: Text,
    sentence: int = 0,
    token: int | None = None,
    member: int = 1,
    room: tuple[int, int] = (WEIGHTS, INPUTS),
) -> dict[str, Any]:
    """Return the numbers of a trained model for one sentence of a text, for JSON.

    token: the token of the text that is shown first. None: the token with the least certain prediction. room:
    the most numbers of W, and of all x together.

    Numbers are 32-bit floats in base64. To keep the page small, a large network is reduced to the units with
    the largest |δ|, and a long sentence to the words nearest to the token. `left` is the number of units left
    out; `rest` of a word is their contribution to its scores.
    """
    config = model.config
    parameters, inputs = network_inputs(model, text, member)
    weights = Weights(*(np.asarray(array, dtype=np.float64) for array in weights_of(parameters)))
    start, end = text.sentence_starts[sentence : sentence + 2].tolist()
    words = [text.words[i] for i in text.word_ids[start:end]]
    xs = np.stack([input_of(config, parameters, inputs, t)[0] for t in range(start, end)])
    f, output = ACTIVATIONS[config.network.activation], config.network.output
    s = scores(weights, f, xs)
    p = tag_probabilities(s, output)
    first = int(p.max(axis=1).argmin()) if token is None else token - start
    held = sorted(range(len(words)), key=lambda t: abs(t - first))
    held = sorted(held[: max(1, room[1] // xs.shape[1])])
    units = _units(weights, f.f_prime_of_h(f.f(xs @ weights.W.T + weights.b)), p, room[0])
    others = np.setdiff1d(np.arange(len(weights.b)), units)
    rest = f.f(xs @ weights.W[others].T + weights.b[others]) @ weights.U[:, others].T
    C = config.windows.size
    side = xs.shape[1] - C * input_of(config, parameters, inputs, start)[1].shape[1]
    return {
        "sentence": words,
        "tags": list(model.tags),
        "activation": config.network.activation,
        "output": output,
        "alpha": config.training.alpha,
        "token": first,
        "width": int(xs.shape[1]),
        "units": units.tolist(),
        "left": len(others),
        "W": pack(weights.W[units]),
        "b": pack(weights.b[units]),
        "U": pack(weights.U[:, units]),
        "words": [
            {
                "token": t,
                "x": pack(xs[t]),
                "rest": pack(rest[t]),
                "pieces": list(_pieces(words, t, C, (xs.shape[1] - side) // C, side)),
            }
            for t in held
        ],
    }


def _units(weights: Weights, slopes: Array, p: Array, room: int) -> Array:
    """Return the units (n,) with the largest |δ|, in ascending order; n is the number of rows of W that fit.

    |δ| is the largest over all words and all possible correct tags. slopes (words, H): f′(z). p (words, T):
    the probability of each tag.
    """
    H, D = weights.W.shape
    n = max(1, room // D)
    if n >= H:
        return np.arange(H)
    own = p[:, p.shape[1] - len(weights.U) :]
    reach = np.zeros(H)
    for k in range(p.shape[1]):
        y = np.eye(p.shape[1])[k, p.shape[1] - len(weights.U) :]
        reach = np.maximum(reach, np.abs((own - y) @ weights.U * slopes).max(axis=0))
    return np.sort(np.argsort(-reach, kind="stable")[:n])


def _pieces(words: Sequence[str], t: int, C: int, d: int, side: int) -> Iterator[dict[str, Any]]:
    for place in range(t - C // 2, t + C // 2 + 1):
        inside = 0 <= place < len(words)
        text = words[place] if inside else "⟨before⟩" if place < 0 else "⟨after⟩"
        yield {"text": text, "width": d}
    if side:
        yield {"text": "⟨document⟩", "width": side}


def pack(values: Array) -> str:
    """Encode an array as base64 of little-endian 32-bit floats, row by row."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
