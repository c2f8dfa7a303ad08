"""Helpers for the tests of the objective: the sizes of a small network, and its gradients by PyTorch."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from nertool.network.activations import ACTIVATIONS
from nertool.network.losses import LOSSES
from nertool.network.objective import Batch, Masks, Objective, tables_of

EVERY_F = sorted(ACTIVATIONS)

OUTPUTS = sorted(LOSSES)

n, C, H, K, B = 9, 3, 5, 4, 12

TABLES = {"L": (11, 4), "E.caps": (3, 2)}

d = sum(width for _, width in TABLES.values())


def by_autograd(
    torch: Any, objective: Objective, parameters: dict, batch: Batch, masks: Masks
) -> tuple[float, dict[str, np.ndarray]]:
    """Return J and its gradients by PyTorch, computed window by window and word by word."""
    F = torch.nn.functional
    theta = {name: torch.tensor(a, requires_grad=True) for name, a in parameters.items()}
    ids = torch.from_numpy(batch.ids.astype(np.int64))
    columns = np.cumsum([0, *(objective.columns or (1,) * len(TABLES))]).tolist()
    rows = torch.cat(
        [
            theta[name][ids[:, first:end]].reshape(len(ids), -1)
            for name, (first, end) in zip(tables_of(parameters), pairwise(columns), strict=True)
        ],
        dim=1,
    )
    if masks.input is not None:
        rows = rows * torch.from_numpy(masks.input)
    x = torch.stack([torch.cat([rows[i] for i in window]) for window in batch.windows])
    if batch.side is not None:
        x = torch.cat([x, torch.from_numpy(batch.side)], dim=1)
    f = {"tanh": torch.tanh, "logistic": torch.sigmoid, "relu": F.relu, "hard_tanh": F.hardtanh}
    h = f[objective.activation](F.linear(x, theta["W"], theta["b"]))
    if masks.hidden is not None:
        h = h * torch.from_numpy(masks.hidden)
    s = F.linear(h, theta["U"])
    y = torch.from_numpy(batch.y)
    if objective.output == "logistic":
        losses = F.binary_cross_entropy_with_logits(s, y, reduction="none").sum(dim=1)
    else:
        losses = F.cross_entropy(s, y.argmax(dim=1), reduction="none")
    if batch.weights is not None:
        losses = losses * torch.from_numpy(batch.weights)
    J = losses.mean()
    J = J + objective.l2 / 2 * (theta["W"].pow(2).sum() + theta["U"].pow(2).sum())
    J.backward()
    return J.item(), {name: tensor.grad.numpy() for name, tensor in theta.items()}


FULL_TABLES = {"L": (11, 4), "E.affixes": (8, 1), "M": (6, 3), "E.document": (9, 2)}

FULL_COLUMNS = (1, 3, 1, 1)

FULL_D = 4 + 3 * 1 + 3 + 2

E_GIVEN = 5
