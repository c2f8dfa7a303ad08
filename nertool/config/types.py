"""The types of config keys: their limits, and the choices that several keys share."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from nertool.catalogue import LABELLED_INPUTS, LOOKUP

# The upper limits are far above useful values, and low enough that a typing error is refused at once, not
# after an hour or when memory is exhausted.
Count = Annotated[int, Meta(ge=1, le=10_000)]
CountOrNone = Annotated[int, Meta(ge=0, le=10_000)]
Width = Annotated[int, Meta(ge=0, le=512)]
Hidden = Annotated[int, Meta(ge=1, le=16_384)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Column = Annotated[int, Meta(ge=-10_000, le=10_000)] | str
Names = Annotated[tuple[str, ...], Meta(min_length=1)]
Paths = Annotated[tuple[Path, ...], Meta(min_length=1)]
Texts = Annotated[tuple[Path, ...], Meta(min_length=1)]
Lists = Annotated[dict[str, Paths], Meta(min_length=1)]

Activation = Literal["tanh", "logistic", "relu", "hard_tanh"]
Output = Literal["logistic", "softmax"]
InputScheme = Literal["auto", "io", "iob1", "iob2", "bioes"]
if typing.TYPE_CHECKING:
    InputFormat = str
    LookupStep = str
else:  # the choices come from the catalogue
    InputFormat = Literal[LABELLED_INPUTS]
    LookupStep = Literal[LOOKUP]


def about(text: str) -> Meta:
    """Return the description of a key, which the generated reference shows."""
    return Meta(description=text)
