"""Registered components keep their contracts: `pytest --pyargs i2i.testing`."""

import pytest

from i2i.testing.outcome import CheckSkipped
from i2i.testing.registered import Case, cases


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.title, marks=[pytest.mark.slow] if case.check.slow else [])
        for case in cases()
    ],
)
def test_it_keeps_its_contract(case: Case) -> None:
    """Make one check of one component."""
    try:
        case.run()
    except CheckSkipped as reason:
        pytest.skip(str(reason))
