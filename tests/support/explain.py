"""What the tests of explanations share: a sentence, laid out as a text."""

from __future__ import annotations

import numpy as np

from nertool.inputs.text import text_of

SENTENCE = "The museums in Paris are amazing to see ."


def of_sentence(words: str):
    return text_of([words.split()], np.array([0, 1]))
