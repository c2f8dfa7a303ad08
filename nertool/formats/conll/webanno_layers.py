"""The layers that a WebAnno TSV file declares, and the choice of the feature with the classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nertool.errors import CorpusError

LAYER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"

DEFAULT = f"{LAYER}|identifier|value"


_LINGUISTIC = re.compile(
    r"de\.tudarmstadt\.ukp\.dkpro\.core\.api\.(?!ner\.)"
)  # POS, Lemma and the like


class Layer(NamedTuple):
    """A layer as the header declares it.

    kind: SP (spans), RL (relations) or CH (chains). column: the number of its first feature's column.
    """

    kind: str
    name: str
    features: list[str]
    column: int


class Chosen(NamedTuple):
    """The chosen column of the classes.

    declared: the declaration of its layer, with the features that hold a value. others: for each other
    column, its name in the ledger, and whether `*` in it means no value.
    """

    column: int
    declared: str
    others: dict[int, tuple[str, bool]]


def chosen_column(layers: Sequence[Layer], wanted: int | str | None, place: str) -> Chosen:
    """Choose the column of the classes.

    wanted: the name of a layer, of a feature, or of both, as in X|value. If it is not a string, NamedEntity
    is preferred, then layers that are not linguistic annotation. Errors: CorpusError if no layer of spans has
    this name.
    """
    spans = [(layer, _values_of(layer)) for layer in layers if layer.kind == "SP"]
    own = [(layer, features) for layer, features in spans if features]
    if isinstance(wanted, str):
        name, _, feature = wanted.rpartition("|")
        fits = [
            (layer, [f for f in features if f == feature or (not name and _is(layer, wanted))])
            for layer, features in own
            if not name or _is(layer, name)
        ]
        own = [(layer, features) for layer, features in fits if features]
        if not own:
            named = ", ".join(f"{_short(layer)}|{f}" for layer, some in spans for f in some)
            raise CorpusError(
                f'{place}: found no layer or feature "{wanted}" (--tag-column), expected one of '
                f"{named or 'the layers that the header declares: it declares none'}"
            )
    named_entities = [pair for pair in own if _is(pair[0], "NamedEntity")]
    custom = [pair for pair in own if not _LINGUISTIC.match(pair[0].name)]
    best = next(iter(named_entities or custom or own), None)
    if best is None:  # no declared feature can hold classes
        return Chosen(spans[0][0].column if spans else 3, "", {})
    layer, features = best
    feature = "value" if "value" in features else features[-1]
    column = layer.column + layer.features.index(feature)
    others = {}
    for other in layers:
        for i, name in enumerate(other.features, other.column):
            if i != column:
                same = other is layer
                what = (
                    f"values of the feature {name}"
                    if same
                    else f"values of the layer {_short(other)}"
                )
                others[i] = (what, same)
    return Chosen(column, "|".join([layer.name, *features]), others)


def _values_of(layer: Layer) -> list[str]:
    """Return the features of a layer that hold a value. Links to other annotations and unnamed features do
    not."""
    slots = [i for i, name in enumerate(layer.features) if name.startswith("ROLE_")]
    targets = {*slots, *(i + 1 for i in slots)}
    return [name for i, name in enumerate(layer.features) if name and i not in targets]


def _is(layer: Layer, name: str) -> bool:
    return name in (layer.name, _short(layer))


def _short(layer: Layer) -> str:
    return layer.name.rpartition(".")[2]
