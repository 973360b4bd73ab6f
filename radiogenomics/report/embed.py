"""Figures as part of the page: SVG that is the same bytes for the same table."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes

PAGE_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
PIXELS_PER_INCH = 104
"""Slightly over CSS's 96, so that 9 point text in a figure is as large as the text around it."""
CROWD_DPI = 220
"""Of crowds of points, which are pixels in the drawing."""


@dataclass(frozen=True)
class Picture:
    """A figure ready for the page.

    Parameters
    ----------
    uri
        ``data:`` address of the drawing.
    width
        CSS pixels.
    alt
        What it shows, for those who do not see it.
    caption
        Below it.
    table
        Name of the table behind it.
    """

    uri: str
    width: int
    alt: str
    caption: str
    table: str


def picture(ax: Axes, *, alt: str, caption: str, table: str) -> Picture:
    """Embed the figure of ``ax``."""
    width = round(ax.figure.get_size_inches()[0] * PIXELS_PER_INCH)
    encoded = base64.b64encode(to_svg(ax).encode()).decode("ascii")
    return Picture(f"data:image/svg+xml;base64,{encoded}", width, alt, caption, table)


def to_svg(ax: Axes) -> str:
    """Draw the figure of ``ax`` as SVG without a date, with fixed ids and text kept as text.

    Text is set by the browser, which knows more scripts than the font that measured it.
    """
    settings = {
        "svg.hashsalt": "radiogenomics",
        "svg.fonttype": "none",
        "font.sans-serif": ["DejaVu Sans"],
    }
    stream = io.StringIO()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        ax.figure.savefig(
            stream,
            format="svg",
            dpi=CROWD_DPI,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    return svg.replace("'DejaVu Sans', sans-serif", PAGE_FONTS)
