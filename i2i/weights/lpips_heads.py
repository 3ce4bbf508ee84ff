"""The linear heads of LPIPS (version 0.1), from the `lpips` package."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from i2i.errors import WeightsError
from i2i.system.hashing import file_sha256, tensors_sha256
from i2i.weights.used import record

SHA256 = {
    "alex": "d1c575815925fe72016f8123cdf8fd43ee0477d5eb0efa200657bf309fbfa263",
    "vgg": "0088a19106a91d87420a433467705129fdff46547f287cbe47354296c94a698e",
    "squeeze": "108d8a0155cc3d207367a34529d11f1cb862bc7a2eb538d48bc6747778a1efb7",
}
"""SHA-256 of the tensors by network, see `tensors_sha256`."""


def lpips_heads(net: str) -> dict[str, Tensor]:
    """Load and verify the linear heads for a network's features, and record their use.

    Args:
        net: `alex`, `vgg` or `squeeze`.

    Raises:
        WeightsError: If the installed package's file is missing, damaged or of another version.
    """
    spec = find_spec("lpips")
    assert spec is not None
    path = Path(spec.origin or "").parent / "weights" / "v0.1" / f"{net}.pth"
    remedy = "reinstall the package: pip install --force-reinstall --no-deps lpips==0.1.4"
    try:
        heads: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        found = tensors_sha256(heads)
    except OSError as error:
        raise WeightsError(f"{path}: can't be read: {error.strerror}; {remedy}") from error
    except Exception as error:  # torch.load can raise anything on a damaged file
        raise WeightsError(
            f"{path}: is damaged: SHA-256 of the file {file_sha256(path)}; {remedy}"
        ) from error
    if found != SHA256[net]:
        raise WeightsError(
            f"{path}: holds other linear heads than LPIPS 0.1: SHA-256 of its tensors {found}, "
            f"expected {SHA256[net]}; {remedy}"
        )
    record(f"lpips_{net}", found, f"package lpips {version('lpips')}")
    return heads
