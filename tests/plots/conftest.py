"""What every figure must be: readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text


@pytest.fixture
def readable() -> Callable[[Axes], None]:
    """Assert that no text of the figure is cut off and no two overlap."""
    return _assert_readable


def _assert_readable(ax: Axes) -> None:
    figure = ax.figure
    figure.canvas.draw()
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in set(_texts(figure.axes))]
    width, height = figure.bbox.width, figure.bbox.height
    cut = [
        words
        for words, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    assert not cut
    # Boxes hold the room for the tallest letters, which few words fill.
    overlapping = [
        (first, second)
        for (first, a), (second, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 2
        and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.3 * min(a.height, b.height)
    ]
    assert not overlapping


def _texts(axes: list[Axes]) -> Iterator[Text]:
    for ax in axes:
        found = [*ax.texts, ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        legend = ax.get_legend()
        found += [] if legend is None else legend.get_texts()
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
            found += [label for place, label in ticks if low <= place <= high]
        yield from (text for text in found if text.get_visible() and text.get_text().strip())
        yield from _texts([child for child in ax.child_axes if child not in ax.figure.axes])
