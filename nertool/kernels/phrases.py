"""The kernel that finds phrases: the longest path in a tree of words from each token of a text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.kernels import library
from nertool.kernels.library import Int32s, Int64s, address_of
from nertool.kernels.tagging import check_indices


class WordTree(NamedTuple):
    """A tree of words as arrays. Node 0 is the root.

    first (words,): the node to which a word leads from the root, 0 for none; offsets (nodes + 1,): any other
    node n has the edges from offsets[n] to offsets[n + 1] − 1; words (edges,): the word of each edge,
    ascending in each node; nodes (edges,): the node to which each edge leads; ends (nodes,): whether a phrase
    ends in a node.
    """

    first: Int32s
    offsets: Int64s
    words: Int32s
    nodes: Int32s
    ends: NDArray[np.bool_]


def longest_phrases(
    tree: WordTree, types: Int32s, kind: int, word_ids: Int32s, last: NDArray[np.bool_]
) -> Int64s | None:
    """Return (start, end, node) of the longest phrase that starts at each token, if there is one, (n, 3).

    types (types, kinds): the tree's word for each word type and kind of phrase, −1 for none; kind: the column
    to use; word_ids (N,): the tokens' word types; last (N,): whether a token is the last of its sentence.
    Return None without the kernel.
    """
    if library.loaded is None:
        return None
    check_indices(word_ids, len(types))
    found = np.empty((len(word_ids), 3), dtype=np.int64)
    n = library.loaded.longest_phrases(
        *(address_of(word_ids, np.int32), address_of(last, np.bool_), len(word_ids)),
        *(address_of(types, np.int32), types.shape[1], kind),
        *(address_of(tree.first, np.int32), len(tree.first), address_of(tree.offsets, np.int64)),
        *(address_of(tree.words, np.int32), address_of(tree.nodes, np.int32)),
        *(address_of(tree.ends, np.bool_), address_of(found, np.int64)),
    )
    return found[:n]
