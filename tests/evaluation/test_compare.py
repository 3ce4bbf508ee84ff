"""Results side by side: only where they were measured alike."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import i2i
from i2i.errors import I2IError
from i2i.evaluation.compare import compare
from tests.conftest import picture

Make = Callable[..., Path]


@pytest.fixture
def measured(folder: Make) -> tuple[Path, Path, Path]:
    """Two folders of outputs, measured, and their targets."""
    one, other, targets = folder("a", range(3)), folder("b", range(1, 4)), folder("t", range(3))
    for outputs in (one, other):
        i2i.evaluate(outputs, ["l1", "psnr"], against=targets)
    return one, other, targets


def test_the_better_one_is_named_whichever_way_a_metric_points(
    measured: tuple[Path, Path, Path], folder: Make
) -> None:
    worse = folder("c", range(5, 8))
    i2i.evaluate(worse, ["l1", "psnr"], against=measured[2])
    found = compare([measured[1], worse])
    values = [details["value"] for details in found.rows["l1"]]
    assert found.best["l1"] == [values.index(min(values))]
    assert found.rows["psnr"][0]["value"] != found.rows["psnr"][1]["value"]


def test_other_targets_are_refused_with_what_differs(measured: tuple[Path, Path, Path]) -> None:
    one, other, targets = measured
    Image.fromarray(picture(50)).save(targets / "000.png")
    i2i.evaluate(other, ["l1"], against=targets)
    with pytest.raises(I2IError, match=r"l1: targets is .* but .*"):
        compare([one, other])
    assert compare([one, other], ["targets"]).differing


def test_another_version_is_refused_unless_overlooked(measured: tuple[Path, Path, Path]) -> None:
    one, other, _ = measured
    document = json.loads((other / "metrics.json").read_text())
    for details in document["details"].values():
        details["fingerprint"]["versions"]["torch"] = "1.0"
    (other / "metrics.json").write_text(json.dumps(document))
    with pytest.raises(I2IError, match=r"(?s)versions.torch is .*--despite versions") as caught:
        compare([one, other])
    assert str(caught.value).count("--despite") == 1
    assert len(compare([one, other], ["versions"]).rows) == 2


def test_what_was_not_measured_is_told(folder: Make, tmp_path: Path) -> None:
    with pytest.raises(I2IError, match="hasn't been measured"):
        compare([folder("a", range(1)), folder("b", range(1))])
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(I2IError, match="is not what i2i eval writes"):
        compare([tmp_path / "x.json", tmp_path / "x.json"])
