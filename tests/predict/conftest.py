"""A compiled tagger for the tests of predict."""

from __future__ import annotations

import pytest

from nertool.model.load import load_model
from nertool.tagging.compiled import CompiledTagger


@pytest.fixture(scope="module")
def tagger(run_dir) -> CompiledTagger:
    return CompiledTagger(load_model(run_dir))
