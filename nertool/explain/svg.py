"""Draw a computation graph as SVG, from J at the top down to the inputs, narrow enough for a telephone.

A node shows its value (forward) above its gradient. An edge shows its local derivative.
"""

from __future__ import annotations

from nertool.explain.graph import Graph, Node
from nertool.explain.numbers import short
from nertool.pages.page import escaped

_WIDTH, _HEIGHT = 86, 46  # size of a node
_GAP, _ROW = 10, 92  # gap between the nodes of a row; distance from one row to the next
_MARGIN = 6


def as_svg(graph: Graph) -> str:
    """Return the SVG of a graph, with a row for each layer."""
    layers = 1 + max(node.layer for node in graph.nodes)
    rows = [[node for node in graph.nodes if node.layer == layer] for layer in range(layers)]
    widest = max(map(len, rows))
    width = 2 * _MARGIN + widest * (_WIDTH + _GAP) - _GAP
    height = 2 * _MARGIN + (layers - 1) * _ROW + _HEIGHT
    place: dict[str, tuple[float, float]] = {}
    for layer, row in enumerate(rows):
        # The nodes of a row are evenly spaced, so that most edges are nearly vertical.
        step = (width - 2 * _MARGIN) / len(row)
        for i, node in enumerate(row):
            x = _MARGIN + step * (i + 0.5) - _WIDTH / 2
            place[node.name] = (x, _MARGIN + (layers - 1 - layer) * _ROW)
    parts = [
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{1.5 * width:.0f}px" role="img" '
        'aria-label="computation graph" xmlns="http://www.w3.org/2000/svg">'
    ]
    labels = []
    for edge in graph.edges:
        (x1, y1), (x2, y2) = place[edge.source], place[edge.target]
        x1, x2, y2 = x1 + _WIDTH / 2, x2 + _WIDTH / 2, y2 + _HEIGHT
        bend = (y1 + y2) / 2
        parts.append(
            f'<path class="edge" d="M{x1:.0f} {y1:.0f} C{x1:.0f} {bend:.0f} {x2:.0f} {bend:.0f} '
            f'{x2:.0f} {y2:.0f}"/>'
        )
        if edge.label != "1":
            # The label is near the source. If a node has several outgoing edges, it is near each target,
            # where the edges are apart.
            fans_out = sum(other.source == edge.source for other in graph.edges) > 1
            share, y = (0.78, y2 + 13) if fans_out else (0.22, y1 - 14)
            x = min(max(x1 + (x2 - x1) * share, 34), width - 34)
            labels.append(
                f'<text class="local" x="{x:.0f}" y="{y:.0f}">{escaped(edge.label)}</text>'
                f'<text class="local" x="{x:.0f}" y="{y + 11:.0f}">{short(edge.local)}</text>'
            )
    parts += labels
    parts += [_node(node, *place[node.name]) for node in graph.nodes]
    parts.append("</svg>")
    return "".join(parts)


def _node(node: Node, x: float, y: float) -> str:
    label = node.label if len(node.label) <= 14 else node.label[:13] + "…"
    value = "" if node.value is None else short(node.value)
    return (
        f'<g transform="translate({x:.0f} {y:.0f})"><title>{escaped(node.label)}</title>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text class="label" x="{_WIDTH / 2}" y="14">{escaped(label)}</text>'
        f'<text class="value" x="{_WIDTH / 2}" y="28">{value}</text>'
        f'<text class="gradient" x="{_WIDTH / 2}" y="41">{short(node.gradient)}</text></g>'
    )
