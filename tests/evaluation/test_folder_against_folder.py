"""Folders against folders: what is matched, what is refused, what is left out."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from i2i.errors import DataError
from i2i.evaluation.folders import evaluate_folders
from tests.conftest import picture

Make = Callable[..., Path]


def problems(outputs: Path, targets: Path, *metrics: str, **options: object) -> list[str]:
    with pytest.raises(DataError) as caught:
        evaluate_folders(outputs, targets, metrics=metrics or ("l1",), **options)  # type: ignore[arg-type]
    return list(caught.value.problems)


def test_pairs_are_matched_by_name_whatever_their_format(folder: Make, tmp_path: Path) -> None:
    outputs, targets = folder("a", range(5)), folder("b", range(5))
    (targets / "002.png").unlink()
    Image.fromarray(picture(2)).save(targets / "002.bmp")
    document = evaluate_folders(outputs, targets, metrics=["l1", "psnr"])
    assert document["metrics"]["l1"] == 0
    assert document["details"]["l1"]["pairs"] == 5


def test_l1_is_numpy_s(folder: Make) -> None:
    outputs, targets = folder("a", range(20)), folder("b", range(100, 120))
    expected = np.mean(
        [
            np.abs(picture(i).astype(float) - picture(100 + i).astype(float)).mean() / 255
            for i in range(20)
        ]
    )
    document = evaluate_folders(outputs, targets, metrics=["l1"])
    assert document["metrics"]["l1"] == pytest.approx(expected, rel=1e-6)


def test_every_odd_image_is_listed_at_once(folder: Make) -> None:
    outputs, targets = folder("a", range(6)), folder("b", range(6))
    whole = (outputs / "001.png").read_bytes()
    (outputs / "001.png").write_bytes(whole[: len(whole) // 2])
    (outputs / "002.png").write_bytes(b"")
    (targets / "003.png").write_text("<html>not found</html>")
    told = "\n".join(problems(outputs, targets))
    assert "a/001.png" in told
    assert "a/002.png: the file is empty" in told
    assert "b/003.png: is HTML or XML, not an image" in told


def test_bad_images_are_left_out_and_counted_when_asked(folder: Make) -> None:
    outputs, targets = folder("a", range(6)), folder("b", range(6))
    (outputs / "002.png").write_bytes(b"")
    document = evaluate_folders(outputs, targets, metrics=["l1"], on_bad="skip")
    assert document["details"]["l1"]["pairs"] == 5
    assert document["images"] == 5
    assert list(document["skipped"][str(outputs)]) == ["002"]


def test_pairs_of_different_sizes_are_refused_together(folder: Make) -> None:
    outputs, targets = folder("a", range(4)), folder("b", range(4))
    for place in (1, 3):
        Image.fromarray(picture(place, (48, 41))).save(outputs / f"{place:03}.png")
    told = problems(outputs, targets)
    assert len(told) == 2
    assert "a/001.png: is 48x41, but its partner" in told[0]


def test_images_without_partner_are_refused_together(folder: Make) -> None:
    outputs, targets = folder("a", range(4)), folder("b", range(5))
    (targets / "000.png").unlink()
    told = problems(outputs, targets)
    assert [line.partition(":")[0].rpartition("/")[2] for line in told] == ["000.png", "004.png"]


def test_two_images_of_one_name_are_refused(folder: Make) -> None:
    outputs = folder("a", range(2))
    Image.fromarray(picture(0)).save(outputs / "000.bmp")
    assert "has the same name as" in problems(outputs, folder("b", range(2)))[0]


def test_an_empty_folder_says_how_many_images_are_needed(folder: Make) -> None:
    (told,) = problems(folder("a", range(0)), folder("b", range(2)))
    assert "no images" in told
    assert "at least 2" in told


def test_transparency_shows_white_and_sixteen_bits_are_scaled(folder: Make) -> None:
    outputs, targets = folder("a", range(2)), folder("b", range(2))
    rgba = np.dstack([picture(0), np.zeros((48, 40), np.uint8)])
    Image.fromarray(rgba).save(outputs / "000.png")
    Image.fromarray(np.full((48, 40, 3), 255, np.uint8)).save(targets / "000.png")
    gray = picture(1)[..., 0]
    Image.fromarray(gray.astype(np.uint16) * 257).save(outputs / "001.png")
    Image.fromarray(gray).save(targets / "001.png")
    assert evaluate_folders(outputs, targets, metrics=["l1"])["metrics"]["l1"] == 0


def test_jpeg_against_png_asks_for_a_flag(folder: Make) -> None:
    outputs, targets = folder("a", range(2)), folder("b", range(2), "jpg")
    (told,) = problems(outputs, targets)
    assert "--mixed-formats" in told
    document = evaluate_folders(outputs, targets, metrics=["l1"], mixed_formats=True)
    assert 0 < document["metrics"]["l1"] < 0.1


LOSSY: dict[str, dict[str, object]] = {
    "JPEG": {},
    "WEBP": {"quality": 90},
    "AVIF": {},
    "TIFF": {"compression": "jpeg"},
    "JPEG2000": {"irreversible": True},
}


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("suffix", ["png", "jpg", "own"])
@pytest.mark.parametrize("places", [[1], [0, 1, 2]])
@pytest.mark.parametrize("lossy_targets", [False, True])
def test_lossy_images_are_known_by_their_content(
    folder: Make, format: str, suffix: str, places: list[int], lossy_targets: bool
) -> None:
    plain, lossy = folder("a", range(3)), folder("b", range(3))
    own = {"JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "TIFF": "tif", "JPEG2000": "jp2"}[format]
    for place in places:
        (lossy / f"{place:03}.png").unlink()
        file = lossy / f"{place:03}.{own if suffix == 'own' else suffix}"
        Image.fromarray(picture(place)).save(file, format, **LOSSY[format])
    outputs, targets = (plain, lossy) if lossy_targets else (lossy, plain)
    (told,) = problems(outputs, targets)
    assert f"{len(places)} of 3 images in {lossy}" in told
    assert "--mixed-formats" in told
    evaluate_folders(outputs, targets, metrics=["l1"], mixed_formats=True)


def test_images_that_are_all_of_one_kind_need_no_flag(folder: Make) -> None:
    jpeg, other = folder("a", range(3), "jpg"), folder("b", range(3), "jpeg")
    for path in other.iterdir():
        Image.open(path).save(path.with_suffix(".webp"), quality=60)
        path.unlink()
    evaluate_folders(jpeg, other, metrics=["l1"])
    plain, named = folder("c", range(3)), folder("d", range(3))
    for path in named.iterdir():
        Image.open(path).save(path.with_suffix(".webp"), lossless=True)
        path.unlink()
    evaluate_folders(plain, named, metrics=["l1"])


def test_pairs_of_one_kind_each_need_no_flag(folder: Make) -> None:
    outputs, targets = folder("a", range(4)), folder("b", range(4))
    for one in (outputs, targets):
        Image.open(one / "002.png").save(one / "002.jpg")
        (one / "002.png").unlink()
    evaluate_folders(outputs, targets, metrics=["l1"])


def test_a_damaged_jpeg_is_told_as_damaged(folder: Make) -> None:
    outputs, targets = folder("a", range(3), "jpg"), folder("b", range(3), "jpg")
    (outputs / "001.jpg").write_bytes(b"")
    (told,) = problems(outputs, targets)
    assert "the file is empty" in told


def test_sets_need_no_partners_and_no_equal_sizes(folder: Make, weights: Path) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(10, 15))
    Image.fromarray(picture(9, (60, 52))).save(outputs / "other.png")
    document = evaluate_folders(outputs, targets, metrics=["fid", "kid"])
    details = document["details"]["fid"]
    assert (details["outputs"], details["targets"]) == (4, 5)
    assert details["fingerprint"]["size"] == ["48x40", "60x52"]
    assert document["metrics"]["fid"] > 0


def test_one_image_is_too_few_for_fid_and_says_so(folder: Make, weights: Path) -> None:
    document = evaluate_folders(folder("a", range(1)), folder("b", range(3)), metrics=["fid"])
    assert document["metrics"]["fid"] is None
    assert document["details"]["fid"]["unavailable"] == (
        "fid[clean] needs at least 2 outputs, there is 1"
    )


def test_features_of_targets_are_computed_once(
    folder: Make, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from i2i.metrics.extractors import InceptionExtractor

    shown: list[int] = []
    whole = InceptionExtractor.__call__
    monkeypatch.setattr(
        InceptionExtractor, "__call__", lambda self, i: shown.append(len(i)) or whole(self, i)
    )
    outputs, targets = folder("a", range(3)), folder("b", range(10, 14))
    first = evaluate_folders(outputs, targets, metrics=["fid", "kid"])
    assert sum(shown) == 7
    second = evaluate_folders(outputs, targets, metrics=["fid", "kid"])
    assert sum(shown) == 7 + 3
    assert second == first
    Image.fromarray(picture(77)).save(targets / "000.png")
    third = evaluate_folders(outputs, targets, metrics=["fid"])
    assert sum(shown) == 7 + 3 + 7
    assert third["metrics"]["fid"] != first["metrics"]["fid"]


def test_a_damaged_kept_reference_is_computed_again(
    folder: Make, weights: Path, tmp_path: Path
) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(10, 14))
    first = evaluate_folders(outputs, targets, metrics=["fid"])
    (kept,) = (tmp_path / "cache" / "references").iterdir()
    content = bytearray(kept.read_bytes())
    content[-5] ^= 1
    kept.write_bytes(content)
    assert evaluate_folders(outputs, targets, metrics=["fid"]) == first


def test_a_metric_that_refuses_the_images_leaves_the_others(folder: Make) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(3))
    document = evaluate_folders(outputs, targets, metrics=["ms_ssim", "seg_score", "l1"])
    assert document["metrics"]["l1"] == 0
    assert "48x40" in document["details"]["ms_ssim"]["unavailable"]


def test_pictures_of_other_kinds_are_left_out_and_named(folder: Make) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(3))
    (outputs / "003.heic").touch()
    (targets / "003.cr2").touch()
    (line, other) = evaluate_folders(outputs, targets, metrics=["l1"])["left_out"]
    assert "1 file that" in line
    assert "003.heic" in line
    assert "003.cr2" in other
    for file in outputs.glob("*.png"):
        file.unlink()
    assert any("003.heic" in line for line in problems(outputs, targets))


def test_links_that_can_not_be_followed_are_refused_or_skipped(folder: Make) -> None:
    outputs, targets = folder("a", range(3)), folder("b", range(3))
    (outputs / "more").symlink_to(targets)
    (outputs / "gone.png").symlink_to("nothing.png")
    assert len(problems(outputs, targets)) == 2
    document = evaluate_folders(outputs, targets, metrics=["l1"], on_bad="skip")
    assert sorted(document["skipped"][str(outputs)]) == ["gone.png", "more"]
    assert document["details"]["l1"]["pairs"] == 3


def test_partners_may_differ_in_the_unicode_form_of_their_names(folder: Make) -> None:
    outputs, targets = folder("a", range(1)), folder("b", range(1))
    for home, form in ((outputs, "NFC"), (targets, "NFD")):
        (home / "000.png").rename(home / f"{unicodedata.normalize(form, 'café')}.png")
    assert evaluate_folders(outputs, targets, metrics=["l1"])["metrics"]["l1"] == 0
