"""A model as an ONNX graph: from row numbers of words to scores of tags. Needs the extra `onnx`.

Inside the graph are all tables and networks: the lookup of rows, the windows, the side inputs (means over a
document), the first stage, the mean over an ensemble, and the adjustments of scores that config.decoding
asks for. Outside are the cutting of text into tokens, the row numbers of a word type (`feeds` computes
them), and the choice of a sequence of tags. docs/onnx.md describes the inputs, and what is kept as metadata.

The letters are those of network/scorer.py: N tokens, P words and paddings, C words in a window, T tags.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nertool.config.records import Config
from nertool.errors import ModelError
from nertool.inputs.assemble import lay_out
from nertool.inputs.encoder import PAD_LEFT, PAD_RIGHT, Encoder
from nertool.inputs.layout import STARTING, VECTORS, id_slices, table_columns
from nertool.inputs.text import Text
from nertool.model.calibrate import temperature_of
from nertool.model.model import Member, Model, starting_vectors, word_vectors
from nertool.network.activations import Array
from nertool.network.scorer import Weights
from nertool.vectors.rows.rows import Rows

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # of the end of 2022
IR_VERSION = 9
MOST_BYTES = 1_900_000_000  # a protobuf message can't be larger than 2 GB
SCORES = "scores"
WINDOWS, GROUP, DOCUMENT, COMPOSED = "windows", "group", "document", "composed"


def export(model: Model) -> ModelProto:
    """Return a model as an ONNX model. Errors: ModelError for one that is too large, or has windows of one
    word and side inputs of neighbours; ImportError without the package onnx."""
    _check(model)
    graph = _Graph(_weights(model.members[0]).W.dtype)
    shared = _Shared(graph, model)
    scores = _adjusted(graph, model, shared, _scores(graph, model, shared))
    inputs: dict[str, tuple[Any, list[int | str]]] = {
        name: (np.int64, ["P", _columns(model.config)]) for name in _ids_names(model)
    }
    inputs[WINDOWS] = (np.int64, ["N", model.config.windows.size])
    for name, encoder in zip(_composed_names(model), _encoders(model), strict=True):
        if encoder.composer is not None:
            width = _member_of(model, encoder).L.shape[1]
            inputs[name] = (graph.dtype, [f"Q_{name}" if name != COMPOSED else "Q", width])
    if _needs_groups(model):
        inputs[GROUP] = (np.int64, ["N"])
    if model.config.features.document_vector:
        inputs[DOCUMENT] = (np.int64, ["N"])
    return graph.finished(inputs, scores, len(model.tags), metadata(model))


def feeds(model: Model, text: Text) -> dict[str, np.ndarray[Any, Any]]:
    """Return what the graph is given for a text: an array for each of its inputs.

    ids (P, F): the row numbers of each word and padding, one such input for each file of vectors; windows
    (N, C): the words around each token, as rows of ids; group (N,): which tokens of a document have the same
    word, from 1 on, 0 for those that are alone; document (N,): each token's document, from 0 on. Where words
    that the vectors lack have vectors from their parts: composed (Q, v), a row at least, for the row numbers
    beyond the table.
    """
    found: dict[str, np.ndarray[Any, Any]] = {}
    dtype = _weights(model.members[0]).W.dtype
    names = zip(_ids_names(model), _composed_names(model), _encoders(model), strict=True)
    for name, of_composed, encoder in names:
        encoded = encoder.encode(text.words)
        type_ids = np.concatenate([encoder.padding, encoded.ids])
        if encoder.composer is not None:  # a row at least, as the graph always looks one up
            none = np.zeros((1, len(encoder.composer.base)), dtype=dtype)
            vectors = encoded.composed if len(encoded.composed) else none
            found[of_composed] = vectors.astype(dtype)
        padded, ids, _ = lay_out(type_ids, text, model.config, gazetteers=encoder.gazetteers)
        found[name] = ids[:].astype(np.int64)
        found[WINDOWS] = padded.centres[:, None] + np.arange(-padded.m, padded.m + 1)
    if _needs_groups(model):
        members, group, _ = text.groups
        found[GROUP] = np.zeros(len(text.word_ids), dtype=np.int64)
        found[GROUP][members] = group + 1
    if model.config.features.document_vector:
        found[DOCUMENT] = text.documents.astype(np.int64)
    return found


def metadata(model: Model) -> dict[str, str]:
    """Return what a program needs to know of the graph; lists and numbers are written as JSON."""
    allowed = model.lattice()
    known = {
        "tags": model.tags,
        "labels": model.labels,
        "scheme": model.config.decoding.scheme,
        "decoding": model.config.decoding.method,
        "temperature": temperature_of(model),
        "window": model.config.windows.size,
        "columns": {name: [cut.start, cut.stop] for name, cut in id_slices(model.config).items()},
        "may_start": allowed.start.astype(int).tolist(),
        "may_follow": allowed.step.astype(int).tolist(),
        "may_end": allowed.end.astype(int).tolist(),
        "nertool": model.provenance.get("nertool"),
    }
    return {f"nertool.{key}": json.dumps(value, ensure_ascii=False) for key, value in known.items()}


def _check(model: Model) -> None:
    if model.config.features.neighbours and model.config.windows.size == 1:
        raise ModelError(
            "found windows of one word together with features.neighbours, which the graph can't tell the "
            "neighbours of; expected windows.size of 3 or more"
        )
    values = sum(
        len(encoder.words) * _member_of(model, encoder).L.shape[1] for encoder in _encoders(model)
    )
    values += sum(
        int(np.prod(array.shape)) for member in _all(model) for array in member.parameters.values()
    )
    size = values * _weights(model.members[0]).W.itemsize
    if size > MOST_BYTES:
        raise ModelError(
            f"found {size / 1e9:.1f} GB of weights and word vectors, expected at most "
            f"{MOST_BYTES / 1e9:.1f} GB in an ONNX file; train with fewer vectors (vectors.limit, or nertool "
            "vectors prune)"
        )


def _weights(member: Member) -> Weights:
    """Return W, b and U, which are never compressed."""
    return Weights(*(np.asarray(member.parameters[name]) for name in Weights._fields))


def _whole(table: Rows) -> Array:
    """Return all rows of a table, which a compressed model keeps in fewer bytes."""
    return np.asarray(table[np.arange(len(table))])


def _all(model: Model) -> tuple[Member, ...]:
    return (*model.first_stage, *model.members)


def _encoders(model: Model) -> list[Encoder]:
    """Return the model's encoders, one for each file of vectors."""
    return list({id(member.encoder): member.encoder for member in _all(model)}.values())


def _member_of(model: Model, encoder: Encoder) -> Member:
    return next(member for member in _all(model) if member.encoder is encoder)


def _ids_names(model: Model) -> list[str]:
    count = len(_encoders(model))
    return ["ids"] if count == 1 else [f"ids_{i}" for i in range(count)]


def _composed_names(model: Model) -> list[str]:
    return [name.replace("ids", COMPOSED) for name in _ids_names(model)]


def _columns(config: Config) -> int:
    return sum(abs(n) for n in table_columns(config).values())


def _needs_groups(model: Model) -> bool:
    config = model.config
    return bool(config.features.neighbours or model.first_stage or config.decoding.consistency)


# ------------------------------------------------------------ the parts of the graph


def _scores(graph: _Graph, model: Model, shared: _Shared) -> str:
    """Add both stages; return the name of the members' mean scores, (N, T)."""
    opinions = None
    if model.first_stage:
        first = _mean(graph, [_network(graph, model, m, shared, None) for m in model.first_stage])
        p = graph.op("Softmax", first, axis=1)
        has_any = graph.op("Unsqueeze", shared.in_group, graph.ints([1]))
        own = graph.op("Cast", has_any, to=graph.float_type)
        opinions = graph.op("Concat", shared.others_mean(p, len(model.tags)), own, axis=1)
    return _mean(graph, [_network(graph, model, m, shared, opinions) for m in model.members])


def _mean(graph: _Graph, scores: Sequence[str]) -> str:
    total = scores[0]
    for own in scores[1:]:  # by Add: onnxruntime has Mean and Sum for 32-bit floats only
        total = graph.op("Add", total, own)
    return total if len(scores) == 1 else graph.op("Div", total, graph.number(len(scores)))


def _network(
    graph: _Graph, model: Model, member: Member, shared: _Shared, opinions: str | None
) -> str:
    """Add one network; return the name of its scores, (N, T)."""
    config, tables = model.config, member.parameters
    weights = _weights(member)
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
        else sum(shared.side_widths(member)) + (len(model.tags) + 1 if opinions else 0)
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


def _pooled(graph: _Graph, numbers: str, rows: str) -> str:
    """Add up a word's rows over the root of their number; row 0 is none."""
    there = graph.op("Cast", graph.op("Greater", numbers, graph.ints(0)), to=graph.float_type)
    kept = graph.op("Mul", rows, graph.op("Unsqueeze", there, graph.ints([2])))
    total = graph.op("ReduceSum", kept, graph.ints([1]), keepdims=0)  # (P, w)
    count = graph.op("ReduceSum", there, graph.ints([1]), keepdims=1)  # (P, 1)
    return graph.op("Div", total, graph.op("Sqrt", graph.op("Max", count, graph.number(1.0))))


def _activation(graph: _Graph, name: str, z: str) -> str:
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


def _adjusted(graph: _Graph, model: Model, shared: _Shared, scores: str) -> str:
    """Add the bias on O, and the agreement within a document, as decoding/adjust.py does."""
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


class _Shared:
    """What several networks are given: row numbers, word vectors, sums over groups of tokens."""

    def __init__(self, graph: _Graph, model: Model) -> None:
        self.graph, self.model = graph, model
        names = _ids_names(model)
        self.ids = {id(e): n for e, n in zip(_encoders(model), names, strict=True)}
        names = _composed_names(model)
        self._composed = {id(e): n for e, n in zip(_encoders(model), names, strict=True)}
        self._sides: dict[int, list[str]] = {}
        if _needs_groups(model):
            self.in_group = graph.op("Greater", GROUP, graph.ints(0))

    def vectors(self, member: Member) -> str:
        """Return the name of a member's word vectors: those that it started from, with its own rows."""
        member_rows = np.union1d(member.rows, [PAD_LEFT, PAD_RIGHT])
        if len(_all(self.model)) == 1 and not self.side_widths(member):
            return self.graph.array(word_vectors(member, np.arange(len(member.L))))
        own = word_vectors(member, member_rows).astype(self.graph.dtype)
        where = self.graph.ints(member_rows[:, None])
        return self.graph.op("ScatterND", self._starting(member), where, self.graph.array(own))

    def vector_rows(self, member: Member, table: str, numbers: str) -> str:
        """Return the name of the rows of a table of vectors, or of the composed vectors beyond it."""
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
        """Return the name of the vectors that a member started from; those of paddings are 0, as what
        stands beyond a sentence's ends is for side inputs."""
        rows = starting_vectors(member, np.arange(len(member.L)))
        rows[[PAD_LEFT, PAD_RIGHT]] = 0.0
        return self.graph.array(rows)

    def side_widths(self, member: Member) -> list[int]:
        """Return the widths of the side inputs that are made of word vectors."""
        features, v = self.model.config.features, member.L.shape[1]
        return [v] * (2 * bool(features.neighbours) + bool(features.document_vector))

    def side(self, member: Member) -> list[str]:
        """Return the names of a member's side inputs but for the first stage's opinions."""
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
        """Return the name of the mean of values (N, width) over each token's group without itself; 0 for
        tokens that are alone."""
        graph = self.graph
        total, count = self._sums(GROUP, values, width)
        others = graph.op("Sub", graph.op("Gather", total, GROUP, axis=0), values)
        several = graph.op("Gather", count, GROUP, axis=0)  # (N, 1)
        less = graph.op("Max", graph.op("Sub", several, graph.number(1.0)), graph.number(1.0))
        mean = graph.op("Div", others, less)
        grouped = graph.op("Unsqueeze", self.in_group, graph.ints([1]))
        return graph.op("Where", grouped, mean, graph.number(0.0))

    def _sums(self, key: str, values: str, width: int) -> tuple[str, str]:
        """Return the names of the sums of values (N, width) by key, and of how many each has, (…, 1)."""
        graph = self.graph
        count = graph.op("Add", graph.op("ReduceMax", key, keepdims=1), graph.ints([1]))
        place = graph.op("Unsqueeze", key, graph.ints([1]))
        ones = graph.op("Expand", graph.number(1.0), graph.op("Shape", place))  # (N, 1)
        return self._added(count, place, values, width), self._added(count, place, ones, 1)

    def _added(self, count: str, place: str, values: str, width: int) -> str:
        """Return the name of values (N, width), added up by place (N, 1): (count, width).

        By ScatterElements, which adds one after another: onnxruntime's ScatterND adds from several threads
        at once, and loses some of what goes to one place.
        """
        graph = self.graph
        shape = graph.op("Concat", count, graph.ints([width]), axis=0)
        zeros = graph.op("Expand", graph.number(0.0), shape)
        places = place if width == 1 else graph.op("Expand", place, graph.op("Shape", values))
        return graph.op("ScatterElements", zeros, places, values, axis=0, reduction="add")


class _Graph:
    """Nodes and constants, as they are added."""

    def __init__(self, dtype: Any) -> None:
        import onnx

        self._onnx = onnx
        self.dtype = np.dtype(dtype)
        self.float_type = onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._arrays: list[Any] = []

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def array(self, values: Array) -> str:
        """Add a constant of floats, once; return its name."""
        return self._constant(np.ascontiguousarray(values, dtype=self.dtype))

    def number(self, value: float) -> str:
        """Add a single float; return its name."""
        return self.array(np.array(value))

    def ints(self, values: Any) -> str:
        """Add a constant of whole numbers; return its name."""
        return self._constant(np.asarray(values, dtype=np.int64))

    def _constant(self, values: Array) -> str:
        import hashlib

        values = np.asarray(values)
        digest = hashlib.sha256(values.tobytes()).digest()
        key = (values.dtype.str, values.shape, digest)
        if key not in self._constants:
            self._constants[key] = f"constant_{len(self._constants)}"
            self._arrays.append(self._onnx.numpy_helper.from_array(values, self._constants[key]))
        return self._constants[key]

    def finished(
        self,
        inputs: dict[str, tuple[Any, list[int | str]]],
        scores: str,
        tags: int,
        metadata: dict[str, str],
    ) -> ModelProto:
        """Return the model, checked."""
        helper = self._onnx.helper
        self._nodes.append(helper.make_node("Identity", [scores], [SCORES]))
        graph = helper.make_graph(
            self._nodes,
            "nertool",
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
                )
                for name, (dtype, shape) in inputs.items()
            ],
            [helper.make_tensor_value_info(SCORES, self.float_type, ["N", tags])],
            self._arrays,
        )
        made = helper.make_model(
            graph,
            producer_name="nertool",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(made, metadata)
        self._onnx.checker.check_model(made)
        return made
