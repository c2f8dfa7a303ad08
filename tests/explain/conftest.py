"""A trained model for the tests of explanations."""

from __future__ import annotations

import pytest

from nertool.model.load import load_model


@pytest.fixture(scope="module")
def model(run_dir):
    return load_model(run_dir)
