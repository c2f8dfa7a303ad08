"""The same network in PyTorch: tables, windows, one hidden layer. Its gradients are by autograd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from nertool.config.records import Config


class Twin(nn.Module):
    """The network, started from nertool's parameters. parameters, columns, frozen: as in Objective."""

    def __init__(
        self,
        config: Config,
        parameters: Mapping[str, np.ndarray],
        columns: Sequence[int],
        frozen: Sequence[str],
    ) -> None:
        super().__init__()
        tables = {k: v for k, v in parameters.items() if k not in ("W", "b", "U")}
        self.tables = nn.ModuleList(
            nn.Embedding.from_pretrained(
                torch.from_numpy(table.copy()), freeze=name in frozen, sparse=True
            )
            for name, table in tables.items()
        )
        self.columns = columns
        K, H = parameters["U"].shape
        self.hidden = nn.Linear(parameters["W"].shape[1], H)
        self.scores = nn.Linear(H, K, bias=False)
        self.f = {"relu": nn.ReLU(), "tanh": nn.Tanh()}[config.network.activation]
        self.drop_input = nn.Dropout(config.training.dropout_input)
        self.drop_hidden = nn.Dropout(config.training.dropout_hidden)
        with torch.no_grad():
            self.hidden.weight.copy_(torch.from_numpy(parameters["W"]))
            self.hidden.bias.zero_()
            self.scores.weight.copy_(torch.from_numpy(parameters["U"]))

    def forward(
        self, ids: torch.Tensor, windows: torch.Tensor, side: torch.Tensor | None
    ) -> torch.Tensor:
        """Return s (B, K) for ids (n, F), windows (B, C) into them, side (B, e)."""
        parts, start = [], 0
        for table, n in zip(self.tables, self.columns, strict=True):
            parts.append(table(ids[:, start : start + n]).flatten(1))
            start += n
        R = self.drop_input(torch.cat(parts, 1))
        x = R[windows].flatten(1)
        if side is not None:
            x = torch.cat([x, side], 1)
        return self.scores(self.drop_hidden(self.f(self.hidden(x))))
