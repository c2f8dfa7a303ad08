"""Cases to check gradients on: for a config, its own training text, with every activation and loss; for
a trained model, its own weights on windows of its own vocabulary."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.config import Config
from nertool.corpus.ledger import Ledger
from nertool.embeddings.context import Setting
from nertool.embeddings.inputs import Inputs
from nertool.embeddings.windows import single_windows
from nertool.network.activations import ACTIVATIONS
from nertool.network.dropout import dropout_mask
from nertool.network.gradcheck import STEPS, BlockCheck, Comparison, Ladders, check_gradients
from nertool.network.lookup import row_width
from nertool.network.losses import LOSSES
from nertool.network.objective import (
    Batch,
    Masks,
    Objective,
    Parameters,
    tables_of,
)
from nertool.tagging.model import Model, inputs_for, outputs
from nertool.training.audit import Snapshot
from nertool.training.prepare import Report, prepare
from nertool.training.prepared import Prepared
from nertool.training.trainer import objective_of, one_hot, token_weights
from nertool.training.working import (
    FirstStage,
    TrainingText,
    Working,
    starting_parameters,
    training_text,
    working_inputs,
)

_SHORT = Ladders(central=(1e-4, 1e-5))


class Case(NamedTuple):
    """A network, a batch and dropout masks that are held; own: it is what the config or model itself
    uses; network: which of a model's networks it is, if there are several; rng: for drawing
    coordinates and directions."""

    objective: Objective
    parameters: Parameters
    batch: Batch
    masks: Masks
    rng: np.random.Generator
    own: bool = True
    network: str = ""


class Verdict(NamedTuple):
    """The checks of one case."""

    activation: str
    output: str
    own: bool
    checks: list[BlockCheck]
    network: str = ""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        return {
            "activation": self.activation,
            "output": self.output,
            "network": self.network,
            "own": self.own,
            "passed": self.passed,
            "blocks": {
                check.block: {
                    "passed": check.passed,
                    "warned": check.warned,
                    "error": finite(check.error),
                    "methods": {m: _as_dict(c) for m, c in check.methods.items()},
                }
                for check in self.checks
            },
        }


def finite(number: float) -> float | None:
    """Return a number as JSON can hold it: None where it is not finite."""
    return number if math.isfinite(number) else None


def _as_dict(comparison: Comparison) -> dict[str, Any]:
    return {
        "error": finite(comparison.error),
        "eps": comparison.eps,
        "compared": comparison.compared,
        "worst": list(comparison.worst),
        "kinks": [list(place) for place in comparison.kinks],
        "ladder": [[eps, finite(error), n] for eps, error, n in comparison.ladder],
    }


def check_case(case: Case, samples: int, ladders: Ladders = STEPS) -> Verdict:
    """Check every gradient of a case, by every method.

    Variants that are not the config's own get a quarter of the coordinates, and two rungs: the
    directions cover the rest, and the whole takes seconds.
    """
    if not case.own:
        samples, ladders = -(-samples // 4), _SHORT
    checks = check_gradients(
        case.objective, case.parameters, case.batch, case.rng, case.masks, samples, ladders
    )
    activation, output = case.objective.activation, case.objective.output
    return Verdict(activation, output, case.own, checks, case.network)


def cases_of_config(
    config: Config,
    windows: int,
    report: Report,
    own_alone: bool = False,
    ledger: Ledger | None = None,
) -> Iterator[Case]:
    """Yield the config's own case, then, unless own_alone, one for every other activation and loss,
    on windows of the config's training text."""
    prepared = prepare(replace(config, corpus=replace(config.corpus, dev=None)), report, ledger)
    first = None
    if config.first_stage.folds:
        # What a first stage would say is drawn: to the gradients it is an input like any other.
        rng = np.random.default_rng([config.seed, 4])
        p = rng.dirichlet(np.ones(len(prepared.tags)), len(prepared.train.word_ids))
        first = FirstStage(p.astype(np.float32), None)
    working = working_inputs(config, prepared, 0, first)
    text = training_text(config, prepared, working)
    own = (config.network.activation, config.network.output)
    others = [(f, output) for f in ACTIVATIONS for output in LOSSES if (f, output) != own]
    for activation, output in [own, *([] if own_alone else others)]:
        network = replace(config.network, activation=activation, output=output)
        variant = replace(config, network=network)
        case = _fresh_case(variant, prepared, working, text, windows)
        yield case._replace(own=(activation, output) == own)


def _fresh_case(
    config: Config, prepared: Prepared, working: Working, text: TrainingText, windows: int
) -> Case:
    """Return a network as training would start it, and windows of which a good part hold an entity."""
    rng = np.random.default_rng([config.seed, 2])
    parameters = starting_parameters(config, prepared, working, rng, np.float64)
    # Each token with the one after it, so that windows share words, as in training.
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
    """Yield each network of a trained model on random windows of its vocabulary, with random tags."""
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
        batch = _batch(inputs, tokens)._replace(y=targets(tokens))
        yield _case(model.config, parameters, batch, rng)._replace(network=_name(model, i))


def case_of_snapshot(snapshot: Snapshot) -> Case:
    """Return the case of a batch that training kept."""
    _, objective, parameters, batch, masks = snapshot
    return Case(objective, parameters, batch, masks, np.random.default_rng(0))


def _name(model: Model, i: int) -> str:
    """Name the i-th of a model's networks, first stage first; the only one has no name."""
    if i < len(model.first_stage):
        return "first stage"
    return f"member {i - len(model.first_stage) + 1}" if len(model.members) > 1 else ""


def _draw_words(words: Sequence[str], rng: np.random.Generator, n: int) -> list[str]:
    """Draw words of the vocabulary, and one that it lacks, so that the unknown row is met, too."""
    drawn = rng.choice(len(words), size=min(n, len(words)), replace=False)
    return [words[i] for i in drawn] + ["\N{REPLACEMENT CHARACTER}"]


def _batch(inputs: Inputs, tokens: NDArray[np.int64]) -> Batch:
    """Return the windows of some tokens, without targets; a word that two windows share stands there
    once, as in training."""
    drawn = single_windows(inputs.text, tokens)
    positions, place = np.unique(drawn.positions, return_inverse=True)
    given = None if inputs.given is None else inputs.given[tokens]
    return Batch(inputs.ids[positions], place[drawn.windows], np.empty(0), given)


def _case(config: Config, parameters: Parameters, batch: Batch, rng: np.random.Generator) -> Case:
    """Add the config's L2, and its dropout with masks drawn once and held."""
    objective, training = objective_of(config), config.training
    masks = draw_masks(
        rng, objective, parameters, batch, training.dropout_input, training.dropout_hidden
    )
    return Case(objective, parameters, batch, masks, rng)


def draw_masks(
    rng: np.random.Generator,
    objective: Objective,
    parameters: Parameters,
    batch: Batch,
    dropout_input: float,
    dropout_hidden: float,
) -> Masks:
    """Draw dropout masks for a batch, in float64."""
    d = row_width(list(tables_of(parameters).values()), objective.columns)
    B, H = len(batch.windows), len(parameters["b"])
    return Masks(
        dropout_mask(rng, (len(batch.ids), d), dropout_input, np.float64),
        dropout_mask(rng, (B, H), dropout_hidden, np.float64),
    )
