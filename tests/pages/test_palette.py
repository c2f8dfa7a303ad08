"""The colours of labels: readable, and told apart with any colour vision."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from nertool.pages.palette import COLOURS, class_names, contrast, label_styles, text_on

# What the eyes of people with each kind of colour blindness make of linear RGB (Machado et al. 2009,
# severity 1).
SIMULATIONS = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def cielab(rgb: np.ndarray) -> np.ndarray:
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
              [0.0193339, 0.1191920, 0.9503041]]  # fmt: skip
    xyz = np.array(matrix) @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", SIMULATIONS)
def test_any_two_colours_are_told_apart(vision):
    seen = [cielab(np.array(SIMULATIONS[vision]) @ linear(colour)) for colour in COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 14


def test_a_label_s_text_can_be_read_on_every_colour():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # WCAG's own example
    assert min(contrast(text_on(colour), colour) for colour in COLOURS) >= 4.5


def test_labels_beyond_the_palette_get_another_border():
    names = class_names([f"L{i}" for i in range(30)])
    assert len(set(names.values())) == 30
    assert names["L0"] == "c0 r0"
    assert names["L13"] == "c1 r1"
    assert ".c11 {" in label_styles()
