"""Pages about runs, each one self-contained HTML file."""

from i2i.report.run import write_report

__all__ = ["write_report"]
