"""Label maps read as classes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from i2i.datasets.decoded import decode
from i2i.datasets.facades import Facades
from i2i.datasets.synthetic import CLASSES, Synthetic
from i2i.errors import DataError
from i2i.segmentation.palette import Labels

COLOURS = torch.tensor(list(CLASSES.values()), dtype=torch.uint8)


def drawn(classes: torch.Tensor) -> torch.Tensor:
    return COLOURS[classes.long()].permute(0, 3, 1, 2)


def test_exact_colours_give_their_classes_back() -> None:
    classes = torch.randint(0, 12, (3, 10, 14), dtype=torch.uint8)
    assert torch.equal(Labels.of(CLASSES, 3).read(drawn(classes)), classes)


def test_each_pixel_takes_the_nearest_colour_as_a_slow_search_finds_it() -> None:
    source = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 256, (2, 3, 20, 30), generator=source, dtype=torch.uint8)
    pixels = maps.permute(0, 2, 3, 1).numpy().astype(np.int64)
    distances = ((pixels[..., None, :] - COLOURS.numpy().astype(np.int64)) ** 2).sum(-1)
    assert np.array_equal(Labels.of(CLASSES, 3).read(maps).numpy(), distances.argmin(-1))


def test_sixteen_bits_are_read_as_eight_are() -> None:
    maps = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8)
    labels = Labels.of(CLASSES, 3)
    assert torch.equal(labels.read((maps.int() * 257).to(torch.uint16)), labels.read(maps))


def test_without_a_palette_the_brightest_channel_is_the_class() -> None:
    classes = torch.randint(0, 5, (2, 6, 7), dtype=torch.uint8)
    spread = torch.nn.functional.one_hot(classes.long(), 5).permute(0, 3, 1, 2) * 255
    labels = Labels.of(None, 5)
    assert labels.names == ("class 0", "class 1", "class 2", "class 3", "class 4")
    assert torch.equal(labels.checked(spread.to(torch.uint8)), classes)


def test_nearly_all_pixels_of_the_real_facades_are_near_a_colour(facades: Path) -> None:
    decoded = decode(Facades(facades), "val", (256, 256))
    maps = torch.from_numpy(decoded.array[:, :3])
    labels = Labels.of(Facades.palette, 3)
    away = COLOURS[labels.read(maps).long()].permute(0, 3, 1, 2).int() - maps.int()
    distances = away.float().square().sum(dim=1).sqrt()
    assert (distances < 64).float().mean() > 0.88
    for each in maps:
        labels.checked(each[None])


def test_no_photo_of_the_real_facades_passes_for_a_label_map(facades: Path) -> None:
    photos = torch.from_numpy(decode(Facades(facades), "val", (256, 256)).array[:, 3:])
    labels = Labels.of(Facades.palette, 3)
    for photo in photos:
        with pytest.raises(DataError, match=r"no label maps of the classes background, facade.*%"):
            labels.checked(photo[None])


def test_facades_and_procedural_ones_know_their_colours_and_side(facades: Path) -> None:
    for data in (Facades, Synthetic):
        assert data.palette == CLASSES
    assert Facades(facades).labels_side == Synthetic().labels_side == "input"
    assert Facades(facades, direction="photo_to_label").labels_side == "target"
    assert Synthetic(direction="photo_to_label").labels_side == "target"


def test_photos_without_a_palette_are_told_that_one_is_needed() -> None:
    photos = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    with pytest.raises(DataError, match=r"give segmenter\.palette a colour for each class"):
        Labels.of(None, 3).checked(photos)


@pytest.mark.parametrize(
    ("palette", "channels", "sentence"),
    [
        (None, 1, "gray label maps can't be read: give segmenter.palette"),
        (CLASSES, 1, "label maps have 1 channels, not 3"),
        ({"one": (1, 2, 3)}, 3, "2 to 256 classes"),
        ({"one": (1, 2, 3), "two": (1, 2, 3)}, 3, "two classes have the same colour"),
    ],
)
def test_palettes_that_cannot_be_are_refused(
    palette: dict[str, tuple[int, int, int]] | None, channels: int, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence.replace(".", r"\.")):
        Labels.of(palette, channels)


def test_maps_with_other_channels_are_refused() -> None:
    with pytest.raises(DataError, match="have 1 channels instead of the 3"):
        Labels.of(CLASSES, 3).read(torch.zeros(1, 1, 4, 4, dtype=torch.uint8))
