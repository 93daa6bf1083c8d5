"""A graph of packages as an SVG: boxes in storeys, colours by what they import, an arrow for each import."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from html import escape

from layered import Edge, Layout, lay_out

BOX_WIDTH, BOX_HEIGHT, STOREY, MARGIN, SLAB = 168, 74, 126, 20, 64

COLORS = {"tensorflow": "#fde3c8", "onnx": "#d6e6fb", "onnxruntime": "#d9f0dc", "": "#eceef1"}
"""Of a box, by the heaviest package that it imports."""

LEGEND = {
    "tensorflow": "imports TensorFlow",
    "onnx": "imports onnx",
    "onnxruntime": "imports ONNX Runtime",
    "": "imports none of these",
}

STYLE = (
    "text{font-family:system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2328;text-anchor:middle}"
    ".name{font-size:14px;font-weight:600}.small{font-size:10.5px;fill:#57606a}.left{text-anchor:start}"
    "rect{stroke:#8c959f;stroke-width:1}path{fill:none;stroke:#6e7781;stroke-width:1.3}"
    ".upward{stroke:#cf222e;stroke-dasharray:4 3}.head{fill:#6e7781;stroke:none}.paper{fill:#fff;stroke:none}"
)

HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
)


def draw(
    weights: Mapping[Edge, int],
    used: Mapping[str, set[str]],
    roof: tuple[str, str] | None = None,
    ground: tuple[str, str] | None = None,
) -> str:
    """Draw a graph.

    Args:
        weights: how often the first of each pair imports the second.
        used: the packages of others that each box imports.
        roof: name and text of a slab above everything, which has no arrows.
        ground: the same below everything.
    """
    layout = lay_out(weights, BOX_WIDTH, 14, 22)
    width = round(layout.width) + 2 * MARGIN
    top = MARGIN + (SLAB + 24 if roof else 0)
    tops = {
        name: top + (len(layout.layers) - 1 - level) * STOREY
        for level, names in enumerate(layout.layers)
        for name in names
    }
    bottom = max(tops.values()) + BOX_HEIGHT
    height = bottom + (SLAB + 24 if ground else 0) + 34 + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{STYLE}</style>{HEAD}",
        f'<rect class="paper" width="{width}" height="{height}" rx="8"/>',
        *_arrows(layout, tops, weights),
        *(_box(name, layout.centers[name] + MARGIN, y, used.get(name, set())) for name, y in tops.items()),
        *([_slab(roof, MARGIN, width)] if roof else []),
        *([_slab(ground, bottom + 24, width)] if ground else []),
        *_legend(height, used),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arrows(layout: Layout, tops: Mapping[str, int], weights: Mapping[Edge, int]) -> Iterator[str]:
    """Yield an arrow for each edge, curved between storeys and straight beside the boxes that it passes."""
    leaving, arriving = _ports(layout, 0), _ports(layout, 1)
    for edge, slots in layout.routes.items():
        x, y = leaving[edge], tops[edge[0]] + BOX_HEIGHT
        path = f"M{x:.0f} {y}"
        for place, end in enumerate([*(slot + MARGIN for slot in slots), arriving[edge]]):
            below = y + STOREY - BOX_HEIGHT
            middle = (y + below) // 2
            path += f"C{x:.0f} {middle} {end:.0f} {middle} {end:.0f} {below}"
            if place < len(slots):
                path += f"V{below + BOX_HEIGHT}"
            x, y = end, below + BOX_HEIGHT
        up = ' class="upward" marker-start="url(#head)"' if edge in layout.upward else ""
        down = ' marker-end="url(#head)"' if edge in weights else ""
        yield f'<path d="{path}"{up}{down}/>'


def _ports(layout: Layout, end: int) -> dict[Edge, float]:
    """Return where each edge leaves its upper box (0) or arrives at its lower one (1), in the order of the far ends."""
    centers, places = layout.centers, dict[Edge, float]()
    for box in centers:
        own = [edge for edge in layout.routes if edge[end] == box]
        stops = {edge: [centers[edge[0]], *layout.routes[edge], centers[edge[1]]] for edge in own}
        own.sort(key=lambda edge: (stops[edge][-2 if end else 1], edge))
        for place, edge in enumerate(own, start=1):
            places[edge] = MARGIN + centers[box] + 0.9 * BOX_WIDTH * (place / (len(own) + 1) - 0.5)
    return places


def _box(name: str, center: float, top: int, packages: set[str]) -> str:
    lines = "".join(
        f'<text class="small" x="{center:.0f}" y="{top + 38 + 12 * place}">{escape(text)}</text>'
        for place, text in enumerate(textwrap.wrap(", ".join(sorted(packages)), 30))
    )
    return (
        f'<rect x="{center - BOX_WIDTH / 2:.0f}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
        f'fill="{COLORS[_heaviest(packages)]}"/><text class="name" x="{center:.0f}" y="{top + 22}">{name}</text>{lines}'
    )


def _slab(texts: tuple[str, str], top: int, width: int) -> str:
    name, text = texts
    lines = "".join(
        f'<text class="small" x="{width // 2}" y="{top + 38 + 14 * place}">{escape(line)}</text>'
        for place, line in enumerate(textwrap.wrap(text, width // 7))
    )
    return (
        f'<rect x="{MARGIN}" y="{top}" width="{width - 2 * MARGIN}" height="{SLAB}" rx="6" fill="{COLORS[""]}"/>'
        f'<text class="name" x="{width // 2}" y="{top + 22}">{escape(name)}</text>{lines}'
    )


def _legend(height: int, used: Mapping[str, set[str]]) -> Iterator[str]:
    """Draw what the colours mean, of those that occur."""
    x = MARGIN
    found = {_heaviest(packages) for packages in used.values()}
    for name in (name for name in COLORS if name in found):
        yield f'<rect x="{x}" y="{height - 32}" width="12" height="12" rx="2" fill="{COLORS[name]}"/>'
        yield f'<text class="small left" x="{x + 18}" y="{height - 22}">{LEGEND[name]}</text>'
        x += 40 + 6 * len(LEGEND[name])


def _heaviest(packages: set[str]) -> str:
    return next((name for name in COLORS if name in packages), "")
