"""gradcheck on what a user has: a config with its text, or a trained model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.embeddings.context import Setting
from nertool.embeddings.inputs import Inputs
from nertool.embeddings.windows import single_windows
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.gradcheck import BlockCheck, check_gradients
from nertool.network.lookup import row_width
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Masks, Parameters, dropout_mask, tables_of
from nertool.tagging.model import Model, inputs_for, outputs
from nertool.training.prepare import Report, prepare
from nertool.training.prepared import Prepared
from nertool.training.trainer import objective_of, one_hot
from nertool.training.working import FirstStage, starting_parameters, training_text, working_inputs


class Verdict(NamedTuple):
    """The checks of one activation and output; own: it is what the config or model itself uses;
    network: which of a model's networks it is, if there are several."""

    activation: str
    output: str
    own: bool
    checks: list[BlockCheck]
    network: str = ""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        blocks = {
            check.block: {
                "error": check.error if math.isfinite(check.error) else None,
                "passed": check.passed,
                "coordinates": check.coordinates,
                "kinks": check.kinks,
                "worst": list(check.worst),
            }
            for check in self.checks
        }
        return {
            "activation": self.activation,
            "output": self.output,
            "network": self.network,
            "own": self.own,
            "passed": self.passed,
            "blocks": blocks,
        }


def verify_config(config: Config, windows: int, samples: int, report: Report) -> list[Verdict]:
    """Check every activation and loss on windows of the config's training text."""
    prepared = prepare(replace(config, corpus=replace(config.corpus, dev=None)), report)
    verdicts = []
    for activation in ACTIVATIONS:
        for output in LOSSES:
            network = replace(config.network, activation=activation, output=output)
            variant = replace(config, network=network)
            checks = _check_fresh(variant, prepared, windows, samples)
            verdicts.append(Verdict(activation, output, network == config.network, checks))
    return verdicts


def _check_fresh(
    config: Config, prepared: Prepared, windows: int, samples: int
) -> list[BlockCheck]:
    """Check a network as training would start it, on windows of which half hold an entity.

    What a first stage would say is drawn at random: to the gradients it is an input like any other.
    """
    rng = np.random.default_rng([config.seed, 2])
    part = prepared.train
    first = None
    if config.first_stage.folds:
        p = rng.dirichlet(np.ones(len(prepared.tags)), len(part.word_ids))
        first = FirstStage(p.astype(np.float32), None)
    working = working_inputs(config, prepared, 0, first)
    parameters = starting_parameters(config, prepared, working, rng, np.float64)
    inside = np.flatnonzero(part.tag_ids)
    tokens = np.concatenate(
        [
            rng.choice(inside, size=min(len(inside), (windows + 1) // 2), replace=False),
            rng.integers(0, len(part.word_ids), size=windows // 2),
        ]
    )
    targets = one_hot(part.tag_ids, len(prepared.tags), outputs(prepared.tags, config))
    inputs = training_text(config, prepared, working).inputs
    return _check(config, parameters, inputs, tokens, targets(tokens), rng, samples)


def verify_model(model: Model, seed: int, windows: int, samples: int) -> list[Verdict]:
    """Check every network of a trained model on random windows of its vocabulary, with random tags."""
    network = model.config.network
    verdicts = []
    for i, member in enumerate((*model.first_stage, *model.members)):
        rng = np.random.default_rng([seed, 3, i])
        words = _draw_words(member.encoder.words, rng, 4 * windows)
        word_ids = rng.integers(0, len(words), size=windows).astype(np.int32)
        cuts = rng.integers(0, windows, size=windows // 6)
        starts = np.unique([0, *cuts, windows]).astype(np.int64)
        setting = Setting(words, word_ids, starts, np.array([0, len(starts) - 1]))
        second = bool(model.first_stage) and i >= len(model.first_stage)
        p = rng.dirichlet(np.ones(len(model.tags)), windows).astype(np.float32)
        parameters, inputs = inputs_for(member, setting, model.config, p if second else None)
        tag_ids = rng.integers(0, len(model.tags), size=windows).astype(np.int32)
        targets = one_hot(tag_ids, len(model.tags), len(parameters["U"]))
        tokens = np.arange(windows)
        y = targets(tokens)
        checks = _check(model.config, parameters, inputs, tokens, y, rng, samples)
        verdicts.append(Verdict(network.activation, network.output, True, checks, _name(model, i)))
    return verdicts


def _name(model: Model, i: int) -> str:
    """Name the i-th of a model's networks, first stage first; the only one has no name."""
    if i < len(model.first_stage):
        return "first stage"
    return f"member {i - len(model.first_stage) + 1}" if len(model.members) > 1 else ""


def _draw_words(words: Sequence[str], rng: np.random.Generator, n: int) -> list[str]:
    """Draw words of the vocabulary, and one that it lacks, so that the unknown row is met, too."""
    drawn = rng.choice(len(words), size=min(n, len(words)), replace=False)
    return [words[i] for i in drawn] + ["\N{REPLACEMENT CHARACTER}"]


def _check(
    config: Config,
    parameters: Parameters,
    inputs: Inputs,
    tokens: NDArray[np.int64],
    y: Array,
    rng: np.random.Generator,
    samples: int,
) -> list[BlockCheck]:
    """Check the windows of some tokens, with the config's L2 and with dropout masks drawn once and held."""
    drawn = single_windows(inputs.text, tokens)
    given = None if inputs.given is None else inputs.given[tokens]
    batch = Batch(inputs.ids[drawn.positions], drawn.windows, y, given)
    objective = objective_of(config)
    d = row_width(list(tables_of(parameters).values()), objective.columns)
    B, H = len(drawn.windows), len(parameters["b"])
    masks = Masks(
        dropout_mask(rng, (len(batch.ids), d), config.training.dropout_input, np.float64),
        dropout_mask(rng, (B, H), config.training.dropout_hidden, np.float64),
    )
    return check_gradients(objective, parameters, batch, rng, masks, samples)
