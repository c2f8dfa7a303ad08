"""The computation graph of one decision, through one hidden unit: values forward, gradients back.

At every edge downstream = upstream × local, and a node that is used in several places sums what comes
back; so the gradients can be checked with a pencil, node by node.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nertool.explain.steps import Steps
from nertool.network.activations import Array


class Node(NamedTuple):
    """name: how edges call it; label: as it is drawn; value: forward, None where there is none to
    show; gradient: ∂J/∂node; layer: how far from the inputs it stands."""

    name: str
    label: str
    value: float | None
    gradient: float
    layer: int


class Edge(NamedTuple):
    """From a node to one that is made of it; local: the local derivative."""

    source: str
    target: str
    local: float
    label: str


class Graph(NamedTuple):
    """In topological order: inputs first, J last. unit: which hidden unit it goes through."""

    nodes: list[Node]
    edges: list[Edge]
    unit: int


def strongest_unit(steps: Steps) -> int:
    """Return the hidden unit that has the largest part in s_k."""
    return int(np.abs(steps.weights.U[steps.k] * steps.h).argmax())


def draw_graph(steps: Steps, parts: Array, names: list[str], tag: str) -> Graph:
    """Build the graph of unit i: parts (parts + 1, H) of z, named, the last of them b."""
    i, k = strongest_unit(steps), steps.k
    u, ds = float(steps.weights.U[k, i]), float(steps.ds[k])
    h, delta, dh = float(steps.h[i]), float(steps.delta[i]), float(steps.dh[i])
    product = u * h
    others = dh - u * ds
    nodes = [
        Node(f"a{c}", name, float(part), delta, 0)
        for c, (name, part) in enumerate(zip([*names, "b"], parts[:, i], strict=True))
    ]
    edges = [Edge(node.name, "z", 1.0, "+") for node in nodes]
    nodes += [
        Node("z", f"z{_low(i)}", float(steps.z[i]), delta, 1),
        Node("h", f"h{_low(i)}", h, dh, 2),
        Node("uh", f"u{_low(i)} h{_low(i)}", product, ds, 3),
        Node("rest", "other units", float(steps.s[k]) - product, ds, 3),
    ]
    edges += [
        Edge("z", "h", float(steps.f_prime[i]), "f′"),
        Edge("h", "uh", u, "u"),
    ]
    if len(steps.s) > 1:
        nodes.insert(-2, Node("others", "other outputs", None, 1.0, 3))
        edges += [Edge("h", "others", others, "Σ u ∂J/∂s"), Edge("others", "J", 1.0, "")]
    nodes += [
        Node("s", f"s {tag}", float(steps.s[k]), ds, 4),
        Node("J", "J", steps.J, 1.0, 5),
    ]
    edges += [
        Edge("uh", "s", 1.0, "+"),
        Edge("rest", "s", 1.0, "+"),
        Edge("s", "J", ds, "p − y"),
    ]
    return Graph(nodes, edges, i)


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _low(i: int) -> str:
    return str(i).translate(_SUBSCRIPTS)


def as_text(graph: Graph) -> list[str]:
    """Draw the graph as a tree from J down to the inputs: a line a node, with its value, its gradient,
    and how that comes from the node above."""
    nodes = {node.name: node for node in graph.nodes}
    width = max(len(node.label) for node in graph.nodes) + 12
    lines = []

    def draw(name: str, indent: str, branch: str, edge: Edge | None) -> None:
        node = nodes[name]
        value = "" if node.value is None else f"{node.value:10.4f}"
        how = "1"
        if edge is not None:
            upstream = nodes[edge.target].gradient
            part = upstream * edge.local
            how = f"{upstream:.4g} × {edge.local:.4g}"
            how += f" = {part:.4g}"
            used = [other for other in graph.edges if other.source == name]
            if len(used) > 1:
                how += f", of {node.gradient:.4g} from {len(used)} places"
        head = f"{indent}{branch}{node.label}"
        lines.append(f"{head:{width}}{value:>12}   {how}")
        below = indent + ("" if edge is None else "   " if branch == "└─ " else "│  ")
        # A tree: h, which is used in two places, is drawn where the class in question uses it.
        sources = [e for e in graph.edges if e.target == name and name != "others"]
        for at, e in enumerate(sources):
            draw(e.source, below, "└─ " if at == len(sources) - 1 else "├─ ", e)

    lines.append(f"{'node':{width}}{'value':>12}   gradient ∂J/∂node = upstream × local")
    draw("J", "", "", None)
    return lines
