"""Declares the marker of slow checks where `pytest --pyargs i2i.testing` runs."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
