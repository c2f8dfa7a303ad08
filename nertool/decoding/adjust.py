"""What is done to scores before a sequence is chosen: a bias on O, and agreement within a document."""

from __future__ import annotations

import numpy as np

from nertool.config.learning import DecodingConfig
from nertool.inputs.text import Groups, Text
from nertool.kernels import decoding as kernels
from nertool.network.activations import Array


def adjust(scores: Array, text: Text, decoding: DecodingConfig, spent: bool = False) -> Array:
    """Return the scores (N, T) that tags are chosen by; O is the first.

    outside_bias is taken off O's score: more entities are found, at the price of false ones.
    consistency a: a token's probabilities are (1 − a) its own + a the mean of the same word's other
    occurrences in the document. spent: the scores are needed no more, and may be written over.
    """
    if decoding.outside_bias:
        scores = scores if spent else scores.copy(order="K")
        scores[:, 0] -= decoding.outside_bias
        spent = True
    if decoding.consistency:
        scores = agree(scores, text, decoding.consistency, spent)
    return scores


def agree(scores: Array, text: Text, a: float, spent: bool = False) -> Array:
    """Return the logarithms of the blended probabilities, (N, T); a, spent: as in adjust."""
    members, _, sizes = text.groups
    out = scores if spent else np.empty_like(scores)
    if kernels.agree(scores, text.document_bounds, members, sizes, a, out):
        return out
    p = np.asfortranarray(softmax(scores))
    _blend(p, text.groups, a)
    p += np.finfo(p.dtype).tiny
    return np.asarray(np.log(p, out=p))


def _blend(p: Array, groups: Groups, a: float) -> None:
    """Write (1 − a) p + a (Σ − p) / (n − 1) over p (N, T), Σ the sum over the n tokens of a group."""
    members, group, sizes = groups
    others = a / (sizes - 1)
    keep = (1.0 - a - others).astype(p.dtype)[group]
    own = np.empty(len(members), dtype=p.dtype)
    for column in p.T:
        np.take(column, members, out=own)
        share = (np.bincount(group, own) * others).astype(p.dtype)
        own *= keep
        own += share[group]
        column[members] = own


def softmax(scores: Array) -> Array:
    """Return each token's probabilities (N, T) by its scores alone."""
    known = kernels.softmax(scores)
    if known is not None:
        return known
    p = scores - scores.max(axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(p)
