"""What of a folder is listed as an image, and what is left out, with the reason."""

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from i2i.errors import DataError
from i2i.images import header
from i2i.images.kinds import left_out
from i2i.images.listing import by_name, images_below


def paint(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("beach.heif", "heif-convert"),
        ("DSC_1.NEF", "16-bit TIFF"),
        ("scan.CR3", "16-bit TIFF"),
        ("render.exr", "float_range"),
        ("slice.dcm", "pydicom"),
        ("photo.jxl", "djxl"),
        ("brain.nii.gz", "slices"),
        ("page.pdf", "pdftoppm"),
        ("logo.svg", "resvg"),
        ("layers.xcf", "export"),
        ("clip.MOV", "ffmpeg"),
    ],
)
def test_pictures_of_a_kind_that_is_not_read_are_named_with_the_way_to_convert(
    tmp_path: Path, name: str, remedy: str
) -> None:
    paint(tmp_path / "a.png")
    (tmp_path / name).write_bytes(b"some bytes")
    found = images_below(tmp_path)
    assert [file.name for _, file in found.files] == ["a.png"]
    assert [file.name for file in found.unread] == [name]
    (line,) = left_out({file.name: kind for file, kind in found.unread.items()})
    assert name in line
    assert remedy in line


def test_files_of_one_kind_are_counted_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for i in range(5):
        (tmp_path / "more" / f"{i}.heic").touch()
    (tmp_path / "clip.mp4").touch()
    unread = images_below(tmp_path).unread
    lines = left_out({str(file.relative_to(tmp_path)): kind for file, kind in unread.items()})
    assert len(lines) == 2
    assert any("5 files" in line and "more/0.heic" in line for line in lines)


def test_files_that_nobody_means_as_pictures_are_not_mentioned(tmp_path: Path) -> None:
    for name in (
        "Thumbs.db",
        ".DS_Store",
        "notes.txt",
        "a.json",
        "README",
        "a.png.aux.xml",
        "x.py",
    ):
        (tmp_path / name).touch()
    found = images_below(tmp_path)
    assert not found.files
    assert not found.problems
    assert not found.unread


def test_links_that_lead_nowhere_or_to_folders_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    paint(folder / "a.png")
    paint(tmp_path / "other" / "b.png")
    (folder / "linked.png").symlink_to(tmp_path / "other" / "b.png")
    (folder / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (folder / "unmounted").symlink_to(tmp_path / "disk")
    (folder / "more").symlink_to(tmp_path / "other")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    found = images_below(folder)
    assert [file.name for _, file in found.files] == ["a.png", "linked.png"]
    told = {file.name: why for file, why in found.problems.items()}
    assert told.keys() == {"gone.jpg", "unmounted", "more", "loop.png"}
    assert "nothing.jpg, which is not there" in told["gone.jpg"]
    assert "link to a folder" in told["more"]


@pytest.mark.parametrize("suffix", ["png", "tif", "npy"])
def test_a_pointer_of_git_lfs_is_told_from_a_damaged_image(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")
    with pytest.raises(DataError, match="git lfs pull"):
        header(file)


def test_the_content_tells_a_kind_that_the_name_hides(tmp_path: Path) -> None:
    file = tmp_path / "IMG_2.jpg"
    file.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(200))
    with pytest.raises(DataError, match=r"is HEIC.*heif-convert"):
        header(file)


def test_names_in_two_forms_of_unicode_are_one_name(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Ärger ñ") for form in ("NFC", "NFD"))
    assert composed != decomposed
    one = paint(tmp_path / "one" / decomposed / f"{decomposed}.png")
    named, problems = by_name(images_below(tmp_path / "one").files)
    assert named == {f"{composed}/{composed}": one}
    assert problems == []
    paint(tmp_path / "one" / decomposed / f"{composed}.jpg")
    _, problems = by_name(images_below(tmp_path / "one").files)
    (problem,) = problems
    assert "same name" in problem
    assert "Unicode" in problem
