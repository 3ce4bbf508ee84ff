"""The built-in components keep the contracts that `i2i.testing` checks."""

from pathlib import Path

import pytest
from PIL import Image

from i2i.testing import check_dataset
from i2i.testing.outcome import CheckSkipped
from i2i.testing.registered import Case, cases
from tests import segmenters
from tests.conftest import picture

LONG = {"fid", "kd", "kid"}  # large networks, or many images
WEIGHTS = {*LONG, "fd", "lpips"}
PLACES = ("train", "val", "test")


def exports(case: Case) -> bool:
    return case.check.name == "export to ONNX"


def is_slow(case: Case) -> bool:
    return case.check.slow or exports(case) or case.entry.name in LONG


def is_covered(case: Case) -> bool:
    """Whether other tests do the same at length: of exports, and of FID with many images."""
    return (exports(case) and case.entry.name != "unet") or case.entry.name == "fid_inf"


BUILT_IN = [
    pytest.param(case, id=case.title, marks=[pytest.mark.slow] if is_slow(case) else [])
    for case in cases()
    if case.entry.plugin.startswith("i2i.") and not is_covered(case)
]


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segmenters.trained(tmp_path_factory.mktemp("segmenter"))[1]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of side-by-side pairs."""
    seed = 0
    for split in PLACES:
        (tmp_path / "pairs" / split).mkdir(parents=True)
        for name in "ab":
            seed += 1
            Image.fromarray(picture(seed)).save(tmp_path / "pairs" / split / f"{name}.png")
    return tmp_path / "pairs"


@pytest.mark.parametrize("case", BUILT_IN)
def test_a_built_in_component_keeps_its_contract(
    case: Case, request: pytest.FixtureRequest
) -> None:
    name, options = case.entry.name, {}
    if name in WEIGHTS:
        request.getfixturevalue("weights")
    if name == "folders":
        options = {"root": str(request.getfixturevalue("pictures"))}
    if name == "seg_score":
        options = {"segmenter": str(request.getfixturevalue("segmenter"))}
    try:
        case.run(**options)
    except CheckSkipped as reason:
        pytest.skip(str(reason))


def test_the_real_facades_keep_the_contract(facades: Path) -> None:
    assert check_dataset("facades", root=str(facades)) == []
