"""Plot word vectors before and after training, projected by PCA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.evaluation.plots.figures import BLUE, GREY, RED, new_figure, save
from nertool.inputs.encoder import SPECIAL_ROWS
from nertool.model.model import Member
from nertool.vectors.rows.rows import expanded

WORDS = 30


def vectors_figure(member: Member, path: Path, words: int = WORDS) -> bool:
    """Draw the words whose vectors moved most, each with an arrow from before to after.

    Returns False, and draws nothing, if no vector moved.
    """
    before, after, names = moved_most(member, words)
    if not len(names):
        return False
    plane = plane_of(np.concatenate([before, after]))
    centre = np.concatenate([before, after]).mean(axis=0)
    a, b = ((rows - centre) @ plane for rows in (before, after))
    figure = new_figure(8.0, 6.5)
    axes = figure.add_subplot()
    axes.quiver(
        a[:, 0],
        a[:, 1],
        *(b - a).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.003,
        color=GREY,
    )
    axes.plot(a[:, 0], a[:, 1], "o", color=BLUE, ms=4, label="before training")
    axes.plot(b[:, 0], b[:, 1], "o", color=RED, ms=4, label="after training")
    for name, (x, y) in zip(names, b.tolist(), strict=True):
        # parse_math=False: matplotlib would read dollar signs in a word as mathematics.
        axes.annotate(
            name, (x, y), xytext=(3, 3), textcoords="offset points", fontsize=8, parse_math=False
        )
    axes.set(title=f"the {len(names)} words that moved most", xlabel="PCA 1", ylabel="PCA 2")
    axes.legend()
    save(figure, path)
    return True


def moved_most(
    member: Member, words: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Return the n words whose vectors moved most: vectors before, vectors after, each (n, v), and words."""
    now = np.asarray(expanded(member.parameters["L"]), dtype=np.float64)
    then = np.asarray(member.L[member.rows], dtype=np.float64)
    distance = np.linalg.norm(now - then, axis=1)
    distance[member.rows < SPECIAL_ROWS] = 0.0
    order = np.argsort(-distance, kind="stable")[:words]
    order = order[distance[order] > 0]
    known = member.encoder.words
    return then[order], now[order], [known[member.rows[i] - SPECIAL_ROWS] for i in order.tolist()]


def plane_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two principal components of rows (n, v): (v, 2).

    The largest entry of each is positive, so that the figure is not mirrored on another machine.
    """
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    two = np.zeros((2, rows.shape[1]))
    two[: len(directions[:2])] = directions[:2]
    for row in two:
        row *= np.sign(row[np.abs(row).argmax()]) or 1.0
    return two.T
