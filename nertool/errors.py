"""What can go wrong through no fault of ours.

A message is one line: where (file:line), what was found, what was expected, what to do.
Library code raises; only the command line prints and exits.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NertoolError(Exception):
    """Stop with a message for the user: bad input, a missing file, a model that is not one."""


class ConfigError(NertoolError):
    """A configuration that can't be used as it stands."""


class OverrideError(ConfigError):
    """An override of a configuration, as on a command line, that can't be used."""


class CorpusError(NertoolError):
    """Text or labels that can't be read without guessing."""


class VectorsError(NertoolError):
    """A file of word vectors that is faulty, or not one."""


class ModelError(NertoolError):
    """A model or run folder that is missing, damaged, stale or in the way."""


class StaleError(ModelError):
    """Prepared inputs that were made from other files or settings than those named now."""


class TrainingError(NertoolError):
    """Training that can't go on, such as a loss that is no longer finite."""


class LessonError(NertoolError):
    """Coursework that cannot be graded."""


class TaggingError(NertoolError):
    """Tagging that can't go on, such as a process of it that was killed."""


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the known word nearest to `found`, or an empty string."""
    near = difflib.get_close_matches(found, list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
