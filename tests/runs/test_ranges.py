"""Images that use hardly any of the values from black to white are told before the first step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from i2i.datasets.decoded import decode
from i2i.datasets.folders import Folders
from i2i.datasets.synthetic import Synthetic
from i2i.errors import DataError
from i2i.images import write_picture
from i2i.runs.data import Splits
from i2i.runs.ranges import narrow_ranges
from tests.processes import Run


def noise(low: float, high: float, dtype: Any, channels: int = 1, seed: int = 0) -> np.ndarray:
    unit = np.random.default_rng(seed).random((16, 16, channels))
    return np.rint(low + unit * (high - low)).astype(dtype)


def pairs(root: Path, inputs: np.ndarray, targets: np.ndarray, split: str = "train") -> Path:
    for side, samples in (("in", inputs), ("out", targets)):
        (root / side / split).mkdir(parents=True, exist_ok=True)
        for i in range(4):
            tifffile.imwrite(root / side / split / f"{i}.tif", samples.squeeze())
    return root


def opened(root: Path, **options: Any) -> Folders:
    modes = {"input_mode": "gray", "target_mode": "gray"} | options
    return Folders(root, input_dir="in", target_dir="out", **modes)


def lines(data: Any) -> list[str]:
    train, val, test = (decode(data, split, (16, 16)) for split in ("train", "val", "test"))
    return list(narrow_ranges(Splits(train, val, test), data))


@pytest.mark.parametrize(
    ("targets", "depth", "said"),
    [
        (noise(0, 1, np.uint8), 8, "from 0 to 1 (of 0 to 255)"),
        (noise(0, 20, np.uint8), 8, "from 0 to 20 (of 0 to 255)"),
        (noise(0, 4095, np.uint16), 8, "from 0 to 16 (of 0 to 255)"),
        (noise(0, 1023, np.uint16), 16, "(of 0 to 65,535)"),
        (noise(32000, 34000, np.uint16), 16, "(of 0 to 65,535)"),
        (np.full((16, 16, 1), 7, np.uint8), 8, "from 7 to 7"),
    ],
)
def test_a_side_that_uses_a_few_shades_is_told_with_the_keys_that_help(
    tmp_path: Path, targets: np.ndarray, depth: Any, said: str
) -> None:
    root = pairs(tmp_path, noise(0, np.iinfo(targets.dtype).max, targets.dtype), targets)
    for _ in range(2):  # decoded, and from the cache
        (line,) = lines(opened(root, depth=depth))
        assert line.startswith("train: all values of the targets are ")
        assert said in line
        assert "data.target_float_range" in line
        assert 'data.target_mode = "labels"' in line


def test_the_keys_that_help_do_help(tmp_path: Path) -> None:
    root = pairs(tmp_path, noise(0, 255, np.uint8), noise(0, 1, np.uint8))
    assert len(lines(opened(root))) == 1
    assert lines(opened(root, target_float_range=(0, 1))) == []
    assert lines(opened(root, target_mode="labels", target_classes=2)) == []


def test_each_split_and_side_has_its_line_and_full_ranges_have_none(tmp_path: Path) -> None:
    root = pairs(tmp_path, noise(0, 3, np.uint8), noise(0, 2, np.uint8))
    pairs(root, noise(0, 255, np.uint8), noise(0, 2, np.uint8), "test")
    assert [line.partition(" are from ")[0] for line in lines(opened(root))] == [
        "train: all values of the inputs",
        "train: all values of the targets",
        "test: all values of the targets",
    ]
    assert lines(Synthetic(train=2, val=2, test=2)) == []


def test_a_range_wider_than_the_values_is_told_too(tmp_path: Path) -> None:
    root = pairs(tmp_path, noise(0, 40, np.float32), noise(0, 1000, np.float32))
    (line,) = lines(opened(root, float_range=(0, 1000)))
    assert "data.input_float_range" in line


# Which side a range holds for


def test_a_range_scales_12_bits_to_the_whole_range(tmp_path: Path) -> None:
    samples = noise(0, 4095, np.uint16)
    root = pairs(tmp_path, samples, samples)
    decoded = decode(opened(root, depth=16, float_range=(0, 4095)), "train", (16, 16))
    expected = np.rint(samples[..., 0] / 4095 * 65535)
    for channel in decoded.array[0]:
        np.testing.assert_allclose(channel, expected, atol=1)


@pytest.mark.parametrize("deep", [np.float32, np.uint16])
def test_a_shared_range_leaves_8_bits_beside_deeper_values_alone(tmp_path: Path, deep: Any) -> None:
    heights, photo = noise(0, 600, deep), noise(0, 255, np.uint8)
    root = pairs(tmp_path, heights, photo)
    inputs, targets = opened(root, float_range=(0, 600)).specs
    assert (inputs.float_range, targets.float_range) == ((0, 600), None)
    decoded = decode(opened(root, float_range=(0, 600)), "train", (16, 16))
    np.testing.assert_array_equal(decoded.array[0, 1], photo[..., 0])
    own = opened(root, float_range=(0, 600), target_float_range=(0, 100)).specs
    assert own[1].float_range == (0, 100)


def test_a_shared_range_holds_for_two_sides_of_8_bits(tmp_path: Path) -> None:
    root = pairs(tmp_path, noise(0, 9, np.uint8), noise(0, 9, np.uint8))
    decoded = decode(opened(root, float_range=(0, 9)), "train", (16, 16))
    assert decoded.ranges == ((0, 255), (0, 255))


@pytest.mark.parametrize("key", ["float_range", "input_float_range", "target_float_range"])
def test_a_range_without_extent_is_named(tmp_path: Path, key: str) -> None:
    root = pairs(tmp_path, noise(0, 9, np.uint8), noise(0, 9, np.uint8))
    with pytest.raises(DataError, match=rf"data\.{key}: black and white are both 3"):
        opened(root, **{key: (3, 3)})


def test_a_run_tells_it_before_its_first_step(
    i2i: Callable[..., Run], write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    for side, top in (("in", 255), ("out", 1)):
        for split in ("train", "test"):
            (tmp_path / "data" / side / split).mkdir(parents=True)
            for i in range(2):
                path = tmp_path / "data" / side / split / f"{i}.png"
                write_picture(path, noise(0, top, np.uint8, seed=i))
    recipe = write_recipe(
        data={"type": "folders", "root": "data", "input_dir": "in", "target_dir": "out"},
        augment={"load_size": 32},
        train={"max_steps": 1},
        validation={"every": 0},
    )
    run = i2i("run", recipe, "--out", "r")
    assert run.status == 0, run.errors
    told, trained = run.output.index("from 0 to 1 "), run.output.index("step 1/1")
    assert told < trained
    assert run.output.count("NOTICE: ") == 2
