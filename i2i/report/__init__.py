"""Pages about runs, each one self-contained HTML file."""

from i2i.report.run_page import write_report

__all__ = ["write_report"]
