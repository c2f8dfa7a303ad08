"""The layers of the graph: both stages' networks, the values that they share, and the score adjustments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nertool.errors import ModelError
from nertool.inputs.encoder import PAD_LEFT, PAD_RIGHT
from nertool.inputs.layout import STARTING, VECTORS, id_slices, table_columns
from nertool.integrations.onnx_graph.builder import GraphBuilder
from nertool.integrations.onnx_graph.inputs import (
    DOCUMENT,
    GROUP,
    WINDOWS,
    all_members,
    composed_names,
    encoders_of,
    ids_names,
    needs_groups,
    weights_of,
)
from nertool.model.model import Member, Model, starting_vectors, word_vectors
from nertool.network.activations import Array
from nertool.vectors.rows.rows import Rows


def _whole(table: Rows) -> Array:
    """Return all rows of a table, decompressed if the model is compressed."""
    return np.asarray(table[np.arange(len(table))])


def member_scores(graph: GraphBuilder, model: Model, shared: Shared) -> str:
    """Add both stages; return the name of the members' mean scores, (N, T)."""
    opinions = None
    if model.first_stage:
        first = _mean(graph, [_network(graph, model, m, shared, None) for m in model.first_stage])
        p = graph.op("Softmax", first, axis=1)
        has_any = graph.op("Unsqueeze", shared.in_group, graph.ints([1]))
        own = graph.op("Cast", has_any, to=graph.float_type)
        around = [_around(graph, p, model)] if model.config.first_stage.window else []
        means = shared.others_mean(p, len(model.tags))
        pooling = model.config.first_stage.max_pooling
        maxima = [shared.others_max(p, len(model.tags))] if pooling else []
        opinions = graph.op("Concat", means, own, *maxima, *around, axis=1)
    return _mean(graph, [_network(graph, model, m, shared, opinions) for m in model.members])


def _around(graph: GraphBuilder, p: str, model: Model) -> str:
    """Return the name of the probabilities p of each token's neighbours, side by side, (N, C T).

    The neighbour at distance k counts only within the sentence. Then its position in the padded text is also
    k further on, because sentences are separated by paddings.
    """
    m = model.config.windows.size // 2
    places = graph.op("Gather", WINDOWS, graph.ints(m), axis=1)  # (N,)
    N = graph.op("Squeeze", graph.op("Shape", places), graph.ints([0]))
    tokens = graph.op("Range", graph.ints(0), N, graph.ints(1))
    last = graph.op("Sub", N, graph.ints(1))
    parts = []
    for k in range(
        -(model.config.first_stage.window // 2), model.config.first_stage.window // 2 + 1
    ):
        further = graph.op("Add", tokens, graph.ints(k))
        at = graph.op("Max", graph.op("Min", further, last), graph.ints(0))
        expected = graph.op("Add", places, graph.ints(k))
        there = graph.op("Equal", graph.op("Gather", places, at, axis=0), expected)
        there = graph.op("And", there, graph.op("Equal", further, at))
        own = graph.op("Gather", p, at, axis=0)
        there = graph.op("Unsqueeze", there, graph.ints([1]))
        parts.append(graph.op("Where", there, own, graph.number(0.0)))
    return graph.op("Concat", *parts, axis=1)


def _mean(graph: GraphBuilder, scores: Sequence[str]) -> str:
    total = scores[0]
    for own in scores[1:]:  # Add, because onnxruntime has Mean and Sum for 32-bit floats only
        total = graph.op("Add", total, own)
    return total if len(scores) == 1 else graph.op("Div", total, graph.number(len(scores)))


def _network(
    graph: GraphBuilder, model: Model, member: Member, shared: Shared, opinions: str | None
) -> str:
    """Add one network; return the name of its scores, (N, T)."""
    config, tables = model.config, member.parameters
    weights = weights_of(member)
    ids = shared.ids[id(member.encoder)]
    parts = []
    cuts = id_slices(config)
    for name, count in table_columns(config).items():
        if name == VECTORS:
            table = shared.vectors(member)
        elif name == STARTING:
            table = graph.array(starting_vectors(member, np.arange(len(member.L))))
        else:
            table = graph.array(_whole(tables[name]))
        columns = np.arange(cuts[name].start, cuts[name].stop)
        numbers = graph.op("Gather", ids, graph.ints(columns), axis=1)  # (P, c)
        rows = (  # (P, c, w)
            shared.vector_rows(member, table, numbers)
            if name in (VECTORS, STARTING)
            else graph.op("Gather", table, numbers, axis=0)
        )
        if count < 0:
            parts.append(_pooled(graph, numbers, rows))
        else:
            width = tables[VECTORS if name == STARTING else name].shape[1] * len(columns)
            parts.append(graph.op("Reshape", rows, graph.ints([-1, width])))
    row = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    words = graph.op("Gather", row, WINDOWS, axis=0)  # (N, C, d)
    side = shared.side(member)
    e = (
        0
        if not (side or opinions)
        else sum(shared.side_widths(member)) + (shared.opinion_width() if opinions else 0)
    )
    x = graph.op("Reshape", words, graph.ints([-1, weights.W.shape[1] - e]))
    if side or opinions:
        x = graph.op("Concat", x, *side, *([opinions] if opinions else []), axis=1)
    z = graph.op("MatMul", x, graph.array(np.ascontiguousarray(weights.W.T)))
    z = graph.op("Add", z, graph.array(weights.b))
    h = _activation(graph, config.network.activation, z)
    s = graph.op("MatMul", h, graph.array(np.ascontiguousarray(weights.U.T)))
    if len(weights.U) == 1:  # O has no output of its own: its score is 0
        s = graph.op("Concat", graph.op("Sub", s, s), s, axis=1)
    return s


def _pooled(graph: GraphBuilder, numbers: str, rows: str) -> str:
    """Add the sum of a word's rows divided by the square root of their number. Row 0 counts as no row."""
    there = graph.op("Cast", graph.op("Greater", numbers, graph.ints(0)), to=graph.float_type)
    kept = graph.op("Mul", rows, graph.op("Unsqueeze", there, graph.ints([2])))
    total = graph.op("ReduceSum", kept, graph.ints([1]), keepdims=0)  # (P, w)
    count = graph.op("ReduceSum", there, graph.ints([1]), keepdims=1)  # (P, 1)
    return graph.op("Div", total, graph.op("Sqrt", graph.op("Max", count, graph.number(1.0))))


def _activation(graph: GraphBuilder, name: str, z: str) -> str:
    match name:
        case "tanh":
            return graph.op("Tanh", z)
        case "logistic":
            return graph.op("Sigmoid", z)
        case "relu":
            return graph.op("Relu", z)
        case "hard_tanh":
            return graph.op("Clip", z, graph.number(-1.0), graph.number(1.0))
    raise ModelError(f"found the activation {name}, which there is no ONNX graph for")


def adjusted_scores(graph: GraphBuilder, model: Model, shared: Shared, scores: str) -> str:
    """Add the bias on O and the document consistency, as decoding/adjust.py does."""
    decoding, T = model.config.decoding, len(model.tags)
    if decoding.outside_bias:
        bias = np.zeros(T, dtype=graph.dtype)
        bias[0] = decoding.outside_bias
        scores = graph.op("Sub", scores, graph.array(bias))
    if decoding.consistency:
        a = decoding.consistency
        p = graph.op("Softmax", scores, axis=1)
        others = graph.op("Mul", shared.others_mean(p, T), graph.number(a))
        blended = graph.op("Add", graph.op("Mul", p, graph.number(1.0 - a)), others)
        grouped = graph.op("Unsqueeze", shared.in_group, graph.ints([1]))
        p = graph.op("Where", grouped, blended, p)
        tiny = graph.number(float(np.finfo(graph.dtype).tiny))
        scores = graph.op("Log", graph.op("Add", p, tiny))
    return scores


class Shared:
    """Values that several networks use: row numbers, word vectors, sums over groups of tokens."""

    def __init__(self, graph: GraphBuilder, model: Model) -> None:
        self.graph, self.model = graph, model
        names = ids_names(model)
        self.ids = {id(e): n for e, n in zip(encoders_of(model), names, strict=True)}
        names = composed_names(model)
        self._composed = {id(e): n for e, n in zip(encoders_of(model), names, strict=True)}
        self._sides: dict[int, list[str]] = {}
        if needs_groups(model):
            self.in_group = graph.op("Greater", GROUP, graph.ints(0))

    def vectors(self, member: Member) -> str:
        """Return the name of a member's word vectors: the starting vectors with the member's trained rows in
        them."""
        member_rows = np.union1d(member.rows, [PAD_LEFT, PAD_RIGHT])
        if len(all_members(self.model)) == 1 and not self.side_widths(member):
            return self.graph.array(word_vectors(member, np.arange(len(member.L))))
        own = word_vectors(member, member_rows).astype(self.graph.dtype)
        where = self.graph.ints(member_rows[:, None])
        return self.graph.op("ScatterND", self._starting(member), where, self.graph.array(own))

    def vector_rows(self, member: Member, table: str, numbers: str) -> str:
        """Return the name of rows of a table of vectors. Numbers beyond the table are rows of composed
        vectors."""
        graph = self.graph
        if member.encoder.composer is None:
            return graph.op("Gather", table, numbers, axis=0)
        last = len(member.L) - 1
        own = graph.op("Gather", table, graph.op("Min", numbers, graph.ints(last)), axis=0)
        beyond = graph.op("Sub", numbers, graph.ints(last + 1))
        at = graph.op("Max", beyond, graph.ints(0))
        composed = graph.op("Gather", self._composed[id(member.encoder)], at, axis=0)
        is_own = graph.op("Less", beyond, graph.ints(0))
        return graph.op("Where", graph.op("Unsqueeze", is_own, graph.ints([-1])), own, composed)

    def _starting(self, member: Member) -> str:
        """Return the name of the vectors that a member started from.

        The rows of paddings are 0, because side inputs are 0 beyond a sentence's boundaries.
        """
        rows = starting_vectors(member, np.arange(len(member.L)))
        rows[[PAD_LEFT, PAD_RIGHT]] = 0.0
        return self.graph.array(rows)

    def side_widths(self, member: Member) -> list[int]:
        """Return the widths of the side inputs that are computed from word vectors."""
        features, v = self.model.config.features, member.L.shape[1]
        return [v] * (2 * bool(features.neighbours) + bool(features.document_vector))

    def opinion_width(self) -> int:
        """Return the width of the side input with the first stage's probabilities."""
        T, settings = len(self.model.tags), self.model.config.first_stage
        return T + 1 + settings.max_pooling * T + settings.window * T

    def side(self, member: Member) -> list[str]:
        """Return the names of a member's side inputs, without the first stage's probabilities."""
        key = id(member.encoder)
        if key not in self._sides:
            self._sides[key] = list(self._made_side(member))
        return self._sides[key]

    def _made_side(self, member: Member) -> list[str]:
        graph, features = self.graph, self.model.config.features
        if not self.side_widths(member):
            return []
        table, v = self._starting(member), member.L.shape[1]
        numbers = graph.op("Gather", self.ids[id(member.encoder)], graph.ints(0), axis=1)  # (P,)
        m = self.model.config.windows.size // 2

        def at(place: int) -> str:
            position = graph.op("Gather", WINDOWS, graph.ints(place), axis=1)  # (N,)
            own = graph.op("Gather", numbers, position, axis=0)
            return self.vector_rows(member, table, own)

        made = []
        if features.neighbours:
            made += [self.others_mean(at(place), v) for place in (m - 1, m + 1)]
        if features.document_vector:
            own = at(m)
            total, count = self._sums(DOCUMENT, own, v)
            mean = graph.op("Div", total, count)
            made.append(graph.op("Gather", mean, DOCUMENT, axis=0))
        return made

    def others_mean(self, values: str, width: int) -> str:
        """Return the name of the mean of values (N, width) over the other tokens of each token's group.

        It is 0 for tokens without a group.
        """
        graph = self.graph
        total, count = self._sums(GROUP, values, width)
        others = graph.op("Sub", graph.op("Gather", total, GROUP, axis=0), values)
        several = graph.op("Gather", count, GROUP, axis=0)  # (N, 1)
        less = graph.op("Max", graph.op("Sub", several, graph.number(1.0)), graph.number(1.0))
        mean = graph.op("Div", others, less)
        grouped = graph.op("Unsqueeze", self.in_group, graph.ints([1]))
        return graph.op("Where", grouped, mean, graph.number(0.0))

    def others_max(self, p: str, width: int) -> str:
        """Return the name of the maximum of p (N, width), p ≥ 0, over the other tokens of each token's group.

        It is 0 for tokens without a group. A token whose own value is the maximum gets the second largest
        value.
        """
        graph = self.graph
        greatest = graph.op("Gather", self._combined(p, width, "max"), GROUP, axis=0)
        is_greatest = graph.op("Equal", p, greatest)
        ones = graph.op("Cast", is_greatest, to=graph.float_type)
        count = graph.op("Gather", self._combined(ones, width, "add"), GROUP, axis=0)
        rest = graph.op("Where", is_greatest, graph.number(0.0), p)
        second = graph.op("Gather", self._combined(rest, width, "max"), GROUP, axis=0)
        alone = graph.op("And", is_greatest, graph.op("Less", count, graph.number(1.5)))
        found = graph.op("Where", alone, second, greatest)
        grouped = graph.op("Unsqueeze", self.in_group, graph.ints([1]))
        return graph.op("Where", grouped, found, graph.number(0.0))

    def _combined(self, values: str, width: int, reduction: str) -> str:
        """Return the name of values (N, width), at least 0, reduced over each group: (groups, width)."""
        graph = self.graph
        count = graph.op("Add", graph.op("ReduceMax", GROUP, keepdims=1), graph.ints([1]))
        place = graph.op("Unsqueeze", GROUP, graph.ints([1]))
        return self._added(count, place, values, width, reduction)

    def _sums(self, key: str, values: str, width: int) -> tuple[str, str]:
        """Return the names of the sums of values (N, width) by key, and of the number of values per key, (…,
        1)."""
        graph = self.graph
        count = graph.op("Add", graph.op("ReduceMax", key, keepdims=1), graph.ints([1]))
        place = graph.op("Unsqueeze", key, graph.ints([1]))
        ones = graph.op("Expand", graph.number(1.0), graph.op("Shape", place))  # (N, 1)
        return self._added(count, place, values, width), self._added(count, place, ones, 1)

    def _added(
        self, count: str, place: str, values: str, width: int, reduction: str = "add"
    ) -> str:
        """Return the name of values (N, width) added up by place (N, 1): (count, width).

        With the reduction "max" the result is their maximum, at least 0. ScatterElements adds sequentially.
        onnxruntime's ScatterND adds from several threads at once, and loses some of the values for the same
        place.
        """
        graph = self.graph
        shape = graph.op("Concat", count, graph.ints([width]), axis=0)
        zeros = graph.op("Expand", graph.number(0.0), shape)
        places = place if width == 1 else graph.op("Expand", place, graph.op("Shape", values))
        return graph.op("ScatterElements", zeros, places, values, axis=0, reduction=reduction)
