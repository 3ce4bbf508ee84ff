"""The records under docs/results, which version 0.1 wrote, are read by every later version."""

from pathlib import Path

import pytest

from i2i.studies.images import ROWS
from i2i.studies.record import Record, read_records
from tests.conftest import ROOT

STUDIES = sorted((ROOT / "docs" / "results").glob("*/records"))


@pytest.fixture(params=STUDIES, ids=lambda folder: folder.parent.name)
def records(request: pytest.FixtureRequest) -> list[Record]:
    folder: Path = request.param
    return read_records(folder)


def test_they_have_their_images_and_their_bootstrap(records: list[Record]) -> None:
    assert records
    for record in records:
        assert len(record.outputs()) == len(record.pairs()) == ROWS
        assert record.recipe.eval.bootstrap == 1000
        assert len(record.evaluation["details"]["fid"]["bootstrap"]) == 1000
