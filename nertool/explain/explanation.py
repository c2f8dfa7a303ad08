"""Explain the decision of one network for one token, with all intermediate values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nertool.config.records import Config
from nertool.decoding.adjust import softmax
from nertool.explain.certainty import Certainty, certainty_of
from nertool.explain.graph import Graph, draw_graph
from nertool.explain.pieces import Piece, pieces_of, tag_scores
from nertool.explain.steps import Steps, Update, Work, multiplications, sgd_update, work_through
from nertool.inputs.assemble import Inputs
from nertool.inputs.layout import table_columns
from nertool.inputs.text import Text
from nertool.model.model import Model, inputs_for, score_tokens
from nertool.network.activations import Array
from nertool.network.lookup import embed
from nertool.network.objective import Parameters, tables_of, weights_of
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger


class Explanation(NamedTuple):
    """The explanation of one network's decision for one word.

    sentence, token: the words of the sentence, and the index of the word. tags: all tags of the network. tag:
    the tag that is explained. target: the correct tag, which y encodes. gold: whether the target is from a
    labelled text. certainty: the tag and the probabilities of the whole model. member, members: the number of
    the network, from 1, and the number of networks. steps: all values of the forward and the backward pass.
    pieces: the pieces of x. work: the number of multiplications. update: one step of SGD. graph: the
    computation graph. tried: the number of words tried as replacements.
    """

    sentence: tuple[str, ...]
    token: int
    tags: tuple[str, ...]
    tag: str
    target: str
    gold: bool
    certainty: Certainty
    member: int
    members: int
    steps: Steps
    pieces: tuple[Piece, ...]
    work: Work
    update: Update
    graph: Graph
    tried: int

    @property
    def predicted(self) -> str:
        """The tag with this network's highest score."""
        return self.tags[int(tag_scores(self.steps.s).argmax())]

    @property
    def word(self) -> str:
        """The word that is explained."""
        return self.sentence[self.token]

    @property
    def decoded(self) -> str:
        """The tag that the whole model predicts after decoding."""
        return self.certainty.tag


def explain(
    model: Model,
    text: Text,
    token: int,
    tag: str | None = None,
    gold: str | None = None,
    member: int = 1,
) -> Explanation:
    """Explain the decision of one network of a model for the token with the index `token` in a text.

    tag: the tag to explain. None: the tag that the network predicts. gold: the correct tag, if known; it
    determines y. If it is None, y encodes the explained tag. member: the number of the network, from 1.
    """
    config, network = model.config, model.members[member - 1]
    parameters, inputs = network_inputs(model, text, member)
    x, R, ids, side = input_of(config, parameters, inputs, token)

    weights = weights_of(parameters)
    tags = tuple(model.tags)
    s = work_through(weights, config.network.activation, config.network.output, x,
                     np.zeros(len(weights.U))).s  # fmt: skip
    found = tags[int(tag_scores(s).argmax())]
    tag = tag or found
    target = gold or tag
    K = len(weights.U)
    output = max(0, tags.index(tag) - (len(tags) - K))
    # A network with one output has no score for O: the score of O is that of the other class, negated.
    sign = -1 if tags.index(tag) < len(tags) - K else 1
    y = np.eye(len(tags))[tags.index(target), len(tags) - K :]
    steps = work_through(
        weights, config.network.activation, config.network.output, x, y, output, sign
    )

    sentence = int(text.sentences[token])
    start, end = text.sentence_starts[sentence : sentence + 2].tolist()
    words = tuple(text.words[i] for i in text.word_ids[start:end])
    whole = [text.words[i] for i in text.word_ids.tolist()]
    decoded = analyse(CompiledTagger(model), text)
    pieces, tried = pieces_of(network, config, steps, R, ids, side, words, token - start, tags)
    graph = draw_graph(steps, tags[len(tags) - K + output])
    return Explanation(
        sentence=words,
        token=token - start,
        tags=tags,
        tag=tag,
        target=target,
        gold=gold is not None,
        certainty=certainty_of(decoded, list(tags), whole, token, start),
        member=member,
        members=len(model.members),
        steps=steps,
        pieces=pieces,
        work=multiplications(len(x), len(weights.b), K),
        update=sgd_update(steps, config.training.alpha),
        graph=graph,
        tried=tried,
    )


def network_inputs(model: Model, text: Text, member: int) -> tuple[Parameters, Inputs]:
    """Return the parameters of one network of a model, and its inputs for a text. member: from 1."""
    opinion = None
    if model.first_stage:
        read = [inputs_for(first, text, model.config) for first in model.first_stage]
        scores = [score_tokens(own, model.config, inputs) for own, inputs in read]
        opinion = softmax(np.asarray(np.mean(scores, axis=0, dtype=np.float32)))
    return inputs_for(model.members[member - 1], text, model.config, opinion)


def input_of(
    config: Config, parameters: Parameters, inputs: Inputs, token: int
) -> tuple[Array, Array, Array, Array | None]:
    """Return x (D,) of a token, and its parts.

    The parts are the rows R (C, d) of the window's words, their row numbers (C, F) in the tables, and the
    side inputs, or None.
    """
    tables = list(tables_of(parameters).values())
    columns = list(table_columns(config).values())
    ids = window_ids(inputs, token)
    R = embed(tables, ids, columns).astype(np.float64)
    side = None if inputs.side is None else inputs.side[token].astype(np.float64)
    x = R.reshape(-1) if side is None else np.concatenate([R.reshape(-1), side])
    return x, R, ids, side


def window_ids(inputs: Inputs, token: int) -> Array:
    """Return the row numbers (C, F) of the words in a token's window."""
    centre, m = int(inputs.padded.centres[token]), inputs.padded.m
    return inputs.ids[centre - m : centre + m + 1]


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation with all its numbers as a dictionary for JSON."""
    e, steps = explanation, explanation.steps
    arrays = ("x", "z", "h", "f_prime", "s", "p", "y", "ds", "dh", "delta", "dx")
    return {
        "sentence": list(e.sentence),
        "token": e.token,
        "word": e.word,
        "tags": list(e.tags),
        "tag": e.tag,
        "target": e.target,
        "gold": e.gold,
        "predicted": e.predicted,
        "decoded": e.decoded,
        "certainty": e.certainty.as_dict(),
        "member": e.member,
        "members": e.members,
        "activation": steps.activation,
        "output": steps.output,
        "shapes": {name: list(getattr(steps, name).shape) for name in (*arrays, "dU", "dW", "db")},
        "J": steps.J,
        "sign": steps.sign,
        "score": steps.sign * float(steps.s[steps.k]),
        **{name: getattr(steps, name).tolist() for name in arrays},
        "W": steps.weights.W.tolist(),
        "b": steps.weights.b.tolist(),
        "U": steps.weights.U.tolist(),
        "dW": steps.dW.tolist(),
        "db": steps.db.tolist(),
        "dU": steps.dU.tolist(),
        "u": steps.weights.U[steps.k].tolist(),
        "window": [
            {
                "text": piece.text,
                "offset": piece.offset,
                "vector": piece.vector,
                "share_of_z": piece.share.tolist(),
                "gradient_times_input": piece.attribution,
                "neighbours": [neighbour._asdict() for neighbour in piece.neighbours],
                "flip": piece.flip._asdict() if piece.flip else None,
            }
            for piece in e.pieces
        ],
        "multiplications": e.work._asdict(),
        "update": e.update._asdict(),
        "graph": {
            "units": list(e.graph.units),
            "column": e.graph.column,
            "nodes": [node._asdict() for node in e.graph.nodes],
            "edges": [edge._asdict() for edge in e.graph.edges],
        },
    }
