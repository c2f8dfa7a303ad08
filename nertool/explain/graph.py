"""The computation graph of one decision, with values (forward) and gradients (backward).

The whole network is too large to draw. The graph has the two hidden units with the largest |δ|, and one
number of x, which both units use. It shows every rule of backpropagation. Along each edge, downstream =
upstream × local. The local derivative of a sum is 1, that of a product is the other factor, that of f is
f′(z). The gradient of a node that is used in several places is the sum over these places.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.explain.numbers import short
from nertool.explain.steps import Steps, units_by_delta

UNITS = 2  # hidden units drawn


class Node(NamedTuple):
    """A node of the graph.

    name: its name in edges. label: the text drawn. value: the value of the forward pass, or None. gradient:
    ∂J/∂node. layer: from 0 for the inputs to the highest for J.
    """

    name: str
    label: str
    value: float | None
    gradient: float
    layer: int


class Edge(NamedTuple):
    """An edge from a node to one that is computed from it.

    local: the derivative of the target with respect to the source. label: its symbol.
    """

    source: str
    target: str
    local: float
    label: str


class Graph(NamedTuple):
    """A computation graph.

    nodes: in topological order, from the inputs to J. units: the hidden units drawn. column: the index of the
    number of x drawn.
    """

    nodes: list[Node]
    edges: list[Edge]
    units: tuple[int, ...]
    column: int


def draw_graph(steps: Steps, tag: str) -> Graph:
    """Build the graph of the units with the largest |δ|, and the number of x with the largest |x_j|.

    tag: the tag of the output whose score is s.
    """
    W, _, U = steps.weights
    k, u, ds = steps.k, U[steps.k], float(steps.ds[steps.k])
    j = int(np.abs(steps.x).argmax())
    x = float(steps.x[j])
    units = tuple(units_by_delta(steps)[:UNITS].tolist())
    others = np.setdiff1d(np.arange(len(u)), units)
    # The part of ∂J/∂h that comes from the other outputs.
    elsewhere = steps.dh - u * ds
    several = len(steps.s) > 1
    inputs, products, sums, hidden, terms = [], [], [], [], []
    edges: list[Edge] = []
    for i in units:
        n, w, delta = _low(i), float(W[i, j]), float(steps.delta[i])
        h, z, dh = float(steps.h[i]), float(steps.z[i]), float(steps.dh[i])
        inputs.append(Node(f"W{i}", f"W{n},{_low(j)}", w, delta * x, 0))
        products.append(Node(f"Wx{i}", f"W{n},{_low(j)} x{_low(j)}", w * x, delta, 1))
        products.append(Node(f"rest{i}", "+ rest of z", z - w * x, delta, 1))
        sums.append(Node(f"z{i}", f"z{n}", z, delta, 2))
        hidden += [
            Node(f"h{i}", f"h{n}", h, dh, 3),
            Node(f"u{i}", f"u{n}", float(u[i]), ds * h, 3),
        ]
        terms.append(Node(f"uh{i}", f"u{n} h{n}", float(u[i]) * h, ds, 4))
        edges += [
            Edge(f"W{i}", f"Wx{i}", x, f"x{_low(j)}"),
            Edge("x", f"Wx{i}", w, f"W{n},{_low(j)}"),
            Edge(f"Wx{i}", f"z{i}", 1.0, "1"),
            Edge(f"rest{i}", f"z{i}", 1.0, "1"),
            Edge(f"z{i}", f"h{i}", float(steps.f_prime[i]), "f′"),
            Edge(f"h{i}", f"uh{i}", float(u[i]), f"u{n}"),
            Edge(f"u{i}", f"uh{i}", h, f"h{n}"),
            Edge(f"uh{i}", "s", 1.0, "1"),
        ]
        if several:
            edges.append(Edge(f"h{i}", "outputs", float(elsewhere[i]), "Σ u ∂J/∂s"))
    inputs.insert(1, Node("x", f"x{_low(j)}", x, float(steps.dx[j]), 0))
    if len(others):
        through = u[others] * steps.f_prime[others] * W[others, j]
        rest = float((u[others] * steps.h[others]).sum())
        terms.append(Node("units", "other units", rest, ds, 4))
        edges += [
            Edge("x", "units", float(through.sum()), "Σ u f′ W"),
            Edge("units", "s", 1.0, "1"),
        ]
    if several:
        terms.append(Node("outputs", "other outputs", None, 1.0, 4))
        edges.append(Edge("outputs", "J", 1.0, "1"))
        if len(others):
            through = elsewhere[others] * steps.f_prime[others] * W[others, j]
            edges.append(Edge("x", "outputs", float(through.sum()), "Σ"))
    top = [Node("s", f"s {tag}", float(steps.s[k]), ds, 5), Node("J", "J", steps.J, 1.0, 6)]
    edges.append(Edge("s", "J", ds, "p − y"))
    return Graph([*inputs, *products, *sums, *hidden, *terms, *top], edges, units, j)


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _low(i: int) -> str:
    return str(i).translate(_SUBSCRIPTS)


def as_text(graph: Graph) -> list[str]:
    """Format the graph as a tree from J down to the inputs.

    Each node has a line with its value, and the product that gives its gradient. A node that is used in two
    places occurs twice.
    """
    nodes = {node.name: node for node in graph.nodes}
    width = max(len(node.label) for node in graph.nodes) + 18
    lines = []

    def draw(name: str, indent: str, branch: str, edge: Edge | None) -> None:
        node = nodes[name]
        value = "" if node.value is None else short(node.value)
        how = "1"
        if edge is not None:
            upstream = nodes[edge.target].gradient
            how = f"{short(upstream)} × {short(edge.local)} = {short(upstream * edge.local)}"
            used = [other for other in graph.edges if other.source == name]
            if len(used) > 1:
                how += f", of {short(node.gradient)} from {len(used)} places"
        head = f"{indent}{branch}{node.label}"
        lines.append(f"{head:{width}}{value:>12}   {how}")
        below = indent + ("" if edge is None else "   " if branch == "└─ " else "│  ")
        sources = [e for e in graph.edges if e.target == name]
        for at, e in enumerate(sources):
            draw(e.source, below, "└─ " if at == len(sources) - 1 else "├─ ", e)

    lines.append(f"{'node':{width}}{'value':>12}   gradient ∂J/∂node = upstream × local")
    draw("J", "", "", None)
    return lines
