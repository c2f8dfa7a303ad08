"""Adjustments of scores before decoding: a bias against O, and consistency within a document."""

from __future__ import annotations

import numpy as np

from nertool.config.learning import DecodingConfig
from nertool.inputs.text import Groups, Text
from nertool.kernels import decoding as kernels
from nertool.network.activations import Array


def adjust(scores: Array, text: Text, decoding: DecodingConfig, spent: bool = False) -> Array:
    """Return the adjusted scores (N, T), from which tags are chosen. O is the first tag.

    decoding.outside_bias is subtracted from O's score. A positive bias finds more entities, and more wrong
    ones. With decoding.consistency = a, a token's probabilities become (1 − a) times its own plus a times the
    mean over the other occurrences of its word in the document. spent: `scores` may be overwritten.
    """
    if decoding.outside_bias:
        scores = scores if spent else scores.copy(order="K")
        scores[:, 0] -= decoding.outside_bias
        spent = True
    if decoding.consistency:
        scores = agree(scores, text, decoding.consistency, spent)
    return scores


def agree(scores: Array, text: Text, a: float, spent: bool = False) -> Array:
    """Return the logarithms of the blended probabilities (N, T). a: the consistency; spent: as in adjust."""
    members, _, sizes = text.groups
    out = scores if spent else np.empty_like(scores)
    if kernels.agree(scores, text.document_bounds, members, sizes, a, out):
        return out
    p = np.asfortranarray(softmax(scores))
    _blend(p, text.groups, a)
    p += np.finfo(p.dtype).tiny
    return np.asarray(np.log(p, out=p))


def _blend(p: Array, groups: Groups, a: float) -> None:
    """Replace p (N, T) by (1 − a) p + a (Σ − p) / (n − 1) in place.

    Σ is the sum over the n tokens of a group. Tokens in no group keep their p.
    """
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
    """Return the softmax of each token's scores (N, T)."""
    known = kernels.softmax(scores)
    if known is not None:
        return known
    p = scores - scores.max(axis=1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    return np.asarray(p)
