"""A trained nertool network, run by PyTorch: gather the window's rows, a matrix product, f, another
product."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from nertool.decoding.viterbi import decode
from nertool.inputs.encoder import Encoded, Encoder
from nertool.inputs.text import text_of
from nertool.model.load import load_model
from nertool.model.model import inputs_for
from peers.columns import sentences

_SENTENCES = 2048
_NONE_COMPOSED = np.empty((0, 0), dtype=np.float32)


def tag(model_path: Path, text: Path, out: Path) -> None:
    """Write each word with its predicted tag, as the other peers do. Features come from nertool's code."""
    model = load_model(model_path)
    (member,) = model.members
    allowed = model.lattice()
    torch.set_num_threads(1)
    cache = _Remembering(member.encoder)
    W, b, U = (torch.from_numpy(np.array(member.parameters[name])) for name in ("W", "b", "U"))
    with open(out, "w", encoding="utf-8") as file, torch.inference_mode():
        batch: list[list[str]] = []
        for sentence in sentences(text):
            batch.append([fields[0] for fields in sentence])
            if len(batch) == _SENTENCES:
                file.write(_tag(model, member._replace(encoder=cache), batch, allowed, W, b, U))
                batch = []
        file.write(_tag(model, member._replace(encoder=cache), batch, allowed, W, b, U))


class _Remembering(Encoder):
    """An encoder that computes the features of a word type once."""

    def __init__(self, encoder: Encoder) -> None:
        self.__dict__.update(encoder.__dict__)
        self._met: dict[str, np.ndarray] = {}

    def encode(self, words: list[str]) -> Encoded:
        new = [word for word in words if word not in self._met]
        if new:
            self._met.update(zip(new, super().encode(new).ids, strict=True))
        return Encoded(np.stack([self._met[word] for word in words]), _NONE_COMPOSED)


def _tag(model, member, batch, allowed, W, b, U) -> str:
    if not batch:
        return ""
    text = text_of(batch, np.array([0, len(batch)]))
    parameters, (padded, ids, side_inputs) = inputs_for(member, text, model.config)
    tables = [torch.from_numpy(a) for n, a in parameters.items() if n not in ("W", "b", "U")]
    columns = ids.shape[1] - len(tables)
    widths = [1] * len(tables)
    widths[list(parameters).index("E.affixes")] += columns
    rows, start = [], 0
    all_ids = torch.from_numpy(ids[:]).long()
    for table, n in zip(tables, widths, strict=True):
        rows.append(table[all_ids[:, start : start + n]].flatten(1))
        start += n
    R = torch.cat(rows, 1)
    m = padded.m
    windows = torch.from_numpy(padded.centres[:, None] + np.arange(-m, m + 1))
    x = R[windows].flatten(1)
    if side_inputs is not None:
        x = torch.cat([x, torch.from_numpy(side_inputs[:])], 1)
    s = (torch.relu(x @ W.T + b) @ U.T).numpy()
    tags = decode(s, text.sentence_starts, model.config.decoding.method, allowed)
    names = [model.tags[i] for i in tags]
    pieces, at = [], 0
    for words in batch:
        own = names[at : at + len(words)]
        pieces.append("".join(f"{w} {t}\n" for w, t in zip(words, own, strict=True)) + "\n")
        at += len(words)
    return "".join(pieces)


if __name__ == "__main__":
    {"tag": tag}[sys.argv[1]](*map(Path, sys.argv[2:]))
