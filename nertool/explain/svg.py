"""A computation graph as SVG: values forward in blue on top of a node, gradients back in red below it."""

from __future__ import annotations

from html import escape

from nertool.explain.graph import Graph, Node

_WIDTH, _HEIGHT = 112, 46  # of a node
_COLUMN, _ROW = 172, 62  # from one node to the next
_MARGIN = 12


def as_svg(graph: Graph) -> str:
    """Draw a graph from left to right: the inputs in a column, then each layer beside the one before."""
    inputs = [node for node in graph.nodes if node.layer == 0]
    middle = (len(inputs) - 1) / 2
    place: dict[str, tuple[float, float]] = {}
    for layer in range(6):
        own = [node for node in graph.nodes if node.layer == layer]
        for i, node in enumerate(own):
            # The node that leads on to s stands in the middle, what joins it there above and below.
            on_line = next((k for k, n in enumerate(own) if n.name == "uh"), 0)
            row = float(i) if layer == 0 else middle + (i - on_line) * 1.6
            place[node.name] = (_MARGIN + layer * _COLUMN, _MARGIN + 14 + row * _ROW)
    width = 2 * _MARGIN + 5 * _COLUMN + _WIDTH
    height = 2 * _MARGIN + 28 + (len(inputs) - 1) * _ROW + _HEIGHT
    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="computation graph" '
        'xmlns="http://www.w3.org/2000/svg">'
    ]
    for edge in graph.edges:
        (x1, y1), (x2, y2) = place[edge.source], place[edge.target]
        x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT / 2, y2 + _HEIGHT / 2
        bend = (x1 + x2) / 2
        parts.append(
            f'<path class="edge" d="M{x1:.0f} {y1:.0f} C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} '
            f'{x2:.0f} {y2:.0f}"/>'
        )
        if edge.label not in ("", "+"):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            parts.append(
                f'<text class="local" x="{x:.0f}" y="{y - 8:.0f}">{escape(edge.label)}</text>'
                f'<text class="local" x="{x:.0f}" y="{y + 14:.0f}">{edge.local:.4g}</text>'
            )
    parts += [_node(node, *place[node.name]) for node in graph.nodes]
    parts.append("</svg>")
    return "".join(parts)


def _node(node: Node, x: float, y: float) -> str:
    label = node.label if len(node.label) <= 14 else node.label[:13] + "…"
    value = "" if node.value is None else f"{node.value:.4f}"
    return (
        f'<g transform="translate({x:.0f} {y:.0f})"><title>{escape(node.label)}</title>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text class="label" x="{_WIDTH / 2}" y="14">{escape(label)}</text>'
        f'<text class="value" x="{_WIDTH / 2}" y="28">{value}</text>'
        f'<text class="gradient" x="{_WIDTH / 2}" y="41">{node.gradient:.4g}</text></g>'
    )
