"""The names of the graph's inputs, and a model's encoders and weights."""

from __future__ import annotations

import numpy as np

from nertool.inputs.encoder import Encoder
from nertool.model.model import Member, Model
from nertool.network.scorer import Weights

WINDOWS, GROUP, DOCUMENT, COMPOSED = "windows", "group", "document", "composed"


def weights_of(member: Member) -> Weights:
    """Return W, b and U, which are never compressed."""
    return Weights(*(np.asarray(member.parameters[name]) for name in Weights._fields))


def all_members(model: Model) -> tuple[Member, ...]:
    """Return the networks of both stages, those of the first stage first."""
    return (*model.first_stage, *model.members)


def encoders_of(model: Model) -> list[Encoder]:
    """Return the model's encoders, one for each table of vectors."""
    return list({id(member.encoder): member.encoder for member in all_members(model)}.values())


def member_of(model: Model, encoder: Encoder) -> Member:
    """Return the first network that has this encoder."""
    return next(member for member in all_members(model) if member.encoder is encoder)


def ids_names(model: Model) -> list[str]:
    """Return the names of the inputs with row numbers, one for each encoder: ids, or ids_0, ids_1, …"""
    count = len(encoders_of(model))
    return ["ids"] if count == 1 else [f"ids_{i}" for i in range(count)]


def composed_names(model: Model) -> list[str]:
    """Return the names of the inputs of composed vectors, one for each encoder."""
    return [name.replace("ids", COMPOSED) for name in ids_names(model)]


def needs_groups(model: Model) -> bool:
    """Tell whether the graph needs the input `group`: which tokens of a document share their word."""
    config = model.config
    return bool(config.features.neighbours or model.first_stage or config.decoding.consistency)
