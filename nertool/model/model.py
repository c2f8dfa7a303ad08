"""A trained model: everything that tagging needs, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.decoding.viterbi import Lattice, lattice
from nertool.inputs.assemble import Inputs, lay_out
from nertool.inputs.encoder import Encoder
from nertool.inputs.layout import STARTING, VECTORS, keeps_starting, table_columns
from nertool.inputs.side import side_inputs
from nertool.inputs.text import Text
from nertool.kernels.rows import assemble_windows, embed
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.objective import WEIGHTS, Parameters, tables_of, weights_of
from nertool.network.scorer import Weights, scores
from nertool.vectors.rows.rows import Rows, expanded

_BLOCK = 4096  # tokens scored at a time, which limits memory and keeps x in the processor's cache


class Member(NamedTuple):
    """One network with its word vectors.

    L (V, v): the vectors before training, with the special rows first; rows (r,): the row numbers in L that
    training could use, ascending; parameters: the tables and weights. Their "L" (r, v) has only the trained
    vectors of `rows`. They have no "L0", since L has these vectors. L and tables may be compressed.
    """

    encoder: Encoder
    L: Rows
    rows: NDArray[np.integer]
    parameters: Mapping[str, Rows]

    @property
    def weights(self) -> Weights:
        """W, b and U."""
        return weights_of({name: expanded(self.parameters[name]) for name in WEIGHTS})

    def expanded(self, but: str = "") -> Parameters:
        """Return all parameters as floats, except the table named `but`."""
        return {name: expanded(rows) for name, rows in self.parameters.items() if name != but}


@dataclass(frozen=True)
class Model:
    """A trained model.

    labels: the classes; tags: the network's tags, O first; corpus_scheme: the tag scheme of the training
    text, in which predictions are written; members: the networks whose mean scores decide; first_stage: the
    networks whose probabilities are inputs of the members, empty without a first stage; provenance: the
    origin of the model.
    """

    config: Config
    labels: list[str]
    tags: list[str]
    corpus_scheme: str
    members: tuple[Member, ...]
    first_stage: tuple[Member, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def lattice(self) -> Lattice:
        """Return the tag sequences that the model's scheme allows."""
        return lattice(self.tags, self.config.decoding.scheme)


def word_vectors(
    member: Member, rows: NDArray[np.integer], composed: Array | None = None
) -> Array:
    """Return the trained vectors (n, v) of rows (n,) of L.

    composed (Q, v): the vectors of the rows from len(L) on, of words that are not in L (see Encoder.encode).
    """
    vectors = _from_file(member, rows, composed)
    if not len(member.rows):
        return vectors
    place = np.minimum(np.searchsorted(member.rows, rows), len(member.rows) - 1)
    trained = member.rows[place] == rows
    vectors[trained] = member.parameters["L"][place[trained]]
    return vectors


def starting_vectors(
    member: Member, rows: NDArray[np.integer], composed: Array | None = None
) -> Array:
    """Return a copy of the vectors before training (n, v) of rows (n,) of L, in W's dtype.

    composed: as in word_vectors.
    """
    return np.asarray(_from_file(member, rows, composed), dtype=member.weights.W.dtype)


def _from_file(member: Member, rows: NDArray[np.integer], composed: Array | None) -> Array:
    V = len(member.L)
    if composed is None or not len(composed) or not len(rows) or rows.max() < V:
        return np.asarray(member.L[rows])
    vectors = np.asarray(member.L[np.where(rows < V, rows, 0)])
    vectors[rows >= V] = composed[rows[rows >= V] - V]
    return vectors


def inputs_for(
    member: Member, text: Text, config: Config, first_stage: Array | None = None
) -> tuple[Parameters, Inputs]:
    """Return the parameters and the inputs that the scorer needs for a text.

    The parameters' "L" has only the rows of the text's words, and the row numbers of the inputs refer to it.
    first_stage (N, T): the first stage's probabilities of the text, for members of the second stage.
    """
    encoded = member.encoder.encode(text.words)
    type_ids = np.concatenate([member.encoder.padding, encoded.ids])
    form_rows = type_ids[2:, 0].copy()
    side = side_inputs(
        config.features,
        text,
        lambda ids: starting_vectors(member, form_rows[ids], encoded.composed),
        first_stage,
        config.first_stage,
    )
    rows, type_ids[:, 0] = np.unique(type_ids[:, 0], return_inverse=True)
    parameters = {VECTORS: word_vectors(member, rows, encoded.composed)}
    if keeps_starting(config):
        parameters[STARTING] = starting_vectors(member, rows, encoded.composed)
    parameters |= member.expanded(but=VECTORS)
    return parameters, lay_out(type_ids, text, config, side, member.encoder.gazetteers)


def score_tokens(parameters: Parameters, config: Config, inputs: Inputs) -> Array:
    """Return the scores (N, T) of every token of a text for every tag, by the scorer's forward pass.

    The scores can be added up along a sentence: s_k is log p_k plus a constant of the token. This holds for
    the softmax, and for logistic outputs of which exactly one is 1.
    """
    tables = list(tables_of(parameters).values())
    columns = list(table_columns(config).values())
    weights, f = weights_of(parameters), ACTIVATIONS[config.network.activation]
    padded, ids, side = inputs
    m = padded.m
    N, K = int(padded.sentence_starts[-1]), len(weights.U)
    # A single output distinguishes two tags. O has no u; its score is 0, and e^s are the odds of the other
    # tag against O.
    implied = int(K == 1)
    out = np.zeros((N, implied + K), dtype=weights.U.dtype)
    for start in range(0, N, _BLOCK):
        centres = padded.centres_of(np.arange(start, min(start + _BLOCK, N)))
        first = centres[0] - m
        R = embed(tables, ids[first : centres[-1] + m + 1], columns)     # (n, d)
        windows = centres[:, None] - first + np.arange(-m, m + 1)        # (B, C)
        sides = None if side is None else side[start : start + _BLOCK]
        x = assemble_windows(R, windows, sides)                          # (B, D)
        out[start : start + _BLOCK, implied:] = scores(weights, f, x)
    return out


def outputs(tags: Sequence[str], config: Config) -> int:
    """Return K: one output for each tag, or a single logistic output if there are only two tags."""
    return 1 if config.network.output == "logistic" and len(tags) == 2 else len(tags)

