"""Kinds of picture files that i2i does not read, and how to convert them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from i2i.errors import counted, few


@dataclass(frozen=True)
class Kind:
    """A kind of file that holds pictures, but that i2i does not read.

    Args:
        name: Its name, such as "HEIC".
        remedy: What to do with such a file.
        suffixes: Its suffixes, in lower case, with the dot and separated by spaces.
        signatures: The bytes that such files start with, and their offset.
    """

    name: str
    remedy: str
    suffixes: str = ""
    signatures: tuple[tuple[int, bytes], ...] = ()

    @property
    def sentence(self) -> str:
        """What is wrong with such a file, and the remedy."""
        return f"is {self.name}, not an image that i2i reads; {self.remedy}"


KINDS = (
    Kind(
        "a Git LFS or git-annex pointer in place of the image",
        "fetch the image itself, with 'git lfs pull' or 'git annex get'",
        signatures=((0, b"version https://git-lfs"), (0, b"/annex/objects/")),
    ),
    Kind(
        "HEIC",
        "convert to PNG or JPEG, for example with heif-convert",
        ".heic .heics .heif .heifs .hif",
        ((4, b"ftyphei"), (4, b"ftyphev"), (4, b"ftypmif1"), (4, b"ftypmsf1")),
    ),
    Kind(
        "JPEG XL",
        "convert to PNG, for example with djxl",
        ".jxl",
        ((0, b"\xff\x0a"), (0, b"\0\0\0\x0cJXL ")),
    ),
    Kind("JPEG XR", "convert to PNG, for example with JxrDecApp", ".hdp .jxr .wdp"),
    Kind(
        "a camera's RAW file",
        "develop to a 16-bit TIFF, for example with darktable-cli",
        ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef "
        ".raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
        ((0, b"FUJIFILMCCD-RAW"), (4, b"ftypcrx ")),
    ),
    Kind(
        "a high dynamic range image (OpenEXR or Radiance)",
        "save as a float TIFF or .npy, and set data.float_range",
        ".exr .hdr",
        ((0, b"v/1\x01"), (0, b"#?RADIANCE")),
    ),
    Kind(
        "DICOM",
        "save the pixels as a 16-bit PNG, TIFF or .npy, for example with pydicom",
        ".dcm .dicom",
        ((128, b"DICM"),),
    ),
    Kind(
        "a volume or microscope file",
        "save the slices as TIFF or .npy",
        ".czi .lif .mha .mhd .mrc .nd2 .ndpi .nii .nii.gz .nrrd .svs",
    ),
    Kind("an archive of arrays", "save each image as .npy", ".npz"),
    Kind(
        "a document or vector graphic",
        "render to PNG, for example with pdftoppm or resvg",
        ".ai .emf .eps .pdf .ps .svg .svgz .wmf",
        ((0, b"%PDF-"), (0, b"%!PS")),
    ),
    Kind(
        "an image editor's document",
        "export as PNG or TIFF",
        ".afphoto .kra .ora .psb .xcf",
        ((0, b"gimp xcf"),),
    ),
    Kind(
        "a video",
        "extract the frames, for example with ffmpeg",
        ".3gp .avi .flv .m2ts .m4v .mjpeg .mkv .mov .mp4 .mpeg .mpg .mts .ogv .webm .wmv",
        ((4, b"ftypisom"), (4, b"ftypmp4"), (4, b"ftypqt  "), (0, b"\x1aE\xdf\xa3")),
    ),
)

_BY_SUFFIX = {suffix: kind for kind in KINDS for suffix in kind.suffixes.split()}


def kind_by_name(file: PurePath) -> Kind | None:
    """The kind that a file's suffix stands for; None for images that are read, and other files."""
    both = "".join(file.suffixes[-2:]).lower()
    return _BY_SUFFIX.get(both) or _BY_SUFFIX.get(file.suffix.lower())


def kind_by_content(start: bytes) -> Kind | None:
    """The kind that a file's first 160 bytes stand for; None for all other files."""
    for kind in KINDS:
        if any(start.startswith(known, offset) for offset, known in kind.signatures):
            return kind
    return None


def left_out(unread: Mapping[str, Kind]) -> list[str]:
    """Describe files that were left out: a line for each kind, with their number and first names.

    Args:
        unread: The kinds of the files by name.
    """
    by_kind: dict[Kind, list[str]] = {}
    for name, kind in unread.items():
        by_kind.setdefault(kind, []).append(name)
    return [
        f"left out {counted(len(names), 'file')} that i2i does not read ({few(names)}): "
        f"{kind.name}; {kind.remedy}"
        for kind, names in by_kind.items()
    ]
