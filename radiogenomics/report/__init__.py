"""An output folder → one HTML page that opens offline."""

from radiogenomics.report.content import ReportContent, read_content
from radiogenomics.report.page import render

__all__ = ["ReportContent", "read_content", "render"]
