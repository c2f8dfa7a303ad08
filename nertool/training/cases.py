"""Cases for gradient checks, from a config's training text or from a trained model's own weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.config.types import Activation, Output
from nertool.corpus.ledger import Ledger
from nertool.gradcheck.case import Case, draw_masks
from nertool.inputs.assemble import Inputs
from nertool.inputs.text import Text
from nertool.inputs.windows import single_windows
from nertool.model.model import Model, inputs_for, outputs
from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Parameters
from nertool.training.batches import objective_of, one_hot, token_weights
from nertool.training.preparation.encode import Report, prepare
from nertool.training.preparation.store import Prepared
from nertool.training.preparation.working import (
    FirstStage,
    TrainingText,
    Working,
    starting_parameters,
    training_text,
    working_inputs,
)


def cases_of_config(
    config: Config,
    windows: int,
    report: Report,
    own_alone: bool = False,
    ledger: Ledger | None = None,
) -> Iterator[Case]:
    """Yield cases on windows of the config's training text.

    The first case has the config's own activation and loss. Then, unless own_alone, one follows for every
    other combination.
    """
    prepared = prepare(replace(config, corpus=replace(config.corpus, dev=None)), report, ledger)
    first = None
    if config.first_stage.folds:
        # The first stage's probabilities are drawn: to the gradients they are an input like any other.
        rng = np.random.default_rng([config.seed, 4])
        p = rng.dirichlet(np.ones(len(prepared.tags)), len(prepared.train.word_ids))
        first = FirstStage(p.astype(np.float32), None)
    working = working_inputs(config, prepared, 0, first)
    text = training_text(config, prepared, working)
    own = (config.network.activation, config.network.output)
    others = [(f, output) for f in ACTIVATIONS for output in LOSSES if (f, output) != own]
    for activation, output in [own, *([] if own_alone else others)]:
        network = replace(
            config.network, activation=cast(Activation, activation), output=cast(Output, output)
        )
        variant = replace(config, network=network)
        case = _fresh_case(variant, prepared, working, text, windows)
        yield case._replace(own=(activation, output) == own)


def _fresh_case(
    config: Config, prepared: Prepared, working: Working, text: TrainingText, windows: int
) -> Case:
    """Return a network as training would start it, with windows of which many hold an entity."""
    rng = np.random.default_rng([config.seed, 2])
    parameters = starting_parameters(config, prepared, working, rng, np.float64)
    # Each drawn token is followed by the next one, so that windows share words, as in training.
    pairs = -(-windows // 4)
    inside = np.flatnonzero(text.tag_ids)
    N = len(text.tag_ids)
    drawn = np.concatenate(
        [
            rng.choice(inside, size=min(len(inside), pairs), replace=False),
            rng.integers(0, N, size=pairs),
        ]
    )
    tokens = np.stack([drawn, np.minimum(drawn + 1, N - 1)], axis=1).ravel()[:windows]
    tag_ids = text.tag_ids[tokens]
    T = len(prepared.tags)
    y = one_hot(tag_ids, T, outputs(prepared.tags, config))(np.arange(len(tokens)))
    weights = token_weights(config, prepared)
    batch = _batch(text.inputs, tokens)._replace(
        y=y, weights=None if weights is None else weights[tag_ids]
    )
    return _case(config, parameters, batch, rng)


def cases_of_model(model: Model, seed: int, windows: int) -> Iterator[Case]:
    """Yield a case for each network of a trained model: random windows of its vocabulary, random tags."""
    for i, member in enumerate((*model.first_stage, *model.members)):
        rng = np.random.default_rng([seed, 3, i])
        words = _draw_words(member.encoder.words, rng, 4 * windows)
        word_ids = rng.integers(0, len(words), size=windows).astype(np.int32)
        cuts = rng.integers(0, windows, size=windows // 6)
        starts = np.unique([0, *cuts, windows]).astype(np.int64)
        text = Text(words, word_ids, starts, np.array([0, len(starts) - 1]))
        second = bool(model.first_stage) and i >= len(model.first_stage)
        p = rng.dirichlet(np.ones(len(model.tags)), windows).astype(np.float32)
        parameters, inputs = inputs_for(member, text, model.config, p if second else None)
        tag_ids = rng.integers(0, len(model.tags), size=windows).astype(np.int32)
        targets = one_hot(tag_ids, len(model.tags), len(parameters["U"]))
        tokens = np.arange(windows)
        batch = _batch(inputs, tokens)._replace(y=targets(tokens))
        yield _case(model.config, parameters, batch, rng)._replace(network=_name(model, i))


def _name(model: Model, i: int) -> str:
    """Return the name of the i-th network, counted from the first stage on; a single network has the name
    ""."""
    if i < len(model.first_stage):
        return f"first stage {i + 1}" if len(model.first_stage) > 1 else "first stage"
    return f"member {i - len(model.first_stage) + 1}" if len(model.members) > 1 else ""


def _draw_words(words: Sequence[str], rng: np.random.Generator, n: int) -> list[str]:
    """Draw words of the vocabulary, and add one that it lacks, so that the unknown row is used, too."""
    drawn = rng.choice(len(words), size=min(n, len(words)), replace=False)
    return [words[i] for i in drawn] + ["\N{REPLACEMENT CHARACTER}"]


def _batch(inputs: Inputs, tokens: NDArray[np.int64]) -> Batch:
    """Return the windows of some tokens, without targets.

    A word that two windows share is stored once, as in training.
    """
    drawn = single_windows(inputs.padded, tokens)
    positions, place = np.unique(drawn.positions, return_inverse=True)
    side = None if inputs.side is None else inputs.side[tokens]
    return Batch(inputs.ids[positions], place[drawn.windows], np.empty(0), side)


def _case(config: Config, parameters: Parameters, batch: Batch, rng: np.random.Generator) -> Case:
    """Add the config's L2 penalty and dropout. The masks are drawn once and kept."""
    objective, training = objective_of(config), config.training
    masks = draw_masks(
        rng, objective, parameters, batch, training.dropout_input, training.dropout_hidden
    )
    return Case(objective, parameters, batch, masks, rng)
