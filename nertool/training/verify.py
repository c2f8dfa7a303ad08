"""gradcheck on what a user has: a config with its text, or a trained model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nertool.config import Config
from nertool.embeddings.windows import WindowBatch, pad, single_windows
from nertool.network.activations import ACTIVATIONS
from nertool.network.gradcheck import BlockCheck, check_gradients
from nertool.network.lookup import Rows, row_width
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    Batch,
    Masks,
    Parameters,
    dropout_mask,
    tables_of,
)
from nertool.tagging.model import Model, outputs
from nertool.training.prepare import Report, prepare
from nertool.training.prepared import Prepared
from nertool.training.trainer import (
    initial_state,
    objective_of,
    one_hot,
    working_ids,
    working_rows,
)


class Verdict(NamedTuple):
    """The checks of one activation and output; own: it is what the config or model itself uses."""

    activation: str
    output: str
    own: bool
    checks: list[BlockCheck]

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
    """Check a network as training would start it, on windows of which half hold an entity."""
    rng = np.random.default_rng([config.seed, 2])
    parameters = initial_state(config, prepared, np.float64).parameters
    part = prepared.train
    text = pad(part.word_ids, part.sentence_starts, config.windows.size // 2)
    inside = np.flatnonzero(part.tag_ids)
    tokens = np.concatenate(
        [
            rng.choice(inside, size=min(len(inside), (windows + 1) // 2), replace=False),
            rng.integers(0, len(part.word_ids), size=windows // 2),
        ]
    )
    targets = one_hot(part.tag_ids, len(prepared.tags), outputs(prepared.tags, config))
    drawn = single_windows(text, tokens)
    type_ids = working_ids(part, working_rows(prepared))
    return _check(config, parameters, drawn, type_ids, targets(tokens), rng, samples)


def verify_model(model: Model, seed: int, windows: int, samples: int) -> list[Verdict]:
    """Check a trained model on random windows of its vocabulary, with random tags."""
    rng = np.random.default_rng([seed, 3])
    words = _draw_words(model.encoder.words, rng, 4 * windows)
    word_ids = rng.integers(0, len(words), size=windows).astype(np.int32)
    starts = np.unique([0, *rng.integers(0, windows, size=windows // 6), windows]).astype(np.int64)
    # Only the rows that are met are taken along: a copy of all of L in 64 bits is not needed.
    type_ids = model.type_ids(words)
    rows, type_ids[:, 0] = np.unique(type_ids[:, 0], return_inverse=True)
    parameters = {**model.parameters, "L": model.parameters["L"][rows]}
    tag_ids = rng.integers(0, len(model.tags), size=windows).astype(np.int32)
    tokens = np.arange(windows)
    drawn = single_windows(pad(word_ids, starts, model.m), tokens)
    targets = one_hot(tag_ids, len(model.tags), len(model.parameters["U"]))
    checks = _check(model.config, parameters, drawn, type_ids, targets(tokens), rng, samples)
    network = model.config.network
    return [Verdict(network.activation, network.output, True, checks)]


def _draw_words(words: Sequence[str], rng: np.random.Generator, n: int) -> list[str]:
    """Draw words of the vocabulary, and one that it lacks, so that the unknown row is met, too."""
    drawn = rng.choice(len(words), size=min(n, len(words)), replace=False)
    return [words[i] for i in drawn] + ["\N{REPLACEMENT CHARACTER}"]


def _check(
    config: Config,
    parameters: Parameters,
    drawn: WindowBatch,
    type_ids: Rows,
    y: np.ndarray,
    rng: np.random.Generator,
    samples: int,
) -> list[BlockCheck]:
    """Check one batch, with the config's L2 and with dropout masks drawn once and held."""
    batch = Batch(type_ids[drawn.types], drawn.windows, y)
    objective = objective_of(config)
    d = row_width(list(tables_of(parameters).values()), objective.columns)
    B = len(drawn.windows)
    masks = Masks(
        dropout_mask(rng, (len(batch.ids), d), config.training.dropout_input, np.float64),
        dropout_mask(rng, (B, config.network.hidden), config.training.dropout_hidden, np.float64),
    )
    return check_gradients(objective, parameters, batch, rng, masks, samples)
