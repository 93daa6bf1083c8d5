"""A directed graph drawn in layers: who uses whom points down, and arrows pass beside the boxes.

The method is Sugiyama's: cycles broken, layers by the longest path, a narrow slot in each layer that an arrow crosses,
order within a layer by the mean of the neighbours. (Sugiyama, Tagawa, Toda: Methods for Visual Understanding of
Hierarchical System Structures, IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

Edge = tuple[str, str]

SWEEPS = 24
"""Times that the order and the places are improved; the graphs of this house settle after about ten."""


@dataclass(frozen=True)
class Layout:
    """Where everything is, in units of the picture.

    Args:
        centers: the centre of each node along its layer.
        layers: nodes by layer, the lowest first.
        routes: of each edge, the centres of the slots that it passes, from its upper end to its lower one.
        upward: the routes of edges that close a cycle, and so point from the lower end to the upper one.
        width: of the whole picture.
    """

    centers: Mapping[str, float]
    layers: tuple[tuple[str, ...], ...]
    routes: Mapping[Edge, tuple[float, ...]]
    upward: frozenset[Edge]
    width: float


def lay_out(weights: Mapping[Edge, int], node_width: float, slot_width: float, gap: float) -> Layout:
    """Place the nodes of a graph.

    Args:
        weights: its edges, from the user to the used; of a cycle, the lightest edge is the one that points up.
        node_width: of a node.
        slot_width: of the room that an arrow takes in a layer which it crosses.
        gap: between two of them.
    """
    upward = _closing_cycles(weights)
    down = sorted({(b, a) if (a, b) in upward else (a, b) for a, b in weights})
    level = _levels(down)
    chains = {edge: _chain(edge, level) for edge in down}
    rows: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for node in sorted(level):
        rows[level[node]].append(node)
    for chain in chains.values():
        for slot in chain[1:-1]:
            rows[int(slot.rpartition("@")[2])].append(slot)
    neighbours: dict[str, list[str]] = {name: [] for row in rows for name in row}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            neighbours[upper].append(lower)
            neighbours[lower].append(upper)
    widths = {name: slot_width if "@" in name else node_width for name in neighbours}
    centers: dict[str, float] = {}
    for row in rows:
        _spread(row, [0.0] * len(row), widths, gap, centers)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 else reversed(rows):
            wanted = {name: _mean([centers[other] for other in neighbours[name]] or [centers[name]]) for name in row}
            row.sort(key=lambda name: (wanted[name], name))
            _spread(row, [wanted[name] for name in row], widths, gap, centers)
    left = min(centers[name] - widths[name] / 2 for name in centers)
    placed = {name: center - left for name, center in centers.items()}
    return Layout(
        centers={name: placed[name] for name in level},
        layers=tuple(tuple(name for name in row if "@" not in name) for row in rows),
        routes={edge: tuple(placed[slot] for slot in chain[1:-1]) for edge, chain in chains.items()},
        upward=frozenset((b, a) for a, b in upward),
        width=max(placed[name] + widths[name] / 2 for name in placed),
    )


def _closing_cycles(weights: Mapping[Edge, int]) -> set[Edge]:
    """Return the edges without which there is no cycle: of each cycle that is found, the lightest."""
    removed: set[Edge] = set()
    while cycle := _find_cycle(weights.keys() - removed):
        removed.add(min(cycle, key=lambda edge: (weights[edge], edge)))
    return removed


def _find_cycle(edges: set[Edge]) -> list[Edge]:
    """Return the edges of one cycle, or none."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[Edge]:
        if node in path:
            return list(pairwise([*path[path.index(node) :], node]))
        if node in done:
            return []
        for below in sorted(b for a, b in edges if a == node):
            if found := visit(below, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted({a for a, _ in edges}) if (found := visit(node, []))), [])


def _levels(down: list[Edge]) -> dict[str, int]:
    """Return the layer of each node: one above the highest that it uses."""
    levels = dict.fromkeys((name for edge in down for name in edge), 0)
    for _ in levels:
        for upper, lower in down:
            levels[upper] = max(levels[upper], levels[lower] + 1)
    return levels


def _chain(edge: Edge, level: Mapping[str, int]) -> list[str]:
    """Return an edge as its ends and, between them, a slot for each layer that it crosses."""
    upper, lower = edge
    between = range(level[upper] - 1, level[lower], -1)
    return [upper, *(f"{upper}>{lower}@{layer}" for layer in between), lower]


def _spread(
    row: list[str], wanted: list[float], widths: Mapping[str, float], gap: float, centers: dict[str, float]
) -> None:
    """Place a row as near to the wanted centres as its order and its widths allow, by least squares."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + gap)
    # Without the offsets the places must only not fall: pooled neighbours take their mean.
    pools: list[tuple[float, int]] = []
    for value in (want - offset for want, offset in zip(wanted, offsets, strict=True)):
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (second, many), (first, some) = pools.pop(), pools.pop()
            pools.append(((first * some + second * many) / (some + many), some + many))
    starts = [value for value, count in pools for _ in range(count)]
    for name, start, offset in zip(row, starts, offsets, strict=True):
        centers[name] = start + offset


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
