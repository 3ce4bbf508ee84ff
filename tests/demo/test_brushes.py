"""The brushes that data needs."""

import pytest

from i2i.datasets.info import DatasetInfo
from i2i.datasets.synthetic import CLASSES
from i2i.demo.brushes import brushes
from i2i.errors import I2IError
from i2i.images.spec import ImageSpec


def test_label_maps_have_a_brush_a_class_on_the_first_class() -> None:
    found = brushes(DatasetInfo(ImageSpec(), ImageSpec(), palette=CLASSES, labels_side="input"))
    assert found.colours == CLASSES
    assert found.background == CLASSES["background"]
    assert found.labels


def test_line_art_is_drawn_in_ink_as_wide_as_openmoji_s() -> None:
    found = brushes(DatasetInfo(ImageSpec(), ImageSpec()))
    assert found.colours == {"ink": (0, 0, 0)}
    assert found.background == (255, 255, 255)
    assert found.width == pytest.approx(2 / 72, abs=5e-4)


def test_where_the_target_is_the_label_map_the_input_is_no_matter_of_classes() -> None:
    assert not brushes(
        DatasetInfo(ImageSpec(), ImageSpec(), palette=CLASSES, labels_side="target")
    ).labels


def test_label_indices_without_a_palette_have_colours_of_their_own() -> None:
    found = brushes(DatasetInfo(ImageSpec(5, "labels", classes=5), ImageSpec()))
    assert list(found.colours) == [f"class {i}" for i in range(5)]
    assert len(set(found.colours.values())) == 5


def test_images_of_many_channels_are_refused() -> None:
    with pytest.raises(I2IError, match="5 channels can't be drawn"):
        brushes(DatasetInfo(ImageSpec(5, "channels"), ImageSpec()))
