"""Named-entity recognition with one hidden layer and backpropagation by hand.

    import nertool

    tagger = nertool.load("runs/quickstart")
    doc = tagger("Ada Lovelace met Charles Babbage in London.")
    for entity in doc.entities:
        print(entity.text, entity.label, entity.probability)

docs/api.md describes the whole API.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nertool.version import __version__

# The module that defines each name. It is imported at the first use of the name, so that the command line
# answers --help without numpy.
_HOMES = {
    "Document": "nertool.api.document",
    "Entity": "nertool.api.document",
    "EpochRecord": "nertool.training.trainer",
    "Evaluation": "nertool.api.functions",
    "NertoolError": "nertool.errors",
    "Run": "nertool.api.functions",
    "Tagger": "nertool.api.tagger",
    "Token": "nertool.api.document",
    "TokenEntity": "nertool.api.tagger",
    "TokenExplanation": "nertool.api.token_explanation",
    "convert": "nertool.api.functions",
    "evaluate": "nertool.api.functions",
    "load": "nertool.api.tagger",
    "read": "nertool.api.functions",
    "tag_column": "nertool.integrations.frames",
    "train": "nertool.api.functions",
}

__all__ = [
    "Document",
    "Entity",
    "EpochRecord",
    "Evaluation",
    "NertoolError",
    "Run",
    "Tagger",
    "Token",
    "TokenEntity",
    "TokenExplanation",
    "__version__",
    "convert",
    "evaluate",
    "load",
    "read",
    "tag_column",
    "train",
]

if TYPE_CHECKING:
    from nertool.api.document import Document, Entity, Token
    from nertool.api.functions import Evaluation, Run, convert, evaluate, read, train
    from nertool.api.tagger import Tagger, TokenEntity, load
    from nertool.api.token_explanation import TokenExplanation
    from nertool.errors import NertoolError
    from nertool.integrations.frames import tag_column
    from nertool.training.trainer import EpochRecord


def __getattr__(name: str) -> Any:
    if name in ("sklearn", "spark"):  # modules that need optional packages
        return importlib.import_module(f"nertool.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'nertool' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
