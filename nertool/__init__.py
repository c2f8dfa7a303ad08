"""Named-entity recognition with one hidden layer and backpropagation by hand.

import nertool
tagger = nertool.load("runs/quickstart")
tagger.tag(["Ada", "Lovelace", "met", "Charles", "Babbage", "."])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nertool.version import __version__

__all__ = ["Entity", "NertoolError", "Tagger", "__version__", "load", "train"]

if TYPE_CHECKING:
    from nertool.api import Entity, NertoolError, Tagger, load, train


def __getattr__(name: str) -> Any:
    # Loaded when first asked for: the command line answers --help without numpy.
    if name in __all__:
        from nertool import api

        return getattr(api, name)
    raise AttributeError(f"module 'nertool' has no attribute {name!r}")
