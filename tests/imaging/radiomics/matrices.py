"""Texture matrices by the book: slow, plain numpy, one voxel at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

Voxel = tuple[int, int, int]


def region(levels: np.ndarray) -> Iterator[tuple[Voxel, int]]:
    """Voxels inside with their levels, in memory order."""
    for voxel in np.argwhere(levels):
        yield tuple(voxel), int(levels[tuple(voxel)])


def level_at(levels: np.ndarray, voxel: np.ndarray) -> int:
    """Level of a voxel; 0 outside the region or the image."""
    inside = (voxel >= 0).all() and (voxel < levels.shape).all()
    return int(levels[tuple(voxel)]) if inside else 0


def cooccurrence(levels: np.ndarray, count: int, offsets: np.ndarray) -> np.ndarray:
    """One-way pairs [direction, level, level one step on]."""
    pairs = np.zeros((len(offsets), count, count), dtype=np.int64)
    for voxel, level in region(levels):
        for direction, step in enumerate(offsets):
            other = level_at(levels, np.add(voxel, step))
            if other:
                pairs[direction, level - 1, other - 1] += 1
    return pairs


def runs(levels: np.ndarray, count: int, offsets: np.ndarray) -> np.ndarray:
    """Runs [direction, level, length - 1], each counted at its first voxel."""
    found = np.zeros((len(offsets), count, max(levels.shape)), dtype=np.int64)
    for voxel, level in region(levels):
        for direction, step in enumerate(offsets):
            if level_at(levels, np.subtract(voxel, step)) == level:
                continue
            length = 1
            while level_at(levels, np.add(voxel, length * step)) == level:
                length += 1
            found[direction, level - 1, length - 1] += 1
    return found


def lone_lines(levels: np.ndarray, step: np.ndarray) -> bool:
    """Whether each line along the step meets the region in at most one voxel."""
    entries = []
    for voxel, _ in region(levels):
        entry = np.array(voxel)
        while (entry - step >= 0).all() and (entry - step < levels.shape).all():
            entry = entry - step
        entries.append(tuple(entry))
    return len(set(entries)) == len(entries)


def dependence(
    levels: np.ndarray, count: int, offsets: np.ndarray, tolerance: float = 0
) -> np.ndarray:
    """Voxels by [level, neighbours within tolerance]."""
    found = np.zeros((count, 2 * len(offsets) + 1), dtype=np.int64)
    for voxel, level in region(levels):
        others = neighbour_levels(levels, voxel, offsets)
        found[level - 1, sum(abs(other - level) <= tolerance for other in others)] += 1
    return found


def tone(
    levels: np.ndarray, count: int, offsets: np.ndarray, *, isolated: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Voxels and summed difference from the mean of the neighbours, by level."""
    voxels, differences = np.zeros(count, dtype=np.int64), np.zeros(count)
    for voxel, level in region(levels):
        others = neighbour_levels(levels, voxel, offsets)
        if others or isolated:
            voxels[level - 1] += 1
            differences[level - 1] += abs(level - np.mean(others)) if others else 0
    return voxels, differences


def neighbour_levels(levels: np.ndarray, voxel: Voxel, offsets: np.ndarray) -> list[int]:
    """Levels of the neighbours inside, both ways along each offset."""
    around = [level_at(levels, np.add(voxel, s * step)) for step in offsets for s in (1, -1)]
    return [level for level in around if level]


def zones(
    levels: np.ndarray, offsets: np.ndarray, distances: np.ndarray | None = None
) -> np.ndarray:
    """Level and size, with distances the smallest of them too, of each zone."""
    left = dict(region(levels))
    found = []
    while left:
        seed, level = next(iter(left.items()))
        zone, edge = [], [seed]
        del left[seed]
        while edge:
            voxel = edge.pop()
            zone.append(voxel)
            for step in (*offsets, *-offsets):
                near = tuple(np.add(voxel, step))
                if left.get(near) == level:
                    del left[near]
                    edge.append(near)
        least = [] if distances is None else [min(int(distances[voxel]) for voxel in zone)]
        found.append([level, len(zone), *least])
    return np.array(found, dtype=np.int64)


def border_distances(mask: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Peel the mask layer by layer along steps over faces."""
    faces = offsets[np.abs(offsets).sum(axis=1) == 1]
    depth = np.zeros(mask.shape, dtype=np.int64)
    rest = mask.astype(np.int64)
    layer = 0
    while rest.any():
        layer += 1
        shell = [
            voxel
            for voxel, _ in region(rest)
            if len(neighbour_levels(rest, voxel, faces)) < 2 * len(faces)
        ]
        for voxel in shell:
            depth[voxel] = layer
            rest[voxel] = 0
    return depth
