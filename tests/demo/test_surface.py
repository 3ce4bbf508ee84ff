"""What comes onto the canvas, and what the model is given for it."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.datasets.info import DatasetInfo
from i2i.datasets.synthetic import CLASSES
from i2i.demo.surface import Surface, data_url
from i2i.errors import DataError
from i2i.images.pixels import to_depth
from i2i.images.spec import ImageSpec
from i2i.model.model import Model
from tests.conftest import picture
from tests.demo.conftest import LABELS

Models = Callable[..., Model]


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(("trained", "canvas"), [(32, 512), (128, 512), (100, 500), (600, 600)])
def test_a_canvas_is_a_whole_number_of_times_the_trained_size(
    model_of: Models, trained: int, canvas: int
) -> None:
    surface = Surface(model_of(augment={"crop_size": trained, "load_size": trained}))
    assert surface.size == (canvas, canvas)
    drawn = np.full((canvas, canvas, 3), 255, np.uint8)
    assert surface.to_input(drawn).shape == (trained, trained, 3)


def test_a_drawing_comes_back_as_it_was(model_of: Models) -> None:
    surface = Surface(model_of())
    drawing = picture(1, surface.size)
    np.testing.assert_array_equal(surface.read_drawing(data_url(drawing)), drawing)


def png(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        ("data:image/svg+xml;base64,AAAA", "no PNG"),
        ("/etc/passwd", "no PNG"),
        ("data:image/png;base64,!!", "no PNG"),
        ("data:image/png;base64," + "A" * 9_000_000, "no PNG of the canvas's size"),
        (png(b"<html>"), "the drawing: is HTML or XML"),
        (png(b""), "the drawing: the file is empty"),
        (data_url(np.zeros((16, 16, 3), np.uint8)), "the drawing: isn't 512x512"),
    ],
)
def test_what_is_no_drawing_is_refused(model_of: Models, drawing: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as error:
        Surface(model_of()).read_drawing(drawing)
    assert "/tmp" not in str(error.value)


def test_between_two_classes_there_is_no_third(model_of: Models) -> None:
    surface = Surface(model_of(LABELS))
    canvas = np.full((*surface.size, 3), CLASSES["background"], np.uint8)
    canvas[100:301, 50:333] = CLASSES["pillar"]
    found = {tuple(colour) for colour in surface.to_input(canvas).reshape(-1, 3)}
    assert found == {CLASSES["background"], CLASSES["pillar"]}


def test_label_indices_reach_the_model_as_indices(model_of: Models) -> None:
    surface = Surface(model_of(DatasetInfo(ImageSpec(3, "labels", classes=3), ImageSpec())))
    colours = list(surface.brushes.colours.values())
    canvas = np.full((*surface.size, 3), colours[0], np.uint8)
    canvas[:, 256:] = colours[2]
    found = surface.to_input(canvas)
    assert found.shape == (32, 32, 1)
    assert np.unique(found).tolist() == [0, 2]
    spread = (found == np.arange(3)).astype(np.uint8) * 255
    np.testing.assert_array_equal(surface.from_input(spread), canvas)


def test_a_picture_of_another_shape_has_margins(model_of: Models, tmp_path: Path) -> None:
    surface = Surface(model_of())
    canvas = surface.read_upload(saved(tmp_path / "wide.png", Image.new("RGB", (40, 20), "red")))
    assert canvas.shape == (512, 512, 3)
    assert (canvas[128:384] == (255, 0, 0)).all()
    assert (canvas[:128] == 255).all()
    assert (canvas[384:] == 255).all()


def test_a_photo_taken_on_its_side_is_turned_upright(model_of: Models, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "photo.jpg", Image.new("RGB", (40, 20), "red"), exif=exif)
    canvas = Surface(model_of()).read_upload(path)
    assert (canvas[:, :120] > 250).all()  # margins left and right: it stands
    assert (canvas[:, 256, 1] < 50).all()


@pytest.mark.parametrize("kind", ["16 bits", "RGBA", "palette", "CMYK", "grey"])
def test_pictures_of_any_kind_are_taken(model_of: Models, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.png"
    match kind:
        case "16 bits":
            Image.fromarray(np.full((8, 8), 32896, np.uint16)).save(path)
        case "RGBA":
            Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(path)
        case "palette":
            Image.new("RGB", (8, 8), "blue").quantize(2).save(path)
        case "CMYK":
            path = saved(tmp_path / "picture.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 128)))
        case "grey":
            Image.new("L", (8, 8), 128).save(path)
    centre = Surface(model_of()).read_upload(path)[256, 256]
    wanted = {"RGBA": (255, 255, 255), "palette": (0, 0, 255)}.get(kind, (128, 128, 128))
    np.testing.assert_allclose(centre, wanted, atol=3)


def test_a_file_that_can_t_be_taken_is_named_without_its_folder(
    model_of: Models, tmp_path: Path
) -> None:
    surface = Surface(model_of())
    html, empty, cut, bomb, moving = (
        tmp_path / name for name in ("a.jpg", "b.png", "c.jpg", "d.png", "e.gif")
    )
    html.write_bytes(b"<html></html>")
    empty.touch()
    Image.fromarray(picture(1, (64, 64))).save(cut)
    cut.write_bytes(cut.read_bytes()[:-200])
    Image.new("1", (8000, 8000)).save(bomb)
    Image.new("L", (8, 8)).save(moving, save_all=True, append_images=[Image.new("L", (8, 8), 9)])
    for path, reason in (
        (html, "is HTML"),
        (empty, "is empty"),
        (cut, "truncated"),
        (bomb, "64,000,000 pixels"),
        (moving, "2 frames"),
    ):
        with pytest.raises(DataError, match=reason) as error:
            surface.read_upload(path)
        assert str(error.value).startswith(f"{path.name}: ")
        assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_declared_range_holds_for_uploads_and_once_only(
    model_of: Models, tmp_path: Path, dtype: type[np.generic]
) -> None:
    side = ImageSpec(1, "gray", float_range=(50, 150))
    surface = Surface(model_of(DatasetInfo(side, ImageSpec())))
    values = np.linspace(50, 150, 32 * 32).reshape(32, 32).astype(dtype)
    Image.fromarray(values).save(tmp_path / "values.png")
    canvas = surface.read_upload(tmp_path / "values.png")
    assert (canvas.min(), canvas.max()) == (0, 255)
    given = to_depth(side.take(surface.to_input(canvas)), 8)
    np.testing.assert_allclose(given[..., 0], side.read(tmp_path / "values.png")[..., 0], atol=1)
