"""`i2i translate`, in real processes, on files of every kind."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

import i2i as package
from i2i.images import read, read_picture, write_picture
from tests.conftest import picture
from tests.processes import Run

Start = Callable[..., Run]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_it_gives_the_run_s_own_evaluation_images_byte_for_byte(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    from i2i.datasets.synthetic import Synthetic

    for pair in Synthetic(train=12, val=4, test=4).pairs("test"):
        write_picture(tmp_path / f"{pair.name}.png", pair.load((32, 32))[0])
    run = i2i("translate", trained, ".", "--out", "out").wait()
    assert run.status == 0, run.output
    assert "translated 4 of 4 to out" in run.output
    evaluated = sorted((trained / "evaluation/images").iterdir())
    assert len(evaluated) == 4
    for file in evaluated:
        assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()


def test_pairs_of_the_model_s_own_data_are_taken_as_its_evaluation_takes_them(
    i2i: Start, facades: Path, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    recipe = write_recipe(
        data={"type": "facades", "root": str(facades)},
        train={"max_steps": 2},
        augment={"crop_size": 64, "load_size": 64},
        generator={"depth": 4},
        validation={"every": 0},
    )
    assert i2i("run", recipe).status == 0
    run = i2i("translate", "runs/tiny", facades / "test", "--out", "out").wait()
    assert run.status == 0, run.output
    assert "taken for pairs like the model's own data: 106" in run.output
    assert "right half is translated, at 64x64" in run.output
    evaluated = sorted((tmp_path / "runs/tiny/evaluation/images").iterdir())
    assert len(evaluated) == 106
    for file in evaluated:
        assert (tmp_path / "out" / file.name).read_bytes() == file.read_bytes()
    options = ("--out", "whole", "--half", "whole", "--size", "own")
    assert i2i("translate", "runs/tiny", facades / "test/1.jpg", *options).status == 0
    assert read(tmp_path / "whole/1.png").shape == (256, 512, 3)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with an image of every kind, 20 high and 28 wide once they are upright."""
    folder = tmp_path / "files"
    (folder / "deeper").mkdir(parents=True)
    image = picture(5, (20, 28))
    alpha = np.arange(20 * 28, dtype=np.uint16).reshape(20, 28, 1)
    deep = image.astype(np.uint16) * 257
    Image.fromarray(image).save(folder / "plain.png", icc_profile=SRGB, dpi=(300, 300))
    Image.fromarray(image[..., 0]).save(folder / "gray.png")
    Image.fromarray(image).save(folder / "photo.jpg", dpi=(72, 72))
    turned = Image.fromarray(np.rot90(image).copy())
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "turned.jpg", exif=exif)
    write_picture(folder / "clear.png", image, alpha=(alpha % 256).astype(np.uint8))
    write_picture(folder / "deep.png", deep)
    write_picture(folder / "deep_clear.png", deep, alpha=alpha * 100)
    write_picture(folder / "deep.tif".replace("deep", "scan"), deep, profile=SRGB, dpi=(600, 600))
    Image.fromarray(image).quantize(20).save(folder / "deeper/palette.gif")
    return folder


def test_depth_alpha_profile_and_resolution_are_kept(
    i2i: Start, trained: Path, files: Path, tmp_path: Path
) -> None:
    run = i2i("translate", trained, "files", "--out", "out").wait()
    assert run.status == 0, run.output
    out = {
        str(file.relative_to(tmp_path / "out")): read_picture(file)
        for file in (tmp_path / "out").rglob("*.*")
        if file.suffix != ".json"
    }
    pngs = {"plain", "gray", "photo", "turned", "clear", "deep", "deep_clear", "deeper/palette"}
    assert out.keys() == {f"{name}.png" for name in pngs} | {"scan.tif"}
    assert {each.pixels.shape for each in out.values()} == {(20, 28, 3)}
    deep = {name for name, each in out.items() if each.pixels.dtype == np.uint16}
    assert deep == {"deep.png", "deep_clear.png", "scan.tif"}
    assert {name for name, each in out.items() if each.profile} == {"plain.png", "scan.tif"}
    assert out["plain.png"].profile == SRGB
    resolutions = {n: round(each.dpi[0]) for n, each in out.items() if each.dpi}
    assert resolutions == {"plain.png": 300, "photo.png": 72, "scan.tif": 600}
    for name in ("clear.png", "deep_clear.png"):
        np.testing.assert_array_equal(out[name].alpha, read_picture(files / name).alpha)
    model = package.load(trained, device="cpu")
    np.testing.assert_array_equal(out["plain.png"].pixels, model(files / "plain.png"))
    np.testing.assert_array_equal(out["turned.png"].pixels, model(read(files / "turned.jpg")))
    coarse = (out["deep.png"].pixels.astype(int) + 128) // 257
    assert np.abs(coarse - out["plain.png"].pixels).max() <= 1


def test_gray_and_many_channels_go_in_and_out(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    rng = np.random.default_rng(0)
    for i in range(10):
        for side, channels in (("in", 5), ("out", 4)):
            (tmp_path / "data" / side).mkdir(parents=True, exist_ok=True)
            values = rng.integers(0, 2**16, (36, 36, channels), dtype=np.uint16)
            tifffile.imwrite(
                tmp_path / "data" / side / f"{i}.tif",
                values,
                photometric="minisblack",
                planarconfig="contig",
            )
    data = {
        "type": "folders",
        "root": "data",
        "input_dir": "in",
        "target_dir": "out",
        "input_mode": "channels",
        "target_mode": "channels",
        "depth": 16,
        "val_fraction": 0.2,
        "test_fraction": 0.2,
    }
    trained = i2i("run", write_recipe(data=data, train={"batch_size": 1, "max_steps": 2})).wait()
    assert trained.status == 0, trained.output
    run = i2i("translate", "runs/tiny", "data/in", "--out", "out").wait()
    assert run.status == 0, run.output
    output = tifffile.imread(tmp_path / "out/3.tif")
    assert (output.shape, output.dtype) == ((36, 36, 4), np.uint16)
    refused = i2i("translate", "runs/tiny", "data/in", "--out", "no", "--format", "png").wait()
    assert refused.status == 1
    assert "choose the format tiff" in refused.errors
    mixed = i2i("translate", "runs/tiny", "data/out", "--out", "no").wait()
    assert mixed.status == 2
    assert "0.tif: has 4 channels, not 5" in mixed.errors


def test_samples_side_by_side_formats_and_sizes(
    i2i: Start, trained: Path, files: Path, tmp_path: Path
) -> None:
    plain = files / "plain.png"
    assert i2i("translate", trained, plain, "--out", "a", "--samples", 3).status == 0
    names = [f"plain-{sample}.png" for sample in (1, 2, 3)]
    assert sorted(file.name for file in (tmp_path / "a").glob("*.png")) == names
    samples = [read(tmp_path / "a" / name) for name in names]
    assert not np.array_equal(samples[0], samples[1])
    row = ("--samples", 2, "--side-by-side")
    assert i2i("translate", trained, plain, "--out", "b", *row).status == 0
    both = read(tmp_path / "b/plain.png")
    np.testing.assert_array_equal(both[:, :28], read(plain))
    np.testing.assert_array_equal(both[:, 28:], np.hstack(samples[:2]))
    options = ("--format", "jpg", "--size", "64x48")
    assert i2i("translate", trained, files / "clear.png", "--out", "c", *options).status == 0
    assert read(tmp_path / "c/clear.jpg").shape == (64, 48, 3)
    assert i2i("translate", trained, plain, "--out", "d", "--size", "train").status == 0
    assert read(tmp_path / "d/plain.png").shape == (32, 32, 3)
    assert (
        "neither auto, own, train"
        in i2i("translate", trained, "x", "--out", "e", "--size", "0").wait().errors
    )


def test_samples_of_a_model_without_noise_are_refused(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path], files: Path
) -> None:
    recipe = write_recipe(test={"dropout": False}, train={"max_steps": 1})
    assert i2i("run", recipe).status == 0
    run = i2i("translate", "runs/tiny", "files", "--out", "out", "--samples", 2).wait()
    assert run.status == 1
    assert "the model draws no noise (its recipe has test.dropout = false)" in run.errors
    assert not (tmp_path / "out").exists()


def test_files_folders_and_patterns_keep_their_layout(
    i2i: Start, trained: Path, files: Path, tmp_path: Path
) -> None:
    shutil.copytree(files, tmp_path / "other")
    two = ("files", "other/deeper", "other/*.jpg", "files/plain.png", "--out", "out")
    run = i2i("translate", trained, *two).wait()
    assert run.status == 0, run.output
    found = {str(f.relative_to(tmp_path / "out")) for f in (tmp_path / "out").rglob("*.png")}
    assert {"files/plain.png", "deeper/palette.png", "photo.png", "plain.png"} < found
    assert "files/deeper/palette.png" in found
    deep = i2i("translate", trained, "**/*.gif", "--out", "gifs").wait()
    assert deep.status == 0
    assert (tmp_path / "gifs/files/deeper/palette.png").is_file()


def test_what_is_no_input_is_told_before_anything_is_done(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    run = i2i("translate", trained, "gone.png", "empty", "no*.jpg", "--out", "out").wait()
    assert run.status == 2
    assert "gone.png: there is no such file" in run.errors
    assert "empty: there are no images in it" in run.errors
    assert "no*.jpg: no image matches it" in run.errors
    assert not (tmp_path / "out").exists()


def spoil(folder: Path) -> dict[str, str]:
    """Twenty bad files, and a word of the reason for each."""
    good = sorted(folder.glob("*.jpg"))[0].read_bytes()
    image = Image.open(sorted(folder.glob("*.jpg"))[0])
    contents = {
        "empty.jpg": (b"", "empty"),
        "page.jpg": (b"<!DOCTYPE html><html></html>", "HTML"),
        "text.png": (b"just words", "not an image"),
    }
    contents |= {f"cut{i}.jpg": (good[: 200 + 40 * i], "cut") for i in range(14)}
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    image.save(folder / "flipped.png")
    content = bytearray((folder / "flipped.png").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "flipped.png").write_bytes(bytes(content))
    words = {name: word for name, (_, word) in contents.items() if word != "cut"}
    return words | {"film.gif": "frames", "bomb.png": "bomb", "flipped.png": "flipped.png"}


@pytest.fixture
def thousand(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    folder = tmp_path / "thousand"
    folder.mkdir()
    for i in range(980):
        shape = (24, 32) if i % 3 else (30, 17)
        Image.fromarray(picture(i, shape)).save(folder / f"{i:04}.jpg")
    words = spoil(folder)
    assert len(list(folder.iterdir())) == 1000
    return folder, words


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.slow
def test_of_1000_files_with_20_bad_ones_980_are_translated_also_after_kills(
    i2i: Start, trained: Path, thousand: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    whole = i2i("translate", trained, "thousand", "--out", "whole").wait()
    assert whole.status == 1, whole.output
    assert "translated 980 of 1,000 to whole" in whole.output
    assert "not translated: 20" in whole.errors
    reasons = whole.errors.splitlines()[1:]
    assert len(reasons) == 20
    for name, word in thousand[1].items():
        assert any(f"thousand/{name}: " in reason and word in reason for reason in reasons), name
    for kill_at in (100, 600):
        cut = i2i("translate", trained, "thousand", "--out", "cut")
        while len(list((tmp_path / "cut").glob("*.png"))) < kill_at:
            time.sleep(0.002)
        cut.signal(signal.SIGKILL)
        assert cut.status == -signal.SIGKILL
        for file in (tmp_path / "cut").glob("[0-9]*.png"):
            read(file)  # none is cut
    (tmp_path / "cut/.1.2.unfinished.png").write_bytes(b"left by a kill")
    again = i2i("translate", trained, "thousand", "--out", "cut").wait()
    assert again.status == 1
    assert "translated 980 of 1,000 to cut (" in again.output
    assert again.errors == whole.errors
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_other_options_or_files_of_others_are_not_mixed_in(
    i2i: Start, trained: Path, files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "plain.png").write_bytes(b"mine")
    run = i2i("translate", trained, "files", "--out", "out").wait()
    assert run.status == 2
    assert "out/plain.png: is there already" in run.errors
    assert (out / "plain.png").read_bytes() == b"mine"
    assert i2i("translate", trained, "files", "--out", "out", "--overwrite").status == 0
    before = contents(out)
    again = i2i("translate", trained, "files", "--out", "out").wait()
    assert "(0 now, 9 before)" in again.output
    other = i2i("translate", trained, "files", "--out", "out", "--samples", 2).wait()
    assert other.status == 1
    assert "samples was 1 and is 2" in other.errors
    older = sorted(trained.glob("checkpoints/*"))[0]
    another = i2i("translate", older, "files", "--out", "out").wait()
    assert "sha256 was" in another.errors
    assert contents(out) == before
    assert i2i("translate", older, "files", "--out", "out", "--overwrite").status == 0
    assert contents(out).keys() == before.keys()
    assert contents(out)["plain.png"] != before["plain.png"]


def test_an_input_that_changed_is_translated_again(
    i2i: Start, trained: Path, files: Path, tmp_path: Path
) -> None:
    assert i2i("translate", trained, "files", "--out", "out").status == 0
    later = time.time() + 5
    Image.fromarray(picture(9, (20, 28))).save(files / "plain.png")
    os.utime(files / "plain.png", (later, later))
    run = i2i("translate", trained, "files", "--out", "out").wait()
    assert "(1 now, 8 before)" in run.output
    expected = package.load(trained, device="cpu")(files / "plain.png")
    np.testing.assert_array_equal(read(tmp_path / "out/plain.png"), expected)


def test_tiles_are_used_where_asked_or_needed_and_said(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    Image.fromarray(picture(0, (90, 130))).save(tmp_path / "a.png")
    assert (
        i2i("translate", trained, "a.png", "--out", "t", "--tile", 32, "--overlap", 8).status == 0
    )
    assert read(tmp_path / "t/a.png").shape == (90, 130, 3)
    wrong = i2i("translate", trained, "a.png", "--out", "w", "--tile", 32, "--overlap", 20).wait()
    assert "can't overlap by 20" in wrong.errors
    Image.fromarray(picture(0, (2050, 2060))).save(tmp_path / "large.png")
    run = i2i("translate", trained, "large.png", "--out", "l").wait()
    assert run.status == 0, run.output
    assert "translated by tiles of 512: 1" in run.output
    assert "--size train brings inputs to that size" in run.output


def test_everything_is_one_call_in_python(trained: Path, files: Path, tmp_path: Path) -> None:
    done = package.translate(trained, [files], tmp_path / "out")
    assert (done.now, done.before, done.bad) == (9, 0, {})
    assert json.loads((tmp_path / "out/translation.json").read_text())["translated"] == 9


def test_pictures_that_are_not_read_count_as_not_translated(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    Image.fromarray(picture(1)).save(folder / "a.png")
    (folder / "IMG_1.DNG").write_bytes(b"II*\0")
    (folder / "gone.jpg").symlink_to("nothing.jpg")
    (folder / "Thumbs.db").touch()
    for inputs in ("mixed", "mixed/*"):
        run = i2i("translate", trained, inputs, "--out", "out").wait()
        assert run.status == 1, run.output
        assert "translated 1 of 3 to out" in run.output
        assert "IMG_1.DNG: is a camera's RAW file" in run.errors
        assert "gone.jpg: is a link to nothing.jpg" in run.errors
        assert "Thumbs.db" not in run.output
    for inputs in ("mixed/*.DNG", "mixed/IMG_1.DNG"):
        run = i2i("translate", trained, inputs, "--out", "other").wait()
        assert run.status == 2
        assert "darktable-cli" in run.errors
