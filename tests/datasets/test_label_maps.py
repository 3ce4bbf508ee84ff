"""Label maps whose classes were lost or exchanged: refused with a list, by content."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features

from i2i.datasets.decoded import decode
from i2i.datasets.folders import Folders
from i2i.datasets.info import DatasetInfo, dataset_info
from i2i.errors import DataError
from i2i.images import pixels_of, read
from i2i.images.spec import ImageSpec

Array = NDArray[Any]
Colours = Sequence[tuple[int, int, int]]

BLACK, RED, GREEN, BLUE = (0, 0, 0), (200, 0, 0), (0, 200, 0), (0, 0, 200)


def labels(seed: int = 0, classes: int = 3) -> Array:
    coarse = np.random.default_rng(seed).integers(0, classes, (4, 4))
    coarse[0, :classes] = range(classes)
    return np.kron(coarse, np.ones((4, 4), int)).astype(np.uint8)


def data(root: Path, files: dict[str, Image.Image], **options: Any) -> Folders:
    """Pairs of these label maps with photos; the names are `SPLIT/NAME.SUFFIX:FORMAT`."""
    for name, image in files.items():
        place, _, form = name.partition(":")
        path = root / "maps" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, form or None, **options)
        photo = root / "photos" / path.relative_to(root / "maps").with_suffix(".png")
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", image.size).save(photo)
    return Folders(
        root, input_dir="maps", target_dir="photos", input_mode="labels", input_classes=8
    )


def drawn(classes: Array, colours: Colours) -> Image.Image:
    """A palette image that shows classes in the first of the colours, listed in any order."""
    order = sorted(range(len(colours)), key=lambda i: (BLACK, RED, GREEN, BLUE).index(colours[i]))
    image = Image.fromarray(np.array(order, np.uint8)[classes])
    image.putpalette([value for colour in colours for value in colour])
    return image


# Loss


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 100}),
        ("MPO", {}),
        ("JPEG2000", {"irreversible": True, "quality_layers": [20]}),
        ("TIFF", {"compression": "jpeg"}),
        ("WEBP", {}),
        ("AVIF", {}),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_maps_compressed_with_loss_are_refused_whatever_their_name(
    tmp_path: Path, form: str, options: dict[str, Any], suffix: str
) -> None:
    if form == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    maps = {f"train/{i}{suffix}:{form}": Image.fromarray(labels(i)) for i in range(3)}
    with pytest.raises(DataError) as caught:
        decode(data(tmp_path, maps, **options), "train", (16, 16))
    assert len(caught.value.problems) == 3
    for i, problem in enumerate(caught.value.problems):
        assert f"{i}{suffix}" in problem
        assert "label map" in problem


def test_a_lossy_map_in_memory_is_refused_too(tmp_path: Path) -> None:
    Image.fromarray(labels()).save(tmp_path / "map.jpg")
    with pytest.raises(DataError, match="with loss"):
        pixels_of(Image.open(tmp_path / "map.jpg"), "labels")
    assert pixels_of(Image.open(tmp_path / "map.jpg"), "gray").shape == (16, 16, 1)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", {}),
        (".gif", {}),
        (".bmp", {}),
        (".tif", {}),
        (".tif", {"compression": "tiff_lzw"}),
        (".tif", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_maps_of_lossless_kinds_keep_every_class(
    tmp_path: Path, suffix: str, options: dict[str, Any]
) -> None:
    for image in (Image.fromarray(labels()), drawn(labels(), [BLACK, RED, GREEN])):
        image.save(tmp_path / f"map{suffix}", **options)
        np.testing.assert_array_equal(
            read(tmp_path / f"map{suffix}", "labels")[..., 0], np.asarray(image)
        )


# Palettes


@pytest.mark.parametrize("suffix", [".png", ".tif", ".gif", ".bmp"])
def test_palettes_in_another_order_are_listed(tmp_path: Path, suffix: str) -> None:
    orders = [[BLACK, RED, GREEN], [BLACK, RED, GREEN], [RED, BLACK, GREEN], [BLACK, GREEN, RED]]
    maps = {f"train/{i}{suffix}": drawn(labels(i), order) for i, order in enumerate(orders)}
    with pytest.raises(DataError) as caught:
        decode(data(tmp_path, maps, optimize=False), "train", (16, 16))
    assert len(caught.value.problems) == 2
    for i, problem in zip((2, 3), caught.value.problems, strict=True):
        assert f"maps/train/{i}{suffix}:" in problem
        assert "palette" in problem


def test_palettes_of_two_splits_are_compared(tmp_path: Path) -> None:
    maps = {
        "train/a.png": drawn(labels(), [BLACK, RED, GREEN]),
        "test/a.png": drawn(labels(), [GREEN, RED, BLACK]),
    }
    dataset = data(tmp_path, maps)
    assert decode(dataset, "train", (16, 16)).names == ("a",)
    with pytest.raises(DataError, match="palette"):
        decode(dataset, "test", (16, 16))


def test_palettes_with_only_the_colours_of_their_own_map_are_compared(tmp_path: Path) -> None:
    """As programs write them that keep only used colours: class 1 is red here, green there."""
    two = labels(classes=2)
    maps = {"train/a.png": drawn(two, [BLACK, RED]), "train/b.png": drawn(two, [BLACK, GREEN])}
    with pytest.raises(DataError, match=r"b\.png.*class 1.*no class"):
        decode(data(tmp_path, maps), "train", (16, 16))


def test_a_colour_beyond_the_end_of_other_palettes_is_compared(tmp_path: Path) -> None:
    four = labels(classes=4)
    maps = {
        "train/a.png": drawn(labels(), [BLACK, RED, GREEN]),
        "train/b.png": drawn(four, [BLACK, RED, BLUE, GREEN]),
    }
    with pytest.raises(DataError, match=r"b\.png"):
        decode(data(tmp_path, maps), "train", (16, 16))


def test_longer_palettes_unused_colours_and_maps_without_any_are_fine(tmp_path: Path) -> None:
    other = drawn(labels(1, classes=2), [BLACK, RED, GREEN])
    other.putpalette([*BLACK, *RED, *BLUE])  # whose last colour no pixel has
    maps = {
        "train/a.png": drawn(labels(), [BLACK, RED, GREEN]),
        "train/b.png": drawn(labels(classes=4), [BLACK, RED, GREEN, BLUE]),
        "train/c.png": Image.fromarray(labels(2)),
        "train/d.png": other,
    }
    decoded = decode(data(tmp_path, maps), "train", (16, 16))
    assert len(decoded.names) == 4
    np.testing.assert_array_equal(decoded.array[2, :8].argmax(axis=0), labels(2))


def test_palettes_of_greys_and_of_other_colours_are_colourings_of_the_same_indices(
    tmp_path: Path,
) -> None:
    maps = {"train/a.png": drawn(labels(), [BLACK, RED, GREEN])}
    for name, colours in (
        ("grey", [i for i in range(256) for _ in range(3)]),
        ("other", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ):
        image = Image.fromarray(labels())
        image.putpalette(colours)
        maps[f"train/{name}.png"] = image
    decoded = decode(data(tmp_path, maps), "train", (16, 16))
    assert (decoded.array[0] == decoded.array[1]).all()
    assert (decoded.array[0] == decoded.array[2]).all()


def test_classes_with_one_colour_are_told_apart_by_index(tmp_path: Path) -> None:
    image = Image.fromarray(labels())
    image.putpalette([*BLACK, *RED, *RED])
    maps = {f"train/{i}.png": image for i in range(2)}
    assert len(decode(data(tmp_path, maps), "train", (16, 16)).names) == 2


def test_a_model_knows_the_palette_of_its_data(tmp_path: Path) -> None:
    dataset = data(tmp_path, {"train/a.png": drawn(labels(), [BLACK, RED, GREEN])})
    spec = DatasetInfo.from_json(dataset_info(dataset).to_json()).input
    assert spec == dataset.specs[0]
    other = tmp_path / "other.png"
    drawn(labels(), [RED, GREEN, BLACK]).save(other)
    for taking in (spec.read, spec.read_picture, spec.take):
        with pytest.raises(DataError, match=r"other\.png.*palette"):
            taking(other)
    Image.fromarray(labels()).save(other)
    assert spec.take(other).shape == (16, 16, 8)
    assert "colours" not in repr(spec)
    assert ImageSpec(8, "labels", classes=8).take(other).shape == (16, 16, 8)
