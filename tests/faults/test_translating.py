"""Rows 7, 8, 10, 17–23 and 27 of the faults, for `i2i translate`."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import i2i as package
from i2i.images import read, read_picture, write_picture
from i2i.translation.journal import JOURNAL
from tests.conftest import picture
from tests.processes import Run

Start = Callable[..., Run]


def test_17_exif_is_applied(i2i: Start, trained: Path, tmp_path: Path) -> None:
    image = picture(0, (16, 24))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(image).save(tmp_path / f"{orientation}.webp", exif=exif, lossless=True)
    assert i2i("translate", trained, ".", "--out", "out").status == 0
    model = package.load(trained, device="cpu")
    for orientation in range(1, 9):
        output = read(tmp_path / f"out/{orientation}.png")
        np.testing.assert_array_equal(output, model(read(tmp_path / f"{orientation}.webp")))
        assert output.shape == ((24, 16, 3) if orientation > 4 else (16, 24, 3))


def test_18_16_bits_are_scaled_not_clipped(i2i: Start, trained: Path, tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32, 1)
    write_picture(tmp_path / "ramp.png", ramp)
    write_picture(tmp_path / "ramp8.png", ((ramp.astype(int) + 128) // 257).astype(np.uint8))
    assert i2i("translate", trained, ".", "--out", "out").status == 0
    deep, shallow = (read_picture(tmp_path / f"out/{n}.png").pixels for n in ("ramp", "ramp8"))
    assert (deep.dtype, shallow.dtype) == (np.uint16, np.uint8)
    model, whole = package.load(trained, device="cpu"), np.repeat(ramp, 3, axis=2)
    np.testing.assert_array_equal(deep, model.translate_one(whole, dtype=np.uint16))
    assert len(np.unique(deep)) > 1000


def test_19_and_20_transparency_is_composited_and_hidden_colours_don_t_leak(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    image = picture(1, (24, 24))
    alpha = np.where(np.arange(24) < 12, 255, 0).astype(np.uint8)
    hidden = np.dstack([image, np.broadcast_to(alpha, (24, 24))])
    other = hidden.copy()
    other[:, 12:, :3] = 77
    Image.fromarray(hidden).save(tmp_path / "hidden.png")
    Image.fromarray(other).save(tmp_path / "other.png")
    palette = Image.fromarray(image).quantize(8)
    palette.save(tmp_path / "palette.png", transparency=3)
    assert i2i("translate", trained, ".", "--out", "out").status == 0
    one, two = (read_picture(tmp_path / f"out/{name}.png") for name in ("hidden", "other"))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert one.alpha is not None
    np.testing.assert_array_equal(one.alpha[..., 0], np.broadcast_to(alpha, (24, 24)))
    assert read_picture(tmp_path / "out/palette.png").alpha is not None


def test_19_label_maps_keep_their_indices(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    rng = np.random.default_rng(0)
    for i in range(10):
        labels = Image.fromarray(rng.integers(0, 4, (36, 36), dtype=np.uint8), "P")
        labels.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
        for side, image in (("in", labels), ("out", Image.fromarray(picture(i, (36, 36))))):
            (tmp_path / "data" / side).mkdir(parents=True, exist_ok=True)
            image.save(tmp_path / "data" / side / f"{i}.png")
    data = {
        "type": "folders",
        "root": "data",
        "input_dir": "in",
        "target_dir": "out",
        "input_mode": "labels",
        "input_classes": 4,
    }
    assert i2i("run", write_recipe(data=data, train={"batch_size": 1, "max_steps": 2})).status == 0
    Image.fromarray(np.full((36, 36), 5, np.uint8)).save(tmp_path / "beyond.png")
    run = i2i("translate", "runs/tiny", "data/in", "beyond.png", "--out", "out").wait()
    assert run.status == 1
    assert "translated 10 of 11" in run.output
    assert "beyond.png: holds the label 5, but there are 4 classes" in run.errors
    gray = np.asarray(Image.open(tmp_path / "data/in/3.png"))
    again = package.load(tmp_path / "runs/tiny", device="cpu")(gray)
    np.testing.assert_array_equal(read(tmp_path / "out/3.png"), again)


def test_21_cmyk_is_converted_with_one_warning_and_floats_are_refused(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    for i in range(3):
        Image.fromarray(picture(i, (16, 16))).convert("CMYK").save(tmp_path / f"{i}.jpg")
    Image.fromarray(np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)).save(
        tmp_path / "heights.tif"
    )
    run = i2i("translate", trained, ".", "--out", "out").wait()
    assert run.status == 1
    assert "translated 3 of 4" in run.output
    assert run.output.count("CMYK images are converted") == 1
    assert "heights.tif: its values are float32" in run.errors


def test_22_a_duplicate_name_and_a_film_are_listed_together(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    Image.fromarray(picture(1)).save(tmp_path / "a.bmp")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    run = i2i("translate", trained, ".", "--out", "out").wait()
    assert run.status == 1
    assert "a.png: its output would be that of a.bmp" in run.errors
    assert "film.gif: has 2 frames" in run.errors
    assert "translated 1 of 3" in run.output
    alone = i2i("translate", trained, "film.gif", "--out", "none").wait()
    assert alone.status == 2
    assert "film.gif: has 2 frames" in alone.errors
    assert "Traceback" not in run.output + alone.output


def test_23_names_and_links_don_t_lead_out(i2i: Start, trained: Path, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "in"
    for folder in (outside, inside / "sub"):
        folder.mkdir(parents=True)
    Image.fromarray(picture(0)).save(outside / "secret.png")
    Image.fromarray(picture(0)).save(inside / "good.png")
    Image.fromarray(picture(0)).save(inside / "sub/deep.png")
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "folder").symlink_to(outside)
    out = tmp_path / "out"
    out.mkdir()
    (out / "sub").symlink_to(outside)
    run = i2i("translate", trained, inside, "--out", "out").wait()
    assert run.status == 1
    assert "link.png: 'link.png': leads out of" in run.errors
    assert "folder: is a link to a folder" in run.errors
    assert "sub/deep.png': leads out of" in run.errors
    assert "translated 1 of 4" in run.output
    assert sorted(file.name for file in outside.iterdir()) == ["secret.png"]
    up = i2i(
        "translate", trained, "in/../outside/secret.png", "../*/outside/s*.png", "--out", "up"
    ).wait()
    assert up.status == 0, up.output
    written = {
        file.relative_to(tmp_path / "up").parts[-1] for file in tmp_path.rglob("up/**/*.png")
    }
    assert written == {"secret.png"}
    odd = i2i("translate", trained, "in/good.png\0", "--out", "odd").wait()
    assert odd.status == 2
    assert "Traceback" not in odd.output


def test_27_small_and_odd_sizes_are_filled_up_and_cut_back(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    sizes = [(1, 1), (1, 40), (7, 9), (33, 31), (8, 8), (100, 3)]
    for height, width in sizes:
        Image.fromarray(picture(0, (height, width))).save(tmp_path / f"{height}x{width}.png")
    assert i2i("translate", trained, ".", "--out", "out").status == 0
    for height, width in sizes:
        assert read(tmp_path / f"out/{height}x{width}.png").shape == (height, width, 3)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_7_a_full_disk_stops_with_the_reason_and_leaves_no_cut_file(
    i2i: Start, trained: Path, tmp_path: Path, tiny_disk: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for i in range(40):
        Image.fromarray(np.roll(noise, i, 0)).save(tmp_path / f"{i:02}.png")
    run = i2i("translate", trained, "*.png", "--out", tiny_disk / "out").wait()
    assert run.status == 1
    assert "No space left on device" in run.errors
    assert "what is done stays; run the same command again" in run.errors
    assert "Traceback" not in run.output
    written = list((tiny_disk / "out").glob("*.png"))
    assert 0 < len(written) < 40
    assert all(read(file).shape == (64, 64, 3) for file in written)
    assert {file.name for file in (tiny_disk / "out").glob(".*")} <= {JOURNAL}


def test_8_a_folder_that_can_t_be_written_to_is_told_first(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    (tmp_path / "taken").write_text("a file")
    run = i2i("translate", trained, "a.png", "--out", "taken").wait()
    assert run.status == 1
    assert "taken: can't be written to" in run.errors


def test_10_an_interrupt_stops_and_what_is_done_stays(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(picture(0, (128, 128))).save(folder / "0.png")
    for i in range(1, 400):
        shutil.copy(folder / "0.png", folder / f"{i}.png")
    run = i2i("translate", trained, "in", "--out", "out")
    while len(list((tmp_path / "out").glob("*.png"))) < 5:
        time.sleep(0.002)
    run.signal(signal.SIGINT)
    assert run.status == 130
    assert "Traceback" not in run.output
    assert {file.name for file in (tmp_path / "out").glob(".*")} <= {JOURNAL}
    again = i2i("translate", trained, "in", "--out", "out").wait()
    assert again.status == 0
    assert "translated 400 of 400" in again.output


def test_a_network_that_takes_no_such_size_says_so(trained: Path) -> None:
    model = package.load(trained, device="cpu")
    model.generator.size_divisor = 1  # type: ignore[assignment]
    with pytest.raises(package.errors.I2IError, match="can't take an image of 33x31"):
        model(picture(0, (33, 31)))


def test_inputs_are_never_replaced(i2i: Start, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(picture(0)).save(folder / "a.png")
    before = (folder / "a.png").read_bytes()
    reasons = {"in": "choose another --out", "in/a.png": "replace an input", "in/*.png": "no image"}
    for target, reason in reasons.items():
        run = i2i("translate", trained, target, "--out", "in", "--overwrite").wait()
        assert run.status == 2
        assert reason in run.errors
        assert (folder / "a.png").read_bytes() == before


def test_a_translation_of_another_file_is_not_taken_for_done(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    for place, name in enumerate(("one", "other")):
        (tmp_path / name).mkdir()
        Image.fromarray(picture(place)).save(tmp_path / name / "x.png")
    os.utime(tmp_path / "other/x.png", (1, 1))  # older than any translation
    model = package.load(trained, device="cpu")
    for name in ("one", "other", "one"):
        run = i2i("translate", trained, name, "--out", "out").wait()
        assert run.status == 0, run.output
        expected = model(tmp_path / name / "x.png")
        np.testing.assert_array_equal(read(tmp_path / "out/x.png"), expected)
    (tmp_path / "one/y.png").write_bytes((tmp_path / "one/x.png").read_bytes())
    (tmp_path / "out/y.png").write_bytes(b"mine")
    strange = i2i("translate", trained, "one", "--out", "out").wait()
    assert strange.status == 2
    assert "out/y.png: is there already" in strange.errors


def test_two_at_once_don_t_share_a_folder(i2i: Start, trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(300):
        Image.fromarray(picture(i, (64, 64))).save(folder / f"{i}.png")
    first = i2i("translate", trained, "in", "--out", "out")
    while not list((tmp_path / "out").glob("*.png")):
        time.sleep(0.002)
    second = i2i("translate", trained, "in", "--out", "out").wait()
    assert first.status == 0, first.output
    assert second.status in (0, 1)  # 0 if the first had ended
    assert second.status == 0 or "another process is translating into it" in second.errors
    assert len(list((tmp_path / "out").glob("*.png"))) == 300


def test_what_only_one_file_suffers_from_stops_no_other(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "a.png").mkdir(parents=True)
    Image.fromarray(picture(0)).save(folder / "a.jpg")
    Image.fromarray(picture(1)).save(folder / "a.png/b.png")
    Image.fromarray(picture(2)).save(folder / f"{'x' * 251}.png")
    Image.fromarray(picture(3)).save(folder / "z.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "line\nbreak.png").write_bytes(b"")
    for _ in range(2):
        run = i2i("translate", trained, "in", "--out", "in/out", "--samples", 2).wait()
        assert run.status == 1, run.output
        assert "translated 3 of 7" in run.output
        assert "Traceback" not in run.output
        for word in ("File name too long", "pipe.png: is no regular file", "loop.png"):
            assert word in run.errors
        assert "in/line\\nbreak.png: the file is empty" in run.errors
        assert len(run.errors.splitlines()) == 5


def test_an_empty_input_and_a_giant_size_are_refused(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    assert "an input is empty" in i2i("translate", trained, "", "--out", "o").wait().errors
    giant = ("a.png", "--out", "o", "--size", "99999x99999")
    assert "is more than" in i2i("translate", trained, *giant).wait().errors


def test_16_larger_files_are_decoded_only_where_they_are_trusted(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    Image.new("1", (9600, 9600)).save(tmp_path / "large.png")
    refused = i2i("translate", trained, "large.png", "--out", "o").wait()
    assert refused.status == 2
    assert "a decompression bomb?" in refused.errors
    small = ("large.png", "--out", "o", "--size", "train", "--max-megapixels", 100)
    assert i2i("translate", trained, *small).wait().status == 0


def test_the_coordinates_of_a_geotiff_are_not_lost_without_a_word(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    image = picture(3, (32, 32))
    matrix = (34264, "d", 16, tuple(float(i) for i in range(16)), True)
    for name, tags in (("map", [matrix]), ("deep", [matrix]), ("plain", [])):
        samples = image.astype(np.uint16) * 257 if name == "deep" else image
        tifffile.imwrite(tmp_path / f"{name}.tif", samples, photometric="rgb", extratags=tags)
    run = i2i("translate", trained, ".", "--out", "out")
    assert run.status == 0
    assert "GeoTIFF files: 2; their coordinates and projection are not in the outputs" in run.output
    assert "GeoTIFF" not in i2i("translate", trained, "plain.tif", "--out", "other").output


def test_a_label_map_with_another_palette_than_the_training_s_is_refused(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    colours = [(9, 9, 9), (250, 0, 0), (0, 0, 250)]

    def save(path: Path, order: list[int]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = np.random.default_rng(0).integers(0, 3, (36, 36), dtype=np.uint8)
        image = Image.fromarray(labels)
        image.putpalette([value for i in order for value in colours[i]])
        image.save(path)

    for i in range(4):
        save(tmp_path / f"data/in/train/{i}.png", [0, 1, 2])
        (tmp_path / "data/out/train").mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i, (36, 36))).save(tmp_path / f"data/out/train/{i}.png")
    data = {"type": "folders", "root": "data", "input_dir": "in", "target_dir": "out"}
    data |= {"input_mode": "labels", "input_classes": 3}
    assert i2i("run", write_recipe(data=data, train={"max_steps": 1})).status == 0
    save(tmp_path / "new/same.png", [0, 1, 2])
    save(tmp_path / "new/other.png", [0, 2, 1])
    Image.open(tmp_path / "new/same.png").convert("RGB").save(tmp_path / "new/lossy.jpg")
    Image.fromarray(np.zeros((36, 36), np.uint8)).save(tmp_path / "new/grey.png", "JPEG")
    run = i2i("translate", "runs/tiny", "new", "--out", "out")
    assert run.status == 1
    assert "translated 1 of 4" in run.output
    assert "other.png: the colour (0, 0, 250) is class 1 in its palette, but class 2" in run.errors
    assert "grey.png: is a label map compressed with loss" in run.errors


def test_damaged_metadata_is_no_reason_to_say_anything(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    cut = b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01\x03\0"
    samples = picture(5, (32, 32))
    (tmp_path / "in").mkdir()
    for form in ("JPEG", "PNG", "WEBP"):
        Image.fromarray(samples).save(tmp_path / f"in/{form}.{form.lower()}", exif=cut)
    tags = [(700, "s", 0, "<x:xmp", True)]
    tifffile.imwrite(tmp_path / "in/TIFF.tif", samples, photometric="rgb", extratags=tags)
    run = i2i("translate", trained, "in", "--out", "out")
    assert run.status == 0
    assert "translated 4 of 4" in run.output
    assert "Warning" not in run.output + run.errors
