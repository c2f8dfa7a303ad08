"""Build an ONNX graph by adding nodes and constants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nertool.network.activations import Array

if TYPE_CHECKING:
    from onnx import ModelProto


OPSET = 18  # opset of the end of 2022

IR_VERSION = 9

SCORES = "scores"


class GraphBuilder:
    """Collects the nodes and constants of a graph."""

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
        """Add a constant array of floats, once; return its name."""
        return self._constant(np.ascontiguousarray(values, dtype=self.dtype))

    def number(self, value: float) -> str:
        """Add a single float; return its name."""
        return self.array(np.array(value))

    def ints(self, values: Any) -> str:
        """Add a constant of integers; return its name."""
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
        """Return the finished model, checked by onnx."""
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
