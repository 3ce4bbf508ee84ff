"""HTML reports of runs; each is one self-contained file."""

from i2i.report.run_page import write_report

__all__ = ["write_report"]
