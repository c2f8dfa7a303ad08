"""Helpers for the tests of explanations: a sentence as a Text."""

from __future__ import annotations

import numpy as np

from nertool.inputs.text import text_of

SENTENCE = "The museums in Paris are amazing to see ."


def of_sentence(words: str):
    return text_of([words.split()], np.array([0, 1]))
